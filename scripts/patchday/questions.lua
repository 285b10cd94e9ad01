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
	strict.check("pd.question", "option", given, options)
	local spec = { type = given.choices and "choice" or "boolean" }
	for k, v in pairs(given) do spec[k] = v end
	if (spec.ask or "") == "" then fail("a question has its text: ask = \"Was the downtime agreed?\"") end
	if not types[spec.type] then
		fail("pd.question: type is \"boolean\", \"choice\" or \"string\", not '%s'", spec.type)
	end
	if (spec.type == "choice") ~= (#(spec.choices or {}) > 0) then
		fail("pd.question: a choice, and nothing else, has choices = { \"a\", \"b\" }")
	end
	if spec.must ~= nil then spec.must = core.param("must", spec, spec.must, false) end
	local object = setmetatable({}, { __metatable = "protected" })
	specs[object] = spec
	return object
end

function questions.check_declared(list)
	for name, object in pairs(list) do
		strict.name("the name of a question", name, "^%l[%l%d_]*$", function()
			fail("questions: '%s' is no name; use a to z, 0 to 9 and '_'", tostring(name))
		end)
		if not specs[object] and object ~= unknown then
			fail("questions: '%s' is declared by pd.question { ask = \"...\" }", name)
		end
	end
end

-- The answers given, by name, and the questions with them as the plan has it.
function questions.values(list, given)
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
