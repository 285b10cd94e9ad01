-- SPDX-License-Identifier: MIT
-- A model of risk (catalogs/patchday-risk.rng) and what it makes of the values of
-- a server: two axes from 0 to 100, their product, a class, and what mitigates.
local _, core = ...
local base = require "cli.base"
local model = {}

local NAMESPACE = "urn:patchday:risk:1"

-- Columns of the CSV that are no factors.
model.columns = { "server", "partner", "cluster" }

-- What each element of the schema may have in it.
local shapes = {
	risk = { attributes = {}, children = { "factor", "class" } },
	factor = { attributes = { "id", "axis", "weight", "title", "count" }, children = { "level" } },
	level = { attributes = { "name", "value", "upto", "mitigation", "least" }, children = {} },
	class = { attributes = { "id", "from", "working_hours", "hours" }, children = {} },
}

local function wrong(file, element, format, ...)
	error({ id = "risk-model", where = ("%s:%d"):format(file, element.line), message = format:format(...) }, 0)
end

local function meant(word, words)
	local near = core.nearest(word, words)
	return near and "; did you mean " .. near .. "?" or ""
end

-- A word that is spelled wrong is an error: nobody would miss a mitigation that is passed over.
local function check_shape(file, e)
	local shape = shapes[e.name]
	for _, name in ipairs(base.sorted(e.attrs)) do
		if not base.has(shape.attributes, name) then
			wrong(file, e, "<%s> has no attribute '%s'%s", e.name, name, meant(name, shape.attributes))
		end
	end
	if e.text:find("%S") then wrong(file, e, "there is text in <%s>", e.name) end
	for _, child in ipairs(e.children) do
		if child.ns ~= NAMESPACE then
			wrong(file, child, "<%s> is of the namespace '%s', not of '%s'", child.name, child.ns or "", NAMESPACE)
		end
		if not base.has(shape.children, child.name) then
			wrong(file, child, "<%s> has no <%s>%s", e.name, child.name, meant(child.name, shape.children))
		end
		check_shape(file, child)
	end
end

-- Digits only, as the schema has it: no 1e3, no 0x10.
local function number(file, element, name, from, to)
	local text = element.attrs[name] or ""
	local value = text:find("^%d+$") and math.tointeger(tonumber(text))
	if not value or value < from or value > to then
		wrong(file, element, "<%s %s=\"%s\">: %s is a number from %d to %d, not '%s'", element.name,
			element.name == "level" and "name" or "id", element.attrs.id or element.attrs.name or "", name, from, to, text)
	end
	return value
end

local function id_of(file, element, taken)
	local id = element.attrs.id or ""
	if not id:find("^%l[%l%d_]*$") then wrong(file, element, "<%s> has no id of a to z, 0 to 9 and _", element.name) end
	if taken[id] then wrong(file, element, "the %s '%s' is there twice", element.name, id) end
	taken[id] = true
	return id
end

