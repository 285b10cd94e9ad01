/* SPDX-License-Identifier: MIT */
/* The order of a run: steps, holds, policies, rounds, undo, and the end. */
#include "run/engine.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "run/boot.h"
#include "run/forecast.h"
#include "run/lock.h"

enum { MAX_RESUMES = 5 }; /* by the server's start, without a step ending */

enum pd_run_end pd_run_state_end(enum pd_run_state s)
{
	switch (s) {
	case PD_RUN_DONE: return PD_END_DONE;
	case PD_RUN_ROLLED_BACK: return PD_END_ROLLED_BACK;
	case PD_RUN_INCONSISTENT: return PD_END_INCONSISTENT;
	case PD_RUN_REFUSED: return PD_END_REFUSED;
	default: return PD_END_WAITING;
	}
}

/* The run is over for this process: say why it stands where it does. */
static enum pd_run_end end_with(struct pd_engine *e, enum pd_run_state state,
				const char *why)
{
	if (state != PD_RUN_RUNNING && state != PD_RUN_REBOOTING)
		pd_boot_disarm();
	return pd_engine_state(e, state, why) ? pd_run_state_end(state) :
						      PD_END_WAITING;
}

static bool held(const struct pd_record_step *s)
{
	return s->step->hold && s->applied && s->state != PD_STEP_UNDONE &&
	       s->state != PD_STEP_STUCK;
}

static bool is_inside(const struct pd_record_step *s, const struct pd_plan_step *hold)
{
	for (size_t i = 0; s && i < s->step->n_inside; i++)
		if (&s->plan->steps[s->step->inside[i]] == hold)
			return true;
	return false;
}

/* Give back all that is held and not around @p next (NULL: everything). */
static enum pd_outcome give_back(struct pd_engine *e, const struct pd_record_step *next)
{
	enum pd_outcome worst = PD_OUT_DONE, one;

	for (size_t i = e->record->n_steps; i-- > 0;) {
		struct pd_record_step *s = &e->record->steps[i];

		if (s == next || !held(s) || is_inside(next, s->step))
			continue;
		one = pd_engine_undo_step(e, s);
		if (one == PD_OUT_FATAL || one == PD_OUT_SIGNAL)
			return one;
		if (one == PD_OUT_FAILED)
			worst = one;
	}
	return worst;
}

/* What a stop had given back is taken again before the body goes on. */
static enum pd_outcome take_again(struct pd_engine *e, const struct pd_record_step *next)
{
	for (size_t i = 0; i < next->step->n_inside; i++) {
		const struct pd_plan_step *p = &next->plan->steps[next->step->inside[i]];
		struct pd_record_step *s = pd_record_sibling(e->record, next, p->id);
		enum pd_outcome one = PD_OUT_DONE;

		if (s && s->state != PD_STEP_DONE)
			one = pd_engine_step(e, s);
		if (one != PD_OUT_DONE)
			return one;
	}
	return PD_OUT_DONE;
}

static enum pd_run_end undo_all(struct pd_engine *e, const char *because)
{
	pd_auto_free char *stuck = NULL, *no_return = NULL, *why = NULL;

	if (!pd_engine_state(e, PD_RUN_UNDOING, because))
		return PD_END_WAITING;
	for (size_t i = e->record->n_steps; i-- > 0;) {
		struct pd_record_step *s = &e->record->steps[i];
		const char *wall = pd_engine_no_return(e, s);
		enum pd_outcome outcome;

		if (!s->applied || s->state == PD_STEP_UNDONE)
			continue;
		if (wall && !no_return)
			no_return = pd_print("%s: %s", s->key, wall);
		/* behind a wall only what is held comes back */
		if (wall || ((stuck || no_return) && !s->step->hold))
			continue;
		outcome = pd_engine_undo_step(e, s);
		if (outcome == PD_OUT_FATAL || outcome == PD_OUT_SIGNAL)
			return PD_END_WAITING;
		if (outcome == PD_OUT_FAILED && !stuck)
			stuck = pd_print("%s: %s", s->key, s->message ? s->message : "");
	}
	if (stuck)
		return end_with(e, PD_RUN_INCONSISTENT, stuck);
	why = no_return ? pd_print("%s; undone as far as the point of no return, %s",
				   because, no_return) : pd_strdup(because);
	return end_with(e, PD_RUN_ROLLED_BACK, why);
}

