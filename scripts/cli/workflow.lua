-- SPDX-License-Identifier: MIT
-- From the words of the command line to a workflow and its plan.
local _, core = ...
local base = require "cli.base"
local workflow = {}

workflow.options = {
	{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
	{ "param", "NAME=VALUE", "parameter of the workflow; may be repeated" },
}

-- A path, or the name of a role that came with patchday.
local function find(name)
	local path, err
	if not name:find("/", 1, true) and not name:find(".lua", 1, true) then
		path, err = core.path(("%s/roles/%s.lua"):format(base.about.scripts, name))
	end
	if not path and not err then path, err = core.path(name) end
	return base.must(path, err) and path.path or
		base.fail("workflow-none", ("there is no workflow %s, neither as a file nor as a role below %s/roles"):format(
			name, base.about.scripts))
end

-- What a plan is made from: journaled, so that a further round can be planned.
function workflow.inputs(cli)
	local inputs = { script = find(cli.operands[1]), params = {}, catalogs = core.list {} }
	for _, given in ipairs(cli.given) do
		local name, value = given[1], given[2]
		if name == "catalog" then
			inputs.catalogs[#inputs.catalogs + 1] = (base.must(core.path(value)) or { path = value }).path
		elseif name == "param" then
			local key, text = value:match("^([^=]+)=(.*)$")
			if not key then base.fail("usage", ("--param wants NAME=VALUE, not '%s'"):format(value)) end
			inputs.params[key] = text
		end
	end
	return inputs
end

-- { plan, digest } for this server, or for that of --facts.
function workflow.plan(cli, inputs)
	return base.must(core.plan(inputs, cli:option("facts")))
end

function workflow.text(made) return require("cli.plan_text")(made.plan, made.digest) end

-- Print what a workflow declares: its parameters with type and default.
function workflow.help(name)
	local declared = base.must(core.describe(find(name)))
	base.print("\nParameters of %s - %s (--param NAME=VALUE):\n\n", name, declared.help or "")
	for _, row in ipairs(declared.params or {}) do
		base.print("  %-16s %-8s %s%s%s\n", row.name, row.type, row.help or "", row.required and " (required)" or "",
			row.default ~= nil and " = " .. core.encode(row.default) or "")
	end
end

return workflow
