# SPDX-License-Identifier: MIT
"""Whether a file is an iCalendar object, by the letter of RFC 5545: each fault is a line; none: nothing is printed.

    rfc5545.py FILE
"""
import datetime
import re
import sys

ONCE = 1, 1
MAYBE = 0, 1
ANY = 0, 10 ** 6
# how often a property may be there: 3.4, 3.6, 3.6.1, 3.6.5
PROPERTIES = {
    "VCALENDAR": {"PRODID": ONCE, "VERSION": ONCE, "CALSCALE": MAYBE, "METHOD": MAYBE},
    "VEVENT": {"UID": ONCE, "DTSTAMP": ONCE, "DTSTART": ONCE, "DTEND": MAYBE, "DURATION": MAYBE, "SUMMARY": MAYBE,
               "DESCRIPTION": MAYBE, "LOCATION": MAYBE, "STATUS": MAYBE, "SEQUENCE": MAYBE, "CATEGORIES": ANY,
               "COMMENT": ANY},
    "VTIMEZONE": {"TZID": ONCE},
}
INSIDE = {None: ["VCALENDAR"], "VCALENDAR": ["VEVENT", "VTIMEZONE"], "VEVENT": [], "VTIMEZONE": []}
TEXT = {"PRODID", "UID", "SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "COMMENT", "TZID"}
LISTS = {"CATEGORIES"}
PARAMETER = r';[A-Z-]+=(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
LINE = re.compile(rf"([A-Z-]+)((?:{PARAMETER})*):(.*)", re.DOTALL)
faults = []


def fault(n, text):
    faults.append(f"line {n}: {text}")


def lines_of(data):
    """Content lines with the number of their first physical line: 3.1."""
    if not data.endswith(b"\r\n"):
        fault(data.count(b"\n") + 1, "the file does not end with CR LF")
    lines = []
    for n, raw in enumerate(data.split(b"\r\n")[:-1], 1):
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", raw):
            fault(n, "a control character, or a line end that is not CR LF")
        if len(raw) > 75:
            fault(n, f"{len(raw)} octets")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            fault(n, "no UTF-8; a character was cut")
            text = raw.decode("latin-1")
        if text[:1] in (" ", "\t"):
            if lines:
                lines[-1][1] += text[1:]
            else:
                fault(n, "it goes on, and nothing stands before it")
        elif not text:
            fault(n, "empty")
        else:
            lines.append([n, text])
    return lines


def check_text(n, name, value):
    """3.3.11: what is escaped, and what has to be."""
    rest = re.sub(r"\\[\\;,nN]", "", value)
    if "\\" in rest:
        fault(n, f"{name}: a backslash before what is not escaped")
    if ";" in rest or name not in LISTS and "," in rest:
        fault(n, f"{name}: a separator that is not escaped")
    if not value:
        fault(n, f"{name}: empty")


def moment(n, name, parameters, value, zones):
    """3.3.5: the time, and in which form it is given."""
    match = re.fullmatch(r"(\d{8}T\d{6})(Z?)", value)
    zone = re.search(r';TZID="?([^";]*)"?', parameters)
    try:
        time = datetime.datetime.strptime(match[1], "%Y%m%dT%H%M%S")
    except (TypeError, ValueError):
        fault(n, f"{name}: {value} is no date with a time")
        return None
    if zone and match[2]:
        fault(n, f"{name}: in UTC, and in a time zone")
    if zone and zone[1] not in zones:
        fault(n, f"{name}: there is no VTIMEZONE {zone[1]}")
    return time, "UTC" if match[2] else zone[1] if zone else "floating"


def check_component(kind, n, rows, zones):
    count = {}
    for _, name, _, _ in rows:
        count[name] = count.get(name, 0) + 1
    for name in sorted(set(count) | set(PROPERTIES[kind])):
        least, most = PROPERTIES[kind].get(name, (0, 0))
        if not least <= count.get(name, 0) <= most:
            fault(n, f"{kind} has {name} {count.get(name, 0)} times")
    times = {}
    for at, name, parameters, value in rows:
        if name in TEXT:
            check_text(at, name, value)
        if name in ("DTSTAMP", "DTSTART", "DTEND"):
            times[name] = moment(at, name, parameters, value, zones)
        if name == "SEQUENCE" and not (re.fullmatch(r"\d{1,10}", value) and int(value) < 2 ** 31):
            fault(at, f"SEQUENCE is {value}")
        if name == "VERSION" and value != "2.0":
            fault(at, f"VERSION is {value}")
    if kind != "VEVENT":
        return
    if times.get("DTSTAMP") and times["DTSTAMP"][1] != "UTC":
        fault(n, "DTSTAMP is not in UTC")
    if count.get("DTEND", 0) + count.get("DURATION", 0) != 1:
        fault(n, "one of DTEND and DURATION")
    start, end = times.get("DTSTART"), times.get("DTEND")
    if start and end and start[1] != end[1]:
        fault(n, f"DTSTART is {start[1]}, DTEND {end[1]}")
    elif start and end and end[0] <= start[0]:
        fault(n, "DTEND is not later than DTSTART")


def main(path):
    data = open(path, "rb").read()
    stack, done, uids = [], [], {}
    for n, text in lines_of(data):
        match = LINE.fullmatch(text)
        if not match:
            fault(n, "no property: NAME;PARAMETER=...:VALUE")
            continue
        name, parameters, value = match.groups()
        if name == "BEGIN":
            if value not in INSIDE[stack[-1][0] if stack else None] or not stack and done:
                fault(n, f"no place for {value}")
            stack.append((value, n, []))
        elif name == "END":
            if not stack or stack[-1][0] != value:
                fault(n, f"{value} ends, and is not what was begun")
                continue
            done.append(stack.pop())
        elif not stack:
            fault(n, "outside of VCALENDAR")
        else:
            stack[-1][2].append((n, name, parameters, value))
    for kind, n, _ in stack:
        fault(n, f"{kind} has no end")
    zones = [row[3] for kind, _, rows in done if kind == "VTIMEZONE" for row in rows if row[1] == "TZID"]
    for kind, n, rows in done:
        if kind not in PROPERTIES:
            continue
        check_component(kind, n, rows, zones)
        for at, name, _, value in rows if kind == "VEVENT" else []:
            if name == "UID" and value in uids:
                fault(at, f"UID {value} is that of line {uids[value]}")
            if name == "UID":
                uids[value] = at
    if not uids:
        fault(1, "there is no event")
    print("\n".join(faults), end="\n" if faults else "")


main(sys.argv[1])
