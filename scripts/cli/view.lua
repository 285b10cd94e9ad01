-- SPDX-License-Identifier: MIT
-- The view of a run under way: a line for each event, and on a terminal a last
-- line that lives, or with --plain one in half a minute.  C calls it while the run
-- goes on; an error in here is reported, and ends the view, never the run.
local _, core = ...
local base = require "cli.base"
local columns = require "cli.columns"
local status = require "cli.status_text"
local view = {}
local drawn = ""    -- the last line, which is to be wiped
local alive         -- the sign of life in it
local since = {}    -- step under way, when it was begun
local told = 0      -- when something was printed last
local shown_stage

-- On a terminal that was made narrower the line has become several.
local function wipe()
	local up = columns.lines(drawn, core.columns()) - 1
	if drawn ~= "" then core.raw("\r" .. (up > 0 and ("\27[%dA"):format(up) or "") .. "\27[J") end
	drawn = ""
end

local function line(e, color, mark, step, text)
	told = core.now()
	base.print("%s\n", base.row { core.date(e.time // 1000, true), { mark, 9, color }, { step, 38 }, text or "" })
end

local function stage_head(s)
	local stage = s.round .. " " .. s.stage
	if stage ~= shown_stage then
		base.print("%s\n", base.plain and "stage " .. s.stage or base.paint("bold", "== " .. s.stage))
	end
	shown_stage = stage
end

local function took(e) return ("%.1f s"):format(e.data.seconds or 0) end

local function failed(e, s)
	since = {}
	line(e, "red", e.kind, s.id, e.data.message)
	if s.detail then base.print("%s\n", s.detail) end
end

local of_step = {
	apply = function(e, s)
		since = { step = s.id, at = e.time // 1000 }
		line(e, "cyan", "begin", s.id)
	end,
	done = function(e, s)
		since = {}
		line(e, "green", e.data.result or "", s.id, took(e))
	end,
	undo = function(e, s)
		since = { step = s.id, at = e.time // 1000 }
		line(e, "yellow", s.hold and "give back" or "undo", s.id)
	end,
	undone = function(e, s)
		since = {}
		line(e, "green", s.hold and "is back" or "undone", s.id, took(e))
	end,
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

local function began(beat) return beat.step == since.step and since.at or nil end

-- A sign of life in one line.  How far it is and how long it takes stay: before that, what
-- is done goes, then the middle of the step's name.
local function live_line(beat, room)
	local name, far, doing, left
	for _, short in ipairs { false, true } do
		name, far, doing = status.parts(beat, began(beat), short)
		far, left = table.concat(far, "  "), room - #"  "
		if far ~= "" then left = left - columns.of(far) - #"  " end
		if left >= math.min(columns.of(name), 16) then break end
	end
	local words = {}
	for _, word in ipairs { left >= 5 and columns.shorten(name, left) or "", far, doing } do
		if word ~= "" then words[#words + 1] = word end
	end
	return columns.cut("  " .. table.concat(words, "  "), room)
end

-- Once a second; who follows may read the sign of the step before.
local function progress(beat)
	if beat.number > 0 and since.step and since.step ~= beat.step then return end
	local text = live_line(beat, core.columns() - 1)
	wipe()
	core.out(text)
	drawn, alive = text, beat
end

local function event(heard)
	local e, s = heard.event, heard.step
	local going_on = drawn ~= "" and (e.kind == "log" or e.kind == "evidence") and alive
	wipe()
	if not s then
		if of_run[e.kind] then of_run[e.kind](e) end
	elseif e.kind ~= "predict" then -- what is against the run is shown all at once
		if s.state ~= "undoing" and s.state ~= "undone" then stage_head(s) end
		if of_step[e.kind] then of_step[e.kind](e, s) end
	end
	if going_on then progress(going_on) end
end

local function plain_progress(beat)
	if core.now() - told < 30 then return end
	told = core.now()
	base.print("%s\n", base.sentence { core.date(beat.time, true), "under way", status.under_way(beat, began(beat)) })
end

-- The last lines, at most n, of what was shown of a run.
function view.tail(id, n)
	local all = {}
	core.watch(function(heard)
		local kind = heard.event.kind
		if heard.step and of_step[kind] or not heard.step and of_run[kind] then all[#all + 1] = heard end
	end)
	local known, err = core.follow(id, 0, 0)
	core.watch()
	base.must(known, err)
	for i = math.max(#all - n + 1, 1), #all do event(all[i]) end
end

-- --events: C prints them, since Lua knows no null.
function view.events(cli) return cli:option("events") ~= nil end

-- Who hears of events, beside the view.
view.options = {
	events = { "events", nil, "print JSON lines, one for each event; not with --json" },
	hook = { "hook", "COMMAND", "program and arguments that get each event on standard input" },
}

function view.listen(cli) base.must(core.listen(cli:option("hook"), view.events(cli))) end

-- What becomes of the steps when the plan is changed; then a person's word.
local function confirm(cli)
	local say, indent = view.events(cli) and core.err or core.out, base.plain and "" or "  "
	return function(change)
		for _, part in ipairs { { "steps", "" }, { "undo", "old one " }, { "gone", "gone, " } } do
			local list = change[part[1]] or {}
			for _, id in ipairs(cli.json and {} or base.sorted(list)) do
				local other = part[1] == "steps" and (change.plugins or {})[id]
				local text = id .. (other and ", although " .. other or "")
				say(indent .. base.row { { part[2] .. list[id], 24 }, text } .. "\n")
			end
		end
		for _, policy in ipairs(cli.json and {} or cli.policies or {}) do
			say(indent .. base.row { { "policy", 24 }, policy } .. "\n")
		end
		if cli:option("yes") then return true end
		if not base.about.terminal or not base.about.input_terminal then return false end
		say("Go on with this plan (yes/no)? ")
		return core.line() == "yes"
	end
end

function view.open(cli)
	local quiet = cli.json or cli:option("events")
	core.watch(not cli.json and event or nil,
		not quiet and base.about.terminal and (base.plain and plain_progress or progress) or nil, confirm(cli))
end

function view.close()
	wipe()
	core.watch()
end

return view
