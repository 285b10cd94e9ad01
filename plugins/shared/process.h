/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: processes by the name of their program. */
#ifndef PD_PLUGIN_PROCESS_H
#define PD_PLUGIN_PROCESS_H

#include <patchday/plugin.h>

#define PROCESS_HIDDEN __attribute__((visibility("hidden")))

/** @return 0 to go on; anything else ends the walk and is its result. */
typedef int process_fn(struct pd_ctx *ctx, const char *pid, const char *name, void *user);

/** Call @p fn for each process that is one of @p names: by its program, by the
 * script behind its interpreter, or by what it calls itself.
 * @return 0, what @p fn returned, or below zero, reported. */
PROCESS_HIDDEN int PD_MUST_USE process_each(struct pd_ctx *ctx, const struct pd_list *names,
					    process_fn *fn, void *user);

/** Name in *what something that is still at work, or leave it NULL.
 * @return 0, or below zero, reported. */
typedef int process_find_fn(struct pd_ctx *ctx, void *user, const char **what);

/** Wait until @p find names nothing any more.  @param kind "a job", for the
 * message; @param remedy what else to do, for the message.
 * @return 0, or below zero, reported. */
PROCESS_HIDDEN int PD_MUST_USE process_wait(struct pd_ctx *ctx, process_find_fn *find, void *user,
					    int64_t timeout, const char *kind, const char *remedy);

#endif
