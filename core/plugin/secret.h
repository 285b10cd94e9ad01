/* SPDX-License-Identifier: MIT */
/** Secrets: fetched where the operator put them. */
#ifndef PD_PLUGIN_SECRET_H
#define PD_PLUGIN_SECRET_H

#include "base/json.h"
#include "plugin/blot.h"

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

#endif
