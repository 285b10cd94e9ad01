-- SPDX-License-Identifier: MIT
-- Closed days, such as holidays and the freeze at the end of a year: no window is on one of them.
local _, core = ...
local base = require "cli.base"
local calendar = require "cli.calendar"
local closed = {}

-- The days of a file: lines "2026-12-24..2027-01-03 TEXT", or with one day; one that begins with # is a comment.  As a
-- list of { first, last, text, where }; wrong(where, format, ...) is told of lines that are none.
function closed.read(file, wrong)
	local text, spans, number = base.must(core.text(file)):gsub("^\xef\xbb\xbf", ""):gsub("\r\n?", "\n"), {}, 0
	for line in base.lines(text) do
		number = number + 1
		local where = ("%s:%d"):format(file, number)
		local given, what = line:match("^%s*([^%s#]%S*)%s*(.-)%s*$")
		local from, to = (given or ""):match("^(.-)%.%.(.*)$")
		local first, last = calendar.day(from or given or ""), calendar.day(to or given or "")
		if not utf8.len(line) then wrong(where, "the line is not UTF-8")
		elseif given and not (first and last) then
			wrong(where, "'%s' is no day, and no days: wanted is 2026-12-25 or 2026-12-24..2027-01-03, and what they are",
				given)
		elseif given and calendar.day(what:match("^[-.to%s]*(%S*)")) then
			wrong(where, "'%s %s': days from one to another are written without blanks, 2026-12-24..2027-01-03", given, what)
		elseif given and last < first then wrong(where, "%s ends before it begins", given)
		elseif given and what == "" then wrong(where, "%s: say behind it why nothing is patched then", given)
		elseif given then spans[#spans + 1] = { first = first, last = last, text = what, where = where }
		end
	end
	return spans
end

-- The closed days that a window is on, or reaches; nil: on none.
local function meets(spans, from, to)
	for _, span in ipairs(spans) do
		if from < (span.last + 1) * 1440 and to > span.first * 1440 then return span end
	end
end

-- In how many days, always some turns of so many, all windows are on open days; and the closed ones before.
function closed.wait(spans, windows, every)
	local days, met, again = 0, {}, true
	while again do
		again = false
		for _, window in ipairs(windows) do
			local from = window.from + days * 1440
			local span = meets(spans, from, window.to + days * 1440)
			if span then
				days = days + ((span.last - from // 1440) // every + 1) * every
				again = true
				if not base.has(met, span) then met[#met + 1] = span end
			end
		end
	end
	return days, met
end

return closed
