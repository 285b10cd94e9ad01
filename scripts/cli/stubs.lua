-- SPDX-License-Identifier: MIT
-- plugins --lua: the steps of plugins as annotations for a Lua language server
-- (LuaLS, EmmyLua).  The language that they stand in is scripts/meta/patchday.lua.
local reference = require "cli.reference"

local HEAD = [[
---@meta
-- SPDX-License-Identifier: MIT
-- Made by `patchday plugins --lua`: the steps of the plugins that are installed.

---@class patchday
local pd = {}

---The steps of a plugin, as functions.
%s---@param name string
---@return table<string, fun(given?: table): patchday.step>
function pd.use(name) end]]

-- The types of scripts/meta/patchday.lua have the names of the core.
local function type_of(param)
	if param.type ~= "choice" then return "patchday." .. param.type end
	local words = {}
	for i, word in ipairs(param.choices) do words[i] = ('"%s"'):format(word) end
	return table.concat(words, "|") .. "|patchday.out.string"
end

local function add_fields(lines, step)
	local own_id
	for _, p in ipairs(step.params) do
		own_id = own_id or p.name == "id"
		if not p.engine then
			local default = reference.default(p)
			lines[#lines + 1] = ("---@field %s%s %s %s%s"):format(p.name, p.required and "" or "?", type_of(p),
				reference.meaning(p), default and ", default " .. default or "")
		end
	end
	if not own_id then lines[#lines + 1] = "---@field id? string name of the step in the plan" end
end

local function add_step(lines, plugin, step)
	local class, needs = ("patchday.plugin.%s.%s"):format(plugin, step.name), false
	for _, p in ipairs(step.params) do needs = needs or p.required end
	lines[#lines + 1] = ("\n---@class (exact) %s"):format(class)
	add_fields(lines, step)
	lines[#lines + 1] = ("\n---@class (exact) %s.out"):format(class)
	for _, o in ipairs(step.outputs) do
		lines[#lines + 1] = ("---@field %s patchday.out.%s %s"):format(o.name, o.type, o.help)
	end
	lines[#lines + 1] = ("\n---@class (exact) %s.step: patchday.step\n---@field out %s.out"):format(class, class)
	lines[#lines + 1] = ("\n---%s\n---%s\n---@param given%s %s\n---@return %s.step\nfunction steps.%s(given) end"):format(
		reference.sentence(step.help), reference.nature(step), needs and "" or "?", class, class, step.name)
end

-- plugins: as core.plugin() has them; the text of the file.
return function(plugins)
	local lines, uses = { "" }, {}
	for _, p in ipairs(plugins) do
		if #p.steps > 0 then
			uses[#uses + 1] = ('---@overload fun(name: "%s"): patchday.plugin.%s\n'):format(p.name, p.name)
			lines[#lines + 1] = ("\n-- %s: %s"):format(p.name, p.help)
			lines[#lines + 1] = ("do\n---@class patchday.plugin.%s\nlocal steps = {}"):format(p.name)
			for _, s in ipairs(p.steps) do add_step(lines, p.name, s) end
			lines[#lines + 1] = "end"
		end
	end
	lines[1] = HEAD:format(table.concat(uses))
	return table.concat(lines, "\n") .. "\n"
end
