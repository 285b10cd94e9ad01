---@meta
-- SPDX-License-Identifier: MIT
-- Made by `patchday plugins --lua`: the steps of the plugins that are installed.

---@class patchday
local pd = {}

---The steps of a plugin, as functions.
---@overload fun(name: "antivirus"): patchday.plugin.antivirus
---@overload fun(name: "backup"): patchday.plugin.backup
---@overload fun(name: "command"): patchday.plugin.command
---@overload fun(name: "copy"): patchday.plugin.copy
---@overload fun(name: "database"): patchday.plugin.database
---@overload fun(name: "directory"): patchday.plugin.directory
---@overload fun(name: "driver"): patchday.plugin.driver
---@overload fun(name: "eventlog"): patchday.plugin.eventlog
---@overload fun(name: "firewall"): patchday.plugin.firewall
---@overload fun(name: "guard"): patchday.plugin.guard
---@overload fun(name: "host"): patchday.plugin.host
---@overload fun(name: "kernel"): patchday.plugin.kernel
---@overload fun(name: "needrestart"): patchday.plugin.needrestart
---@overload fun(name: "network"): patchday.plugin.network
---@overload fun(name: "normalbackup"): patchday.plugin.normalbackup
---@overload fun(name: "notify"): patchday.plugin.notify
---@overload fun(name: "printers"): patchday.plugin.printers
---@overload fun(name: "probe"): patchday.plugin.probe
---@overload fun(name: "proxy"): patchday.plugin.proxy
---@overload fun(name: "quota"): patchday.plugin.quota
---@overload fun(name: "recovery"): patchday.plugin.recovery
---@overload fun(name: "rpm"): patchday.plugin.rpm
---@overload fun(name: "schedule"): patchday.plugin.schedule
---@overload fun(name: "service"): patchday.plugin.service
---@overload fun(name: "shares"): patchday.plugin.shares
---@overload fun(name: "snapshot"): patchday.plugin.snapshot
---@overload fun(name: "update"): patchday.plugin.update
---@overload fun(name: "ups"): patchday.plugin.ups
---@param name string
---@return table<string, fun(given?: table): patchday.step>
function pd.use(name) end

-- antivirus: virus scanners: held, given back, their definitions updated
do
---@class patchday.plugin.antivirus
local steps = {}

---@class (exact) patchday.plugin.antivirus.hold
---@field units? patchday.list units of the scanners and of what updates them; without a kind, services, default clamav-daemon,clamav-clamonacc,clamav-freshclam,clamd@scan,clamonacc
---@field scans? patchday.list programs whose scan is let come to its end first, default clamscan,clamdscan
---@field timeout? patchday.seconds how long a scan, and then the stop of the units, may take (1 to 3000), default 10m
---@field missing? "ignore"|"fail"|patchday.out.string what to do when a unit is not installed here (ignore, fail), default ignore
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.antivirus.hold.out
---@field stopped patchday.out.list units that ran and were stopped
---@field held patchday.out.list units that cannot be started meanwhile

---@class (exact) patchday.plugin.antivirus.hold.step: patchday.step
---@field out patchday.plugin.antivirus.hold.out

---Hold virus scanners, over a reboot too, until undo.
---Can be undone; needs root; has to be held. Takes about 5s, at most 2h 00m.
---@param given? patchday.plugin.antivirus.hold
---@return patchday.plugin.antivirus.hold.step
function steps.hold(given) end

---@class (exact) patchday.plugin.antivirus.update
---@field command? patchday.list program that updates the definitions, and its arguments, default freshclam
---@field definitions? patchday.path folder with the definitions, default /var/lib/clamav
---@field max_age? patchday.seconds how old the newest definitions may be after that (60 to 31536000), default 7d
---@field timeout? patchday.seconds how long the program may take (1 to 3000), default 10m
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.antivirus.update.out
---@field before patchday.out.string definitions as they were: names and versions
---@field after patchday.out.string definitions as they are now
---@field age patchday.out.seconds age of the newest ones

---@class (exact) patchday.plugin.antivirus.update.step: patchday.step
---@field out patchday.plugin.antivirus.update.out

---Update the scanner's definitions and prove that they are new.
---Can be undone; needs root. Takes about 1m 00s, at most 1h 00m.
---@param given? patchday.plugin.antivirus.update
---@return patchday.plugin.antivirus.update.step
function steps.update(given) end
end

-- backup: backups of the system's state: take, prove, restore
do
---@class patchday.plugin.backup
local steps = {}

