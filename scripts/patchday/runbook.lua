-- SPDX-License-Identifier: MIT
-- What the runbooks of all roles have in common.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local _, core = ...
local lenient = require "patchday.lenient"
local strict = require "patchday.strict"
local pd = require "patchday"
local parameters = require "patchday.parameters"
local antivirus, backup, copy, eventlog = pd.use "antivirus", pd.use "backup", pd.use "copy", pd.use "eventlog"
local guard, host, kernel, needrestart = pd.use "guard", pd.use "host", pd.use "kernel", pd.use "needrestart"
local normalbackup, notify, quota = pd.use "normalbackup", pd.use "notify", pd.use "quota"
local recovery, schedule, service = pd.use "recovery", pd.use "schedule", pd.use "service"
local snapshot, ups = pd.use "snapshot", pd.use "ups"
for _, name in ipairs { "rpm", "update" } do pd.use(name) end -- for pd.install: a package of a role needs both
local runbook = { wrong = parameters.wrong }

local GIB = 1024 * 1024 * 1024

-- What the RPM family calls otherwise than Debian.
local other_names = { smbd = "smb", nmbd = "nmb", apache2 = "httpd", ["samba-ad-dc"] = "samba" }

-- The parameters of every role, and the role's own.
runbook.params = parameters.declared

-- Parameters that have no effect without another one are refused.
-- @param own such parameters of the role: { { "name", "one that has to be given with it", ... }, ... }, or nil
function runbook.check(t, own) parameters.check(t.params, own) end

-- What the plan leaves out since nothing is set for it: operators and the certificate's readers are told.
local function left_out(text) pd.note("left out: " .. text) end
runbook.left_out = left_out

-- A3: asked of people. @param who is cut off, for the first question
function runbook.questions(who)
	return {
		downtime = pd.question { must = true,
			ask = "Was the downtime agreed, and were the people concerned informed?", help = who },
		recovery = pd.question { must = true,
			ask = "Was a way to boot this server for recovery tried?",
			help = "A rescue medium, the remote console, or a snapshot that can be gone back to." },
	}
end

-- A3: the medium for recovery is at hand, can be booted, and is this server's.
function runbook.medium(t)
	return t.round == 1 and t.params.medium and recovery.medium { path = t.params.medium }
end

-- Is one of these services installed here?
local function has_service(t, names)
	for _, name in ipairs(names) do
		if t.facts.services[name] or t.facts.services[name .. ".service"] then return true end
	end
	return false
end

-- Services as they are called here: smbd is smb on a server of the RPM family.
function runbook.services(t, names)
	local list = {}
	for i, name in ipairs(names) do
		local other = other_names[name]
		list[i] = other and not has_service(t, { name }) and has_service(t, { other }) and other or name
	end
	return list
end

-- Asked before each stage: other work and the power always, the rest where it is set.
function runbook.guards(t)
	local p = t.params
	return {
		#p.windows > 0 and guard.window { windows = p.windows, except = p.except, timezone = p.timezone },
		p.users and guard.users { max = p.users },
		guard.busy {},
		p.load and guard.load { one = p.load, five = p.load },
		p.room and host.space { path = p.safe, bytes = p.room, id = "room" },
		#p.snapshot > 0 and snapshot.room { id = "snapshots" },
		guard.power {},
		has_service(t, { "nut-monitor", "nut-server" }) and ups.line { charge = p.charge },
	}
end

-- A3: room for the updates, for what they replace, and for what is saved.
function runbook.room(p, due)
	return {
		host.space { path = p.safe, bytes = 2 * due:size() + GIB },
		host.space { path = "/", bytes = 3 * due:size() + GIB },
	}
end

-- A4, A5: the event logs until now, and those of the clean start before any change. Those of a later round may
-- go to the other folder, and away copies both to one: each round has names of its own.
function runbook.logs(t)
	local p, round = t.params, t.round > 1 and "-" .. t.round or ""
	local until_now = t.round > 1 and "eventlog" .. round or nil
	return eventlog.export { to = p.safe, places = { p.second }, name = until_now, clear = true },
		eventlog.export { to = p.safe, places = { p.second }, name = "clean-start" .. round, id = "clean-start" }
