-- SPDX-License-Identifier: MIT
-- plugins and explain: about this installation.
local _, core = ...
local base = require "cli.base"

local function print_step(plugin, s)
	base.print("  %s.%s - %s (%s)\n", plugin, s.name, s.help, s.reversibility)
	for _, p in ipairs(s.params) do
		base.print("    %s\n", base.row { { p.name, 14 }, { p.type, 8 }, p.help .. (p.required and " (required)" or "") ..
			(p.default and " = " .. p.default or "") })
	end
	for _, o in ipairs(s.outputs) do
		base.print("    %s\n", base.row { { "out." .. o.name, 14 }, { o.type, 8 }, o.help })
	end
end

local function print_plugin(p, whole)
	base.print("%s\n", base.row { { p.name, 10 }, { p.version, 8 }, p.help })
	if not whole then return end
	for _, s in ipairs(p.steps) do print_step(p.name, s) end
	for _, kind in ipairs { "reader", "filter", "scanner", "transport" } do
		for _, name in ipairs(p[kind .. "s"]) do
			base.print("  %s %s - %s\n", kind, name, p.helps[kind .. " " .. name])
		end
	end
end

-- Prints all that plugins declare in one text, by the option that asks for it.
local whole = {
	json = base.print_json,
	lua = function(list) core.out(require "cli.stubs"(list)) end,
	man = function(list, only) core.out(require "cli.reference".man(list, only)) end,
	markdown = function(list) core.out(require "cli.reference".markdown(list)) end,
}

local function plugins(cli)
	local only, list, status, as = cli.operands[1], core.list {}, 0, nil
	for name in pairs(whole) do as = cli:option(name) and name or as end
	for _, name in ipairs(only and { only } or core.plugins()) do
		local p, err = core.plugin(name)
		if err then
			base.show_error(err)
			status = 2
		elseif as then
			list[#list + 1] = p
		else
			print_plugin(p, only)
		end
	end
	for _, path in ipairs(only and {} or core.ignored_plugins()) do
		core.err(("patchday: %s is passed over: its name is no plugin's (a to z, 0 to 9, _; a letter first)\n"):format(path))
	end
	for _, file in ipairs(core.shadowed_plugins()) do
		if not only or file.used:match "([^/]+)%.so$" == only then core.err("patchday: " .. base.shadowed(file) .. "\n") end
	end
	if as and status == 0 then whole[as](list, only) end
	return status
end

local function explain(cli)
	local id, all, ids = cli.operands[1], core.explanations(), {}
	for i, x in ipairs(all) do
		ids[i] = x.id
		if x.id == id and cli.json then base.print_json(x)
		elseif x.id == id then base.print("%s\n  %s %s\n  remedy: %s\n", x.id, base.pad("cause:", 7), x.cause, x.remedy)
		elseif not id and not cli.json then base.print("%s\n", base.row { { x.id, 24 }, x.cause })
		end
	end
	if id and not base.has(ids, id) then
		local near = core.nearest(id, ids)
		base.fail("usage", ("there is no error with the id '%s'"):format(id),
			near and ("Did you mean %s?"):format(near) or "`patchday explain` lists them.")
	end
	if not id and cli.json then base.print_json(all) end
	return 0
end

return {
	plugins = {
		operands = "[NAME]", most = 1,
		summary = "list the plugins, or the steps of one",
		text = "With NAME: each step with its parameters, outputs and whether it can be undone.\n",
		options = {
			{ "lua", nil, "print the steps as annotations for a Lua language server" },
			{ "man", nil, "print a manual page" },
			{ "markdown", nil, "print a page of the book" },
		},
		forms = { "json", "lua", "man", "markdown" }, run = plugins,
	},
	explain = {
		operands = "[ID]", most = 1,
		summary = "say cause and remedy of an error",
		text = "Every error message ends with its id in square brackets.\n",
		run = explain,
	},
}
