/* SPDX-License-Identifier: MIT */
/* Validation: a plan against the plugins that would carry it out. */
#include "plugin/arguments.h"
#include "workflow/plan.h"

struct context {
	const struct pd_plan *plan;
	struct pd_registry *reg;
	json_t *index; /* id of a step -> its place */
};

typedef bool reference_fn(struct context *c, size_t i, const char *param,
			  const json_t *ref, struct pd_error **err);

/* Calls @p f for each reference of step @p i, until one returns false. */
static bool each_reference(struct context *c, size_t i, reference_fn *f,
			   struct pd_error **err)
{
	const json_t *value;
	const char *param;

	json_object_foreach((json_t *)(uintptr_t)c->plan->steps[i].args, param, value) {
		if (json_object_get(value, "$ref") && !f(c, i, param, value, err))
			return false;
	}
	return true;
}

static size_t place_of(const struct context *c, const json_t *ref)
{
	return (size_t)pd_json_number(c->index, pd_json_text(ref, "$ref", ""), -1);
}

static const struct pd_step *step_of(struct context *c, const struct pd_plan_step *s,
				     struct pd_error **err)
{
	pd_auto_free char *name = pd_print("%s.%s", s->plugin, s->step);

	return pd_registry_step(c->reg, name, NULL, err);
}

static const struct pd_step *find_step(struct context *c, size_t i, struct pd_error **err)
{
	return step_of(c, &c->plan->steps[i], err);
}

struct chase {
	struct context c; /* first: each_reference() hands on its address */
	size_t goal;
	bool *seen;
};

/* Returns false, which ends the search, when the goal is reached. */
static bool chase(struct context *c, size_t i, const char *param, const json_t *ref,
		  struct pd_error **err)
{
	struct chase *x = (struct chase *)c;
	size_t to = place_of(c, ref);

	(void)i, (void)param;
	if (to == x->goal)
		return false;
	if (to >= c->plan->n_steps || x->seen[to])
		return true;
	x->seen[to] = true;
	return each_reference(c, to, chase, err);
}

static bool wrong_order(struct context *c, size_t i, size_t to, struct pd_error **err)
{
	const struct pd_plan_step *steps = c->plan->steps;
	pd_auto_free bool *seen = pd_alloc(c->plan->n_steps * sizeof(*seen));
	struct chase x = { .c = *c, .goal = i, .seen = seen };

	if (to == i)
		return pd_error_set(err, "plan-reference", "%s uses its own output",
				    steps[i].id);
	if (!each_reference(&x.c, to, chase, NULL))
		return pd_error_set(err, "plan-reference",
				    "%s and %s wait for each other's output: a cycle",
				    steps[i].id, steps[to].id);
	return pd_error_set(err, "plan-reference",
			    "%s uses an output of %s (%s), which comes later in the plan",
			    steps[i].id, steps[to].id, steps[to].where);
}

static bool check_reference(struct context *c, size_t i, const char *param,
			    const json_t *ref, struct pd_error **err)
{
	const struct pd_plan_step *steps = c->plan->steps;
	const char *out = pd_json_text(ref, "out", "");
	const struct pd_step *from, *to = find_step(c, i, err);
	const struct pd_output *o = NULL;
	size_t at = place_of(c, ref);
	unsigned want;

	if (at >= c->plan->n_steps)
		return pd_error_set(err, "plan-reference",
				    "%s uses an output of '%s', which is not in the plan",
				    steps[i].id, pd_json_text(ref, "$ref", ""));
	if (at >= i)
		return wrong_order(c, i, at, err);
	from = find_step(c, at, err);
	o = from ? pd_step_output(from, out) : NULL;
	if (!from || !to)
		return false;
	if (!o)
		return pd_error_set(err, "plan-reference", "%s has no output '%s'",
				    steps[at].id, out);
	want = pd_step_param(to, param)->type;
	return pd_type_fits(o->type, want) ||
	       pd_error_set(err, "plan-reference",
			    "%s: parameter '%s' takes a %s, but output '%s' of %s is a %s",
			    steps[i].id, param, pd_type_name(want), out, steps[at].id,
			    pd_type_name(o->type));
}

static bool check_signoff(const struct pd_plan_step *s, struct pd_error **err)
{
	const json_t *parties = json_object_get(s->args, "parties"), *party;
	size_t i;

	if (strcmp(s->step, "signoff") != 0 || s->hold)
		return pd_error_set(err, "plan-invalid", "%s: there is no step '%s' "
				    "without a plugin", s->id, s->step);
	json_array_foreach(parties, i, party)
		if (!json_is_string(party) || json_string_length(party) == 0)
			return pd_error_set(err, "plan-invalid",
					    "%s: a party has no name", s->id);
	return json_array_size(parties) > 0 ||
	       pd_error_set(err, "plan-invalid", "%s: nobody is to sign", s->id);
}

