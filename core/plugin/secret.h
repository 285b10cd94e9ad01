/* SPDX-License-Identifier: MIT */
/** Secrets: fetched where the operator put them, kept out of every text. */
#ifndef PD_PLUGIN_SECRET_H
#define PD_PLUGIN_SECRET_H

#include "base/json.h"

/** Shorter ones can't be told from ordinary text, so they are refused. */
#define PD_SECRET_LEAST 4u

/** Is this {"env"|"file"|"credential": NAME}?  Nothing is fetched. */
bool pd_secret_source_check(const json_t *source, struct pd_error **err) PD_MUST_USE;
/** The value: from the environment, from a file that only its owner can read,
 * or from systemd's credentials; the caller frees it.  NULL with *err set. */
char *pd_secret_fetch(const json_t *source, struct pd_error **err);
/** What a plugin sees of it; the value is borrowed. */
struct pd_secret {
	const char *value;
	size_t len;
};

const char *pd_secret_value(const struct pd_secret *secret, size_t *len);
/** Overwrite and free. */
void pd_secret_free(char *value);

/** @p text without the secrets: each, and each line of one with several, is
 * replaced by "***"; also at both ends, where a line may have been split in
 * the middle of one.  The caller frees. */
char *pd_secrets_blot(const struct pd_strings *secrets, const char *text);
/** Does @p text contain one of them? */
bool pd_secrets_in(const struct pd_strings *secrets, const char *text);

#endif
