-- SPDX-License-Identifier: MIT
-- Days and minutes of the civil (Gregorian) calendar, without a time zone.
local calendar = {}

-- Days since 1970-01-01; the algorithm of days_from_civil, H. Hinnant, "chrono-
-- Compatible Low-Level Date Algorithms".
local function days(year, month, day)
	if month <= 2 then year = year - 1 end
	local era = year // 400
	local of_era = year - era * 400
	local of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
	return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

-- Year, month, day of a number of days.
local function civil(n)
	n = n + 719468
	local era = n // 146097
	local of_era = n - era * 146097
	local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
	local of_year = of_era - (365 * year + year // 4 - year // 100)
	local part = (5 * of_year + 2) // 153
	local month = part + (part < 10 and 3 or -9)
	return year + era * 400 + (month <= 2 and 1 or 0), month, of_year - (153 * part + 2) // 5 + 1
end

-- "2026-11-28" as days since 1970; nil if there is no such day.
function calendar.day(text)
	local y, m, d = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
	if not y then return nil end
	local n = days(tonumber(y), tonumber(m), tonumber(d))
	return calendar.date(n) == text and n or nil
end

function calendar.date(n) return ("%04d-%02d-%02d"):format(civil(n)) end

local names = { [0] = "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" } -- 1970-01-01 was one

function calendar.weekday(n) return names[n % 7] end

-- "22:30" in minutes; nil if it is none.
function calendar.minutes(text)
	local h, m = text:match("^(%d%d?):(%d%d)$")
	h, m = tonumber(h), tonumber(m)
	return h and h < 24 and m < 60 and h * 60 + m or nil
end

local function weekday(text)
	for n = 0, 6 do
		if names[n]:lower() == text:lower() then return n end
	end
end

-- "Mon-Fri 08:00-18:00; Sat 09:00-12:00" as spans: { { days, from, long } }; nil if it is none.
function calendar.spans(text)
	local spans = {}
	for part in (text .. ";"):gmatch("([^;]*);") do
		local days_of, from, to = part:match("^%s*(%a+%-?%a*)%s+(%d+:%d+)%-(%d+:%d+)%s*$")
		from, to = calendar.minutes(from or ""), calendar.minutes(to or "")
		local first, last = (days_of or ""):match("^(%a+)%-(%a+)$")
		first, last = weekday(first or days_of or ""), weekday(last or days_of or "")
		if not (first and last and from and to) then return nil end
		local span = { days = {}, from = from, long = (to - from - 1) % 1440 + 1 } -- over midnight, too
		for n = 0, (last - first) % 7 do span.days[(first + n) % 7] = true end
		spans[#spans + 1] = span
	end
	return spans
end

-- Is any minute of a window in one of the spans?
function calendar.meets(spans, from, to)
	for day = from // 1440 - 1, to // 1440 do
		for _, span in ipairs(spans) do
			local begin = day * 1440 + span.from
			if span.days[day % 7] and begin < to and begin + span.long > from then return true end
		end
	end
	return false
end

-- Minutes since 1970 as "2026-11-28", "22:30".
function calendar.moment(n)
	local day, rest = n // 1440, n % 1440
	return calendar.date(day), ("%02d:%02d"):format(rest // 60, rest % 60)
end

return calendar
