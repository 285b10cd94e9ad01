---@meta patchday
-- SPDX-License-Identifier: MIT
-- The language of workflows, for a Lua language server (LuaLS, EmmyLua).  The
-- steps of the plugins are in plugins.lua beside this file, which is generated:
-- `patchday plugins --lua`.  tests/cli/stubs.sh compares both with what there is.

-- ------------------------------------------------------------ values of steps

---What a step gives, known only while the plan runs: x.out.NAME.  It can be
---given to a parameter, nothing else.
---@class patchday.out.boolean
---@class patchday.out.number
---@class patchday.out.bytes
---@class patchday.out.seconds
---@class patchday.out.string
---@class patchday.out.path
---@class patchday.out.list

---@alias patchday.boolean boolean|patchday.out.boolean
---@alias patchday.number integer|patchday.out.number|patchday.out.bytes|patchday.out.seconds
---4096, "20 MiB", "2G"
---@alias patchday.bytes integer|string|patchday.out.number|patchday.out.bytes|patchday.out.seconds
---90, "15m", "2h", "1h30m"
---@alias patchday.seconds integer|string|patchday.out.number|patchday.out.bytes|patchday.out.seconds
---@alias patchday.string string|patchday.out.string|patchday.out.path
---"/absolute/path"
---@alias patchday.path string|patchday.out.path
---{ "a", "b" }, or one text
---@alias patchday.list string|string[]|patchday.out.list|patchday.out.string|patchday.out.path
---pd.secret { env = "NAME" }: never the secret itself
---@alias patchday.secret patchday.declared
---t.catalog:needed(), or a part of it
---@alias patchday.updates patchday.selection

---A step of a plan.
---@class patchday.step
---A stage, a hold, or pd.nothing.
---@class patchday.block
---What a plan is made of; false and nil are left out, lists are taken apart.
---@alias patchday.item patchday.step|patchday.block|table|false|nil

-- ------------------------------------------------------------ what is known: t

---@class (exact) patchday.t
---@field facts patchday.facts what the scanners found
---@field catalog patchday.catalog the updates of all catalogs given
---@field params table<string, any> the values of the parameters
---@field answers table<string, any> the answers to the questions; nil while one is open
---@field round integer 1 in the first round
---@field server string name of the server

---@class patchday.catalog
---@field needed fun(self: patchday.catalog): patchday.selection all updates that this server needs
---@field unsure fun(self: patchday.catalog): patchday.selection those that fit it, of which only their installer can tell whether they are there

---@alias patchday.severity "unknown"|"none"|"low"|"moderate"|"important"|"critical"
---@alias patchday.kind "other"|"security"|"bugfix"|"enhancement"|"newpackage"|"driver"|"firmware"|"bundle"

---A selection of updates; each filter gives a new one.  #due counts them.
---@class patchday.selection
---@field [integer] patchday.update
---@operator len: integer
---@field severity fun(self: patchday.selection, least: patchday.severity): patchday.selection at least as severe
---@field kind fun(self: patchday.selection, ...: patchday.kind|patchday.kind[]): patchday.selection of these kinds
---@field id fun(self: patchday.selection, ...: string|string[]): patchday.selection of these ids or other names
---@field without fun(self: patchday.selection, ...: string|string[]): patchday.selection all but these
---@field not_before fun(self: patchday.selection, date: string): patchday.selection issued then or later
---@field not_after fun(self: patchday.selection, date: string): patchday.selection until then
---@field ids fun(self: patchday.selection): string[]
---@field size fun(self: patchday.selection): integer bytes to fetch
---@field needs_reboot fun(self: patchday.selection): boolean does any of them ask for a reboot?

---@class (exact) patchday.update
---@field id string
---@field revision string
---@field title string
---@field description string
---@field url string
---@field vendor string
---@field catalog string name of the catalog that it comes from
---@field severity patchday.severity
---@field kind patchday.kind
---@field restart "unknown"|"none"|"service"|"session"|"reboot"
---@field expected? integer seconds; nil: unknown
---@field issued integer seconds since 1970; 0: unknown
---@field permanent boolean it can't be removed again
---@field interactive boolean it asks somebody
---@field trust string what proves it
---@field aliases string[]
---@field packages patchday.package[]
---@field payloads patchday.payload[]
---@field installers patchday.installer[]
---@field exits patchday.exit[]
---@field devices string[] regular expressions for the modalias of devices that it is for

