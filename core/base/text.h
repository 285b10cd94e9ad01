/* SPDX-License-Identifier: MIT */
/** Text: numbers, sizes, durations and dates as people write them; the
 * nearest word to a misspelt one. */
#ifndef PD_BASE_TEXT_H
#define PD_BASE_TEXT_H

#include "base/mem.h"

/** Decimal with sign, nothing behind it. */
bool pd_parse_int(const char *s, int64_t *out);
/** "4096", "20 MiB", "2G": powers of 1024, as dd(1); kB, MB, GB: of 1000. */
bool pd_parse_bytes(const char *s, int64_t *out);
/** "90", "90s", "15m", "2h", "1d", "1h30m". */
bool pd_parse_seconds(const char *s, int64_t *out);
bool pd_parse_bool(const char *s, bool *out); /* true false yes no 1 0 */
/** RFC 3339: date, or date and time with zone; seconds since 1970 UTC. */
bool pd_parse_time(const char *s, int64_t *out);

/* The caller frees. */
char *pd_show_seconds(int64_t seconds); /* "1h 02m", "4m 10s", "12s" */
char *pd_show_time(int64_t when);       /* "2026-11-20T15:56:00Z" */

bool pd_utf8_valid(const char *s, size_t len);
/** The same, or "b\xe4d" of what is not UTF-8, as JSON has to be; the caller frees. */
char *pd_utf8_text(const char *s);
/** Not empty, a to z, 0 to 9, "_", starts with a letter. */
bool pd_is_name(const char *s);

/** The word nearest to @p word if it is near enough, else NULL; borrowed. */
const char *pd_nearest(const char *word, const char *const *words, size_t n);

#endif