end

-- A reboot that terminals hear of as long before as the parameter warn says; else at that moment, by systemd.
function runbook.reboot(p, given)
	given.delay = p.warn > 0 and p.warn or nil
	return host.reboot(given)
end

-- A5: old faults are not blamed on the updates. A3: whoever works at a desktop is told before.
function runbook.clean_start(t)
	if t.round > 1 then return nil end
	local p = t.params
	return {
		p.warn > 0 and notify.desktop { countdown = p.warn, text = "This server gets its updates now. It is started " ..
			"anew in a moment, and may be once more when they are in: please save your work and log out." },
		runbook.reboot(p, { reason = "clean start before the updates", again = false }),
	}
end

-- Somebody hears that the work is done; that they could not be told is no reason to take it back.
function runbook.tell(t, due)
	local p = t.params
	if #p.tell == 0 and not p.tell_hook then return nil end
	local subject = ("%s: patch day done, round %d"):format(t.server, t.round)
	local text = ("%d %s installed on %s, and the tests after that have passed. The run waits for the " ..
		"signatures of %s: `patchday status` there shows it."):format(#due, #due == 1 and "update was" or
		"updates were", t.server, table.concat(p.sign, " and "))
	return pd.stage "tell" { on_failure = "continue",
		#p.tell > 0 and notify.mail { to = p.tell, subject = subject, text = text },
		p.tell_hook and notify.webhook { secret_url = p.tell_hook, text = text },
	}
end

-- How the packages of a kernel are called: Debian, Ubuntu, Proxmox, Amazon, Photon.
local kernels = { "^linux%-image", "^linux%-generic", "^linux%-virtual", "^proxmox%-kernel", "^pve%-kernel",
	"^kernel%d[%d.]*$", "^linux$", "^linux%-esx$", "^linux%-secure$", "^linux%-aws$", "^linux%-rt$" }

-- RHEL and Fedora, Oracle, ELRepo, SUSE and Azure Linux have it in variants, each also with -debug; the image is in
-- it, or in a package of its own. What else begins with kernel is modules, sources and tools.
local variants = {}
for name in ([[kernel kernel-64k kernel-16k kernel-rt kernel-rt-64k kernel-zfcpdump kernel-automotive kernel-PAE
	kernel-uek kernel-uek64k kernel-lt kernel-ml
	kernel-default kernel-64kb kernel-azure kernel-longterm kernel-preempt kernel-vanilla kernel-kvmsmall
	kernel-pae kernel-xen kernel-hci kernel-mshv]]):gmatch "%S+" do variants[name] = true end
local images = { "%-core$", "%-base$", "%-uki$", "%-uki%-virt$", "[-_]debug$" }

local function is_kernel(name)
	if name:find("%-dbg$") or name:find("%-kernel%-helper$") then return false end
	for _, pattern in ipairs(kernels) do
		if name:find(pattern) then return true end
	end
	for _, image in ipairs(images) do name = name:gsub(image, "") end
	return variants[name]
end

local function brings_kernel(due)
	for _, u in ipairs(due) do
		for _, package in ipairs(u.packages) do
			if is_kernel(package.name) then return true end
		end
	end
	return false
end

-- Why the boot loader can't boot a kernel just once; nil: it can.
local function no_fallback(t)
	local why = t.facts.boot.no_fallback
	return why == nil and "the facts say nothing of its boot loader" or why ~= "" and why or nil
end

