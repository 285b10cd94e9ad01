/* SPDX-License-Identifier: MIT */
/* Which release is newer, as doc/version-schemes.md says and the core's rules compare:
 * a plugin can't ask the core for it. */
#include <ctype.h>
#include <stdlib.h>

#include "lvfs.h"

/* How many bits of a number, from the highest on, each part has; what is added to the
 * first one. */
static const struct format {
	const char *name;
	unsigned scheme, skip, bits[4], add;
} formats[] = {
	{ "number", PD_SCHEME_NUMBER, 0, { 0 }, 0 }, { "hex", PD_SCHEME_HEX, 0, { 0 }, 0 },
	{ "pair", PD_SCHEME_PAIR, 0, { 16, 16 }, 0 }, { "triplet", PD_SCHEME_TRIPLET, 0, { 8, 8, 16 }, 0 },
	{ "quad", PD_SCHEME_QUAD, 0, { 8, 8, 8, 8 }, 0 }, { "bcd", PD_SCHEME_BCD, 0, { 8, 8, 8, 8 }, 0 },
	{ "intel-me", PD_SCHEME_INTEL_ME, 0, { 3, 5, 8, 16 }, 11 },
	{ "intel-me2", PD_SCHEME_INTEL_ME2, 0, { 4, 4, 8, 16 }, 0 },
	{ "intel-csme19", PD_SCHEME_INTEL_CSME19, 0, { 3, 5, 8, 16 }, 19 },
	{ "surface-legacy", PD_SCHEME_SURFACE_LEGACY, 0, { 10, 12, 10 }, 0 },
	{ "surface", PD_SCHEME_SURFACE, 0, { 8, 16, 8 }, 0 },
	{ "dell-bios", PD_SCHEME_DELL_BIOS, 8, { 8, 8, 8 }, 0 },
	{ "dell-bios-msb", PD_SCHEME_DELL_BIOS_MSB, 0, { 8, 8, 8 }, 0 } };

static const struct format *format_of(const struct component *c)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(c->format, formats[i].name) == 0)
			return &formats[i];
	return NULL;
}

unsigned lvfs_scheme(const struct component *c)
{
	const struct format *f = format_of(c);

	return f ? f->scheme : PD_SCHEME_FWUPD;
}

const char *lvfs_dotted(struct reader *r, const struct component *c, const char *version)
{
	const struct format *f = format_of(c);
	bool hex = strncmp(version, "0x", 2) == 0;
	const char *text = "";
	unsigned left = 32;
	char *end = NULL;
	unsigned long long n;

	if (!isdigit((unsigned char)*version) || (!hex && (!f || !*f->bits)))
		return version;
	n = strtoull(version, &end, hex ? 16 : 10);
	if (*end || n > UINT32_MAX)
		return version;
	if (!f || !*f->bits)
		return pd_format(r->path.ctx, "%llu", n);
	left -= f->skip;
	for (int i = 0; i < 4 && f->bits[i]; i++) {
		unsigned part = (unsigned)(n >> (left -= f->bits[i])) & ((1u << f->bits[i]) - 1);

		if (f->scheme == PD_SCHEME_BCD)
			part = (part >> 4) * 10 + (part & 15);
		text = pd_format(r->path.ctx, "%s%s%u", text, i ? "." : "", i ? part : part + f->add);
	}
	return text;
}

/* Runs of digits by value; both move behind theirs. */
static int by_value(const char **a, const char **b)
{
	size_t x, y;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	x = strspn(*a, "0123456789");
	y = strspn(*b, "0123456789");
	order = x != y ? (x > y) - (x < y) : memcmp(*a, *b, x);
	*a += x;
	*b += y;
	return order;
}

/* By their characters up to the next dot: the end comes before all of them but "~". */
static int by_letter(const char **a, const char **b)
{
	for (;; ++*a, ++*b) {
		char x = **a == '.' ? '\0' : **a, y = **b == '.' ? '\0' : **b;

		if (x != y)
			return x == '~' ? -1 : y == '~' ? 1 : x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

int lvfs_order(const char *a, const char *b)
{
	for (;; a++, b++) {
		int order = by_value(&a, &b);

		order = order ? order : by_letter(&a, &b);
		if (order || !*a || !*b) /* one of them has more parts */
			return order ? order : (*a != '\0') - (*b != '\0');
	}
}
