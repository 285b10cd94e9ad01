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
"a, b & <c>",1,,22:00,06:00,90m,60,"Ann Example; Bob Ärger-Beispiel: the one who has been with us since the very beginning; Cid; CID",,
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
s/^UID:.*@/UID:x@/|UID x@patchday.* is that of line
s/^SEQUENCE:.*[0-9]/SEQUENCE:2147483648/|SEQUENCE is 2147483648
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
cat >"$tmp/zoned.csv" <<'END'
server,date,from,to,do,undo,responsible
winter,2026-12-05,22:00,02:00,30,30,Ann
END
if unshare -m mount -t tmpfs none /usr/share/zoneinfo 2>/dev/null; then
	bare() { unshare -m sh -c 'mount -t tmpfs none /usr/share/zoneinfo && exec "$@"' sh "${patchday[@]}" schedule "$tmp/zoned.csv" "$@"; }
	is "UTC is one without tzdata" "$(bare --timezone UTC --json 2>&1 | jq -r '.[].utc.from')" 20261205T220000Z
fi
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
schedule <<'END'
server,date,from,to,do,undo,responsible
one,2026-12-05,22:00,02:00,30,30,Ann Lee; Jörg Ÿ; Анна; Łucja Šárková; Фёдор
two,2026-12-05,23:00,01:00,30,30,ann  lee ; JÖRG ÿ; АННА; ŁUCJA ŠÁRKOVÁ; ФЁДОР
three,2026-12-06,23:00,01:00,30,30,Ann Leeds
four,2026-12-06,23:00,01:00,30,30,Ann Lee
END
is "a person is the same however the name is written" "$rc $(sed -n 's/^.*csv:\(.*\) \[.*/\1/p' <<<"$out")" \
	"2 3: Ann Lee is to be at one and at two at the same time
3: Jörg Ÿ is to be at one and at two at the same time
3: Анна is to be at one and at two at the same time
3: Łucja Šárková is to be at one and at two at the same time
3: Фёдор is to be at one and at two at the same time"
schedule <<'END'
server,date,from,to,do,undo,responsible
one,2026-12-05,22:00,02:00,30,30,"Ann, Bob"
two,2026-12-05,23:00,01:00,30,30,Ann
END
like "a comma makes no two people of one" "$rc $out" \
	"^2 .*csv:2: one: 'Ann, Bob' in the column responsible has a comma in it, and between names stands ';'"
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

# ---- how long it takes
for time in 10081 9223372036854775807 9223372036854775808 99999999999999999999 153722867280912931h 7d1s 8d; do
	schedule <<END
server,date,from,to,do,undo,responsible
a,2026-12-05,22:00,23:00,$time,10,Ann
b,2026-12-05,22:00,23:00,10,$time,Bob
END
	is "$time is longer than all that is done" "$rc $(grep -c ': do and undo say how long it takes, such as 90m or 1h, at most 7d' <<<"$out")" "2 2"
done
schedule <<'END'
server,date,from,to,do,undo,responsible
a,2026-12-05,22:00,23:00,7d,10080,Ann
b,2026-12-05,22:00,22:01,61s,0,Bob
END
like "a week is none" "$rc $out" "^2 .*csv:2: the window of a has 60 min, and it takes 10080 to do and 10080 to take back"
like "begun minutes are whole" "$out" "csv:3: the window of b has 1 min, and it takes 2 to do and 0 to take back"
for days in 0 3661 0x10 1e1 7.5 9223372036854775808 -1 ''; do
	pd schedule "$tmp/first.csv" --first 2026-12-05 "--every=$days"
	like "--every '$days'" "$rc $out" "^2 .*--every wants a number of days, 1 to 3660"
done
schedule <<'END'
server,date,from,to,do,undo,responsible
a,9999-12-31,22:00,02:00,10,10,Ann
END
like "no window ends in the year 10000" "$rc $out" "^2 .*csv:2: '9999-12-31' is no day"

