-- SPDX-License-Identifier: MIT
-- Globals that stand in the place of Lua's own: iteration in a fixed order, texts
-- without addresses, and print().
local _, core = ...
local rank = { number = 1, string = 2, boolean = 3 }
local sort, concat, pack, unpack, type = table.sort, table.concat, table.pack, table.unpack, type
local next, pairs, tostring, error, select, pcall = next, pairs, tostring, error, select, pcall
local find, format, gmatch, gsub, sub = string.find, string.format, string.gmatch, string.gsub, string.sub
local base = {}

local function fail(text) error(core.where() .. ": " .. text, 0) end

local function before(a, b)
	local ra, rb = rank[type(a)], rank[type(b)]
	if ra ~= rb then return ra < rb end
	if ra == 3 then return a and not b end
	return a < b
end

-- Lua's own order of text keys differs from run to run; a plan must not.
local function sorted(t)
	local keys, odd = {}, nil
	for k in next, t do
		if not rank[type(k)] and (not odd or type(k) < odd) then odd = type(k) end
		keys[#keys + 1] = k
	end
	if odd then fail("pairs(): keys of type " .. odd .. " have no fixed order") end
	sort(keys, before)
	return keys
end

function base.pairs(t)
	local f, s, v = pairs(t)
	if f ~= next then -- of __pairs
		if type(f) ~= "function" then fail("pairs(): __pairs gives a " .. type(f) .. ", not a function") end
		return f, s, v
	end
	if type(t) ~= "table" then fail("bad argument #1 to 'pairs' (table expected, got " .. type(t) .. ")") end
	local keys, i = sorted(t), 0
	return function()
		repeat i = i + 1 until keys[i] == nil or t[keys[i]] ~= nil
		if keys[i] ~= nil then return keys[i], t[keys[i]] end
	end, t, nil
end

function base.next(t, k)
	if k ~= nil then fail("next() only tells whether a table is empty; use pairs()") end
	if type(t) ~= "table" then fail("bad argument #1 to 'next' (table expected, got " .. type(t) .. ")") end
	local first = sorted(t)[1]
	if first ~= nil then return first, t[first] end
end

-- What a function of Lua's own returns; its errors are at the author's line.
local function result(name, ok, value)
	if ok then return value end
	if type(value) == "string" and not find(value, "^[^ ]+:%d+: ") then fail((gsub(value, "'%?'", "'" .. name .. "'"))) end
	error(value, 0)
end

-- Lua writes the address of what has no text, which is another one in each run.  A text of __tostring
-- may end in a number that looks like one.
function base.tostring(...)
	local text = result("tostring", pcall(tostring, ...))
	local address = not rank[type((...))] and format(": %p", (...)) or ""
	return address ~= "" and sub(text, -#address) == address and sub(text, 1, -#address - 1) or text
end

local function without_addresses(text, ...)
	local args, n = pack(text, ...), 1
	for kind in gmatch(type(text) == "string" and gsub(text, "%%%%", "") or "", "%%[^%a%%]*(%a)") do
		n = n + 1
		if kind == "p" then fail("string.format() has no %p in a workflow: an address is another one in each run") end
		if kind == "s" and n <= args.n and not rank[type(args[n])] then args[n] = base.tostring(args[n]) end
	end
	return result("format", pcall(format, unpack(args, 1, args.n)))
end

-- For authors who look for a mistake; not part of the plan.
function base.print(...)
	local words = {}
	for i = 1, select("#", ...) do words[i] = base.tostring((select(i, ...))) end
	core.note(core.where() .. ": " .. concat(words, " "))
end

for name, f in next, base do base[name] = core.entry(f) end
string.format = core.entry(without_addresses) -- luacheck: ignore 122

return base
