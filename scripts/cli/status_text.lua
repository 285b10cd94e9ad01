-- SPDX-License-Identifier: MIT
-- Where a run stands, for people.
local _, core = ...
local base = require "cli.base"
local status = {}
local colors = { begun = "cyan", done = "green", failed = "red", undoing = "yellow", undone = "yellow", stuck = "red",
	skipped = "yellow" }

-- "refused: why"
function status.state(r)
	return r.state .. ((r.why or "") ~= "" and ": " .. r.why or "")
end

-- Reasons not to start.
function status.inhibitors(list)
	for _, row in ipairs(list or {}) do
		base.print("    %s: %s%s\n      %s %s\n      remedy: %s\n", base.paint("red", "refused"),
			(row.step or "") ~= "" and row.step .. ": " or "", row.risk or "", base.pad("cause:", 7), row.cause or "",
			row.remedy or "")
	end
end

-- Guards that a person has overridden, and what the others have against it.
local function decisions(r)
	for _, row in ipairs(r.decisions or {}) do
		if row.kind == "override" then
			base.print("overridden: %s by %s: %s\n", core.encode(row.names), row.who or "", row.why or "")
		end
	end
	if not r.waiting then return end
	for _, row in ipairs(r.waits and r.waits.reasons or {}) do
		base.print("  %s: %s\n    %s %s\n    remedy: %s\n", row.guard, row.risk or "", base.pad("cause:", 7),
			row.cause or "", row.remedy or "")
	end
	if r.pid == 0 then base.print("no process waits; `patchday resume` goes on waiting\n") end
end

-- What is under way, by a sign of life: the step, a list of words that say how far it is, and
-- what is being done.  since: when its step was begun; nil: nobody knows.
function status.parts(beat, since, short)
	local words = {}
	local function add(format, ...) words[#words + 1] = format:format(...) end
	if (beat.number or 0) > 0 then add(short and "%d/%d" or "step %d of %d", beat.number, beat.steps) end
	if (beat.total or 0) > 0 then add("%d %%", beat.done * 100 // beat.total) end
	if since then
		add("%s%s", base.seconds(math.max(beat.time - since, 0)),
			(beat.expected or 0) > 0 and (short and "/" or " of about ") .. base.seconds(beat.expected) or "")
	end
	return core.clean(beat.step or ""), words, core.clean(beat.text or "")
end

-- The same in words.
function status.under_way(beat, since)
	local step, words, doing = status.parts(beat, since)
	table.insert(words, 1, step)
	words[#words + 1] = doing
	return base.sentence(words)
end

local function heartbeat(r)
	local beat, since = r.heartbeat, nil
	if not beat then return end
	for _, s in ipairs(r.steps) do
		if s.id == beat.step and (s.state == "begun" or s.state == "undoing") then since = s.started // 1000 end
	end
	base.print("last sign of life %s ago: %s\n", base.seconds(math.max(core.now() - (beat.time or 0), 0)),
		status.under_way(beat, since))
end

-- Before and after: counts, and what no step explains.
function status.comparison(c)
	if not c then return end
	base.print("before and after: %d unexplained, %d explained by steps (patchday report)\n", c.unexplained,
		c.explained)
	if #c.not_compared > 0 then base.print("  not compared: %s\n", table.concat(c.not_compared, ", ")) end
	for i, d in ipairs(c.differences) do
		if not d.by and i <= 20 then
			base.print("  unexplained: %s %s %s %s %s -> %s\n", d.kind, d.key, d.change, d.field or "", d.before or "",
				d.after or "")
		end
	end
end

function status.print(r)
	local stage
	base.print("run %s: %s on %s, started %s\n", r.run, r.workflow, r.server, core.date(r.started // 1000))
	for _, s in ipairs(r.steps) do
		if stage ~= s.round .. " " .. s.stage then base.print("%s%s\n", base.plain and "stage " or "", s.stage) end
		stage = s.round .. " " .. s.stage
		local row = { { s.hold and s.state == "undone" and "is back" or s.state, 8, colors[s.state] }, { s.id, 40 },
			("%8.1f s"):format(s.seconds) }
		row[4] = s.recovered and (base.plain and "" or " ") .. "(found done after a crash)" or nil
		base.print("  %s\n", base.row(row))
		if s.message then base.print("           %s\n", s.message) end
	end
	status.inhibitors(r.inhibitors)
	base.print("state: %s\n", status.state(r))
	decisions(r)
	for _, text in ipairs(r.warnings) do base.print("note: %s\n", text) end
	if r.pid > 0 then base.print("process %d is working on it\n", r.pid) end
	heartbeat(r)
end

return status
