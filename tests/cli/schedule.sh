#!/bin/bash
# SPDX-License-Identifier: MIT
# The plan of dates: days, windows, conflicts with their names, calendars.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq xmllint python3; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done

# schedule ARGUMENT...: a CSV from standard input; sets $out and $rc
schedule()
{
	cat >"$tmp/dates.csv"
	pd schedule "$tmp/dates.csv" "$@"
}

schedule --json --first 2027-02-27 --every 2 --ical "$tmp/c.ics" --html "$tmp/p.html" <<'END'
server,wave,date,from,to,do,undo,responsible,after,partner
"a, b & <c>",1,,22:00,06:00,90m,60,"Ann Example; Bob Ärger-Beispiel, the one who has been with us since the very beginning; Cid",,
late,2,,23:30,00:30,30,30,Ann Example,"a, b & <c>",
own,,2028-02-29,00:00,00:00,12h,12h,,,
END
is "waves become days, over the ends of months" "$rc $(jq -r '.[] | "\(.date) \(.from) \(.to_date) \(.to)"' <<<"$out" | xargs)" \
	"0 2027-02-27 22:00 2027-02-28 06:00 2027-03-01 23:30 2027-03-02 00:30 2028-02-29 00:00 2028-03-01 00:00"
is "people are a list" "$(jq -c '.[0].responsible | length' <<<"$out")" 3
check "the page is well-formed" xmllint --noout "$tmp/p.html"
is "with a row for each server" "$(xmllint --xpath 'count(//*[local-name()="tr"])' "$tmp/p.html")" 4
empty "no line of the calendar is longer than 75 bytes" "$(LC_ALL=C awk '{ sub(/\r$/, "") } length > 75' "$tmp/c.ics")"
empty "each ends with CR LF" "$(grep -v $'\r$' "$tmp/c.ics")"
if /usr/bin/python3 -c 'import icalendar' 2>/dev/null; then
	is "a library reads the calendar" "$(/usr/bin/python3 - "$tmp/c.ics" <<'END'
import sys, icalendar
c = icalendar.Calendar.from_ical(open(sys.argv[1], "rb").read())
for e in c.walk("VEVENT"):
    print(e["SUMMARY"], e["DTSTART"].dt, e["DTEND"].dt, "since the very beginning" in e["DESCRIPTION"], sep="|")
END
)" "patch day of a, b & <c>|2027-02-27 22:00:00|2027-02-28 06:00:00|True
patch day of late|2027-03-01 23:30:00|2027-03-02 00:30:00|False
patch day of own|2028-02-29 00:00:00|2028-03-01 00:00:00|False"
else
	echo "# skip the calendar by a library: python3-icalendar is not installed"
fi
schedule --csv --first 2026-12-05 <<'END'
server,wave,from,to,do,undo
x,1,1:00,2:00,20,20
END
cp "$tmp/dates.csv" "$tmp/first.csv"
is "what is printed can be read again" "$(printf '%s\n' "$out" | { cat >"$tmp/again.csv"; "${patchday[@]}" schedule "${places[@]}" "$tmp/again.csv" --csv; })" "$out"

schedule <<'END'
server,date,from,to,do,undo,responsible,after,partner
one,2026-12-05,22:00,02:00,2h,1h,Ann; Bob,,two
two,2026-12-05,23:00,01:00,1h,90m,Cid; Bob,,
three,2026-12-05,22:00,23:00,10,10,,two,four
two,2026-12-06,22:00,23:00,10,10,,,
five,2026-02-29,22:00,23:00,10,10,,,
six,2026-12-07,25:00,23:00,soon,10,,,
END
is "all that can't be is told at once" "$rc $(grep -c schedule-conflict <<<"$out")" "2 9"
for text in "dates.csv:3: the window of two has 120 min, and it takes 60 to do and 90 to take back" \
	"dates.csv:3: one and two are partners, and in one window" "dates.csv:3: Bob is to be at one and at two at the same time" \
	"dates.csv:4: three comes after two, which has its window until 2026-12-06 01:00" \
	"dates.csv:4: three: 'four' in the column partner is no other server" "dates.csv:5: server two is there twice \(.*dates.csv:3\)" \
	"dates.csv:6: '2026-02-29' is no day" "dates.csv:7: six has no window" "dates.csv:7: six: do and undo say how long"; do
	like "${text#*: }" "$out" "$text"
done
pd schedule "$tmp/first.csv"
like "a wave needs a first day" "$rc $out" "^2 .*x has no date; give one, or a wave and --first DATE"
pd schedule "$tmp/first.csv" --first 2026-13-01
like "which is a day" "$rc $out" "^2 .*--first wants a day"
schedule <<<"server,datum"
like "a column that there is not" "$rc $out" "^2 .*no column 'datum'; did you mean date"
end
