/* SPDX-License-Identifier: MIT */
/**
 * Calendar: maintenance windows as people write them, and when they are open.
 * Pure: no clock, no files; local time is that of the process (TZ, tzset()).
 *
 * A time of the clock that comes twice, when clocks are set back, is the first
 * of the two; one that never comes, when clocks are set forward, is read with
 * the offset from before, so it moves forward by the gap: RFC 5545, 3.3.5.
 */
#ifndef PD_PLUGIN_GUARD_CALENDAR_H
#define PD_PLUGIN_GUARD_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CALENDAR_DAYS = 400 }; /* how far cal_openings() looks ahead */

/** One window: days, and minutes of the day. */
struct cal_rule {
	unsigned days;  /* bit 0 Sunday ... bit 6 Saturday */
	int nth;        /* 1 to 5: only that one of the month; -1: the last; 0: all */
	int64_t date;   /* this day alone, in days since 1970; 0: by days */
	int from, to;   /* to <= from: it ends the next day */
};

/** Days on which no window begins, both included; days since 1970. */
struct cal_days {
	int64_t first, last;
};

/** Seconds since 1970; open from begin up to, but without, end. */
struct cal_span {
	int64_t begin, end;
};

/** "sat 22:00-06:00", "mon-fri 20:00-23:30", "2nd tue 22:00-04:00"
 * (or "second tue"), "last sun 01:00-05:00", "2026-12-24 18:00-23:00", "daily 01:00-03:00".
 * @return NULL, or what is wrong with it. */
const char *cal_rule_parse(const char *text, struct cal_rule *out);
/** "2026-12-24" or "2026-12-24..2027-01-02"; NULL, or what is wrong. */
const char *cal_days_parse(const char *text, struct cal_days *out);

/** Room that cal_openings() needs for @p rules. */
#define CAL_ROOM(rules) ((rules) * (CALENDAR_DAYS + 3))
/**
 * When it is open, from yesterday to CALENDAR_DAYS ahead (a date: however far),
 * in order; what touches or overlaps is one.  @return how many.
 */
size_t cal_openings(const struct cal_rule *rules, size_t n_rules,
		    const struct cal_days *except, size_t n_except, int64_t now,
		    struct cal_span *out);

#endif
