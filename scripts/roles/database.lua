-- SPDX-License-Identifier: MIT
-- The runbook of a database server (PostgreSQL), from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, database, eventlog, host = pd.use "backup", pd.use "database", pd.use "eventlog", pd.use "host"
local network, probe, service = pd.use "network", pd.use "probe", pd.use "service"

-- Does it do what its clients need? The same before and after, and while they are held.
local function works(p)
	return database.probe { cluster = p.cluster, database = p.database, standby = p.standby, lag = p.lag,
		timeout = "5m" }
end

-- A6, A17: what a client does, by way of the network.
local function client_tests(p)
	return {
		works(p),
		p.port > 0 and probe.tcp { port = p.port },
	}
end

return pd.workflow {
	api = 1, name = "database", role = "database",
	help = "patch day of a database server (PostgreSQL)",
	params = runbook.params {
		cluster = pd.string { help = "cluster, such as 15/main, or its port; left out: the only one" },
		database = pd.string { default = "postgres", help = "database of the client test" },
		port = pd.int { default = 5432, min = 0, max = 65535, help = "port that clients connect to; 0: none" },
		standby = pd.bool { default = false, help = "a standby, which takes no changes" },
		lag = pd.seconds { default = "1m", help = "how far a standby may be behind" },
		wait = pd.seconds { default = "1m", help = "how long sessions have to end by themselves" },
		prove = pd.choice { choices = { "restore", "read" }, default = "restore",
			help = "the dump is proved by a restore, or read through if it is too large for that" },
		scratch = pd.path { help = "where it is restored for that; left out: beside the data" },
		running = pd.list { default = { "postgresql" }, help = "services that must run at the end" },
	},
	questions = runbook.questions "Applications are cut off while the database is dumped and updated.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t)
		if p.scratch and p.prove == "read" then
			runbook.wrong("parameter 'scratch' has no effect with prove=read; leave it out")
		end
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe }
		local quiesced = database.quiesce { cluster = p.cluster, wait = p.wait }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
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
				runbook.snapshot(t),                                        -- A19
			},
			pd.hold { runbook.held(t, quiesced),                                -- A10
				pd.stage "dump" {
					database.dump { cluster = p.cluster, to = p.safe, prove = p.prove, scratch = p.scratch }, -- A8
					runbook.away(p),                                    -- A11
				},
				pd.stage "install" { on_failure = "undo",
					new_kernel.keep,                                    -- A12
					install,                                            -- A12
					reboot,                                             -- A12
					drivers,                                            -- A14
					works(p),                                           -- A17: before applications are let in
				},
				runbook.definitions(t),                                     -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = p.running },                       -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				client_tests(p),                                            -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
