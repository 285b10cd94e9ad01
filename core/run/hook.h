/* SPDX-License-Identifier: MIT */
/** Hook: a command that is run for each event, beside the run. */
#ifndef PD_RUN_HOOK_H
#define PD_RUN_HOOK_H

#include "base/error.h"

struct pd_hook;

/**
 * @p command: a program and its arguments, split at blanks, no quotes and no
 * shell; the program by its absolute path.  A process of its own runs it once
 * for each line given to pd_hook_event(), in order, with the line on standard
 * input, its output thrown away, in a process group of its own and with the
 * environment of steps (without PATCHDAY_RUN), for at most 10 seconds.  What
 * becomes of it is nothing to the run.  Call it before locks and files are open
 * that must not live as long.  NULL with *err set.
 */
struct pd_hook *pd_hook_start(const char *command, struct pd_error **err);
/** Never waits for the command; a line that can't be taken on is lost, and so
 * are all behind it. */
void pd_hook_event(struct pd_hook *h, const char *line);
/** How many were lost so far. */
int64_t pd_hook_lost(const struct pd_hook *h);
/** What is queued is still brought to its end, without us. */
void pd_hook_close(struct pd_hook *h);

#endif
