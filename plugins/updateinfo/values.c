/* SPDX-License-Identifier: MIT */
/* The words and dates of updateinfo.xml: each distribution has its own. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "updateinfo.h"

struct word {
	const char *text;
	unsigned value;
};

static unsigned value_of(const struct word *words, const char *text, unsigned otherwise)
{
	for (; words->text; words++)
		if (strcasecmp(words->text, text) == 0)
			return words->value;
	return otherwise;
}

unsigned updateinfo_class(const char *type)
{
	static const struct word words[] = {
		{ "security", PD_CLASS_SECURITY }, { "bugfix", PD_CLASS_BUGFIX },
		{ "recommended", PD_CLASS_BUGFIX }, { "enhancement", PD_CLASS_ENHANCEMENT },
		{ "optional", PD_CLASS_ENHANCEMENT }, { "feature", PD_CLASS_ENHANCEMENT },
		{ "newpackage", PD_CLASS_NEWPACKAGE }, { NULL, 0 } };

	return value_of(words, type, PD_CLASS_OTHER);
}

unsigned updateinfo_severity(const char *text)
{
	static const struct word words[] = {
		{ "critical", PD_SEVERITY_CRITICAL }, { "important", PD_SEVERITY_IMPORTANT },
		{ "high", PD_SEVERITY_IMPORTANT }, { "moderate", PD_SEVERITY_MODERATE },
		{ "medium", PD_SEVERITY_MODERATE }, { "low", PD_SEVERITY_LOW },
		{ "none", PD_SEVERITY_NONE }, { NULL, 0 } };

	return value_of(words, text, PD_SEVERITY_UNKNOWN);
}

unsigned updateinfo_status(const char *text)
{
	static const struct word words[] = {
		{ "testing", PD_STATUS_TESTING }, { "pending", PD_STATUS_TESTING },
		{ "retracted", PD_STATUS_RETIRED }, { NULL, 0 } };

	return value_of(words, text, PD_STATUS_FINAL);
}

/* The next @n digits as a number; -1: there are less. */
static int number(const char **s, int n)
{
	int value = 0;

	for (; n; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return -1;
		value = 10 * value + **s - '0';
	}
	return value;
}

static bool follows(const char **s, char c)
{
	return **s == c && (++*s, true);
}

/* Of the Gregorian calendar, since 1970. */
static int64_t days(int year, int month, int day)
{
	int64_t y = year - (month < 3); /* it starts with March */
	int64_t of_year = (153 * (month + (month < 3 ? 9 : -3)) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

/* UTC in any of its names, nothing, or an offset; in seconds. */
static bool zone_of(const char *s, int64_t *offset)
{
	bool behind;
	int hours, minutes;

	s += strspn(s, " ");
	if (!*s || strcmp(s, "Z") == 0 || strcmp(s, "UTC") == 0 || strcmp(s, "GMT") == 0)
		return true;
	behind = *s == '-';
	if (!follows(&s, '+') && !follows(&s, '-'))
		return false;
	hours = number(&s, 2);
	follows(&s, ':');
	minutes = *s ? number(&s, 2) : 0;
	*offset = (behind ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60);
	return hours >= 0 && minutes >= 0 && !*s;
}

/* Hours and minutes, seconds and their fraction or not, and a zone. */
static bool clock_of(const char *s, int64_t *seconds)
{
	int64_t offset = 0;
	int hour = number(&s, 2), minute, second = 0;

	if (hour < 0 || !follows(&s, ':'))
		return false;
	minute = number(&s, 2);
	if (follows(&s, ':'))
		second = number(&s, 2);
	if (follows(&s, '.'))
		s += strspn(s, "0123456789");
	if (hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
	    !zone_of(s, &offset))
		return false;
	*seconds = hour * INT64_C(3600) + minute * 60 + second - offset;
	return true;
}

bool updateinfo_time(const char *s, int64_t *out)
{
	size_t digits;
	bool dashes;
	int year, month, day;
	int64_t clock = 0;

	s += strspn(s, " \t\r\n");
	digits = strspn(s, "0123456789");
	if (digits && digits < 12 && digits != 8 && !s[digits]) { /* 20180111 is a day */
		*out = strtoll(s, NULL, 10);
		return true;
	}
	year = number(&s, 4);
	dashes = follows(&s, '-');
	month = number(&s, 2);
	if (dashes != follows(&s, '-'))
		return false;
	day = number(&s, 2);
	if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	if (*s && ((!follows(&s, ' ') && !follows(&s, 'T')) || !clock_of(s, &clock)))
		return false;
	*out = days(year, month, day) * 86400 + clock;
	return true;
}

bool updateinfo_root(const unsigned char *head, size_t len, const char *name)
{
	static char text[65536]; /* as much as may be given */
	size_t n = 0, size = strlen(name);
	const char *s = text, *end;

	for (size_t i = 0; i < len && n < sizeof(text) - 1; i++)
		if (head[i] && head[i] < 0x80) /* of UTF-16 half, and no mark */
			text[n++] = (char)head[i];
	text[n] = '\0';
	for (;;) {
		s += strspn(s, " \t\r\n");
		if (strncmp(s, "<?", 2) == 0)
			end = strstr(s, "?>");
		else if (strncmp(s, "<!--", 4) == 0)
			end = strstr(s, "-->");
		else
			break;
		if (!end)
			return false;
		s = end + (s[1] == '?' ? 2 : 3);
	}
	if (*s++ != '<')
		return false;
	end = s + strcspn(s, " \t\r\n/>");
	if ((size_t)(end - s) > size && end[-(ptrdiff_t)size - 1] == ':') /* a prefix */
		s = end - size;
	return (size_t)(end - s) == size && memcmp(s, name, size) == 0;
}