---@class (exact) patchday.plugin.backup.state
---@field to patchday.path folder for the backup; each run gets a folder in it
---@field name? patchday.string name of the archive, without its ending, default state
---@field paths? patchday.list files and folders to save; what is not there is passed over, default /etc,/boot,/root/.ssh,/usr/local/etc,/usr/local/bin,/usr/local/sbin,/var/lib/dpkg,/var/lib/apt/extended_states,/var/lib/rpm,/usr/lib/sysimage/rpm,/var/lib/dnf,/var/lib/samba,/var/lib/systemd,/var/spool/cron
---@field exclude? patchday.list patterns of paths to leave out, * also matches slashes, default /var/lib/systemd/coredump/*,/var/lib/systemd/random-seed
---@field compression? "zstd"|"xz"|"gzip"|"none"|patchday.out.string how the archive is compressed (zstd, xz, gzip, none), default zstd
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.backup.state.out
---@field archive patchday.out.path the backup
---@field manifest patchday.out.path SHA-256 of each file in it
---@field sha256 patchday.out.string SHA-256 of the archive
---@field files patchday.out.number regular files saved
---@field bytes patchday.out.bytes size of the archive

---@class (exact) patchday.plugin.backup.state.step: patchday.step
---@field out patchday.plugin.backup.state.out

---Save the system's state to one archive.
---Read-only; needs root. Takes about 20s, at most 1h 00m.
---@param given patchday.plugin.backup.state
---@return patchday.plugin.backup.state.step
function steps.state(given) end

---@class (exact) patchday.plugin.backup.system
---@field to patchday.path folder for the backup; each run gets a folder in it, which is not saved itself
---@field name? patchday.string name of the archive, without its ending, default system
---@field paths? patchday.list what to save: mounted volumes of this server are, foreign ones not, default /
---@field exclude? patchday.list patterns of paths to leave out, * also matches slashes, default /dev/*,/proc/*,/sys/*,/run/*,/tmp/*,/var/tmp/*,/mnt/*,/media/*,/lost+found,/var/cache/apt/archives/*.deb,/var/cache/dnf/*,/var/lib/systemd/coredump/*,/var/lib/systemd/random-seed,/swapfile,/swap.img
---@field compression? "zstd"|"xz"|"gzip"|"none"|patchday.out.string how the archive is compressed (zstd, xz, gzip, none), default zstd
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.backup.system.out
---@field archive patchday.out.path the backup
---@field manifest patchday.out.path SHA-256 of each file in it
---@field sha256 patchday.out.string SHA-256 of the archive
---@field files patchday.out.number regular files saved
---@field bytes patchday.out.bytes size of the archive

---@class (exact) patchday.plugin.backup.system.step: patchday.step
---@field out patchday.plugin.backup.system.out

---Save the whole server and the layout of its disks, for bare metal.
---Read-only; needs root. Takes about 5m 00s, at most 6h 00m.
---@param given patchday.plugin.backup.system
---@return patchday.plugin.backup.system.step
function steps.system(given) end

---@class (exact) patchday.plugin.backup.verify
---@field archive patchday.path the backup to prove
---@field sha256? patchday.string SHA-256 that the archive must have, normally state.out.sha256
---@field age? patchday.seconds how old the backup may be (at least 1), default 1d
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.backup.verify.out
---@field sha256 patchday.out.string SHA-256 of the archive
---@field files patchday.out.number files read back
---@field bytes patchday.out.bytes bytes read back

---@class (exact) patchday.plugin.backup.verify.step: patchday.step
---@field out patchday.plugin.backup.verify.out

---Read a backup back and prove it.
---Read-only; counts as the backup that a point of no return asks for. Takes about 10s, at most 1h 00m.
---@param given patchday.plugin.backup.verify
---@return patchday.plugin.backup.verify.step
function steps.verify(given) end

---@class (exact) patchday.plugin.backup.restore
---@field archive patchday.path the backup to restore from
---@field paths? patchday.list files and folders to restore; empty: all that was saved
---@field to? patchday.path folder below which they are put, default /
---@field exact? patchday.boolean also take away what is in paths but not in the backup, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.backup.restore.out
---@field files patchday.out.number members of the archive put back
---@field removed patchday.out.number files and folders taken away by exact

---@class (exact) patchday.plugin.backup.restore.step: patchday.step
---@field out patchday.plugin.backup.restore.out

---Put files of a backup back.
---Can be undone; needs root. Takes about 20s, at most 1h 00m.
---@param given patchday.plugin.backup.restore
---@return patchday.plugin.backup.restore.step
function steps.restore(given) end
end

-- command: steps in any language
do
---@class patchday.plugin.command
local steps = {}

---@class (exact) patchday.plugin.command.run
---@field argv patchday.list absolute path of the program, and its arguments
---@field parameters? patchday.list key=value pairs that the program is given
---@field environment? patchday.list NAME=value pairs added to its environment
---@field timeout? patchday.seconds end it after so long; 0: after the step's limit, default 0
---@field reversible? patchday.boolean the program undoes what it did when asked to, default false
---@field readonly? patchday.boolean the program leaves nothing behind to be undone, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.command.run.out
---@field values patchday.out.list key=value pairs that the program gave

---@class (exact) patchday.plugin.command.run.step: patchday.step
---@field out patchday.plugin.command.run.out

---Run a program that speaks the command protocol.
---Can be undone. Takes about 10s, at most 1h 00m.
---@param given patchday.plugin.command.run
---@return patchday.plugin.command.run.step
function steps.run(given) end
end

-- copy: copies to a second place off the server, proved by reading them back
do
---@class patchday.plugin.copy
local steps = {}

---@class (exact) patchday.plugin.copy.folder
---@field from patchday.path folder where the run's steps have saved: what is in its subfolder of this run is copied
---@field also? patchday.list further such folders; one where nothing of this run is, is passed over
---@field to patchday.path folder off the server, such as a mounted share or medium; it has to exist
---@field same_volume? patchday.boolean allow a second place on a volume of the server itself: of the first place, the root or patchday's state, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.copy.folder.out
---@field folder patchday.out.path where the copy is: TO/SERVER/RUN
---@field files patchday.out.number files in it
---@field bytes patchday.out.bytes their size

---@class (exact) patchday.plugin.copy.folder.step: patchday.step
---@field out patchday.plugin.copy.folder.out

---Copy what this run has saved to a second place, and prove the copy.
---Read-only; needs root. Takes about 10s, at most 1h 00m.
---@param given patchday.plugin.copy.folder
---@return patchday.plugin.copy.folder.step
function steps.folder(given) end

---@class (exact) patchday.plugin.copy.ssh
---@field from patchday.path folder where the run's steps have saved: what is in its subfolder of this run is copied
---@field also? patchday.list further such folders; one where nothing of this run is, is passed over
---@field host patchday.string name or address of the other server
---@field port? patchday.number its port for ssh (1 to 65535), default 22
---@field user? patchday.string who logs in there, default root
---@field to patchday.path folder there, which has to exist
---@field identity patchday.path file with the private key to log in with, without a passphrase
---@field known_hosts patchday.path file with the other server's host key; no other key is accepted, and none is ever added
---@field room? patchday.bytes free space that has to be there before the run starts, default 64 MiB
---@field keep? patchday.boolean the copy stays when the run is rolled back; false: undo removes what was copied, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.copy.ssh.out
---@field folder patchday.out.path where the copy is there: TO/SERVER/RUN
---@field files patchday.out.number files in it
---@field bytes patchday.out.bytes their size

---@class (exact) patchday.plugin.copy.ssh.step: patchday.step
---@field out patchday.plugin.copy.ssh.out

---Copy what this run has saved to another server by ssh, and prove the copy.
---Can be undone; needs root. Takes about 20s, at most 4h 00m.
---@param given patchday.plugin.copy.ssh
---@return patchday.plugin.copy.ssh.step
function steps.ssh(given) end

---@class (exact) patchday.plugin.copy.medium
---@field from patchday.path folder where the run's steps have saved: what is in its subfolder of this run is copied
---@field also? patchday.list further such folders; one where nothing of this run is, is passed over
---@field label patchday.string label of the medium's file system
---@field fixed? patchday.boolean allow a disk that can't be taken out, default false
---@field keep? patchday.boolean the copy stays when the run is rolled back; false: undo removes what was copied, and needs the medium, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.copy.medium.out
---@field folder patchday.out.path where the copy is on the medium: /SERVER/RUN
---@field files patchday.out.number files in it
---@field bytes patchday.out.bytes their size

---@class (exact) patchday.plugin.copy.medium.step: patchday.step
---@field out patchday.plugin.copy.medium.out

---Copy what this run has saved to a removable medium, and prove the copy.
---Can be undone; needs root. Takes about 30s, at most 4h 00m.
---@param given patchday.plugin.copy.medium
---@return patchday.plugin.copy.medium.step
function steps.medium(given) end
end

-- database: PostgreSQL: client test, applications held, dump that is proved, restore
do
---@class patchday.plugin.database
local steps = {}

---@class (exact) patchday.plugin.database.probe
---@field cluster? patchday.string cluster, such as 15/main, or its port; left out: the only one
---@field socket? patchday.path folder of the cluster's socket, default /run/postgresql
---@field database? patchday.string database of the client test, default postgres
---@field standby? patchday.boolean a standby, which takes no changes, is right, default false
---@field lag? patchday.seconds how far a standby may be behind (0 to 86400), default 60
---@field timeout? patchday.seconds how long to try (1 to 3000), default 60
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.database.probe.out
---@field version patchday.out.string of the running PostgreSQL
---@field standby patchday.out.boolean it is in recovery
---@field lag patchday.out.seconds how far it is behind its primary
---@field collations patchday.out.list databases whose indexes were made with another sort order

---@class (exact) patchday.plugin.database.probe.step: patchday.step
---@field out patchday.plugin.database.probe.out

---Connect to a database as a client, write and read.
---Read-only; needs root. Takes about 2s, at most 1h 00m.
---@param given? patchday.plugin.database.probe
---@return patchday.plugin.database.probe.step
function steps.probe(given) end

---@class (exact) patchday.plugin.database.quiesce
---@field cluster? patchday.string cluster, such as 15/main, or its port; left out: the only one
---@field socket? patchday.path folder of the cluster's socket, default /run/postgresql
---@field databases? patchday.list databases that are held; left out: all
---@field wait? patchday.seconds how long open sessions have to end by themselves (0 to 3000), default 60
---@field sessions? "end"|"fail"|patchday.out.string what is done about those that are open then: end them, or fail (end, fail), default end
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.database.quiesce.out
---@field ended patchday.out.number how many sessions were ended

---@class (exact) patchday.plugin.database.quiesce.step: patchday.step
---@field out patchday.plugin.database.quiesce.out

---Keep applications out of the database until undo.
---Can be undone; needs root; has to be held. Takes about 30s, at most 1h 00m.
---@param given? patchday.plugin.database.quiesce
---@return patchday.plugin.database.quiesce.step
function steps.quiesce(given) end

---@class (exact) patchday.plugin.database.dump
---@field cluster? patchday.string cluster, such as 15/main, or its port; left out: the only one
---@field socket? patchday.path folder of the cluster's socket, default /run/postgresql
---@field to patchday.path folder for the dump; each run gets a folder in it
---@field name? patchday.string name of the folder of this dump, default database
---@field databases? patchday.list databases to dump; left out: all but templates
---@field prove? "restore"|"read"|patchday.out.string restore all of it into a cluster made for that, or read it through (restore, read), default restore
---@field scratch? patchday.path folder for that cluster, which the database's user may write in; left out: beside the data
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.database.dump.out
---@field folder patchday.out.path where the dump is, for database.restore
---@field databases patchday.out.list databases in it
---@field bytes patchday.out.bytes size of the dumped databases

---@class (exact) patchday.plugin.database.dump.step: patchday.step
---@field out patchday.plugin.database.dump.out

---Dump all databases, and prove it by a restore.
---Read-only; needs root; counts as the backup that a point of no return asks for. Takes about 1m 00s, at most 12h 00m.
---@param given patchday.plugin.database.dump
---@return patchday.plugin.database.dump.step
function steps.dump(given) end

---@class (exact) patchday.plugin.database.restore
---@field cluster? patchday.string cluster, such as 15/main, or its port; left out: the only one
---@field socket? patchday.path folder of the cluster's socket, default /run/postgresql
---@field from patchday.path folder that database.dump has made
---@field databases? patchday.list databases to restore; left out: all in the dump
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.database.restore.out
---@field databases patchday.out.list databases that were restored
---@field aside patchday.out.list what was there before, such as "shop: patchday_before_1780000000_0"

---@class (exact) patchday.plugin.database.restore.step: patchday.step
---@field out patchday.plugin.database.restore.out

---Put databases back as a dump has them.
---Can be undone; needs root. Takes about 1m 00s, at most 12h 00m.
---@param given patchday.plugin.database.restore
---@return patchday.plugin.database.restore.step
function steps.restore(given) end
end

-- directory: a domain controller (Samba): client test, replication, roles, backup that is proved, database
do
---@class patchday.plugin.directory
local steps = {}

---@class (exact) patchday.plugin.directory.probe
---@field user? patchday.string user of the domain who logs in; left out: this server itself, by its key
---@field password? patchday.secret password of that user
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.probe.out
---@field milliseconds patchday.out.number how long it took until it passed

---@class (exact) patchday.plugin.directory.probe.step: patchday.step
---@field out patchday.plugin.directory.probe.out

---Find this domain controller by DNS, log in, and read by LDAP and from its shares.
---Read-only; needs root. Takes about 5s, at most 25h 00m.
---@param given? patchday.plugin.directory.probe
---@return patchday.plugin.directory.probe.step
function steps.probe(given) end

---@class (exact) patchday.plugin.directory.replication
---@field partners? patchday.number so many partners at least; 0: the domain may have no other controller (0 to 1000), default 1
---@field age? patchday.seconds how long ago each naming context may have been replicated (1 to 15552000), default 1h
---@field failures? patchday.number so many failures one after the other are allowed (0 to 1000000), default 0
---@field now? patchday.boolean replicate the domain's accounts first, both ways, and what is not in order; what was replicated before is no proof, default true
---@field before? patchday.list links as an earlier step has found them, which must be there again
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.replication.out
---@field milliseconds patchday.out.number how long it took until it passed
---@field partners patchday.out.list servers that this one replicates with
---@field links patchday.out.list direction, partner and naming context, such as "from dc2 DC=lab,DC=example"

---@class (exact) patchday.plugin.directory.replication.step: patchday.step
---@field out patchday.plugin.directory.replication.out

---Prove that this server and its partners have each other's changes.
---Read-only; needs root. Takes about 5s, at most 25h 00m.
---@param given? patchday.plugin.directory.replication
---@return patchday.plugin.directory.replication.step
function steps.replication(given) end

---@class (exact) patchday.plugin.directory.roles
---@field before? patchday.list roles as an earlier step has found them, which must be the same
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.roles.out
---@field roles patchday.out.list each role and the server that holds it, such as "pdc dc1"
---@field held patchday.out.list roles that this server holds

---@class (exact) patchday.plugin.directory.roles.step: patchday.step
---@field out patchday.plugin.directory.roles.out

---Note which server holds which role of the domain, and compare with before.
---Read-only; needs root. Takes about 2s, at most 1h 00m.
---@param given? patchday.plugin.directory.roles
---@return patchday.plugin.directory.roles.step
function steps.roles(given) end

---@class (exact) patchday.plugin.directory.transfer
---@field to patchday.string domain controller that gets the roles
---@field roles? patchday.list schema, naming, pdc, rid, infrastructure, domaindns, forestdns; left out: all that this server holds
---@field user? patchday.string administrator of the domain, and of the forest for schema and naming, default Administrator
---@field password patchday.secret password of that user
---@field timeout? patchday.seconds keep trying for so long (1 to 3000), default 5m
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.transfer.out
---@field moved patchday.out.list roles that were moved

---@class (exact) patchday.plugin.directory.transfer.step: patchday.step
---@field out patchday.plugin.directory.transfer.out

---Have another domain controller hold this one's roles, until undo.
---Can be undone; needs root. Takes about 20s, at most 1h 00m.
---@param given patchday.plugin.directory.transfer
---@return patchday.plugin.directory.transfer.step
function steps.transfer(given) end

---@class (exact) patchday.plugin.directory.backup
---@field to patchday.path folder for the backup; each run gets a folder in it
---@field name? patchday.string name of the archive, without its ending, default directory
---@field kind? "offline"|"online"|patchday.out.string copy this server's databases under their locks (offline), or replicate all anew (online) (offline, online), default offline
---@field prove? "restore"|"read"|patchday.out.string make a domain of it in a folder, or read it through (restore, read), default restore
---@field scratch? patchday.path folder for that; left out: that of the run
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.backup.out
---@field archive patchday.out.path the backup, for samba-tool domain backup restore
---@field sha256 patchday.out.string digest of it
---@field bytes patchday.out.bytes size of it

---@class (exact) patchday.plugin.directory.backup.step: patchday.step
---@field out patchday.plugin.directory.backup.out

---Back up the domain, and prove that one can be made of it again.
---Read-only; needs root; counts as the backup that a point of no return asks for. Takes about 30s, at most 12h 00m.
---@param given patchday.plugin.directory.backup
---@return patchday.plugin.directory.backup.step
function steps.backup(given) end

---@class (exact) patchday.plugin.directory.dbcheck
---@field errors? patchday.number so many errors are allowed, such as those that there were before (0 to 1000000000), default 0
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.directory.dbcheck.out
---@field objects patchday.out.number how many objects were looked at
---@field errors patchday.out.number how many errors were found

---@class (exact) patchday.plugin.directory.dbcheck.step: patchday.step
---@field out patchday.plugin.directory.dbcheck.out

---Look through the database of the directory for errors, and mend nothing.
---Read-only; needs root. Takes about 10s, at most 4h 00m.
---@param given? patchday.plugin.directory.dbcheck
---@return patchday.plugin.directory.dbcheck.step
function steps.dbcheck(given) end
end

-- driver: vendors' drivers and firmware for the hardware that is there
do
---@class patchday.plugin.driver
local steps = {}

---@class (exact) patchday.plugin.driver.install
---@field package? patchday.string path of a .deb, or the name of a package of apt's sources, possibly name=version
---@field installer? patchday.path the vendor's program, in place of package
---@field program? patchday.string path of the program within installer, which is an archive: tar or zip
---@field source? patchday.path package source that the file is in; its list counts where there is no digest
---@field arguments? patchday.list arguments of the installer
---@field match? patchday.list hardware it is for: pci:VVVV:DDDD, usb:VVVV:PPPP or a pattern of a modalias, re: before a regular expression; without it, always
---@field exit_codes? patchday.list what the installer's exit status means, STATUS=MEANING; 0 is success, others are failures
---@field digest? patchday.string SHA-256 of the .deb or the installer; required for both, or source
---@field creates? patchday.path file that is there once the installer was run
---@field uninstall? patchday.list command that takes the installer's work back
---@field when_missing? "skip"|"fail"|patchday.out.string what to do where no device fits (skip, fail), default skip
---@field lock_timeout? patchday.seconds how long to wait for another package manager (0 to 86400), default 300
---@field needs_reboot? patchday.boolean its vendor says that it takes effect at a boot, default false
---@field writes_hardware? patchday.boolean it writes to the hardware, such as firmware: not run in a rehearsal, default false
---@field reboot_due? patchday.boolean a step before asked for a reboot: this one does too, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.driver.install.out
---@field reboot_required patchday.out.boolean whether to reboot after it

---@class (exact) patchday.plugin.driver.install.step: patchday.step
---@field out patchday.plugin.driver.install.out

---Install a vendor's driver for the hardware that is there.
---Can be undone; needs root. Takes about 30s, at most 1h 00m.
---@param given? patchday.plugin.driver.install
---@return patchday.plugin.driver.install.step
function steps.install(given) end

---@class (exact) patchday.plugin.driver.firmware
---@field file patchday.path the vendor's archive (.cab)
---@field digest? patchday.string SHA-256 of it; without it the list of source counts
---@field source? patchday.path package source, with the archive of the version to go back to
---@field version? patchday.string version that the archive must have; of several parts only that of this version is installed
---@field devices? patchday.list only these, by GUID or by fwupd's id; without it, all that the archive is for
---@field when_missing? "skip"|"fail"|patchday.out.string what to do where it is for no device (skip, fail), default skip
---@field reboot_due? patchday.boolean a step before asked for a reboot: this one does too, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.driver.firmware.out
---@field reboot_required patchday.out.boolean whether to reboot after it
---@field version patchday.out.string version that the archive brings

---@class (exact) patchday.plugin.driver.firmware.step: patchday.step
---@field out patchday.plugin.driver.firmware.out

---Have fwupd install a vendor's firmware, and go back.
---Can be undone; needs root. Takes about 2m 00s, at most 2h 00m.
---@param given patchday.plugin.driver.firmware
---@return patchday.plugin.driver.firmware.step
function steps.firmware(given) end

---@class (exact) patchday.plugin.driver.state
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.driver.state.out
---@field file patchday.out.path what there is, for driver.compare

---@class (exact) patchday.plugin.driver.state.step: patchday.step
---@field out patchday.plugin.driver.state.out

---Write down the hardware, its drivers and its firmware.
---Read-only; needs root. Takes about 3s, at most 15m 00s.
---@param given? patchday.plugin.driver.state
---@return patchday.plugin.driver.state.step
function steps.state(given) end

---@class (exact) patchday.plugin.driver.compare
---@field before patchday.path file of driver.state
---@field ignore? patchday.list differences that are none: patterns of kind, key and field, such as "nic eth1 *"
---@field unexplained? "show"|"fail"|patchday.out.string a difference that no step of this run explains (show, fail), default show
---@field settle? patchday.seconds how long a link that was up may take to come up (0 to 3600), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.driver.compare.out
---@field differences patchday.out.number how many there are
---@field unexplained patchday.out.list those that no step explains

---@class (exact) patchday.plugin.driver.compare.step: patchday.step
---@field out patchday.plugin.driver.compare.out

---Compare the hardware with what was written down.
---Read-only; needs root. Takes about 5s, at most 1h 30m.
---@param given patchday.plugin.driver.compare
---@return patchday.plugin.driver.compare.step
function steps.compare(given) end
end

-- eventlog: event logs: export, clear, compare, collect
do
---@class patchday.plugin.eventlog
local steps = {}

---@class (exact) patchday.plugin.eventlog.export
---@field to? patchday.path folder for the archive; each run gets a folder in it
---@field places? patchday.list folders to choose from: the first with enough room, after to
---@field name? patchday.string name of the archive, without its ending, default eventlog
---@field logs? patchday.list files and folders of text logs, default /var/log
---@field keep? patchday.list patterns of logs that are exported but never cleared
---@field clear? patchday.boolean clear what was exported, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.eventlog.export.out
---@field archive patchday.out.path the exported event logs
---@field cursor patchday.out.string place of the last exported journal entry
---@field entries patchday.out.number journal entries exported
---@field bytes patchday.out.bytes size of the archive

---@class (exact) patchday.plugin.eventlog.export.step: patchday.step
---@field out patchday.plugin.eventlog.export.out

---Save the event logs, and clear them if asked.
---Can be undone; needs root. Takes about 10s, at most 1h 00m.
---@param given? patchday.plugin.eventlog.export
---@return patchday.plugin.eventlog.export.step
function steps.export(given) end

---@class (exact) patchday.plugin.eventlog.compare
---@field before patchday.path archive of eventlog.export from before the change
---@field also? patchday.list more archives whose messages count as known
---@field since? "export"|"boot"|patchday.out.string what is looked at: all since the export, or this boot (export, boot), default export
---@field fail_on? "none"|"critical"|"error"|"warning"|patchday.out.string lowest level of new messages that fails the step (none, critical, error, warning), default error
---@field ignore? patchday.list extended regular expressions, matched with UNIT: MESSAGE
---@field defaults? patchday.boolean also ignore what every healthy server says when it boots, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.eventlog.compare.out
---@field new_errors patchday.out.number different new messages of the level or worse
---@field report patchday.out.path the new messages as text

---@class (exact) patchday.plugin.eventlog.compare.step: patchday.step
---@field out patchday.plugin.eventlog.compare.out

---Find error messages that are new.
---Read-only; needs root. Takes about 5s, at most 1h 00m.
---@param given patchday.plugin.eventlog.compare
---@return patchday.plugin.eventlog.compare.step
function steps.compare(given) end

---@class (exact) patchday.plugin.eventlog.collect
---@field to patchday.path folder for the archive; each run gets a folder in it
---@field name? patchday.string name of the archive, without its ending, default installation-logs
---@field logs? patchday.list logs to collect; what is not there is passed over, default /var/log/apt,/var/log/dpkg.log,/var/log/unattended-upgrades,/var/log/alternatives.log,/var/log/dnf.log,/var/log/dnf.rpm.log
---@field before? patchday.path archive of eventlog.export: collect the journal since then
---@field last? patchday.seconds without before: how far back the journal is collected (1 to 9223372036854), default 1d
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.eventlog.collect.out
---@field archive patchday.out.path the collected logs
---@field entries patchday.out.number journal entries in it
---@field bytes patchday.out.bytes size of the archive

---@class (exact) patchday.plugin.eventlog.collect.step: patchday.step
---@field out patchday.plugin.eventlog.collect.out

---Collect the logs of an installation.
---Read-only; needs root. Takes about 5s, at most 1h 00m.
---@param given patchday.plugin.eventlog.collect
---@return patchday.plugin.eventlog.collect.step
function steps.collect(given) end
end

-- firewall: save, compare and restore the rules of nftables
do
---@class patchday.plugin.firewall
local steps = {}

---@class (exact) patchday.plugin.firewall.save
---@field to patchday.path folder under which the copy is made
---@field copy? patchday.path second place, off the server; empty: none
---@field others? patchday.list tables of other programs, left alone: NAME or FAMILY NAME, with * and ?
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.firewall.save.out
---@field folder patchday.out.path where the copy is, for firewall.compare and restore
---@field files patchday.out.number how many files of configuration are in it

---@class (exact) patchday.plugin.firewall.save.step: patchday.step
---@field out patchday.plugin.firewall.save.out

---Save the rules of nftables and its configuration.
---Read-only; needs root. Takes about 1s, at most 5m 00s.
---@param given patchday.plugin.firewall.save
---@return patchday.plugin.firewall.save.step
function steps.save(given) end

---@class (exact) patchday.plugin.firewall.compare
---@field from patchday.path folder that firewall.save has made
---@field others? patchday.list tables of other programs, left alone: NAME or FAMILY NAME, with * and ?
---@field fail? patchday.boolean a difference fails the step; else it is only shown, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.firewall.compare.out
---@field same patchday.out.boolean rules and files are as they were saved
---@field differences patchday.out.list what is missing, new or moved

---@class (exact) patchday.plugin.firewall.compare.step: patchday.step
---@field out patchday.plugin.firewall.compare.out

---Are the rules still those that were saved?
---Read-only; needs root. Takes about 1s, at most 5m 00s.
---@param given patchday.plugin.firewall.compare
---@return patchday.plugin.firewall.compare.step
function steps.compare(given) end

---@class (exact) patchday.plugin.firewall.restore
---@field from patchday.path folder that firewall.save has made
---@field others? patchday.list tables of other programs, left alone: NAME or FAMILY NAME, with * and ?
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.firewall.restore.out
---@field differences patchday.out.list what was not as it had been saved

---@class (exact) patchday.plugin.firewall.restore.step: patchday.step
---@field out patchday.plugin.firewall.restore.out

---Bring the saved rules back, in one transaction.
---Can be undone; needs root. Takes about 1s, at most 5m 00s.
---@param given patchday.plugin.firewall.restore
---@return patchday.plugin.firewall.restore.step
function steps.restore(given) end
end

-- guard: may the run go on now: windows, users, other work, load, power
do
---@class patchday.plugin.guard
local steps = {}

---@class (exact) patchday.plugin.guard.window
---@field windows patchday.list when it may work, such as "sat 22:00-06:00"
---@field except? patchday.list days on which no window begins: dates, or ranges DATE..DATE
---@field timezone? patchday.string IANA name of the time zone, the server's when left out
---@field now? patchday.number judge by this time, seconds since 1970, for rehearsals; 0: the clock (0 to 32503680000), default 0
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.guard.window.out
---@field closes patchday.out.string when the window closes that is open now
---@field opens patchday.out.string when the next one opens that is long enough

---@class (exact) patchday.plugin.guard.window.step: patchday.step
---@field out patchday.plugin.guard.window.out

---Go on only in a maintenance window that is open for long enough.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.guard.window
---@return patchday.plugin.guard.window.step
function steps.window(given) end

---@class (exact) patchday.plugin.guard.users
---@field max? patchday.number so many sessions do not matter (0 to 100000), default 0
---@field ignore? patchday.list users that do not count
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.guard.users.out

---@class (exact) patchday.plugin.guard.users.step: patchday.step
---@field out patchday.plugin.guard.users.out

---Go on only when nobody is logged in.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.guard.users
---@return patchday.plugin.guard.users.step
function steps.users(given) end

---@class (exact) patchday.plugin.guard.busy
---@field processes? patchday.list names of programs that must not run, default restic,borg,rsnapshot,duplicity,apt,apt-get,aptitude,dpkg,dnf,dnf5,dnf-automatic,microdnf,yum,zypper,unattended-upgrade
---@field daemons? patchday.list programs that wait for a backup server's call, and have no connection open unless a job runs; leave out one that keeps a connection to its server, default bacula-fd,bareos-fd
---@field locks? patchday.list files that nobody must hold locked, default /var/lib/dpkg/lock-frontend,/var/lib/dpkg/lock,/var/lib/apt/lists/lock,/var/cache/apt/archives/lock,/var/lib/rpm/.rpm.lock,/usr/lib/sysimage/rpm/.rpm.lock,/run/dnf/rpmtransaction.lock
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.guard.busy.out

---@class (exact) patchday.plugin.guard.busy.step: patchday.step
---@field out patchday.plugin.guard.busy.out

---Go on only while no backup and no package manager runs.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.guard.busy
---@return patchday.plugin.guard.busy.step
function steps.busy(given) end

---@class (exact) patchday.plugin.guard.load
---@field one? patchday.number load of the last minute per processor, in percent; 0: any (0 to 100000), default 200
---@field five? patchday.number load of the last five minutes per processor, in percent; 0: any (0 to 100000), default 150
---@field memory? patchday.number percent of the last minute in which work stood still for memory; 0: any (0 to 100), default 20
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.guard.load.out

---@class (exact) patchday.plugin.guard.load.step: patchday.step
---@field out patchday.plugin.guard.load.out

---Go on only while the server is not overloaded.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.guard.load
---@return patchday.plugin.guard.load.step
function steps.load(given) end

---@class (exact) patchday.plugin.guard.power
---@field ups? patchday.list UPS to ask by NUT's upsc, NAME@HOST; left out: all that this server knows
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.guard.power.out

---@class (exact) patchday.plugin.guard.power.step: patchday.step
---@field out patchday.plugin.guard.power.out

---Go on only while the power is safe.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.guard.power
---@return patchday.plugin.guard.power.step
function steps.power(given) end
end

-- host: the server itself: room, reboots, recovery, facts
do
---@class patchday.plugin.host
local steps = {}

---@class (exact) patchday.plugin.host.space
---@field path patchday.path file or folder, may not exist yet
---@field bytes patchday.bytes room that must be free there (at least 0)
---@field inodes? patchday.number number of files that must have room there (at least 0), default 0
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.host.space.out
---@field mount patchday.out.path mount point that the path is on
---@field free_bytes patchday.out.bytes room that is free there

---@class (exact) patchday.plugin.host.space.step: patchday.step
---@field out patchday.plugin.host.space.out

---Refuse to start when a file system has too little room.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.host.space
---@return patchday.plugin.host.space.step
function steps.space(given) end

---@class (exact) patchday.plugin.host.reboot
---@field reason patchday.string why, told to everybody who is logged in
---@field when? patchday.boolean false: no reboot is due, the step does nothing, default true
---@field delay? patchday.seconds time that logged-in users get (0 to 3000), default 0
---@field settle? patchday.seconds how long to wait afterwards for the boot to finish (0 to 3000), default 120
---@field fail_on_failed_units? patchday.boolean fail when a unit failed that was well before, default true
---@field again? patchday.boolean when the run is taken back, reboot once more at the end, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.host.reboot.out
---@field boot_id patchday.out.string id of the boot after the reboot
---@field failed_units patchday.out.list units that failed in that boot
---@field errors patchday.out.number error lines in the journal of that boot

---@class (exact) patchday.plugin.host.reboot.step: patchday.step
---@field out patchday.plugin.host.reboot.out

---Reboot the server and prove that it came up clean.
---Can be undone; needs root; reboots the server. Takes about 1m 00s, at most 1h 00m.
---@param given patchday.plugin.host.reboot
---@return patchday.plugin.host.reboot.step
function steps.reboot(given) end

---@class (exact) patchday.plugin.host.recovery
---@field confirmed? patchday.boolean somebody has made sure that there is a way, default false
---@field how? patchday.string which way: rescue medium, console, snapshot
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.host.recovery.out

---@class (exact) patchday.plugin.host.recovery.step: patchday.step
---@field out patchday.plugin.host.recovery.out

---Refuse to start until a way to boot for recovery is confirmed.
---Read-only. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.host.recovery
---@return patchday.plugin.host.recovery.step
function steps.recovery(given) end
end

-- kernel: a new kernel is booted once, falls back by itself, and is confirmed
do
---@class patchday.plugin.kernel
local steps = {}

---@class (exact) patchday.plugin.kernel.keep
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.kernel.keep.out
---@field release patchday.out.string the kernel that is fallen back to
---@field entry patchday.out.string its entry in the boot loader
---@field before patchday.out.string the default that was set before, for kernel.confirm; empty: none

---@class (exact) patchday.plugin.kernel.keep.step: patchday.step
---@field out patchday.plugin.kernel.keep.out

---Have every boot be of the kernel that runs now, and keep its package.
---Can be undone; needs root. Takes about 5s, at most 15m 00s.
---@param given? patchday.plugin.kernel.keep
---@return patchday.plugin.kernel.keep.step
function steps.keep(given) end

---@class (exact) patchday.plugin.kernel.once
---@field release? patchday.string which kernel; left out: the first of the loader's list
---@field due? patchday.boolean a step before it brings a new kernel: what a dry run expects, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.kernel.once.out
---@field release patchday.out.string the kernel that the next boot has, for kernel.confirm
---@field entry patchday.out.string its entry in the boot loader

---@class (exact) patchday.plugin.kernel.once.step: patchday.step
---@field out patchday.plugin.kernel.once.out

---Have the next boot alone be of the new kernel.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.kernel.once
---@return patchday.plugin.kernel.once.step
function steps.once(given) end

---@class (exact) patchday.plugin.kernel.running
---@field release patchday.string the kernel that has to run, as kernel.once gives it
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.kernel.running.out

---@class (exact) patchday.plugin.kernel.running.step: patchday.step
---@field out patchday.plugin.kernel.running.out

---Fail at once if the new kernel did not come up.
---Read-only. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.kernel.running
---@return patchday.plugin.kernel.running.step
function steps.running(given) end

---@class (exact) patchday.plugin.kernel.confirm
---@field release? patchday.string the kernel that has to run, as kernel.once gives it; left out: the first of the loader's list
---@field before? patchday.string the default that was set before, as kernel.keep gives it: none is set again where there was none
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.kernel.confirm.out

---@class (exact) patchday.plugin.kernel.confirm.step: patchday.step
---@field out patchday.plugin.kernel.confirm.out

---The new kernel runs and is good: it is the default from now on.
---Can be undone; needs root. Takes about 5s, at most 15m 00s.
---@param given? patchday.plugin.kernel.confirm
---@return patchday.plugin.kernel.confirm.step
function steps.confirm(given) end
end

-- needrestart: services, sessions and kernel that still use old files after an update
do
---@class patchday.plugin.needrestart
local steps = {}

---@class (exact) patchday.plugin.needrestart.probe
---@field fail_on? patchday.list what fails the step: services, sessions, others, systemd, kernel
---@field folders? patchday.list where programs and libraries are; files elsewhere do not count, default /usr,/bin,/sbin,/lib,/lib64,/opt
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.needrestart.probe.out
---@field services patchday.out.list services that use old files
---@field sessions patchday.out.list sessions of users that do, such as "3 (alice)"
---@field others patchday.out.list processes of no service and no session that do, such as "812 (tool)"
---@field systemd patchday.out.boolean whether systemd itself does
---@field kernel patchday.out.string current, outdated, or unknown where none is installed

---@class (exact) patchday.plugin.needrestart.probe.step: patchday.step
---@field out patchday.plugin.needrestart.probe.out

---Find what still uses old files: services, sessions, the kernel.
---Read-only; needs root. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.needrestart.probe
---@return patchday.plugin.needrestart.probe.step
function steps.probe(given) end

---@class (exact) patchday.plugin.needrestart.restart
---@field units? patchday.list services that may be restarted: names, or patterns with * and ?, default *
---@field except? patchday.list and those that may not, since more than themselves would be cut off, default docker,containerd,libvirtd,virt*d,lxc*,networking,NetworkManager,wpa_supplicant*,openvpn*,strongswan*,cryptdisks*,iscsid,multipathd
---@field reexec? patchday.boolean let systemd execute itself anew if it uses old files; nothing is stopped, default true
---@field timeout? patchday.seconds how long the restarts may take, all together (1 to 3000), default 4m
---@field folders? patchday.list where programs and libraries are; files elsewhere do not count, default /usr,/bin,/sbin,/lib,/lib64,/opt
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.needrestart.restart.out
---@field restarted patchday.out.list services that were restarted
---@field left patchday.out.list services that go on with old files
---@field sessions patchday.out.list sessions of users that do, such as "3 (alice)"

---@class (exact) patchday.plugin.needrestart.restart.step: patchday.step
---@field out patchday.plugin.needrestart.restart.out

---Restart the services that still use old files.
---Can be undone; needs root. Takes about 5s, at most 1h 00m.
---@param given? patchday.plugin.needrestart.restart
---@return patchday.plugin.needrestart.restart.step
function steps.restart(given) end
end

-- network: the server's network: state and configuration as evidence
do
---@class patchday.plugin.network
local steps = {}

---@class (exact) patchday.plugin.network.save
---@field to patchday.path folder that gets a subfolder for this run
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.network.save.out
---@field folder patchday.out.path folder with what was saved
---@field files patchday.out.number number of files in it

---@class (exact) patchday.plugin.network.save.step: patchday.step
---@field out patchday.plugin.network.save.out

---Save addresses, routes, resolvers, names and configuration.
---Read-only; needs root. Takes about 2s, at most 1h 00m.
---@param given patchday.plugin.network.save
---@return patchday.plugin.network.save.step
function steps.save(given) end
end

-- normalbackup: the server's ordinary backup: it has run, is recent, and is read back where that can be done
do
---@class patchday.plugin.normalbackup
local steps = {}

---@class (exact) patchday.plugin.normalbackup.restic
---@field repository? patchday.string repository, as restic's -r takes it
---@field repository_file? patchday.path file with the repository in it, for one with a password in its address
---@field password patchday.secret password of the repository
---@field host? patchday.string host that was backed up; left out: this one; *: any
---@field tags? patchday.list tags that it must have, all of them
---@field paths? patchday.list files and folders that must be in it
---@field age? patchday.seconds how old the newest backup may be (60 to 316224000), default 1d
---@field read? patchday.number percent of the repository's data that are read back (1 to 100), default 5
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.normalbackup.restic.out
---@field id patchday.out.string the backup, as its product knows it
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.normalbackup.restic.step: patchday.step
---@field out patchday.plugin.normalbackup.restic.out

---The newest snapshot of restic is recent, and can be read.
---Read-only; counts as the backup that a point of no return asks for. Takes about 5m 00s, at most 6h 00m.
---@param given patchday.plugin.normalbackup.restic
---@return patchday.plugin.normalbackup.restic.step
function steps.restic(given) end

---@class (exact) patchday.plugin.normalbackup.borg
---@field repository patchday.string repository: /PATH, USER@HOST:PATH or ssh://USER@HOST:PORT/PATH
---@field password? patchday.secret passphrase of its key; left out: there is none
---@field archives? patchday.string pattern of the archives' names, such as "files-*", default *
---@field host? patchday.string host that was backed up; left out: this one; *: any
---@field paths? patchday.list files and folders that must be in it
---@field age? patchday.seconds how old the newest backup may be (60 to 316224000), default 1d
---@field read? patchday.boolean read all of the archive's data back, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.normalbackup.borg.out
---@field id patchday.out.string the backup, as its product knows it
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.normalbackup.borg.step: patchday.step
---@field out patchday.plugin.normalbackup.borg.out

---The newest archive of borg is recent, and can be read.
---Read-only; counts as the backup that a point of no return asks for. Takes about 5m 00s, at most 6h 00m.
---@param given patchday.plugin.normalbackup.borg
---@return patchday.plugin.normalbackup.borg.step
function steps.borg(given) end

---@class (exact) patchday.plugin.normalbackup.bacula
---@field client patchday.string this server, as Bacula calls it, such as "files-fd"
---@field job? patchday.string the job that makes the backup; left out: any
---@field verify_job? patchday.string job of type Verify that reads it back; left out: nothing is read back
---@field config? patchday.path configuration of bconsole, default /etc/bacula/bconsole.conf
---@field age? patchday.seconds how old the newest backup may be (60 to 316224000), default 1d
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.normalbackup.bacula.out
---@field id patchday.out.string the backup, as its product knows it
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.normalbackup.bacula.step: patchday.step
---@field out patchday.plugin.normalbackup.bacula.out

---The last backup of Bacula went well and is recent; a Verify job reads it back if one is named.
---Read-only. Takes about 5m 00s, at most 6h 00m.
---@param given patchday.plugin.normalbackup.bacula
---@return patchday.plugin.normalbackup.bacula.step
function steps.bacula(given) end

---@class (exact) patchday.plugin.normalbackup.file
---@field path patchday.path the backup, or a folder with backups at any depth, of which the newest counts
---@field name? patchday.string pattern of their names in the folder, such as "*.tar.zst", default *
---@field age? patchday.seconds how old the newest backup may be (60 to 316224000), default 1d
---@field bytes? patchday.bytes size that it must have (at least 1), default 1
---@field digest? patchday.boolean a file NAME.sha256 must be beside it; one that is there has to fit in any case, default false
---@field read? patchday.boolean it is an archive (tar, cpio, zip), compressed or not, or a compressed file: it is read as that to its end, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.normalbackup.file.out
---@field id patchday.out.string the backup, as its product knows it
---@field time patchday.out.string when it was made, RFC 3339
---@field entries patchday.out.number how many entries were read in it, with read
---@field bytes patchday.out.bytes data that these have, with read

---@class (exact) patchday.plugin.normalbackup.file.step: patchday.step
---@field out patchday.plugin.normalbackup.file.out

---The newest backup in a folder is recent and large enough, its digest fits if it has one, and it is read to its end if asked.
---Read-only. Takes about 1m 00s, at most 6h 00m.
---@param given patchday.plugin.normalbackup.file
---@return patchday.plugin.normalbackup.file.step
function steps.file(given) end

---@class (exact) patchday.plugin.normalbackup.command
---@field ask patchday.list program with its arguments that tells of the backups, in JSON
---@field proof? patchday.list program with its arguments that reads the backup back, whose id is its last argument; left out: nothing is read back
---@field password? patchday.secret what both get on standard input
---@field age? patchday.seconds how old the newest backup may be (60 to 316224000), default 1d
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.normalbackup.command.out
---@field id patchday.out.string the backup, as its product knows it
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.normalbackup.command.step: patchday.step
---@field out patchday.plugin.normalbackup.command.out

---The newest backup of any other product is recent; a program reads it back if one is named.
---Read-only. Takes about 5m 00s, at most 6h 00m.
---@param given patchday.plugin.normalbackup.command
---@return patchday.plugin.normalbackup.command.step
function steps.command(given) end
end

-- notify: tell people: mail, webhook, message on terminals and desktops
do
---@class patchday.plugin.notify
local steps = {}

---@class (exact) patchday.plugin.notify.mail
---@field to patchday.list who gets it: addresses, or names of this server
---@field subject patchday.string what it is about
---@field text patchday.string the message
---@field from? patchday.string address of the sender; left out: as the mail program has it
---@field command? patchday.path mail program that is called as sendmail is, default /usr/sbin/sendmail
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.notify.mail.out
---@field message_id patchday.out.string Message-ID, to find it in the logs of mail servers

---@class (exact) patchday.plugin.notify.mail.step: patchday.step
---@field out patchday.plugin.notify.mail.out

---Send a mail.
---Read-only. Takes about 1s, at most 10m 00s.
---@param given patchday.plugin.notify.mail
---@return patchday.plugin.notify.mail.step
function steps.mail(given) end

---@class (exact) patchday.plugin.notify.webhook
---@field url? patchday.string where it is posted, https
---@field secret_url? patchday.secret the same, if who knows it may post: in place of url
---@field text patchday.string the message
---@field fields? patchday.list further fields of the JSON, NAME=VALUE, such as "channel=#ops"
---@field secret? patchday.secret value of a header that proves who posts, such as "Bearer TOKEN"
---@field header? patchday.string name of that header, default Authorization
---@field ca? patchday.path certificates to trust, PEM; left out: the server's own
---@field proxy? patchday.string web proxy, http://HOST:PORT; left out: none
---@field timeout? patchday.seconds how long one try may take (1 to 300), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.notify.webhook.out
---@field status patchday.out.number status code of the answer

---@class (exact) patchday.plugin.notify.webhook.step: patchday.step
---@field out patchday.plugin.notify.webhook.out

---Post a message as JSON, by https.
---Read-only. Takes about 1s, at most 10m 00s.
---@param given patchday.plugin.notify.webhook
---@return patchday.plugin.notify.webhook.step
function steps.webhook(given) end

---@class (exact) patchday.plugin.notify.wall
---@field text patchday.string the message
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.notify.wall.out
---@field told patchday.out.list who was logged in on a terminal, such as "alice (pts/0)"

---@class (exact) patchday.plugin.notify.wall.step: patchday.step
---@field out patchday.plugin.notify.wall.out

---Write a message to every terminal.
---Read-only; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.notify.wall
---@return patchday.plugin.notify.wall.step
function steps.wall(given) end

---@class (exact) patchday.plugin.notify.desktop
---@field title? patchday.string the message in one line, default This server is about to be patched
---@field text patchday.string the message
---@field countdown? patchday.seconds how long it is shown before the run goes on; 0: it goes on at once (0 to 14400), default 5m
---@field postpone? patchday.seconds by how much whoever works there can put it off (1 to 14400), default 15m
---@field postpones? patchday.number how often that can be done, by all together (0 to 4), default 2
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.notify.desktop.out
---@field told patchday.out.list who was logged in with a graphical session, such as "alice (wayland)"
---@field postponed patchday.out.number how often it was put off

---@class (exact) patchday.plugin.notify.desktop.step: patchday.step
---@field out patchday.plugin.notify.desktop.out

---Show a message with a countdown in every graphical session, which can be put off there.
---Read-only; needs root. Takes about 5m 00s, at most 24h 00m.
---@param given patchday.plugin.notify.desktop
---@return patchday.plugin.notify.desktop.step
function steps.desktop(given) end
end

-- printers: save and restore the printers of CUPS
do
---@class patchday.plugin.printers
local steps = {}

---@class (exact) patchday.plugin.printers.save
---@field to patchday.path folder under which the copy is made
---@field copy? patchday.path second place, off the server; empty: none
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.printers.save.out
---@field folder patchday.out.path where the copy is, for printers.restore
---@field queues patchday.out.number how many printers and classes are in it

---@class (exact) patchday.plugin.printers.save.step: patchday.step
---@field out patchday.plugin.printers.save.out

---Save the queues of CUPS with drivers, options and permissions.
---Read-only; needs root. Takes about 5s, at most 15m 00s.
---@param given patchday.plugin.printers.save
---@return patchday.plugin.printers.save.step
function steps.save(given) end

---@class (exact) patchday.plugin.printers.restore
---@field from patchday.path folder that printers.save has made
---@field queues? patchday.list queues to bring back; empty: all
---@field exact? patchday.boolean remove queues that are not in the copy, default false
---@field settings? patchday.boolean bring cupsd.conf and cups-files.conf back too, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.printers.restore.out
---@field queues patchday.out.number how many queues were brought back

---@class (exact) patchday.plugin.printers.restore.step: patchday.step
---@field out patchday.plugin.printers.restore.out

---Bring saved queues of CUPS back.
---Can be undone; needs root. Takes about 10s, at most 15m 00s.
---@param given patchday.plugin.printers.restore
---@return patchday.plugin.printers.restore.step
function steps.restore(given) end
end

-- probe: client tests: share, printer, port, page, mailbox, program
do
---@class patchday.plugin.probe
local steps = {}

---@class (exact) patchday.plugin.probe.smb
---@field share patchday.string name of the share
---@field server? patchday.string server that offers it, default localhost
---@field user? patchday.string user to log in as, DOMAIN\user or user
---@field password? patchday.secret password of the user
---@field guest? patchday.boolean log in as a guest, without user and password, default false
---@field folder? patchday.string folder of the share to write in; empty: its top
---@field port? patchday.number TCP port (1 to 65535), default 445
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.smb.out
---@field milliseconds patchday.out.number how long it took until it passed

---@class (exact) patchday.plugin.probe.smb.step: patchday.step
---@field out patchday.plugin.probe.smb.out

---Reach a share as a user: list, write, read back, delete.
---Read-only. Takes about 2s, at most 25h 00m.
---@param given patchday.plugin.probe.smb
---@return patchday.plugin.probe.smb.step
function steps.smb(given) end

---@class (exact) patchday.plugin.probe.print
---@field queue? patchday.string printer or class; empty: the default printer
---@field file? patchday.path test page of your own; empty: a line of text
---@field timeout? patchday.seconds the page must be printed in so long (1 to 86400), default 120
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.print.out
---@field milliseconds patchday.out.number how long it took until it passed
---@field queue patchday.out.string printer or class that was tried
---@field job patchday.out.number number of the job in CUPS

---@class (exact) patchday.plugin.probe.print.step: patchday.step
---@field out patchday.plugin.probe.print.out

---Print a test page and wait until it is completed.
---Read-only. Takes about 5s, at most 25h 00m.
---@param given? patchday.plugin.probe.print
---@return patchday.plugin.probe.print.step
function steps.print(given) end

---@class (exact) patchday.plugin.probe.tcp
---@field host? patchday.string name or address to connect to, default localhost
---@field port patchday.number TCP port (1 to 65535)
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field expect? patchday.string text that the service must send by itself
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.tcp.out
---@field milliseconds patchday.out.number how long it took until it passed

---@class (exact) patchday.plugin.probe.tcp.step: patchday.step
---@field out patchday.plugin.probe.tcp.out

---Connect to a TCP port, and read what the service says.
---Read-only. Takes about 1s, at most 25h 00m.
---@param given patchday.plugin.probe.tcp
---@return patchday.plugin.probe.tcp.step
function steps.tcp(given) end

---@class (exact) patchday.plugin.probe.http
---@field url patchday.string http or https address; redirects are not followed
---@field status? patchday.list status codes that are good, default 200
---@field contains? patchday.string text that the first 1 MiB of the page must contain
---@field user? patchday.string user to log in as
---@field password? patchday.secret password of the user
---@field ca? patchday.path certificates to trust, PEM; empty: the server's own
---@field valid? patchday.seconds how long its certificate has to be valid for yet; 0: not looked at (0 to 315360000), default 0
---@field at? patchday.string name or address to connect to; empty: what url leads to
---@field proxy? patchday.string web proxy to ask, http://HOST:PORT; https pages by CONNECT; empty: none
---@field proxy_user? patchday.string user to log in as on the proxy
---@field proxy_password? patchday.secret password of that user
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.http.out
---@field milliseconds patchday.out.number how long it took until it passed
---@field status patchday.out.number status code of the last answer

---@class (exact) patchday.plugin.probe.http.step: patchday.step
---@field out patchday.plugin.probe.http.out

---Fetch a page, and judge its status and content.
---Read-only. Takes about 1s, at most 25h 00m.
---@param given patchday.plugin.probe.http
---@return patchday.plugin.probe.http.step
function steps.http(given) end

---@class (exact) patchday.plugin.probe.command
---@field argv patchday.list program and its arguments; no shell
---@field status? patchday.number exit status that it must have (0 to 255), default 0
---@field contains? patchday.string text that its output must contain
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.command.out
---@field milliseconds patchday.out.number how long it took until it passed
---@field status patchday.out.number exit status of the program

---@class (exact) patchday.plugin.probe.command.step: patchday.step
---@field out patchday.plugin.probe.command.out

---Run a program that only looks, and judge status and output.
---Read-only. Takes about 1s, at most 25h 00m.
---@param given patchday.plugin.probe.command
---@return patchday.plugin.probe.command.step
function steps.command(given) end

---@class (exact) patchday.plugin.probe.imap
---@field imap? patchday.string imap or imaps address of the mailbox, imaps://HOST/FOLDER; without a folder: INBOX, default imap://localhost
---@field user patchday.string user to log in as
---@field password patchday.secret password of the user
---@field starttls? patchday.boolean smtp and imap addresses have to go on by TLS, default false
---@field ca? patchday.path certificates to trust, PEM; empty: the server's own
---@field valid? patchday.seconds how long its certificate has to be valid for yet; 0: not looked at (0 to 315360000), default 0
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.imap.out
---@field milliseconds patchday.out.number how long it took until it passed

---@class (exact) patchday.plugin.probe.imap.step: patchday.step
---@field out patchday.plugin.probe.imap.out

---Log in to a mailbox and open a folder of it.
---Read-only. Takes about 1s, at most 25h 00m.
---@param given patchday.plugin.probe.imap
---@return patchday.plugin.probe.imap.step
function steps.imap(given) end

---@class (exact) patchday.plugin.probe.mail
---@field to patchday.string address whose messages come into the mailbox
---@field from? patchday.string address of the sender; empty: as to
---@field smtp? patchday.string smtp or smtps address that takes the message; where it asks for a login, that of user, default smtp://localhost
---@field imap? patchday.string imap or imaps address of the mailbox, imaps://HOST/FOLDER; without a folder: INBOX, default imap://localhost
---@field user patchday.string user to log in as
---@field password patchday.secret password of the user
---@field starttls? patchday.boolean smtp and imap addresses have to go on by TLS, default false
---@field ca? patchday.path certificates to trust, PEM; empty: the server's own
---@field valid? patchday.seconds how long its certificate has to be valid for yet; 0: not looked at (0 to 315360000), default 0
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.mail.out
---@field milliseconds patchday.out.number how long it took until it passed

---@class (exact) patchday.plugin.probe.mail.step: patchday.step
---@field out patchday.plugin.probe.mail.out

---Send a message by SMTP, and read it back by IMAP.
---Read-only. Takes about 2s, at most 25h 00m.
---@param given patchday.plugin.probe.mail
---@return patchday.plugin.probe.mail.step
function steps.mail(given) end

---@class (exact) patchday.plugin.probe.queue
---@field before? patchday.number messages that it had before; -1: they are only counted (-1 to 2147483647), default -1
---@field more? patchday.number so many more are no fault (0 to 2147483647), default 0
---@field timeout? patchday.seconds keep trying for so long (1 to 86400), default 30
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.probe.queue.out
---@field milliseconds patchday.out.number how long it took until it passed
---@field messages patchday.out.number how many messages the queue has

---@class (exact) patchday.plugin.probe.queue.step: patchday.step
---@field out patchday.plugin.probe.queue.out

---Count the messages in the queue of Postfix, and wait until they are no more than before.
---Read-only. Takes about 1s, at most 25h 00m.
---@param given? patchday.plugin.probe.queue
---@return patchday.plugin.probe.queue.step
function steps.queue(given) end
end

-- proxy: save, restore and prove the web proxy squid
do
---@class patchday.plugin.proxy
local steps = {}

---@class (exact) patchday.plugin.proxy.save
---@field to patchday.path folder under which the copy is made
---@field copy? patchday.path second place, off the server; empty: none
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.proxy.save.out
---@field folder patchday.out.path where the copy is, for proxy.restore and proxy.verify
---@field files patchday.out.number how many files are in it
---@field left_out patchday.out.list files that are not, and why: symbolic links, and what is in a folder that is not root's alone

---@class (exact) patchday.plugin.proxy.save.step: patchday.step
---@field out patchday.plugin.proxy.save.out

---Save squid's configuration, its lists and certificates.
---Read-only; needs root. Takes about 1s, at most 10m 00s.
---@param given patchday.plugin.proxy.save
---@return patchday.plugin.proxy.save.step
function steps.save(given) end

---@class (exact) patchday.plugin.proxy.restore
---@field from patchday.path folder that proxy.save has made
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.proxy.restore.out
---@field differences patchday.out.list files that were not as they had been saved

---@class (exact) patchday.plugin.proxy.restore.step: patchday.step
---@field out patchday.plugin.proxy.restore.out

---Bring squid's saved configuration back.
---Can be undone; needs root. Takes about 10s, at most 15m 00s.
---@param given patchday.plugin.proxy.restore
---@return patchday.plugin.proxy.restore.step
function steps.restore(given) end

---@class (exact) patchday.plugin.proxy.verify
---@field from? patchday.path folder that proxy.save has made: the files have to be the same; empty: any
---@field ignore? patchday.list errors in cache.log that are no news, extended regular expressions
---@field timeout? patchday.seconds how long squid may take to start and to read its cache (1 to 86400), default 60
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.proxy.verify.out
---@field caches patchday.out.number how many cache folders were looked at
---@field errors patchday.out.list errors in cache.log since squid started

---@class (exact) patchday.plugin.proxy.verify.step: patchday.step
---@field out patchday.plugin.proxy.verify.out

---Squid runs on a sound cache, and has logged no error since it started.
---Read-only; needs root. Takes about 1s, at most 25h 00m.
---@param given? patchday.plugin.proxy.verify
---@return patchday.plugin.proxy.verify.step
function steps.verify(given) end
end

-- quota: disk quotas of the kernel: held, given back
do
---@class patchday.plugin.quota
local steps = {}

---@class (exact) patchday.plugin.quota.hold
---@field mounts? patchday.list mount points of the file systems; left out: all with a quota that is enforced
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.quota.hold.out
---@field held patchday.out.list file systems and kinds of quota, such as "/home user"

---@class (exact) patchday.plugin.quota.hold.step: patchday.step
---@field out patchday.plugin.quota.hold.out

---Let nobody run into a disk quota, until undo.
---Can be undone; needs root; has to be held. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.quota.hold
---@return patchday.plugin.quota.hold.step
function steps.hold(given) end
end

-- recovery: bare-metal backups by Relax-and-Recover: made, proved, and the boot medium confirmed
do
---@class patchday.plugin.recovery
local steps = {}

---@class (exact) patchday.plugin.recovery.backup
---@field to patchday.path folder on another volume than the root; each run gets SERVER/RUN in it
---@field url? patchday.string the same place as rear reaches it, such as nfs://HOST/PATH; left out: file://TO
---@field limit? patchday.seconds how long rear may take (1 to 86400), default 4h
---@field room? patchday.bytes room that must be free; left out: what is saved takes so much, and 512 MiB (at least 0), default 0
---@field keep? patchday.boolean a whole backup stays when the run is taken back, default true
---@field percent? patchday.number percent of the archive's files that are compared with the disk (1 to 100), default 5
---@field passphrase? patchday.secret what the archive is encrypted with: env:NAME, file:/PATH or credential:NAME
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.backup.out
---@field medium patchday.out.path the image of the boot medium
---@field folder patchday.out.path folder of this run
---@field archive patchday.out.path the archive of files

---@class (exact) patchday.plugin.recovery.backup.step: patchday.step
---@field out patchday.plugin.recovery.backup.out

---Boot medium and archive of the whole server by Relax-and-Recover.
---Can be undone; needs root; counts as the backup that a point of no return asks for. Takes about 10m 00s, at most 25h 00m.
---@param given patchday.plugin.recovery.backup
---@return patchday.plugin.recovery.backup.step
function steps.backup(given) end

---@class (exact) patchday.plugin.recovery.rescue
---@field to patchday.path folder on another volume than the root; each run gets SERVER/RUN in it
---@field url? patchday.string the same place as rear reaches it, such as nfs://HOST/PATH; left out: file://TO
---@field limit? patchday.seconds how long rear may take (1 to 86400), default 4h
---@field room? patchday.bytes room that must be free; left out: what is saved takes so much, and 512 MiB (at least 0), default 0
---@field keep? patchday.boolean a whole backup stays when the run is taken back, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.rescue.out
---@field medium patchday.out.path the image of the boot medium
---@field folder patchday.out.path folder of this run

---@class (exact) patchday.plugin.recovery.rescue.step: patchday.step
---@field out patchday.plugin.recovery.rescue.out

---Boot medium alone by Relax-and-Recover, beside another backup.
---Can be undone; needs root. Takes about 3m 00s, at most 25h 00m.
---@param given patchday.plugin.recovery.rescue
---@return patchday.plugin.recovery.rescue.step
function steps.rescue(given) end

---@class (exact) patchday.plugin.recovery.stick
---@field label? patchday.string label of the stick's file system, default REAR-000
---@field format? patchday.path an empty disk, /dev/..., that becomes a stick with the label when there is none; left out: none does
---@field fixed? patchday.boolean allow a disk that can't be taken out, default false
---@field limit? patchday.seconds how long rear may take (1 to 86400), default 4h
---@field room? patchday.bytes room that must be free; left out: what is saved takes so much, and 512 MiB (at least 0), default 0
---@field keep? patchday.boolean what is whole stays when the run is taken back; false: undo removes it, and needs the stick, default true
---@field percent? patchday.number percent of the archive's files that are compared with the disk (1 to 100), default 5
---@field passphrase? patchday.secret what the archive is encrypted with: env:NAME, file:/PATH or credential:NAME
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.stick.out
---@field medium patchday.out.path the stick's partition, by its label
---@field folder patchday.out.path folder of this run on it

---@class (exact) patchday.plugin.recovery.stick.step: patchday.step
---@field out patchday.plugin.recovery.stick.out

---A USB stick that boots and has the archive of the whole server, by Relax-and-Recover.
---Can be undone; needs root; counts as the backup that a point of no return asks for. Takes about 15m 00s, at most 25h 00m.
---@param given? patchday.plugin.recovery.stick
---@return patchday.plugin.recovery.stick.step
function steps.stick(given) end

---@class (exact) patchday.plugin.recovery.rescue_stick
---@field label? patchday.string label of the stick's file system, default REAR-000
---@field format? patchday.path an empty disk, /dev/..., that becomes a stick with the label when there is none; left out: none does
---@field fixed? patchday.boolean allow a disk that can't be taken out, default false
---@field limit? patchday.seconds how long rear may take (1 to 86400), default 4h
---@field room? patchday.bytes room that must be free; left out: what is saved takes so much, and 512 MiB (at least 0), default 0
---@field keep? patchday.boolean what is whole stays when the run is taken back; false: undo removes it, and needs the stick, default true
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.rescue_stick.out
---@field medium patchday.out.path the stick's partition, by its label
---@field folder patchday.out.path folder of this run on it

---@class (exact) patchday.plugin.recovery.rescue_stick.step: patchday.step
---@field out patchday.plugin.recovery.rescue_stick.out

---A USB stick that boots alone, by Relax-and-Recover, beside another backup.
---Can be undone; needs root. Takes about 4m 00s, at most 25h 00m.
---@param given? patchday.plugin.recovery.rescue_stick
---@return patchday.plugin.recovery.rescue_stick.step
function steps.rescue_stick(given) end

---@class (exact) patchday.plugin.recovery.recent
---@field path patchday.path folder with media at any depth, of which the newest counts
---@field age? patchday.seconds how old it may be (1 to 316224000), default 30d
---@field percent? patchday.number percent of the archive's files that are compared with the disk (1 to 100), default 5
---@field passphrase? patchday.secret what the archive is encrypted with: env:NAME, file:/PATH or credential:NAME
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.recent.out
---@field medium patchday.out.path the medium: a file or a device
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.recovery.recent.step: patchday.step
---@field out patchday.plugin.recovery.recent.out

---A recent medium for recovery describes this server, and can be read.
---Read-only; needs root. Takes about 2m 00s, at most 6h 00m.
---@param given patchday.plugin.recovery.recent
---@return patchday.plugin.recovery.recent.step
function steps.recent(given) end

---@class (exact) patchday.plugin.recovery.medium
---@field path? patchday.path the medium: a device, of a stick that rear has made its partition, or the file of an image
---@field label? patchday.string label of the device that it is on, normally RELAXRECOVER, of a stick REAR-000
---@field age? patchday.seconds how old it may be; left out: as old as it is (1 to 316224000), default 0
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.recovery.medium.out
---@field medium patchday.out.path the medium: a file or a device
---@field time patchday.out.string when it was made, RFC 3339

---@class (exact) patchday.plugin.recovery.medium.step: patchday.step
---@field out patchday.plugin.recovery.medium.out

---A boot medium for recovery is at hand: it can be booted, and is this server's.
---Read-only; needs root. Takes about 30s, at most 1h 00m.
---@param given? patchday.plugin.recovery.medium
---@return patchday.plugin.recovery.medium.step
function steps.medium(given) end
end

-- rpm: packages of servers with rpm: facts, and updates with the way back
do
---@class patchday.plugin.rpm
local steps = {}

---@class (exact) patchday.plugin.rpm.install
---@field updates patchday.updates the updates to install
---@field source patchday.path package source: folder with the new packages, and what they may need
---@field old? patchday.list further folders with packages of the versions installed now
---@field keep? patchday.path folder with room for the old packages; without it they are kept with the run
---@field unsigned? patchday.boolean take packages too that nobody has signed, default false
---@field held? "refuse"|"skip"|patchday.out.string what to do with packages that are locked (refuse, skip), default refuse
---@field lock_timeout? patchday.seconds how long to wait for another package manager (0 to 86400), default 300
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.rpm.install.out
---@field packages patchday.out.number how many packages change
---@field reboot_required patchday.out.boolean whether to reboot after it
---@field log patchday.out.path what the package manager logged

---@class (exact) patchday.plugin.rpm.install.step: patchday.step
---@field out patchday.plugin.rpm.install.out

---Install the selected updates and keep what they replace.
---Can be undone; needs root. Takes about 1m 00s, at most 2h 00m.
---@param given patchday.plugin.rpm.install
---@return patchday.plugin.rpm.install.step
function steps.install(given) end
end

-- schedule: jobs by the clock: cron, anacron, at and timers of systemd
do
---@class patchday.plugin.schedule
local steps = {}

---@class (exact) patchday.plugin.schedule.hold
---@field kinds? patchday.list what is held: cron, anacron, at, timers, default cron,anacron,at,timers
---@field except? patchday.list units that go on, such as a timer that watches the server
---@field running? "wait"|"leave"|patchday.out.string jobs that are at work already: wait for their end, or leave them alone (wait, leave), default wait
---@field timeout? patchday.seconds how long they, and the daemons, may take to end (1 to 3000), default 10m
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.schedule.hold.out
---@field stopped patchday.out.list units that ran and were stopped
---@field held patchday.out.list units that cannot be started meanwhile
---@field left patchday.out.list timers that go on because they can't be held

---@class (exact) patchday.plugin.schedule.hold.step: patchday.step
---@field out patchday.plugin.schedule.hold.out

---Hold what starts jobs by the clock, until undo.
---Can be undone; needs root; has to be held. Takes about 1s, at most 2h 00m.
---@param given? patchday.plugin.schedule.hold
---@return patchday.plugin.schedule.hold.step
function steps.hold(given) end
end

-- service: services and other units of systemd
do
---@class patchday.plugin.service
local steps = {}

---@class (exact) patchday.plugin.service.stop
---@field units patchday.list names of units; without a kind, services
---@field timeout? patchday.seconds how long to wait for the state to be reached (1 to 3000), default 90
---@field missing? "ignore"|"fail"|patchday.out.string what to do when a unit is not installed here (ignore, fail), default ignore
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.service.stop.out
---@field stopped patchday.out.list units that ran and were stopped
---@field held patchday.out.list units that cannot be started meanwhile

---@class (exact) patchday.plugin.service.stop.step: patchday.step
---@field out patchday.plugin.service.stop.out

---Stop units and hold them, over a reboot too, until undo.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.service.stop
---@return patchday.plugin.service.stop.step
function steps.stop(given) end

---@class (exact) patchday.plugin.service.start
---@field units patchday.list names of units; without a kind, services
---@field timeout? patchday.seconds how long to wait for the state to be reached (1 to 3000), default 90
---@field missing? "ignore"|"fail"|patchday.out.string what to do when a unit is not installed here (ignore, fail), default fail
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.service.start.out
---@field started patchday.out.list units that were started

---@class (exact) patchday.plugin.service.start.step: patchday.step
---@field out patchday.plugin.service.start.out

---Start units that do not run.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.service.start
---@return patchday.plugin.service.start.step
function steps.start(given) end

---@class (exact) patchday.plugin.service.restart
---@field units patchday.list names of units; without a kind, services
---@field timeout? patchday.seconds how long to wait for the state to be reached (1 to 3000), default 90
---@field missing? "ignore"|"fail"|patchday.out.string what to do when a unit is not installed here (ignore, fail), default fail
---@field if_active? patchday.boolean leave alone what does not run, default false
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.service.restart.out
---@field started patchday.out.list units that were started

---@class (exact) patchday.plugin.service.restart.step: patchday.step
---@field out patchday.plugin.service.restart.out

---Restart units.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.service.restart
---@return patchday.plugin.service.restart.step
function steps.restart(given) end

---@class (exact) patchday.plugin.service.verify
---@field units patchday.list names of units; without a kind, services
---@field timeout? patchday.seconds how long to wait for the state to be reached (1 to 3000), default 30
---@field missing? "ignore"|"fail"|patchday.out.string what to do when a unit is not installed here (ignore, fail), default fail
---@field state? "active"|"inactive"|patchday.out.string the state that every unit must be in (active, inactive), default active
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.service.verify.out

---@class (exact) patchday.plugin.service.verify.step: patchday.step
---@field out patchday.plugin.service.verify.out

---Prove that units are active and stay so.
---Read-only. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.service.verify
---@return patchday.plugin.service.verify.step
function steps.verify(given) end
end

-- shares: save and restore the shares of samba
do
---@class patchday.plugin.shares
local steps = {}

---@class (exact) patchday.plugin.shares.save
---@field to patchday.path folder under which the copy is made
---@field copy? patchday.path second place, off the server; empty: none
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.shares.save.out
---@field folder patchday.out.path where the copy is, for shares.restore
---@field shares patchday.out.number how many shares are defined

---@class (exact) patchday.plugin.shares.save.step: patchday.step
---@field out patchday.plugin.shares.save.out

---Save samba's configuration, shares, permissions and accounts.
---Read-only; needs root. Takes about 3s, at most 15m 00s.
---@param given patchday.plugin.shares.save
---@return patchday.plugin.shares.save.step
function steps.save(given) end

---@class (exact) patchday.plugin.shares.restore
---@field from patchday.path folder that shares.save has made
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.shares.restore.out
---@field files patchday.out.number how many files were put back
---@field databases patchday.out.number how many databases were put back

---@class (exact) patchday.plugin.shares.restore.step: patchday.step
---@field out patchday.plugin.shares.restore.out

---Bring samba's saved configuration and databases back.
---Can be undone; needs root. Takes about 10s, at most 15m 00s.
---@param given patchday.plugin.shares.restore
---@return patchday.plugin.shares.restore.step
function steps.restore(given) end
end

-- snapshot: snapshots of btrfs and LVM before what is risky, and back to them
do
---@class patchday.plugin.snapshot
local steps = {}

---@class (exact) patchday.plugin.snapshot.btrfs
---@field subvolumes patchday.list where the subvolumes are mounted, such as "/" and "/home"
---@field room? patchday.bytes room there has to be on each of their file systems, default 1 GiB
---@field state? patchday.path folder of patchday's own state, which may be on none of them, default /var/lib/patchday
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.btrfs.out
---@field snapshots patchday.out.list the snapshots, for snapshot.discard

---@class (exact) patchday.plugin.snapshot.btrfs.step: patchday.step
---@field out patchday.plugin.snapshot.btrfs.out

---Take snapshots of btrfs subvolumes; its undo goes back to them.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.snapshot.btrfs
---@return patchday.plugin.snapshot.btrfs.step
function steps.btrfs(given) end

---@class (exact) patchday.plugin.snapshot.lvm
---@field volumes patchday.list logical volumes, as VG/LV
---@field size? patchday.bytes room for all that changes in a volume that is not thin; 0: a fifth of it, default 0
---@field percent? patchday.number how full, in data or metadata, the pool of a thin volume may be (1 to 100), default 80
---@field state? patchday.path folder of patchday's own state, which may be on none of them, default /var/lib/patchday
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.lvm.out
---@field snapshots patchday.out.list the snapshots, for snapshot.discard

---@class (exact) patchday.plugin.snapshot.lvm.step: patchday.step
---@field out patchday.plugin.snapshot.lvm.out

---Take snapshots of logical volumes; its undo goes back to them.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.snapshot.lvm
---@return patchday.plugin.snapshot.lvm.step
function steps.lvm(given) end

---@class (exact) patchday.plugin.snapshot.restore
---@field volumes patchday.list what goes back: where subvolumes are mounted, or logical volumes as VG/LV
---@field run? patchday.string the run that has taken the snapshots; left out: the newest of each
---@field state? patchday.path folder of patchday's own state, which may be on none of them, default /var/lib/patchday
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.restore.out
---@field snapshots patchday.out.list what was gone back to
---@field replaced patchday.out.list what subvolumes were before, for snapshot.discard
---@field reboot_required patchday.out.boolean whether the next boot has to finish it, since something is in use

---@class (exact) patchday.plugin.snapshot.restore.step: patchday.step
---@field out patchday.plugin.snapshot.restore.out

---Go back to the snapshots that an earlier run has taken.
---Can be undone; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.snapshot.restore
---@return patchday.plugin.snapshot.restore.step
function steps.restore(given) end

---@class (exact) patchday.plugin.snapshot.prune
---@field volumes patchday.list whose snapshots: where subvolumes are mounted, or logical volumes as VG/LV
---@field keep? patchday.number so many of each, the newest, stay however old they are (0 to 1000), default 2
---@field age? patchday.seconds of the others those go that are older than this, default 14d
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.prune.out
---@field removed patchday.out.list the snapshots that were removed

---@class (exact) patchday.plugin.snapshot.prune.step: patchday.step
---@field out patchday.plugin.snapshot.prune.out

---Remove old snapshots of earlier runs, but for the newest.
---A point of no return; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.snapshot.prune
---@return patchday.plugin.snapshot.prune.step
function steps.prune(given) end

---@class (exact) patchday.plugin.snapshot.discard
---@field snapshots patchday.list what to remove, as in the output snapshots of snapshot.btrfs and snapshot.lvm
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.discard.out

---@class (exact) patchday.plugin.snapshot.discard.step: patchday.step
---@field out patchday.plugin.snapshot.discard.out

---Remove snapshots that nobody needs any more.
---A point of no return; needs root. Takes about 1s, at most 1h 00m.
---@param given patchday.plugin.snapshot.discard
---@return patchday.plugin.snapshot.discard.step
function steps.discard(given) end

---@class (exact) patchday.plugin.snapshot.room
---@field free? patchday.bytes room there has to be on a btrfs that has snapshots, default 512 MiB
---@field percent? patchday.number how full snapshots of LVM, and pools with snapshots, may be (1 to 100), default 80
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.snapshot.room.out

---@class (exact) patchday.plugin.snapshot.room.step: patchday.step
---@field out patchday.plugin.snapshot.room.out

---Wait while snapshots run out of room.
---Read-only; needs root; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.snapshot.room
---@return patchday.plugin.snapshot.room.step
function steps.room(given) end
end

-- update: updates of Debian servers, with the way back
do
---@class patchday.plugin.update
local steps = {}

---@class (exact) patchday.plugin.update.install
---@field updates patchday.updates the updates to install
---@field keep? patchday.path folder with room for the old packages; without it they are kept with the run
---@field from? patchday.path folder with packages fetched before
---@field source? patchday.path package source: install from this folder alone
---@field download_only? patchday.boolean fetch and check the new packages, install nothing, default false
---@field repack? patchday.boolean pack an old package that no source has from its installed files; needs dpkg-repack, default false
---@field held? "refuse"|"skip"|patchday.out.string what to do with packages on hold (refuse, skip), default refuse
---@field allow_remove? patchday.list packages that may be removed for the updates
---@field dpkg_options? patchday.list further options for dpkg, such as --force-unsafe-io
---@field lock_timeout? patchday.seconds how long to wait for another package manager (0 to 86400), default 300
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.update.install.out
---@field packages patchday.out.number how many packages change
---@field reboot_required patchday.out.boolean whether to reboot after it
---@field log patchday.out.path what the package manager logged

---@class (exact) patchday.plugin.update.install.step: patchday.step
---@field out patchday.plugin.update.install.out

---Install the selected updates and keep what they replace.
---Can be undone; needs root. Takes about 1m 00s, at most 2h 00m.
---@param given patchday.plugin.update.install
---@return patchday.plugin.update.install.step
function steps.install(given) end

---@class (exact) patchday.plugin.update.fetch
---@field updates patchday.updates the updates to fetch
---@field to patchday.path folder for the packages and their digests
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.update.fetch.out
---@field folder patchday.out.path where the packages are
---@field packages patchday.out.number how many packages there are

---@class (exact) patchday.plugin.update.fetch.step: patchday.step
---@field out patchday.plugin.update.fetch.out

---Fetch the packages of the selected updates ahead of time.
---Read-only. Takes about 30s, at most 2h 00m.
---@param given patchday.plugin.update.fetch
---@return patchday.plugin.update.fetch.step
function steps.fetch(given) end
end

-- ups: uninterruptible power supplies: on line or not, shutdown monitor held
do
---@class patchday.plugin.ups
local steps = {}

---@class (exact) patchday.plugin.ups.line
---@field ups? patchday.list UPS to ask, NAME or NAME@HOST; left out: all that this server knows
---@field charge? patchday.number percent that each battery must have; 0: any (0 to 100), default 50
---@field runtime? patchday.seconds how long each battery must last; 0: any time (0 to 86400), default 0
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.ups.line.out

---@class (exact) patchday.plugin.ups.line.step: patchday.step
---@field out patchday.plugin.ups.line.out

---Go on only while each UPS is on line and charged.
---Read-only; may be a guard. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.ups.line
---@return patchday.plugin.ups.line.step
function steps.line(given) end

---@class (exact) patchday.plugin.ups.hold
---@field units? patchday.list units that would shut the server down; without a kind, services, default nut-monitor
---@field ups? patchday.list UPS to ask, NAME or NAME@HOST; left out: all that this server knows
---@field timeout? patchday.seconds how long to wait for the state to be reached (1 to 3000), default 90
---@field id? string name of the step in the plan

---@class (exact) patchday.plugin.ups.hold.out
---@field stopped patchday.out.list units that ran and were stopped
---@field held patchday.out.list units that cannot be started meanwhile
---@field power patchday.out.list each UPS and its status, such as "rack: OL CHRG"

---@class (exact) patchday.plugin.ups.hold.step: patchday.step
---@field out patchday.plugin.ups.hold.out

---Hold what would shut the server down, until undo.
---Can be undone; needs root; has to be held. Takes about 1s, at most 1h 00m.
---@param given? patchday.plugin.ups.hold
---@return patchday.plugin.ups.hold.step
function steps.hold(given) end
end
