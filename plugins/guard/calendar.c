/* SPDX-License-Identifier: MIT */
/* Maintenance windows: parsing, and the spans of time in which they are open. */
#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)

/* -------------------------------------------------------------- parsing */

/* Seven names, Sunday first; -1: none of them. */
static int day_named(const char *word, size_t len)
{
	static const char *const names[] = { "sunday", "monday", "tuesday", "wednesday",
					     "thursday", "friday", "saturday" };

	for (int i = 0; i < 7; i++)
		if ((len == 3 || len == strlen(names[i])) &&
		    strncasecmp(word, names[i], len) == 0)
			return i;
	return -1;
}

/* "mon" or "fri-mon", as bits; 0: neither. */
static unsigned days_named(const char *word)
{
	size_t len = strcspn(word, "-");
	int first = day_named(word, len);
	int last = word[len] ? day_named(word + len + 1, strlen(word + len + 1)) : first;
	unsigned bits = 0;

	if (first < 0 || last < 0)
		return 0;
	for (int i = first;; i = (i + 1) % 7) {
		bits |= 1u << i;
		if (i == last)
			return bits;
	}
}

/* 1 to 5; -1: the last; 0: no such word. */
static int nth_named(const char *word)
{
	static const char *const names[][2] = { { "last", "last" }, { "1st", "first" },
		{ "2nd", "second" }, { "3rd", "third" }, { "4th", "fourth" }, { "5th", "fifth" } };

	for (int i = 0; i < 6; i++)
		if (strcasecmp(word, names[i][0]) == 0 || strcasecmp(word, names[i][1]) == 0)
			return i ? i : -1;
	return 0;
}

/* Digits only, exactly @p n of them. */
static bool digits(const char *s, size_t n)
{
	return strspn(s, "0123456789") >= n;
}

/* "YYYY-MM-DD", a day that there is. */
static bool date_parse(const char *s, size_t len, int64_t *day)
{
	struct tm tm = { 0 }, back = { 0 };
	time_t when;

	if (len != 10 || !digits(s, 4) || s[4] != '-' || !digits(s + 5, 2) || s[7] != '-' ||
	    !digits(s + 8, 2))
		return false;
	tm.tm_year = atoi(s) - 1900;
	tm.tm_mon = atoi(s + 5) - 1;
	tm.tm_mday = atoi(s + 8);
	back = tm;
	when = timegm(&back);
	*day = when / DAY;
	return tm.tm_year > 70 && back.tm_mon == tm.tm_mon && back.tm_mday == tm.tm_mday;
}

/* "HH:MM-HH:MM"; 24:00 is an end. */
static bool times_parse(const char *s, int *from, int *to)
{
	int h[2], m[2];

	if (strlen(s) != 11 || s[2] != ':' || s[5] != '-' || s[8] != ':')
		return false;
	for (int i = 0; i < 2; i++) {
		if (!digits(s + 6 * i, 2) || !digits(s + 6 * i + 3, 2))
			return false;
		h[i] = atoi(s + 6 * i);
		m[i] = atoi(s + 6 * i + 3);
	}
	*from = h[0] * 60 + m[0];
	*to = h[1] * 60 + m[1];
	return h[0] < 24 && m[0] < 60 && m[1] < 60 && *to <= 24 * 60 && *from != *to;
}

const char *cal_rule_parse(const char *text, struct cal_rule *out)
{
	char words[3][32] = { "", "", "" };
	char more = '\0';
	int n = sscanf(text, "%31s %31s %31s %c", words[0], words[1], words[2], &more);
	const char *day = words[n == 3];

	*out = (struct cal_rule){ 0 };
	if (n < 2 || n > 3)
		return "it is not written as days and times: \"sat 22:00-06:00\"";
	if (!times_parse(words[n - 1], &out->from, &out->to))
		return "its times are not two different ones such as 22:00-06:00";
	if (n == 3 && !(out->nth = nth_named(words[0])))
		return "it does not begin with 1st to 5th, first to fifth, or last";
	if (n == 2 && date_parse(day, strlen(day), &out->date))
		return NULL;
	if (n == 2 && strcasecmp(day, "daily") == 0)
		out->days = 0x7f;
	else
		out->days = days_named(day);
	return out->days ? NULL : "its day is no weekday (mon ... sun), range of them, daily, or date";
}

const char *cal_days_parse(const char *text, struct cal_days *out)
{
	const char *dots = strstr(text, "..");
	const char *last = dots ? dots + 2 : text;

	if (!date_parse(text, dots ? (size_t)(dots - text) : strlen(text), &out->first) ||
	    !date_parse(last, strlen(last), &out->last))
		return "it is no date such as 2026-12-24, and no range 2026-12-24..2027-01-02";
	return out->last < out->first ? "it ends before it begins" : NULL;
}

/* ---------------------------------------------------------------- time */

/* Offset of local time from UTC then, in seconds. */
static int64_t offset_at(int64_t when)
{
	time_t t = when;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	return tm.tm_gmtoff;
}

/* When the local clock shows this minute of this day; see calendar.h. */
static int64_t clock_shows(int64_t day, int minute)
{
	int64_t utc = day * DAY + minute * INT64_C(60);
	int64_t before = utc - offset_at(utc - DAY), after = utc - offset_at(utc + DAY);

	if (before + offset_at(before) == utc)
		return before;
	return after + offset_at(after) == utc ? after : before;
}

static bool matches(const struct cal_rule *r, int64_t day)
{
	time_t when = day * DAY, week = (day + 7) * DAY;
	struct tm tm = { 0 }, next = { 0 };

	if (!r->days)
		return day == r->date;
	gmtime_r(&when, &tm);
	gmtime_r(&week, &next);
	return (r->days >> tm.tm_wday & 1) &&
	       (!r->nth || (r->nth < 0 ? next.tm_mon != tm.tm_mon :
			    (tm.tm_mday - 1) / 7 + 1 == r->nth));
}

static bool excepted(const struct cal_days *except, size_t n, int64_t day)
{
	for (size_t i = 0; i < n; i++)
		if (day >= except[i].first && day <= except[i].last)
			return true;
	return false;
}

static size_t add(struct cal_span *out, size_t n, const struct cal_rule *r, int64_t day)
{
	out[n].begin = clock_shows(day, r->from);
	out[n].end = clock_shows(day + (r->to <= r->from), r->to);
	return n + (out[n].end > out[n].begin);
}

static int by_begin(const void *a, const void *b)
{
	const struct cal_span *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

size_t cal_openings(const struct cal_rule *rules, size_t n_rules,
		    const struct cal_days *except, size_t n_except, int64_t now,
		    struct cal_span *out)
{
	int64_t today = (now + offset_at(now)) / DAY;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < n_rules; i++) {
		const struct cal_rule *r = &rules[i];

		/* the one of yesterday may still be open */
		for (int64_t day = today - 1; day <= today + CALENDAR_DAYS; day++)
			if (matches(r, day) && !excepted(except, n_except, day))
				n = add(out, n, r, day);
		if (!r->days && r->date > today + CALENDAR_DAYS &&
		    !excepted(except, n_except, r->date))
			n = add(out, n, r, r->date);
	}
	qsort(out, n, sizeof(*out), by_begin);
	for (size_t i = 0; i < n; i++) {
		if (kept && out[i].begin <= out[kept - 1].end)
			out[kept - 1].end = out[i].end > out[kept - 1].end ? out[i].end :
					    out[kept - 1].end;
		else
			out[kept++] = out[i];
	}
	return kept;
}
