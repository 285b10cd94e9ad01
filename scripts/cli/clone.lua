-- SPDX-License-Identifier: MIT
-- rehearse and drill: the command line of the programs that do a run on clones
-- of this server.  All of it is checked here, before anything is cloned.
local _, core = ...
local base = require "cli.base"
local run = require("cli.run").run
local workflow = require "cli.workflow"

-- What is for the program itself comes before "--", what is for the run behind.
local function words(cli, own)
	local before, behind = {}, { "--state=" .. cli.state }
	for _, given in ipairs(cli.given) do
		local list = own[given[1]] and before or behind
		if given[1] ~= "state" then list[#list + 1] = given[3] end
	end
	before[#before + 1] = "--"
	table.move(behind, 1, #behind, #before + 1, before)
	before[#before + 1] = cli.operands[1]
	return before
end

local function program(name, own)
	return function(cli)
		if base.about.uid ~= 0 then base.fail("not-root", "a clone of the server needs root") end
		workflow.plan(cli, workflow.inputs(cli))
		base.must(core.exec(cli.programs, name, core.list(words(cli, own))))
		base.fail("usage", ("the program patchday-%s is not in %s"):format(name, cli.programs),
			"Install patchday whole: `make install`.")
	end
end

-- name, { summary, text, options }
local function command(name, row)
	local own = { json = true }
	row.operands, row.least, row.most = "WORKFLOW", 1, 1
	for _, option in ipairs(row.options) do own[option[1]] = true end
	for _, option in ipairs(run.options) do row.options[#row.options + 1] = option end
	row.run = program(name, own)
	return row
end

local leave_out = { "leave-out", "DIR", "a data folder that is empty in the clone; may be repeated" }
local show = { "show", "PATH", "show this in the clone too, read-only; may be repeated" }
local timeout = { "timeout", "TIME", "the longest that one run may take (default 4h)" }

return {
	rehearse = command("rehearse", {
		summary = "do the whole run on a throw-away clone of this server",
		text = [[
Do the whole run, reboots included, on a copy-on-write clone of this very
server that has its own init and no way to its network, disks and printers;
tell what would change; and throw the clone away. The server stays as it is.
]],
		options = {
			{ "work", "DIR", "where the clone's changes are kept (default /var/lib/patchday/rehearse)" },
			leave_out, show, timeout,
			{ "evidence", "DIR", "copy what the steps kept of their work into this folder" },
			{ "files", nil, "list every file that would change" },
		},
	}),
	drill = command("drill", {
		summary = "stop the run on clones at every point; each has to end well",
		text = [[
Do the run on clones of this server, once without a fault, and then stop it at
each point of its journal: by kill -9 (kill), by cutting the clone's power
(power), by a full disk (enospc) and by a torn last write (torn). After each it
has to come to its end, done or rolled back. The server stays as it is.
]],
		options = {
			{ "points", "LIST", "such as 1,7,20-30, or \"every 10\" (default: every point)" },
			{ "kinds", "LIST", "of kill, power, enospc and torn (default: all)",
				choices = { "kill", "power", "enospc", "torn" }, many = true },
			{ "jobs", "N", "so many clones at once (default 1)" },
			{ "results", "FILE", "add each result to this file; what ended well in it is not done again" },
			{ "work", "DIR", "keep the clones' changes here instead of in memory" },
			leave_out, show, timeout,
		},
	}),
}
