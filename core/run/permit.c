/* SPDX-License-Identifier: MIT */
/* May I go on?  Guards, waiting, and the word of a person that overrides. */
#include "run/permit.h"

#include <time.h>

#include "base/text.h"
#include "plugin/arguments.h"
#include "run/call.h"

enum { POLL = 30000, SAME_AGAIN = 600 }; /* milliseconds; seconds */

/* The part of a guard's id that people give. */
static const char *name_of(const struct pd_plan_step *guard)
{
	return guard->id + strlen("guard/");
}

/* A guard's arguments with what the engine knows. */
static json_t *with_times(const struct pd_engine *e, const struct pd_plan_step *guard,
			  const json_t *times)
{
	pd_auto_free char *verb = pd_print("%s.%s", guard->plugin, guard->step);
	const struct pd_step *step = pd_registry_step(e->o->registry, verb, NULL, NULL);
	json_t *args = json_copy((json_t *)(uintptr_t)guard->args);

	for (const struct pd_param *p = step ? step->params : NULL; p && p->name; p++)
		if (p->flags & PD_P_ENGINE)
			json_object_set(args, p->name, json_object_get(times, p->name));
	return args;
}

/* Ask one guard; its reasons go to @p out.  One that can't answer has a reason. */
static bool ask(struct pd_engine *e, const struct pd_plan *plan,
		const struct pd_plan_step *guard, const json_t *times, json_t *out)
{
	struct pd_record_step s = { .key = (char *)(uintptr_t)guard->id, .plan = plan,
				    .step = guard };
	pd_auto_json *ignored = json_object(), *reasons = json_array();
	pd_auto_json *args = with_times(e, guard, times);
	/* a Ctrl-C is heard when it has answered */
	struct pd_call c = { .e = e, .s = &s, .predicted = ignored, .inhibitors = reasons,
			     .dry = true, .guard = true, .undo = true };
	pd_auto(pd_worker_result) r = {0};
	json_t *row;
	size_t i;

	if (!pd_call(&c, PD_PHASE_CHECK, args, &r))
		return false;
	if (r.result < 0 && (r.result != PD_REFUSED || json_array_size(reasons) == 0))
		pd_call_inhibit(&c, r.result == PD_REFUSED ? "it must not go on now" :
				"nobody knows whether it may go on", r.message,
				"mend what the guard says, or override it by name");
	json_array_foreach(reasons, i, row) {
		json_object_set_new(row, "guard", json_string(name_of(guard)));
		if (r.result == PD_BAD_ARGS)
			json_object_set_new(row, "bad", json_true());
		json_array_append(out, row);
	}
	return true;
}

/* What all guards say of the stage of @p s; NULL: e->fatal.  The reasons of
 * overridden guards are kept apart. */
static json_t *ask_all(struct pd_engine *e, const struct pd_record_step *s)
{
	struct pd_record *r = e->record;
	const struct pd_plan *plan = s->plan;
	pd_auto_json *data = NULL;
	double todo, undo;

	if (e->times.n != r->n_steps &&
	    !pd_estimate_make(&e->times, e->journal, r, e->o->registry, &e->fatal))
		return NULL;
	pd_estimate_rest(&e->times, r, (size_t)(s - r->steps), &todo, &undo);
	data = json_pack("{s:s, s:I, s:I, s:[], s:[]}", "stage", plan->stages[s->step->stage].name,
		"expected_do", (json_int_t)(todo + 0.999), "expected_undo",
		(json_int_t)(undo + 0.999), "reasons", "overridden");
	for (size_t i = 0; i < plan->n_guards; i++)
		if (!ask(e, plan, &plan->guards[i], data, json_object_get(data,
			 pd_strings_has(&r->overridden, name_of(&plan->guards[i])) ?
			 "overridden" : "reasons")))
			return NULL;
	return json_incref(data);
}

/* The same guards, whatever figures they give. */
static bool same(const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, "reasons"), *y = json_object_get(b, "reasons");
	bool equal = json_array_size(x) == json_array_size(y);

	for (size_t i = 0; equal && i < json_array_size(x); i++)
		equal = strcmp(pd_json_text(json_array_get(x, i), "guard", ""),
			       pd_json_text(json_array_get(y, i), "guard", "")) == 0;
	return equal;
}

/* Only when it is journaled that it waits may somebody else write to it. */
static bool note_wait(struct pd_engine *e, const json_t *data)
{
	const json_t *reasons = json_object_get(data, "reasons"), *row;
	pd_auto(pd_buffer) why = {0};
	size_t i;

	json_array_foreach(reasons, i, row)
		pd_buffer_print(&why, "%s%s: %s", i ? "; " : "", pd_json_text(row, "guard", ""),
				pd_json_text(row, "cause", ""));
	return pd_engine_state(e, PD_RUN_WAITING, why.data ? why.data : "");
}

static bool note_go(struct pd_engine *e, json_t *data)
{
	json_object_del(data, "reasons");
	return pd_engine_note(e, "go", "", json_incref(data), true) &&
	       (e->record->state == PD_RUN_RUNNING || pd_engine_state(e, PD_RUN_RUNNING, ""));
}

/* Until it is time to ask again, or somebody has said something; false: asked to
 * stop, or e->fatal. */
static bool pause_for(struct pd_engine *e, int64_t milliseconds)
{
	const struct timespec piece = { .tv_nsec = 100000000 };
	int64_t last = e->record->last;

	for (int64_t i = 100; i <= milliseconds && last == e->record->last &&
			      !pd_engine_signal(e); i += 100) {
		nanosleep(&piece, NULL);
		if (i % 1000 == 0 && !pd_engine_hear(e))
			return false;
	}
	return !pd_engine_signal(e);
}

