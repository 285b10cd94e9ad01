/* SPDX-License-Identifier: MIT */
/* The record of a run as JSON: what status, views and last words are made of. */
#include "run/forecast.h"

static json_t *evidence_json(const struct pd_record_step *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_evidence; i++) {
		const struct pd_evidence_row *e = &s->evidence[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I}", "path",
			e->path, "title", e->title, "sha256", e->sha256, "bytes",
			(json_int_t)e->bytes, "time", (json_int_t)e->time));
	}
	return list;
}

json_t *pd_record_step_json(const struct pd_record *r, const struct pd_record_step *s)
{
	pd_auto_free char *verb = pd_print("%s.%s", s->step->plugin, s->step->step);
	json_int_t round = 1;

	while ((size_t)round < r->n_plans && r->plans[round - 1] != s->plan)
		round++;
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:b, s:b, s:b, s:b, s:f, s:I, s:I,"
		" s:s*, s:s*, s:s*, s:O, s:O*, s:o}", "id", s->key, "state",
		pd_step_state_name(s->state), "stage", s->plan->stages[s->step->stage].name,
		"round", round, "verb", verb, "where", s->step->where, "hold", s->step->hold,
		"applied", s->applied, "changed", s->changed, "recovered", s->recovered,
		"seconds", s->seconds, "started", (json_int_t)s->started, "ended",
		(json_int_t)s->ended, "message", s->message, "detail", s->detail,
		"irreversible", s->irreversible, "outputs", s->outputs, "predicted",
		s->predicted, "evidence", evidence_json(s));
}

static json_t *strings_json(const struct pd_strings *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->len; i++)
		json_array_append_new(list, json_string(s->items[i]));
	return list;
}

static json_t *signatures_json(const struct pd_record *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_signatures; i++) {
		const struct pd_signature_row *s = &r->signatures[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:I, s:b}", "party",
			s->party, "name", s->name, "by", s->by ? s->by : "", "note", s->note,
			"time", (json_int_t)s->time, "overtaken", s->overtaken));
	}
	return list;
}

const char *pd_record_site(const struct pd_record *r)
{
	const json_t *params = r->n_plans ? json_object_get(r->plans[0]->json, "params") : NULL;
	const char *site = r->site ? r->site : pd_json_text(params, "site", "");

	return *site ? site : pd_json_text(r->inputs, "site", "");
}

json_t *pd_record_head_json(const struct pd_record *r, int64_t owner)
{
	bool lost = !owner && (r->state == PD_RUN_RUNNING || r->state == PD_RUN_UNDOING);
	const struct pd_plan *plan = r->n_plans ? r->plans[0] : NULL;
	pd_auto(pd_strings) missing = {0};
	json_t *j;

	pd_record_missing(r, &missing);
	j = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I,"
		" s:s*, s:o, s:o, s:o, s:o}", "run", r->run, "server",
		r->server ? r->server : "", "site", pd_record_site(r), "state",
		lost ? pd_record_rebooting(r) ? "rebooting" : "interrupted" :
		pd_run_state_name(r->state), "why", r->why, "over",
		pd_run_state_ended(r->state), "workflow", plan ? plan->workflow : "", "role",
		plan ? plan->role : "", "rounds", (json_int_t)r->n_plans, "reboots",
		(json_int_t)r->reboots, "started", (json_int_t)r->started, "ended",
		(json_int_t)r->ended, "pid", (json_int_t)owner, "sealed", r->sealed, "missing",
		strings_json(&missing), "parties", strings_json(&r->parties), "warnings",
		strings_json(&r->warnings), "signatures", signatures_json(r));
	json_object_update_new(j, json_pack("{s:b, s:O*, s:O*, s:O*, s:O*}", "waiting",
		r->state == PD_RUN_WAITING, "inhibitors",
		r->inhibitors, "decisions", r->decisions, "waits", r->wait, "comparison",
		r->comparison));
	return j;
}

json_t *pd_record_json(const struct pd_record *r, int64_t owner)
{
	json_t *j = pd_record_head_json(r, owner), *steps = json_array();
	pd_digest digest = "";

	if (r->n_plans)
		pd_json_digest(r->plans[0]->json, digest);
	json_object_set_new(j, "plan", json_string(digest));
	for (size_t i = 0; i < r->n_steps; i++)
		json_array_append_new(steps, pd_record_step_json(r, &r->steps[i]));
	json_object_set_new(j, "steps", steps);
	json_object_set_new(j, "fidelity", pd_forecast_fidelity(r));
	return j;
}
