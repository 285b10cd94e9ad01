-- SPDX-License-Identifier: MIT
-- run, resume, undo and signoff: the commands that work on a run.
local _, core = ...
local base = require "cli.base"
local status = require "cli.status_text"
local view = require "cli.view"
local workflow = require "cli.workflow"

local function need_root()
	if base.about.uid ~= 0 then base.fail("not-root", "a run changes the server and needs root") end
end

-- The command line that systemd calls when the server comes up again.
local function resume_line(cli)
	local line = { base.about.self, "resume", "--unattended", "--state", cli.state, "--scripts", cli.scripts }
	for _, folder in ipairs(cli:all("plugin-dir")) do
		line[#line + 1] = "--plugin-dir"
		line[#line + 1] = folder
	end
	return line
end

local next_of_end = { [3] = "mend the server by hand, then `patchday undo`",
	[4] = "mend what was found, then `patchday run` again" }
local next_of_state = {
	["waiting for sign-off"] = "patchday signoff --party PARTY --name NAME",
	stopped = "`patchday resume` tries the step again, `patchday undo` takes all back",
	interrupted = "`patchday resume` goes on where it was interrupted",
}

-- How it ended, where the report is, what to do next.
local function last_words(cli, run, ended)
	local r = base.must(core.record(run))
	local files, err
	if r.over or r.state == "stopped" then files, err = core.certificate(run) end
	if err then base.show_error(err) end
	if cli:option("events") then return end
	if cli.json then return base.print_json(r) end
	base.print("\nrun %s on %s: %s\n", run, r.server, status.state(r))
	if files then base.print("certificate: %s\n             %s\n", files.xml, files.html) end
	local following = next_of_state[r.state] or next_of_end[ended] or
		r.state == "done" and #r.parties > 0 and not r.sealed and "`patchday final` seals the certificate"
	if following then base.print("next: %s\n", following) end
end

-- how: see core/cli/run.c, act()
local function act(cli, how)
	how.resume = resume_line(cli)
	how.unattended = cli:option("unattended") ~= nil
	view.open(cli)
	local done = base.must(core.act(how))
	view.close()
	if done.error then
		done.error.status = done.status ~= 0 and done.status or 2
		error(done.error, 0)
	end
	last_words(cli, done.run, done.status)
	return done.status
end

local function run(cli)
	need_root()
	local inputs = workflow.inputs(cli)
	local made = workflow.plan(cli, inputs)
	if not cli.json and not cli:option("events") then core.out(workflow.text(made) .. "\n") end
	return act(cli, { what = "start", inputs = inputs })
end

local function go_on(what)
	return function(cli)
		need_root()
		return act(cli, { what = what, run = base.must(core.find(cli.operands[1])) })
	end
end

local function signoff(cli)
	local id = base.must(core.find(cli.operands[1]))
	local party = cli:option("party") or base.fail("usage", "say who signs: --party PARTY")
	return act(cli, { what = "sign", run = id, party = party, note = cli:option("note"),
		name = cli:option("name") or base.about.environment.SUDO_USER or core.user() })
end

local events = { "events", nil, "print JSON lines, one for each event" }

return {
	run = {
		operands = "WORKFLOW", least = 1, most = 1,
		summary = "take this server through a workflow",
		text = [[
Plans, looks at the server with every step, and starts only if no step has a
reason against it. Each step is journaled before and after; whatever crashes
or reboots, the run goes on with `patchday resume`, which systemd calls by
itself when the server comes up.
]],
		options = { workflow.options[1], workflow.options[2], events },
		run = run,
	},
	resume = {
		operands = "[RUN]", most = 1,
		summary = "go on with a run that was interrupted or stopped",
		text = [[
Goes on at the step where the journal ends. A step of which it is not known
how far it came is looked at before anything is repeated.
]],
		options = { events, { "unattended", nil, "started by the server's boot, not by a person" } },
		run = go_on("resume"),
	},
	undo = {
		operands = "[RUN]", most = 1,
		summary = "take a run back, in reverse order",
		text = [[
Undoes every step of the run that changed something, back to the last point of
no return. Ends rolled back, or inconsistent if a step can't be undone.
]],
		options = { events },
		run = go_on("undo"),
	},
	signoff = {
		operands = "[RUN]", most = 1,
		summary = "sign a run whose work is done",
		text = [[
The run is done when every party named by the workflow has signed; then the
certificate is complete.
]],
		options = {
			{ "party", "PARTY", "who signs: one of the workflow's parties; required" },
			{ "name", "NAME", "name of the person (default: the user logged in)" },
			{ "note", "TEXT", "what the person has to add" },
		},
		run = signoff,
	},
}
