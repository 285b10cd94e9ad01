/* SPDX-License-Identifier: MIT */
/** Runs: start, resume, undo, and the dry run in front of each. */
#ifndef PD_RUN_RUN_H
#define PD_RUN_RUN_H

#include <signal.h>

#include "plugin/worker.h"
#include "run/record.h"

/** How a run ended for now; also the exit status of the program. */
enum pd_run_end {
	PD_END_DONE = 0,
	PD_END_ROLLED_BACK = 1,
	PD_END_INVALID = 2,      /* *err says why; nothing was touched */
	PD_END_INCONSISTENT = 3,
	PD_END_REFUSED = 4,
	PD_END_WAITING = 5       /* reboot, guards, sign-off or a person's decision */
};

struct pd_run_options {
	const char *state;             /* the state folder */
	struct pd_registry *registry;
	struct pd_spawner *spawner;    /* see plugin/spawner.h; NULL: none */
	const char *const *resume_argv; /* what a start of the server calls */
	bool unattended;               /* started by that */
	const char *who;               /* name of the person; NULL: unknown */
	const char *accept_no_return;  /* why no way back is needed; NULL: one is */
	const char *accept_failing;    /* why checks may fail before the start; NULL: none may */
	/** Signal that asks to stop, 0 none: SIGINT stops the run for a person
	 * to decide, SIGTERM (the server goes down) leaves it as it is. */
	const volatile sig_atomic_t *signal;
	int64_t poll;     /* milliseconds between two askings of the guards
			   * while the run waits for them; 0: 30000 */
	bool no_wait;     /* end with PD_END_WAITING instead of waiting in place */
	/** Guards that no longer count in this run, "NAME,NAME", with .why; NULL:
	 * none.  A name that no guard has: PD_END_INVALID. */
	const char *emergency;
	void *user;
	/** pd_run_resume() and pd_run_undo(), of a run that is not over: its record
	 * is read, nothing is done yet; false with *err: nothing will be. */
	bool (*ready)(void *user, const struct pd_record *r, struct pd_error **err);
	/** Where the record goes at the end of start, resume or undo, maybe NULL;
	 * the caller frees.  NULL: nowhere. */
	struct pd_record **record;
	/** After each event was journaled and applied. */
	void (*event)(void *user, const struct pd_record *r, const struct pd_event *e);
	/** How many events somebody did not get, for a warning; NULL: nobody listens. */
	int64_t (*unheard)(void *user);
	/** The sign of life, about once a second, as pd_heartbeat_read() gives it;
	 * borrowed.  Not journaled. */
	void (*progress)(void *user, const json_t *beat);
	/** For pd_run_resume(): keys of steps that are passed over or done once
	 * more, and why; NULL: none. */
	const struct pd_strings *skip, *redo;
	const char *why;
	/** Also: a new plan for the round under way with its inputs, both
	 * borrowed, and a person's word on what becomes of the steps (as in
	 * merge.h); NULL: the plan stays. */
	struct pd_plan *plan;
	const json_t *inputs;
	bool (*confirm)(void *user, const json_t *change);
	/** In place of workers: what a call of a step ends with, for a run on paper.
	 * What comes out of it goes to @p sink.  Of the server nothing is looked at
	 * or touched then; .boots is how often it was started.  NULL: workers. */
	void (*pretend)(void *user, const char *step, enum pd_phase phase, const json_t *args,
			const struct pd_worker_sink *sink, struct pd_worker_result *result);
	int64_t boots;
	/** Look at the server again and plan a further round; NULL with *err. */
	struct pd_plan *(*replan)(void *user, const json_t *inputs, int64_t round,
				  struct pd_error **err);
};

/** Make a run of @p plan (taken) and work on it until it ends or waits.
 * @p inputs is what replan gets.  *run is its id; the caller frees. */
enum pd_run_end pd_run_start(const struct pd_run_options *o, struct pd_plan *plan,
			     const json_t *inputs, char **run, struct pd_error **err);
enum pd_run_end pd_run_resume(const struct pd_run_options *o, const char *run,
			      struct pd_error **err);
enum pd_run_end pd_run_undo(const struct pd_run_options *o, const char *run,
			    struct pd_error **err);
/** Check every step of a plan on this server; nothing is written.  The record
 * holds what was predicted; *refusals: every reason not to start, as in
 * run/forecast.h, a new reference. */
struct pd_record *pd_run_check(const struct pd_run_options *o, struct pd_plan *plan,
			       json_t **refusals, struct pd_error **err);
/** A party signs; the run is done when the last one has. */
enum pd_run_end pd_run_sign(const struct pd_run_options *o, const char *run,
			    const char *party, const char *name, const char *note,
			    struct pd_error **err);
/** Close a run for good: after this event nothing of it can change.  @p key:
 * id of the key that seals it; again with the same key: nothing happens.  @p site:
 * its name, or NULL: as the run has it.
 * PD_END_DONE, or PD_END_REFUSED or PD_END_INVALID with *err set. */
enum pd_run_end pd_run_seal(const struct pd_run_options *o, const char *run,
			    const char *key, const char *site, struct pd_error **err);
/** The word of a person to a run that waits in another process, which takes it up:
 * the guards in o->emergency no longer count, or, with @p undo, all is taken back.
 * @return n of the event that says so; 0: nothing is said, since *err, or no *err
 * and it does not wait. */
int64_t pd_run_word(const struct pd_run_options *o, const char *run, bool undo,
		    struct pd_error **err);
/** A person has mended the server of an inconsistent run: new runs may start. */
enum pd_run_end pd_run_clear(const struct pd_run_options *o, const char *run,
			     const char *why, struct pd_error **err);
/** The plan under way: {inputs, round, plan}, from what, which one, and itself;
 * NULL with *err set. */
json_t *pd_run_inputs(const char *state, const char *run, struct pd_error **err);
/** The last sign of life of @p run: "step", "pid", "time" (seconds since 1970),
 * "done", "total", "text"; NULL: none. */
json_t *pd_heartbeat_read(const char *state, const char *run);
/** The exit status that belongs to a state. */
static inline enum pd_run_end pd_run_state_end(enum pd_run_state s)
{
	switch (s) {
	case PD_RUN_DONE: return PD_END_DONE;
	case PD_RUN_ROLLED_BACK: return PD_END_ROLLED_BACK;
	case PD_RUN_CLEARED:
	case PD_RUN_INCONSISTENT: return PD_END_INCONSISTENT;
	case PD_RUN_REFUSED: return PD_END_REFUSED;
	default: return PD_END_WAITING;
	}
}

#endif
