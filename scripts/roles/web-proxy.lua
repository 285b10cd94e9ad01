-- SPDX-License-Identifier: MIT
-- The runbook of a web proxy, squid behind nftables, from top to bottom.
-- A3 to A18 are points of the runbook in doc/workflow-language.md.
local pd = require "patchday"
local backup, copy, eventlog, firewall = pd.use "backup", pd.use "copy", pd.use "eventlog", pd.use "firewall"
local guard, host, network, probe = pd.use "guard", pd.use "host", pd.use "network", pd.use "probe"
local proxy, schedule, service, update = pd.use "proxy", pd.use "schedule", pd.use "service", pd.use "update"
local ups = pd.use "ups"

local GIB = 1024 * 1024 * 1024

-- A6, A17: what a client gets through the proxy, and what it does not get.
local function client_tests(p)
	local tests = {}
	local function get(url, status)
		tests[#tests + 1] = probe.http { url = url, status = status, proxy = p.proxy, ca = p.ca,
			proxy_user = p.user, proxy_password = p.password }
	end
	for _, url in ipairs(p.pages) do get(url, { "200" }) end
	for _, url in ipairs(p.forbidden) do get(url, { "403" }) end
	return tests
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
	api = 1, name = "web-proxy", role = "web-proxy",
	help = "patch day of a web proxy",
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
		proxy = pd.string { default = "http://localhost:3128", help = "address of the proxy, as its clients have it" },
		pages = pd.list { required = true, help = "pages that clients have to get, http and https" },
		forbidden = pd.list { default = {}, help = "pages that the proxy has to refuse" },
		user = pd.string { help = "user of the client test; left out: none" },
		password = pd.secret { help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		ca = pd.path { help = "certificates that the test trusts; left out: the server's own" },
		others = pd.list { default = { "f2b-*" },
			help = "tables of the firewall that other programs make, such as fail2ban" },
		jobs = pd.list { default = { "cron", "anacron", "at", "timers" },
			help = "what starts jobs and is held meanwhile: cron, anacron, at, timers" },
		jobs_go_on = pd.list { default = {}, help = "timers and daemons of jobs that go on" },
		hold = pd.list { default = {}, help = "further services, stopped meanwhile" },
		charge = pd.int { default = 50, min = 0, max = 100,
			help = "percent that the battery of each UPS must have" },
		running = pd.list { default = { "squid" }, help = "services that must run at the end" },
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
			help = "Nobody gets to the web by way of this server several times." },
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
		local rules = t.facts.packages["nftables"] and firewall.save { to = p.safe, others = p.others }
		local state, files = backup.state { to = p.safe }, proxy.save { to = p.safe }
		local install = update.install { updates = due, keep = p.safe, source = p.source, from = p.from }
		local function same_rules(id)
			return rules and firewall.compare { from = rules.out.folder, others = p.others, id = id }
		end

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				host.space { path = p.safe, bytes = 2 * due:size() + GIB }, -- A3
				host.space { path = "/", bytes = 3 * due:size() + GIB },    -- A3
				logs,                                                       -- A4
				rules,                                                      -- A11
				t.round == 1 and host.reboot { reason = "clean start before the updates", again = false }, -- A5
				clean,                                                      -- A5
				same_rules("rules-of-boot"),                                -- A5: made by hand, they would be gone
				proxy.verify { ignore = p.ignore, id = "proxy-before" },    -- A6
				client_tests(p),                                            -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A7, A8
				files,                                                      -- A11
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
				service.verify { units = p.running },                       -- A15
				eventlog.compare { before = clean.out.archive, also = logs.out.archive,
					fail_on = "error", ignore = p.ignore },             -- A16
				same_rules("rules-after"),                                  -- A17
				proxy.verify { from = files.out.folder, ignore = p.ignore, id = "proxy-after" }, -- A17
				client_tests(p),                                            -- A17
			},
			pd.signoff { parties = p.sign },                                    -- A18
		}
	end,
}
