/* SPDX-License-Identifier: MIT */
/* Patterns of OVAL, which are PCRE, as POSIX ones; what has no equal there is
 * none.  To find is to find: lazy or greedy is the same. */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "oval.h"

enum { PATTERN_MAX = 900, REPEATS_MAX = 255 };

#define DIGIT "0-9"
#define WORD "A-Za-z0-9_"
#define SPACE " \t\r\n\f\v"

struct pattern {
	struct rows *out;
	const char *at;
	enum part part;
	unsigned depth; /* of groups */
	bool item;      /* something stands there that can be repeated */
	bool repeats, anchored_start, anchored_end, branches;
};

static void put(struct pattern *p, const char *s)
{
	oval_append(p->out, s, strlen(s));
}

static void put_char(struct pattern *p, char c)
{
	if (strchr(".[]\\()*+?{}^$|", c))
		put(p, "\\");
	oval_append(p->out, &c, 1);
}

/* What ends the part of a version must not be found by "not this". */
static const char *outside(const struct pattern *p)
{
	return p->part == VERSION_PART ? ":-" : p->part == RELEASE_PART ? "-" : "";
}

static void put_not(struct pattern *p, const char *set)
{
	put(p, "[^");
	put(p, set);
	put(p, outside(p));
	put(p, "]");
}

/* "-" and ":" separate the parts of a version, and stand in none. */
static bool plain(struct pattern *p, char c)
{
	if (p->part != WHOLE && strchr(outside(p), c))
		return false;
	put_char(p, c);
	return p->item = true;
}

static bool escape(struct pattern *p)
{
	static const struct { char letter; const char *set; } sets[] = {
		{ 'd', DIGIT }, { 'w', WORD }, { 's', SPACE } };
	char c = *p->at++;

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		if (c == sets[i].letter) {
			put(p, "[");
			put(p, sets[i].set);
			put(p, "]");
			return p->item = true;
		}
		if (c == toupper(sets[i].letter)) {
			put_not(p, sets[i].set);
			return p->item = true;
		}
	}
	if (c == 'b') { /* what separates parts is in no word */
		put(p, "\\b");
		p->item = false;
		return true;
	}
	return c > ' ' && !isalnum((unsigned char)c) && plain(p, c);
}

/* One character or range of a bracket expression. */
static bool bracket_item(struct pattern *p, bool *dash)
{
	char c = *p->at++, next = *p->at;

	if (c == '[' && next == ':') {
		const char *end = strstr(p->at, ":]");

		if (!end)
			return false;
		oval_append(p->out, p->at - 1, (size_t)(end + 2 - (p->at - 1)));
		p->at = end + 2;
		return true;
	}
	if (c == '\\') {
		p->at++;
		if (strchr("dws", next) && next) {
			put(p, next == 'd' ? DIGIT : next == 'w' ? WORD : SPACE);
			return true;
		}
		if (next == '-')
			return *dash = true;
		c = next;
		if (!c || isalnum((unsigned char)c))
			return false;
	}
	if (!c || strchr("[]^\\{", c))
		return false;
	oval_append(p->out, &c, 1);
	return true;
}

static bool bracket(struct pattern *p)
{
	bool negated = *p->at == '^', dash = false;

	p->at += negated;
	if (*p->at == ']')
		return false;
	put(p, negated ? "[^" : "[");
	if (negated)
		put(p, p->part == VERSION_PART ? ":" : "");
	while (*p->at && *p->at != ']')
		if (!bracket_item(p, &dash))
			return false;
	if (dash || (negated && p->part != WHOLE))
		put(p, "-");
	put(p, "]");
	return *p->at++ == ']' && (p->item = true);
}

/* {n} {n,} {n,m} */
static bool repeat(struct pattern *p)
{
	const char *s = p->at;
	char *end;
	long n = strtol(s, &end, 10);

	if (p->repeats || !isdigit((unsigned char)*s) || n > REPEATS_MAX)
		return false;
	if (*end == ',' && isdigit((unsigned char)end[1]))
		n = strtol(end + 1, &end, 10);
	else if (*end == ',')
		end++;
	if (*end != '}' || n > REPEATS_MAX)
		return false;
	oval_append(p->out, s - 1, (size_t)(end + 1 - (s - 1)));
	p->at = end + 1;
	return p->repeats = true;
}

