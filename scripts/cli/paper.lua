-- SPDX-License-Identifier: MIT
-- A run on paper: the engine, the journal and the workflow are the real ones,
-- but what each step ends with is written down; of the server nothing is looked
-- at or touched.
local _, core = ...
local base = require "cli.base"
local paper = {}

local phases = { "check", "apply", "verify", "undo" }
local results = { "changed", "unchanged", "failed", "retry", "refused", "irreversible" }
paper.phases, paper.results = phases, results

local made_up = { number = 0, boolean = false, list = core.list {}, seconds = 0, bytes = 0 }

-- What a step gives of which nobody has said it: a value of its type.
local function default_outputs(step)
	local outputs = {}
	for _, about in ipairs((core.plugin(step.plugin) or { steps = {} }).steps) do
		for _, out in ipairs(about.name == step.step and about.outputs or {}) do
			local value = made_up[out.type]
			if value == nil then value = ("/paper/%s/%s"):format(step.id:gsub("/", "-"), out.name) end
			outputs[out.name] = value
		end
	end
	return outputs
end

-- The next of the outcomes written for a call; the last one stays.
local function take(outcomes, step, phase)
	local list = (outcomes[step] or {})[phase] or {}
	local said
	for _, one in ipairs(list) do
		said = one
		if not one.used then break end
	end
	if said then said.used = true end
	return said
end

-- Outcomes that no call has taken, in the order of their lines.
function paper.unused(outcomes)
	local unused = {}
	for _, of_step in pairs(outcomes) do
		for _, list in pairs(of_step) do
			for _, said in ipairs(list) do unused[#unused + 1] = not said.used and said or nil end
		end
	end
	table.sort(unused, function(a, b) return a.line < b.line end)
	return unused
end

-- The function that answers for the steps of a plan.
local function player(plan, outcomes, outputs)
	local given, done = {}, {}
	for _, s in ipairs(plan.steps) do
		given[s.id] = s.plugin ~= "" and default_outputs(s) or {}
		for name, out in pairs(outputs[s.id] or {}) do given[s.id][name] = out.value end
	end
	return function(call)
		local said = take(outcomes, call.step, call.phase) or {}
		local result = said.result
		local answer = { result = result, message = said.message }
		if result == "irreversible" then answer.irreversible, answer.message, result = said.message, nil, nil end
		if call.phase == "check" then
			answer.result = result or (done[call.step] or not given[call.step]) and "unchanged" or "changed"
		elseif call.phase == "apply" then
			answer.result = result or "changed"
			done[call.step] = answer.result == "changed" or nil
		elseif call.phase == "undo" then
			answer.result = result or "changed"
			if answer.result == "changed" then done[call.step] = nil end
		else
			answer.result = result or "unchanged"
		end
		answer.outputs = (call.phase == "check" or call.phase == "apply") and given[call.step] or nil
		return answer
	end
end

local told = {
	done = function(_, s) return "done", s.id end,
	failed = function(e, s) return "failed", s.id, e.data.message end,
	retry = function(e, s) return "retry", s.id, e.data.message end,
	reboot = function(_, s) return "reboot", s.id end,
	undone = function(_, s) return s.hold and "given back" or "undone", s.id end,
	stuck = function(e, s) return "stuck", s.id, e.data.message end,
	wait = function(e)
		local why = {}
		for i, row in ipairs(e.data.reasons or {}) do why[i] = ("%s: %s"):format(row.guard, row.cause) end
		return "wait", e.data.stage, table.concat(why, "; ")
	end,
}

local function line(mark, what, why)
	return ("%-10s %s%s"):format(mark, what, (why or "") ~= "" and ": " .. why or "")
end

-- What an event is in a course, as a line; nil: nothing.
local function line_of(t)
	local tell = told[t.event.kind]
	if tell and (t.step or t.event.kind == "wait") then return line(tell(t.event, t.step)) end
end

local ends = { "done", "stopped", "rolled back", "inconsistent", "refused" }

-- The course of the first round of a run that was, until it came to an end for the
-- first time; and what steps had to be tried again for: { step, why }.
function paper.course(run)
	local lines, again, over = {}, {}, false
	core.watch(function(t)
		local e = t.event
		over = over or e.kind == "plan" and #lines > 0
		if over or e.kind == "wait" then return end -- for which the time of day was to blame
		lines[#lines + 1] = line_of(t)
		if e.kind == "retry" then again[#again + 1] = { step = t.step.id, why = e.data.message or "" } end
		if e.kind == "state" and base.has(ends, e.data.state) then
			lines[#lines + 1], over = line("=", e.data.state, e.data.why), true
		end
	end)
	local ended, err = core.follow(run, 0, 0)
	core.watch()
	base.must(ended, err)
	for i, text in ipairs(lines) do lines[i] = text:gsub("%s*\n%s*", " ") end
	return lines, again
end

-- Step and outcome of a line; messages are in other words from day to day.
local function essence(text)
	local mark, rest = text:sub(1, 10):gsub("%s+$", ""), text:sub(12)
	return mark .. " " .. rest:gsub(": .*", "")
end

-- Where a course leaves that which was recorded, in words; nil: nowhere.  What a
-- recording has no line for after its last one, such as further rounds, is none.
function paper.parting(recorded, came)
	local now = {}
	for text in base.lines(came) do
		if not text:find("^status ") then now[#now + 1] = text end
	end
	for i = 1, #recorded do
		local was, is = recorded[i], now[i] or "nothing"
		if essence(was) ~= essence(is) then
			return ("  the course leaves the run that was recorded at line %d of it:\n%s\n%s\n"):format(i,
				base.paint("red", "  - " .. was), base.paint("green", "  + " .. is))
		end
	end
end

-- The plan that was made last, until it ends or waits: what happens, line by
-- line, and the exit status.
function paper.run(made, inputs, case)
	local lines, boots = {}, 1
	core.watch(function(t) lines[#lines + 1] = line_of(t) end, nil, nil, player(made.plan, case.outcomes, case.outputs))
	local how = { what = "start", inputs = inputs, boots = boots, no_wait = true,
		accept_no_return = case.options["accept-no-return"] }
	local ended, record
	repeat -- a reboot ends the process, also one that takes the run back
		ended = base.must(core.act(how))
		record = ended.run and not ended.error and base.must(core.record(ended.run))
		boots = boots + 1
		how = { what = "resume", run = ended.run, boots = boots, no_wait = true }
	until not record or boots > 100 or record.state ~= "rebooting" and record.state ~= "interrupted"
	core.watch()
	if ended.error then
		lines[#lines + 1] = "error: " .. base.error_text(ended.error)
	else
		lines[#lines + 1] = line("=", record.state, record.why)
	end
	lines[#lines + 1] = "status " .. ended.status
	return table.concat(lines, "\n") .. "\n"
end

return paper
