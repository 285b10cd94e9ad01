-- SPDX-License-Identifier: MIT
-- From what a plan function returned to the flat list of steps.
local _, core = ...
local strict = require "patchday.strict"
local lenient = require "patchday.lenient"
local steps = require "patchday.steps"
local selection = require "patchday.selection"
local info, outs, refs = steps.info, steps.outs, steps.refs
local unknown = require "patchday.unknown"
local blocks = {} -- private parts of stages, holds and pd.nothing
local plan = { blocks = blocks, notes = {} }
local fail_at = strict.fail_at
local DEPTH = 32

function plan.block(kind, given, options)
	local block = setmetatable({}, { __metatable = "protected" })
	given.kind, given.options, given.where = kind, options, core.where()
	blocks[block] = given
	return block
end

-- Behind a mistake that was passed over: steps that the author wrote may be in no plan for it.
local function lose() lenient.lost = true end

-- The last index of a list that may have holes: `condition and step`.
local function length(list)
	local n = 0
	for k in pairs(list) do
		if math.type(k) ~= "integer" or k < 1 or k > 100000 then
			lose(strict.fail("a list of steps has an entry %s%s; is a name misspelt, or a pair of braces missing?",
				type(k) == "table" and "under " or "", strict.shown(k)))
			break
		end
		n = k > n and k or n
	end
	return n
end
plan.length = length

local function new_flat()
	return { stages = {}, steps = {}, names = {}, ids = {}, holds = {} }
end

-- "name", "name#2" ... whichever is still free.
local function free_name(taken, name)
	local n, free = taken[name] or 0, name
	while taken[free] do
		n = n + 1
		free = name .. "#" .. n
	end
	taken[name] = n > 0 and n or 1 -- the last number given
	taken[free] = taken[free] or 1
	return free
end

