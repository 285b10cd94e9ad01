/* SPDX-License-Identifier: MIT */
/** guard - what its steps share.  Each step answers "may I go on?". */
#ifndef PD_PLUGIN_GUARD_H
#define PD_PLUGIN_GUARD_H

#include <patchday/plugin.h>

extern const struct pd_step guard_window, guard_users, guard_busy, guard_load, guard_power;

/** One reason against it; the result of a check after its last reason. */
int guard_refuse(struct pd_ctx *ctx, const char *risk, const char *cause, const char *remedy);
/** First line of a file; NULL: it can't be read. */
const char *guard_line(struct pd_ctx *ctx, const char *path);
/** Has this process an open TCP connection? */
bool guard_connected(struct pd_ctx *ctx, const char *pid);
bool guard_has(const struct pd_list *list, const char *word);

#endif
