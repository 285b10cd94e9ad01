-- SPDX-License-Identifier: MIT
-- Steps and references to their outputs.
local _, core = ...
local strict = require "patchday.strict"
local selection = require "patchday.selection"
local unknown = require "patchday.unknown"
local fail = strict.fail
local info, refs = {}, {} -- private parts of steps and references
local count = 0
local steps = { info = info, used = {} } -- used: plugins that the script has asked for, as keys

local function no_value()
	fail("an output is known only while the plan runs; it can be given to a parameter, nothing else")
end

local ref_meta = { __metatable = "protected" }
for _, event in ipairs { "index", "newindex", "call", "len", "concat", "unm", "add", "sub", "mul",
	"div", "mod", "idiv", "pow", "lt", "le", "pairs" } do
	ref_meta["__" .. event] = no_value
end

local step_meta = {
	__index = function(step, k)
		if k ~= "out" then
			fail("%s: a step has only .out.NAME, not '%s'", info[step].name, tostring(k))
		end
		return info[step].out
	end,
	__newindex = function(step) fail("%s: a step can't be changed", info[step].name) end,
	__metatable = "protected",
}

local function outputs(step, types)
	local cache = {}
	return strict.names(info[step].name, "output", strict.keys(types), function(name)
		if not cache[name] then
			cache[name] = setmetatable({}, ref_meta)
			refs[cache[name]] = { step = step, name = name, type = types[name] }
		end
		return cache[name]
	end)
end

local function use(ref, s, param)
	local from, to = core.misfit(s.name, param, ref.type)
	if from then
		fail("%s: parameter '%s' takes a %s, but output '%s' of %s is a %s", s.name, param, to, ref.name,
			info[ref.step].name, from)
	end
	s.uses[#s.uses + 1] = ref
	return { ["$ref"] = info[ref.step].key, out = ref.name }
end

-- A value of a parameter as JSON can carry it.
local function plain(v, s, param)
	if v == unknown then return { ["$unknown"] = true } end
	if refs[v] then return use(refs[v], s, param) end
	if type(v) ~= "table" then return v end
	if info[v] then
		fail("%s: parameter '%s' is a step; use one of its outputs, as in x.out.NAME", s.name, param)
	end
	local updates = selection.freeze(v)
	if updates then return updates end
	for _, item in pairs(v) do
		if item == unknown then return plain(item, s, param) end
		if refs[item] then
			fail("%s: parameter '%s' is a list; an output can't be one of its entries", s.name, param)
		end
	end
	return v
end

local function check_id(name, id)
	strict.name(name .. ": the id", id, "^%l[%l%d_-]*$", function()
		fail("%s: an id is a text of a to z, 0 to 9, '-' and '_'", name)
	end)
end

local function new(s, where)
	local step = setmetatable({}, step_meta)
	count = count + 1
	s.key, s.where = "step " .. count, where or core.where()
	info[step] = s
	return step
end

function steps.make(name, given)
	if given == nil then given = {} end
	if given == unknown then return given end
	if type(given) ~= "table" or info[given] then
		fail("%s takes its parameters by name: %s { name = value }", name, name)
	end
	local s = { name = name, uses = {} }
	local args = {}
	for k, v in pairs(given) do
		if type(k) ~= "string" then
			fail("%s takes its parameters by name: %s { name = value }", name, name)
		end
		args[k] = plain(v, s, k)
	end
	local types
	types, s.can_undo, s.own_id, s.can_guard, s.must_hold = core.step(name)
	if not s.own_id and args.id ~= nil then
		check_id(name, args.id)
		s.id, args.id = args.id, nil
	end
	s.args = core.check(name, args)
	local step = new(s)
	s.out = outputs(step, types)
	return step
end

function steps.signoff(given)
	strict.check("pd.signoff", "option", given, { parties = "table", id = "string" })
	if given.id then check_id("pd.signoff", given.id) end
	local known = {}
	for k, party in pairs(given.parties or {}) do
		if math.type(k) ~= "integer" or type(party) ~= "string" or party == "" then
			fail("pd.signoff: 'parties' is a list of names")
		end
		if known[party] then fail("pd.signoff: '%s' is named twice, and would sign once", party) end
		known[party] = true
	end
	if #(given.parties or {}) == 0 then fail("pd.signoff: 'parties' is missing; who signs?") end
	local s = { name = ".signoff", uses = {}, args = { parties = given.parties }, id = given.id }
	local step = new(s)
	s.out = strict.names("pd.signoff", "output", {}, function() end)
	return step
end

return steps
