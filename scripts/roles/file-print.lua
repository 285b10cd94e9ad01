-- SPDX-License-Identifier: MIT
-- The runbook of a file and print server, from top to bottom.
-- A3 to A18 are points of the runbook in doc/workflow-language.md.
local pd = require "patchday"
local antivirus, backup, copy, driver = pd.use "antivirus", pd.use "backup", pd.use "copy", pd.use "driver"
local eventlog, guard, host, network = pd.use "eventlog", pd.use "guard", pd.use "host", pd.use "network"
local normalbackup, printers, probe, quota = pd.use "normalbackup", pd.use "printers", pd.use "probe", pd.use "quota"
local schedule, service, shares, update = pd.use "schedule", pd.use "service", pd.use "shares", pd.use "update"
local ups = pd.use "ups"

local GIB = 1024 * 1024 * 1024

-- A6, A17: what a user does on this server, by way of the network.
local function client_tests(p)
	return {
		probe.smb { share = p.share, folder = p.folder, user = p.user, password = p.password,
			guest = not p.user },
		probe.print { queue = p.queue, timeout = "5m" },
	}
end

-- A7: the backup that the server has anyhow is recent, and can be read.
local function normal_backup(p)
	local by, at, age = p.backup_by, p.backup_at, p.backup_age
	if by == "bacula" then return normalbackup.bacula { client = at, verify_job = p.backup_proof, age = age } end
	if by == "file" then return normalbackup.file { path = at, age = age } end
	return by and normalbackup[by] { repository = at, password = p.backup_password, paths = p.backup_paths,
		age = age }
end

-- A9: a critical server can be brought back on bare metal.
local function bare_metal(p)
	if not p.critical then return nil end
	local system = backup.system { to = p.safe }
	return {
		system,
		backup.verify { archive = system.out.archive, sha256 = system.out.sha256, id = "verify-system" },
	}
end

-- Is one of these services installed here?
local function has_service(t, names)
	for _, name in ipairs(names) do
		if t.facts.services[name] or t.facts.services[name .. ".service"] then return true end
	end
	return false
end

-- A10: what is held meanwhile, where it is there; the last one comes back first.
local function held(t)
	local p = t.params
	return {
		#p.jobs > 0 and schedule.hold { kinds = p.jobs, except = p.jobs_go_on },
		has_service(t, p.scanners) and antivirus.hold { units = p.scanners },
		t.facts.packages["quota"] and quota.hold {},
		#p.hold > 0 and service.stop { units = p.hold },
		has_service(t, { "nut-monitor" }) and ups.hold {},
	}
end

-- A10: the scanner comes back with new definitions; a server that gets none is not taken back for it.
local function definitions(t)
	if not t.facts.packages["clamav-freshclam"] then return nil end
	return pd.stage "definitions" { on_failure = "continue", antivirus.update {} }
end

-- A14: the vendor's driver where its hardware is found, and a reboot if it needs one.
local function vendor_driver(p)
	if not p.driver then return nil end
	local installed = driver.install { package = p.driver, digest = p.driver_digest, match = p.driver_match }
	return {
		installed,
		host.reboot { reason = "the new driver takes effect", when = installed.out.reboot_required },
	}
end

