-- SPDX-License-Identifier: MIT
-- A model of risk (catalogs/patchday-risk.rng) and what it makes of the values of
-- a server: two axes from 0 to 100, their product, a class, and what mitigates.
local _, core = ...
local base = require "cli.base"
local model = {}

local NAMESPACE = "urn:patchday:risk:1"

local function wrong(file, format, ...)
	error({ id = "risk-model", where = file, message = format:format(...) }, 0)
end

local function number(file, element, name, from, to)
	local value = math.tointeger(tonumber(element.attrs[name] or ""))
	if not value or value < from or value > to then
		wrong(file, "<%s id=\"%s\">: %s is a number from %d to %d, not '%s'", element.name, element.attrs.id or "", name,
			from, to, element.attrs[name] or "")
	end
	return value
end

local function id_of(file, element, taken)
	local id = element.attrs.id or ""
	if not id:find("^%l[%l%d_]*$") then wrong(file, "<%s> has no id of a to z, 0 to 9 and _", element.name) end
	if taken[id] then wrong(file, "the %s '%s' is there twice", element.name, id) end
	taken[id] = true
	return id
end

local function levels_of(file, element, f)
	local before = -1
	for i, child in ipairs(element.children) do
		if child.name ~= "level" then wrong(file, "factor '%s' has a <%s>", f.id, child.name) end
		local level = { name = child.attrs.name or "", value = number(file, child, "value", 0, 100),
			mitigation = child.attrs.mitigation }
		if child.attrs.upto then
			level.upto = number(file, child, "upto", 0, 1000000000)
			if level.upto <= before then wrong(file, "factor '%s': upto has to rise from level to level", f.id) end
			before = level.upto
			f.numeric = true
		end
		f.levels[i] = level
	end
	local last = f.levels[#f.levels]
	if not last then wrong(file, "factor '%s' has no level", f.id) end
	for i, level in ipairs(f.levels) do
		if f.numeric and (level.upto ~= nil) ~= (i < #f.levels) then
			wrong(file, "factor '%s': each level but the last has upto, or none has", f.id)
		end
	end
	if element.attrs.count and not f.numeric then wrong(file, "factor '%s' counts, but its levels have no upto", f.id) end
end

-- The model of a file: { factors, classes }.
function model.read(file)
	local root = base.must(core.xml(file))
	if root.name ~= "risk" then wrong(file, "the root is <%s>, not <risk xmlns=\"%s\">", root.name, NAMESPACE) end
	local m, taken, classes = { factors = {}, classes = {} }, {}, {}
	for _, e in ipairs(root.children) do
		if e.name == "factor" then
			local f = { id = id_of(file, e, taken), title = e.attrs.title or "", axis = e.attrs.axis, levels = {},
				weight = number(file, e, "weight", 1, 1000), count = e.attrs.count }
			if f.axis ~= "impact" and f.axis ~= "likelihood" then
				wrong(file, "factor '%s': axis is impact or likelihood, not '%s'", f.id, f.axis or "")
			end
			levels_of(file, e, f)
			m.factors[#m.factors + 1] = f
		elseif e.name == "class" then
			local working = e.attrs.working_hours == "yes"
			if not base.has({ "yes", "no" }, e.attrs.working_hours or "no") then
				wrong(file, "<class id=\"%s\">: working_hours is yes or no, not '%s'", e.attrs.id or "", e.attrs.working_hours)
			end
			local c = { id = id_of(file, e, classes), from = number(file, e, "from", 0, 100), working = working,
				hours = e.attrs.hours or working and "working hours" or "out of hours" }
			local last = m.classes[#m.classes]
			if c.from ~= 0 and not last or last and c.from <= last.from then
				wrong(file, "class '%s': from begins at 0 and rises from class to class", c.id)
			end
			c.rank = #m.classes + 1
			m.classes[c.rank] = c
		else
			wrong(file, "there is a <%s>", e.name)
		end
	end
	if #m.factors == 0 or #m.classes == 0 then wrong(file, "it needs factors and classes") end
	return m
end

-- The level that a value of the CSV, or a count, means; nil and why not.
local function level_of(f, value)
	if f.numeric then
		local n = tonumber(value)
		if n and n >= 0 then
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
	local near = core.nearest(value, names)
	return nil, ("'%s' is no %s; there are: %s%s%s"):format(value, f.id, f.numeric and "numbers, " or "",
		table.concat(names, ", "), near and "; did you mean " .. near .. "?" or "")
end

local function worst(f)
	local level = f.levels[1]
	for _, other in ipairs(f.levels) do level = other.value > level.value and other or level end
	return level
end

-- What a model makes of a server: values by factor, counts by kind of fact.  What
-- nobody knows counts as the worst; a value that can't be is told to tell(text).
function model.judge(m, server, values, counts, tell)
	local row = { server = server, factors = core.list {}, unknown = core.list {}, mitigation = core.list {} }
	local sum, weight = { impact = 0, likelihood = 0 }, { impact = 0, likelihood = 0 }
	for _, f in ipairs(m.factors) do
		local value = values[f.id] ~= "" and values[f.id] or f.count and counts[f.count] or nil
		local level, why
		if value then level, why = level_of(f, value) end
		if why then tell(why) end
		if not level then row.unknown[#row.unknown + 1] = f.id end
		level = level or worst(f)
		sum[f.axis] = sum[f.axis] + f.weight * level.value
		weight[f.axis] = weight[f.axis] + f.weight
		row.factors[#row.factors + 1] = { factor = f.id, value = value and tostring(value) or nil, level = level.name,
			points = f.weight * level.value }
		if value and level.mitigation then row.mitigation[#row.mitigation + 1] = level.mitigation end
	end
	row.impact = weight.impact > 0 and sum.impact // weight.impact or 100
	row.likelihood = weight.likelihood > 0 and sum.likelihood // weight.likelihood or 100
	row.score = row.impact * row.likelihood // 100
	for _, c in ipairs(m.classes) do
		if row.score >= c.from then
			row.class, row.hours, row.working_hours, row.rank = c.id, c.hours, c.working, c.rank
		end
	end
	return row
end

return model