---@class (exact) patchday.payload
---@field url string
---@field name string
---@field digest string "sha256:..." and others; "": unknown
---@field bytes integer -1: unknown

---@class (exact) patchday.installer
---@field kind "install"|"uninstall"
---@field command string
---@field arguments string

---@class (exact) patchday.exit
---@field status integer
---@field meaning string

---@class (exact) patchday.drivers
---@field updates patchday.selection
---@field source? string package source; without it no step can be made
---@field unexplained? "show"|"fail" a difference of the hardware that no step explains
---@field ignore? string[] differences that are none
---@field settle? integer|string how long a link may take to come up
---@field delay? integer|string how long before the reboot those who are logged in are told
---@field reboot? boolean false: without a reboot at the end
---@field boots? fun(reboot: patchday.plugin.host.reboot.step): patchday.item what stands in the place of that reboot

---@class (exact) patchday.package
---@field name string
---@field version string
---@field arch string
---@field scheme string
---@field installed string version found on the server; "": none
---@field url string
---@field sha256 string
---@field bytes integer -1: unknown

-- ------------------------------------------------------------------ the module

---@class patchday
local pd = {}

---@class (exact) patchday.workflow
---@field api 1 the language of this workflow
---@field name string a to z, 0 to 9, - and _
---@field role? string
---@field help? string
---@field params? table<string, patchday.declared>
---@field questions? table<string, patchday.asked>
---@field rounds? integer how often the server is scanned and planned for, until nothing is left: 1 to 100
---@field reboots? integer how often a run may reboot the server: 0 to 100
---@field plan fun(t: patchday.t): patchday.item
---@field guards? fun(t: patchday.t): patchday.item asked before each stage: may it go on?

---What a workflow's file returns.
---@param given patchday.workflow
---@return patchday.block
function pd.workflow(given) end

---The step that installs updates on a server of this family.
---@param t patchday.t
---@param given patchday.plugin.update.install|patchday.plugin.rpm.install
---@return patchday.plugin.update.install.step|patchday.plugin.rpm.install.step
function pd.install(t, given) end

---The steps that install drivers and firmware of vendors' catalogs, between a look at the hardware before and after.
---What no step can be made for is told in the plan, as pd.note does.
---@param given patchday.drivers
---@return patchday.item? steps nil: there is nothing to do
function pd.drivers(given) end

---@class patchday.stage
---@field [integer] patchday.item
---@field on_failure? "stop"|"undo"|"continue"

---pd.stage "install" { on_failure = "undo", step, step }
---@param name string a to z, 0 to 9, - and _
---@return fun(given: patchday.stage): patchday.block
function pd.stage(name) end

---The first entry takes something away; it is given back at the end, whatever happens in the rest.
---@param list patchday.item[]
---@return patchday.block
function pd.hold(list) end

---@class (exact) patchday.signoff
---@field parties string[] who signs
---@field id? string name of the step in the plan

---Waits until each party has signed.
---@param given patchday.signoff
---@return patchday.step
function pd.signoff(given) end

---Returned in place of a plan when there is nothing to do.
---@param why string
---@return patchday.block
function pd.nothing(why) end

---A word to those who read the plan, in one line: it stands in the plan.
---@param text string
function pd.note(text) end

---A question of a workflow.
---@class patchday.asked

---@class (exact) patchday.question
---@field ask string the question
---@field help? string
---@field type? "boolean"|"choice"|"string"
---@field choices? string[]
---@field must? any any other answer is against the run

---Asked of people before a run starts.
---@param given patchday.question
---@return patchday.asked
function pd.question(given) end

---A parameter of a workflow.
---@class patchday.declared

---@class (exact) patchday.parameter
---@field default? any
---@field required? boolean
---@field help? string
---@field choices? string[] of pd.choice
---@field min? number
---@field max? number

