-- SPDX-License-Identifier: MIT
-- Reading CSV (RFC 4180) that people write with a spreadsheet: comma, semicolon or TAB, with or
-- without a byte-order mark, any line ends.
local _, core = ...
local base = require "cli.base"
local csv = {}

local function wrong(file, line, format, ...)
	error({ id = "csv-shape", where = ("%s:%d"):format(file, line), message = format:format(...) }, 0)
end

-- The fields of the record that begins at a place, and where the next one does.
local function record(file, text, at, separator, line)
	local fields = {}
	while true do
		local field, behind
		if text:sub(at, at) == '"' then
			local from = at + 1
			repeat
				local quote = text:find('"', from, true) or wrong(file, line, "a quoted field has no end")
				from = quote + 2
				behind = quote + 1
			until text:sub(behind, behind) ~= '"'
			field = text:sub(at + 1, behind - 2):gsub('""', '"')
		else
			behind = text:find("[" .. separator .. "\n]", at) or #text + 1
			field = text:sub(at, behind - 1)
		end
		fields[#fields + 1] = field:match("^%s*(.-)%s*$")
		local next_one = text:sub(behind, behind)
		if next_one ~= separator then
			local rest = text:match("^\n()", behind)
			if not rest and behind <= #text then wrong(file, line, "there is text behind a quoted field") end
			return fields, rest or #text + 1
		end
		at = behind + 1
	end
end

-- What separates the fields of a head: a comma if it has one outside of quotes, or else what it has.
local function separator_of(text, at)
	local line = text:match("[^\n]*", at):gsub('"[^"]*"?', "")
	return not line:find(",", 1, true) and line:match("[;\t]") or ","
end

-- Names of columns that there are; one without a name is none.
local function named(file, line, fields)
	local names = {}
	for _, name in ipairs(fields) do
		if base.has(names, name) then wrong(file, line, "the column '%s' is there twice", name) end
		if name ~= "" then names[#names + 1] = name end
	end
	return names
end

-- The rows of a file by the names of its first one: { line, fields by name };
-- and these names.  Records without a value are none, and so are those whose first field begins
-- with #: a spreadsheet quotes such a field, and makes several of it.
function csv.read(file)
	local text = base.must(core.text(file)):gsub("^\xef\xbb\xbf", ""):gsub("\r\n?", "\n")
	if not utf8.len(text) then wrong(file, 1, "the file is not UTF-8") end
	local at, line, separator, names, known, rows = 1, 1, nil, nil, nil, {}
	while at <= #text do
		local fields, behind = {}, text:match("^#[^\n]*\n?()", at)
		if not names then separator = separator_of(text, at) end
		if not behind then fields, behind = record(file, text, at, separator, line) end
		local none = table.concat(fields) == "" or fields[1]:find("^#")
		if not none and not names then
			names, known = fields, named(file, line, fields)
		elseif not none then
			if #fields > #names then wrong(file, line, "%d fields, and the head has %d", #fields, #names) end
			local row = { line = line, fields = {} }
			for i, name in ipairs(names) do row.fields[name] = fields[i] or "" end
			rows[#rows + 1] = row
		end
		line = line + select(2, text:sub(at, behind - 1):gsub("\n", "\n"))
		at = behind
	end
	return rows, known or {}
end

-- What is wrong with the name of a server; nil: nothing.
function csv.bad_server(name)
	if name == "" then return "the server has no name" end
	if #name > 255 then return ("the server's name has %d bytes, at most 255 are allowed"):format(#name) end
	return name:find("%c") and "the server's name has a line end, or another control character" or nil
end

-- Capitals of Latin, Greek and Cyrillic (Unicode, CaseFolding.txt): from, to, how far behind is the
-- small letter, and of how many letters each is a capital: in Latin Extended-A they alternate.
local capitals = {
	{ 0x41, 0x5a, 32, 1 }, { 0xc0, 0xd6, 32, 1 }, { 0xd8, 0xde, 32, 1 }, { 0x391, 0x3ab, 32, 1 },
	{ 0x410, 0x42f, 32, 1 }, { 0x400, 0x40f, 80, 1 }, { 0x178, 0x178, -121, 1 },
	{ 0x100, 0x12e, 1, 2 }, { 0x132, 0x136, 1, 2 }, { 0x139, 0x147, 1, 2 }, { 0x14a, 0x176, 1, 2 }, { 0x179, 0x17d, 1, 2 },
}

local function small(letter)
	local code = utf8.codepoint(letter)
	for _, c in ipairs(capitals) do
		if code >= c[1] and code <= c[2] and (code - c[1]) % c[4] == 0 then return utf8.char(code + c[3]) end
	end
end

-- Whom a name means: however it is written, large or small, and with whatever blanks in it.
function csv.person(name)
	return (name:gsub("\u{a0}", " "):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""):gsub(utf8.charpattern, small))
end

-- The names in a cell, between which is a `;`; of those for which key(name) is the same, the first.
function csv.names(cell, key)
	local list, seen = {}, {}
	for name in (cell or ""):gmatch("[^;]+") do
		name = name:match("^%s*(.-)%s*$")
		local means = key and key(name) or name
		if name ~= "" and not seen[means] then list[#list + 1] = name end
		seen[means] = true
	end
	return list
end

return csv