return pd.workflow {
	api = 1, name = "file-print", role = "file-print",
	help = "patch day of a file and print server",
	params = {
		site = pd.string { default = "", help = "name of the site, for the certificate" },
		central = pd.path { help = "central place that gets the sealed certificate" },
		safe = pd.path { default = "/var/lib/patchday/safe", help = "folder for logs and backups" },
		second = pd.path { default = "/var/lib/patchday/second",
			help = "second folder, on another volume, chosen when safe is full" },
		away = pd.path { help = "second place off the server, such as a mounted share: what is saved is copied there" },
		source = pd.path { help = "package source, filled by `catalog fetch`: the updates come from it alone" },
		from = pd.path { help = "folder with packages fetched before, such as those of the last patch day" },
		critical = pd.bool { default = false,
			help = "a critical server: all of it is backed up, for recovery on bare metal" },
		backup_by = pd.choice { choices = { "restic", "borg", "bacula", "file" },
			help = "what makes the normal backup; left out: it is not looked at" },
		backup_at = pd.string { help = "where it is: a repository, a client of Bacula, a file or folder" },
		backup_password = pd.secret { help = "password of the repository: env:NAME, file:/PATH or credential:NAME" },
		backup_paths = pd.list { default = {}, help = "files and folders that must be in the repository's backup" },
		backup_proof = pd.string { help = "job of Bacula that reads the backup back" },
		backup_age = pd.seconds { default = "1d", help = "how old the normal backup may be" },
		share = pd.string { required = true, help = "share of the client test" },
		folder = pd.string { help = "folder of the share that the test writes in" },
		user = pd.string { help = "user of the client test; left out: a guest" },
		password = pd.secret { help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		queue = pd.string { help = "printer of the client test; left out: the default one" },
		jobs = pd.list { default = { "cron", "anacron", "at", "timers" },
			help = "what starts jobs and is held meanwhile: cron, anacron, at, timers" },
		jobs_go_on = pd.list { default = {}, help = "timers and daemons of jobs that go on" },
		scanners = pd.list { default = { "clamav-daemon", "clamav-clamonacc", "clamav-freshclam" },
			help = "virus scanners, and what updates them, held meanwhile" },
		hold = pd.list { default = {}, help = "further services, stopped meanwhile" },
		charge = pd.int { default = 50, min = 0, max = 100,
			help = "percent that the battery of each UPS must have" },
		running = pd.list { default = { "smbd", "cups" }, help = "services that must run at the end" },
		driver = pd.string { help = "path of a vendor's driver package" },
		driver_digest = pd.string { help = "SHA-256 of it" },
		driver_match = pd.list { default = {}, help = "hardware it is for, such as pci:14e4:1657" },
		ignore = pd.list { default = {}, help = "log messages that are no news" },
		windows = pd.list { default = {},
			help = "maintenance windows, such as \"sat 22:00-06:00\"; left out: always" },
		except = pd.list { default = {}, help = "days on which no window begins: dates or DATE..DATE" },
		timezone = pd.string { help = "time zone of the windows; left out: the server's" },
		users = pd.int { min = 0, max = 1000, help = "so many may be logged in; left out: any number" },
		sign = pd.list { default = { "operations", "application owner" }, help = "who signs" },
	},
	questions = {                                                                       -- A3
		downtime = pd.question { must = true,
			ask = "Was the downtime agreed, and were the people concerned informed?",
			help = "Users of the shares and printers are cut off several times." },
		recovery = pd.question { must = true,
			ask = "Was a way to boot this server for recovery tried?",
			help = "A rescue medium, the remote console, or a snapshot that can be gone back to." },
	},
	guards = function(t) -- asked before each stage
		local p = t.params
		return {
			#p.windows > 0 and guard.window { windows = p.windows, except = p.except,
				timezone = p.timezone },
			p.users and guard.users { max = p.users },
			has_service(t, { "nut-monitor", "nut-server" }) and ups.line { charge = p.charge },
		}
	end,
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		if #due == 0 and (t.round > 1 or not p.driver) then return pd.nothing "no update applies" end

		local logs = eventlog.export { to = p.safe, places = { p.second }, clear = true }
		local clean = eventlog.export { to = p.safe, places = { p.second }, name = "clean-start",
			id = "clean-start" }
		local state = backup.state { to = p.safe }
		local install = update.install { updates = due, keep = p.safe, source = p.source, from = p.from }

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				host.space { path = p.safe, bytes = 2 * due:size() + GIB }, -- A3
				host.space { path = "/", bytes = 3 * due:size() + GIB },    -- A3
				t.round == 1 and normal_backup(p),                          -- A7
				logs,                                                       -- A4
				t.round == 1 and host.reboot { reason = "clean start before the updates", again = false }, -- A5
				clean,                                                      -- A5
				client_tests(p),                                            -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
				printers.save { to = p.safe },                              -- A11
				shares.save { to = p.safe },                                -- A11
				network.save { to = p.safe },                               -- A11
				bare_metal(p),                                              -- A9
				p.away and copy.folder { from = p.safe, to = p.away },      -- A11
			},
			pd.hold { held(t),                                                  -- A10
				pd.stage "install" { on_failure = "undo",
					install,                                            -- A12
					host.reboot { reason = "the updates take effect",   -- A12
						when = due:needs_reboot() or install.out.reboot_required },
					vendor_driver(p),                                   -- A14
				},
				definitions(t),                                             -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = p.running },                       -- A15
				eventlog.compare { before = clean.out.archive, also = logs.out.archive,
					fail_on = "error", ignore = p.ignore },             -- A16
				client_tests(p),                                            -- A17
			},
			pd.signoff { parties = p.sign },                                    -- A18
		}
	end,
}
