-- SPDX-License-Identifier: MIT
-- What a shell offers for the word under its cursor: lines CANDIDATE<TAB>HELP, or
-- none where it is a file's name.  The shells' own scripts (completions/) only
-- call this, so that they offer what there is.
local _, core = ...
local base = require "cli.base"
local options = require "cli.options"
local packages = require "cli.packages"

-- The run that the line names, or the newest; nil: it can't be known.
local function record(line, head) return (core.record(line.operands[1], head)) end

-- Guards of the run, or of the workflow, that the line names.
local function guards(line)
	local workflow = require "cli.workflow"
	local ok, made = pcall(function()
		if line.command.operands ~= "[RUN]" then return core.plan(workflow.inputs(line)) end
		local old = core.inputs(core.find(line.operands[1]))
		return core.plan(old.inputs, nil, old.round)
	end)
	local list, given = {}, line.last:match("^.*,") or ""
	for i, row in ipairs(ok and made and made.plan.guards or {}) do
		list[i] = { given .. row.id:match("[^/]*$"), ("%s.%s"):format(row.plugin, row.step) }
	end
	return list
end

-- What there is of a kind of operand or value; nothing if it can't be known.
local kinds = {
	RUN = function()
		local list = {}
		for i, id in ipairs(core.runs() or {}) do list[i] = { id, (core.record(id, true) or {}).state } end
		return list
	end,
	WORKFLOW = function(line)
		local list, package = {}, line.last:match("^(%l[%l%d_-]*)@")
		for i, version in ipairs(package and packages.versions(line, package) or {}) do
			list[i] = { ("%s@%s"):format(package, version), version == packages.current(line, package) and "current" or "" }
		end
		if package then return list end
		for i, path in ipairs(core.files(base.about.scripts .. "/roles")) do
			list[i] = { path:match("([^/]*)%.lua$") or "", "role" }
		end
		for _, name in ipairs(packages.names(line)) do list[#list + 1] = { name, "package" } end
		return list
	end,
	PACKAGE = function(line)
		local list = {}
		for i, name in ipairs(line.operands[2] and {} or packages.names(line)) do list[i] = { name } end
		return list
	end,
	VERSION = function(line)
		local list, current = {}, packages.current(line, line.operands[2] or "")
		for i, version in ipairs(packages.versions(line, line.operands[2] or "")) do
			list[i] = { version, version == current and "current" or "" }
		end
		return list
	end,
	NAME = function()
		local list = {}
		for i, name in ipairs(core.plugins()) do list[i] = { name, (core.plugin(name) or {}).help } end
		return list
	end,
	ID = function()
		local list = {}
		for i, x in ipairs(core.explanations()) do list[i] = { x.id, x.cause } end
		return list
	end,
	SCHEME = function()
		local list = {}
		for i, name in ipairs(core.schemes()) do list[i] = { name } end
		return list
	end,
	PARTY = function(line)
		local list = {}
		for i, name in ipairs((record(line, true) or {}).missing or {}) do list[i] = { name, "has not signed" } end
		return list
	end,
	STEP = function(line)
		local list = {}
		for i, s in ipairs((record(line) or {}).steps or {}) do list[i] = { s.id, s.state } end
		return list
	end,
	["NAME,..."] = guards,
}

-- Parameters of the workflow that stands on the line already; behind NAME= its values, where
-- it is one of a few.
local function params(line)
	local ok, declared = pcall(function()
		return core.describe((require("cli.workflow").find(line.operands[1] or "", line)))
	end)
	local list, named = {}, line.last:match("^([^=]*)=")
	for _, row in ipairs(ok and declared and declared.params or {}) do
		if not named then list[#list + 1] = { row.name .. "=", row.help } end
		for _, value in ipairs(named == row.name and (row.choices or row.type == "boolean" and { "true", "false" }) or {}) do
			list[#list + 1] = { ("%s=%s"):format(named, value), tostring(row.default) == value and "default" or "" }
		end
	end
	return list
end

-- The words that an option takes; of a list the next one.
local function choices(line, row)
	local list, given = {}, row.many and line.last:match("^.*,") or ""
	for _, word in ipairs(row.choices) do
		if not ("," .. given):find("," .. word .. ",", 1, true) then list[#list + 1] = { given .. word } end
	end
	return list
end

-- The words before the last one: operands, and the option that waits for a value.
local function read(command, words)
	local line, waits = { command = command, operands = {}, given = {}, last = words[#words] or "" }, nil
	for i = 1, #words - 1 do
		local word = words[i]
		if line.ended then line.operands[#line.operands + 1] = word
		elseif word == "--" and not waits then line.ended = true
		elseif waits then
			line.given[#line.given + 1] = { waits[1], word }
			waits = nil
		elseif word:sub(1, 2) == "--" then
			local row = options.find(command, word:match("^%-%-([^=]*)"))
			waits = row and row[2] and not word:find("=", 1, true) and row or nil
		else line.operands[#line.operands + 1] = word end
	end
	return line, waits
end

-- A name, an id or a version is another thing for each option.
local values = { PARTY = true, SCHEME = true, STEP = true, WORKFLOW = true, ["NAME,..."] = true }

local function of_value(line, row)
	if row[1] == "param" then return params(line) end
	if row.choices then return choices(line, row) end
	return values[row[2]] and kinds[row[2]](line) or {}
end

-- The operand that comes next, by what the command calls it.
local function of_operand(command, line)
	local verb = line.operands[1]
	if command.verbs and not verb then
		local list = {}
		for i, name in ipairs(base.sorted(command.verbs)) do list[i] = { name } end
		return list
	end
	local about = (command.takes or {})[verb] or command.operands
	if command.verbs and not command.takes then
		about = (" " .. about):match("[ |]" .. verb:gsub("%p", "%%%0") .. "([^|]*)") or ""
		about = about:gsub("NAME", "") -- a new one
	end
	local list = {}
	for kind, find in pairs(kinds) do
		if (" " .. about .. " "):find("[^%u]" .. kind .. "[^%u]") then
			for _, row in ipairs(find(line)) do list[#list + 1] = row end
		end
	end
	return list
end

local function of_options(command, line, word)
	local list, name = {}, word:match("^%-%-([^=]*)=")
	if name then
		local option = options.find(command, name)
		line.last = word:match("=(.*)")
		for i, row in ipairs(option and of_value(line, option) or {}) do
			list[i] = { ("--%s=%s"):format(name, row[1]), row[2] }
		end
		return list
	end
	for _, rows in ipairs { command.options or {}, options.common } do
		for _, row in ipairs(rows) do list[#list + 1] = { "--" .. row[1], row[3] } end
	end
	return list
end

-- The first word, or that behind "help".
local function of_command(commands, last, helps)
	if last:sub(1, 1) == "-" then return { { "--help", "the commands" }, { "--version", "which patchday this is" } } end
	local list = {}
	for i, command in ipairs(commands()) do list[i] = { command.name, command.summary } end
	list[#list + 1] = not helps and { "help", "say more about a command" } or nil
	return list
end

-- words: those behind "patchday", the one under the cursor last.  commands: of
-- name to what it is; nil: there is none.
return function(words, commands, set_up)
	local last, list = words[#words] or ""
	local helps = #words > 1 and words[1] == "help"
	if helps then table.remove(words, 1) end
	if #words <= 1 then list = of_command(commands, last, helps)
	else
		local command = commands(table.remove(words, 1))
		local line, waits = read(command or {}, words)
		if not command or not pcall(set_up, setmetatable(line, { __index = options.line })) then return 0 end
		list = waits and of_value(line, waits) or
			last:sub(1, 1) == "-" and not line.ended and of_options(command, line, last) or
			of_operand(command, line)
	end
	for _, row in ipairs(list) do
		if row[1]:sub(1, #last) == last then base.print("%s\t%s\n", row[1], (row[2] or ""):gsub("%s+", " ")) end
	end
	return 0
end
