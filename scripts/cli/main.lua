-- SPDX-License-Identifier: MIT
-- The command line.  C (core/cli) starts here and offers the table `core`;
-- all that is read, decided and printed is decided here.
--
-- A new command takes two things: a row in `commands` below, and in the file
-- that it names (scripts/cli/FILE.lua, also a row in scripts/local.mk) an entry
-- of the table that the file returns:
--
--   return {
--     hello = {
--       operands = "[NAME]", least = 0, most = 1,  -- default: none; most -1: any
--       summary = "say hello",                     -- one line, no full stop
--       text = "More about it, in lines of 80.\n", -- of --help; may be left out
--       options = { { "loud", nil, "with capitals" }, { "to", "FILE", "where" } },
--       run = function(cli)
--         base.print("hello %s\n", cli.operands[1] or "world")
--         return 0                                 -- the exit status
--       end,
--     },
--   }
--
-- An option is one row: name, argument (nil: a switch), help.  cli:option(name)
-- gives its last value ("" of a switch, nil if it was not given), cli:all(name)
-- all of them; cli.json says that JSON is wanted.  Of the options that `forms`
-- names ({ "csv", "json" }) only one can be given.  A command of two words has
-- `verbs = { check = function(cli) ... }` in place of run: the first operand
-- chooses, and is gone from cli.operands.  base.fail(id, message, remedy) leaves
-- with an error, base.must(core.x()) passes one of core on.
--
-- What is in no row may be a program of its own, as with git: `patchday x` is
-- patchday-x in the folder of programs.
local _, core = ...
local base = require "cli.base"
local about = base.about

local commands = { -- name, file
	{ "plan", "plan" }, { "run", "run" }, { "resume", "run" }, { "status", "status" }, { "undo", "run" },
	{ "signoff", "run" }, { "final", "seal" }, { "verify", "seal" },
	{ "report", "status" }, { "scan", "scan" }, { "catalog", "catalog" },
	{ "facts", "facts" }, { "plugins", "about" }, { "doctor", "doctor" }, { "explain", "about" },
	{ "rehearse", "clone" }, { "drill", "clone" }, { "workflow", "author" }, { "plugin", "plugin" },
	{ "risk", "risk" }, { "schedule", "schedule" }, { "package", "package" },
}

local function load(row)
	local command = require("cli." .. row[2])[row[1]]
	command.name, command.operands = row[1], command.operands or ""
	return command
end

local function overview(print)
	local lines = { "Usage: patchday COMMAND [OPTION]... [OPERAND]...\n\n" ..
		"Take a server through patch day: done or rolled back, with evidence.\n\n" }
	for _, row in ipairs(commands) do
		lines[#lines + 1] = (base.plain and "" or "  ") .. base.row { { row[1], 10 }, load(row).summary } .. "\n"
	end
	print(table.concat(lines) .. "\n`patchday COMMAND --help` says more; the manual is patchday(1).\n\n" ..
		"Exit status: 0 done, 1 rolled back, 2 usage or invalid input (nothing\n" ..
		"touched), 3 inconsistent, 4 refused (nothing touched), 5 waiting.\n")
end

-- What has to be known before the first error can be printed.
local function look_ahead(words)
	local environment = about.environment
	local term = environment.TERM or "unknown" -- what it knows can't be told
	local color = about.terminal and not environment.NO_COLOR and term ~= "unknown"
	base.plain = environment.PATCHDAY_PLAIN ~= nil or term == "dumb" or about.terminal and term == "unknown"
	for _, word in ipairs(words) do
		if word == "--" then break end
		base.json = base.json or word == "--json"
		base.plain = base.plain or word == "--plain"
		color = color and word ~= "--no-color"
	end
	base.color = color and not base.plain
	core.color(base.color)
	for i, word in ipairs(words) do -- JSON and the journal can't hold anything else
		if not utf8.len(word) then
			base.fail("usage", ("argument %d is not UTF-8: '%s'"):format(i, word))
		end
	end
end

-- The folder of programs; a build that is not installed takes it from elsewhere.
local programs = about.built and (about.environment.PATCHDAY_LIBEXEC or about.self:match("^(.*)/")) or about.programs

-- The folders of the state, of programs and of plugins.
local function set_up(cli)
	cli.scripts, cli.programs = about.scripts, programs
	cli.state = cli:option("state") or about.environment.PATCHDAY_STATE or "/var/lib/patchday"
	if cli.state:sub(1, 1) ~= "/" then
		base.fail("usage", ("this folder has to be an absolute path: '%s'"):format(cli.state))
	end
	base.must(core.setup(cli.state, core.list(cli:all("plugin-dir"))))
end

local function help(cli)
	require("cli.options").help(cli.command)
	if cli.command.operands:find("WORKFLOW", 1, true) and cli.operands[1] then
		local ok, err = pcall(function()
			set_up(cli)
			require("cli.workflow").help(cli.operands[1], cli)
		end)
		if not ok then base.show_error(err) end
	end
	return 0
end

local function run(command, words)
	local cli = require("cli.options").parse(command, words)
	if cli:option("help") then return help(cli) end
	set_up(cli)
	if not command.verbs then return command.run(cli) end
	local verb = table.remove(cli.operands, 1)
	base.choose(base.sorted(command.verbs), command.name .. " ", verb)
	return command.verbs[verb](cli)
end

local function find(name, words)
	local names = {}
	for i, row in ipairs(commands) do
		if row[1] == name then return load(row) end
		names[i] = row[1]
	end
	if name:find("^%l[%l%d-]*$") then
		base.must(core.exec(programs, name, core.list(words)))
	end
	base.choose(names, "", name)
end

-- For complete: all commands, or one.
local function known(name)
	local list = {}
	for _, row in ipairs(commands) do
		if row[1] == name then return load(row) end
		list[#list + 1] = not name and load(row) or nil
	end
	return not name and list or nil
end

local function complete(words)
	if words[1] == "--" then table.remove(words, 1) end
	return require("cli.complete")(words, known, set_up)
end

local M = {}

-- words: the arguments of the program; the exit status.
function M.main(words)
	look_ahead(words)
	local name = table.remove(words, 1)
	if name == "--libexec" and about.built then
		programs = table.remove(words, 1)
		name = table.remove(words, 1)
	end
	if not name then
		overview(core.err)
		return 2
	end
	if name == "--version" then
		base.print("patchday %s\n", about.version)
		return 0
	end
	if name == "complete" then return complete(words) end
	if name == "help" and words[1] then -- help COMMAND is COMMAND --help
		name, words[1] = words[1], "--help"
	elseif name == "help" or name == "--help" or name == "-h" then
		overview(core.out)
		return 0
	end
	return run(find(name, words), words)
end

-- What was raised; an exit status, if it has one of its own.
function M.error(err)
	base.show_error(err)
	return type(err) == "table" and err.status or nil
end

return M
