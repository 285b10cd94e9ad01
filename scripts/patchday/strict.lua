-- SPDX-License-Identifier: MIT
-- Tables that know their names: a misspelt one is an error at the author's line.
local _, core = ...
local lenient = require "patchday.lenient"
local unknown = require "patchday.unknown"
local strict = {}

-- A mistake at that place. It comes back, with an unknown value, only from one that
-- `workflow check` has told before.
function strict.fail_at(where, text, ...)
	local told = where .. ": " .. text:format(...)
	if not lenient.passes(told) then error(told, 0) end
	core.blame ""
	return unknown
end

function strict.fail(text, ...) return strict.fail_at(core.where(), text, ...) end

-- The same, where nothing is left to do without: what the author has called ends here in any case.
function strict.refuse(text, ...)
	strict.fail(text, ...)
	error(lenient.over, 0)
end

-- A value as messages have it: 'text', or what it is.
function strict.shown(value)
	local kind = type(value)
	return kind == "nil" and "nothing" or (kind == "string" or kind == "number" or kind == "boolean") and
		("'%s'"):format(value) or "a " .. kind
end

-- An author's value; unknown if something of it is.
function strict.whole(value)
	for _, item in pairs(type(value) == "table" and value ~= unknown and value or {}) do
		if item == unknown then return unknown end
	end
	return value
end

local CHOICES = 64 -- as C looks at
local NAME = 100 -- stage and id together are a folder's name, which ends at 255 bytes

-- A name of the author's is a text of these characters, and not too long; else why() says what it is to be.
function strict.name(what, name, pattern, why)
	if name == unknown then return end
	if type(name) ~= "string" or not name:find(pattern) then return why() end
	if #name > NAME then
		core.blame "name-length"
		strict.fail("%s has %d bytes, at most %d are allowed: '%s...'", what, #name, NAME, name:sub(1, 20))
	end
end

-- "WHAT has no NOUN 'word'; did you mean 'near'?"
-- @return an unknown value, and the near one
function strict.unknown(what, noun, word, names)
	if word == unknown then return unknown end
	if word == nil or type(word) == "table" or type(word) == "function" then
		return strict.fail("%s: a %s has a name, a text; it can't be %s", what, noun, strict.shown(word))
	end
	local near = core.nearest(tostring(word), names)
	return strict.fail("%s has no %s '%s'%s", what, noun, tostring(word),
		near and ("; did you mean '%s'?"):format(near) or ""), near
end

function strict.keys(t)
	local keys = {}
	for k in pairs(t) do keys[#keys + 1] = k end
	return keys
end

-- The keys of a table that an author wrote must be among names (name = type).
-- @return it, without what was passed over; whether that may be what is missing under another name
function strict.check(what, noun, given, names)
	local whole, short = {}, false
	if given == unknown then error(lenient.over, 0) end
	if type(given) ~= "table" then
		strict.refuse("%s takes a table { name = value }, not a %s", what, type(given))
	end
	for k, v in pairs(given) do
		local want, near = names[k], nil
		if not want then _, near = strict.unknown(what, noun, k, strict.keys(names)) end
		if near and given[near] == nil then k, want = near, names[near] end
		short = short or not want
		if want and (want == "any" or type(v) == want or v == unknown) then
			whole[k] = v
		elseif want then
			strict.fail("%s: %s '%s' takes a %s, not a %s", what, noun, k, want, type(v))
			whole[k] = unknown
		end
	end
	return whole, short
end

-- The words among which a parameter or an answer chooses, at least one.
function strict.choices(what, list)
	if list == unknown then return { "unknown" } end
	local n = 0
	for k, word in pairs(list or {}) do
		n = n + 1
		if math.type(k) ~= "integer" or type(word) ~= "string" and word ~= unknown then
			strict.refuse("%s: choices is a list of texts: { \"a\", \"b\" }", what)
		end
	end
	if n > CHOICES then strict.refuse("%s has %d choices, at most %d are allowed", what, n, CHOICES) end
	return n > 0 and list or nil
end

-- A table with these names and no others, read only.  get(name) makes the
-- value; a nil value of a known name is nil.
function strict.names(what, noun, names, get)
	local known = {}
	for _, name in ipairs(names) do known[name] = true end
	return setmetatable({}, {
		__index = function(_, k)
			if not known[k] then return strict.unknown(what, noun, k, names) end
			return get(k)
		end,
		__newindex = function() strict.fail("%s can only be read", what) end,
		__pairs = function()
			local i = 0
			return function()
				local v
				repeat
					i = i + 1
					v = names[i] and get(names[i])
				until v ~= nil or not names[i]
				return names[i], v
			end
		end,
		__metatable = "protected",
	})
end

-- A read-only row of plain values; fields: names it may have, nil: any.
function strict.row(what, data, fields)
	return strict.names(what, "field", fields or strict.keys(data), function(k)
		local v = data[k]
		if type(v) ~= "table" then return v end
		return strict.list(what .. "." .. k, v, nil)
	end)
end

-- A read-only list of rows or plain values; key: field that names a row.
function strict.list(what, data, fields, key)
	local rows, byname = {}, nil
	local function at(i)
		local v = data[i]
		if type(v) ~= "table" then return v end
		rows[i] = rows[i] or strict.row(what, v, fields)
		return rows[i]
	end
	local function find(name)
		if not byname then
			byname = {}
			for i = #data, 1, -1 do byname[data[i][key] or ""] = i end
		end
		return byname[name] and at(byname[name])
	end
	local function step(_, i)
		if data[i + 1] ~= nil then return i + 1, at(i + 1) end
	end
	return setmetatable({}, {
		__index = function(_, k)
			if math.type(k) == "integer" then return at(k) end
			if key and type(k) == "string" then return find(k) end
			if k == unknown then return unknown end
			return strict.fail("%s is a list: use ipairs(), or a number in []", what)
		end,
		__len = function() return #data end,
		__pairs = function(t) return step, t, 0 end,
		__newindex = function() strict.fail("%s can only be read", what) end,
		__metatable = "protected",
	})
end

return strict
