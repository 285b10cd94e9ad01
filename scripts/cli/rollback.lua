-- SPDX-License-Identifier: MIT
-- The rollback plan of a plan: what happens if a stage fails whose policy is
-- undo, or when a person says `patchday undo`, and how far back it leads.
local _, core = ...
local base = require "cli.base"
local text = require "cli.plan_text"

-- The index of the last step of a stage, from 1.
local function last_of(plan, stage)
	local last = 0
	for i, s in ipairs(plan.steps) do
		if s.stage + 1 <= stage then last = i end
	end
	return last
end

-- What takes the first `last` steps back, in order: { { action, step, about } };
-- the step that can't be undone and ends it, or nil.
local function course(plan, last, find)
	local list, reboots, barrier = {}, {}, nil
	for i = last, 1, -1 do
		local s = plan.steps[i]
		local about = find(s.plugin, s.step)
		local kind = about and text.reversibility(s, about) or "readonly"
		if kind == "irreversible" then
			barrier = s
			break
		elseif kind == "reversible" and about.reboots then
			reboots[1] = reboots[1] or { "reboot", s, about }
		elseif kind == "reversible" and (not s.hold or base.has(plan.steps[last].inside or {}, i - 1)) then
			list[#list + 1] = { s.hold and "give back" or "undo", s, about }
		end
	end
	list[#list + 1] = reboots[1]
	return list, barrier
end

local function show(plan, last, find)
	local list, barrier = course(plan, last, find)
	if #list == 0 then base.print("     nothing has to be taken back\n") end
	for i, row in ipairs(list) do
		base.print("%s\n", base.row { ("%4d "):format(i), { row[1], 9 }, row[2].id .. (row[1] == "reboot" and
			", once, if the server was started anew since" or ": " .. row[3].help) })
	end
	if barrier then base.print("  %sno way back behind %s\n", base.plain and "" or "---- ", barrier.id) end
end

local function json(plan, last, find, stage)
	local list, barrier = course(plan, last, find)
	local steps = core.list {}
	for i, row in ipairs(list) do steps[i] = { action = row[1], step = row[2].id } end
	return { stage = stage, steps = steps, no_way_back_behind = barrier and barrier.id }
end

-- "a", "b" or "c"
local function any_of(names)
	local last = table.remove(names)
	return #names > 0 and table.concat(names, ", ") .. " or " .. last or last
end

-- Every stage whose failure is undone, those that are passed over, and a person's undo at the end.
return function(made, as_json)
	local plan, find, rows, passed = made.plan, text.finder(), core.list {}, {}
	if plan.nothing then
		if as_json then return base.print_json(core.list { { nothing = plan.nothing, steps = core.list {} } }) end
		return base.print("nothing to do: %s; so there is nothing that could be taken back\n", plan.nothing)
	end
	for i, stage in ipairs(plan.stages or {}) do
		if stage.on_failure == "undo" then
			rows[#rows + 1] = json(plan, last_of(plan, i), find, stage.name)
			if not as_json then
				base.print("\nif a step of \"%s\" fails, from the last one that was done:\n", stage.name)
				show(plan, last_of(plan, i), find)
			end
		elseif stage.on_failure == "continue" then
			rows[#rows + 1] = { stage = stage.name, steps = core.list {}, goes_on = true }
			passed[#passed + 1] = '"' .. stage.name .. '"'
		end
	end
	rows[#rows + 1] = json(plan, #plan.steps, find)
	if as_json then return base.print_json(rows) end
	base.print("\nif a person says `patchday undo` at the end:\n")
	show(plan, #plan.steps, find)
	if #passed > 0 then
		base.print("\nif a step of %s fails, that is a warning, and the run goes on with the next step.\n", any_of(passed))
	end
	base.print("\nif any other stage fails, the run stops for a person, and what is held is given back.\n")
end
