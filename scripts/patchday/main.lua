-- SPDX-License-Identifier: MIT
-- Runs a script and hands its plan, or its description, to C.
local _, core = ...
local strict = require "patchday.strict"
local steps = require "patchday.steps"
local params = require "patchday.params"
local questions = require "patchday.questions"
local plan = require "patchday.plan"
local facts = require "patchday.facts"
local selection = require "patchday.selection"
local unknown = require "patchday.unknown"

local function describe(w)
	return { workflow = w.name, role = w.role, help = w.help, rounds = w.rounds,
		plugins = strict.keys(steps.used), params = params.describe(w.params),
		questions = select(3, questions.values(w.questions, {})) }
end

local function inputs(w, given, answers, round, server)
	local values, names = params.values(w.params, given)
	local answered, asked, rows = questions.values(w.questions, answers)
	local t = { facts = facts, catalog = selection.catalog, round = round, server = server }
	t.params = strict.names("t.params", "parameter", names, function(k) return values[k] end)
	t.answers = strict.names("t.answers", "question", asked, function(k) return answered[k] end)
	for _, name in ipairs { "params", "questions" } do
		if w[name] == unknown then t[name == "params" and name or "answers"] = unknown end
	end
	return values, rows, strict.names("t", "field", strict.keys(t), function(k) return t[k] end)
end

-- The guards of a workflow that has no word on it, on a server that can ask them.
local function usual()
	return core.steps("guard", true) and { steps.make("guard.busy"), steps.make("guard.power") }
end

-- Behind a mistake that was passed over: what is left of a workflow that has no plan.
local function unclear(w)
	local flat = plan.none("unknown")
	flat.workflow, flat.role, flat.rounds, flat.params = w.name or "unknown", w.role or "", w.rounds or 1, {}
	return flat
end

return function(script, only_describe, given, answers, round, server)
	local returned = script()
	local w = plan.blocks[returned]
	if not w or w.kind ~= "workflow" then
		if returned ~= unknown then strict.fail("the script ends without its workflow: return pd.workflow { ... }") end
		return unclear {}
	end
	if only_describe then return describe(w) end
	local values, asked, t = inputs(w, given or {}, answers or {}, round, server)
	if type(w.plan) ~= "function" then return unclear(w) end
	core.place(w.plan)
	local flat = plan.flatten((w.plan(t)))
	flat.reboots = w.reboots
	if not flat.nothing and w.guards ~= unknown then
		core.place(w.guards or w.plan)
		flat.guards = plan.guards(((w.guards or usual)(t)))
	end
	flat.notes = #plan.notes > 0 and plan.notes or nil
	flat.workflow, flat.role, flat.rounds, flat.params, flat.questions =
		w.name, w.role, w.rounds, values, asked
	return flat
end
