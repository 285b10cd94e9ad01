-- SPDX-License-Identifier: MIT
-- t.catalog and selections of updates; each filter gives a new selection.
local _, core = ...
local lenient = require "patchday.lenient"
local strict = require "patchday.strict"
local unknown = require "patchday.unknown"
local fail = strict.fail
local updates, frozen = {}, {} -- private parts of selections and updates
local methods, called = {}, {}
local select_from

local meta = {
	__index = function(s, k)
		if math.type(k) == "integer" then return updates[s][k] end
		if not methods[k] then
			return strict.unknown("a selection of updates", "method", k, strict.keys(methods))
		end
		called[k] = called[k] or lenient.wrapped(methods[k])
		return called[k]
	end,
	__len = function(s) return #updates[s] end,
	__pairs = function(s) return ipairs(updates[s]) end,
	__newindex = function() fail("a selection can only be read; filter it") end,
	__metatable = "protected",
}

function select_from(list, keep)
	local s, chosen = setmetatable({}, meta), {}
	for _, u in ipairs(list) do
		if not keep or keep(u) then chosen[#chosen + 1] = u end
	end
	updates[s] = chosen
	return s
end

local function all_of(s, name)
	return updates[s] or strict.refuse("call it with a colon: selection:%s(...)", name)
end

-- Words given one by one, or in one list, as a set.
local function set_of(s, name, ...)
	local list, set = { ... }, {}
	all_of(s, name)
	if #list == 1 and type(list[1]) == "table" then list = list[1] end
	if #list == 0 then strict.refuse("%s() needs at least one word", name) end
	for _, word in ipairs(list) do
		if type(word) ~= "string" and word ~= unknown then fail("%s(): %s is no text", name, strict.shown(word)) end
		set[word] = true
	end
	return set, list
end

local function rank_of(scale, word)
	local names = core.words(scale)
	if word == unknown then return 1 end
	if type(word) ~= "string" then
		strict.refuse("%s() takes a word such as \"%s\", not %s", scale, names[#names], strict.shown(word))
	end
	for i, name in ipairs(names) do
		if name == word then return i end
	end
	strict.unknown("the scale of " .. scale, "word", word, names)
	return 1
end

local function time_of(name, text)
	if text == unknown then return 0 end
	return type(text) == "string" and core.time(text)
		or strict.refuse("%s() takes a date such as \"2026-01-31\"", name)
end

local function named(u, set)
	if set[u.id] then return true end
	for _, alias in ipairs(u.aliases) do
		if set[alias] then return true end
	end
	return false
end

-- At least as severe.
function methods.severity(s, word)
	local least, ranks = rank_of("severity", word), {}
	for i, name in ipairs(core.words("severity")) do ranks[name] = i end
	return select_from(all_of(s, "severity"), function(u) return ranks[u.severity] >= least end)
end

function methods.kind(s, ...)
	local set, list = set_of(s, "kind", ...)
	for _, word in ipairs(list) do
		if type(word) == "string" then rank_of("kinds", word) end
	end
	return select_from(updates[s], function(u) return set[u.kind] end)
end

-- By id, or by another name: a CVE, a bug number.
function methods.id(s, ...)
	local set = set_of(s, "id", ...)
	return select_from(updates[s], function(u) return named(u, set) end)
end

function methods.without(s, ...)
	local set = next { ... } == nil and {} or set_of(s, "without", ...)
	return select_from(updates[s], function(u) return not named(u, set) end)
end

-- An update without a date is in neither of these.
function methods.not_before(s, date)
	local first = time_of("not_before", date)
	return select_from(all_of(s, "not_before"), function(u)
		return u.issued ~= 0 and u.issued >= first
	end)
end

function methods.not_after(s, date)
	local last = time_of("not_after", date) + (#date == 10 and 86399 or 0)
	return select_from(all_of(s, "not_after"), function(u)
		return u.issued ~= 0 and u.issued <= last
	end)
end

function methods.ids(s)
	local list = {}
	for i, u in ipairs(all_of(s, "ids")) do list[i] = u.id end
	return list
end

-- Bytes to fetch; a file that several updates share counts once. What brings no
-- package is what its payloads are.
function methods.size(s)
	local seen, sum = {}, 0
	local function add(key, bytes)
		if not seen[key] and bytes > 0 then sum = sum + bytes end
		seen[key] = true
	end
	for _, u in ipairs(all_of(s, "size")) do
		for _, p in ipairs(u.packages) do
			add(p.sha256 ~= "" and p.sha256 or p.name .. "=" .. p.version .. ":" .. p.arch, p.bytes)
		end
		for _, p in ipairs(#u.packages == 0 and u.payloads or {}) do add(p.url, p.bytes) end
	end
	return sum
end

function methods.needs_reboot(s)
	for _, u in ipairs(all_of(s, "needs_reboot")) do
		if u.restart == "reboot" then return true end
	end
	return false
end

local selection = {}

-- What a plan keeps of it; nil if the value is no selection.
function selection.freeze(value)
	if not updates[value] then return nil end
	local rows = {}
	for i, u in ipairs(updates[value]) do rows[i] = frozen[u] end
	return { ["$updates"] = #rows > 0 and rows or core.array() }
end

function selection.is_update(value) return frozen[value] ~= nil end

local all = {}
local function of_catalog(what)
	if not all[what] then
		local views, kept = core.needed(what == "unsure")
		local list = {}
		for i, data in ipairs(views) do
			list[i] = strict.row("an update", data)
			frozen[list[i]] = kept[i]
		end
		all[what] = list
	end
	return select_from(all[what])
end

-- unsure: those that fit this server, of which only their own installer can tell
-- whether they are there.
local catalog = {}
for _, what in ipairs { "needed", "unsure" } do
	catalog[what] = core.entry(function() return of_catalog(what) end)
end
selection.catalog = strict.names("t.catalog", "method", strict.keys(catalog), function(what) return catalog[what] end)

return selection