static bool is_next_to(const struct pd_record_step *a, const struct pd_record_step *b)
{
	return a->plan == b->plan && a->step->stage == b->step->stage;
}

/* Is it, or one before it, of its stage begun? */
static bool stage_begun(const struct pd_record *r, const struct pd_record_step *s)
{
	for (const struct pd_record_step *p = s; is_next_to(p, s); p--) {
		if (p->state != PD_STEP_PENDING && p->state != PD_STEP_SKIPPED)
			return true;
		if (p == r->steps)
			break;
	}
	return false;
}

/* A new plan asks anew, and so does who comes before the stage was begun: time
 * has gone by. */
static bool was_let_go(const struct pd_record *r, const struct pd_record_step *s)
{
	return stage_begun(r, s) && r->go_stage && r->go_plan == r->plans[r->n_plans - 1] &&
	       strcmp(r->go_stage, s->plan->stages[s->step->stage].name) == 0;
}

enum pd_outcome pd_permit(struct pd_engine *e, const struct pd_record_step *s,
			  enum pd_outcome (*give_back)(struct pd_engine *,
						       const struct pd_record_step *))
{
	pd_auto_json *last = NULL;
	enum pd_outcome back;
	time_t noted = 0;

	if (!s->plan->n_guards || was_let_go(e->record, s))
		return PD_OUT_DONE;
	for (;;) {
		pd_auto_json *now = ask_all(e, s);

		if (!now)
			return PD_OUT_FATAL;
		if (pd_engine_signal(e) == SIGTERM)
			return PD_OUT_SIGNAL;
		/* what was said by now counts, what comes later does not */
		if (!pd_journal_begin(e->journal, &e->fatal) || !pd_engine_hear(e))
			return PD_OUT_FATAL;
		if (e->record->state == PD_RUN_UNDOING)
			return PD_OUT_SIGNAL;
		if (json_array_size(json_object_get(now, "reasons")) == 0)
			return note_go(e, now) ? PD_OUT_DONE : PD_OUT_FATAL;
		if ((!last || !same(last, now) ||
		     (time(NULL) - noted >= SAME_AGAIN && !json_equal(last, now)))) {
			if (!pd_engine_note(e, "wait", "", json_incref(now), true))
				return PD_OUT_FATAL;
			json_decref(last);
			last = json_incref(now);
			noted = time(NULL);
			/* nobody knows for how long: services do not wait stopped */
			back = give_back(e, NULL);
			if (back != PD_OUT_DONE)
				return back;
			if (!note_wait(e, now))
				return PD_OUT_FATAL;
			if (e->record->state == PD_RUN_UNDOING)
				return PD_OUT_SIGNAL;
		}
		if (!pd_journal_flush(e->journal, &e->fatal))
			return PD_OUT_FATAL;
		if (e->o->no_wait || !pause_for(e, e->o->poll ? e->o->poll : POLL))
			return e->fatal ? PD_OUT_FATAL : PD_OUT_SIGNAL;
	}
}

bool pd_permit_look(struct pd_engine *e, char **bad)
{
	const struct pd_record *r = e->record;
	pd_auto_json *data = NULL;
	json_t *row;
	size_t i;

	*bad = NULL;
	if (!r->n_steps || !r->plans[0]->n_guards)
		return true;
	data = ask_all(e, &r->steps[0]);
	json_array_foreach(json_object_get(data, "reasons"), i, row)
		if (!*bad && pd_json_true(row, "bad"))
			*bad = pd_print("guard %s: %s", pd_json_text(row, "guard", ""),
					pd_json_text(row, "cause", ""));
	return data && (e->journal || pd_engine_note(e, json_array_size(json_object_get(data, "reasons")) ?
				      "wait" : "go", "", json_incref(data), false));
}

/* Names given, one by one; the caller clears. */
static struct pd_strings names_given(const char *text)
{
	struct pd_strings out = {0};

	for (size_t len; text && *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len)
			pd_strings_add_take(&out, pd_strndup(text, len));
	}
	return out;
}

bool pd_permit_known(const struct pd_engine *e, struct pd_error **err)
{
	pd_auto(pd_strings) given = names_given(e->o->emergency), known = {0};
	pd_auto_free char *all = NULL;
	const char *near;

	for (size_t p = 0; p <= e->record->n_plans; p++) {
		/* the last one: what a resume changes to */
		const struct pd_plan *plan = p < e->record->n_plans ? e->record->plans[p] : e->o->plan;

		for (size_t i = 0; plan && i < plan->n_guards; i++)
			pd_strings_add(&known, name_of(&plan->guards[i]));
	}
	for (size_t i = 0; i < given.len; i++) {
		if (pd_strings_has(&known, given.items[i]))
			continue;
		all = pd_strings_join(&known, ", ");
		near = pd_nearest(given.items[i], (const char *const *)known.items, known.len);
		pd_error_set(err, "guard-unknown", "the workflow has no guard '%s'; it has: %s",
			     given.items[i], known.len ? all : "none");
		return near ? pd_error_remedy(err, "did you mean '%s'?", near) : false;
	}
	return !given.len || (e->o->why && *e->o->why) ||
	       pd_error_set(err, "guard-why", "--emergency says why, for the report: --why TEXT");
}

bool pd_permit_override(struct pd_engine *e)
{
	pd_auto(pd_strings) given = names_given(e->o->emergency);
	json_t *names = json_array();

	for (size_t i = 0; i < given.len; i++)
		json_array_append_new(names, json_string(given.items[i]));
	if (!given.len) {
		json_decref(names);
		return true;
	}
	return pd_engine_note(e, "override", "", json_pack("{s:o, s:s, s:s}", "names", names,
			      "why", e->o->why, "who", e->o->who ? e->o->who : ""), true);
}
