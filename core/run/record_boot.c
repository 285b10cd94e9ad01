/* SPDX-License-Identifier: MIT */
/* What is asked of the record: where a step is, what is held or over, and how the
 * server was booted. */
#include "run/boot.h"
#include "run/record.h"

struct pd_record_step *pd_record_step(struct pd_record *r, const char *key)
{
	/* events come in the order of the steps: go on from the last hit */
	for (size_t i = 0; i < r->n_steps; i++) {
		size_t at = (r->hit + i) % r->n_steps;

		if (strcmp(r->steps[at].key, key) == 0) {
			r->hit = at;
			return &r->steps[at];
		}
	}
	return NULL;
}

struct pd_record_step *pd_record_sibling(struct pd_record *r,
					 const struct pd_record_step *of,
					 const char *id)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].plan == of->plan && strcmp(r->steps[i].step->id, id) == 0)
			return &r->steps[i];
	for (size_t i = r->n_steps; of->dropped && i-- > 0;) /* it went over to the new plan */
		if (strcmp(r->steps[i].step->id, id) == 0)
			return &r->steps[i];
	return NULL;
}

bool pd_record_rebooting(const struct pd_record *r)
{
	bool pending = r->state == PD_RUN_REBOOTING;

	for (size_t i = 0; i < r->n_steps; i++)
		pending |= r->steps[i].state == PD_STEP_UNDOING && r->steps[i].undo_reboots > 0;
	return pending;
}

bool pd_record_asked(const struct pd_record *r)
{
	bool asked = false;

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];

		asked |= s->witness && !pd_boot_differs(s->witness, r->boot) &&
			 (s->state == PD_STEP_BEGUN || s->state == PD_STEP_UNDOING);
	}
	return asked;
}

void pd_record_boot(struct pd_record *r, const json_t *data)
{
	const char *how = pd_json_text(data, "how", "");

	if (strcmp(how, "did not happen") == 0)
		return;
	json_decref(r->boot);
	r->boot = json_incref(json_object_get(data, "witness"));
	r->reboots += strcmp(how, "as planned") == 0;
	for (size_t i = 0; i < r->n_steps; i++) {
		struct pd_record_step *s = &r->steps[i];

		s->booted |= s->witness && s->state == PD_STEP_BEGUN;
		r->booted_back |= s->undo_reboots && s->state == PD_STEP_UNDOING;
	}
}

bool pd_record_held(const struct pd_record_step *s)
{
	return s->step->hold && s->applied && s->state != PD_STEP_UNDONE &&
	       s->state != PD_STEP_STUCK;
}

bool pd_record_inside(const struct pd_record_step *s, const struct pd_record_step *hold)
{
	for (size_t i = 0; s && i < s->step->n_inside; i++)
		if (&s->plan->steps[s->step->inside[i]] == hold->step)
			return true;
	return false;
}

bool pd_record_over(const struct pd_record_step *s)
{
	/* a hold that was cut off while it was given back: a later step of its
	 * body, or what comes after that, brings it to its end */
	return s->dropped || s->state == PD_STEP_DONE || s->state == PD_STEP_UNDONE ||
	       s->state == PD_STEP_SKIPPED || (s->step->hold && s->state == PD_STEP_UNDOING) ||
	       (s->state == PD_STEP_FAILED &&
		s->plan->stages[s->step->stage].on_failure == PD_ON_FAILURE_CONTINUE);
}
