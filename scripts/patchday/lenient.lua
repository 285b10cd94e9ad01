-- SPDX-License-Identifier: MIT
-- How `workflow check` comes behind a mistake: one that it has told already is not
-- raised again, and what was asked for is an unknown value.
local _, core = ...
local unknown = require "patchday.unknown"
local known, any, passed = {}, false, 0 -- texts of errors; whether there is one; how often one was met
local lenient = {}

function lenient.known(texts)
	for _, text in ipairs(texts) do known[text], any = true, true end
end

-- An error's text as it was told: one line, bounded, UTF-8.
local function as_told(text)
	local place, rest = text:match("^([^ ]+:%d+: )(.*)$")
	rest = (rest or text):match("^[^\0]*"):sub(1, 1999):gsub("[\1-\31\127]", " ")
	return (place or "") .. (utf8.len(rest) and rest or rest:gsub("[\128-\255]", "?"))
end

-- Is this error one to be passed over?
function lenient.passes(text)
	if not any or type(text) ~= "string" or not known[as_told(text)] then return false end
	passed = passed + 1
	return true
end

-- Raised behind a mistake that was passed over, by what can't go on without: the function that the
-- author called gives an unknown value.
lenient.over = {}

-- lost: what is unknown then may be a stage or a list; steps that it had are in no plan.
local function results(lost, before, ok, ...)
	if ok then return ... end
	local err = (...)
	-- what breaks in here behind a mistake that was passed over only follows from it
	local ours = passed > before and (err == lenient.over or tostring(err):find("^patchday[%w.]*:%d+: "))
	if not ours and not lenient.passes(err) then error(err, 0) end
	lenient.lost = lenient.lost or lost
	return unknown
end

-- A function that the author calls.
function lenient.wrapped(f, lost)
	return core.entry(any and function(...) return results(lost, passed, pcall(f, ...)) end or f)
end

-- Is there anything to be passed over?
function lenient.any() return any end

return lenient
