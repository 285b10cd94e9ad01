/* SPDX-License-Identifier: MIT */
/* What the dry run said against a run, and whether its predictions held. */
#include "run/forecast.h"

static void refuse(json_t *list, const char *risk, char *cause_take, const char *remedy)
{
	pd_auto_free char *cause = cause_take;

	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "step", "", "risk", risk,
					      "cause", cause, "remedy", remedy));
}

static void of_questions(const struct pd_plan *plan, json_t *list)
{
	pd_auto(pd_buffer) open = {0}, remedy = {0};
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(plan->json, "questions"), i, row) {
		json_t *answer = json_object_get(row, "answer"), *must = json_object_get(row, "must");
		const char *name = pd_json_text(row, "name", ""), *ask = pd_json_text(row, "ask", "");
		pd_auto_free char *want = must ? pd_json_line(must) : NULL;
		pd_auto_free char *is = answer ? pd_json_line(answer) : NULL;
		pd_auto_free char *help = NULL;

		if (!answer) {
			pd_buffer_print(&open, "%s%s (%s)", open.len ? ", " : "", name, ask);
			pd_buffer_print(&remedy, "%s\"%s\": ...", remedy.len ? ", " : "", name);
		} else if (must && !json_equal(answer, must)) {
			help = pd_print("see to it: the answer has to be %s. %s", want,
					pd_json_text(row, "help", ""));
			refuse(list, "what the workflow relies on is not so",
			       pd_print("%s: %s %s", name, ask, is), help);
		}
	}
	if (open.len) {
		pd_auto_free char *how = pd_print("answer on a terminal, or with --answers FILE: {%s}",
						  remedy.data);

		refuse(list, "the run would begin without what only people know",
		       pd_print("not answered: %s", open.data), how);
	}
}

json_t *pd_forecast_refusals(const struct pd_record *r)
{
	json_t *list = json_array(), *row;
	size_t k;

	if (r->n_plans && !r->plans[0]->nothing)
		of_questions(r->plans[0], list);
	for (size_t i = 0; i < r->n_steps; i++)
		json_array_foreach(r->steps[i].state == PD_STEP_SKIPPED ? NULL :
				   json_object_get(r->steps[i].predicted, "inhibitors"), k, row) {
			json_t *copy = json_copy(row);

			json_object_set_new(copy, "step", json_string(r->steps[i].key));
			json_array_append_new(list, copy);
		}
	return list;
}

struct sum {
	int64_t right, wrong, unknown;
};

static json_t *sum_json(const struct sum *s)
{
	int64_t known = s->right + s->wrong;

	return json_pack("{s:I, s:I, s:I, s:o}", "right", (json_int_t)s->right, "wrong",
			 (json_int_t)s->wrong, "unknown", (json_int_t)s->unknown, "percent", known ?
			 json_integer(s->right * 100 / known) : json_null());
}

static void outputs(const struct pd_record_step *s, struct sum *sum, json_t *wrong, json_t *unknown)
{
	json_t *all = json_object_get(s->predicted, "outputs"), *value;
	const char *name;

	json_object_foreach(all, name, value) {
		json_t *real = json_object_get(s->outputs, name);

		if (json_equal(value, real)) {
			sum->right++;
			continue;
		}
		sum->wrong++;
		json_array_append_new(wrong, json_pack("{s:s, s:O, s:O?}", "output", name,
						       "predicted", value, "real", real));
	}
	json_object_foreach(s->outputs, name, value)
		if (!json_object_get(all, name)) {
			sum->unknown++;
			json_array_append_new(unknown, json_string(name));
		}
}

static json_t *of_step(const struct pd_record_step *s, struct sum *sum)
{
	const char *real = s->failed ? "failed" : s->changed ? "changed" : "unchanged";
	const char *said = pd_json_text(s->predicted, "result", "unknown");
	json_t *wrong = json_array(), *unknown = json_array();
	bool known = strcmp(said, "unknown") != 0;

	if (!known)
		sum->unknown++;
	else if (strcmp(said, real) == 0)
		sum->right++;
	else
		sum->wrong++;
	if (!s->failed) /* it put out what it came to */
		outputs(s, sum, wrong, unknown);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "step", s->key, "held",
			 sum->wrong ? "no" : known ? "yes" : "unknown", "predicted", said,
			 "real", real, "wrong", wrong, "unknown", unknown);
}

json_t *pd_forecast_fidelity(const struct pd_record *r)
{
	json_t *steps = json_array(), *plugins = json_object();
	struct sum total = {0};

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];
		json_t *before = json_object_get(plugins, s->step->plugin);
		struct sum one = {0}, all;

		if (!s->predicted || !s->came_to_end)
			continue;
		json_array_append_new(steps, of_step(s, &one));
		all = (struct sum){ one.right + pd_json_number(before, "right", 0),
				    one.wrong + pd_json_number(before, "wrong", 0),
				    one.unknown + pd_json_number(before, "unknown", 0) };
		json_object_set_new(plugins, s->step->plugin, sum_json(&all));
		total = (struct sum){ total.right + one.right, total.wrong + one.wrong,
				      total.unknown + one.unknown };
	}
	return json_pack("{s:o, s:o, s:o}", "total", sum_json(&total), "plugins", plugins,
			 "steps", steps);
}
