-- SPDX-License-Identifier: MIT
-- Reading the command line by a command's own table, and its help.
local _, core = ...
local base = require "cli.base"
local options = {}

options.common = {
	{ "state", "DIR", "folder of the journal (default $PATCHDAY_STATE or /var/lib/patchday)" },
	{ "plugin-dir", "DIR", "look for plugins here first; may be repeated" },
	{ "scripts", "DIR", "folder of the scripts (default " .. base.about.scripts .. ")" },
	{ "json", nil, "print JSON" },
	{ "no-color", nil, "no colors (also with NO_COLOR in the environment)" },
	{ "plain", nil, "for screen readers: nothing moves, no columns, no colors (also with PATCHDAY_PLAIN)" },
	{ "help", nil, "show this help" },
}

-- One invocation: what a command's run function gets.
local cli = {}
cli.__index = cli
options.line = cli

-- The last value of an option; nil if it was not given; "" for a switch.
function cli:option(name)
	local all = self:all(name)
	return all[#all]
end

-- Every value of an option that may be repeated.
function cli:all(name)
	local values = {}
	for _, given in ipairs(self.given) do
		if given[1] == name then values[#values + 1] = given[2] end
	end
	return values
end

-- The row of an option, or nil.
function options.find(command, name)
	for _, rows in ipairs { command.options or {}, options.common } do
		for _, row in ipairs(rows) do
			if row[1] == name then return row end
		end
	end
end

local function unknown(command, name)
	local words = {}
	for _, rows in ipairs { command.options or {}, options.common } do
		for _, row in ipairs(rows) do words[#words + 1] = row[1] end
	end
	local near = core.nearest(name, words)
	base.fail("usage", ("'%s' has no option --%s"):format(command.name, name),
		near and ("Did you mean --%s?"):format(near) or
		("`patchday %s --help` lists its options."):format(command.name))
end

-- A reason that a person gives is kept, and shown to others: one line that looks like what
-- it is.  Control characters, and those that turn the direction of writing, could forge it.
local function check_said(name, text)
	if not text:find("%S") then base.fail("no-reason", ("say why with --%s TEXT"):format(name)) end
	local fault = #text > 1000 and "has more than 1000 bytes" or
		(text:find("%c") or text:find("\xc2[\x80-\x9f]") or text:find("\xe2\x80[\xa8-\xae]") or
			text:find("\xe2\x81[\xa6-\xa9]")) and "is not one line without control characters"
	if fault then
		base.fail("usage", ("--%s %s"):format(name, fault),
			"The journal keeps it, and the report shows it: say why in words.")
	end
end

-- --name, --name=value or --name value; the number of words it took.  What is
-- given: name, value, both as one word.
local function take(self, argument, following)
	local name, value = argument:match("^%-%-([^=]*)=(.*)$")
	name = name or argument:sub(3)
	local row = options.find(self.command, name) or unknown(self.command, name)
	local inside = value ~= nil
	if not row[2] and inside then base.fail("usage", ("--%s takes no value"):format(name)) end
	if row[2] and not inside then
		value = following or base.fail("usage", ("--%s needs a value: --%s %s"):format(name, name, row[2]))
	end
	if row.said then check_said(name, value) end
	self.given[#self.given + 1] = { name, value or "", value and ("--%s=%s"):format(name, value) or "--" .. name }
	return row[2] and not inside and 2 or 1
end

-- Of options that each say what is printed (command.forms) only one can be given.
local function check_forms(self)
	local as
	for _, name in ipairs(self.command.forms or {}) do
		if self:option(name) and as then
			base.fail("usage", ("--%s and --%s don't go together"):format(as, name),
				"Each says what is printed: give one of them.")
		end
		as = self:option(name) and name or as
	end
end

-- words from the third on: behind "patchday COMMAND"
function options.parse(command, words)
	local self = setmetatable({ command = command, given = {}, operands = {}, json = base.json }, cli)
	local i, only_operands = 1, false
	while i <= #words do
		local word, used = words[i], 1
		if only_operands then self.operands[#self.operands + 1] = word
		elseif word == "--" then only_operands = true
		elseif word == "-h" then self.given[#self.given + 1] = { "help", "" }
		elseif word:sub(1, 2) == "--" then used = take(self, word, words[i + 1])
		elseif word:find("^%-.") then base.fail("usage", "there is no option " .. word)
		else self.operands[#self.operands + 1] = word
		end
		i = i + used
	end
	local n, most = #self.operands, command.most or 0
	if not self:option("help") and (n < (command.least or 0) or most >= 0 and n > most) then
		base.fail("usage", ("usage: patchday %s %s"):format(command.name, command.operands))
	end
	check_forms(self)
	return self
end

local function rows_text(rows)
	local lines = {}
	for _, row in ipairs(rows or {}) do
		local left = "--" .. row[1] .. (row[2] and " " .. row[2] or "")
		lines[#lines + 1] = (base.plain and "" or "  ") .. base.row { { left, 22 }, row[3] } .. "\n"
	end
	return table.concat(lines)
end

function options.help(command)
	base.print("Usage: patchday %s [OPTION]... %s\n\n%s.\n%s\n", command.name, command.operands,
		command.summary, command.text and "\n" .. base.spoken(command.text) or "") -- verbs are in columns
	core.out(rows_text(command.options) .. rows_text(options.common))
end

return options