-- A12: a new kernel is booted once, and every other boot is of the one before, until the tests have passed.
-- @return what stands before the updates (keep), before and behind each reboot, and behind the tests (confirm)
local none = { boots = function(reboot) return reboot end }
function runbook.new_kernel(t, due)
	local how = t.params.kernel_once
	if how == "never" or not brings_kernel(due) then return none end
	local why = how == "auto" and no_fallback(t)
	if why then
		pd.note("a new kernel that does not come up will need somebody at the console: " .. why)
		return none
	end
	local kept, new = kernel.keep {}, kernel.once { due = true }
	local function boots(reboot, again)
		return {
			again and kernel.once { release = new.out.release } or new,
			reboot,
			kernel.running { release = new.out.release },
		}
	end
	return { keep = kept, boots = boots,
		confirm = kernel.confirm { release = new.out.release, before = kept.out.before } }
end

-- Is it a driver or firmware that no package manager installs?
local function is_vendors(u)
	if u.kind ~= "driver" and u.kind ~= "firmware" then return false end
	for _, package in ipairs(u.packages) do
		if package.scheme == "deb" or package.scheme == "rpm" then return false end
	end
	return true
end

-- Those of which only their own installer can tell whether they are there, once in a run:
-- what it finds is no fact that a further round could plan with.
local function unsure(t)
	local list = {}
	for _, u in ipairs(t.round == 1 and t.catalog:unsure() or {}) do
		if is_vendors(u) then list[#list + 1] = u end
	end
	return list
end

-- Those that are run; of the others the plan says that they are not.
local function unsure_here(t)
	local open = unsure(t)
	if t.params.unsure or #open == 0 then return open end
	pd.note(("whether %s is there, %d in all, only its own installer can tell: unsure = true has it run"):format(
		open[1].id, #open))
	return {}
end

-- A14: the steps for them, or nil; and the other updates.
local function drivers(t, due, new_kernel)
	local theirs, ids = unsure_here(t), {}
	for _, u in ipairs(due) do
		if is_vendors(u) then theirs[#theirs + 1], ids[#ids + 1] = u, u.id end
	end
	local list = pd.drivers { updates = theirs, source = t.params.source,
		delay = t.params.warn > 0 and t.params.warn or nil,
		boots = function(reboot) return new_kernel.boots(reboot, true) end }
	return list, #ids > 0 and due:without(ids) or due
end

-- Why there is nothing to do, or nil. What no step can be made for is nothing: the server would be started anew for it.
function runbook.idle(t, due)
	local theirs, rest = drivers(t, due, none)
	if #rest > 0 or theirs then return nil end
	return #due > 0 and "what is due can't be installed; the notes say why" or "no update applies"
end

-- The step that installs them, as the family of this server has it.
local function installed(t, updates)
	local p = t.params
	local given = { updates = updates, keep = p.safe, source = p.source }
	if t.facts.os.family ~= "rpm" then
		given.from = p.from
	elseif p.source then
		given.old = p.from and { p.from }
	else
		return runbook.wrong("parameter 'source' is missing: a server with rpm packages gets its updates from a " ..
			"package source alone; fill one with `patchday catalog fetch`, and give --param source=FOLDER")
	end
	return pd.install(t, given)
end

-- A12: the updates, and the reboot that they need, or nil, where there are none; A14: drivers and firmware of
-- vendors' catalogs, or nil.
function runbook.install(t, due, new_kernel)
	new_kernel = new_kernel or none
	local p, theirs, rest = t.params, drivers(t, due, new_kernel)
	if #rest == 0 then return nil, nil, theirs end
	local install = installed(t, rest)
	local reboot = runbook.reboot(p, { reason = "the updates take effect",
		when = rest:needs_reboot() or install.out.reboot_required })
	return install, new_kernel.boots(reboot), theirs
end

-- A16: new errors in the event logs take the updates back.
function runbook.no_new_errors(p, logs, clean)
	return eventlog.compare { before = clean.out.archive, also = logs.out.archive, fail_on = "error",
		ignore = p.ignore }
end

-- What of A7 stays open with what is set, or nil.
local function open_of_backup(p)
	local by = p.backup_by
	if not by then return "left out: nobody looks at the normal backup (A7: backup_by)" end
	if (by == "bacula" or by == "command") and not p.backup_proof then
		return "not verified: nothing reads the normal backup back (A7: backup_proof)"
	end
	return by == "file" and not p.backup_digest and not p.backup_read and "not verified: the normal backup is " ..
		"neither compared with a digest nor read as an archive (A7: backup_digest or backup_read)" or nil
end

-- A7: the backup that the server has anyhow is recent, and is read back where there is something that can.
function runbook.normal_backup(t)
	local p = t.params
	local by, at, age = p.backup_by, p.backup_at, p.backup_age
	local open = open_of_backup(p)
	if open then pd.note(open) end
	if t.round > 1 then return nil end
	if by == "bacula" then return normalbackup.bacula { client = at, verify_job = p.backup_proof, age = age } end
	if by == "command" then
		return normalbackup.command { ask = { at }, proof = p.backup_proof and { p.backup_proof },
			password = p.backup_password, age = age }
	end
	if by == "file" then
		return normalbackup.file { path = at, name = p.backup_name, bytes = p.backup_bytes, age = age,
			digest = p.backup_digest, read = p.backup_read }
	end
	if by == "borg" then
		return normalbackup.borg { repository = at, password = p.backup_password, paths = p.backup_paths, age = age }
	end
	return by and normalbackup.restic { repository = at, repository_file = p.backup_file,
		password = p.backup_password, paths = p.backup_paths, age = age }
end

-- A9: a critical server can be brought back on bare metal, with a boot medium where there is a place for it.
function runbook.bare_metal(p)
	if not p.critical then return left_out "no backup for bare metal (A9: critical)" end
	if p.medium_stick then
		return recovery.stick { label = p.medium_stick, passphrase = p.medium_password }
	end
	if p.medium_to then
		return recovery.backup { to = p.medium_to, url = p.medium_url, passphrase = p.medium_password }
	end
	local system = backup.system { to = p.safe }
	return {
		system,
		backup.verify { archive = system.out.archive, sha256 = system.out.sha256, id = "verify-system" },
	}
end

-- "backup@vault:/srv", "vault:2222:/srv" or "[2001:db8::1]:/srv", as copy.ssh takes it
local function ssh_place(text)
	local user, rest = text:match "^([^@/]+)@(.+)$"
	local address, path = (rest or text):match "^(.-):(/.*)$"
	local name, port = (address or ""):match "^%[(.+)%]:?(%d*)$"
	if not name then name, port = (address or ""):match "^([^:]+):?(%d*)$" end
	if not name then
		return runbook.wrong("away_ssh: '%s' is not USER@HOST:/PATH or USER@HOST:PORT:/PATH", text)
	end
	return { host = name, port = tonumber(port), user = user, to = path }
end

-- A11: what is saved goes to each second place off the server that is set.
function runbook.away(p)
	if not (p.away or p.away_ssh or p.away_medium) then
		return left_out "nothing is copied off the server (A11: away, away_ssh or away_medium)"
	end
	local far = p.away_ssh and ssh_place(p.away_ssh)
	local also = { p.second } -- event logs are there if safe had too little room
	return {
		p.away and copy.folder { from = p.safe, also = also, to = p.away },
		far and copy.ssh { from = p.safe, also = also, host = far.host, port = far.port, user = far.user, to = far.to,
			identity = p.away_key or "/etc/patchday/second/key",
			known_hosts = p.away_known_hosts or "/etc/patchday/second/known_hosts" },
		p.away_medium and copy.medium { from = p.safe, also = also, label = p.away_medium },
	}
end

-- A19: a way back to all that was there, once in a run. Before anything is held: who goes back to a snapshot
-- that was taken meanwhile has what was held, held for good.
function runbook.snapshot(t)
	local p, subvolumes, volumes = t.params, {}, {}
	if t.round > 1 then return nil end
	for _, name in ipairs(p.snapshot) do
		if not name:find "/" or name:find "^/dev/" then
			return runbook.wrong("snapshot: '%s' is neither where a subvolume is mounted nor VG/LV", name)
		end
		local list = name:find "^/" and subvolumes or volumes
		list[#list + 1] = name
	end
	if p.snapshot_size and #volumes == 0 then
		return runbook.wrong("parameter 'snapshot_size' has no effect without a logical volume in 'snapshot'")
	end
	return {
		#subvolumes > 0 and snapshot.btrfs { subvolumes = subvolumes },
		#volumes > 0 and snapshot.lvm { volumes = volumes, size = p.snapshot_size },
	}
end

-- A12: what goes on with the files of before the updates is restarted, also where they need no reboot
-- and where they were taken back. Around them, not behind them: see plugins/needrestart/README.md.
local function new_files(p)
	return #p.restart > 0 and needrestart.restart { units = p.restart }
end

-- Somebody named a scanner, and it is not here; or nothing is known of what is here.
local function scanners_missed(t)
	local named = table.concat(t.params.scanners, ", ")
	if #t.facts.services == 0 then
		left_out "scanners and the UPS monitor are not held, as the facts say nothing of services (A10)"
	elseif named ~= table.concat(parameters.scanners, ", ") and named ~= "" and not has_service(t, t.params.scanners) then
		left_out(("no virus scanner is held: of %s none is here (A10: scanners)"):format(named))
	end
end

-- A10: what is held meanwhile, where it is there; the last one comes back first.
-- @param own a step of the role that holds something, or nil
function runbook.held(t, own)
	local p = t.params
	scanners_missed(t)
	return {
		#p.jobs > 0 and schedule.hold { kinds = p.jobs, except = p.jobs_go_on },
		has_service(t, p.scanners) and antivirus.hold { units = p.scanners },
		t.facts.packages["quota"] and quota.hold {},
		#p.hold > 0 and service.stop { units = p.hold },
		has_service(t, { "nut-monitor" }) and ups.hold {},
		#t.facts.services > 0 and new_files(p),
		own,
	}
end

-- Scanners that are held, and that nothing updates.
local function stale(t, clamav)
	local theirs, list = (" %s "):format(table.concat(parameters.scanners, " ")), {}
	for _, name in ipairs(t.params.scanners) do
		local updated = clamav and theirs:find((" %s "):format((name:gsub("%.service$", ""))), 1, true)
		if not updated and has_service(t, { name }) then list[#list + 1] = name end
	end
	return table.concat(list, ", ")
end

-- A10: the scanner comes back with new definitions; a server that gets none is not taken back for it.
function runbook.definitions(t)
	local p, packages = t.params, t.facts.packages
	local clamav = packages["clamav-freshclam"] or packages["clamav-update"] -- Fedora's and EPEL's
	local old = #p.scanner_update == 0 and stale(t, clamav) or ""
	if old ~= "" then left_out(("no new definitions for %s (A10: scanner_update, scanner_definitions)"):format(old)) end
	return pd.stage "definitions" { on_failure = "continue",
		clamav and antivirus.update {},
		#p.scanner_update > 0 and antivirus.update { command = p.scanner_update, definitions = p.scanner_definitions },
	}
end

-- A18: all that are named sign; the sealed certificate goes to a central place, where there is one.
function runbook.signoff(p)
	if not p.central then left_out "no central place for the certificate (A18: central, or `patchday final --to`)" end
	return pd.signoff { parties = p.sign }
end

-- What a function gives; a mistake in what it is given shows in here, and is the caller's.  Where one of Lua's
-- own functions, such as ipairs(), meets it, the message has no place.
local function result(name, ok, ...)
	if ok then return ... end
	local err = (...)
	local why = type(err) == "string" and (err:match("^patchday[%w.]*:%d+: (.*)$") or err:match("^attempt to .*$") or
		err:match("^bad argument #.*$"))
	if not why then error(err, 0) end
	return strict.fail("runbook.%s can't be done with what it is given: %s", name, why)
end

local called = {}
for name, f in pairs(runbook) do
	local whole = lenient.wrapped(f, true)
	called[name] = core.entry(function(...) return result(name, pcall(whole, ...)) end)
end

return strict.names("patchday.runbook", "function", strict.keys(called), function(name) return called[name] end)
