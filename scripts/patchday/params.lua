-- SPDX-License-Identifier: MIT
-- Parameters of a workflow: declared, and given on the command line.
local _, core = ...
local strict = require "patchday.strict"
local unknown = require "patchday.unknown"
local fail = strict.fail
local specs = {} -- private parts of declarations
local params = { types = {} }
local options = { default = "any", required = "boolean", help = "string", choices = "table",
	min = "number", max = "number" }

local type_names = { bool = "boolean", int = "number" } -- as the core calls them

-- One end of a range alone leaves the other one open; nothing is left of it by mistake.
local function bound(kind, spec)
	for _, name in ipairs { "min", "max" } do
		if spec[name] and not math.tointeger(spec[name]) then
			strict.refuse("pd.%s: %s is a whole number", kind, name)
		end
	end
	if not (spec.min or spec.max) then return end
	spec.min, spec.max = spec.min or math.mininteger, spec.max or math.maxinteger
	if spec.min > spec.max then fail("pd.%s: min %d is more than max %d", kind, spec.min, spec.max) end
end

local function declare(kind, given)
	given = given == nil and {} or given
	local spec = strict.check("pd." .. kind, "option", given, options)
	for k, v in pairs(spec) do
		if v == unknown and k ~= "default" and k ~= "choices" then spec[k] = nil end
	end
	spec.type = type_names[kind] or kind
	spec.choices = strict.choices("pd." .. kind, spec.choices)
	if kind == "choice" and not spec.choices then
		strict.refuse("pd.choice needs choices = { \"a\", \"b\" }")
	end
	if spec.required and spec.default ~= nil then
		fail("pd.%s: a required parameter has no default", kind)
	end
	bound(kind, spec)
	spec.default = strict.whole(spec.default)
	if spec.default ~= nil and spec.default ~= unknown then
		spec.default = core.param("default", spec, spec.default, false)
	end
	local object = setmetatable({}, { __metatable = "protected" })
	specs[object] = spec
	return object
end

for _, kind in ipairs { "string", "path", "list", "int", "bytes", "seconds", "bool", "choice" } do
	params.types[kind] = function(given) return declare(kind, given) end
end

-- Both a declaration (help, required ...) and a value (env, file, credential, prompt).
function params.types.secret(given)
	local sources = { "env", "file", "credential", "prompt" }
	for _, source in ipairs(sources) do
		if type(given) == "table" and given[source] ~= nil then
			strict.check("pd.secret", "option", given, { [source] = "string" })
			return { ["$secret"] = { [source] = given[source] } }
		end
	end
	return declare("secret", given)
end

function params.check_declared(list)
	if list == unknown then return end
	for name, object in pairs(list) do
		strict.name("the name of a parameter", name, "^%l[%l%d_]*$", function()
			fail("params: %s is no name; use a to z, 0 to 9 and '_'", strict.shown(name))
		end)
		if not specs[object] and object ~= unknown then
			fail("params: '%s' is declared by pd.string { ... }, pd.list { ... } and so on", name)
		end
	end
end

-- `--param user=`: an empty text where none need be is one that is left out, so that no script has to know both.
local function is_left_out(spec, text)
	return text == "" and spec.type == "string" and spec.default == nil and not spec.required
end

-- The values of all declared parameters; given: name = text.
function params.values(list, given)
	if list == unknown then return {}, {} end
	local values, names = {}, strict.keys(list)
	for name in pairs(given) do
		if not list[name] then
			core.blame "workflow-parameter"
			strict.unknown("the workflow", "parameter", name, names)
		end
	end
	for _, name in ipairs(names) do
		local spec = specs[list[name]] or { default = unknown }
		values[name] = spec.default
		if given[name] ~= nil and not is_left_out(spec, given[name]) then
			values[name] = core.param(name, spec, given[name], true)
		elseif spec.required then
			core.blame "workflow-parameter"
			fail("parameter '%s' is required%s; give --param %s=%s", name,
				spec.help and " (" .. spec.help .. ")" or "", name, spec.type == "secret" and "file:/PATH" or "VALUE")
		end
	end
	return values, names
end

function params.describe(list)
	local rows = {}
	for i, name in ipairs(list ~= unknown and strict.keys(list) or {}) do
		rows[i] = { name = name }
		for k, v in pairs(specs[list[name]] or { type = "string" }) do rows[i][k] = v end
	end
	return rows
end

return params