# ---- working hours
hours() { schedule "$@" <"$tmp/hours.csv"; }
cat >"$tmp/hours.csv" <<'END'
server,date,from,to,do,undo,responsible,class,working_hours,hours
crit,2026-12-07,10:00,14:00,30,30,Ann,critical,no,"out of hours, with the owner present"
low,2026-12-07,10:00,14:00,30,30,Bob,low,yes,working hours
any,2026-12-07,10:00,14:00,30,30,Cid,,,
night,2026-12-07,18:00,08:00,30,30,Dee,critical,no,
late,2026-12-07,18:00,08:01,30,30,Eve,critical,no,
early,2026-12-07,17:59,20:00,30,30,Fay,,no,
friday,2026-12-11,22:00,21:00,30,30,Gus,high,no,
sunday,2026-12-13,20:00,09:00,30,30,Hal,high,no,
END
hours
is "who is patched out of working hours only has no window in them" \
	"$rc $(sed -n 's/.*dates.csv:\([0-9]\): \([a-z]*\) may be patched out of working hours only.*/\1 \2/p' <<<"$out" | xargs)" \
	"2 2 crit 6 late 7 early 9 sunday"
like "which is told with the window, and what to do" "$out" \
	"csv:2: crit may be patched out of working hours only \(class critical\), and its window, Mon 2026-12-07 10:00-14:00, is in them: take one outside of Mon-Fri 08:00-18:00"
like "also without a class" "$out" "early may be patched out of working hours only \(working_hours is no\)"
hours --working-hours "tue-thu 08:00-18:00; Sat 22:00-02:00" --ical "$tmp/hours.ics" --html "$tmp/hours.html"
is "a site says which they are" "$(sed -n 's/.*: \([a-z]*\) may be patched .*/\1/p' <<<"$out" | xargs)" "late"
hours --working-hours "Sat-Mon 00:00-00:00"
is "over the end of the week" "$(sed -n 's/.*: \([a-z]*\) may be patched .*/\1/p' <<<"$out" | xargs)" "crit night late early friday sunday"
for text in "" Mon Mon-Fri "Mon- 08:00-18:00" "Mon-Fry 08:00-18:00" "Mon-Fri 8-18" "Mon-Fri 08:00-24:00" "Mon-Fri 08:00-18:00;" "Mon Tue 08:00-09:00"; do
	hours --working-hours "$text"
	like "no working hours: '$text'" "$rc $out" "^2 .*'$text' are no working hours"
done
sed -i '2d; 6,7d; 9d' "$tmp/hours.csv"
hours --ical "$tmp/hours.ics" --html "$tmp/hours.html" --json
is "the plan says who is patched when" "$rc $(jq -c '[.[] | [.server, .class, .working_hours, .hours]]' <<<"$out")" \
	'0 [["any",null,null,null],["low","low",true,"working hours"],["night","critical",false,null],["friday","high",false,null]]'
like "so does the calendar" "$(sed -z 's/\r\n //g' "$tmp/hours.ics")" 'Bob\\nrisk: low\\, working hours'
like "and the page" "$(<"$tmp/hours.html")" '<td>low, working hours</td>'
pd schedule "$tmp/dates.csv" --csv
is "and CSV, which can be read again" "$(printf '%s\n' "$out" | { cat >"$tmp/again.csv"; "${patchday[@]}" schedule "${places[@]}" "$tmp/again.csv" --csv; })" "$out"
schedule <<'END'
server,date,from,to,do,undo,responsible,working_hours
a,2026-12-05,22:00,23:00,10,10,Ann,never
END
like "working hours are yes or no" "$rc $out" "^2 .*csv:2: a: working_hours is yes, no or nothing, not 'never'"

# ---- closed days
closed() { schedule --first 2026-12-12 --closed "$tmp/closed.txt" "$@" <"$tmp/waves.csv"; }
cat >"$tmp/waves.csv" <<'END'
server,wave,date,from,to,do,undo,responsible
a,1,,22:00,02:00,30,30,Ann
b,2,,20:00,00:00,30,30,Ann
c,3,,10:00,14:00,30,30,Bob
d,3,,22:00,02:00,30,30,Ann
e,4,,22:00,02:00,30,30,Ann
own,,2026-12-30,22:00,00:00,30,30,Cid
END
printf '\xef\xbb\xbf# holidays\r\n\r\n' >"$tmp/closed.txt"
cat >>"$tmp/closed.txt" <<'END'
2026-12-20 begins when b's window ends # no comment
 2026-12-27	Sunday, of which d has two hours