/* A person has to decide; what is held comes back meanwhile. */
static enum pd_run_end stop(struct pd_engine *e, const char *why)
{
	if (give_back(e, NULL) == PD_OUT_FAILED)
		return end_with(e, PD_RUN_INCONSISTENT, "what was held did not come back");
	return end_with(e, PD_RUN_STOPPED, why);
}

/* A step has failed, or what it held did not come back. */
static enum pd_run_end failed(struct pd_engine *e, enum pd_on_failure policy,
			      const struct pd_record_step *s)
{
	pd_auto_free char *why = pd_print("%s: %s", s->key, s->message ? s->message : "");

	return policy == PD_ON_FAILURE_UNDO && !pd_engine_signal(e) ? undo_all(e, why) :
								      stop(e, why);
}

static const struct pd_record_step *first_stuck(const struct pd_record *r)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].state == PD_STEP_STUCK)
			return &r->steps[i];
	return &r->steps[0];
}

/* Steps in order from where the run is; false with *end: it ends here. */
static bool steps(struct pd_engine *e, enum pd_run_end *end)
{
	struct pd_record *r = e->record;
	enum pd_outcome last;

	*end = PD_END_WAITING;
	for (size_t i = 0; i < r->n_steps; i++) {
		struct pd_record_step *s = &r->steps[i];
		enum pd_on_failure policy = s->plan->stages[s->step->stage].on_failure;
		enum pd_outcome outcome;

		/* a hold that was cut off while it was given back: give_back()
		 * or take_again() of a later step brings it to its end */
		if (s->state == PD_STEP_DONE || s->state == PD_STEP_UNDONE ||
		    (s->step->hold && s->state == PD_STEP_UNDOING) ||
		    (s->state == PD_STEP_FAILED && policy == PD_ON_FAILURE_CONTINUE))
			continue;
		if (pd_engine_signal(e)) {
			/* the server goes down: leave it as a crash would */
			if (pd_engine_signal(e) != SIGTERM)
				*end = stop(e, "asked to stop by a person");
			return false;
		}
		outcome = give_back(e, s);
		if (outcome == PD_OUT_FAILED) {
			*end = failed(e, policy, first_stuck(r));
			return false;
		}
		if (outcome == PD_OUT_DONE)
			outcome = take_again(e, s);
		if (outcome == PD_OUT_DONE)
			outcome = pd_engine_step(e, s);
		if (outcome == PD_OUT_FAILED && (policy != PD_ON_FAILURE_CONTINUE ||
						 pd_engine_signal(e))) {
			*end = failed(e, policy, s);
			return false;
		}
		if (outcome != PD_OUT_DONE && outcome != PD_OUT_FAILED)
			return false;
	}
	last = give_back(e, NULL);
	if (last == PD_OUT_FAILED)
		*end = failed(e, PD_ON_FAILURE_STOP, first_stuck(r));
	return last == PD_OUT_DONE;
}

/* Look again whether something is needed; true: there is a further round. */
static bool next_round(struct pd_engine *e, enum pd_run_end *end)
{
	struct pd_record *r = e->record;
	int64_t round = (int64_t)r->n_plans;
	pd_auto_error *err = NULL;
	struct pd_plan *plan;
	bool noted;

	if (r->nothing_left || !e->o->replan ||
	    round >= r->plans[0]->rounds)
		return false;
	plan = e->o->replan(e->o->user, r->inputs, round + 1, &err);
	if (!plan) {
		pd_auto_free char *text = pd_error_text(err);

		*end = end_with(e, PD_RUN_STOPPED, text);
		return true;
	}
	noted = pd_engine_note(e, "plan", "", json_pack("{s:I, s:O}", "round",
			       (json_int_t)(round + 1), "plan", plan->json), true);
	pd_plan_free(plan);
	return noted && !r->nothing_left;
}

