/* SPDX-License-Identifier: MIT */
/* How long steps take: learned from earlier runs, told by catalogs, declared. */
#include "run/estimate.h"

enum { SAMPLES = 20, RUNS = 40, REBOOT_MAX = 7200 };

/* What was learned: key -> list of its last seconds.  A key is "do" or "undo",
 * and "WORKFLOW ID" or the verb. */
struct lessons {
	struct pd_registry *reg;
	json_t *known, *verbs; /* verbs: of the run being read, id -> "plugin.step" */
	char *run, *workflow;
	int64_t reboot;        /* when it was asked for */
};

static void learn(struct lessons *l, const char *what, const char *name, const char *id,
		  double seconds)
{
	pd_auto_free char *key = id ? pd_print("%s %s %s", what, name, id) :
				      pd_print("%s %s", what, name);
	json_t *list = json_object_get(l->known, key);

	if (!list) {
		list = json_array();
		json_object_set_new(l->known, key, list);
	}
	if (json_array_size(list) == SAMPLES)
		json_array_remove(list, 0);
	json_array_append_new(list, json_real(seconds));
}

static void read_plan(struct lessons *l, const struct pd_event *e)
{
	json_t *plan = json_object_get(e->data, "plan"), *row;
	size_t i;

	free(l->run);
	free(l->workflow);
	l->run = pd_strdup(e->run);
	l->workflow = pd_strdup(pd_json_text(plan, "workflow", ""));
	json_object_clear(l->verbs);
	json_array_foreach(json_object_get(plan, "steps"), i, row) {
		pd_auto_free char *verb = pd_print("%s.%s", pd_json_text(row, "plugin", ""),
						   pd_json_text(row, "step", ""));

		json_object_set_new(l->verbs, pd_json_text(row, "id", ""), json_string(verb));
	}
}

/* "id" of "rN/id"; no stage is called rN/, since its name holds no slash. */
static const char *id_of(const struct lessons *l, const char *key)
{
	const char *slash = strchr(key, '/');

	return slash && !json_object_get(l->verbs, key) ? slash + 1 : key;
}

static bool read_time(void *user, const struct pd_event *e, struct pd_error **err)
{
	struct lessons *l = user;
	double seconds = json_number_value(json_object_get(e->data, "seconds"));
	const char *id = id_of(l, e->step), *verb = pd_json_text(l->verbs, id, NULL);
	const struct pd_step *step = verb ? pd_registry_step(l->reg, verb, NULL, NULL) : NULL;
	bool undo = strcmp(e->kind, "undone") == 0;

	(void)err;
	if (strcmp(e->kind, "plan") == 0) {
		read_plan(l, e);
	} else if (strcmp(e->kind, "reboot") == 0) {
		l->reboot = e->time;
	} else if (step && strcmp(e->run, l->run) == 0) {
		/* shutdown and start of the server are between its events */
		if (step->flags & PD_S_REBOOTS)
			seconds = (double)(e->time - l->reboot) / 1000;
		/* an unchanged step had nothing to do; a server was off for long */
		if ((!undo && step->apply &&
		     strcmp(pd_json_text(e->data, "result", ""), "changed") != 0) ||
		    (step->flags & PD_S_REBOOTS && seconds > REBOOT_MAX))
			return true;
		learn(l, undo ? "undo" : "do", l->workflow, id, seconds);
		learn(l, undo ? "undo" : "do", verb, NULL, seconds);
	}
	return true;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The 95th percentile by nearest rank; below zero: nothing is known. */
static double percentile(const struct lessons *l, const char *what, const char *name,
			 const char *id)
{
	pd_auto_free char *key = id ? pd_print("%s %s %s", what, name, id) :
				      pd_print("%s %s", what, name);
	const json_t *list = json_object_get(l->known, key);
	size_t n = json_array_size(list);
	double sorted[SAMPLES];

	for (size_t i = 0; i < n; i++)
		sorted[i] = json_real_value(json_array_get(list, i));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return n ? sorted[(n * 95 + 99) / 100 - 1] : -1;
}

/* What the catalogs say of all updates in a step's arguments. */
static double hinted(const json_t *args)
{
	const json_t *value, *row;
	const char *name;
	double sum = 0;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)args, name, value)
		json_array_foreach(json_object_get(value, "$updates"), i, row)
			sum += (double)pd_json_number(row, "expected", 0);
	return sum;
}

static double expected(const struct lessons *l, const char *what,
		       const struct pd_record_step *s, const struct pd_step *step)
{
	pd_auto_free char *verb = pd_print("%s.%s", s->step->plugin, s->step->step);
	double seconds = percentile(l, what, s->plan->workflow, s->step->id);

	if (seconds < 0)
		seconds = percentile(l, what, verb, NULL);
	if (seconds < 0)
		seconds = hinted(s->step->args);
	return seconds > 0 ? seconds : step && step->expected ? step->expected : 1;
}

bool pd_estimate_make(struct pd_estimate *t, struct pd_journal *j, const struct pd_record *r,
		      struct pd_registry *reg, struct pd_error **err)
{
	pd_auto_json *known = json_object(), *verbs = json_object();
	struct lessons l = { .reg = reg, .known = known, .verbs = verbs };
	bool ok = !j || pd_journal_times(j, RUNS, read_time, &l, err);

	pd_estimate_clear(t);
	t->n = r->n_steps;
	t->todo = pd_alloc((t->n + 1) * sizeof(*t->todo));
	t->back = pd_alloc((t->n + 1) * sizeof(*t->back));
	for (size_t i = 0; ok && i < t->n; i++) {
		const struct pd_record_step *s = &r->steps[i];
		pd_auto_free char *verb = pd_print("%s.%s", s->step->plugin, s->step->step);
		const struct pd_step *step = pd_registry_step(reg, verb, NULL, NULL);

		t->todo[i] = expected(&l, "do", s, step);
		t->back[i] = step && step->undo ? expected(&l, "undo", s, step) : 0;
	}
	free(l.run);
	free(l.workflow);
	return ok;
}

/* What is left of a hold: it is taken, again if it was given back, when there is
 * something left of its body, and given back. */
static double left_of_hold(const struct pd_estimate *t, const struct pd_record *r, size_t from,
			   size_t hold)
{
	const struct pd_record_step *s = &r->steps[hold];
	bool taken = hold >= from && !pd_record_over(s);

	for (size_t i = from; i < t->n && !taken && s->state != PD_STEP_SKIPPED; i++)
		taken = pd_record_inside(&r->steps[i], s) && !pd_record_over(&r->steps[i]);
	return (taken && s->state != PD_STEP_DONE ? t->todo[hold] : 0) +
	       (taken || pd_record_held(s) ? t->back[hold] : 0);
}

void pd_estimate_rest(const struct pd_estimate *t, const struct pd_record *r, size_t from,
		      double *todo, double *undo)
{
	*todo = *undo = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct pd_record_step *s = &r->steps[i];
		bool left = i >= from && !pd_record_over(s);

		if (s->step->hold)
			*todo += left_of_hold(t, r, from, i);
		else if (left)
			*todo += t->todo[i];
		if (!s->step->hold && (left || (s->applied && s->state != PD_STEP_UNDONE)))
			*undo += t->back[i];
	}
}

void pd_estimate_clear(struct pd_estimate *t)
{
	free(t->todo);
	free(t->back);
	*t = (struct pd_estimate){0};
}
