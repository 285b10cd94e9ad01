-- SPDX-License-Identifier: MIT
-- Parameters of a workflow: declared, and given on the command line.
local _, core = ...
local strict = require "patchday.strict"
local fail = strict.fail
local specs = {} -- private parts of declarations
local params = { types = {} }
local options = { default = "any", required = "boolean", help = "string", choices = "table",
	min = "number", max = "number" }

local type_names = { bool = "boolean", int = "number" } -- as the core calls them

local function declare(kind, given)
	given = given == nil and {} or given
	strict.check("pd." .. kind, "option", given, options)
	local spec = { type = type_names[kind] or kind }
	for k, v in pairs(given) do spec[k] = v end
	if kind == "choice" and #(spec.choices or {}) == 0 then
		fail("pd.choice needs choices = { \"a\", \"b\" }")
	end
	if spec.required and spec.default ~= nil then
		fail("pd.%s: a required parameter has no default", kind)
	end
	if spec.default ~= nil then spec.default = core.param("default", spec, spec.default, false) end
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
	for name, object in pairs(list) do
		if type(name) ~= "string" or not name:find("^%l[%l%d_]*$") then
			fail("params: '%s' is no name; use a to z, 0 to 9 and '_'", tostring(name))
		end
		if not specs[object] then
			fail("params: '%s' is declared by pd.string { ... }, pd.list { ... } and so on", name)
		end
	end
end

-- The values of all declared parameters; given: name = text.
function params.values(list, given)
	local values, names = {}, strict.keys(list)
	for name in pairs(given) do
		if not list[name] then
			core.blame "workflow-parameter"
			strict.unknown("the workflow", "parameter", name, names)
		end
	end
	for _, name in ipairs(names) do
		local spec = specs[list[name]]
		values[name] = spec.default
		if given[name] ~= nil then
			values[name] = core.param(name, spec, given[name], true)
		elseif spec.required then
			core.blame "workflow-parameter"
			fail("parameter '%s' is required%s; give --param %s=VALUE", name,
				spec.help and " (" .. spec.help .. ")" or "", name)
		end
	end
	return values, names
end

function params.describe(list)
	local rows = {}
	for i, name in ipairs(strict.keys(list)) do
		rows[i] = { name = name }
		for k, v in pairs(specs[list[name]]) do rows[i][k] = v end
	end
	return rows
end

return params
