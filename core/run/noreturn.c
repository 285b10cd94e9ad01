/* SPDX-License-Identifier: MIT */
/* The point of no return: nothing goes past it without a verified backup of
 * this run, or a person who wants none. */
#include "run/engine.h"

static const struct pd_step *declared(const struct pd_engine *e,
				      const struct pd_plan_step *s)
{
	pd_auto_free char *name = pd_print("%s.%s", s->plugin, s->step);

	return *s->plugin ? pd_registry_step(e->o->registry, name, NULL, NULL) : NULL;
}

bool pd_engine_can_undo(const struct pd_engine *e, const struct pd_record_step *s)
{
	const struct pd_step *step = declared(e, s->step);

	return !step || (step->undo && !(step->flags & PD_S_REBOOTS));
}

const char *pd_engine_no_return(struct pd_engine *e, const struct pd_record_step *s)
{
	const struct pd_step *step = declared(e, s->step);

	if (s->irreversible)
		return s->irreversible;
	return step && step->reversibility == PD_IRREVERSIBLE ?
	       "this step can't be undone" : NULL;
}

static bool backed_up(const struct pd_engine *e)
{
	for (size_t i = 0; i < e->record->n_steps; i++) {
		const struct pd_record_step *s = &e->record->steps[i];
		const struct pd_step *step = s->state == PD_STEP_DONE && s->applied &&
			s->changed ? declared(e, s->step) : NULL;

		if (step && step->flags & PD_S_BACKUP)
			return true;
	}
	return false;
}

char *pd_engine_gate(struct pd_engine *e, const struct pd_record_step *s, const char *why)
{
	if (!why || e->record->accepted || backed_up(e))
		return NULL;
	return pd_print("%s is a point of no return (%s), and this run has no verified backup;"
			" `patchday resume --accept-no-return WHY` goes on without one",
			s->key, why);
}

char *pd_engine_stage_gate(struct pd_engine *e, const struct pd_record_step *s)
{
	const struct pd_record_step *end = e->record->steps + e->record->n_steps;

	for (; s < end; s++) {
		const char *found = pd_json_text(s->predicted, "result", "");
		char *why;

		why = s->state == PD_STEP_DONE || s->state == PD_STEP_SKIPPED ||
		      strcmp(found, "unchanged") == 0 ? NULL :
		      pd_engine_gate(e, s, pd_engine_no_return(e, s));
		if (why)
			return why;
		if (s + 1 < end && (s[1].plan != s->plan || s[1].step->stage != s->step->stage))
			break;
	}
	return NULL;
}

bool pd_engine_backup_ahead(struct pd_engine *e, const struct pd_record_step *s)
{
	for (const struct pd_record_step *b = e->record->steps; b < s; b++) {
		const struct pd_step *step = declared(e, b->step);

		if (step && step->flags & PD_S_BACKUP &&
		    (b->plan != s->plan || b->step->stage != s->step->stage) &&
		    (b->state == PD_STEP_DONE ? b->applied && b->changed :
		     strcmp(pd_json_text(b->predicted, "result", "unknown"), "unchanged") != 0))
			return true;
	}
	return e->record->accepted;
}

static bool accept_it(struct pd_engine *e, const char *what, const char *why)
{
	return pd_engine_note(e, "accept", "", json_pack("{s:s*, s:s, s:s}", "what", what, "who",
			      e->o->who ? e->o->who : "unknown", "why", why), true);
}

bool pd_engine_accept(struct pd_engine *e)
{
	if (e->o->accept_failing && !accept_it(e, "failing", e->o->accept_failing))
		return false;
	return !e->o->accept_no_return || e->record->accepted ||
	       accept_it(e, NULL, e->o->accept_no_return);
}
