/* SPDX-License-Identifier: MIT */
/** Reap: no process that a worker started is left behind. */
#ifndef PD_PLUGIN_REAP_H
#define PD_PLUGIN_REAP_H

#include <sys/types.h>

#include "base/mem.h"

/** Children that this process had before; they are left alone. */
struct pd_others {
	pid_t *pids;
	size_t len, cap;
};

/** Before the fork: take in orphans from now on, note who is there. */
void pd_reap_prepare(struct pd_others *others);
/** After the worker's group was killed: end and reap whatever escaped from
 * it.  @return how many processes could not be ended. */
size_t pd_reap_rest(const struct pd_others *others);

#endif