static bool quantifier(struct pattern *p, char c)
{
	if (!p->item)
		return false;
	p->item = false;
	if (c == '{' && !repeat(p))
		return false;
	if (c != '{')
		oval_append(p->out, &c, 1);
	if (*p->at == '?') /* lazy */
		p->at++;
	return *p->at != '+';
}

static bool open_group(struct pattern *p)
{
	p->depth++;
	p->item = false;
	put(p, "(");
	if (p->at[0] != '?' && p->at[0] != '*')
		return true;
	p->at += 2;
	return p->at[-2] == '?' && p->at[-1] == ':';
}

static bool anchor(struct pattern *p, char c, bool first)
{
	p->item = false;
	if (p->part == WHOLE)
		oval_append(p->out, &c, 1);
	else if (c == '^' && first)
		p->anchored_start = true;
	else if (c == '$' && !*p->at)
		p->anchored_end = true;
	else
		return false;
	return true;
}

static bool next(struct pattern *p, const char *start)
{
	char c = *p->at++;

	switch (c) {
	case '\\': return escape(p);
	case '[': return bracket(p);
	case '(': return open_group(p);
	case '*': case '+': case '?': case '{': return quantifier(p, c);
	case '^': case '$': return anchor(p, c, p->at == start + 1);
	case '.':
		if (p->part == WHOLE)
			put(p, ".");
		else
			put_not(p, "");
		return p->item = true;
	case ')':
		put(p, ")");
		return p->depth-- && (p->item = true);
	case '|':
		p->branches |= !p->depth;
		p->item = false;
		put(p, "|");
		return true;
	default: return plain(p, c);
	}
}

const char *oval_finished(struct rows *out)
{
	regex_t re;

	oval_append(out, "", 1);
	if (out->len > PATTERN_MAX || regcomp(&re, out->data, REG_EXTENDED | REG_NOSUB))
		return NULL;
	regfree(&re);
	return out->data;
}

const char *oval_before(enum part part)
{
	return part == VERSION_PART ? "^([0-9]+:)?" : part == RELEASE_PART ? "-" :
	       part == WHOLE ? "" : "^";
}

const char *oval_behind(enum part part)
{
	return part == VERSION_PART ? "(-[^-]*)?$" : part == RELEASE_PART ? "$" :
	       part == WHOLE ? "" : ":";
}

const char *oval_pattern(struct rows *out, const char *pattern, enum part part)
{
	struct pattern p = { .out = out, .at = pattern, .part = part };
	const char *others = part == VERSION_PART ? "[^:-]*" : "[^-]*";

	out->len = 0;
	put(&p, oval_before(part));
	if (part != WHOLE && *pattern != '^')
		put(&p, others);
	put(&p, part == WHOLE ? "" : "(");
	while (*p.at)
		if (!next(&p, pattern))
			return NULL;
	if (p.depth || (part != WHOLE && p.branches && (p.anchored_start || p.anchored_end)))
		return NULL;
	put(&p, part == WHOLE ? "" : ")");
	if (part != WHOLE && !p.anchored_end)
		put(&p, others);
	put(&p, oval_behind(part));
	return oval_finished(out);
}

const char *oval_literal(struct rows *out, const char *text, enum part part, bool any_case)
{
	struct pattern p = { .out = out, .part = part };

	out->len = 0;
	put(&p, part == WHOLE ? "^" : oval_before(part));
	for (; *text; text++) {
		const char either[] = { '[', (char)toupper((unsigned char)*text),
					(char)tolower((unsigned char)*text), ']', '\0' };

		if (any_case && isalpha((unsigned char)*text))
			put(&p, either);
		else
			put_char(&p, *text);
	}
	put(&p, part == WHOLE ? "$" : oval_behind(part));
	return oval_finished(out);
}
