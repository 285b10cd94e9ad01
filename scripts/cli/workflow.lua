-- SPDX-License-Identifier: MIT
-- From the words of the command line to a workflow and its plan.
local _, core = ...
local base = require "cli.base"
local packages = require "cli.packages"
local source = require "cli.source"
local workflow = {}

workflow.options = {
	{ "catalog", "FILE", "catalog of updates, READER: such as apt:, or sync:SOURCE; may be repeated" },
	{ "param", "NAME=VALUE", "parameter of the workflow; may be repeated" },
	{ "answers", "FILE", "JSON object of answers to the workflow's questions" },
}

-- The path of a script: a path, the name of an installed package (which is then
-- the second value; without cli there are none), or of a role that came with patchday.
function workflow.find(name, cli)
	local path, err
	if not name:find("/", 1, true) and not name:find(".lua", 1, true) then
		local package = cli and packages.find(cli, name)
		if package then return package.script, package end
		path, err = core.path(("%s/roles/%s.lua"):format(base.about.scripts, name))
	end
	if not path and not err then path, err = core.path(name) end
	if base.must(path, err) then return path.path end
	local names = cli and packages.names(cli) or {}
	for _, role in ipairs(core.files(base.about.scripts .. "/roles")) do
		names[#names + 1] = role:match("([^/]*)%.lua$")
	end
	local near = core.nearest(name, names)
	base.fail("workflow-none", ("there is no workflow %s, neither as a file nor as a package nor as a role in %s/roles%s"
		):format(name, base.about.scripts, near and ("; did you mean %s?"):format(near) or ""))
end

-- What a plan is made from: journaled, so that a further round can be planned.
function workflow.inputs(cli, script)
	local path, package = workflow.find(script or cli.operands[1], cli)
	local inputs = { script = path, params = {}, catalogs = core.list {}, answers = {}, site = base.site() }
	for _, given in ipairs(cli.given) do
		local option, value = given[1], given[2]
		if option == "catalog" then
			local entry = source.resolve(cli, { value })[1] -- sync:NAME is this very set from now on
			local at = type(entry) == "string" and base.must(core.path(entry))
			inputs.catalogs[#inputs.catalogs + 1] = at and at.path or entry
		elseif option == "param" then
			local key, text = value:match("^([^=]+)=(.*)$")
			if not key then base.fail("usage", ("--param wants NAME=VALUE, not '%s'"):format(value)) end
			inputs.params[key] = text
		elseif option == "answers" then
			inputs.answers = base.must(core.answers(value, inputs.answers))
		end
	end
	source.together(inputs.catalogs)
	if package then packages.lend(package, inputs) end
	return inputs
end

-- What a line typed in stands for; nil: for no answer.
local function understood(q, line)
	if q.type == "boolean" then
		local words = { yes = true, ["true"] = true, ["1"] = true, no = false, ["false"] = false, ["0"] = false }
		return words[line]
	end
	if q.type == "string" then return line ~= "" and line or nil end
	return base.has(q.choices or {}, line) and line or nil
end

local function ask(q)
	local choice = q.choices and table.concat(q.choices, ", ") or q.type == "boolean" and "yes, no" or "a text"
	base.print("%s%s\n", q.ask, (q.help or "") ~= "" and "\n  " .. q.help or "")
	while true do
		base.print("  [%s] ", choice)
		local line = core.line()
		if not line then return nil end -- it stays open, and the run is refused
		local value = understood(q, line)
		if value ~= nil then return value end
	end
end

-- Ask on the terminal what is open in a plan; true: there is an answer, plan again.
function workflow.ask(cli, made, inputs)
	local added = false
	if made.plan.nothing or cli.json or cli:option("events") or not base.about.terminal or
		not base.about.input_terminal then
		return false
	end
	for _, q in ipairs(made.plan.questions or {}) do
		if q.answer == nil then
			local value = ask(q)
			if value == nil then break end
			inputs.answers[q.name] = core.answer(value)
			added = true
		end
	end
	return added
end

-- { plan, digest } for this server, or for that of --facts.
function workflow.plan(cli, inputs)
	return base.must(core.plan(inputs, cli:option("facts")))
end

-- A plan as text; with the inputs, as this terminal has it and with what package it is made
-- from; dry: a dry run comes behind it.
function workflow.text(made, inputs, dry)
	local from = inputs and inputs.package
	return (from and packages.line(from) .. "\n" or "") ..
		require("cli.plan_text").plan(made.plan, made.digest, dry, inputs and base.plain)
end

-- Print what a workflow declares: its parameters with type and default.
function workflow.help(name, cli)
	local declared = base.must(core.describe((workflow.find(name, cli))))
	base.print("\nParameters of %s - %s (--param NAME=VALUE):\n\n", name, declared.help or "")
	for _, row in ipairs(declared.params or {}) do
		base.print("  %s\n", base.row { { row.name, 16 }, { row.type, 8 }, (row.help or "") ..
			(row.required and " (required)" or "") .. (row.default ~= nil and " = " .. core.encode(row.default) or "") })
	end
end

return workflow
