/* SPDX-License-Identifier: MIT */
/** Secrets: fetched where the operator put them, kept out of every text. */
#ifndef PD_PLUGIN_SECRET_H
#define PD_PLUGIN_SECRET_H

#include "base/json.h"

/** Shorter ones can't be told from ordinary text, so they are refused. */
#define PD_SECRET_LEAST 4u

/** Is this {"env"|"file"|"credential"|"prompt": NAME}?  Nothing is fetched. */
bool pd_secret_source_check(const json_t *source, struct pd_error **err) PD_MUST_USE;
/** The value: from the environment, from a file that only its owner can read,
 * from systemd's credentials, or typed in; the caller frees it.  From then on
 * this process leaves no core file.  NULL with *err set. */
char *pd_secret_fetch(const json_t *source, struct pd_error **err);
/** What a person typed in for {"prompt": NAME}, kept for this process alone. */
void pd_secret_type(const char *name, char *value_take);
const char *pd_secret_typed(const char *name); /* borrowed; NULL: not yet */
/** What a plugin sees of it; the value is borrowed. */
struct pd_secret {
	const char *value;
	size_t len;
};

const char *pd_secret_value(const struct pd_secret *secret, size_t *len);
/** Overwrite and free. */
void pd_secret_free(char *value);

/** @p text without the secrets: each, each line of one with several, each half
 * of at least 8 bytes, its base64 and its hexadecimal digits are replaced by
 * "***", as they are or as JSON, C, XML and URLs escape them; also parts at
 * both ends, where a line may have been split in one.  The caller frees. */
char *pd_secrets_blot(const struct pd_strings *secrets, const char *text);
/** Does @p text contain one of them, in such a form? */
bool pd_secrets_in(const struct pd_strings *secrets, const char *text);

#endif