/* Arguments fit, and leave to the engine what is the engine's. */
static bool check_args(const struct pd_step *step, const struct pd_plan_step *s,
		       struct pd_error **err)
{
	pd_auto_json *checked = pd_arguments_check(step, s->id, s->args, err);

	for (const struct pd_param *p = step->params; checked && p && p->name; p++)
		if ((p->flags & PD_P_ENGINE) && json_object_get(s->args, p->name))
			return pd_error_set(err, "argument-engine", "%s: the engine fills in '%s'",
					    s->id, p->name);
	return checked != NULL;
}

static bool check_guard(struct context *c, const struct pd_plan_step *s,
			struct pd_error **err)
{
	const struct pd_step *step = step_of(c, s, err);
	const json_t *value;
	const char *param;

	if (!step || !check_args(step, s, err))
		return false;
	if (!(step->flags & PD_S_GUARD))
		return pd_error_set(err, "plan-invalid", "%s: %s.%s can't be asked whether the run"
				    " may go on", s->id, s->plugin, s->step);
	json_object_foreach((json_t *)(uintptr_t)s->args, param, value)
		if (json_object_get(value, "$ref"))
			return pd_error_set(err, "plan-reference", "%s: a guard can't use an output",
					    s->id);
	return true;
}

void pd_plan_secrets(const struct pd_plan_step *s, const char *source, struct pd_strings *names)
{
	const char *param, *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)s->args, param, value) {
		name = pd_json_text(json_object_get(value, "$secret"), source, NULL);
		if (name && !pd_strings_has(names, name))
			pd_strings_add(names, name);
	}
}

const struct pd_plan_step *pd_plan_reboot_before(const struct pd_plan *plan,
						 struct pd_registry *reg, size_t i)
{
	struct context c = { .plan = plan, .reg = reg };
	const struct pd_step *step = find_step(&c, i, NULL);

	for (size_t k = 0; step && k < plan->n_steps; k++) {
		const struct pd_step *other = *plan->steps[k].plugin ? find_step(&c, k, NULL) : NULL;

		if (other && other->flags & PD_S_REBOOTS && (k < i || step->undo || plan->rounds > 1))
			return &plan->steps[k];
	}
	return NULL;
}

/* What a process has been given is gone after a reboot, also for an undo. */
static bool check_secrets(struct context *c, size_t i, struct pd_error **err)
{
	static const char *const given[][2] = {
		{ "prompt", "which a person types in" }, { "env", "which is in the environment" } };
	const struct pd_plan_step *s = &c->plan->steps[i], *reboot;

	for (size_t k = 0; k < 2; k++) {
		pd_auto(pd_strings) names = {0};

		pd_plan_secrets(s, given[k][0], &names);
		reboot = names.len ? pd_plan_reboot_before(c->plan, c->reg, i) : NULL;
		if (reboot)
			return pd_error_set(err, "secret-reboot", "%s needs the secret '%s', %s,"
				" and %s reboots the server, after which it is gone", s->id,
				names.items[0], given[k][1], reboot->id);
	}
	return true;
}

static bool check_step(struct context *c, size_t i, struct pd_error **err)
{
	const struct pd_plan_step *s = &c->plan->steps[i];
	const struct pd_step *step = NULL;

	if (!s->plugin[0])
		return check_signoff(s, err);
	step = find_step(c, i, err);
	if (!step || !check_args(step, s, err))
		return false;
	if (s->hold && (!step->undo || step->flags & PD_S_REBOOTS))
		return pd_error_set(err, "plan-invalid",
				    "%s can't be held: it has no undo that gives back%s", s->id,
				    step->flags & PD_S_REBOOTS ? " (it reboots)" : "");
	return check_secrets(c, i, err) && each_reference(c, i, check_reference, err);
}

bool pd_plan_validate(const struct pd_plan *plan, struct pd_registry *reg,
		      struct pd_error **err)
{
	pd_auto_json *index = json_object();
	struct context c = { .plan = plan, .reg = reg, .index = index };

	for (size_t i = 0; i < plan->n_steps; i++)
		json_object_set_new(index, plan->steps[i].id, json_integer((json_int_t)i));
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (check_step(&c, i, err))
			continue;
		if (err && !(*err)->where)
			(*err)->where = pd_strdup(plan->steps[i].where);
		return false;
	}
	for (size_t i = 0; i < plan->n_guards; i++) {
		if (check_guard(&c, &plan->guards[i], err))
			continue;
		if (err && !(*err)->where)
			(*err)->where = pd_strdup(plan->guards[i].where);
		return false;
	}
	return true;
}
