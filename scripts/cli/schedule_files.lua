-- SPDX-License-Identifier: MIT
-- A plan of dates for others: iCalendar (RFC 5545) and a page for people.
local _, core = ...
local calendar = require "cli.calendar"
local files = {}

-- Lines end with CR LF and have at most 75 bytes; a longer one goes on behind a blank.
local function fold(line)
	local parts, at = {}, 1
	while at <= #line do
		local room = #parts == 0 and 75 or 74
		local last = at + room - 1
		while last < #line and line:byte(last + 1) & 0xc0 == 0x80 do last = last - 1 end -- not inside of a character
		parts[#parts + 1] = line:sub(at, last)
		at = last + 1
	end
	return table.concat(parts, "\r\n ") .. "\r\n"
end

-- Without characters that are no text; line ends are one character.
local function plain(text) return (text:gsub("\r\n?", "\n"):gsub("[\0-\8\11-\31\127]", "?")) end

local function escape(text) return (plain(text):gsub("[\\;,]", "\\%0"):gsub("\n", "\\n")) end

-- "20261128T223000": the server's own local time.
local function stamp(n)
	local date, time = calendar.moment(n)
	return date:gsub("-", "") .. "T" .. time:gsub(":", "") .. "00"
end

-- Class and hours, in the words of `patchday risk`.
local function risk(row)
	return row.class .. (row.class ~= "" and row.hours ~= "" and ", " or "") .. row.hours
end

local function what(row)
	local words = { ("about %d min to do, %d min to take back"):format(row.need, row.undo) }
	if #row.responsible > 0 then words[#words + 1] = "responsible: " .. table.concat(row.responsible, ", ") end
	if #row.after > 0 then words[#words + 1] = "after " .. table.concat(row.after, ", ") end
	if #row.partner > 0 then words[#words + 1] = "not together with " .. table.concat(row.partner, ", ") end
	if risk(row) ~= "" then words[#words + 1] = "risk: " .. risk(row) end
	if row.moved ~= "" then words[#words + 1] = "moved " .. row.moved end
	return table.concat(words, "\n")
end

local EPOCH = 1767225600 -- 2026-01-01: no calendar of patchday is older

-- now: seconds since 1970. A row without moments of its own (utc) has those of the reader's local time.
--
-- An event is known by its UID: by its server and the plan, in which a server stands once, and never by
-- its date, or the old date would stay in the calendar of who imports the plan anew.  The newer of two has
-- the higher SEQUENCE (RFC 5545, 3.8.7.4; RFC 5546, 2.1.5).  There is nothing that remembers the plan as it
-- was handed out before, so that each one counts as a revision of those that were made before it: by
-- seconds, which an integer of iCalendar (32 bits) holds until 2094.  Without a METHOD, DTSTAMP is
-- what LAST-MODIFIED would be (3.8.7.2).
function files.ical(rows, now, plan)
	local out = {}
	local function add(name, value) out[#out + 1] = fold(name .. ":" .. value) end
	local made = core.date(now):gsub("[-:]", ""):sub(1, 15) .. "Z"
	add("BEGIN", "VCALENDAR")
	add("VERSION", "2.0")
	add("PRODID", "-//patchday//patchday//EN")
	for _, row in ipairs(rows) do
		add("BEGIN", "VEVENT")
		add("UID", escape(row.server .. "/" .. plan) .. "@patchday")
		add("DTSTAMP", made)
		add("SEQUENCE", tostring(math.max(0, now - EPOCH)))
		add("DTSTART", row.utc and row.utc.from or stamp(row.from))
		add("DTEND", row.utc and row.utc.to or stamp(row.to))
		add("SUMMARY", escape("patch day of " .. row.server))
		add("DESCRIPTION", escape(what(row)))
		add("CATEGORIES", "PATCHDAY")
		add("END", "VEVENT")
	end
	add("END", "VCALENDAR")
	return table.concat(out)
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function html(text) return (plain(text):gsub('[&<>"]', entities)) end

function files.html(rows)
	local out = { '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>Patch days</title>\n<style>',
		"body { font-family: sans-serif } table { border-collapse: collapse }\n",
		"td, th { border: 1px solid #999; padding: 4px 8px; text-align: left; vertical-align: top }\n",
		"</style></head>\n<body><h1>Patch days</h1>\n<table><tr>" }
	for _, head in ipairs { "date", "window", "server", "to do", "to take back", "responsible", "after", "partner",
		"risk", "moved" } do
		out[#out + 1] = "<th>" .. head .. "</th>"
	end
	out[#out + 1] = "</tr>\n"
	for _, row in ipairs(rows) do
		local date, from = calendar.moment(row.from)
		local _, to = calendar.moment(row.to)
		out[#out + 1] = "<tr>"
		for _, cell in ipairs { calendar.weekday(row.from // 1440) .. " " .. date, from .. " - " .. to, row.server,
			row.need .. " min", row.undo .. " min", table.concat(row.responsible, ", "), table.concat(row.after, ", "),
			table.concat(row.partner, ", "), risk(row), row.moved } do
			out[#out + 1] = "<td>" .. html(cell) .. "</td>"
		end
		out[#out + 1] = "</tr>\n"
	end
	out[#out + 1] = "</table></body></html>\n"
	return table.concat(out)
end

return files
