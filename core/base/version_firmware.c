/* SPDX-License-Identifier: MIT */
/* Comparing versions of firmware as fwupd does. */
#include "base/version.h"

#include <ctype.h>
#include <stdio.h>

enum { DOTTED = 64 };

/* How many bits of a number, from the highest on, each part has; what is added
 * to the first one. */
static const struct form { uint8_t skip, bits[4], add; } forms[] = {
	[PD_SCHEME_PAIR] = { 0, { 16, 16 }, 0 },
	[PD_SCHEME_TRIPLET] = { 0, { 8, 8, 16 }, 0 },
	[PD_SCHEME_QUAD] = { 0, { 8, 8, 8, 8 }, 0 },
	[PD_SCHEME_BCD] = { 0, { 8, 8, 8, 8 }, 0 },
	[PD_SCHEME_INTEL_ME] = { 0, { 3, 5, 8, 16 }, 11 },
	[PD_SCHEME_INTEL_ME2] = { 0, { 4, 4, 8, 16 }, 0 },
	[PD_SCHEME_INTEL_CSME19] = { 0, { 3, 5, 8, 16 }, 19 },
	[PD_SCHEME_SURFACE_LEGACY] = { 0, { 10, 12, 10 }, 0 },
	[PD_SCHEME_SURFACE] = { 0, { 8, 16, 8 }, 0 },
	[PD_SCHEME_DELL_BIOS] = { 8, { 8, 8, 8 }, 0 },
	[PD_SCHEME_DELL_BIOS_MSB] = { 0, { 8, 8, 8 }, 0 },
};

/* A number in place of what has dots, as a device or an old catalog tells it:
 * that of the scheme.  Other texts are what they are. */
static const char *dotted(unsigned scheme, const char *s, char out[DOTTED])
{
	bool hex = strncmp(s, "0x", 2) == 0;
	size_t form = scheme < sizeof(forms) / sizeof(*forms) ? scheme : 0, len = 0;
	unsigned long long n;
	unsigned left = 32;
	char *end = NULL;

	if (!isdigit((unsigned char)*s) || (!hex && !*forms[form].bits))
		return s;
	n = strtoull(s, &end, hex ? 16 : 10);
	if (*end || n > UINT32_MAX)
		return s;
	if (!*forms[form].bits)
		snprintf(out, DOTTED, "%llu", n);
	left -= forms[form].skip;
	for (int i = 0; i < 4 && forms[form].bits[i]; i++) {
		unsigned bits = forms[form].bits[i];
		unsigned part = (unsigned)(n >> (left -= bits)) & ((1u << bits) - 1);

		if (scheme == PD_SCHEME_BCD)
			part = (part >> 4) * 10 + (part & 15);
		len += (size_t)snprintf(out + len, DOTTED - len, "%s%u", i ? "." : "",
					i ? part : part + forms[form].add);
	}
	return out;
}

/* By their characters: the end comes before all of them but "~". */
static int compare_words(const char **a, const char **b)
{
	for (;; ++*a, ++*b) {
		char x = **a == '.' ? '\0' : **a, y = **b == '.' ? '\0' : **b;

		if (x != y)
			return x == '~' ? -1 : y == '~' ? 1 : x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

int pd_version_firmware(unsigned scheme, const char *a, const char *b)
{
	char mine[DOTTED], other[DOTTED];
	int order = 0;

	a = dotted(scheme, a, mine);
	b = dotted(scheme, b, other);
	while (!order) {
		order = pd_version_digits(&a, &b);
		if (!order)
			order = compare_words(&a, &b);
		if (order || (!*a && !*b))
			break;
		if (!*a || !*b) /* one of them has more parts */
			return *a ? 1 : -1;
		a++, b++;
	}
	return order;
}
