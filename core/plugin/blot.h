/* SPDX-License-Identifier: MIT */
/** Blot: keeps secrets out of every text, in a time that grows with the text alone. */
#ifndef PD_PLUGIN_BLOT_H
#define PD_PLUGIN_BLOT_H

#include "base/mem.h"

/** Shorter secrets can't be told from ordinary text, so they are refused. */
#define PD_SECRET_LEAST 4u
/** So many bytes in a row of a longer secret are as bad as all of it. */
#define PD_SECRET_PIECE 32u

struct pd_blot;

/** What is to be kept out; NULL: nothing is, since @p secrets is empty. */
struct pd_blot *pd_blot_new(const struct pd_strings *secrets);
/** Overwrite and free. */
void pd_blot_free(struct pd_blot *b);

/** @p text without the secrets: each, each line of one with several, its base64 and
 * its hexadecimal digits, and each piece of them of half their length (at least 8
 * bytes) or of PD_SECRET_PIECE bytes, is replaced by "***", as it is or as JSON, C,
 * XML and URLs escape it; also parts at both ends, where a line may have been split
 * in one.  The caller frees. */
char *pd_blot_text(const struct pd_blot *b, const char *text);
/** Does @p text contain one of them, in such a form? */
bool pd_blot_finds(const struct pd_blot *b, const char *text);

#endif