local function levels_of(file, element, f)
	local before, taken = -1, {}
	for i, child in ipairs(element.children) do
		local level = { name = child.attrs.name or "", value = number(file, child, "value", 0, 100),
			mitigation = child.attrs.mitigation, least = child.attrs.least, element = child }
		if level.name == "" then wrong(file, child, "factor '%s' has a level without a name", f.id) end
		if taken[level.name] then wrong(file, child, "factor '%s' has the level '%s' twice", f.id, level.name) end
		taken[level.name] = true
		if child.attrs.upto then
			level.upto = number(file, child, "upto", 0, 1000000000)
			if level.upto <= before then wrong(file, child, "factor '%s': upto has to rise from level to level", f.id) end
			before = level.upto
			f.numeric = true
		end
		f.levels[i] = level
	end
	local last = f.levels[#f.levels]
	if not last then wrong(file, element, "factor '%s' has no level", f.id) end
	for i, level in ipairs(f.levels) do
		if f.numeric and (level.upto ~= nil) ~= (i < #f.levels) then
			wrong(file, level.element, "factor '%s': each level but the last has upto, or none has", f.id)
		end
	end
	if element.attrs.count and not f.numeric then
		wrong(file, element, "factor '%s' counts, but its levels have no upto", f.id)
	end
end

local function factor_of(file, e, taken)
	local f = { id = id_of(file, e, taken), title = e.attrs.title, axis = e.attrs.axis, levels = {},
		weight = number(file, e, "weight", 1, 1000), count = e.attrs.count }
	if base.has(model.columns, f.id) then
		wrong(file, e, "a factor can't be called '%s': the CSV has a column of its own with that name", f.id)
	end
	if f.axis ~= "impact" and f.axis ~= "likelihood" then
		wrong(file, e, "factor '%s': axis is impact or likelihood, not '%s'", f.id, f.axis or "")
	end
	if not f.title then wrong(file, e, "factor '%s' has no title", f.id) end
	levels_of(file, e, f)
	return f
end

local function class_of(file, e, taken, last)
	local working = e.attrs.working_hours == "yes"
	if not base.has({ "yes", "no" }, e.attrs.working_hours or "no") then
		wrong(file, e, "<class id=\"%s\">: working_hours is yes or no, not '%s'", e.attrs.id or "", e.attrs.working_hours)
	end
	local c = { id = id_of(file, e, taken), from = number(file, e, "from", 0, 100), working = working,
		hours = e.attrs.hours or working and "working hours" or "out of hours" }
	if c.from ~= 0 and not last or last and c.from <= last.from then
		wrong(file, e, "class '%s': from begins at 0 and rises from class to class", c.id)
	end
	return c
end

-- The classes that levels name.
local function resolve(file, m)
	local ids = {}
	for i, c in ipairs(m.classes) do ids[i], c.rank = c.id, i end
	for _, f in ipairs(m.factors) do
		for _, level in ipairs(f.levels) do
			for _, c in ipairs(m.classes) do level.rank = c.id == level.least and c.rank or level.rank end
			if level.least and not level.rank then
				wrong(file, level.element, "there is no class '%s'%s", level.least, meant(level.least, ids))
			end
		end
	end
end

-- The model of a file: { factors, classes }.
function model.read(file)
	local root = base.must(core.xml(file))
	if root.name ~= "risk" or root.ns ~= NAMESPACE then
		wrong(file, root, "the root is <%s xmlns=\"%s\">, not <risk xmlns=\"%s\">", root.name, root.ns or "", NAMESPACE)
	end
	check_shape(file, root)
	local m, factors, classes = { factors = {}, classes = {} }, {}, {}
	for _, e in ipairs(root.children) do
		if e.name == "class" then m.classes[#m.classes + 1] = class_of(file, e, classes, m.classes[#m.classes])
		elseif #m.classes > 0 then wrong(file, e, "factors stand before classes")
		else m.factors[#m.factors + 1] = factor_of(file, e, factors)
		end
	end
	if #m.factors == 0 or #m.classes == 0 then wrong(file, root, "it needs factors and classes") end
	resolve(file, m)
	return m
end

-- The level that a value of the CSV, or a count, means; nil and why not.
local function level_of(f, value)
	if f.numeric then
		local n = tostring(value):find("^%d+%.?%d*$") and tonumber(value) -- no 0x10, no 1e3
		if n then
			for _, level in ipairs(f.levels) do
				if not level.upto or n <= level.upto then return level end
			end
		end
	end
	local names = {}
	for i, level in ipairs(f.levels) do
		if level.name == value then return level end
		names[i] = level.name
	end
	return nil, ("'%s' is no %s; there are: %s%s%s"):format(value, f.id, f.numeric and "numbers, " or "",
		table.concat(names, ", "), meant(value, names))
end

-- The level that counts where nobody knows, and the class that it then is of at least.
local function worst(f)
	local level, rank = f.levels[1], nil
	for _, other in ipairs(f.levels) do
		level = other.value > level.value and other or level
		rank = other.rank and math.max(rank or 0, other.rank) or rank
	end
	return level, rank
end

-- The class of a score, or the one that a level asks for at least; then by what.
local function place(m, row, asked)
	for _, c in ipairs(m.classes) do row.rank = row.score >= c.from and c.rank or row.rank end
	for _, one in ipairs(asked) do
		if one.rank > row.rank then row.rank, row.raised_by = one.rank, one.words end
	end
	local c = m.classes[row.rank]
	row.class, row.hours, row.working_hours = c.id, c.hours, c.working
end

-- What a model makes of a server: values by factor, counts by kind of fact.  What
-- nobody knows counts as the worst; a value that can't be is told to tell(text).
function model.judge(m, server, values, counts, tell)
	local asked = {}
	local row = { server = server, factors = core.list {}, unknown = core.list {}, mitigation = core.list {} }
	local sum, weight = { impact = 0, likelihood = 0 }, { impact = 0, likelihood = 0 }
	for _, f in ipairs(m.factors) do
		local value = values[f.id] ~= "" and values[f.id] or f.count and counts[f.count] or nil
		local level, why
		if value then level, why = level_of(f, value) end
		if why then tell(why) end
		local rank = level and level.rank
		if not level then
			row.unknown[#row.unknown + 1] = f.id
			level, rank = worst(f)
		end
		sum[f.axis] = sum[f.axis] + f.weight * level.value
		weight[f.axis] = weight[f.axis] + f.weight
		row.factors[#row.factors + 1] = { factor = f.id, value = value and tostring(value) or nil, level = level.name,
			points = f.weight * level.value }
		if rank then
			asked[#asked + 1] = { rank = rank, words = ("%s %s"):format(f.id, value and level.name or "?") }
		end
		if value and level.mitigation then row.mitigation[#row.mitigation + 1] = level.mitigation end
	end
	row.impact = weight.impact > 0 and sum.impact // weight.impact or 100
	row.likelihood = weight.likelihood > 0 and sum.likelihood // weight.likelihood or 100
	row.score = row.impact * row.likelihood // 100
	place(m, row, asked)
	return row
end

return model
