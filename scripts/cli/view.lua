-- SPDX-License-Identifier: MIT
-- The view of a run under way: a line for each event, and on a terminal a last
-- line that lives.  C calls it while the run goes on; an error in here is
-- reported, and ends the view, never the run.
local _, core = ...
local base = require "cli.base"
local status = require "cli.status_text"
local view = {}
local live = false  -- there is a last line to be wiped
local since         -- start of the step under way
local shown_stage

local function wipe()
	if live then core.raw("\r\27[K") end
	live = false
end

local function line(e, color, mark, step, text)
	base.print("%s %s %s %s\n", core.date(e.time // 1000, true), base.paint(color, base.pad(mark, 9)),
		base.pad(step, 38), text or "")
end

local function stage_head(s)
	local stage = s.round .. " " .. s.stage
	if stage ~= shown_stage then base.print("%s\n", base.paint("bold", "== " .. s.stage)) end
	shown_stage = stage
end

local function took(e) return ("%.1f s"):format(e.data.seconds or 0) end

local function failed(e, s)
	line(e, "red", e.kind, s.id, e.data.message)
	if s.detail then base.print("%s\n", s.detail) end
end

local of_step = {
	apply = function(e, s)
		since = core.now()
		line(e, "cyan", "begin", s.id)
	end,
	done = function(e, s) line(e, "green", e.data.result or "", s.id, took(e)) end,
	undo = function(e, s)
		since = core.now()
		line(e, "yellow", s.hold and "give back" or "undo", s.id)
	end,
	undone = function(e, s) line(e, "green", s.hold and "is back" or "undone", s.id, took(e)) end,
	failed = failed,
	stuck = failed,
	evidence = function(e, s) line(e, nil, "evidence", s.id, e.data.path) end,
	reboot = function(e, s) line(e, "yellow", "reboot", s.id, "the server is asked to start anew") end,
	retry = function(e, s)
		line(e, "yellow", "retry", s.id, ("in %d s, %d of %d: %s"):format(e.data.delay or 0, e.data.n or 0,
			e.data.of or 0, e.data.message or ""))
	end,
	skip = function(e, s) line(e, "yellow", "skip", s.id, e.data.why) end,
	again = function(e, s) line(e, "yellow", "again", s.id, e.data.why) end,
	log = function(e, s) line(e, nil, e.data.level or "", s.id, e.data.text) end,
}

-- What guards said before a stage, or a person about guards.
local function decision(e)
	local d = e.data
	line(e, "yellow", e.kind, d.stage or "", e.kind == "override" and ("by %s: %s"):format(d.who or "", d.why or "") or
		("about %s to do, %s to take back"):format(base.seconds(d.expected_do or 0), base.seconds(d.expected_undo or 0)))
	for _, name in ipairs(d.names or {}) do line(e, nil, "guard", name, "overridden for the rest of this run") end
	for mark, list in pairs { against = d.reasons or {}, overridden = d.overridden or {} } do
		for _, row in ipairs(list) do
			line(e, "yellow", mark, row.guard or "", ("%s: %s; %s"):format(row.risk or "", row.cause or "", row.remedy or ""))
		end
	end
end

local function note(e) line(e, "yellow", e.kind, "", e.data.text or e.data.why) end

local of_run = {
	state = function(e)
		local why = e.data.why or ""
		line(e, "bold", "run", e.run, (e.data.state or "") .. (why ~= "" and ": " .. why or ""))
		status.inhibitors(e.data.inhibitors)
	end,
	boot = function(e) line(e, "bold", "server", "", "reboot: " .. (e.data.how or "")) end,
	plan = function(e) line(e, "bold", "plan", e.run, "round " .. (e.data.round or 1)) end,
	sign = function(e) line(e, "green", "signed", e.data.party or "", e.data.name) end,
	go = decision,
	wait = decision,
	override = decision,
	warning = note,
	accept = note,
	scan = function(e) line(e, nil, "scan", "", ("%s the run, %.1f s"):format(e.data.when or "", e.data.seconds or 0)) end,
}

local function event(told)
	local e, s = told.event, told.step
	wipe()
	if not s then
		if of_run[e.kind] then of_run[e.kind](e) end
	elseif e.kind ~= "predict" then -- what is against the run is shown all at once
		if s.state ~= "undoing" and s.state ~= "undone" then stage_head(s) end
		if of_step[e.kind] then of_step[e.kind](e, s) end
	end
end

local function progress(p)
	local percent = p.total > 0 and ("%d %%"):format(p.done * 100 // p.total) or ""
	wipe()
	core.out(base.cut(("  %s  %s  %s  %s"):format(p.step, percent, base.seconds(since and core.now() - since or 0),
		p.text or ""), core.columns() - 1))
	live = true
end

-- --events: C prints them, since Lua knows no null.
function view.events(cli) return cli:option("events") ~= nil and not cli.json end

-- Who hears of events, beside the view.
view.options = {
	events = { "events", nil, "print JSON lines, one for each event" },
	hook = { "hook", "COMMAND", "program and arguments that get each event on standard input" },
}

function view.listen(cli) base.must(core.listen(cli:option("hook"), view.events(cli))) end

-- What becomes of the steps when the plan is changed; then a person's word.
local function confirm(cli)
	local say = view.events(cli) and core.err or core.out
	return function(change)
		for _, part in ipairs { { "steps", "" }, { "undo", "old one " }, { "gone", "gone, " } } do
			local list = change[part[1]] or {}
			for _, id in ipairs(cli.json and {} or base.sorted(list)) do
				local other = part[1] == "steps" and (change.plugins or {})[id]
				say(("  %s %s%s\n"):format(base.pad(part[2] .. list[id], 24), id, other and ", although " .. other or ""))
			end
		end
		for _, policy in ipairs(cli.json and {} or cli.policies or {}) do
			say(("  %s %s\n"):format(base.pad("policy", 24), policy))
		end
		if cli:option("yes") then return true end
		if not base.about.terminal or not base.about.input_terminal then return false end
		say("Go on with this plan (yes/no)? ")
		return core.line() == "yes"
	end
end

function view.open(cli)
	local quiet = cli.json or cli:option("events")
	core.watch(not cli.json and event or nil, not quiet and base.about.terminal and progress or nil, confirm(cli))
end

function view.close()
	wipe()
	core.watch()
end

return view
