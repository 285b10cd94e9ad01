/* SPDX-License-Identifier: MIT */
/** Work in a process of its own: what it loads and needs goes with that. */
#ifndef PD_BASE_APART_H
#define PD_BASE_APART_H

#include "base/json.h"

/** What @p work makes there, new reference; NULL with *err set: by it, or since
 * its process came to another end.  Nothing else that it does to memory is seen. */
json_t *pd_apart(json_t *(*work)(void *user, struct pd_error **err), void *user,
		 struct pd_error **err);
/** An error on its way out of such a process, and what came: itself, or NULL with
 * that error as *err.  @p otherwise: its id, if it has none that is known. */
json_t *pd_apart_error(const struct pd_error *e);
json_t *pd_apart_take(json_t *value_take, const char *otherwise, struct pd_error **err);

#endif