static enum pd_run_end work(struct pd_engine *e)
{
	enum pd_run_end end = PD_END_WAITING;
	pd_auto(pd_strings) missing = {0};
	pd_auto_free char *who = NULL;

	if (!pd_engine_state(e, PD_RUN_RUNNING, ""))
		return end;
	do {
		if (!steps(e, &end))
			return end;
	} while (next_round(e, &end) && e->record->state == PD_RUN_RUNNING);
	if (e->record->state != PD_RUN_RUNNING || e->fatal)
		return end;
	pd_record_missing(e->record, &missing);
	who = pd_strings_join(&missing, ", ");
	return missing.len ? end_with(e, PD_RUN_SIGNOFF, who) :
			     end_with(e, PD_RUN_DONE, e->record->plans[0]->nothing ?
				      e->record->plans[0]->nothing : "");
}

static bool predict_all(struct pd_engine *e, size_t *refused)
{
	pd_auto_json *all = NULL;

	for (size_t i = 0; i < e->record->n_steps; i++)
		if (!pd_engine_predict(e, &e->record->steps[i]))
			return false;
	all = pd_forecast_refusals(e->record);
	*refused = json_array_size(all);
	return true;
}

static bool note_plan(struct pd_engine *e, const struct pd_plan *plan,
		      const json_t *inputs)
{
	return pd_engine_note(e, "run", "", json_pack("{s:s, s:s, s:O?}", "server",
			      plan->server, "version", PACKAGE_VERSION, "inputs", inputs),
			      false) &&
	       pd_engine_note(e, "plan", "", json_pack("{s:i, s:O}", "round", 1, "plan",
			      plan->json), true);
}

struct pd_record *pd_run_check(const struct pd_run_options *o, struct pd_plan *plan,
			       size_t *refused, struct pd_error **err)
{
	struct pd_engine e = { .o = o, .record = pd_record_new("check") };

	*refused = 0;
	if (!note_plan(&e, plan, NULL) || !predict_all(&e, refused)) {
		pd_error_move(err, e.fatal);
		pd_record_free(e.record);
		return NULL;
	}
	return e.record;
}

static char *new_run_id(void)
{
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm = {0};

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	return pd_print("%s-%04x", stamp, (unsigned)randombytes_uniform(0x10000));
}

/* A run that is neither done nor given up stands in the way of a new one. */
static bool none_open(struct pd_journal *j, struct pd_error **err)
{
	pd_auto_free char *id = pd_journal_find(j, NULL, NULL);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		id ? pd_record_read(j, id, err) : NULL;

	if (!id || (r && pd_run_state_ended(r->state) &&
		    r->state != PD_RUN_INCONSISTENT))
		return true;
	if (!r)
		return false;
	return pd_error_set(err, "run-open", "run %s is %s%s%s", id,
			    pd_run_state_name(r->state), r->why && *r->why ? ": " : "",
			    r->why ? r->why : "");
}

static bool own(struct pd_engine *e, struct pd_error **err)
{
	pd_auto_json *now = pd_boot_witness();
	bool pending = e->record->state == PD_RUN_REBOOTING;

	/* a process that was killed may have left workers behind */
	pd_worker_sweep(e->record->run);
	if (e->record->boot && !pending && pd_boot_differs(e->record->boot, now) &&
	    !pd_engine_note(e, "boot", "", json_pack("{s:s, s:O}", "how",
			    "spontaneous", "witness", now), false))
		return false;
	return pd_engine_note(e, "owner", "", json_pack("{s:I, s:O, s:b}", "pid",
			      (json_int_t)getpid(), "boot", now, "unattended",
			      e->o->unattended), true) &&
	       (!e->o->resume_argv || pd_boot_arm(e->o->resume_argv, err));
}

/* Everything between the lock and its end. */
static enum pd_run_end with_lock(struct pd_engine *e, struct pd_error **err,
				 enum pd_run_end (*body)(struct pd_engine *,
							 struct pd_error **))
{
	pd_auto_close int lock = pd_lock_take(e->o->state, e->journal, e->record->run, err);
	enum pd_run_end end;

