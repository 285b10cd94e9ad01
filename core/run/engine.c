/* SPDX-License-Identifier: MIT */
/* The order of a run: steps, holds, policies, rounds, undo, and the end. */
#include "run/engine.h"

#include <inttypes.h>

#include "run/boot.h"
#include "run/compare.h"
#include "run/permit.h"

json_t *pd_engine_witness(const struct pd_engine *e)
{
	return e->o->pretend ? json_pack("{s:o}", "boot_id", json_sprintf("%" PRId64, e->o->boots)) :
			       pd_boot_witness();
}

/* What a listener has missed stands in the journal. */
static bool note_unheard(struct pd_engine *e)
{
	int64_t n = e->o->unheard ? e->o->unheard(e->o->user) : 0;
	pd_auto_free char *text = pd_print("%" PRId64 " events did not reach the hook: it is gone,"
					   " or was too slow", n);

	return !n || pd_engine_note(e, "warning", "", json_pack("{s:s}", "text", text), false);
}

/* The run is over for this process: say why it stands where it does. */
enum pd_run_end pd_engine_end(struct pd_engine *e, enum pd_run_state state, const char *why)
{
	if (!pd_compare_after(e, state) || !note_unheard(e))
		return PD_END_WAITING;
	if (state != PD_RUN_RUNNING && state != PD_RUN_REBOOTING && !e->o->pretend)
		pd_boot_disarm(e->o->state);
	return pd_engine_state(e, state, why) ? pd_run_state_end(state) :
						      PD_END_WAITING;
}

/* Give back all that is held and not around @p next (NULL: everything). */
static enum pd_outcome give_back(struct pd_engine *e, const struct pd_record_step *next)
{
	enum pd_outcome worst = PD_OUT_DONE, one;

	for (size_t i = e->record->holds ? e->record->n_steps : 0; i-- > 0;) {
		struct pd_record_step *s = &e->record->steps[i];

		if (s == next || !pd_record_held(s) || pd_record_inside(next, s))
			continue;
		one = pd_engine_undo_step(e, s);
		if (one == PD_OUT_FATAL || one == PD_OUT_SIGNAL)
			return one;
		if (one == PD_OUT_FAILED)
			worst = one;
	}
	return worst;
}

/* What a stop had given back is taken again before the body goes on; *culprit:
 * what could not be. */
static enum pd_outcome take_again(struct pd_engine *e, const struct pd_record_step *next,
				  const struct pd_record_step **culprit)
{
	for (size_t i = 0; i < next->step->n_inside; i++) {
		const struct pd_plan_step *p = &next->plan->steps[next->step->inside[i]];
		struct pd_record_step *s = pd_record_sibling(e->record, next, p->id);
		enum pd_outcome one = PD_OUT_DONE;

		if (s && s->state != PD_STEP_DONE && s->state != PD_STEP_SKIPPED)
			one = pd_engine_step(e, s);
		if (one != PD_OUT_DONE) {
			*culprit = s;
			return one;
		}
	}
	return PD_OUT_DONE;
}

/* A person has to decide; what is held comes back meanwhile. */
static enum pd_run_end stop(struct pd_engine *e, const char *why)
{
	enum pd_outcome back = give_back(e, NULL);

	if (back == PD_OUT_SIGNAL || back == PD_OUT_FATAL)
		return PD_END_WAITING; /* as a crash would leave it */
	if (pd_engine_stuck(e->record)) {
		pd_auto_free char *since = pd_print("since step %s: what was held did not come"
			" back: %s", pd_engine_stuck(e->record)->key,
			pd_engine_stuck(e->record)->message);

		return pd_engine_end(e, PD_RUN_INCONSISTENT, since);
	}
	return pd_engine_end(e, PD_RUN_STOPPED, why);
}

enum pd_run_end pd_engine_give_up(struct pd_engine *e)
{
	static const char why[] = "the server was started again and again without a step coming to its end";
	const struct pd_record_step *s = pd_engine_undo_next(e->record);
	pd_auto_free char *since = pd_print("since step %s: while it was undone, %s", s ? s->key : "-", why);
	enum pd_outcome back;

