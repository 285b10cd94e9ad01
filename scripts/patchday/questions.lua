-- SPDX-License-Identifier: MIT
-- Questions to people, which a workflow asks before a run starts.
local _, core = ...
local strict = require "patchday.strict"
local unknown = require "patchday.unknown"
local fail = strict.fail
local specs = {} -- private parts of declarations
local questions = {}
local options = { ask = "string", help = "string", type = "string", choices = "table", must = "any" }
local types = { boolean = true, choice = true, string = true }

function questions.declare(given)
	local spec, short = strict.check("pd.question", "option", given, options)
	if short and spec.ask == nil then spec.ask = unknown end
	for k, v in pairs(spec) do
		if v == unknown and k ~= "choices" then spec[k] = k == "ask" and "unknown" or nil end
	end
	spec.choices = strict.choices("pd.question", spec.choices)
	spec.type = spec.type or spec.choices and "choice" or "boolean"
	if (spec.ask or "") == "" then fail("a question has its text: ask = \"Was the downtime agreed?\"") end
	if not types[spec.type] then
		strict.refuse("pd.question: type is \"boolean\", \"choice\" or \"string\", not '%s'", spec.type)
	end
	if (spec.type == "choice") ~= (spec.choices ~= nil) then
		strict.refuse("pd.question: a choice, and nothing else, has choices = { \"a\", \"b\" }")
	end
	if spec.must ~= nil then spec.must = core.param("must", spec, spec.must, false) end
	local object = setmetatable({}, { __metatable = "protected" })
	specs[object] = spec
	return object
end

function questions.check_declared(list)
	if list == unknown then return end
	for name, object in pairs(list) do
		strict.name("the name of a question", name, "^%l[%l%d_]*$", function()
			fail("questions: %s is no name; use a to z, 0 to 9 and '_'", strict.shown(name))
		end)
		if not specs[object] and object ~= unknown then
			fail("questions: '%s' is declared by pd.question { ask = \"...\" }", name)
		end
	end
end

-- The answers given, by name, and the questions with them as the plan has it.
function questions.values(list, given)
	if list == unknown then return {}, {} end
	local values, names, rows = {}, strict.keys(list), {}
	for name, answer in pairs(given) do
		core.blame("workflow-answer", answer.from)
		if not list[name] then strict.unknown("the workflow", "question", name, names) end
		if answer.value ~= nil then
			values[name] = core.param("the answer to '" .. name .. "'", specs[list[name]], answer.value, false)
		end
	end
	core.blame ""
	for _, name in ipairs(names) do
		local spec = specs[list[name]]
		if not spec then values[name] = unknown end
		rows[#rows + 1] = spec and { name = name, ask = spec.ask, type = spec.type, help = spec.help,
			choices = spec.choices, must = spec.must, answer = values[name] }
	end
	return values, names, #rows > 0 and rows or nil
end

return questions
