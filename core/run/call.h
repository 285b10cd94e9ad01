/* SPDX-License-Identifier: MIT */
/** One callback of a step in a worker, and what it journals meanwhile. */
#ifndef PD_RUN_CALL_H
#define PD_RUN_CALL_H

#include "run/engine.h"

/** One callback, and where its events go. */
struct pd_call {
	struct pd_engine *e;
	struct pd_record_step *s;
	json_t *predicted;  /* outputs of a check; NULL: outputs are journaled */
	json_t *inhibitors; /* of a check */
	char *irreversible; /* found by the check; freed with pd_call_clear() */
	bool dry;
	bool guard;         /* its s is in no record: nothing is noted of it */
	bool undo;          /* goes on over a Ctrl-C, which would leave half of it */
};

/** Run it once; false: e->fatal.  What the step does wrong is in *result. */
bool pd_call(struct pd_call *c, enum pd_phase phase, const json_t *args,
	     struct pd_worker_result *result) PD_MUST_USE;
static inline void pd_call_clear(struct pd_call *c)
{
	free(c->irreversible);
}
#define pd_call_cleanup pd_call_clear
/** As often as @p retries allows, with longer and longer waits. */
bool pd_call_again(struct pd_call *c, enum pd_phase phase, const json_t *args,
		   unsigned retries, struct pd_worker_result *result) PD_MUST_USE;
/** Note a reason not to start; user is the struct pd_call. */
void pd_call_inhibit(void *user, const char *risk, const char *cause,
		     const char *remedy);

/* heartbeat.c */
/** A sign of life: what the step under way does. */
void pd_heartbeat_write(const struct pd_call *c);

/* step.c */
/** Checked arguments without references; *unknown: the step whose output is
 * missing, borrowed from the plan; @p dry: outputs as predicted.  New reference. */
json_t *pd_step_arguments(struct pd_engine *e, const struct pd_record_step *s, bool dry,
			  const char **unknown);
/** "changed", "unchanged", "failed" ...: of a worker's result. */
const char *pd_result_name(int result);

#endif
