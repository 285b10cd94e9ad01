/* SPDX-License-Identifier: MIT */
/** Versions: how they compare, by their schemes (doc/version-schemes.md). */
#ifndef PD_BASE_VERSION_H
#define PD_BASE_VERSION_H

#include "base/error.h"

#define PD_SCHEME_LAST PD_SCHEME_TEXT
/** Names of enum pd_scheme, and the other way round; 0: there is none. */
extern const char *const pd_schemes[PD_SCHEME_LAST + 2]; /* ends with NULL */
enum pd_scheme pd_scheme_of(const char *name);

/** Compare two versions: <0, 0, >0 in *out; false if the scheme does not
 * allow one of them. */
bool pd_version_compare(enum pd_scheme scheme, const char *a, const char *b,
			int *out, struct pd_error **err) PD_MUST_USE;

/* Of version*.c alone. */
/** Runs of digits of any length, by value; both move behind theirs. */
int pd_version_digits(const char **a, const char **b);
int pd_version_firmware(unsigned scheme, const char *a, const char *b);
bool pd_version_alpine_allowed(const char *s);
int pd_version_alpine(const char *a, const char *b); /* both allowed */

#endif
