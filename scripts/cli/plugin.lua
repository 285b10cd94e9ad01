-- SPDX-License-Identifier: MIT
-- plugin: a start for authors of plugins.
local _, core = ...
local base = require "cli.base"
local workflow = require "cli.workflow"

local function new(cli)
	local name = cli.operands[1]
	if not name or cli.operands[2] then base.fail("usage", "usage: patchday plugin new NAME [--to DIR]") end
	if not name:find("^%l[%l%d_]*$") then
		base.fail("usage", ("a plugin has a name of a to z, 0 to 9 and '_', not '%s'"):format(name))
	end
	base.name_length("the name of a plugin", name)
	for _, taken in ipairs(core.plugins()) do
		if taken == name then base.fail("file-exists", ("there is a plugin '%s' already"):format(name)) end
	end
	local folder, made = ("%s/%s"):format(cli:option("to") or ".", name), core.list {}
	if core.path(folder) then base.fail("file-exists", ("%s is there already"):format(folder)) end
	for _, file in ipairs { "plugin.c", "Makefile", "README.md", "plugin.check", "test.sh" } do
		local text = base.must(core.text(("%s/templates/plugin/%s"):format(base.about.scripts, file)))
		text = text:gsub("[^\n]*SPDX%-License[^\n]*\n", "", 1):gsub("@NAME@", name) -- what is made of it is yours
		base.must(core.folder(folder))
		local path = ("%s/%s"):format(folder, file == "plugin.check" and name .. ".check" or file)
		base.must(core.write(path, text, tonumber(file == "test.sh" and "755" or "644", 8)))
		made[#made + 1] = path
	end
	if cli.json then base.print_json(made)
	else base.print("%s\nnext: `make -C %s check`, then `patchday plugin check %s/%s.so`\n",
		table.concat(made, "\n"), folder, folder, name) end
	return 0
end

return {
	plugin = {
		operands = "new NAME | check FILE.so", least = 1, most = 2,
		summary = "start a plugin of your own, prove that it keeps the contract",
		text = [[
new    writes the folder NAME: source with a step that can be undone, Makefile
       (it builds alone, by pkg-config), manual, test, and a case for check.
check  tries every step, scanner, reader, filter and transport of FILE.so in
       throw-away clones of this server, with the arguments, samples and targets
       of its case (a workflow, NAME.check beside it), and shows which rules of
       the contract it keeps. Ends with 0 if it keeps all of them, with
       1 if it breaks one, or one could not be tried. Needs root.
]],
		options = {
			{ "to", "DIR", "new: the folder that it is made in (default: this one)" },
			{ "case", "FILE", "check: the workflow whose steps are tried (default NAME.check beside it)" },
			{ "manual", "FILE", "check: its manual (default NAME.md or README.md beside it, or that of ours)" },
			{ "other", "FILE", "check: a file that none of its readers and filters is to know; may be repeated" },
			{ "boot", nil, "check: clones with their own init, as a rehearsal has: services, too" },
			workflow.options[1], workflow.options[2], workflow.options[3],
		},
		verbs = { new = new, check = function(cli) return require("cli.conform")(cli) end },
	},
}
