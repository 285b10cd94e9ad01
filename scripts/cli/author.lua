-- SPDX-License-Identifier: MIT
-- workflow: what authors of workflows need: a start, a check without a server,
-- and tests that are files.
local _, core = ...
local base = require "cli.base"
local case = require "cli.case"
local faults = require "cli.faults"
local fit = require "cli.fit"
local paper = require "cli.paper"
local workflow = require "cli.workflow"
local with_folder, write, NOTHING, SERVER = faults.with_folder, faults.write, faults.NOTHING, faults.SERVER

-- ---------------------------------------------------------------- check

local function check(cli)
	if not cli.operands[1] then base.fail("usage", "usage: patchday workflow check WORKFLOW...") end
	local all = core.list {}
	for _, name in ipairs(cli.operands) do
		local script = name
		local ok, list = pcall(function()
			script = workflow.find(name, cli)
			return faults.find(script)
		end)
		if not ok and type(list) ~= "table" then error(list, 0) end
		for _, err in ipairs(ok and list or { list }) do
			all[#all + 1] = { workflow = script, id = err.id, where = err.where, message = err.message, server = err.server }
			if not cli.json then base.show_error(err) end
		end
		if ok and #list == 0 and not cli.json then
			base.print("%s: nothing is wrong that can be known without a server\n", name)
		end
	end
	if cli.json then base.print_json(all) end
	return #all > 0 and 2 or 0
end

-- ----------------------------------------------------------------- test

-- The path of a case's script; its own text goes to the folder.
local function script_of(c, folder)
	if c.WORKFLOW then return write(folder, "w.lua", c.WORKFLOW) end
	local name = c.SCRIPT:match("^%s*(.-)%s*$")
	if name:find("/", 1, true) == 1 then return name end
	local beside = (c.file:match("^(.*/)") or "") .. name:gsub("%.lua$", "") .. ".lua"
	return core.path(beside) and core.path(beside).path or workflow.find(name)
end

local function inputs_of(c, folder)
	local inputs = { script = script_of(c, folder), params = c.params, answers = {}, catalogs = core.list {},
		about = c.file } -- before what the script prints
	for i, text in ipairs(#c.catalogs > 0 and c.catalogs or { NOTHING }) do
		inputs.catalogs[i] = write(folder, ("catalog%d.xml"):format(i), text)
	end
	if c.ANSWERS then inputs.answers = base.must(core.answers(write(folder, "answers.json", c.ANSWERS), {})) end
	return inputs, write(folder, "facts.json", c.FACTS or SERVER)
end

-- What comes of a case: { EXPECT, RUN, and outcomes that were of no use }.
local function play(cli, c, note)
	return with_folder(function(folder)
		base.must(core.setup(folder .. "/state", core.list(cli:all("plugin-dir"))))
		local inputs, facts = inputs_of(c, folder)
		local made, err = core.plan(inputs, facts)
		if err and not c.EXPECT then error(err, 0) end
		if err then
			local text = base.error_text(err):gsub(folder:gsub("%p", "%%%0") .. "/", "")
			return { EXPECT = "error: " .. text .. "\n", RUN = c.RUN and "error: there is no plan\n" }
		end
		if note then note(made.plan) end
		local plan = workflow.text(made):gsub(", plan %x+", ", plan ...", 1)
		if not c.RUN then return { EXPECT = plan } end
		local wrong = fit.plan(c, made.plan)
		case.refuse(wrong)
		return { EXPECT = plan, RUN = paper.run(made, inputs, c), unused = paper.unused(c.outcomes) }
	end)
end

local function trimmed(text) return (text:gsub("[ \t]+\n", "\n"):gsub("%s*$", "")) end

-- The lines that two texts have not in common, around their first difference.
local function difference(wanted, got)
	local function split(text)
		local list = {}
		for line in base.lines(text) do list[#list + 1] = line end
		return list
	end
	local a, b, lines = split(wanted), split(got), {}
	local first, last = 1, 0
	while first <= #a and a[first] == b[first] do first = first + 1 end
	while last < #a - first + 1 and last < #b - first + 1 and a[#a - last] == b[#b - last] do last = last + 1 end
	for i = first, #a - last do lines[#lines + 1] = base.paint("red", "  - " .. a[i]) end
	for i = first, #b - last do lines[#lines + 1] = base.paint("green", "  + " .. b[i]) end
	return ("  line %d:\n%s\n"):format(first, table.concat(lines, "\n"))
end

-- Outcomes that no call of a step has come to, as faults of the test.
local function useless(c, unused)
	local list = {}
	for i, said in ipairs(unused or {}) do
		list[i] = { id = "test-shape", where = ("%s:%d"):format(c.file, said.line),
			message = ("nothing came to this outcome: %s was not called in %s%s"):format(said.step, said.phase,
				#c.outcomes[said.step][said.phase] > 1 and " so often" or "") }
	end
	return list
end

local function lines_of(errors)
	local lines = {}
	for i, err in ipairs(errors) do lines[i] = ("  %s\n"):format(base.error_text(err)) end
	return table.concat(lines)
end

-- True if it came out as written; else what did is told, or (update) written.  Fails if
-- something is wrong with the test itself.
local function one(cli, file, update, note)
	local c = case.read(file)
	if not c.EXPECT and not c.RUN then c.RUN = "" end
	local ok, got = pcall(play, cli, c, note)
	if not ok then
		if type(got) ~= "table" or got.all and update ~= "recording" then error(got, 0) end
		return false, lines_of(got.all or { got })
	end
	local differing, idle = {}, useless(c, got.unused)
	for _, name in ipairs { "EXPECT", "RUN" } do
		if c[name] and trimmed(c[name]) ~= trimmed(got[name]) then
			differing[#differing + 1] = ("  @%s%s"):format(name, difference(trimmed(c[name]), trimmed(got[name])))
		end
	end
	local parting = c.recorded and got.RUN and paper.parting(c.recorded, got.RUN)
	if #differing == 0 and not parting then
		case.refuse(idle)
		return true, ""
	end
	if update == "recording" then
		base.must(core.write(file, case.with(c, got, got.unused), core.path(file).mode))
		return not parting, parting or "", true
	elseif update then
		if parting then got.RECORDED = false end
		base.must(core.write(file, case.with(c, got), core.path(file).mode))
		local anew = "  its expectations were written anew\n" ..
			(parting and parting .. "  what was recorded was taken out of it\n" or "")
		case.refuse(idle, anew)
		return true, anew
	end
	differing[#differing + 1] = parting
	return false, table.concat(differing) .. lines_of(idle) -- which may only follow from the other course
end

-- All that an error has to say, as lines.
local function told(err)
	local lines = {}
	for i, e in ipairs(err.all or { err }) do lines[i] = ("  %s [%s]\n"):format(base.error_text(e), e.id) end
	local remedy = base.advice(err)
	return table.concat(lines) .. (remedy and ("  %s\n"):format(remedy) or "")
end

local function as_rows(err)
	local rows = core.list {}
	for i, e in ipairs(err.all or { err }) do rows[i] = { id = e.id, where = e.where, message = e.message } end
	return rows
end

-- The tests that an operand stands for.
local function tests_of(operand)
	local list = {}
	for _, file in ipairs(base.must(core.files(operand))) do
		if operand == file or file:find("%.test$") then list[#list + 1] = file end
	end
	if #list == 0 then
		base.fail("usage", ("%s has no test"):format(operand), "Tests are files NAME.test.")
	end
	return list
end

local function test(cli)
	if not cli.operands[1] then base.fail("usage", "usage: patchday workflow test FILE...") end
	local failed, broken, list = 0, 0, core.list {}
	local marks = { ok = "green", FAILED = "red", BROKEN = "red" }
	local function show(name, mark, text, err)
		list[#list + 1] = { test = name, ok = mark == "ok", difference = text, errors = err and as_rows(err) }
		if cli.json then return end
		base.print("%s\n%s%s", base.row { { mark, 6, marks[mark] }, name }, text, err and told(err) or "")
	end
	local function spoil(name, err)
		if type(err) ~= "table" then error(err, 0) end
		broken = broken + 1
		show(name, "BROKEN", err.done or "", err)
	end
	for _, operand in ipairs(cli.operands) do
		local found, files = pcall(tests_of, operand)
		if not found and #cli.operands == 1 then error(files, 0) end
		if not found then spoil(operand, files) end
		for _, file in ipairs(found and files or {}) do
			local played, ok, text = pcall(one, cli, file, cli:option("update"))
			failed = failed + (played and not ok and 1 or 0)
			if played then show(file, ok and "ok" or "FAILED", text) else spoil(file, ok) end
		end
	end
	if cli.json then base.print_json(list)
	else
		base.print("%s, %d failed%s\n", base.count(#list, "test"), failed,
			broken > 0 and (", %d can't be used"):format(broken) or "")
	end
	return broken > 0 and 2 or failed > 0 and 1 or 0
end

-- ------------------------------------------------------------------ new

-- A template of the scripts with the name put in.
local function template(kind, name)
	local text = base.must(core.text(("%s/templates/%s"):format(base.about.scripts, kind)))
	return (text:gsub("^%-%- SPDX[^\n]*\n", ""):gsub("@NAME@", name)) -- what is made of it is yours
end

local function new(cli)
	local name, to = cli.operands[1], cli:option("to") or "."
	if not name or cli.operands[2] then base.fail("usage", "usage: patchday workflow new NAME [--to DIR]") end
	if not name:find("^%l[%l%d_-]*$") then
		base.fail("usage", ("a workflow has a name of a to z, 0 to 9, '-' and '_', not '%s'"):format(name))
	end
	base.name_length("the name of a workflow", name)
	local role = ("%s/roles/%s.lua"):format(base.about.scripts, name)
	if core.path(role) then
		base.fail("usage", ("%s is a role that came with patchday: `patchday run %s` would run that one, not yours"):format(
			name, name), ("Choose another name. To start from the role, copy %s, and give the copy its own name in `name =`."
			):format(role))
	end
	local files = { { ("%s/%s.lua"):format(to, name), template("workflow.lua", name) },
		{ ("%s/%s.test"):format(to, name), template("workflow.test", name) } }
	for _, file in ipairs(files) do
		if core.path(file[1]) then
			base.fail("file-exists", ("%s is there already"):format(file[1]), "choose another name or --to another folder")
		end
	end
	for _, file in ipairs(files) do base.must(core.write(file[1], file[2], tonumber("644", 8))) end
	one(cli, files[2][1], true)
	if cli.json then base.print_json(core.list { files[1][1], files[2][1] })
	else
		base.print("%s\n%s\nnext: `patchday workflow check %s`, then `patchday workflow test %s`\n", files[1][1],
			files[2][1], files[1][1], files[2][1])
	end
	return 0
end

-- ---------------------------------------------------------------- record

local function record(cli)
	local file = cli.operands[1] or base.fail("usage", "usage: patchday workflow record FILE [RUN]")
	if core.path(file) then base.fail("file-exists", ("%s is there already"):format(file)) end
	local run = base.must(core.find(cli.operands[2]))
	base.must(core.write(file, require("cli.recording").text(cli, run, file), tonumber("600", 8)))
	local ok, text, played = one(cli, file, "recording")
	if not ok and not played then
		core.remove(file)
		base.fail("test-shape", ("run %s can't be played again:\n%s"):format(run, text))
	end
	if cli.json then base.print_json(core.list { file }) else base.print("%s\n%s", file, text) end
	return ok and 0 or 1
end

return {
	test = one,
	workflow = {
		operands = "new NAME | check WORKFLOW... | test FILE... | record FILE [RUN]", least = 1, most = -1,
		summary = "start, check and test a workflow of your own",
		text = [[
new    writes NAME.lua, a commented start, and NAME.test, a test of it; NAME is none
       of the roles that came with patchday, which can be copied.
check  tells all that is wrong with a script and can be known without a server.
test   runs tests: files that say what a server has, how steps end, and which
       plan and which course of the run are expected. The engine is the real
       one; of the server nothing is looked at or touched. A folder stands for
       all its files *.test. doc/testing-workflows.md has the format.
record writes a run of this server as such a test; it has the server's facts. Its
       status is 1 if the course is another one when it is played again.
]],
		options = {
			{ "to", "DIR", "new: the folder it is written to (default: this one)" },
			{ "update", nil, "test: write what came out as what is expected" },
			{ "catalog", "FILE", "record: catalog of the test (default: that of the run, or the updates of its plan)" },
			{ "facts", "FILE", "record: facts of the test, in place of those before the run" },
		},
		verbs = { new = new, check = check, test = test, record = record },
	},
}