---@param given? patchday.parameter
---@return patchday.declared
function pd.string(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.path(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.list(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.int(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.bytes(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.seconds(given) end
---@param given? patchday.parameter
---@return patchday.declared
function pd.bool(given) end
---@param given patchday.parameter
---@return patchday.declared
function pd.choice(given) end

---@class (exact) patchday.secret_source
---@field env? string environment variable that has it
---@field file? string file that has it
---@field credential? string credential of systemd
---@field prompt? string a person types it in

---Declares a parameter, or says where a secret comes from.
---@param given? patchday.parameter|patchday.secret_source
---@return patchday.declared
function pd.secret(given) end

-- ----------------------------------------------------------------------- facts

---@class (exact) patchday.facts
---@field addresses patchday.facts.addresses network addresses, by number or by address
---@field boot patchday.facts.boot the running boot
---@field devices patchday.facts.devices hardware on the buses, by number or by address
---@field disks patchday.facts.disks mounted file systems, by number or by mount
---@field errors patchday.facts.errors error messages of this boot, by number or by message
---@field firmware patchday.facts.firmware firmware of the machine and its devices, by number or by id
---@field hardware patchday.facts.hardware the machine, from DMI
---@field interfaces patchday.facts.interfaces network interfaces, by number or by name
---@field jobs patchday.facts.jobs scheduled jobs, by number or by name
---@field kernel patchday.facts.kernel the running kernel
---@field listeners patchday.facts.listeners sockets that listen, by number or by address
---@field os patchday.facts.os the operating system
---@field packages patchday.facts.packages installed packages, by number or by name
---@field printers patchday.facts.printers printer queues, by number or by name
---@field resolvers patchday.facts.resolvers name servers, by number or by address
---@field routes patchday.facts.routes routes, by number or by destination
---@field services patchday.facts.services services of the service manager, by number or by name
---@field sessions patchday.facts.sessions users logged in, by number or by user
---@field shares patchday.facts.shares shared folders, by number or by name

---@class patchday.facts.addresses
---@field [integer] patchday.facts.addresses.row
---@field [string] patchday.facts.addresses.row
---@class (exact) patchday.facts.addresses.row
---@field interface? string network interface that has it
---@field address? string the address without its prefix
---@field prefix? integer length of the prefix in bits
---@field family? string inet or inet6

---@class (exact) patchday.facts.boot
---@field id? string boot id of the kernel, new with each boot
---@field loader? string grub or systemd-boot; empty: none that is known
---@field no_fallback? string why one kernel can't be booted just once
---@field started? integer seconds since 1970 UTC

---@class patchday.facts.devices
---@field [integer] patchday.facts.devices.row
---@field [string] patchday.facts.devices.row
---@class (exact) patchday.facts.devices.row
---@field bus? string pci or usb
---@field address? string place on the bus
---@field vendor? string vendor id, hexadecimal
---@field product? string product id, hexadecimal
---@field class? string class code, hexadecimal
---@field driver? string kernel driver bound to it
---@field modalias? string the kernel's name for matching drivers

---@class patchday.facts.disks
---@field [integer] patchday.facts.disks.row
---@field [string] patchday.facts.disks.row
---@class (exact) patchday.facts.disks.row
---@field mount? string mount point
---@field device? string what is mounted
---@field filesystem? string type of the file system
---@field bytes? integer size
---@field free_bytes? integer free for root
---@field free_inodes? integer files that can still be made
---@field readonly? boolean mounted read-only

---@class patchday.facts.errors
---@field [integer] patchday.facts.errors.row
---@field [string] patchday.facts.errors.row
---@class (exact) patchday.facts.errors.row
---@field unit? string unit or program that speaks, numbers as #
---@field message? string numbers, addresses and ids as #
---@field count? integer how often

---@class patchday.facts.firmware
---@field [integer] patchday.facts.firmware.row
---@field [string] patchday.facts.firmware.row
---@class (exact) patchday.facts.firmware.row
---@field id? string GUID of the device
---@field name? string of the device, for people
---@field version? string as fwupd shows it, or as one number
---@field version_format? string of fwupd: triplet, quad, hex ...
---@field vendor_id? string USB:0x046D, of several with | between them
---@field branch? string of the firmware, such as coreboot; empty: the vendor's own
---@field updatable? boolean fwupd can update it now

---@class (exact) patchday.facts.hardware
---@field vendor? string maker
---@field product? string model
---@field serial? string serial number
---@field board? string main board
---@field bios_vendor? string maker of the firmware
---@field bios_version? string version of the firmware
---@field chassis? string type of the chassis
---@field virtualization? string none, kvm, vmware, container ...

---@class patchday.facts.interfaces
---@field [integer] patchday.facts.interfaces.row
---@field [string] patchday.facts.interfaces.row
---@class (exact) patchday.facts.interfaces.row
---@field name? string of the kernel
---@field mac? string hardware address
---@field state? string up, down ...
---@field mtu? integer largest packet in bytes

---@class patchday.facts.jobs
---@field [integer] patchday.facts.jobs.row
---@field [string] patchday.facts.jobs.row
---@class (exact) patchday.facts.jobs.row
---@field kind? string cron, anacron, timer or at
---@field name? string file that holds it, or the timer
---@field command? string what it runs
---@field schedule? string when, as written
---@field user? string whose job it is
---@field enabled? boolean it will run
---@field package? string that brought it

---@class (exact) patchday.facts.kernel
---@field release? string as uname -r
---@field version? string as uname -v
---@field machine? string as uname -m

---@class patchday.facts.listeners
---@field [integer] patchday.facts.listeners.row
---@field [string] patchday.facts.listeners.row
---@class (exact) patchday.facts.listeners.row
---@field protocol? string tcp, tcp6, udp or udp6
---@field address? string 0.0.0.0 and :: are all
---@field port? integer number of the port
---@field program? string that holds it first
---@field unit? string of that program

---@class (exact) patchday.facts.os
---@field id? string debian, rhel ... of os-release
---@field version_id? string 12, 9.4 ... of os-release
---@field name? string for people
---@field codename? string bookworm ...
---@field arch? string of the packages: amd64, x86_64 ...
---@field family? string debian, rpm or other
---@field hostname? string first part of the name
---@field fqdn? string full name
---@field timezone? string Europe/Berlin ...

---@class patchday.facts.packages
---@field [integer] patchday.facts.packages.row
---@field [string] patchday.facts.packages.row
---@class (exact) patchday.facts.packages.row
---@field name? string without its architecture
---@field version? string full: [epoch:]version[-release]
---@field arch? string architecture; all or noarch for any
---@field scheme? string how versions compare: deb, rpm ...
---@field status? string installed, or what dpkg says instead
---@field source? string source package
---@field source_version? string version of the source package
---@field signature? string id of the key that signed it, lower case
---@field held? boolean the administrator keeps it at this version

---@class patchday.facts.printers
---@field [integer] patchday.facts.printers.row
---@field [string] patchday.facts.printers.row
---@class (exact) patchday.facts.printers.row
---@field name? string of the queue
---@field uri? string of the device
---@field model? string make and model
---@field state? string idle, processing or stopped
---@field default? boolean the server's default queue
---@field shared? boolean offered to others
---@field accepting? boolean takes jobs
---@field location? string for people
---@field info? string for people

---@class patchday.facts.resolvers
---@field [integer] patchday.facts.resolvers.row
---@field [string] patchday.facts.resolvers.row
---@class (exact) patchday.facts.resolvers.row
---@field address? string of the name server

---@class patchday.facts.routes
---@field [integer] patchday.facts.routes.row
---@field [string] patchday.facts.routes.row
---@class (exact) patchday.facts.routes.row
---@field destination? string network/prefix or default
---@field gateway? string next hop
---@field interface? string it leaves by

---@class patchday.facts.services
---@field [integer] patchday.facts.services.row
---@field [string] patchday.facts.services.row
---@class (exact) patchday.facts.services.row
---@field name? string of the unit
---@field state? string active, failed ...
---@field sub_state? string running, exited ...
---@field enabled? string enabled, disabled, static, masked ...
---@field description? string for people
---@field package? string that brought it

---@class patchday.facts.sessions
---@field [integer] patchday.facts.sessions.row
---@field [string] patchday.facts.sessions.row
---@class (exact) patchday.facts.sessions.row
---@field user? string login name
---@field terminal? string tty, pts/0 ...
---@field from? string remote host
---@field since? integer seconds since 1970 UTC

---@class patchday.facts.shares
---@field [integer] patchday.facts.shares.row
---@field [string] patchday.facts.shares.row
---@class (exact) patchday.facts.shares.row
---@field name? string of the share
---@field kind? string smb
---@field path? string folder
---@field comment? string for people
---@field guest? boolean open without an account
---@field writable? boolean users may write

return pd
