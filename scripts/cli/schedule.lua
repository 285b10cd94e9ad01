-- SPDX-License-Identifier: MIT
-- schedule: the plan of dates. Per server a day, a window, how long it takes, who
-- is there; and everything in it that can't be.
local _, core = ...
local base = require "cli.base"
local calendar = require "cli.calendar"
local closed = require "cli.closed"
local csv = require "cli.csv"

local columns = { "server", "date", "from", "to", "do", "undo", "responsible", "after", "partner", "wave", "class",
	"working_hours", "hours", "moved" }

local WORKING = "Mon-Fri 08:00-18:00"
local LAST = calendar.day("9999-12-30") -- a window may end on the next

local function check_head(file, names)
	for _, name in ipairs(names) do
		if not base.has(columns, name) then
			local near = core.nearest(name, columns)
			error({ id = "csv-shape", where = file .. ":1", message = ("there is no column '%s'%s"):format(name,
				near and "; did you mean " .. near .. "?" or "; there are: " .. table.concat(columns, ", ")) }, 0)
		end
	end
end

local LONGEST = 7 * 1440

-- "90", "90m" or "1h 30m" in minutes, begun ones as whole; nil if it is none, or longer than seven days.
-- What is too long for any window must not become small by a sum that wraps.
local function minutes(text)
	local seconds = core.number("seconds", text:find("^%d+$") and text .. "m" or text)
	local n = seconds and -(-seconds // 60)
	return n and n <= LONGEST and n or nil
end

-- The day of a row: its own, or that of its wave behind --first, and the wave.
local function day_of(fields, where, first, every, wrong)
	if fields.date and fields.date ~= "" then
		local day = calendar.day(fields.date)
		if day and day <= LAST then return day end
		return wrong(where, "'%s' is no day; wanted is one such as 2026-11-28", fields.date)
	end
	local number = fields.wave or ""
	local wave = number:find("^[1-9]%d?%d?%d?$") and tonumber(number)
	local day = first and wave and first + (wave - 1) * every
	if day and day <= LAST then return day, wave end
	if day then return wrong(where, "wave %d of %s is after the year 9999", wave, fields.server) end
	if first and number ~= "" then return wrong(where, "'%s' is no wave: they are 1, 2 ... 9999", number) end
	return wrong(where, "%s has no date%s", fields.server,
		first and ", and no wave" or "; give one, or a wave and --first DATE")
end

local function read_row(row, where, first, every, wrong)
	local f = row.fields
	local day, turn = day_of(f, where, first, every, wrong)
	local from, to = calendar.minutes(f.from or ""), calendar.minutes(f.to or "")
	local need, undo = minutes(f["do"] or ""), minutes(f.undo or "")
	if not from or not to then wrong(where, "%s has no window: from and to are times such as 22:00", f.server) end
	if not need or not undo then
		wrong(where, "%s: do and undo say how long it takes, such as 90m or 1h, at most 7d", f.server)
	end
	if not base.has({ "", "yes", "no" }, f.working_hours or "") then
		wrong(where, "%s: working_hours is yes, no or nothing, not '%s'", f.server, f.working_hours)
	end
	local responsible, people = csv.names(f.responsible, csv.person), {}
	if #responsible == 0 then wrong(where, "nobody is responsible for %s", f.server) end
	for _, name in ipairs(responsible) do
		people[csv.person(name)] = true
		if name:find(",", 1, true) then
			wrong(where, "%s: '%s' in the column responsible has a comma in it, and between names stands ';'", f.server, name)
		end
	end
	if not (day and from and to and need and undo) then return nil end
	local begin = day * 1440 + from
	return { server = f.server, where = where, from = begin, to = begin + (to - from - 1) % 1440 + 1, need = need,
		undo = undo, responsible = responsible, people = people, after = csv.names(f.after), partner = csv.names(f.partner),
		wave = f.wave ~= "" and f.wave or nil, class = f.class or "", working_hours = f.working_hours or "",
		hours = f.hours or "", turn = turn, moved = f.moved or "" }
end

-- A day that a person wrote is never another; the hint says which one could be.
local function check_closed(spans, row, wrong)
	local days, met = closed.wait(spans, { row }, 1)
	if days == 0 then return end
	local date, from = calendar.moment(row.from)
	local _, to = calendar.moment(row.to)
	wrong(row.where, "the window of %s, %s %s %s-%s, is on a closed day (%s, %s); the next open one is %s", row.server,
		calendar.weekday(row.from // 1440), date, from, to, met[1].text, met[1].where,
		calendar.date(row.from // 1440 + days))
end

-- A wave that would have a window on a closed day waits for its next turn, and those behind it
-- with it: their order, the days between them and the day of the week stay.
local function keep_open(spans, rows, every, wrong)
	local waves, moved, behind = {}, 0, nil
	for _, row in ipairs(rows) do
		if row.turn then
			waves[row.turn] = waves[row.turn] or {}
			table.insert(waves[row.turn], row)
		else check_closed(spans, row, wrong)
		end
	end
	for _, wave in ipairs(base.sorted(waves)) do
		local before = calendar.date(waves[wave][1].from // 1440)
		for _, row in ipairs(waves[wave]) do row.from, row.to = row.from + moved * 1440, row.to + moved * 1440 end
		local days, met = closed.wait(spans, waves[wave], every)
		local why = behind and { "with wave " .. behind } or {}
		for _, span in ipairs(met) do why[#why + 1] = span.text end
		if days > 0 then moved, behind = moved + days, wave end
		for _, row in ipairs(waves[wave]) do
			row.from, row.to = row.from + days * 1440, row.to + days * 1440
			if moved > 0 then row.moved = ("from %s: %s"):format(before, table.concat(why, "; ")) end
			if row.from // 1440 > LAST then wrong(row.where, "wave %d of %s is after the year 9999", wave, row.server) end
		end
	end
end

-- All rows of all files, by time; by name, too.
local function read(cli, wrong)
	local rows, by_name = {}, {}
	local first, every = cli:option("first"), cli:option("every") or "7"
	if first and not calendar.day(first) then
		base.fail("usage", ("--first wants a day such as 2026-11-28, not '%s'"):format(first))
	end
	first = first and calendar.day(first)
	every = every:find("^%d%d?%d?%d?$") and tonumber(every) or 0
	if every < 1 or every > 3660 then base.fail("usage", "--every wants a number of days, 1 to 3660") end
	for _, file in ipairs(cli.operands) do
		local list, names = csv.read(file)
		check_head(file, names)
		for _, given in ipairs(list) do
			local where, name = ("%s:%d"):format(file, given.line), given.fields.server or ""
			local bad = csv.bad_server(name)
			if bad then wrong(where, "%s", bad)
			elseif by_name[name] then wrong(where, "server %s is there twice (%s)", name, by_name[name].where)
			else
				local row = read_row(given, where, first, every, wrong)
				by_name[name] = row or { where = where, bad = true }
				rows[#rows + 1] = row
			end
		end
	end
	if cli:option("closed") then keep_open(closed.read(cli:option("closed"), wrong), rows, every, wrong) end
	table.sort(rows, function(a, b) return a.from < b.from or a.from == b.from and a.server < b.server end)
	return rows, by_name
end

local function check_alone(row, by_name, wrong)
	local window = row.to - row.from
	if row.need + row.undo > window then
		wrong(row.where, "the window of %s has %d min, and it takes %d to do and %d to take back", row.server, window,
			row.need, row.undo)
	end
	for _, column in ipairs { "after", "partner" } do
		for _, name in ipairs(row[column]) do
			local other = by_name[name]
			if name == row.server or not other then
				wrong(row.where, "%s: '%s' in the column %s is no other server of the plan", row.server, name, column)
			elseif column == "after" and not other.bad and other.to > row.from then
				wrong(row.where, "%s comes after %s, which has its window until %s %s", row.server, name,
					calendar.moment(other.to))
			elseif column == "partner" and row.wave and row.wave == other.wave and
				not (row.server > name and base.has(other.partner, row.server)) then -- which says it
				wrong(row.where, "%s and %s are partners, and both in wave %s", row.server, name, row.wave)
			end
		end
	end
end

-- What risk says of a server holds in the plan of dates, too.
local function check_hours(cli, rows, wrong)
	local text = cli:option("working-hours") or WORKING
	local spans = calendar.spans(text) or base.fail("usage", ("'%s' are no working hours"):format(text),
		("Say days and times, such as \"%s\" or \"Mon-Thu 08:00-18:00; Fri 08:00-15:00\"."):format(WORKING))
	for _, row in ipairs(rows) do
		if row.working_hours == "no" and calendar.meets(spans, row.from, row.to) then
			local date, from = calendar.moment(row.from)
			local _, to = calendar.moment(row.to)
			wrong(row.where, "%s may be patched out of working hours only (%s), and its window, %s %s %s-%s, is in them: " ..
				"take one outside of %s", row.server, row.class ~= "" and "class " .. row.class or "working_hours is no",
				calendar.weekday(row.from // 1440), date, from, to, text)
		end
	end
end

-- Rows are in order of time: those that overlap stand near each other.
local function check_pairs(rows, wrong)
	for i, a in ipairs(rows) do
		for k = i + 1, #rows do
			local b = rows[k]
			if b.from >= a.to then break end
			if (not a.wave or a.wave ~= b.wave) and -- else that is told
				(base.has(a.partner, b.server) or base.has(b.partner, a.server)) then
				wrong(b.where, "%s and %s are partners, and in one window", a.server, b.server)
			end
			for _, name in ipairs(a.responsible) do
				if b.people[csv.person(name)] then
					wrong(b.where, "%s is to be at %s and at %s at the same time", name, a.server, b.server)
				end
			end
		end
	end
end

-- As in plugins/guard/window.c: date(1), too, takes any other name, or a folder, for UTC, and says nothing.
local function is_zone(name)
	if name == "UTC" then return true end
	if not name:find("^%a[%w_+/-]*$") or name:find("^right/") or name == "Factory" then return false end
	local rules = core.text("/usr/share/zoneinfo/" .. name)
	return rules and rules:sub(1, 4) == "TZif"
end

-- The moments of all windows in UTC, by the rules of a time zone: row.utc.  A time that clocks skip is
-- no time, and a window that they cut can be too short.
local function place_in(zone, rows, wrong)
	if not is_zone(zone) then
		base.fail("usage", ("'%s' is no time zone that this server knows"):format(zone),
			"They are called as in `timedatectl list-timezones`, such as Europe/Berlin; Debian's package is tzdata.")
	end
	local function utc(n)
		local asked = ('TZ="%s" %s %s'):format(zone, calendar.moment(n))
		local told = base.must(core.tool(core.list { "date", "-u", "-d", asked, "+%Y%m%dT%H%M%SZ %s" }))
		return told.out:match("^(%d+T%d+Z) (%-?%d+)")
	end
	for _, row in ipairs(rows) do
		local from, first = utc(row.from)
		local to, last = utc(row.to)
		if not from or not to then
			local day, time = calendar.moment(from and row.to or row.from)
			wrong(row.where, "%s: there is no %s %s in %s: the clocks are put forward", row.server, day, time, zone)
		elseif (last - first) // 60 < row.need + row.undo and row.to - row.from >= row.need + row.undo then
			wrong(row.where, "the window of %s has %d min on that day, since clocks change in %s, and it takes %d to do and " ..
				"%d to take back", row.server, (last - first) // 60, zone, row.need, row.undo)
		end
		row.utc = { from = from, to = to }
	end
end

local function known(text) return text ~= "" and text or nil end

local function as_json(row)
	local date, from = calendar.moment(row.from)
	local to_date, to = calendar.moment(row.to)
	return { server = row.server, date = date, from = from, to_date = to_date, to = to, ["do"] = row.need, undo = row.undo,
		responsible = core.list(row.responsible), after = core.list(row.after), partner = core.list(row.partner),
		class = known(row.class), hours = known(row.hours), moved = known(row.moved), utc = row.utc,
		working_hours = known(row.working_hours) and row.working_hours == "yes" }
end

local function show(cli, rows)
	if cli:option("csv") then
		base.print_csv { "server", "date", "from", "to", "do", "undo", "responsible", "after", "partner", "class",
			"working_hours", "hours", "moved" }
	end
	local list = core.list {}
	for i, row in ipairs(rows) do
		local j = as_json(row)
		list[i] = j
		if cli:option("csv") then
			base.print_csv { j.server, j.date, j.from, j.to, tostring(j["do"]), tostring(j.undo),
				table.concat(j.responsible, "; "), table.concat(j.after, "; "), table.concat(j.partner, "; "), row.class,
				row.working_hours, row.hours, row.moved }
		elseif not cli.json then
			local took = base.plain and "%d min to do, %d min to undo" or "%3d min + %3d min "
			base.print("%s\n", base.row { ("%s %s "):format(calendar.weekday(row.from // 1440), j.date),
				(base.plain and "%s to %s" or "%s-%s "):format(j.from, j.to), { j.server .. " ", 21 },
				took:format(j["do"], j.undo), table.concat(j.responsible, ", "),
				j.moved and (base.plain and "moved %s" or "(moved %s)"):format(j.moved) })
		end
	end
	if cli.json then base.print_json(list) end
end

-- The name of a plan: who imports it anew replaces what had it before.
local function name_of(cli)
	local name = cli:option("plan") or cli.operands[1]:match("([^/]*)$"):gsub("%.csv$", "")
	if not name:find("%S") or name:find("%c") or #name > 255 then
		base.fail("usage", "--plan wants a name of one line, of at most 255 bytes")
	end
	return name
end

local function schedule(cli)
	local faults, wrong = base.collector("schedule-conflict")
	local rows, by_name = read(cli, wrong)
	for _, row in ipairs(rows) do check_alone(row, by_name, wrong) end
	check_pairs(rows, wrong)
	check_hours(cli, rows, wrong)
	if cli:option("timezone") then place_in(cli:option("timezone"), rows, wrong) end
	if #faults > 0 then return base.show_errors(faults) end
	if #rows == 0 then base.fail("usage", "no server is in the plan") end
	for name, text in pairs { ical = "ical", html = "html" } do
		local path = cli:option(name)
		if path then
			base.must(core.write(path, require("cli.schedule_files")[text](rows, core.now(), name_of(cli)),
				tonumber("644", 8)))
		end
	end
	show(cli, rows)
	return 0
end

return {
	schedule = {
		operands = "FILE.csv...", least = 1, most = -1,
		summary = "check and print the plan of dates",
		text = [[
FILE.csv has a line for each server: server, date, from, to (the window), do and
undo (how long it takes to do and to take back), responsible (names, between
them `;`), after (servers that have to be done before) and partner (those that
must not be down at the same time). `patchday risk --dates` begins one, with
class, working_hours and hours: a server with working_hours "no" has no window
in them. In place of a date a row may have a wave, as `patchday risk` gives it:
then --first says when the first wave is, and --closed the days on which nothing
is patched: a wave that would be on one of them waits for its next turn, and those
behind it with it; a date on one of them can't be. Everything in it that can't be is
told at once, with its line and names: status 2. Times are local; with
--timezone the calendar is right for readers elsewhere, too.
]],
		options = {
			{ "first", "DATE", "day of the first wave, such as 2026-12-05" },
			{ "every", "DAYS", "days from wave to wave, 1 to 3660 (default 7)" },
			{ "closed", "FILE", "of days without windows: lines such as \"2026-12-24..2027-01-03 freeze of the year's end\"" },
			{ "timezone", "ZONE", "of the windows, such as Europe/Berlin: the calendar has moments, not local times" },
			{ "working-hours", "HOURS", "of the site (default \"Mon-Fri 08:00-18:00\"); several have ; between them" },
			{ "plan", "TITLE", "name of the plan in the calendar (default: that of the first file)" },
			{ "ical", "FILE", "write the plan as a calendar (iCalendar, RFC 5545)" },
			{ "html", "FILE", "write the plan as a page" },
			{ "csv", nil, "print CSV (RFC 4180)" },
		},
		forms = { "csv", "json" }, run = schedule,
	},
}
