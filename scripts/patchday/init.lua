-- SPDX-License-Identifier: MIT
-- The module "patchday": all that a workflow is written with.
local _, core = ...
local strict = require "patchday.strict"
local steps = require "patchday.steps"
local params = require "patchday.params"
local questions = require "patchday.questions"
local plan = require "patchday.plan"
local drivers = require "patchday.drivers"
local facts = require "patchday.facts"
local lenient = require "patchday.lenient"
local unknown = require "patchday.unknown"
local fail = strict.fail
local pd = {}

function pd.workflow(given)
	local short
	given, short = strict.check("pd.workflow", "field", given, { api = "number", name = "string", role = "string",
		help = "string", params = "table", questions = "table", rounds = "number",
		reboots = "number", plan = "function", guards = "function" })
	for _, name in ipairs(short and { "api", "name", "plan", "params", "questions" } or {}) do
		if given[name] == nil then given[name] = unknown end
	end
	if given.api == nil then
		fail("a workflow says which language it is written in: api = 1")
	elseif given.api ~= 1 and given.api ~= unknown then
		fail("the workflow needs api %s; this patchday has api 1", given.api)
	end
	strict.name("the name of the workflow", given.name, "^%l[%l%d_-]*$", function()
		fail("a workflow has a name of a to z, 0 to 9, '-' and '_': name = \"file-print\"")
	end)
	if not given.plan then fail("a workflow has a function: plan = function(t) ... end") end
	local rounds = given.rounds or 1
	if rounds ~= unknown and (math.type(rounds) ~= "integer" or rounds < 1 or rounds > 100) then
		fail("rounds is a whole number from 1 to 100")
	end
	local reboots = given.reboots
	if reboots and reboots ~= unknown and (math.type(reboots) ~= "integer" or reboots < 0 or reboots > 100) then
		fail("reboots is a whole number from 0 to 100")
	end
	params.check_declared(given.params or {})
	questions.check_declared(given.questions or {})
	return plan.block("workflow", { name = given.name, role = given.role or "", rounds = rounds, reboots = reboots,
		help = given.help or "", params = given.params or {}, questions = given.questions or {},
		plan = given.plan, guards = given.guards })
end

-- The steps of a plugin, as functions.
function pd.use(name)
	if name == unknown then return unknown end
	if type(name) ~= "string" then strict.refuse("pd.use takes the name of a plugin: pd.use \"service\"") end
	local made = {}
	steps.used[name] = true
	return strict.names("plugin '" .. name .. "'", "step", core.steps(name), function(step)
		made[step] = made[step] or lenient.wrapped(function(given) return steps.make(name .. "." .. step, given) end)
		return made[step]
	end)
end

-- The step that installs updates on a server of this family: the parameters of
-- one name mean the same for both, and the outputs are the same.
function pd.install(t, given)
	if t ~= unknown and (type(t) ~= "table" or t.facts ~= facts) then
		strict.refuse("pd.install takes what plan() was called with, and the parameters: pd.install(t, { updates = due })")
	end
	return steps.make(facts.os.family == "rpm" and "rpm.install" or "update.install", given)
end

local NOTES, NOTE, seen = 1000, 1000, {}
local words = { stop = true, undo = true, continue = true }

-- A list of the author's, which is no step and no stage.
local function is_list(given)
	return type(given) == "table" and not steps.info[given] and not plan.blocks[given] and not steps.outs[given]
end

local function fill_stage(name, given)
	if given == unknown then return unknown end
	if not is_list(given) then strict.refuse("stage '%s' takes a list: { step, step }", name) end
	local list, on_failure = {}, nil
	for k, v in pairs(given) do
		if math.type(k) == "integer" then
			list[k] = v
		elseif k == "on_failure" then
			on_failure = v
		elseif select(2, strict.unknown(("stage '%s'"):format(name), "option", k, { "on_failure" })) then
			on_failure = v
		else
			lenient.lost = lenient.any() -- steps, for all that is known
		end
	end
	if on_failure == unknown then on_failure = nil end
	if on_failure ~= nil and not words[on_failure] then
		local near = type(on_failure) == "string" and core.nearest(on_failure, strict.keys(words))
		fail("stage '%s': on_failure is \"stop\", \"undo\" or \"continue\", not %s%s", name,
			strict.shown(on_failure), near and ("; did you mean '%s'?"):format(near) or "")
		on_failure = nil
	end
	return plan.block("stage", { name = name, on_failure = on_failure, list = list })
end

function pd.stage(name)
	strict.name("the name of a stage", name, "^%l[%l%d_-]*$", function()
		fail("a stage has a name of a to z, 0 to 9, '-' and '_': pd.stage \"install\" { ... }")
	end)
	if type(name) ~= "string" then name = unknown end
	return lenient.wrapped(function(given) return fill_stage(name, given) end, true)
end

function pd.hold(list)
	if list == unknown then return unknown end
	if not is_list(list) then strict.refuse("pd.hold takes a list: pd.hold { step, ... }") end
	plan.length(list)
	return plan.block("hold", { list = list })
end

function pd.signoff(given) return steps.signoff(given) end

function pd.nothing(why)
	if why == unknown then why = "unknown" end
	if type(why) ~= "string" or why == "" then strict.refuse("pd.nothing says why: pd.nothing \"no update applies\"") end
	return plan.block("nothing", { why = why })
end

-- A word to those who read the plan: it is a part of it, each once.
function pd.note(text)
	if text == unknown then return end
	if type(text) ~= "string" or not text:find("%S") or text:find("%c") then
		strict.refuse("pd.note says something in one line: pd.note \"the drivers are left out: ...\"")
	end
	if #text > NOTE or #plan.notes >= NOTES and not seen[text] then
		fail("notes are too many, or too long: at most %d with %d bytes each", NOTES, NOTE)
	end
	if not seen[text] then plan.notes[#plan.notes + 1] = text end
	seen[text] = true
end

-- The steps that install drivers and firmware of vendors' catalogs (A14). One value, which may end a list as any
-- step may: what no step can be made for is told in the plan.
function pd.drivers(given)
	local list, left = drivers(given)
	for _, one in ipairs(left) do pd.note(("%s is left out: %s"):format(one.id, one.why)) end
	return list
end

pd.question = questions.declare

for kind, declare in pairs(params.types) do pd[kind] = declare end

local called = {}
for name, f in pairs(pd) do called[name] = lenient.wrapped(f, name == "hold" or name == "drivers") end

return strict.names("patchday", "function", strict.keys(pd), function(name) return called[name] end)
