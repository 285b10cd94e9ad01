/* SPDX-License-Identifier: MIT */
/** Spawner: a process that holds the plugins and nothing of a run, to fork
 * workers from.  What a fork costs grows with the memory of who forks. */
#ifndef PD_PLUGIN_SPAWNER_H
#define PD_PLUGIN_SPAWNER_H

#include <sys/types.h>

#include "plugin/arguments.h"
#include "plugin/registry.h"
#include "plugin/worker.h"

struct pd_spawner;

/** Start it while this process is still small; it finds plugins as @p reg
 * does now.  NULL: there is none, and pd_worker_run() forks from here. */
struct pd_spawner *pd_spawner_start(struct pd_registry *reg);
/** @p s may be NULL. */
void pd_spawner_end(struct pd_spawner *s);
/** A worker as pd_child_run() makes it, a child of this process.  @return its
 * pid; 0: it has to be forked from here, as one with secrets always is; -1:
 * nobody knows whether it runs. */
pid_t pd_spawner_fork(struct pd_spawner *s, const struct pd_worker_call *call,
		      const struct pd_arguments *args, int channel, int output);

#endif
