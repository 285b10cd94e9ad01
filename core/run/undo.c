/* SPDX-License-Identifier: MIT */
/* The way back: everything that was done, last things first. */
#include <stdlib.h>

#include "run/engine.h"

static int later_first(const void *a, const void *b)
{
	const struct pd_record_step *x = *(struct pd_record_step *const *)a;
	const struct pd_record_step *y = *(struct pd_record_step *const *)b;

	return (x->begun < y->begun) - (x->begun > y->begun);
}

/* What was begun and not undone, in the order of undo; *n of them. */
static struct pd_record_step **to_undo(const struct pd_record *r, size_t *n)
{
	struct pd_record_step **list = pd_alloc((r->n_steps + 1) * sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].applied && r->steps[i].state != PD_STEP_UNDONE)
			list[(*n)++] = &r->steps[i];
	qsort(list, *n, sizeof(struct pd_record_step *), later_first);
	return list;
}

const struct pd_record_step *pd_engine_undo_next(const struct pd_record *r)
{
	size_t n = 0;
	pd_auto_free struct pd_record_step **list = to_undo(r, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i]->state == PD_STEP_UNDOING)
			return list[i];
	return n ? list[0] : NULL;
}

const struct pd_record_step *pd_engine_stuck(const struct pd_record *r)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].state == PD_STEP_STUCK)
			return &r->steps[i];
	return NULL;
}

/* Was something undone that the server had been rebooted after? */
static bool booted_with(const struct pd_record *r, const struct pd_record_step *reboot)
{
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];

		if (s->state == PD_STEP_UNDONE && s->applied && !s->step->hold &&
		    s->begun < reboot->begun)
			return true;
	}
	return false;
}

/* The files are as before; what runs and was loaded from them is not. */
static enum pd_outcome reboot_back(struct pd_engine *e)
{
	struct pd_record *r = e->record;
	enum pd_outcome outcome = PD_OUT_DONE;

	for (size_t i = r->n_steps; i-- > 0 && outcome == PD_OUT_DONE;) {
		struct pd_record_step *s = &r->steps[i];

		if (pd_engine_reboots_back(e, s) && booted_with(r, s) &&
		    (!r->booted_back || s->state == PD_STEP_UNDOING))
			outcome = pd_engine_undo_reboot(e, s);
	}
	return outcome;
}

/* What is not behind a point of no return; *stuck: the first that failed. */
static enum pd_outcome undo_each(struct pd_engine *e, char **no_return, char **stuck)
{
	size_t n = 0;
	pd_auto_free struct pd_record_step **list = to_undo(e->record, &n);

	for (size_t i = 0; i < n; i++) {
		struct pd_record_step *s = list[i];
		const char *wall = pd_engine_no_return(e, s);
		enum pd_outcome outcome;

		if (wall && !*no_return)
			*no_return = pd_print("%s: %s", s->key, wall);
		/* behind a wall only what is held comes back */
		if (wall || ((*stuck || *no_return) && !s->step->hold))
			continue;
		outcome = pd_engine_undo_step(e, s);
		if (outcome == PD_OUT_FATAL || outcome == PD_OUT_SIGNAL)
			return outcome;
		if (outcome == PD_OUT_FAILED && !*stuck)
			*stuck = pd_print("since step %s: %s", s->key, s->message ? s->message : "");
	}
	return PD_OUT_DONE;
}

enum pd_run_end pd_engine_undo_all(struct pd_engine *e, const char *because)
{
	pd_auto_free char *stuck = NULL, *no_return = NULL, *why = NULL;
	enum pd_outcome outcome;

	if ((e->record->state != PD_RUN_UNDOING && !pd_engine_state(e, PD_RUN_UNDOING, because)) ||
	    undo_each(e, &no_return, &stuck) != PD_OUT_DONE)
		return PD_END_WAITING;
	outcome = stuck ? PD_OUT_DONE : reboot_back(e);
	if (outcome == PD_OUT_FAILED)
		stuck = pd_print("since step %s: %s", pd_engine_stuck(e->record)->key,
				 pd_engine_stuck(e->record)->message);
	else if (outcome != PD_OUT_DONE)
		return PD_END_WAITING;
	if (stuck)
		return pd_engine_end(e, PD_RUN_INCONSISTENT, stuck);
	why = no_return ? pd_print("%s; undone as far as the point of no return, %s",
				   because, no_return) : pd_strdup(because);
	return pd_engine_end(e, PD_RUN_ROLLED_BACK, why);
}

enum pd_outcome pd_engine_undo_dropped(struct pd_engine *e)
{
	size_t n = 0;
	pd_auto_free struct pd_record_step **list = to_undo(e->record, &n);
	enum pd_outcome outcome = PD_OUT_DONE;

	for (size_t i = 0; i < n && outcome == PD_OUT_DONE; i++)
		if (list[i]->dropped && !pd_engine_no_return(e, list[i]))
			outcome = pd_engine_undo_step(e, list[i]);
	return outcome;
}
