-- SPDX-License-Identifier: MIT
-- The runbook of any server, from top to bottom; what it is there for, the parameters say.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, eventlog, host, network = pd.use "backup", pd.use "eventlog", pd.use "host", pd.use "network"
local probe, service = pd.use "probe", pd.use "service"

-- "22", "mail.example:25" or "[2001:db8::1]:25"
local function port(text)
	local name, number = text:match "^(.-):?(%d+)$"
	if not number then return runbook.wrong("ports: \"%s\" is not PORT or HOST:PORT", text) end
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
	if #all == 0 and #p.running == 0 then
		runbook.left_out "no test of what the server is there for (A6, A17: running, ports, pages or commands)"
	end
	return all
end

return pd.workflow {
	api = 1, name = "generic", role = "generic",
	help = "patch day of any server",
	params = runbook.params {
		running = pd.list { default = {}, help = "services that must run, before and at the end" },
		ports = pd.list { default = {}, help = "TCP ports that must answer: PORT or HOST:PORT" },
		pages = pd.list { default = {}, help = "pages that must answer with status 200, http and https" },
		commands = pd.list { default = {},
			help = "programs that only look and must succeed, arguments after blanks" },
		ca = pd.path { help = "certificates that pages are tested with; left out: the server's own" },
		sign = pd.list { default = { "operations" }, help = "who signs" },
	},
	questions = runbook.questions "The server is started anew up to twice.",            -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t, { { "ca", "pages" } })
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)
		local function running(id)
			return #p.running > 0 and service.verify { units = runbook.services(t, p.running), id = id }
		end

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				logs,                                                       -- A4
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				running("running-before"),                                  -- A6
				tests(p),                                                   -- A6
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
				running("running-after"),                                   -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				tests(p),                                                   -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
