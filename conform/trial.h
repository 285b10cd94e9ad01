/* SPDX-License-Identifier: MIT */
/** Trial: one step in clones that are as new each time, and the scene before it. */
#ifndef PD_CONFORM_TRIAL_H
#define PD_CONFORM_TRIAL_H

#include "rules.h"

/* seconds: if a step names none, and of our own on top */
enum { TRIAL_GRACE = 10, TRIAL_OURS = 3, TRIAL_LATE = 1 };

struct trial {
	struct place *place;
	const json_t *steps;       /* of the case */
	size_t n;                  /* the one that is tried */
	const struct pd_step *step;
	struct verdicts v;
	json_t *remembered;        /* by each step in this clone: id to object */
	json_t *outputs;           /* the same */
	const char *missing;       /* step whose output an argument needs and does not have */
	json_t *before;            /* look at it before the step */
	json_t *scene;             /* what was remembered, and the outputs, then: [,] */
	size_t round;              /* how often this clone has served already */
	size_t times, undo_times;  /* how often apply and undo remember */
	int64_t took;              /* ms: apply */
	struct pd_error **err;
};

/* of a step */
#define each_rule(r) for (enum rule r = RULE_STILL; r <= RULE_SECRET; r++)

/** Which callback, and how it is called. */
struct how {
	enum pd_phase phase;
	const char *flag; /* "still", "shut", "stop"; or NULL */
	size_t kill_at;
	int64_t late; /* it is asked to stop while it works, which takes it so many ms */
};

extern const char *const trial_phases[]; /* names, by enum pd_phase */

/** A new clone, with what stands before the step in the case; or, of those with
 * their own init, one that is again as it was before the step.  False: *t->err,
 * or that does not work, and the rules are untried. */
bool trial_begin(struct trial *t);
/** Call step number @p n; its result and, if it failed, why (freed before and
 * set anew; may be NULL).  What the lens saw is noted.  False: *t->err. */
bool trial_call(struct trial *t, size_t n, struct how how, int *result, char **why);
/** The same of the step that is tried, which has to succeed.  False: *t->err,
 * or it did not, and @p r is broken. */
bool trial_must(struct trial *t, enum rule r, enum pd_phase phase, const char *when);
/** What differs now from @p before breaks @p r. */
void trial_compare(struct trial *t, enum rule r, const json_t *before, const char *when);
/** Lines of an answer of place_call() that break @p r. */
void trial_note(struct trial *t, enum rule r, const json_t *answer, const char *key, const char *what);
/** No rule can be tried, or none of those of apply. */
void trial_untried(struct trial *t, const char *why, const char *message);
void trial_not_applied(struct trial *t, const char *why, const char *message);
/** It can't do its work here: later steps of the case do without it. */
void trial_unfit(struct trial *t);
/** No arguments and no server excuse this failure. */
bool trial_is_bug(int result, const char *why);

#endif
