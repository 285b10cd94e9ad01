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
	-- what a person accepted, overrode or passed over is in the journal
	for _, option in ipairs { "plugin-dir", "hook", "poll" } do
		for _, value in ipairs(cli:all(option)) do
			line[#line + 1] = "--" .. option
			line[#line + 1] = value
		end
	end
	if cli:option("no-wait") then line[#line + 1] = "--no-wait" end
	for _, name in ipairs { "PATCHDAY_PATH", "TZ" } do -- what steps see of the environment
		local value = base.about.environment[name]
		if value then table.insert(line, 1, name .. "=" .. value) end
	end
	if line[1] ~= base.about.self then table.insert(line, 1, "/usr/bin/env") end
	return line
end

-- Where the plugins of a run were: `resume` and `undo` say so when they miss one.
local function note_folders(cli, inputs, old)
	local folders = cli:all("plugin-dir")
	inputs.plugin_dirs = #folders > 0 and core.list(folders) or old and core.list(old)
end

local next_of_end = { [3] = "try `patchday undo` again, or mend the server by hand and say so: " ..
	"`patchday status --clear --why TEXT`",
	[4] = "mend what was found, then `patchday run` again" }
local next_of_state = {
	["waiting for sign-off"] = "patchday signoff --party PARTY --name NAME",
	stopped = "`patchday resume` tries the step again, `patchday undo` takes all back,\n" ..
		"      `patchday report` shows what has been done",
	interrupted = "`patchday resume` goes on where it was interrupted",
	rebooting = "the run goes on by itself after the reboot; if none comes, reboot the server",
	["waiting to go on"] = "`patchday resume` waits on; `patchday resume --emergency NAME --why TEXT`\n" ..
		"      overrides a guard; `patchday undo` gives up",
}

-- How it ended, where the report is, what to do next.
local function last_words(cli, run, ended)
	local r = base.must(core.record(run, not cli.json))
	local files, err
	if r.over then files, err = core.certificate(run) end
	if err then base.show_error(err) end
	if cli:option("events") then return end
	if cli.json then return base.print_json(r) end
	base.print("\nrun %s on %s: %s\n", run, r.server, status.state(r))
	status.comparison(r.comparison)
	if files then base.print("certificate: %s\n             %s\n", files.xml, files.html) end
	local to_seal = (r.state == "done" or r.state == "rolled back") and #r.parties > 0 and not r.sealed
	local following = next_of_state[r.state] or next_of_end[ended] or
		to_seal and "`patchday final` seals the certificate"
	if following then base.print("next: %s\n", following) end
end

-- 1 to 3600, in milliseconds.
local function poll(cli)
	local given = cli:option("poll")
	local n = given and math.tointeger(tonumber((given:gsub("s$", ""))))
	if given and (not n or n < 1 or n > 3600) then
		base.fail("usage", ("--poll wants 1 to 3600 seconds, not '%s'"):format(given))
	end
	return n and n * 1000
end

-- A run that waits for its guards in another process hears what a person says to it;
-- nil: it does not wait.  If that process ends without having taken all back, "again".
local function say(cli, how)
	local n, err = core.word(how)
	if err then
		err.status = 2
		error(err, 0)
	end
	if n and cli:option("no-wait") then
		last_words(cli, how.run, 5)
		return 5
	end
	local ended = n and base.must(core.follow(how.run, n, how.what == "undo" and 3 or nil))
	if ended and ended.record.state == "undoing" and ended.record.pid == 0 then return "again" end
	if ended then last_words(cli, how.run, ended.status) end
	return ended and ended.status
end

-- Is it something that can be said to a run that waits?
local function is_word(cli, how)
	if how.what == "undo" then return true end
	for _, other in ipairs { "skip", "redo", "accept-no-return" } do
		if cli:option(other) then return false end
	end
	return how.what == "resume" and how.emergency and not how.change
end

-- how: see core/cli/run.c, act()
local function act(cli, how)
	how.resume = resume_line(cli)
	how.unattended, how.no_wait = cli:option("unattended") ~= nil, cli:option("no-wait") ~= nil
	how.accept_no_return, how.why = cli:option("accept-no-return"), cli:option("why")
	how.accept_failing = cli:option("accept-failing")
	how.emergency = cli:option("emergency")
	how.skip, how.redo, how.poll = core.list(cli:all("skip")), core.list(cli:all("redo")), poll(cli)
	view.listen(cli)
	view.open(cli)
	local done = base.must(core.act(how))
	local said = done.error and done.error.id == "run-locked" and is_word(cli, how) and say(cli, how)
	if said == "again" then done, said = base.must(core.act(how)), nil end
	view.close()
	if said then return said end
	if done.error then
		-- a missing secret waits for a person at a terminal
		done.error.status = done.error.id == "secret-missing" and 5 or done.status ~= 0 and done.status or 2
		error(done.error, 0)
	end
	last_words(cli, done.run, done.status)
	return done.status
end

local function run(cli)
	need_root()
	core.spawner()
	local inputs = workflow.inputs(cli)
	local made = workflow.plan(cli, inputs)
	if workflow.ask(cli, made, inputs) then made = workflow.plan(cli, inputs) end
	note_folders(cli, inputs)
	base.must(core.secrets())
	if not cli.json and not cli:option("events") then core.out(workflow.text(made, inputs) .. "\n") end
	return act(cli, { what = "start", inputs = inputs })
end

-- The plan of the round under way anew: the run's inputs, but for what is given.
local function changed(cli, id)
	local old = base.must(core.inputs(id))
	local given = workflow.inputs(cli, cli:option("workflow") or old.inputs.script)
	note_folders(cli, given, old.inputs.plugin_dirs)
	if given.script == old.inputs.script then given.package = old.inputs.package end
	for key, value in pairs(old.inputs.params or {}) do given.params[key] = given.params[key] or value end
	if not cli:option("catalog") then given.catalogs = core.list(old.inputs.catalogs or {}) end
	for key, value in pairs(old.inputs.answers or {}) do given.answers[key] = given.answers[key] or value end
	local made = base.must(core.plan(given, nil, old.round))
	if workflow.ask(cli, made, given) then made = base.must(core.plan(given, nil, old.round)) end
	base.must(core.secrets())
	cli.policies = require("cli.plan_text").policies(old.plan, made.plan)
	return given
end

local function go_on(what)
	return function(cli)
		need_root()
		core.spawner()
		local how = { what = what, run = base.must(core.find(cli.operands[1])) }
		if what == "resume" and (cli:option("workflow") or cli:option("param") or cli:option("catalog") or
			cli:option("answers")) then
			how.inputs, how.change = changed(cli, how.run), true
		end
		return act(cli, how)
	end
end

local function signoff(cli)
	local id = base.must(core.find(cli.operands[1]))
	local party = cli:option("party") or base.fail("usage", "say who signs: --party PARTY")
	return act(cli, { what = "sign", run = id, party = party, note = cli:option("note"),
		name = cli:option("name") or core.user() })
end

local events, hook = view.options.events, view.options.hook
local accept = { "accept-no-return", "WHY", "go past a point of no return without a verified backup", said = true }
local failing = { "accept-failing", "WHY", "start although steps fail in the dry run, as others before them mend it",
	said = true }
local no_wait = { "no-wait", nil, "if guards speak against it, end at once with status 5" }
local emergency = { "emergency", "NAME,...", "override these guards for the rest of the run" }
local every = { "poll", "SECONDS", "how often guards are asked while the run waits (default 30)" }
local why = { "why", "TEXT", "the reason, for the journal and the report", said = true }

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
		options = { workflow.options[1], workflow.options[2], workflow.options[3], accept, failing, no_wait, emergency, why,
			every, events, hook },
		forms = { "events", "json" }, run = run,
	},
	resume = {
		operands = "[RUN]", most = 1,
		summary = "go on with a run that was interrupted or stopped",
		text = [[
Goes on at the step where the journal ends. A step of which it is not known
how far it came is looked at before anything is repeated.
]],
		options = {
			{ "workflow", "WORKFLOW", "plan the round anew with it; shows what becomes of each step, and asks" },
			{ "param", "NAME=VALUE", "plan anew with this parameter; may be repeated" },
			{ "catalog", "FILE", "plan anew with this catalog; may be repeated" },
			{ "answers", "FILE", "plan anew with these answers" },
			{ "yes", nil, "agree to the new plan without being asked" },
			{ "skip", "STEP", "pass the step over; may be repeated" },
			{ "redo", "STEP", "do a step once more; may be repeated" },
			accept, failing, no_wait, emergency, why, every, events, hook,
			{ "unattended", nil, "started by the server's boot, not by a person" },
		},
		forms = { "events", "json" }, run = go_on("resume"),
	},
	undo = {
		operands = "[RUN]", most = 1,
		summary = "take a run back, in reverse order",
		text = [[
Undoes every step of the run that changed something, back to the last point of
no return. Ends rolled back, or inconsistent if a step can't be undone. A run that
a newer one stands on is taken back only with --why.
]],
		options = { why, events, hook },
		forms = { "events", "json" }, run = go_on("undo"),
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
			events, hook,
		},
		forms = { "events", "json" }, run = signoff,
	},
}
