-- SPDX-License-Identifier: MIT
-- Globals that C leaves to Lua: iteration in a fixed order, and print().
local _, core = ...
local rank = { number = 1, string = 2, boolean = 3 }
local sort, concat, type, tostring, error, select = table.sort, table.concat, type, tostring, error, select

local function before(a, b)
	local ra, rb = rank[type(a)], rank[type(b)]
	if ra ~= rb then return ra < rb end
	if ra == 3 then return a and not b end
	return a < b
end

-- Lua's own order of text keys differs from run to run; a plan must not.
local function sorted(t)
	local keys = {}
	for k in core.next, t do
		if not rank[type(k)] then
			error("pairs(): keys of type " .. type(k) .. " have no fixed order", 3)
		end
		keys[#keys + 1] = k
	end
	sort(keys, before)
	return keys
end

local base = {}

function base.pairs(t)
	local f, s, v = core.pairs(t)
	if f ~= core.next then return f, s, v end -- __pairs
	local keys, i = sorted(t), 0
	return function()
		repeat i = i + 1 until keys[i] == nil or t[keys[i]] ~= nil
		if keys[i] ~= nil then return keys[i], t[keys[i]] end
	end, t, nil
end

function base.next(t, k)
	if k ~= nil then error("next() only tells whether a table is empty; use pairs()", 2) end
	local first = sorted(t)[1]
	if first ~= nil then return first, t[first] end
end

-- For authors who look for a mistake; not part of the plan.
function base.print(...)
	local words = {}
	for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
	core.note(core.where() .. ": " .. concat(words, " "))
end

return base
