/* SPDX-License-Identifier: MIT */
/* Numbers that a part of a version is, as patterns of what is equal to, less or
 * more than them.  As OpenSCAP has it, a version (the datatype) is fields of one
 * character and the digits behind it, with one between that is no digit; what is
 * no number, or not there, is 0. */
#include <string.h>

#include "oval.h"

enum { FIELDS_MAX = 6, DIGITS_MAX = 9 };

/* What ends a field, and what may follow it. */
#define END "[^0-9:-]"
#define REST "(" END "[^:-]*)?"
#define ZERO "([+]?0+|[^0-9+:-][0-9]*|[+])"

/* Fields without zeros in front; behind the last one only zeros follow. */
struct numbers {
	char fields[FIELDS_MAX][DIGITS_MAX + 1];
	unsigned n;
};

static void put(struct rows *out, const char *s)
{
	oval_append(out, s, strlen(s));
}

/* Or what starts like @p digits, has then one from @p from to @p to, and is as long. */
static void put_range(struct rows *out, const char *digits, size_t same, char from, char to)
{
	const char range[] = { '[', from, '-', to, ']', '\0' };

	put(out, "|");
	oval_append(out, digits, same);
	put(out, range);
	for (size_t i = same + 1; i < strlen(digits); i++)
		put(out, "[0-9]");
}

static void put_less(struct rows *out, const char *digits)
{
	size_t n = strlen(digits);

	put(out, "0*(0");
	put(out, n > 1 ? "|[1-9]" : "");
	for (size_t i = 2; i < n; i++)
		put(out, "[0-9]?");
	for (size_t i = 0; i < n; i++)
		if (digits[i] > (i ? '0' : '1'))
			put_range(out, digits, i, i ? '0' : '1', (char)(digits[i] - 1));
	put(out, ")");
}

static void put_more(struct rows *out, const char *digits)
{
	size_t n = strlen(digits);

	put(out, "0*([1-9]");
	for (size_t i = 0; i < n; i++)
		put(out, "[0-9]");
	put(out, "[0-9]*");
	for (size_t i = 0; i < n; i++)
		if (digits[i] < '9')
			put_range(out, digits, i, (char)(digits[i] + 1), '9');
	put(out, ")");
}

static void put_equal(struct rows *out, const char *digits)
{
	put(out, *digits ? "0*" : "0+");
	put(out, digits);
}

static void put_field(struct rows *out, const char *digits)
{
	put(out, *digits ? "[+]?0*" : ZERO);
	put(out, digits);
}

/* What is not there is less, but for the end of all fields. */
static void put_less_fields(struct rows *out, const struct numbers *v, unsigned i)
{
	put(out, "(");
	if (*v->fields[i]) {
		put(out, "(" ZERO "|[+]?");
		put_less(out, v->fields[i]);
		put(out, ")" REST);
	}
	if (i + 1 < v->n) {
		put(out, *v->fields[i] ? "|" : "");
		put_field(out, v->fields[i]);
		put(out, "(" END);
		put_less_fields(out, v, i + 1);
		put(out, ")?");
	}
	put(out, ")?");
}

static void put_more_fields(struct rows *out, const struct numbers *v, unsigned i)
{
	if (i == v->n) {
		put(out, "(" ZERO END ")*[+]?");
		put_more(out, "");
		put(out, REST);
		return;
	}
	put(out, "([+]?");
	put_more(out, v->fields[i]);
	put(out, REST "|");
	put_field(out, v->fields[i]);
	put(out, END);
	put_more_fields(out, v, i + 1);
	put(out, ")");
}

static void put_equal_fields(struct rows *out, const struct numbers *v)
{
	for (unsigned i = 0; i < v->n; i++) {
		put(out, i ? END : "");
		put_field(out, v->fields[i]);
	}
	put(out, v->n ? "(" END "(" ZERO END ")*" ZERO "?)?" : "(" ZERO END ")*" ZERO "?");
}

/* false: more of them, or larger ones, than are compared. */
static bool numbers_of(const char *s, struct numbers *v)
{
	*v = (struct numbers){0};
	for (unsigned i = 0; *s; i++) {
		const char *digits = s + (*s == '+');
		size_t zeros = strspn(digits, "0"), n = strspn(digits + zeros, "0123456789");

		if (i == FIELDS_MAX || n > DIGITS_MAX || strchr("- \t\r\n", *s))
			return false;
		memcpy(v->fields[i], digits + zeros, n);
		v->n = n ? i + 1 : v->n;
		s++;
		s += strspn(s, "0123456789");
		s += *s != '\0';
	}
	return true;
}

/* Where a server has no such part at all. */
static const char *absent(unsigned operation, enum part part, bool zero)
{
	bool found = operation == EQUALS ? zero : operation == LESS && !zero;

	return !found ? "" : part == EPOCH_OR_0 ? "^[^:]*$|" : part == RELEASE_PART ? "^[^-]*$|" : "";
}

const char *oval_number(struct rows *out, unsigned operation, const char *value, enum part part,
			enum datatype datatype)
{
	bool whole = datatype == INTEGER;
	struct numbers v;

	if (part == WHOLE || (!whole && part >= EPOCH_PART) || !numbers_of(value, &v) ||
	    (whole && (!*value || value[strspn(value, "0123456789")])))
		return NULL;
	out->len = 0;
	put(out, whole && part == RELEASE_PART ? "" : absent(operation, part, !v.n));
	put(out, oval_before(part));
	put(out, "(");
	if (operation == LESS && !v.n)
		put(out, ":"); /* nothing is less than 0 */
	else if (operation == LESS)
		whole ? put_less(out, v.fields[0]) : put_less_fields(out, &v, 0);
	else if (operation == GREATER)
		whole ? put_more(out, v.fields[0]) : put_more_fields(out, &v, 0);
	else
		whole ? put_equal(out, v.fields[0]) : put_equal_fields(out, &v);
	put(out, ")");
	put(out, oval_behind(part));
	return oval_finished(out);
}
