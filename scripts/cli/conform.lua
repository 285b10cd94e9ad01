-- SPDX-License-Identifier: MIT
-- plugin check: does a plugin keep the contract?  The program patchday-conform
-- tries it; here is what it needs, and the table of what it found.
local _, core = ...
local base = require "cli.base"
local workflow = require "cli.workflow"

local rules = { "loads", "manual", "still", "limit", "twice", "undo", "kill", "left", "secret" }

-- The first of these files that is there.
local function first(names)
	for _, name in ipairs(names) do
		local found = core.path(name)
		if found then return found.path end
	end
end

local function given(cli, option, otherwise)
	local name = cli:option(option)
	return name and (first { name } or base.fail("file-read", ("there is no file %s"):format(name))) or
		first(otherwise)
end

-- The steps of the case; a plugin that can't be loaded has none, and is told by the program.
local function plan(cli, case)
	if not case then return nil end
	local made, err = core.plan(workflow.inputs(cli, case))
	if err and not err.id:find("^plugin%-") then base.must(made, err) end
	return made and made.plan
end

local function ask(cli, wanted)
	local done = base.must(core.tool(core.list { cli.programs .. "/patchday-conform" }, core.encode(wanted), false))
	local said = core.decode(done.out)
	if said and said.error then error(said.error, 0) end
	return said or base.fail("usage", ("the program patchday-conform is not in %s, or broke off: %s"):format(
		cli.programs, done.err), "Install patchday whole: `make install`.")
end

-- All that is not kept, in order: { row, rules, result, found }; the rules of a
-- row for which the same was found are one.
local function findings(said)
	local list = {}
	for _, row in ipairs(said.rows) do
		local same = {}
		for _, rule in ipairs(rules) do
			local of = row.rules[rule]
			local found = table.concat(of.found or {}, "\n  ")
			local one = same[of.result .. found]
			if one then one.rules = one.rules .. ", " .. rule
			elseif of.result == "broken" or of.result == "not tried" then
				one = { row = row.name, rules = rule, result = of.result, found = found }
				same[of.result .. found] = one
				list[#list + 1] = one
			end
		end
	end
	return list
end

local cells = { kept = { "ok", "green" }, broken = { "BROKEN", "red" }, ["not tried"] = { "untried", "yellow" },
	none = { "-" } }

local function table_text(said)
	local wide = 10
	for _, row in ipairs(said.rows) do wide = math.max(wide, #row.kind + #row.name + 2) end
	local line = { base.pad("", wide) }
	for i, rule in ipairs(rules) do line[i + 1] = base.pad(rule, 8) end
	local function put() core.out((table.concat(line):gsub(" +$", "")) .. "\n") end
	put()
	for _, row in ipairs(said.rows) do
		line = { base.pad(row.kind .. " " .. row.name, wide) }
		for i, rule in ipairs(rules) do
			local cell = cells[row.rules[rule].result]
			line[i + 1] = base.paint(cell[2], cell[1]) .. (" "):rep(8 - #cell[1])
		end
		put()
	end
end

local function text(said, list, verdict)
	base.print("plugin %s %s, tried in clones of this server %s\n\n", said.plugin, said.version or "", said.boots and
		"with their own init" or "without an init: files are compared, services and packages are not")
	table_text(said)
	for _, one in ipairs(list) do
		base.print("\n%s: %s of %s\n  %s\n", one.result, one.rules, one.row, one.found)
	end
	base.print("\n%s\n", ({ pass = "it keeps the contract", fail = "it breaks the contract",
		incomplete = "this is no pass: not all of it was tried" })[verdict])
end

-- patchday plugin check FILE.so
return function(cli)
	local at = core.path(cli.operands[1] or base.fail("usage", "usage: patchday plugin check FILE.so"))
	local file = at and at.path or base.fail("file-read", ("there is no file %s"):format(cli.operands[1]))
	local folder, name = file:match("^(.*)/([^/]*)%.so$")
	if not folder then base.fail("usage", ("a plugin is a file NAME.so, not %s"):format(file)) end
	local folders = core.list { folder }
	table.move(cli:all("plugin-dir"), 1, #cli:all("plugin-dir"), 2, folders)
	base.must(core.setup(cli.state, folders))
	if core.path(base.about.plugins) then folders[#folders + 1] = base.about.plugins end
	local beside = folder .. "/" .. name
	local said = ask(cli, { file = file, folders = folders, boots = cli:option("boot") ~= nil,
		manual = given(cli, "manual", { beside .. ".md", folder .. "/README.md" }),
		plan = plan(cli, given(cli, "case", { beside .. ".check" })) })
	local list, verdict = findings(said), "pass"
	for _, one in ipairs(list) do
		verdict = (one.result == "broken" or verdict == "fail") and "fail" or "incomplete"
	end
	said.verdict = verdict
	if cli.json then base.print_json(said) else text(said, list, verdict) end
	return verdict == "pass" and 0 or 1
end
