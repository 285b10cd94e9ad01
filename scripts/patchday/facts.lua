-- SPDX-License-Identifier: MIT
-- t.facts: what scanners found, converted kind by kind when asked for.
local _, core = ...
local strict = require "patchday.strict"
local cache = {}

local function view(kind)
	local what = "t.facts." .. kind
	local many, data, fields, key = core.facts(kind)
	if many then return strict.list(what, data or {}, fields, key) end
	return strict.row(what, data or {}, fields)
end

return strict.names("t.facts", "kind", core.kinds(), function(kind)
	cache[kind] = cache[kind] or view(kind)
	return cache[kind]
end)
