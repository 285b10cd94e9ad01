-- SPDX-License-Identifier: MIT
-- Does what a test says of steps fit its plan?  A line that says nothing is a fault.
local _, core = ...
local finder = require("cli.plan_text").finder
local fit = {}

local function meant(word, words)
	local near = core.nearest(word, words)
	return near and ("; did you mean '%s'?"):format(near) or ""
end

local made_of = { number = "integer", bytes = "integer", seconds = "integer", boolean = "boolean", list = "table" }

-- What is wrong with a line, or nil.
local function of_output(about, name, value)
	local names, kind = {}, nil
	for i, out in ipairs(about.outputs) do
		names[i] = out.name
		if out.name == name then kind = out.type end
	end
	if not kind then return ("it has no output '%s'%s"):format(name, meant(name, names)) end
	if (math.type(value) or type(value)) ~= (made_of[kind] or "string") then
		return ("its output '%s' is a %s: %s is none"):format(name, kind, core.encode(value))
	end
end

local function of_outcome(about, said, guards)
	if guards and said.phase ~= "check" then return "a guard is asked in check alone" end
	for _, phase in ipairs { "verify", "undo" } do
		if said.phase == phase and not about[phase] then return ("it has no %s"):format(phase) end
	end
	if said.phase ~= "check" and (said.result == "refused" or said.result == "irreversible") then
		return ("%s is a result of check, not of %s"):format(said.result, said.phase)
	end
end

-- All that does not fit a plan: { error... }, in the order of lines.
function fit.plan(c, plan)
	local find, ids, steps, guards, faults = finder(), {}, {}, {}, {}
	for _, s in ipairs(plan.steps) do ids[#ids + 1], steps[s.id] = s.id, s end
	for _, g in ipairs(plan.guards or {}) do ids[#ids + 1], steps[g.id], guards[g.id] = g.id, g, true end
	local function judge(id, line, check)
		local s = steps[id]
		local about = s and find(s.plugin, s.step)
		local why = not s and ("the plan has no step '%s'%s"):format(id, meant(id, ids)) or
			not about and ("%s is no step of a plugin"):format(id) or nil
		local fault = about and check(about)
		why = fault and ("%s: %s"):format(id, fault) or why
		if why then
			faults[#faults + 1] = { id = "test-shape", where = ("%s:%d"):format(c.file, line), line = line, message = why }
		end
	end
	for id, outputs in pairs(c.outputs) do
		for name, out in pairs(outputs) do
			judge(id, out.line, function(about) return of_output(about, name, out.value) end)
		end
	end
	for id, phases in pairs(c.outcomes) do
		for _, list in pairs(phases) do
			for _, said in ipairs(list) do
				judge(id, said.line, function(about) return of_outcome(about, said, guards[id]) end)
			end
		end
	end
	table.sort(faults, function(a, b) return a.line < b.line end)
	return faults
end

return fit
