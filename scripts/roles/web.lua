-- SPDX-License-Identifier: MIT
-- The runbook of a web server (Apache, nginx, or one before the other), from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, eventlog, host, network = pd.use "backup", pd.use "eventlog", pd.use "host", pd.use "network"
local probe, service = pd.use "probe", pd.use "service"

-- How each server reads its configuration without serving anybody by it.
local servers = {
	{ "apache2", "apache2ctl", "configtest" },
	{ "httpd", "apachectl", "configtest" }, -- Apache of the RPM family
	{ "nginx", "nginx", "-t" },
}

-- "https://shop.example/ 200 Welcome": an address, and the status and the text that clients have to get.
local function page(p, text)
	local url, status, contains = text:match "^(%S+) +(%d%d%d)%f[%s%z] *(.*)$"
	if not url then url, contains = text:match "^(%S+) *(.*)$" end
	if not url then return runbook.wrong("pages: \"%s\" is not URL [STATUS] [TEXT]", text) end
	return probe.http { url = url, status = { status or "200" }, contains = contains ~= "" and contains or nil,
		at = p.at, ca = p.ca, valid = p.valid, timeout = "2m" }
end

-- A6, A17: what a client gets of each site, and how long its certificate is valid for.
local function client_tests(p)
	local tests = {}
	for _, text in ipairs(p.pages) do tests[#tests + 1] = page(p, text) end
	return tests
end

-- The servers that are there: their services, and the tests of their configuration.
local function here(t)
	local names, tests, known = {}, {}, {}
	local function add(name)
		if not known[name] then names[#names + 1] = name end
		known[name] = true
	end
	for _, server in ipairs(servers) do
		if t.facts.services[server[1] .. ".service"] then
			add(server[1])
			tests[#tests + 1] = probe.command { argv = { server[2], server[3] }, id = "configuration-" .. server[1] }
		end
	end
	for _, name in ipairs(runbook.services(t, t.params.running)) do add(name) end
	if #tests == 0 then
		runbook.left_out "no configuration is tested, as none of apache2, httpd and nginx is a service here (A5)"
	end
	if #names == 0 then names[1] = "apache2" end -- is not here either: the dry run refuses
	return names, tests
end

return pd.workflow {
	api = 1, name = "web", role = "web",
	help = "patch day of a web server (Apache, nginx)",
	params = runbook.params {
		pages = pd.list { required = true,
			help = "what clients have to get of each site: \"URL\", \"URL STATUS\" or \"URL STATUS TEXT\"" },
		at = pd.string { help = "address that the pages are fetched from; left out: what their names lead to" },
		ca = pd.path { help = "certificates that the test trusts; left out: the server's own" },
		valid = pd.seconds { default = "7d", help = "how long certificates have to be valid for yet; 0: not looked at" },
		running = pd.list { default = {}, help = "further services that must run at the end, such as php8.2-fpm" },
	},
	questions = runbook.questions "Visitors of the sites are cut off several times.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t)
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)
		local running, configuration = here(t)

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				configuration,                                              -- A5: a boot has to read it
				logs,                                                       -- A4
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				client_tests(p),                                            -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
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
				service.verify { units = running },                         -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				client_tests(p),                                            -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