2027-01-02..2027-01-09 freeze & more
2027-01-23 audit - of e
END
closed --json --ical "$tmp/closed.ics" --html "$tmp/closed.html"
is "a wave waits for a turn on which none of its windows is on a closed day, or reaches one" \
	"$rc $(jq -r '.[] | select(.server != "own") | "\(.server) \(.date)"' <<<"$out" | sort | xargs)" \
	"0 a 2026-12-12 b 2026-12-19 c 2027-01-16 d 2027-01-16 e 2027-01-30"
why="from 2026-12-26: Sunday, of which d has two hours; freeze & more"
is "which is told, and what is behind it" "$(jq -c '[.[] | .moved]' <<<"$out")" \
	"[null,null,null,\"$why\",\"$why\",\"from 2027-01-02: with wave 3; audit - of e\"]"
like "also in the calendar" "$(sed -z 's/\r\n //g' "$tmp/closed.ics")" 'Ann.nmoved from 2027-01-02: with wave 3'
like "and in the page" "$(<"$tmp/closed.html")" "<td>${why/&/&amp;}</td>"
closed
like "and in the table" "$out" 'Sat 2027-01-30  22:00-02:00  e .* Ann \(moved from 2027-01-02: with wave 3; audit - of e\)'
closed --csv
printf '%s\n' "$out" >"$tmp/again.csv"
before=$out
pd schedule "$tmp/again.csv" --csv --closed "$tmp/closed.txt"
is "and in CSV, which can be read again" "$out" "$before"
sed -i 's/2026-12-30,22:00,00:00/2026-12-26,22:00,00:01/' "$tmp/waves.csv"
closed
like "a day that somebody wrote is not moved" "$rc $out" \
	'^2 .*dates.csv:7: the window of own, Sat 2026-12-26 22:00-00:01, is on a closed day \(Sunday, .*/closed.txt:4\); the next open one is 2026-12-28'
cat >"$tmp/closed.txt" <<'END'
2026-12-24..2026-12-20 backwards
2026-02-29 no day

2026-12-24..2026-12 no days
2026-12-24 .. 2027-01-03 freeze
2026-12-24 2027-01-03 freeze
2026-12-25
Christmas 2026-12-25
2027-01-01..9999-12-31 for ever
END
printf '2026-12-25 \xff\n' >>"$tmp/closed.txt"
closed
is "lines that are none are told at once" "$rc $(sed -n 's/.*closed.txt:\([0-9]*\): .*/\1/p' <<<"$out" | xargs)" "2 1 2 4 5 6 7 8 10"
is "so is a wave that is never" "$(grep -c 'wave 4 of e is after the year 9999' <<<"$out")" 1
closed --closed "$tmp/none.txt"
like "a file that there is not" "$rc $out" '^2 .*none.txt'

# ---- a plan that is handed out anew
# uid FILE, sequence FILE
uid() { sed -z 's/\r\n //g' "$1" | tr -d '\r' | sed -n 's/^UID://p' | paste -sd' '; }
sequence() { tr -d '\r' <"$1" | sed -n 's/^SEQUENCE://p' | sort -u | xargs; }
handed() # FILE.ics DATE ARGUMENT...
{
	local file=$1 date=$2

	shift 2
	printf '%s\n' server,date,from,to,do,undo,responsible "a,$date,22:00,23:00,10,10,Ann" "b,$date,22:00,23:00,10,10,Bob" >"$tmp/plan.csv"
	pd schedule "$tmp/plan.csv" --ical "$tmp/$file" "$@"
}
handed 1.ics 2026-12-05
sleep 1.1
handed 2.ics 2026-12-06
is "an event is the same when its date moves" "$rc $(uid "$tmp/2.ics")" "0 $(uid "$tmp/1.ics")"
is "by its server and the plan" "$(uid "$tmp/1.ics")" "a/plan@patchday b/plan@patchday"
check "and is newer" [ "$(sequence "$tmp/2.ics")" -gt "$(sequence "$tmp/1.ics")" ]
handed 3.ics 2027-01-05 --plan "january, 2027"
is "that of another plan is another" "$(uid "$tmp/3.ics")" 'a/january\, 2027@patchday b/january\, 2027@patchday'
empty "it is one by the letter, too" "$(valid "$tmp/3.ics")"
for plan in "" " " $'a\nb' "$(printf 'a%.0s' {1..256})"; do
	handed 4.ics 2026-12-05 "--plan=$plan"
	like "no name of a plan: '${plan:0:4}'" "$rc $out" "^2 .*--plan wants a name of one line"
done
end
