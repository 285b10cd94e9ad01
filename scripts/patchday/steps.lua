-- SPDX-License-Identifier: MIT
-- Steps and references to their outputs.
local _, core = ...
local strict = require "patchday.strict"
local lenient = require "patchday.lenient"
local selection = require "patchday.selection"
local unknown = require "patchday.unknown"
local fail = strict.fail
local info, refs, outs = {}, {}, {} -- private parts of steps and references; whose outputs a table has
local count = 0
-- used: plugins that the script has asked for, as keys
local steps = { info = info, refs = refs, outs = outs, used = {} }

local no_value = core.entry(function()
	return fail("an output is known only while the plan runs; it can be given to a parameter, nothing else")
end)

local ref_meta = { __metatable = "protected" }
for _, event in ipairs { "index", "newindex", "call", "len", "concat", "unm", "add", "sub", "mul",
	"div", "mod", "idiv", "pow", "lt", "le", "pairs" } do
	ref_meta["__" .. event] = no_value
end

local step_meta = {
	__index = function(step, k)
		if k ~= "out" then
			return fail("%s: a step has only .out.NAME, not %s", info[step].name, strict.shown(k))
		end
		return info[step].out
	end,
	__newindex = function(step) fail("%s: a step can't be changed", info[step].name) end,
	__metatable = "protected",
}

local function outputs(step, types)
	local cache = {}
	local all = strict.names(info[step].name, "output", strict.keys(types), function(name)
		if not cache[name] then
			cache[name] = setmetatable({}, ref_meta)
			refs[cache[name]] = { step = step, name = name, type = types[name] }
		end
		return cache[name]
	end)
	outs[all] = step
	return all
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

local UNKNOWN = { ["$unknown"] = true } -- as C has it

-- A value of a parameter as JSON can carry it.
local function plain(v, s, param)
	if v == unknown then return UNKNOWN end
	if refs[v] then return use(refs[v], s, param) end
	if type(v) ~= "table" then return v end
	if info[v] or outs[v] then
		fail("%s: parameter '%s' is %s; use one of its outputs, as in x.out.NAME", s.name, param,
			info[v] and "a step" or "all that a step gives")
		return UNKNOWN
	end
	local updates = selection.freeze(v)
	if updates then return updates end
	for _, item in pairs(v) do
		if item == unknown then return UNKNOWN end
		if refs[item] then
			fail("%s: parameter '%s' is a list; an output can't be one of its entries", s.name, param)
			return UNKNOWN
		end
	end
	return v
end

local function message_of(err) return err:match("^[^ ]+:%d+: (.*)$") or err end

-- Do without what an error blames that was told before; false: it can't be.
local function repair(s, args, message)
	local name = s.name
	local wrong, right = message:match("^" .. name:gsub("%p", "%%%0") .. " has no parameter '([^']*)'(.*)$")
	local near = right and right:match("did you mean '([%w_]+)'")
	if wrong and args[wrong] == nil then return false end
	if near and args[near] == nil then args[near] = args[wrong] end
	if wrong then
		s.short, args[wrong] = s.short or not near, nil
		return true
	end
	local missing = message:match("^[%w_.]+ needs '([%w_]+)'")
	local param = missing or message:match("^[%w_.]+: ([%w_]+)")
	if not param or args[param] == UNKNOWN or not missing and args[param] == nil then return false end
	args[param] = UNKNOWN
	return true
end

-- The arguments as C has checked them. It stops at the first that is wrong: behind one that
-- was told the others are looked at, too; what is missing may be what has another name.
local function checked(s, args)
	if not lenient.any() then return core.check(s.name, args) end
	while true do
		local ok, result = pcall(core.check, s.name, args)
		if ok then return result end
		local message = message_of(result)
		local known = lenient.passes(result) or s.short and message:find("^[%w_.]+ needs '")
		if not known or not repair(s, args, message) then error(result, 0) end
		core.blame ""
	end
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
	if type(given) ~= "table" or info[given] or outs[given] then
		strict.refuse("%s takes its parameters by name: %s { name = value }", name, name)
	end
	local s = { name = name, uses = {} }
	local args = {}
	for k, v in pairs(given) do
		if type(k) == "string" then
			args[k] = plain(v, s, k)
		else
			fail("%s takes its parameters by name: %s { name = value }", name, name)
			s.short = true
		end
	end
	local types
	types, s.can_undo, s.own_id, s.can_guard, s.must_hold = core.step(name)
	if not s.own_id and args.id ~= nil then
		if args.id ~= UNKNOWN then check_id(name, args.id) end
		s.id, args.id = type(args.id) == "string" and args.id or nil, nil
	end
	s.args = checked(s, args)
	local step = new(s)
	s.out = outputs(step, types)
	return step
end

function steps.signoff(given)
	local short
	given, short = strict.check("pd.signoff", "option", given, { parties = "table", id = "string" })
	if short and not given.parties then return unknown end
	if given.id and given.id ~= unknown then check_id("pd.signoff", given.id) end
	local known, parties = {}, {}
	for k, party in pairs(given.parties or {}) do
		if party ~= unknown and (math.type(k) ~= "integer" or type(party) ~= "string" or party == "") then
			strict.refuse("pd.signoff: 'parties' is a list of names")
		end
		if known[party] then fail("pd.signoff: '%s' is named twice, and would sign once", party) end
		known[party] = true
		parties[#parties + 1] = party ~= unknown and party or "unknown"
	end
	if #parties == 0 then strict.refuse("pd.signoff: 'parties' is missing; who signs?") end
	local s = { name = ".signoff", uses = {}, args = { parties = parties },
		id = type(given.id) == "string" and given.id or nil }
	local step = new(s)
	s.out = strict.names("pd.signoff", "output", {}, function() end)
	return step
end

return steps
