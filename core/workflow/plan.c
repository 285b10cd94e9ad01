/* SPDX-License-Identifier: MIT */
/* The plan model: from JSON, with every field checked. */
#include "workflow/plan.h"

enum { STEPS_MAX = 10000, ROUNDS_MAX = 100, GUARDS_MAX = 100, REBOOTS_DEFAULT = 12, REBOOTS_MAX = 100 };

static const char *const on_failure_names[] = { "stop", "undo", "continue" };

static bool bad(struct pd_error **err, const char *what, const char *why)
{
	return pd_error_set(err, "plan-invalid", "the plan's %s %s", what, why);
}

static bool take_text(const json_t *object, const char *key, const char **out,
		      struct pd_error **err)
{
	*out = pd_json_text(object, key, NULL);
	return *out || bad(err, key, "is missing or no text");
}

static bool take_head(struct pd_plan *p, struct pd_error **err)
{
	const json_t *nothing = json_object_get(p->json, "nothing"), *row;
	const json_t *questions = json_object_get(p->json, "questions");
	const json_t *notes = json_object_get(p->json, "notes");
	const char *unused = NULL;
	size_t i;

	if (pd_json_number(p->json, "format", 0) != 1)
		return bad(err, "format", "is not 1; it was made by another version");
	if (!take_text(p->json, "workflow", &p->workflow, err) ||
	    !take_text(p->json, "role", &p->role, err) ||
	    !take_text(p->json, "script", &p->script, err) ||
	    !take_text(p->json, "script_digest", &unused, err) ||
	    !take_text(p->json, "server", &p->server, err))
		return false;
	p->rounds = pd_json_number(p->json, "rounds", 0);
	if (p->rounds < 1 || p->rounds > ROUNDS_MAX)
		return bad(err, "rounds", "are not a number from 1 to 100");
	p->reboots = json_object_get(p->json, "reboots") ?
		pd_json_number(p->json, "reboots", -1) : REBOOTS_DEFAULT;
	if (p->reboots < 0 || p->reboots > REBOOTS_MAX)
		return bad(err, "reboots", "are not a number from 0 to 100");
	p->nothing = json_string_value(nothing);
	if (nothing && !p->nothing)
		return bad(err, "nothing", "is no text");
	if (!json_is_object(json_object_get(p->json, "params")))
		return bad(err, "params", "are no object");
	json_array_foreach(questions, i, row)
		if (!take_text(row, "name", &unused, err) || !take_text(row, "ask", &unused, err))
			return false;
	if (notes && !json_is_array(notes))
		return bad(err, "notes", "are no list");
	json_array_foreach(notes, i, row)
		if (!json_is_string(row))
			return bad(err, "notes", "are no list of texts");
	return json_is_array(json_object_get(p->json, "catalogs")) ||
	       bad(err, "catalogs", "are no list");
}

static bool take_stages(struct pd_plan *p, struct pd_error **err)
{
	const json_t *list = json_object_get(p->json, "stages"), *row;
	pd_auto_json *seen = json_object();
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > STEPS_MAX)
		return bad(err, "stages", "are missing or too many");
	p->stages = pd_alloc((json_array_size(list) + 1) * sizeof(*p->stages));
	json_array_foreach(list, i, row) {
		const char *word = pd_json_text(row, "on_failure", "");
		int f = PD_ON_FAILURE_CONTINUE;

		while (f >= 0 && strcmp(word, on_failure_names[f]) != 0)
			f--;
		if (f < 0)
			return bad(err, "on_failure", "is not stop, undo or continue");
		if (!take_text(row, "name", &p->stages[i].name, err))
			return false;
		if (json_object_get(seen, p->stages[i].name))
			return bad(err, "stages", "have one name twice");
		json_object_set_new(seen, p->stages[i].name, json_true());
		p->stages[i].on_failure = (enum pd_on_failure)f;
		p->n_stages++;
	}
	return true;
}

static bool is_inside(const struct pd_plan_step *s, size_t hold)
{
	for (size_t i = 0; i < s->n_inside; i++)
		if (s->inside[i] == hold)
			return true;
	return false;
}

/* A hold once given back is not taken again, so what is around a step must
 * also be around the step before it, or be that step. */
