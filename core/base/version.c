/* SPDX-License-Identifier: MIT */
/* Comparing versions as Debian, rpm and Windows do; others are beside. */
#include "base/version.h"

#include <ctype.h>
#include <limits.h>

const char *const pd_schemes[PD_SCHEME_LAST + 2] = {
	"none", "deb", "rpm", "alpine", "windows", "plain", "fwupd", "number", "hex", "pair",
	"triplet", "quad", "bcd", "intel-me", "intel-me2", "intel-csme19", "surface-legacy",
	"surface", "dell-bios", "dell-bios-msb", "text", NULL
};

enum pd_scheme pd_scheme_of(const char *name)
{
	unsigned i = PD_SCHEME_LAST;

	while (i && strcmp(pd_schemes[i], name) != 0)
		i--;
	return (enum pd_scheme)i;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alpha(char c) { return isalpha((unsigned char)c) && (signed char)c > 0; }
static int sign(int n) { return (n > 0) - (n < 0); }

/* Runs of digits of any length, by value; both move behind theirs. */
int pd_version_digits(const char **a, const char **b)
{
	size_t la, lb;
	int order;

	while (**a == '0')
		++*a;
	while (**b == '0')
		++*b;
	for (la = 0; is_digit((*a)[la]);)
		la++;
	for (lb = 0; is_digit((*b)[lb]);)
		lb++;
	order = la != lb ? (la > lb ? 1 : -1) : sign(memcmp(*a, *b, la));
	*a += la;
	*b += lb;
	return order;
}

/* Debian: "~" before the end, the end before letters, these before the rest. */
static int deb_weight(char c)
{
	return c == '~' ? -1 : !c || is_digit(c) ? 0 : is_alpha(c) ? c :
	       (unsigned char)c + 256;
}

static int deb_part(const char *a, const char *b)
{
	while (*a || *b) {
		int order;

		while ((*a && !is_digit(*a)) || (*b && !is_digit(*b))) {
			order = deb_weight(*a) - deb_weight(*b);
			if (order)
				return sign(order);
			a += *a && !is_digit(*a);
			b += *b && !is_digit(*b);
		}
		order = pd_version_digits(&a, &b);
		if (order)
			return order;
	}
	return 0;
}

/* rpm: separators only separate; "~" before the end, "^" after it; numbers
 * are newer than words. */
static int rpm_part(const char *a, const char *b)
{
	for (;;) {
		size_t la = 0, lb = 0;
		int order;

		while (*a && !is_digit(*a) && !is_alpha(*a) && *a != '~' && *a != '^')
			a++;
		while (*b && !is_digit(*b) && !is_alpha(*b) && *b != '~' && *b != '^')
			b++;
		if (*a == '~' || *b == '~') {
			if (*a != *b)
				return *a == '~' ? -1 : 1;
			a++, b++;
			continue;
		}
		if (*a == '^' || *b == '^') {
			if (*a != *b)
				return *a == '^' ? (*b ? -1 : 1) : (*a ? 1 : -1);
			a++, b++;
			continue;
		}
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');
		if (is_digit(*a) != is_digit(*b))
			return is_digit(*a) ? 1 : -1;
		if (is_digit(*a)) {
			order = pd_version_digits(&a, &b);
		} else {
			while (is_alpha(a[la]))
				la++;
			while (is_alpha(b[lb]))
				lb++;
			order = sign(memcmp(a, b, la < lb ? la : lb));
			if (!order)
				order = (la > lb) - (la < lb);
			a += la, b += lb;
		}
		if (order)
			return order;
	}
}

/* [epoch:]version[-release] in its three parts. */
struct parts {
	char *text;
	const char *epoch, *version, *release; /* release NULL: none */
};

static struct parts split(const char *s)
{
	struct parts p = { .text = pd_strdup(s), .epoch = "" };
	char *colon = p.text + strspn(p.text, "0123456789");
	char *dash = strrchr(p.text, '-');

	p.version = p.text;
	if (*colon == ':') {
		*colon = '\0';
		p.epoch = p.text;
		p.version = colon + 1;
	}
	if (dash && dash >= p.version) {
		*dash = '\0';
		p.release = dash + 1;
	}
	return p;
}

static int full(enum pd_scheme scheme, const char *a, const char *b)
{
	int (*part)(const char *, const char *) = scheme == PD_SCHEME_DEB ? deb_part : rpm_part;
	struct parts x = split(a), y = split(b);
	const char *ex = x.epoch, *ey = y.epoch;
	int order = pd_version_digits(&ex, &ey);

	if (!order)
		order = part(x.version, y.version);
	/* to rpm no release is older than any, also than "~1" */
	if (!order && scheme == PD_SCHEME_RPM && !x.release != !y.release)
		order = x.release ? 1 : -1;
	else if (!order)
		order = part(x.release ? x.release : "", y.release ? y.release : "");
	free(x.text);
	free(y.text);
	return order;
}

static int windows(const char *a, const char *b)
{
	int order = 0;

	while (!order && (*a || *b)) {
		order = pd_version_digits(&a, &b);
		a += *a == '.';
		b += *b == '.';
	}
	return order;
}

/* What dpkg refuses: an epoch that is none, or a part that is empty. */
static bool deb_allowed(const char *s)
{
	const char *colon = strchr(s, ':'), *dash = strrchr(s, '-');
	const char *version = colon ? colon + 1 : s;

	if (colon && (colon == s || strspn(s, "0123456789") != (size_t)(colon - s) ||
		      strtol(s, NULL, 10) > INT_MAX))
		return false;
	return *version && (!dash || dash < version || (dash > version && dash[1]));
}

/* One to four numbers. */
static bool windows_allowed(const char *s)
{
	for (int part = 0; part < 4 && is_digit(*s); part++, s++) {
		s += strspn(s, "0123456789");
		if (*s != '.')
			return !*s;
	}
	return false;
}

static bool allowed(enum pd_scheme scheme, const char *s)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c <= ' ')
			return false;
	return *s && (scheme == PD_SCHEME_WINDOWS ? windows_allowed(s) :
		      scheme == PD_SCHEME_ALPINE ? pd_version_alpine_allowed(s) :
		      scheme != PD_SCHEME_DEB || deb_allowed(s));
}

bool pd_version_compare(enum pd_scheme scheme, const char *a, const char *b,
			int *out, struct pd_error **err)
{
	if (scheme == PD_SCHEME_NONE || scheme > PD_SCHEME_LAST)
		return pd_error_set(err, "catalog-version", "versions without a scheme can't be "
				    "compared");
	if (!allowed(scheme, a) || !allowed(scheme, b))
		return pd_error_set(err, "catalog-version", "\"%s\" is no version "
				    "of the scheme %s", allowed(scheme, a) ? b : a,
				    pd_schemes[scheme]);
	if (scheme == PD_SCHEME_DEB || scheme == PD_SCHEME_RPM)
		*out = full(scheme, a, b);
	else if (scheme == PD_SCHEME_ALPINE)
		*out = pd_version_alpine(a, b);
	else if (scheme == PD_SCHEME_WINDOWS)
		*out = windows(a, b);
	else if (scheme == PD_SCHEME_TEXT)
		*out = sign(strcmp(a, b));
	else
		*out = scheme == PD_SCHEME_PLAIN ? deb_part(a, b) : pd_version_firmware(scheme, a, b);
	return true;
}
