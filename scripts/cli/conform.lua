-- SPDX-License-Identifier: MIT
-- plugin check: does a plugin keep the contract?  The program patchday-conform
-- tries it; here is what it needs, and the table of what it found.
local _, core = ...
local base = require "cli.base"
local workflow = require "cli.workflow"

local rules = { "loads", "manual", "still", "limit", "twice", "undo", "kill", "left", "secret", "knows", "damage",
	"carries" }

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

-- A file with the facts of this server, by scanners that are installed: those that are to
-- be tried may do anything, and are called in clones alone.
local function facts(cli, folders, to)
	base.must(core.setup(cli.state, folders))
	local found, err = core.facts()
	base.must(core.write(to, core.encode(base.must(found, err)), 384)) -- 0600
	return to
end

-- The steps of the case; a plugin that can't be loaded has none, and is told by the program.
local function plan(cli, case, own, others)
	if not case then return nil end
	local folder = base.must(core.temporary())
	local ok, made, err = pcall(function()
		local file = facts(cli, others, folder .. "/facts.json")
		base.must(core.setup(cli.state, own))
		return core.plan(workflow.inputs(cli, case), file)
	end)
	core.remove(folder)
	if not ok then error(made, 0) end
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

-- Those that one row has at least.
local function shown(said)
	local list = {}
	for _, rule in ipairs(rules) do
		for _, row in ipairs(said.rows) do
			if row.rules[rule].result ~= "none" then
				list[#list + 1] = rule
				break
			end
		end
	end
	return list
end

local function sentences(said)
	for _, row in ipairs(said.rows) do
		local words = { row.kind .. " " .. row.name }
		for _, rule in ipairs(rules) do
			local result = row.rules[rule].result
			if result ~= "none" then words[#words + 1] = ("%s %s"):format(rule, cells[result][1]) end
		end
		base.print("%s\n", base.sentence(words))
	end
end

local function table_text(said)
	if base.plain then return sentences(said) end
	local wide, columns = 10, shown(said)
	for _, row in ipairs(said.rows) do wide = math.max(wide, #row.kind + #row.name + 2) end
	local line = { base.pad("", wide) }
	for i, rule in ipairs(columns) do line[i + 1] = base.pad(rule, 8) end
	local function put() core.out((table.concat(line):gsub(" +$", "")) .. "\n") end
	put()
	for _, row in ipairs(said.rows) do
		line = { base.pad(row.kind .. " " .. row.name, wide) }
		for i, rule in ipairs(columns) do
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
	local folders, others = core.list { folder }, core.list {}
	for _, one in ipairs(cli:all("plugin-dir")) do others[#others + 1] = one end
	if core.path(base.about.plugins) then others[#others + 1] = base.about.plugins end
	table.move(others, 1, #others, 2, folders)
	local beside = folder .. "/" .. name
	local case = given(cli, "case", { beside .. ".check" })
	local foreign = core.list {}
	for i, other in ipairs(cli:all("other")) do
		foreign[i] = first { other } or base.fail("file-read", ("there is no file %s"):format(other))
	end
	local said = ask(cli, { file = file, folders = folders, boots = cli:option("boot") ~= nil,
		manual = given(cli, "manual", { beside .. ".md", folder .. "/README.md",
			("%s/../plugins/%s/README.md"):format(base.about.scripts, name) }), -- of one of ours
		plan = plan(cli, case, folders, others), case = case and case:match("^(.*)/"), others = foreign })
	local list, verdict = findings(said), "pass"
	for _, one in ipairs(list) do
		verdict = (one.result == "broken" or verdict == "fail") and "fail" or "incomplete"
	end
	said.verdict = verdict
	if cli.json then base.print_json(said) else text(said, list, verdict) end
	return verdict == "pass" and 0 or 1
end