	/* what brings the server down when it is given back does so once */
	pd_boot_disarm(e->o->state);
	if (e->record->state != PD_RUN_UNDOING)
		return stop(e, why);
	back = give_back(e, NULL);
	return back == PD_OUT_SIGNAL || back == PD_OUT_FATAL ? PD_END_WAITING :
		pd_engine_end(e, PD_RUN_INCONSISTENT, since);
}

/* A step has failed, or what it held did not come back. */
static enum pd_run_end failed(struct pd_engine *e, enum pd_on_failure policy,
			      const struct pd_record_step *s)
{
	pd_auto_free char *why = pd_print("%s: %s", s->key, s->message ? s->message : "");

	return policy == PD_ON_FAILURE_UNDO && !pd_engine_signal(e) ? pd_engine_undo_all(e, why) :
								      stop(e, why);
}

/* Is there anything against a step, or against the stage that it opens?  True:
 * no; false with *end: the run ends or waits here. */
static bool may_begin(struct pd_engine *e, const struct pd_record_step *s, bool opens,
		      enum pd_on_failure policy, enum pd_run_end *end)
{
	enum pd_outcome permit = pd_permit(e, s, give_back);
	pd_auto_free char *why = NULL;

	if (permit == PD_OUT_FAILED)
		*end = failed(e, policy, pd_engine_stuck(e->record));
	if (permit == PD_OUT_SIGNAL && e->record->state == PD_RUN_UNDOING) {
		why = pd_strdup(e->record->why); /* the record's changes with its state */
		*end = pd_engine_undo_all(e, why);
	}
	if (permit != PD_OUT_DONE)
		return false;
	if (pd_engine_signal(e)) {
		/* the server goes down: leave it as a crash would */
		if (pd_engine_signal(e) != SIGTERM)
			*end = stop(e, "asked to stop by a person");
		return false;
	}
	why = opens ? pd_engine_stage_gate(e, s) : NULL;
	if (why)
		*end = policy == PD_ON_FAILURE_UNDO ? pd_engine_undo_all(e, why) : stop(e, why);
	return !why;
}

/* With what has to be held around it, and nothing else. */
static enum pd_outcome one_step(struct pd_engine *e, struct pd_record_step *s,
				const struct pd_record_step **culprit)
{
	enum pd_outcome outcome = give_back(e, s);

	*culprit = s;
	if (outcome == PD_OUT_FAILED)
		*culprit = pd_engine_stuck(e->record);
	if (outcome == PD_OUT_DONE)
		outcome = take_again(e, s, culprit);
	return outcome == PD_OUT_DONE ? pd_engine_step(e, s) : outcome;
}

/* Steps in order from where the run is; false with *end: it ends here. */
static bool steps(struct pd_engine *e, enum pd_run_end *end)
{
	struct pd_record *r = e->record;
	const struct pd_record_step *stage = NULL, *culprit = NULL;
	enum pd_outcome last;

	*end = PD_END_WAITING;
	for (size_t i = 0; i < r->n_steps; i++) {
		struct pd_record_step *s = &r->steps[i];
		enum pd_on_failure policy = s->plan->stages[s->step->stage].on_failure;
		bool opens = !stage || stage->plan != s->plan || stage->step->stage != s->step->stage;
		enum pd_outcome outcome;

		if (r->again && !s->dropped && s->state == PD_STEP_DONE && pd_engine_stale(e, s) &&
		    !pd_engine_note(e, "again", s->key, json_pack("{s:s}", "why",
				    "what it was given is different now"), true))
			return false;
		if (pd_record_over(s))
			continue;
		if (!may_begin(e, s, opens, policy, end))
			return false;
		stage = s;
		outcome = one_step(e, s, &culprit);
		if (outcome == PD_OUT_FAILED && (culprit != s || policy != PD_ON_FAILURE_CONTINUE ||
						 pd_engine_signal(e))) {
			*end = failed(e, policy, culprit);
			return false;
		}
		if (outcome != PD_OUT_DONE && outcome != PD_OUT_FAILED)
			return false;
	}
	last = give_back(e, NULL);
	if (last == PD_OUT_FAILED)
		*end = failed(e, PD_ON_FAILURE_STOP, pd_engine_stuck(r));
	return last == PD_OUT_DONE;
}

