-- SPDX-License-Identifier: MIT
-- The runbook of a web proxy, squid behind nftables, from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, eventlog, firewall, host = pd.use "backup", pd.use "eventlog", pd.use "firewall", pd.use "host"
local network, probe, proxy, service = pd.use "network", pd.use "probe", pd.use "proxy", pd.use "service"

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

return pd.workflow {
	api = 1, name = "web-proxy", role = "web-proxy",
	help = "patch day of a web proxy",
	params = runbook.params {
		proxy = pd.string { default = "http://localhost:3128", help = "address of the proxy, as its clients have it" },
		pages = pd.list { required = true, help = "pages that clients have to get, http and https" },
		forbidden = pd.list { default = {}, help = "pages that the proxy has to refuse" },
		user = pd.string { help = "user of the client test; left out: none" },
		password = pd.secret { help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		ca = pd.path { help = "certificates that the test trusts; left out: the server's own" },
		others = pd.list { default = { "f2b-*" },
			help = "tables of the firewall that other programs make, such as fail2ban" },
		running = pd.list { default = { "squid" }, help = "services that must run at the end" },
	},
	questions = runbook.questions "Nobody gets to the web by way of this server several times.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t, { { "password", "user" } })
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local rules = t.facts.packages["nftables"] and firewall.save { to = p.safe, others = p.others }
		if not rules then runbook.left_out "no rules of a firewall, as nftables is not installed (A11)" end
		local state, files = backup.state { to = p.safe }, proxy.save { to = p.safe }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)
		local function same_rules(id)
			return rules and firewall.compare { from = rules.out.folder, others = p.others, id = id }
		end

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				logs,                                                       -- A4
				rules,                                                      -- A11
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				same_rules("rules-of-boot"),                                -- A5: made by hand, they would be gone
				proxy.verify { ignore = p.ignore, id = "proxy-before" },    -- A6
				client_tests(p),                                            -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
				files,                                                      -- A11
				network.save { to = p.safe },                               -- A11
				runbook.bare_metal(p),                                      -- A9
				runbook.away(p),                                            -- A11
				runbook.snapshot(t),                                        -- A19
			},
			pd.hold { runbook.held(t),                                          -- A10
				pd.stage "install" { on_failure = "undo",
					new_kernel.keep,                                    -- A12
					install,                                            -- A12
					reboot,                                             -- A12
					drivers,                                            -- A14
				},
				runbook.definitions(t),                                     -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = p.running },                       -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				same_rules("rules-after"),                                  -- A17
				proxy.verify { from = files.out.folder, ignore = p.ignore, id = "proxy-after" }, -- A17
				client_tests(p),                                            -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
