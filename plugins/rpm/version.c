/* SPDX-License-Identifier: MIT */
/* version - versions of rpm packages, rpm-version(7). */
#include "rpm.h"

#include <string.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool counts(char c)
{
	return digit(c) || letter(c) || c == '~' || c == '^';
}

/* A run of digits or letters at the start of [s, end). */
static size_t run(const char *s, const char *end, bool digits)
{
	size_t n = 0;

	while (s + n < end && (digits ? digit(s[n]) : letter(s[n])))
		n++;
	return n;
}

static int compare_digits(const char *a, size_t a_len, const char *b,
			  size_t b_len)
{
	while (a_len > 0 && *a == '0')
		a++, a_len--;
	while (b_len > 0 && *b == '0')
		b++, b_len--;
	return a_len != b_len ? (a_len > b_len ? 1 : -1) :
				memcmp(a, b, a_len);
}

/* '~' sorts before the end, '^' after it and before anything else. */
static int order(const char *s, const char *end)
{
	return s >= end ? 1 : *s == '~' ? 0 : *s == '^' ? 2 : 3;
}

static int compare_part(const char *a, const char *a_end, const char *b,
			const char *b_end)
{
	for (;;) {
		size_t x, y;
		bool digits;
		int sign;

		while (a < a_end && !counts(*a))
			a++;
		while (b < b_end && !counts(*b))
			b++;
		if (order(a, a_end) != order(b, b_end))
			return order(a, a_end) - order(b, b_end);
		if (a >= a_end)
			return 0;
		if (*a == '~' || *a == '^') {
			a++, b++;
			continue;
		}
		digits = digit(*a);
		x = run(a, a_end, digits);
		y = run(b, b_end, digits);
		if (y == 0) /* a number is newer than a word */
			return digits ? 1 : -1;
		sign = digits ? compare_digits(a, x, b, y) :
				memcmp(a, b, x < y ? x : y);
		if (sign == 0 && !digits && x != y)
			sign = x > y ? 1 : -1;
		if (sign != 0)
			return sign;
		a += x;
		b += y;
	}
}

/* The epoch's digits before a colon; *rest is what comes after. */
static size_t epoch(const char *s, const char **rest)
{
	size_t n = run(s, s + strlen(s), true);

	*rest = s[n] == ':' ? s + n + 1 : s;
	return s[n] == ':' ? n : 0;
}

int rpm_compare(const char *a, const char *b)
{
	const char *x = NULL, *y = NULL;
	size_t a_epoch = epoch(a, &x), b_epoch = epoch(b, &y);
	int sign = compare_digits(a, a_epoch, b, b_epoch);
	const char *a_end = strrchr(x, '-'), *b_end = strrchr(y, '-');

	if (sign == 0)
		sign = compare_part(x, a_end ? a_end : x + strlen(x), y,
				    b_end ? b_end : y + strlen(y));
	/* Who names no release means any. */
	if (sign != 0 || !a_end || !b_end)
		return sign;
	return compare_part(a_end, a_end + strlen(a_end), b_end,
			    b_end + strlen(b_end));
}
