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
own,,2028-02-29,00:00,00:00,12h,12h,Dee,"late; a, b & <c>",
END
is "waves become days, over the ends of months" "$rc $(jq -r '.[] | "\(.date) \(.from) \(.to_date) \(.to)"' <<<"$out" | xargs)" \
	"0 2027-02-27 22:00 2027-02-28 06:00 2027-03-01 23:30 2027-03-02 00:30 2028-02-29 00:00 2028-03-01 00:00"
is "people are a list" "$(jq -c '.[0].responsible | length' <<<"$out")" 3
check "the page is well-formed" xmllint --noout "$tmp/p.html"
is "with a row for each server" "$(xmllint --xpath 'count(//*[local-name()="tr"])' "$tmp/p.html")" 4
valid() { python3 "$PD_SRCDIR/tests/cli/rfc5545.py" "$1"; }
empty "the calendar is one by the letter of RFC 5545" "$(valid "$tmp/c.ics")"
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
# names of all lengths, in which a character of four bytes is where a line is folded
{
	echo "server,date,from,to,do,undo,responsible,after"
	for n in {1..90}; do
		printf '"%s",2026-12-05,22:00,23:00,10,10,"%s"\n' "$(printf "é😀;,\\:%$((n * 2))s" "" | tr ' ' w)" \
			"$n\\n $(printf 'ö%.0s' $(seq "$n"))"
	done
	printf '%s\n' 'plain,2026-12-06,22:00,23:00,10,10,"Ann' 'Example; Bob'$'\r\a\177\033[31m''x",'
} >"$tmp/names.csv"
pd schedule "$tmp/names.csv" --ical "$tmp/names.ics" --html "$tmp/names.html"
is "names of all kinds are in a plan" "$rc $(grep -c '^BEGIN:VEVENT' "$tmp/names.ics")" "0 91"
empty "and in a calendar that is one" "$(valid "$tmp/names.ics")"
check "and in a page" xmllint --noout "$tmp/names.html"

# what is no calendar is seen by that check: a script for sed, and what is told of its output
while IFS='|' read -r script fault; do
	sed "$script" "$tmp/c.ics" >"$tmp/broken.ics"
	like "not valid: $fault" "$(valid "$tmp/broken.ics")" "$fault"
done <<'END'
s/\r$//|the file does not end with CR LF
5s/$/\r/|a control character, or a line end that is not CR LF
/^END:VCALENDAR/d|VCALENDAR has no end
/^PRODID/d|VCALENDAR has PRODID 0 times
/^VERSION/d|VCALENDAR has VERSION 0 times
s/^VERSION:2/VERSION:1/|VERSION is 1.0
/^UID/d|VEVENT has UID 0 times
s/^UID:.*late/UID:own/; s/^UID:own-.*@/UID:x@/; s/20270301T233000@/@/; s/^UID:own-@/UID:x@/|UID x@patchday.* is that of line
/^DTSTAMP/d|VEVENT has DTSTAMP 0 times
s/^\(DTSTAMP:.*\)Z/\1/|DTSTAMP is not in UTC
/^DTSTART/d|VEVENT has DTSTART 0 times
/^DTEND/d|one of DTEND and DURATION
s/^DTEND:2027/DTEND:2026/|DTEND is not later than DTSTART
s/^\(DTEND:.*\)\r/\1Z\r/|DTSTART is floating, DTEND UTC
s/^DTSTART:/DTSTART;TZID=Europe\/Berlin:/; s/^DTEND:/DTEND;TZID=Europe\/Berlin:/|there is no VTIMEZONE Europe/Berlin
s/^DTSTART:20270227/DTSTART:20270229/|20270229T220000 is no date
s/^SUMMARY:.*a\\,/SUMMARY:a,/|a separator that is not escaped
s/\\n/\\t/|a backslash before what is not escaped
s/^ \(.*\)/\1/|no property
s/^SUMMARY/Summary/|no property
s/^SUMMARY:/&patch day patch day patch day patch day patch day patch day patch day/|octets
s/^SUMMARY/COLOUR/|VEVENT has COLOUR 1 times
END

# ---- readers elsewhere
zoned() { schedule --timezone "$@" <"$tmp/zoned.csv"; }
cat >"$tmp/zoned.csv" <<'END'
server,date,from,to,do,undo,responsible
winter,2026-12-05,22:00,02:00,30,30,Ann
summer,2027-07-03,22:00,02:00,30,30,Ann
END
if [ -e /usr/share/zoneinfo/Europe/Berlin ]; then
	zoned Europe/Berlin --ical "$tmp/zoned.ics" --json
	is "with a time zone the calendar has moments" "$rc $(grep '^DT[SE][TN][AD][R:]' "$tmp/zoned.ics" | tr -d '\r' | xargs)" \
		"0 DTSTART:20261205T210000Z DTEND:20261206T010000Z DTSTART:20270703T200000Z DTEND:20270704T000000Z"
	is "also in JSON" "$(jq -c '[.[].utc.from]' <<<"$out")" '["20261205T210000Z","20270703T200000Z"]'
	empty "it is one by the letter, too" "$(valid "$tmp/zoned.ics")"
	cat >"$tmp/zoned.csv" <<'END'
