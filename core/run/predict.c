/* SPDX-License-Identifier: MIT */
/* The dry run of one step: what its check predicts, and what is against it. */
#include "run/call.h"

#include "run/boot.h"
#include "run/forecast.h"

/* Credentials that the unit which goes on after a reboot would not have. */
static void lost_secrets(struct pd_call *c)
{
	const struct pd_plan *plan = c->s->plan;
	const struct pd_plan_step *reboot;
	pd_auto(pd_strings) names = {0};

	pd_plan_secrets(c->s->step, "credential", &names);
	reboot = names.len ? pd_plan_reboot_before(plan, c->e->o->registry,
						   (size_t)(c->s->step - plan->steps)) : NULL;
	for (size_t i = 0; reboot && i < names.len; i++) {
		pd_auto_free char *path = pd_boot_credential(names.items[i]);
		pd_auto_free char *cause = pd_print("%s reboots the server, and the credential '%s' is"
			" in neither /etc/credstore nor /etc/credstore.encrypted", reboot->id,
			names.items[i]);

		if (!path)
			pd_call_inhibit(c, "the secret would be gone after the reboot", cause,
					"put it there (systemd-creds encrypt), or give it by file");
	}
}

/* What the dry run itself has against a step, beside what its check says. */
static void inhibit(struct pd_call *c, const struct pd_worker_result *r)
{
	const char *why = c->irreversible ? c->irreversible : pd_engine_no_return(c->e, c->s);

	if (r->result == PD_REFUSED && json_array_size(c->inhibitors) == 0)
		pd_call_inhibit(c, "the step would fail", r->message,
				"mend that, or take the step out of the workflow");
	if (r->result == PD_BAD_ARGS)
		pd_call_inhibit(c, "the step can't run", r->message, "correct its arguments");
	if (r->result == PD_FAILED && !c->e->o->accept_failing && !c->e->record->accepts_failing)
		pd_call_inhibit(c, "the step fails already now", r->message, "mend it; if a step"
				" before it mends it, say --accept-failing WHY");
	lost_secrets(c);
	if (why && r->result != PD_UNCHANGED && !pd_engine_backup_ahead(c->e, c->s)) {
		pd_auto_free char *cause = pd_print("%s; no stage before it has a backup that is"
						    " verified", why);

		pd_call_inhibit(c, "there is no way back from this step", cause,
				"put backup.verify into a stage before it, or say"
				" --accept-no-return WHY");
	}
}

bool pd_engine_predict(struct pd_engine *e, struct pd_record_step *s)
{
	pd_auto(pd_worker_result) r = { .result = PD_CHANGED };
	pd_auto_json *outputs = json_object(), *inhibitors = json_array();
	pd_auto(pd_call) c = { .e = e, .s = s, .predicted = outputs,
			       .inhibitors = inhibitors, .dry = true };
	const char *unknown = NULL;
	pd_auto_json *args = pd_step_arguments(e, s, true, &unknown);

	if (!unknown && !pd_call(&c, PD_PHASE_CHECK, args, &r))
		return false;
	inhibit(&c, &r);
	return pd_engine_note(e, "predict", s->key,
			      json_pack("{s:s, s:s*, s:s*, s:s*, s:O, s:O, s:f}", "result",
					unknown ? "unknown" : pd_result_name(r.result), "waits_for",
					unknown, "message", r.message, "irreversible",
					r.result == PD_UNCHANGED ? NULL : c.irreversible ?
					c.irreversible : pd_engine_no_return(e, s), "outputs",
					outputs, "inhibitors", inhibitors, "seconds", r.seconds),
			      false);
}

char *pd_engine_why_refused(const struct pd_engine *e)
{
	pd_auto_json *all = pd_forecast_refusals(e->record);
	const json_t *first = json_array_get(all, 0);
	const char *key = pd_json_text(first, "step", "");
	size_t n = json_array_size(all);

	if (!first)
		return pd_strdup("asked to stop before it began");
	return pd_print(n > 1 ? "%s%s%s; and %zu more" : "%s%s%s", key, *key ? ": " : "",
			pd_json_text(first, "cause", ""), n - 1);
}