/* Look again whether something is needed; true: there is a further round. */
static bool next_round(struct pd_engine *e, enum pd_run_end *end)
{
	struct pd_record *r = e->record;
	int64_t round = (int64_t)r->n_plans;
	pd_auto_error *err = NULL;
	pd_auto_free char *other = NULL;
	struct pd_plan *plan;
	bool noted;

	if (r->nothing_left || !e->o->replan)
		return false;
	if (round >= r->plans[0]->rounds) {
		if (round > 1)
			(void)!pd_engine_warn(e, "that was the last round that the workflow"
					      " allows: nobody has looked whether all is done");
		return false;
	}
	plan = e->o->replan(e->o->user, r->inputs, round + 1, &err);
	if (!plan) {
		pd_auto_free char *text = pd_error_text(err);

		*end = pd_engine_end(e, PD_RUN_STOPPED, text);
		return true;
	}
	other = pd_engine_other_script(e, pd_json_text(plan->json, "script_digest", ""));
	if (other) {
		pd_auto_free char *text = pd_print("%s; `patchday resume --workflow %s` shows what"
			" it would do now, and asks", other, plan->script);

		pd_plan_free(plan);
		*end = stop(e, text);
		return true;
	}
	noted = pd_engine_note(e, "plan", "", json_pack("{s:I, s:O}", "round",
			       (json_int_t)(round + 1), "plan", plan->json), true);
	pd_plan_free(plan);
	return noted && !r->nothing_left;
}

static bool is_begun(const struct pd_record_step *s)
{
	return s->state != PD_STEP_PENDING && s->state != PD_STEP_SKIPPED;
}

/* A further round has its dry run too, each time until a step of it is begun;
 * false with *end: something speaks against it, and the run stops before it. */
static bool look_ahead(struct pd_engine *e, enum pd_run_end *end)
{
	struct pd_record *r = e->record;
	const struct pd_plan *last = r->plans[r->n_plans - 1];
	pd_auto_free char *why = NULL;
	bool refused = false;

	for (size_t i = 0; i < r->n_steps; i++)
		if (r->n_plans == 1 || (r->steps[i].plan == last && is_begun(&r->steps[i])))
			return true;
	for (size_t i = 0; i < r->n_steps; i++) {
		struct pd_record_step *s = &r->steps[i];

		if (s->plan != last || s->state != PD_STEP_PENDING)
			continue;
		if (!pd_engine_predict(e, s))
			return false;
		refused |= json_array_size(json_object_get(s->predicted, "inhibitors")) > 0;
	}
	why = refused ? pd_engine_why_refused(e) : NULL;
	if (why)
		*end = stop(e, why);
	return !why;
}

/* Where the policy is to go on, for all to see. */
static bool note_passed_over(struct pd_engine *e)
{
	for (size_t i = 0; i < e->record->n_steps; i++) {
		const struct pd_record_step *s = &e->record->steps[i];
		pd_auto_free char *text = s->state != PD_STEP_FAILED || s->dropped ? NULL :
			pd_print("%s failed, and the run went on without it", s->key);

		if (text && !pd_engine_warn(e, text))
			return false;
	}
	return true;
}

enum pd_run_end pd_engine_work(struct pd_engine *e)
{
	enum pd_outcome dropped;
	enum pd_run_end end = PD_END_WAITING;
	pd_auto(pd_strings) missing = {0};
	pd_auto_free char *who = NULL;

	if (!pd_engine_state(e, PD_RUN_RUNNING, ""))
		return end;
	if (e->record->state == PD_RUN_UNDOING) {
		who = pd_strdup(e->record->why);
		return pd_engine_undo_all(e, who);
	}
	dropped = pd_engine_undo_dropped(e);
	if (dropped == PD_OUT_FAILED)
		return pd_engine_undo_all(e, "a step that the changed plan drops can't be undone");
	if (dropped != PD_OUT_DONE)
		return end;
	do {
		if (!pd_compare_before(e) || !look_ahead(e, &end) || !steps(e, &end))
			return end;
	} while (next_round(e, &end) && e->record->state == PD_RUN_RUNNING);
	if (e->record->state != PD_RUN_RUNNING || e->fatal || !note_passed_over(e))
		return end;
	pd_record_missing(e->record, &missing);
	who = pd_strings_join(&missing, ", ");
	return missing.len ? pd_engine_end(e, PD_RUN_SIGNOFF, who) :
			     pd_engine_end(e, PD_RUN_DONE, e->record->plans[0]->nothing ?
				      e->record->plans[0]->nothing : "");
}
