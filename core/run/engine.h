/* SPDX-License-Identifier: MIT */
/** What the parts of the engine share. */
#ifndef PD_RUN_ENGINE_H
#define PD_RUN_ENGINE_H

#include "plugin/worker.h"
#include "run/estimate.h"
#include "run/run.h"

struct pd_engine {
	const struct pd_run_options *o;
	struct pd_journal *journal; /* NULL: dry run, nothing is written */
	struct pd_record *record;
	int64_t flushed;            /* seconds; when last */
	int64_t done, total;        /* of the step under way, for the heartbeat */
	char *text;                 /* likewise */
	struct pd_estimate times;   /* of the record's steps; made when they are asked for */
	bool called_back;           /* a person said so while it waited */
	struct pd_error *fatal;     /* the journal can't be written: stop */
};

/** The signal that asks to stop, or 0. */
static inline int pd_engine_signal(const struct pd_engine *e)
{
	return e->o->signal ? (int)*e->o->signal : 0;
}

/** Journal an event and apply it: the one way anything becomes known.
 * Takes @p data.  A run that waits hears first what was said to it. */
bool pd_engine_note(struct pd_engine *e, const char *kind, const char *step,
		    json_t *data, bool durable) PD_MUST_USE;
/** A run that was called back meanwhile neither goes on nor waits: it stays
 * PD_RUN_UNDOING, and true is returned. */
bool pd_engine_state(struct pd_engine *e, enum pd_run_state state, const char *why) PD_MUST_USE;
/** A warning, journaled once. */
bool pd_engine_warn(struct pd_engine *e, const char *text) PD_MUST_USE;

/** Which boot of the server this is, as in boot.h. */
json_t *pd_engine_witness(const struct pd_engine *e);
/** The event with its own fields, PATCHDAY_*, for `journalctl`. */
void pd_journald_tell(const struct pd_event *e);

enum pd_outcome {
	PD_OUT_DONE,
	PD_OUT_FAILED,    /* noted; the stage's policy decides */
	PD_OUT_REBOOT,    /* asked for; the process ends */
	PD_OUT_SIGNAL,    /* asked to stop, or it waits without a process */
	PD_OUT_FATAL      /* e->fatal */
};

/** Steps, rounds and holds from where the run is, until it ends or waits. */
enum pd_run_end pd_engine_work(struct pd_engine *e);
/** Bring one step from wherever it is to done. */
enum pd_outcome pd_engine_step(struct pd_engine *e, struct pd_record_step *s);
/** Undo one step; PD_OUT_FAILED: it is stuck. */
enum pd_outcome pd_engine_undo_step(struct pd_engine *e, struct pd_record_step *s);
/** Predict one step. */
bool pd_engine_predict(struct pd_engine *e, struct pd_record_step *s);
/** The first inhibitor and how many more there are, in words; the caller
 * frees. */
char *pd_engine_why_refused(const struct pd_engine *e);
/** Has its undo something to take back?  Of a plugin that is not there: yes. */
bool pd_engine_can_undo(const struct pd_engine *e, const struct pd_record_step *s);
/** Why this step, once applied, can't be undone; NULL: it can. */
const char *pd_engine_no_return(struct pd_engine *e, const struct pd_record_step *s);
/** May a step be applied that can't be undone because of @p why (NULL: it can
 * be)?  NULL: yes, else the reason against it; the caller frees. */
char *pd_engine_gate(struct pd_engine *e, const struct pd_record_step *s, const char *why);
/** The same for all that is left of the stage from @p s on, by declaration and
 * dry run. */
char *pd_engine_stage_gate(struct pd_engine *e, const struct pd_record_step *s);
/** Will there be a verified backup, or nobody want one, before the stage of @p s? */
bool pd_engine_backup_ahead(struct pd_engine *e, const struct pd_record_step *s);
/** Journal that a person wants no way back, if the options say so. */
bool pd_engine_accept(struct pd_engine *e) PD_MUST_USE;
/** Were the values that this done step took from others different now? */
bool pd_engine_stale(struct pd_engine *e, const struct pd_record_step *s);
/** Undo of a step that reboots, once all else is undone: one more reboot. */
enum pd_outcome pd_engine_undo_reboot(struct pd_engine *e, struct pd_record_step *s);
/** Does it still reboot when the run is taken back? */
bool pd_engine_reboots_back(const struct pd_engine *e, const struct pd_record_step *s);
/** The run is over for this process. */
enum pd_run_end pd_engine_end(struct pd_engine *e, enum pd_run_state state, const char *why);
/** Begun again and again in vain: a person decides; what is held comes back first. */
enum pd_run_end pd_engine_give_up(struct pd_engine *e);
/** Undo everything, last things first; goes on where it was cut off. */
enum pd_run_end pd_engine_undo_all(struct pd_engine *e, const char *because);
/** Undo the steps that a change of the plan has dropped. */
enum pd_outcome pd_engine_undo_dropped(struct pd_engine *e);
/** What undo has before it first; NULL: nothing. */
const struct pd_record_step *pd_engine_undo_next(const struct pd_record *r);
/** The first step whose undo has failed, or NULL. */
const struct pd_record_step *pd_engine_stuck(const struct pd_record *r);
/** Take the options of a resume in: skipped steps, steps done again, a new
 * plan.  @return false with *err or e->fatal set: nothing of it is done. */
bool pd_engine_change(struct pd_engine *e, struct pd_error **err) PD_MUST_USE;
/** Why no run may begin or go on because of another one than @p run; NULL with *err. */
bool pd_engine_free_server(struct pd_engine *e, const char *run, struct pd_error **err) PD_MUST_USE;
/** May it be taken back although a newer run has changed the server since? */
bool pd_engine_newer(struct pd_engine *e, struct pd_error **err) PD_MUST_USE;
/** That a plan comes from another text of its script than the one before; NULL: it
 * does not.  The caller frees. */
char *pd_engine_other_script(const struct pd_engine *e, const char *digest);
/** Who asked for an undo, and why, in words; the caller frees. */
char *pd_engine_asked_by(const struct pd_engine *e, const char *who);
/** Take in what others have written to a run that waits, see pd_run_word(). */
bool pd_engine_hear(struct pd_engine *e) PD_MUST_USE;
#endif
