-- SPDX-License-Identifier: MIT
-- The runbook of a @NAME@ server, from top to bottom.
--
-- A workflow computes a plan and touches nothing: what it may use is the
-- server's facts (t.facts), the updates (t.catalog), its parameters (t.params)
-- and the answers to its questions (t.answers).  `patchday plugins` lists the
-- steps there are, `patchday plugins NAME` what one takes and gives.
local pd = require "patchday"
local backup, eventlog, host = pd.use "backup", pd.use "eventlog", pd.use "host"
local probe, service, update = pd.use "probe", pd.use "service", pd.use "update"

-- What a user of this server does; the same before and after.
local function client_tests(p)
	return probe.tcp { host = "127.0.0.1", port = p.port }
end

return pd.workflow {
	api = 1, name = "@NAME@", role = "@NAME@",
	help = "patch day of a @NAME@ server",
	params = {
		safe = pd.path { default = "/var/lib/patchday/safe", help = "folder for logs and backups" },
		port = pd.int { default = 22, min = 1, max = 65535, help = "port that the client test connects to" },
		hold = pd.list { default = { "cron" }, help = "services that are stopped meanwhile" },
		sign = pd.list { default = { "operations" }, help = "who signs" },
	},
	questions = {
		downtime = pd.question { must = true, ask = "Was the downtime agreed, and were the people concerned informed?" },
	},
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		if #due == 0 then return pd.nothing "no update applies" end

		local logs = eventlog.export { to = p.safe }
		local state = backup.state { to = p.safe }
		local install = update.install { updates = due, keep = p.safe }

		return {
			-- Nothing changes here: if a step fails, the run stops for a person.
			pd.stage "prepare" {
				host.space { path = p.safe, bytes = 2 * due:size() },
				logs,
				client_tests(p),
			},
			-- The backup that makes it safe to go on; it is read back.
			pd.stage "save" {
				state,
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 },
			},
			-- What is held comes back, whatever happens inside.
			pd.hold { service.stop { units = p.hold },
				pd.stage "install" { on_failure = "undo",
					install,
					host.reboot { reason = "the updates take effect",
						when = due:needs_reboot() or install.out.reboot_required },
				},
			},
			-- If this fails, all of it is taken back.
			pd.stage "prove" { on_failure = "undo",
				eventlog.compare { before = logs.out.archive, fail_on = "error" },
				client_tests(p),
			},
			pd.signoff { parties = p.sign },
		}
	end,
}
