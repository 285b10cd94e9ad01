-- SPDX-License-Identifier: MIT
-- The runbook of any server, from top to bottom; what it is there for, the parameters say.
-- A3 to A18 are points of the runbook in doc/workflow-language.md.
local pd = require "patchday"
local backup, copy, eventlog, guard = pd.use "backup", pd.use "copy", pd.use "eventlog", pd.use "guard"
local host, network, probe, schedule = pd.use "host", pd.use "network", pd.use "probe", pd.use "schedule"
local service, update, ups = pd.use "service", pd.use "update", pd.use "ups"

local GIB = 1024 * 1024 * 1024

-- "22", "mail.example:25" or "[2001:db8::1]:25"
local function port(text)
	local name, number = text:match "^(.-):?(%d+)$"
	if not number then error("ports: \"" .. text .. "\" is not PORT or HOST:PORT", 0) end
	name = name:match "^%[(.*)%]$" or name
	return probe.tcp { host = name ~= "" and name or nil, port = tonumber(number) }
end

-- A program and its arguments, with blanks between.
local function command(text)
	local argv = {}
	for word in text:gmatch "%S+" do argv[#argv + 1] = word end
	return probe.command { argv = argv }
end

-- A6, A17: what the server is there for.
local function tests(p)
	local all = {}
	for _, text in ipairs(p.ports) do all[#all + 1] = port(text) end
	for _, url in ipairs(p.pages) do all[#all + 1] = probe.http { url = url, ca = p.ca } end
	for _, text in ipairs(p.commands) do all[#all + 1] = command(text) end
	return all
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

-- Is this service installed here?
local function has_service(t, name)
	return t.facts.services[name] or t.facts.services[name .. ".service"]
end

-- A10: what is held meanwhile, where it is there; the last one comes back first.
local function held(t)
	local p = t.params
	return {
		#p.jobs > 0 and schedule.hold { kinds = p.jobs, except = p.jobs_go_on },
		#p.hold > 0 and service.stop { units = p.hold },
		has_service(t, "nut-monitor") and ups.hold {},
	}
end

return pd.workflow {
	api = 1, name = "generic", role = "generic",
	help = "patch day of any server",
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
		running = pd.list { default = {}, help = "services that must run, before and at the end" },
		ports = pd.list { default = {}, help = "TCP ports that must answer: PORT or HOST:PORT" },
		pages = pd.list { default = {}, help = "pages that must answer with status 200, http and https" },
		commands = pd.list { default = {},
			help = "programs that only look and must succeed, arguments after blanks" },
		ca = pd.path { help = "certificates that pages are tested with; left out: the server's own" },
		jobs = pd.list { default = { "cron", "anacron", "at", "timers" },
			help = "what starts jobs and is held meanwhile: cron, anacron, at, timers" },
		jobs_go_on = pd.list { default = {}, help = "timers and daemons of jobs that go on" },
		hold = pd.list { default = {}, help = "services, stopped meanwhile" },
		charge = pd.int { default = 50, min = 0, max = 100,
			help = "percent that the battery of each UPS must have" },
		ignore = pd.list { default = {}, help = "log messages that are no news" },
		windows = pd.list { default = {},
			help = "maintenance windows, such as \"sat 22:00-06:00\"; left out: always" },
		except = pd.list { default = {}, help = "days on which no window begins: dates or DATE..DATE" },
		timezone = pd.string { help = "time zone of the windows; left out: the server's" },
		users = pd.int { min = 0, max = 1000, help = "so many may be logged in; left out: any number" },
		sign = pd.list { default = { "operations" }, help = "who signs" },
	},
	questions = {                                                                       -- A3
		downtime = pd.question { must = true,
			ask = "Was the downtime agreed, and were the people concerned informed?",
			help = "The server is started anew up to twice." },
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
			(has_service(t, "nut-monitor") or has_service(t, "nut-server")) and ups.line { charge = p.charge },
		}
	end,
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		if #due == 0 then return pd.nothing "no update applies" end

		local logs = eventlog.export { to = p.safe, places = { p.second }, clear = true }
		local clean = eventlog.export { to = p.safe, places = { p.second }, name = "clean-start",
			id = "clean-start" }
		local state = backup.state { to = p.safe }
		local install = update.install { updates = due, keep = p.safe, source = p.source, from = p.from }
		local function running(id) return #p.running > 0 and service.verify { units = p.running, id = id } end

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				host.space { path = p.safe, bytes = 2 * due:size() + GIB }, -- A3
				host.space { path = "/", bytes = 3 * due:size() + GIB },    -- A3
				logs,                                                       -- A4
				t.round == 1 and host.reboot { reason = "clean start before the updates", again = false }, -- A5
				clean,                                                      -- A5
				running("running-before"),                                  -- A6
				tests(p),                                                   -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A7, A8
				network.save { to = p.safe },                               -- A11
				bare_metal(p),                                              -- A9
				p.away and copy.folder { from = p.safe, to = p.away },      -- A11
			},
			pd.hold { held(t),                                                  -- A10
				pd.stage "install" { on_failure = "undo",
					install,                                            -- A12
					host.reboot { reason = "the updates take effect",   -- A12
						when = due:needs_reboot() or install.out.reboot_required },
				},
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				running("running-after"),                                   -- A15
				eventlog.compare { before = clean.out.archive, also = logs.out.archive,
					fail_on = "error", ignore = p.ignore },             -- A16
				tests(p),                                                   -- A17
			},
			pd.signoff { parties = p.sign },                                    -- A18
		}
	end,
}