server,date,from,to,do,undo,responsible
none,2027-03-28,02:30,05:00,30,30,Ann
short,2027-03-27,22:00,04:00,4h,90m,Bob
END
	zoned Europe/Berlin
	like "a time that clocks skip is none" "$rc $out" '^2 .*csv:2: none: there is no 2027-03-28 02:30 in Europe/Berlin: the clocks are put forward'
	like "and a window that they cut is too short" "$out" 'csv:3: the window of short has 300 min on that day, since clocks change in Europe/Berlin, and it takes 240'
	schedule <"$tmp/zoned.csv"
	is "without a zone nobody knows" "$rc" 0
else
	echo "# skip time zones: tzdata is not installed"
fi
for zone in Europe/Berln '../../etc/passwd' 'UTC" 2020' '' Europe America/Argentina Europe/ zone.tab tzdata.zi Factory right/Europe/Berlin; do
	zoned "$zone"
	like "no time zone: '$zone'" "$rc $out" '^2 .*is no time zone that this server knows'
done
schedule --csv --first 2026-12-05 <<'END'
server,wave,from,to,do,undo,responsible
x,1,1:00,2:00,20,20,Ann
END
cp "$tmp/dates.csv" "$tmp/first.csv"
is "what is printed can be read again" "$(printf '%s\n' "$out" | { cat >"$tmp/again.csv"; "${patchday[@]}" schedule "${places[@]}" "$tmp/again.csv" --csv; })" "$out"

schedule <<'END'
server,date,from,to,do,undo,responsible,after,partner
one,2026-12-05,22:00,02:00,2h,1h,Ann; Bob,,six; two
two,2026-12-05,23:00,01:00,1h,90m,Cid; Bob,,
three,2026-12-05,22:00,23:00,10,10,Dee,two,four
two,2026-12-06,22:00,23:00,10,10,Dee,,
five,2026-02-29,22:00,23:00,10,10,Dee,,
six,2026-12-07,25:00,23:00,soon,10, ;,,
END
is "all that can't be is told at once" "$rc $(grep -c schedule-conflict <<<"$out")" "2 10"
is "in the order of its lines" "$(sed -n 's/.*dates.csv:\([0-9]*\): .*/\1/p' <<<"$out" | sort -nc 2>&1)" ""
is "with the remedy once" "$(grep -c 'Change the line' <<<"$out")" 1
for text in "dates.csv:3: the window of two has 120 min, and it takes 60 to do and 90 to take back" \
	"dates.csv:3: one and two are partners, and in one window" "dates.csv:3: Bob is to be at one and at two at the same time" \
	"dates.csv:4: three comes after two, which has its window until 2026-12-06 01:00" \
	"dates.csv:4: three: 'four' in the column partner is no other server" "dates.csv:5: server two is there twice \(.*dates.csv:3\)" \
	"dates.csv:6: '2026-02-29' is no day" "dates.csv:7: six has no window" "dates.csv:7: six: do and undo say how long" \
	"dates.csv:7: nobody is responsible for six"; do
	like "${text#*: }" "$out" "$text"
done
schedule --first 2026-12-05 <<'END'
server,wave,from,to,do,undo,responsible,partner
a,1,20:00,22:00,30,30,Ann,b
b,1,22:00,23:30,30,30,Ann,a
c,2,22:00,23:30,30,30,Ann,a
END
is "partners in one wave are told once, also one after the other" "$rc $(grep -c schedule-conflict <<<"$out") $(grep -c 'csv:2: a and b are partners, and both in wave 1' <<<"$out")" "2 1 1"
pd schedule "$tmp/first.csv"
like "a wave needs a first day" "$rc $out" "^2 .*x has no date; give one, or a wave and --first DATE"
pd schedule "$tmp/first.csv" --first 2026-13-01
like "which is a day" "$rc $out" "^2 .*--first wants a day"
schedule --first 2026-12-05 <<'END'
server,wave,from,to,do,undo,responsible
far,9999999,20:00,22:00,30,30,Ann
none,0,20:00,22:00,30,30,Bob
half,1.5,20:00,22:00,30,30,Cid
"two
lines",1,20:00,22:00,30,30,Dee
END
is "what is no wave" "$rc $(grep -c "is no wave: they are 1, 2 ... 9999" <<<"$out")" "2 3"
like "a name has one line" "$out" "csv:5: the server's name has a line end"
schedule --first 9999-12-01 <<'END'
server,wave,from,to,do,undo,responsible
late,6,20:00,22:00,30,30,Ann
END
like "there is an end of time" "$rc $out" "^2 .*wave 6 of late is after the year 9999"
schedule <<<"server,datum"
like "a column that there is not" "$rc $out" "^2 .*no column 'datum'; did you mean date"
end