local function open_stage(flat, name, block)
	flat.stages[#flat.stages + 1] = { name = name, on_failure = block and block.on_failure or "stop" }
end

-- Steps outside of a stage: "main", or "hold" where something is held.
local function implicit_stage(flat, hold)
	local name = (hold or #flat.holds > 0) and "hold" or "main"
	if flat.implicit ~= name then
		flat.implicit = name
		open_stage(flat, free_name(flat.names, name))
	end
end

local function add_step(flat, step, hold)
	local s = info[step]
	if s.place then fail_at(s.where, "%s is in the plan twice; make a second step", s.name) end
	if hold and not s.can_undo then
		fail_at(s.where, "%s can't be held: it has no undo that gives back", s.name)
	end
	if not hold and s.must_hold then
		fail_at(s.where, "%s lasts until it is given back, and nothing gives it back here; hold it: " ..
			"pd.hold { { %s {} }, ... }", s.name, s.name)
	end
	if not flat.explicit then implicit_stage(flat, hold) end
	local stage = flat.stages[#flat.stages].name:gsub("#.*", "")
	local id = stage .. "/" .. (s.id or s.name:gsub("^%.", ""))
	if s.id and flat.ids[id] then fail_at(s.where, "%s: id '%s' is there twice", s.name, s.id) end
	s.place, s.final = #flat.steps, free_name(flat.ids, id)
	local plugin, name = s.name:match("^(.*)%.(.*)$")
	flat.steps[#flat.steps + 1] = {
		id = s.final, stage = #flat.stages - 1, plugin = plugin, step = name, where = s.where,
		args = s, hold = hold or nil, inside = #flat.holds > 0 and { table.unpack(flat.holds) } or nil,
	}
	return s.place
end

-- What references in its arguments say now, and the step ids to say instead.
local function check_uses(s)
	local ids = {}
	for _, ref in ipairs(s.uses) do
		local from = info[ref.step]
		if not from.place and not lenient.lost then
			fail_at(s.where, "%s uses output '%s' of %s (%s), which is not in the plan", s.name, ref.name,
				from.name, from.where)
		elseif from.place and from.place > s.place then
			core.blame "plan-reference"
			fail_at(s.where, "%s uses output '%s' of %s (%s), which comes later in the plan", s.name,
				ref.name, from.name, from.where)
		end
		ids[from.key] = from.final
	end
	return ids
end

local add

local function add_list(flat, list, first, depth)
	for i = first, length(list) do add(flat, list[i], depth + 1) end
end

local function add_stage(flat, block, depth)
	local name = block.name == unknown and free_name(flat.names, "unknown") or block.name
	if flat.explicit then
		fail_at(block.where, "stage '%s' is inside of stage '%s'; stages follow each other",
			name, flat.explicit)
	end
	if block.name ~= unknown and flat.names[name] then
		fail_at(block.where, "there are two stages '%s'", name)
	end
	flat.names[name] = 1
	flat.explicit, flat.implicit = name, nil
	local before = #flat.steps
	open_stage(flat, name, block)
	add_list(flat, block.list, 1, depth)
	if #flat.steps == before then flat.stages[#flat.stages] = nil end
	flat.explicit = nil
end

-- The steps that are held, one or a list: each is in the holds before it.  What is false or nil holds nothing.
local function take(flat, block)
	local given, inside = block.list[1], flat.holds
	local list = (info[given] or type(given) ~= "table" or blocks[given]) and { given } or given
	if outs[list] or refs[list] then list = { list } end
	for i = 1, given == unknown and 0 or length(list) do
		if list[i] and list[i] ~= unknown and not info[list[i]] then
			lose(fail_at(block.where, "pd.hold starts with the step that is held: pd.hold { step, ... }"))
		elseif info[list[i]] then
			local place = add_step(flat, list[i], true)
			flat.holds = { table.unpack(flat.holds) }
			flat.holds[#flat.holds + 1] = place
		end
	end
	return #flat.holds > #inside
end

local function add_hold(flat, block, depth)
	local outer = flat.holds
	local took = take(flat, block)
	add_list(flat, block.list, 2, depth)
	flat.holds = outer
	if took and not flat.explicit and #outer == 0 then flat.implicit = nil end
end

function add(flat, item, depth)
	if not item or item == unknown then return end -- `condition and step`
	if depth > DEPTH then return lose(strict.fail("lists of steps are nested too deep, or contain themselves")) end
	local block = blocks[item]
	if info[item] then
		add_step(flat, item, false)
	elseif block and block.kind == "stage" then
		add_stage(flat, block, depth)
	elseif block and block.kind == "hold" then
		add_hold(flat, block, depth)
	elseif block then
		lose(fail_at(block.where, "pd.%s is not a part of a plan; return it alone", block.kind))
	elseif outs[item] or refs[item] then
		local s = info[outs[item] or refs[item].step]
		fail_at(s.where, "an output of %s is no step; put the step itself into the plan", s.name)
	elseif selection.freeze(item) then
		strict.fail("a selection of updates is no step; give it to one: update.install { updates = ... }")
	elseif type(item) == "table" then
		add_list(flat, item, 1, depth)
	else
		strict.fail("a plan is made of steps, stages and holds, not of a %s", type(item))
	end
end

local function add_guard(rows, ids, item, depth)
	if not item or item == unknown then return end
	if depth > DEPTH then return strict.fail("lists of guards are nested too deep, or contain themselves") end
	local s = info[item]
	if not s then
		if type(item) ~= "table" or blocks[item] or outs[item] or refs[item] then
			return strict.fail("guards are a list of steps that can say whether the run may go on")
		end
		for i = 1, length(item) do add_guard(rows, ids, item[i], depth + 1) end
		return
	end
	if not s.can_guard then return fail_at(s.where, "%s can't be asked whether the run may go on", s.name) end
	if s.place then fail_at(s.where, "%s is in the plan twice; make a second step", s.name) end
	if #s.uses > 0 then fail_at(s.where, "%s: a guard can't use an output", s.name) end
	local plugin, name = s.name:match("^(.*)%.(.*)$")
	s.place = #rows
	rows[#rows + 1] = { id = free_name(ids, "guard/" .. (s.id or name)), plugin = plugin, step = name,
		where = s.where, args = s.args }
end

-- What `guards` returned; nil if there are none.
function plan.guards(result)
	local rows = {}
	add_guard(rows, {}, result, 0)
	return #rows > 0 and rows or nil
end

function plan.none(why) return { nothing = why, stages = core.array(), steps = core.array() } end

-- What `plan` returned, as the plan's stages and steps.
function plan.flatten(result)
	local block = blocks[result]
	if result == unknown then return plan.none("unknown") end
	if block and block.kind == "nothing" then
		return plan.none(block.why)
	end
	if type(result) ~= "table" then
		strict.fail("the plan function returns a %s, not a list of steps or pd.nothing \"why\"",
			type(result))
		return plan.none("unknown")
	end
	local flat = new_flat()
	add(flat, result, 0)
	if #flat.steps == 0 then
		strict.fail("the plan has no step; return pd.nothing \"why\" instead")
	end
	for _, row in ipairs(flat.steps) do
		local s = row.args
		local ids = check_uses(s)
		row.args = type(s.args) == "table" and s.args or core.resolve(s.args, ids)
	end
	return { stages = flat.stages, steps = flat.steps }
end

return plan
