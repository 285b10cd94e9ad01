/* SPDX-License-Identifier: MIT */
/* What the record knows of the server's boots. */
#include "run/boot.h"
#include "run/record.h"

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

		asked |= s->asked && !pd_boot_differs(s->witness, r->boot) &&
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
