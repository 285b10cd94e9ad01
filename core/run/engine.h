/* SPDX-License-Identifier: MIT */
/** What the parts of the engine share. */
#ifndef PD_RUN_ENGINE_H
#define PD_RUN_ENGINE_H

#include "plugin/worker.h"
#include "run/run.h"

struct pd_engine {
	const struct pd_run_options *o;
	struct pd_journal *journal; /* NULL: dry run, nothing is written */
	struct pd_record *record;
	int64_t flushed;            /* seconds; when last */
	struct pd_error *fatal;     /* the journal can't be written: stop */
};

/** The signal that asks to stop, or 0. */
static inline int pd_engine_signal(const struct pd_engine *e)
{
	return e->o->signal ? (int)*e->o->signal : 0;
}

/** Journal an event and apply it: the one way anything becomes known.
 * Takes @p data. */
bool pd_engine_note(struct pd_engine *e, const char *kind, const char *step,
		    json_t *data, bool durable) PD_MUST_USE;
bool pd_engine_state(struct pd_engine *e, enum pd_run_state state, const char *why) PD_MUST_USE;

enum pd_outcome {
	PD_OUT_DONE,
	PD_OUT_FAILED,    /* noted; the stage's policy decides */
	PD_OUT_REBOOT,    /* asked for; the process ends */
	PD_OUT_SIGNAL,    /* asked to stop; nothing was noted */
	PD_OUT_FATAL      /* e->fatal */
};

/** Bring one step from wherever it is to done. */
enum pd_outcome pd_engine_step(struct pd_engine *e, struct pd_record_step *s);
/** Undo one step; PD_OUT_FAILED: it is stuck. */
enum pd_outcome pd_engine_undo_step(struct pd_engine *e, struct pd_record_step *s);
/** Predict one step. */
bool pd_engine_predict(struct pd_engine *e, struct pd_record_step *s);
/** The first inhibitor and how many more there are, in words; the caller
 * frees. */
char *pd_engine_why_refused(const struct pd_engine *e);
/** Why this step, once applied, can't be undone; NULL: it can. */
const char *pd_engine_no_return(struct pd_engine *e, const struct pd_record_step *s);

#endif
