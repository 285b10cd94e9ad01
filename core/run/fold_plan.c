/* SPDX-License-Identifier: MIT */
/* How a plan enters the record: the first one, that of a further round, and
 * one that takes the place of the plan under way. */
#include "run/record.h"

/* Sign-offs are no steps of the run: they come after its last round. */
static void add_parties(struct pd_record *r, const struct pd_plan *plan)
{
	json_t *party;
	size_t k;

	for (size_t i = 0; i < plan->n_steps; i++)
		if (!*plan->steps[i].plugin)
			json_array_foreach(json_object_get(plan->steps[i].args, "parties"), k, party)
				if (json_is_string(party) &&
				    !pd_strings_has(&r->parties, json_string_value(party)))
					pd_strings_add(&r->parties, json_string_value(party));
}

void pd_record_missing(const struct pd_record *r, struct pd_strings *out)
{
	for (size_t i = 0; i < r->parties.len; i++) {
		bool signed_by = false;

		for (size_t k = 0; k < r->n_signatures; k++)
			signed_by |= strcmp(r->signatures[k].party,
					    r->parties.items[i]) == 0;
		if (!signed_by)
			pd_strings_add(out, r->parties.items[i]);
	}
}

/* The key of a new step: not one that is taken, since a key names a folder. */
static char *new_key(struct pd_record *r, int64_t round, const char *id, bool change)
{
	char *key = round > 1 ? pd_print("r%d/%s", (int)round, id) : pd_strdup(id);

	for (int i = 1; change && pd_record_step(r, key); i++) {
		free(key);
		key = round > 1 ? pd_print("c%d/r%d/%s", i, (int)round, id) :
				  pd_print("c%d/%s", i, id);
	}
	return key;
}

/* Takes the steps of the plan that is replaced out of the record. */
static struct pd_record_step *retire(struct pd_record *r, size_t *n)
{
	struct pd_plan *old = r->plans[--r->n_plans];
	size_t first = 0;
	struct pd_record_step *steps;

	while (first < r->n_steps && r->steps[first].plan != old)
		first++;
	*n = r->n_steps - first;
	steps = pd_alloc((*n + 1) * sizeof(*steps));
	memcpy(steps, r->steps + first, *n * sizeof(*steps));
	r->n_steps = first;
	pd_grow(r->retired, r->n_retired, r->cap_retired);
	r->retired[r->n_retired++] = old;
	return steps;
}

static void add_step(struct pd_record *r, struct pd_record_step s)
{
	pd_grow(r->steps, r->n_steps, r->cap_steps);
	r->steps[r->n_steps++] = s;
}

/* The old step that goes on as this one of the new plan; its place is emptied. */
static bool keep(struct pd_record *r, struct pd_record_step *old, size_t n,
		 const struct pd_plan *plan, const struct pd_plan_step *s)
{
	for (size_t i = 0; i < n; i++) {
		if (!old[i].key || strcmp(old[i].step->id, s->id) != 0)
			continue;
		old[i].plan = plan;
		old[i].step = s;
		add_step(r, old[i]);
		old[i] = (struct pd_record_step){0};
		return true;
	}
	return false;
}

static bool goes_on(const json_t *verdicts, const char *id)
{
	const char *verdict = pd_json_text(verdicts, id, "");

	return strcmp(verdict, "kept") == 0 || strcmp(verdict, "to do") == 0;
}

/* What was done and does not go on stays in the record, to be undone; the
 * rest of the old steps is forgotten. */
static void drop(struct pd_record *r, struct pd_record_step *old, size_t n,
		 const json_t *verdicts)
{
	for (size_t i = 0; i < n; i++) {
		if (goes_on(verdicts, old[i].step->id))
			continue;
		if (old[i].applied) {
			old[i].dropped = true;
			add_step(r, old[i]);
		} else {
			pd_record_step_clear(&old[i]);
		}
		old[i] = (struct pd_record_step){0};
	}
}

void pd_record_add_plan(struct pd_record *r, struct pd_plan *plan, int64_t round,
			const json_t *change)
{
	const json_t *verdicts = json_object_get(change, "steps");
	size_t n = 0;
	pd_auto_free struct pd_record_step *old = change ? retire(r, &n) : NULL;

	drop(r, old, n, verdicts);
	if (change)
		pd_strings_clear(&r->parties);
	for (size_t i = 0; change && i < r->n_plans; i++)
		add_parties(r, r->plans[i]);
	add_parties(r, plan);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct pd_plan_step *s = &plan->steps[i];

		if (*s->plugin && (!goes_on(verdicts, s->id) || !keep(r, old, n, plan, s)))
			add_step(r, (struct pd_record_step){
				.key = new_key(r, round, s->id, change), .plan = plan, .step = s,
				.outputs = json_object(), .remembered = json_object() });
	}
	for (size_t i = 0; i < n; i++) /* a plan that kept what it does not have */
		if (old[i].key)
			pd_record_step_clear(&old[i]);
	pd_grow(r->plans, r->n_plans, r->cap_plans);
	r->plans[r->n_plans++] = plan;
	r->nothing_left = plan->nothing != NULL;
}
