/* SPDX-License-Identifier: MIT */
/* Reading and writing numbers, sizes, durations and dates. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

bool pd_parse_int(const char *s, int64_t *out)
{
	char *end = NULL;
	long long n;

	if (!isdigit((unsigned char)*s) && !(*s == '-' && isdigit((unsigned char)s[1])))
		return false;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end)
		return false;
	*out = n;
	return true;
}

/* A number at *s, without sign; *s moves behind it. */
static bool digits(const char **s, int64_t *out)
{
	char *end = NULL;

	if (!isdigit((unsigned char)**s))
		return false;
	errno = 0;
	*out = strtoll(*s, &end, 10);
	*s = end;
	return errno == 0;
}

bool pd_parse_bytes(const char *s, int64_t *out)
{
	static const char units[] = "kmgtp";
	const char *unit;
	int64_t n, base = 1024;

	if (!digits(&s, &n))
		return false;
	while (*s == ' ')
		s++;
	if (*s && strcmp(s, "B") != 0) {
		unit = strchr(units, tolower((unsigned char)*s));
		if (!unit)
			return false;
		if (strcmp(s + 1, "B") == 0)
			base = 1000;
		else if (s[1] && strcmp(s + 1, "iB") != 0)
			return false;
		for (ptrdiff_t i = 0; i <= unit - units; i++)
			if (__builtin_mul_overflow(n, base, &n))
				return false;
	}
	*out = n;
	return true;
}

bool pd_parse_seconds(const char *s, int64_t *out)
{
	int64_t n, total = 0;

	if (!*s)
		return false;
	while (*s) {
		int64_t unit = 1;

		if (!digits(&s, &n))
			return false;
		switch (*s) {
		case 'd': unit = 86400; break;
		case 'h': unit = 3600; break;
		case 'm': unit = 60; break;
		case 's': case '\0': break;
		default: return false;
		}
		if (*s)
			s++;
		if (__builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(total, n, &total))
			return false;
		while (*s == ' ')
			s++;
	}
	*out = total;
	return true;
}

bool pd_parse_bool(const char *s, bool *out)
{
	static const char *const words[] = { "false", "no", "0", "true", "yes", "1" };

	for (size_t i = 0; i < 6; i++)
		if (strcmp(s, words[i]) == 0) {
			*out = i >= 3;
			return true;
		}
	return false;
}

bool pd_parse_time(const char *s, int64_t *out)
{
	struct tm tm = {0};
	int hours = 0, minutes = 0;
	char sign = '+', extra = '\0';
	const char *rest = strptime(s, "%Y-%m-%d", &tm);

	if (!rest)
		return false;
	if (*rest) {
		rest = strptime(rest + 1, "%H:%M:%S", &tm);
		if (!rest)
			return false;
		if (*rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (strcmp(rest, "Z") != 0 &&
		    (sscanf(rest, "%c%2d:%2d%c", &sign, &hours, &minutes, &extra) != 3 ||
		     (sign != '+' && sign != '-')))
			return false;
	}
	*out = timegm(&tm) - (sign == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60);
	return true;
}

char *pd_show_seconds(int64_t s)
{
	if (s >= 3600)
		return pd_print("%" PRId64 "h %02dm", s / 3600, (int)(s % 3600 / 60));
	if (s >= 60)
		return pd_print("%dm %02ds", (int)(s / 60), (int)(s % 60));
	return pd_print("%" PRId64 "s", s);
}

char *pd_show_time(int64_t when)
{
	char text[40] = "";
	struct tm tm = {0};
	time_t t = (time_t)when;

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return pd_print("%" PRId64, when);
	return pd_strdup(text);
}

bool pd_utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

	while (p < end) {
		uint64_t eight = 0;
		uint32_t c;
		int more;

		if (end - p >= 8)
			memcpy(&eight, p, sizeof(eight));
		if (end - p >= 8 && !(eight & 0x8080808080808080u)) { /* of ASCII */
			p += 8;
			continue;
		}
		c = *p++;
		more = c < 0x80 ? 0 : c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 :
			   c >> 3 == 30 ? 3 : -1;

		if (more < 0 || more > end - p)
			return false;
		c &= more ? 0x3fu >> more : 0x7fu;
		for (int i = 0; i < more; i++, p++) {
			if (*p >> 6 != 2)
				return false;
			c = c << 6 | (*p & 0x3fu);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

char *pd_utf8_text(const char *s)
{
	pd_auto(pd_buffer) b = {0};

	if (pd_utf8_valid(s, strlen(s)))
		return pd_strdup(s);
	for (; *s; s++)
		pd_buffer_print(&b, (*s & 0x80) ? "\\x%02x" : "%c", (unsigned char)*s);
	return pd_buffer_take(&b);
}

bool pd_is_name(const char *s)
{
	return s && *s >= 'a' && *s <= 'z' &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Damerau-Levenshtein distance of words up to 63 bytes; longer: far. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t rows[3][64];

	if (la > 63 || lb > 62)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *up = rows[(i + 2) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    rows[(i + 1) % 3][j - 2] + 1 < best)
				best = rows[(i + 1) % 3][j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *pd_nearest(const char *word, const char *const *words, size_t n)
{
	size_t best = strlen(word) / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, words[i]);

		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
