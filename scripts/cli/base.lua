-- SPDX-License-Identifier: MIT
-- What all commands share: failing, printing, colors, sizes and durations.
local _, core = ...
local columns = require "cli.columns"
local base = { color = false, plain = false, json = false, about = core.about() }

-- Leave the command with an error; without a remedy the one of its id is told.
function base.fail(id, message, remedy)
	error({ id = id, message = message, remedy = remedy }, 0)
end

-- The value of a function of core, which gives nil and an error if it failed.
function base.must(value, err)
	if err then error(err, 0) end
	return value
end

-- A text without what only eyes need: lines that begin further right.
local function even(text)
	if not base.plain then return text end
	return (text:gsub("^ +", ""):gsub("\n +", "\n"))
end

function base.print(format, ...) core.out(even(format:format(...))) end

-- On standard output as JSON: one value, or one line of many.
function base.print_json(value) core.raw(core.encode(value, true) .. "\n") end
function base.print_line(value) core.raw(core.encode(value) .. "\n") end

-- One line of CSV, RFC 4180; no field is taken for a formula by a spreadsheet.
function base.print_csv(fields)
	local cells = {}
	for i, field in ipairs(fields) do
		cells[i] = '"' .. core.clean(field):gsub("^[=+@-]", "'%0"):gsub('"', '""') .. '"'
	end
	core.raw(table.concat(cells, ",") .. "\r\n")
end

local colors = { bold = "1", red = "31", green = "32", yellow = "33", cyan = "36" }

function base.paint(color, text)
	if not base.color or not colors[color] then return text end
	return "\27[" .. colors[color] .. "m" .. text .. "\27[0m"
end

-- Text filled up to a number of columns, for who sees columns.
function base.pad(text, width)
	if base.plain then return text end
	return text .. (" "):rep(width - columns.of(text))
end

-- Words that are there, for who hears them one after the other.
function base.sentence(words)
	local list = {}
	for _, word in ipairs(words) do
		word = word:match("^%s*(.-)%s*$")
		if word ~= "" then list[#list + 1] = word end
	end
	return table.concat(list, ", ")
end

-- A line of a table.  A cell is a text, or { text, columns to fill up to, color }.
function base.row(cells)
	local words = {}
	for i, cell in ipairs(cells) do
		local text, width, color = cell, 0, nil
		if type(cell) == "table" then text, width, color = cell[1], cell[2], cell[3] end
		words[i] = base.plain and text or base.paint(color, base.pad(text, width))
	end
	return base.plain and base.sentence(words) or table.concat(words, " ")
end

-- A text that was made in columns, such as a report.
function base.spoken(text)
	if not base.plain then return text end
	return (even(text):gsub(": +", ": "):gsub("(%S)  +", "%1, "))
end

function base.bytes(n)
	local units, i = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" }, 1
	if n < 1024 then return ("%d B"):format(n) end
	while n >= 1024 and i < #units do n, i = n / 1024, i + 1 end
	return ("%.1f %s"):format(n, units[i])
end

function base.seconds(n)
	if n >= 3600 then return ("%dh %02dm"):format(n // 3600, n % 3600 // 60) end
	if n >= 60 then return ("%dm %02ds"):format(n // 60, n % 60) end
	return ("%ds"):format(n)
end

-- "1 step", "2 steps"
function base.count(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- A value in one line: a text as it is, all else as JSON.
function base.line(value)
	return type(value) == "string" and value or core.encode(value)
end

-- UTF-8 without a zero byte, which all that C is given has to be.
function base.is_text(text) return utf8.len(text) and not text:find("\0", 1, true) end

-- The lines of a text, as for pairs.
function base.lines(text)
	if text ~= "" and text:sub(-1) ~= "\n" then text = text .. "\n" end
	return text:gmatch("([^\n]*)\n")
end

function base.sorted(t)
	local keys = {}
	for k in pairs(t) do keys[#keys + 1] = k end
	table.sort(keys)
	return keys
end

function base.has(list, value)
	for _, v in ipairs(list) do
		if v == value then return true end
	end
	return false
end

-- A name that names of files are made of, in the words of `what`.
function base.name_length(what, name)
	if #name > 100 then base.fail("name-length", ("%s has %d bytes, at most 100 are allowed"):format(what, #name)) end
end

-- The site of this server, as its administrator has set it; nil: nobody has.
function base.site()
	local file = "/etc/patchday/site"
	local text = base.about.environment.PATCHDAY_SITE or core.path(file) and base.must(core.text(file)) or ""
	local name = text:match("^%s*([^\n]-)%s*\n") or text:match("^%s*(.-)%s*$")
	return name ~= "" and name or nil
end

-- Fails unless the command, of so many words, is one of a list.
function base.choose(words, before, command)
	if base.has(words, command) then return end
	local near = core.nearest(command, words)
	base.fail("usage", ("there is no command '%s%s'"):format(before, command),
		near and ("Did you mean `patchday %s%s`?"):format(before, near))
end

-- What to do about an error, or nil.
function base.advice(err)
	if err.remedy then return err.remedy end
	for _, x in ipairs(core.explanations()) do
		if x.id == err.id then return x.remedy end
	end
end

function base.error_text(err)
	return err.where and err.where .. ": " .. err.message or err.message
end

-- A row of core.shadowed_plugins().
function base.shadowed(file)
	return ("%s is not used: %s comes before it"):format(file.path, file.used)
end

-- Print an error, as { id, where, message, remedy } or what Lua itself raised;
-- as JSON in one line if it is one of many.  brief: the remedy is for JSON only.
function base.show_error(err, many, brief)
	if type(err) ~= "table" then err = { id = "internal", message = tostring(err) } end
	local remedy = base.advice(err)
	if base.json then
		local print = many and base.print_line or base.print_json
		return print { error = { id = err.id, where = err.where and core.clean(err.where),
			message = core.clean(err.message), remedy = remedy and core.clean(remedy) } }
	end
	local text = "patchday: " .. base.error_text(err)
	core.err((base.about.errors_terminal and base.paint("red", text) or text) .. " [" .. err.id .. "]\n")
	if remedy and not brief then core.err(even("  " .. remedy .. "\n")) end
end

-- Where everything that is wrong in files is told: a list of errors, and
-- wrong("FILE:LINE", format, ...) that adds one and gives nil.
function base.collector(id)
	local list = {}
	return list, function(where, format, ...)
		list[#list + 1] = { id = id, where = where, message = format:format(...), n = #list }
	end
end

-- All of them in the order of lines, with the remedy in the end; the exit status.
function base.show_errors(list)
	local function place(err)
		local file, line = err.where:match("^(.*):(%d+)$")
		return ("%s %9d %9d"):format(file, line, err.n)
	end
	table.sort(list, function(a, b) return place(a) < place(b) end)
	for i, err in ipairs(list) do base.show_error(err, true, i < #list) end
	return 2
end

return base