	if (lock < 0)
		return PD_END_REFUSED;
	end = body(e, err);
	if (e->fatal) {
		pd_error_move(err, e->fatal);
		e->fatal = NULL;
	}
	return end;
}

static enum pd_run_end start(struct pd_engine *e, struct pd_error **err)
{
	struct pd_plan *plan = e->record->plans[0];
	pd_auto_json *inputs = json_incref(e->record->inputs);
	struct pd_record *planned = e->record;
	pd_auto_free char *why = NULL;
	size_t refused = 0;
	enum pd_run_end end = PD_END_WAITING;

	if (!none_open(e->journal, err))
		return PD_END_REFUSED;
	e->record = pd_record_new(planned->run);
	if (note_plan(e, plan, inputs) && predict_all(e, &refused)) {
		if (refused || pd_engine_signal(e))
			end = end_with(e, PD_RUN_REFUSED, why = pd_engine_why_refused(e));
		else if (own(e, err))
			end = work(e);
	}
	pd_record_free(planned);
	return end;
}

enum pd_run_end pd_run_start(const struct pd_run_options *o, struct pd_plan *plan,
			     const json_t *inputs, char **run, struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	enum pd_run_end end = PD_END_INVALID;

	*run = NULL;
	if (e.journal) {
		*run = new_run_id();
		e.record = pd_record_new(*run);
		e.record->inputs = json_deep_copy(inputs);
		pd_grow(e.record->plans, e.record->n_plans, e.record->cap_plans);
		e.record->plans[e.record->n_plans++] = plan;
		end = with_lock(&e, err, start);
		pd_record_free(e.record);
	} else {
		pd_plan_free(plan);
	}
	pd_journal_close(e.journal);
	return end;
}

/* Only under the lock: until then its last owner may have gone on. */
static bool load(struct pd_engine *e, struct pd_error **err)
{
	struct pd_record *r = pd_journal_check(e->journal, err) ?
		pd_record_read(e->journal, e->record->run, err) : NULL;

	if (r) {
		pd_record_free(e->record);
		e->record = r;
	}
	return r != NULL;
}

static enum pd_run_end go_on(struct pd_engine *e, struct pd_error **err)
{
	pd_auto_free char *why = NULL;
	struct pd_record *r;

	if (!load(e, err))
		return PD_END_INVALID;
	r = e->record;
	if (pd_run_state_ended(r->state)) {
		if (r->state != PD_RUN_INCONSISTENT)
			return pd_run_state_end(r->state);
		pd_error_set(err, "run-inconsistent", "run %s is inconsistent: %s",
			     r->run, r->why ? r->why : "");
		return PD_END_INCONSISTENT;
	}
	if (e->o->unattended && r->resumes > MAX_RESUMES)
		return end_with(e, PD_RUN_STOPPED, "the server was started again and"
				" again without a step coming to its end");
	if (!own(e, err))
		return PD_END_WAITING;
	why = pd_strdup(r->why ? r->why : ""); /* the record's changes with its state */
	return r->state == PD_RUN_UNDOING ? undo_all(e, why) : work(e);
}

static enum pd_run_end take_back(struct pd_engine *e, struct pd_error **err)
{
	if (!load(e, err))
		return PD_END_INVALID;
	if (e->record->state == PD_RUN_ROLLED_BACK)
		return PD_END_ROLLED_BACK;
	return own(e, err) ? undo_all(e, "asked for by a person") : PD_END_WAITING;
}

static enum pd_run_end on_run(const struct pd_run_options *o, const char *run,
			      enum pd_run_end (*body)(struct pd_engine *,
						      struct pd_error **),
			      struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	enum pd_run_end end = PD_END_INVALID;

	if (e.journal) {
		e.record = pd_record_new(run);
		end = with_lock(&e, err, body);
	}
	pd_record_free(e.record);
	pd_journal_close(e.journal);
	return end;
}

enum pd_run_end pd_run_resume(const struct pd_run_options *o, const char *run,
			      struct pd_error **err)
{
	return on_run(o, run, go_on, err);
}

enum pd_run_end pd_run_undo(const struct pd_run_options *o, const char *run,
			    struct pd_error **err)
{
	return on_run(o, run, take_back, err);
}