static bool take_inside(const struct pd_plan *p, struct pd_plan_step *s,
			const json_t *list, struct pd_error **err)
{
	size_t me = p->n_steps, i;
	const json_t *row;

	if (list && (!json_is_array(list) || json_array_size(list) > me))
		return bad(err, "list inside", "is none, or too long");
	s->inside = pd_alloc((json_array_size(list) + 1) * sizeof(*s->inside));
	json_array_foreach(list, i, row) {
		json_int_t hold = json_is_integer(row) ? json_integer_value(row) : -1;

		if (hold < 0 || (size_t)hold >= me || !p->steps[hold].hold ||
		    (i > 0 && s->inside[i - 1] >= (size_t)hold) ||
		    ((size_t)hold != me - 1 && !is_inside(&p->steps[me - 1], (size_t)hold)))
			return bad(err, "list inside", "names no open hold");
		s->inside[i] = (size_t)hold;
		s->n_inside++;
	}
	return true;
}

/* What steps and guards have in common. */
static bool take_row(struct pd_plan_step *s, const json_t *row, json_t *seen,
		     struct pd_error **err)
{
	if (!take_text(row, "id", &s->id, err) || !take_text(row, "plugin", &s->plugin, err) ||
	    !take_text(row, "step", &s->step, err) || !take_text(row, "where", &s->where, err))
		return false;
	if (!s->id[0] || json_object_get(seen, s->id))
		return bad(err, "steps", "have one id twice, or an empty one");
	json_object_set_new(seen, s->id, json_true());
	s->args = json_object_get(row, "args");
	return json_is_object(s->args) || bad(err, "args", "are no object");
}

static bool take_step(struct pd_plan *p, const json_t *row, json_t *seen,
		      struct pd_error **err)
{
	struct pd_plan_step *s = &p->steps[p->n_steps];
	int64_t stage = pd_json_number(row, "stage", -1);

	if (!take_row(s, row, seen, err))
		return false;
	if (stage < 0 || (size_t)stage >= p->n_stages ||
	    (p->n_steps > 0 && (size_t)stage < p->steps[p->n_steps - 1].stage))
		return bad(err, "steps", "are not in the order of its stages");
	s->stage = (size_t)stage;
	s->hold = pd_json_true(row, "hold");
	return take_inside(p, s, json_object_get(row, "inside"), err);
}

static bool take_steps(struct pd_plan *p, struct pd_error **err)
{
	const json_t *list = json_object_get(p->json, "steps"), *row;
	pd_auto_json *seen = json_object();
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > STEPS_MAX)
		return bad(err, "steps", "are missing, or more than 10000");
	if (!p->nothing == (json_array_size(list) == 0))
		return bad(err, "steps", "do not fit together with nothing to do");
	p->steps = pd_alloc((json_array_size(list) + 1) * sizeof(*p->steps));
	json_array_foreach(list, i, row) {
		bool ok = take_step(p, row, seen, err);

		p->n_steps++; /* also a half-read one is to be freed */
		if (!ok)
			return pd_error_prefix(err, "step %zu", i + 1);
	}
	return true;
}

static bool take_guards(struct pd_plan *p, struct pd_error **err)
{
	const json_t *list = json_object_get(p->json, "guards"), *row;
	pd_auto_json *seen = json_object();
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > GUARDS_MAX))
		return bad(err, "guards", "are no list, or more than 100");
	p->guards = pd_alloc((json_array_size(list) + 1) * sizeof(*p->guards));
	json_array_foreach(list, i, row) {
		if (!take_row(&p->guards[i], row, seen, err))
			return pd_error_prefix(err, "guard %zu", i + 1);
		if (strncmp(p->guards[i].id, "guard/", 6) != 0)
			return bad(err, "guards", "have an id without guard/");
		p->n_guards++;
	}
	return true;
}

struct pd_plan *pd_plan_new_take(json_t *json, struct pd_error **err)
{
	struct pd_plan *p = pd_alloc(sizeof(*p));

	p->json = json;
	if (take_head(p, err) && take_stages(p, err) && take_steps(p, err) &&
	    take_guards(p, err))
		return p;
	pd_plan_free(p);
	return NULL;
}

void pd_plan_free(struct pd_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_steps; i++)
		free(plan->steps[i].inside);
	free(plan->steps);
	free(plan->guards);
	free(plan->stages);
	json_decref(plan->json);
	free(plan);
}
