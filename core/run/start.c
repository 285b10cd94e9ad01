/* SPDX-License-Identifier: MIT */
/* The ways into a run: dry run, start, resume, undo, each under the lock. */
#include "run/engine.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "run/boot.h"
#include "run/forecast.h"
#include "run/lock.h"
#include "run/permit.h"

enum { MAX_RESUMES = 5 }; /* by the server's start, without a step ending */

static bool predict_all(struct pd_engine *e, json_t **refusals)
{
	for (size_t i = 0; i < e->record->n_steps; i++)
		if (e->record->steps[i].state != PD_STEP_SKIPPED &&
		    !pd_engine_predict(e, &e->record->steps[i]))
			return false;
	*refusals = pd_forecast_refusals(e->record);
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

/* From the journal that a dry run does not write: how long it takes, and *why
 * no run may start. */
static bool learned(struct pd_engine *e, const char *state, struct pd_error **why)
{
	pd_auto_error *none = NULL;
	struct pd_journal *peek = pd_journal_peek(state);
	struct pd_engine look = { .o = e->o, .journal = peek ? peek :
				  pd_journal_open(state, true, &none) };
	bool ok = pd_estimate_make(&e->times, look.journal, e->record, e->o->registry, &e->fatal);

	if (none && strcmp(none->id, "journal-lost") == 0) {
		pd_error_move(why, none);
		none = NULL;
	} else if (ok && !(look.journal ? pd_engine_free_server(&look, "", why) :
					  pd_boot_free(state, why))) {
		ok = *why != NULL;
	}
	pd_journal_close(look.journal);
	return ok;
}

static void refuse(json_t *refusals, const char *risk, const char *cause, const char *remedy)
{
	json_array_append_new(refusals, json_pack("{s:s, s:s, s:s, s:s*}", "step", "", "risk", risk,
						  "cause", cause, "remedy", remedy));
}

struct pd_record *pd_run_check(const struct pd_run_options *o, struct pd_plan *plan,
			       json_t **refusals, struct pd_error **err)
{
	struct pd_engine e = { .o = o, .record = pd_record_new("check") };
	pd_auto_free char *bad = NULL;
	pd_auto_error *other = NULL;

	*refusals = NULL;
	if (!note_plan(&e, plan, NULL) || !learned(&e, o->state, &other) || !pd_engine_accept(&e) ||
	    !predict_all(&e, refusals) || !pd_permit_look(&e, &bad)) {
		pd_error_move(err, e.fatal);
		pd_record_free(e.record);
		e.record = NULL;
	}
	if (e.record && bad)
		refuse(*refusals, "nobody can say whether it may go on", bad,
		       "correct the guard's arguments in the workflow");
	if (e.record && other)
		refuse(*refusals, strcmp(other->id, "journal-lost") == 0 ? "a run that has not ended would"
		       " be forgotten" : "two runs would change the server at once", other->message,
		       pd_error_advice(other));
	pd_estimate_clear(&e.times);
	free(e.text);
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

static bool own(struct pd_engine *e, struct pd_error **err)
{
	pd_auto_json *now = pd_engine_witness(e);
	pd_auto(pd_strings) credentials = {0};

	if (e->record->boot && pd_boot_differs(e->record->boot, now) &&
	    !pd_engine_note(e, "boot", "", json_pack("{s:s, s:O}", "how", pd_record_asked(e->record) ?
			    "as planned" : "spontaneous", "witness", now), false))
		return false;
	for (size_t i = 0; i < e->record->n_steps; i++)
		pd_plan_secrets(e->record->steps[i].step, "credential", &credentials);
	return pd_engine_note(e, "owner", "", json_pack("{s:I, s:O, s:b}", "pid",
			      (json_int_t)getpid(), "boot", now, "unattended",
			      e->o->unattended), true) &&
	       (!e->o->resume_argv || pd_boot_arm(e->o->state, e->o->resume_argv, &credentials, err));
}

/* The record at the end of all: to who wants it. */
static void let_go(struct pd_engine *e)
{
	if (e->o->record)
		*e->o->record = e->record;
	else
		pd_record_free(e->record);
	pd_journal_close(e->journal);
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
	free(e->text);
	pd_estimate_clear(&e->times);
	if (e->fatal) {
		pd_error_move(err, e->fatal);
		e->fatal = NULL;
	}
	pd_journal_close(e->journal);
	e->journal = NULL;
	return end;
}

/* The dry run that nothing is done before; false with *end: the run ends here. */
static bool look_first(struct pd_engine *e, enum pd_run_end *end)
{
	pd_auto_free char *why = NULL;
	pd_auto_json *refusals = NULL;

	*end = PD_END_WAITING;
	if (!predict_all(e, &refusals) || !pd_permit_look(e, &why))
		return false;
	if (e->o->unattended && pd_engine_signal(e) == SIGTERM)
		return false; /* the server goes down: leave it as a crash would */
	if (!json_array_size(refusals) && !pd_engine_signal(e) && !why)
		return true;
	why = why ? why : pd_engine_why_refused(e);
	*end = pd_engine_end(e, PD_RUN_REFUSED, why);
	return false;
}

static enum pd_run_end start(struct pd_engine *e, struct pd_error **err)
{
	struct pd_record *planned = e->record;
	enum pd_run_end end = PD_END_WAITING;
	bool noted;

	if (e->o->accept_no_return && !*e->o->accept_no_return)
		return !pd_error_set(err, "no-reason", "say why no way back is needed") *
		       PD_END_INVALID;
	if (e->o->accept_failing && !*e->o->accept_failing)
		return !pd_error_set(err, "no-reason", "say why steps may fail before the start") *
		       PD_END_INVALID;
	if (!pd_engine_free_server(e, "", err))
		return PD_END_REFUSED;
	if (!pd_permit_known(e, err))
		return PD_END_INVALID;
	e->record = pd_record_new(planned->run);
	noted = note_plan(e, planned->plans[0], planned->inputs);
	pd_record_free(planned); /* from here on the plan is the journaled one */
	if (!noted || !pd_engine_accept(e) || !look_first(e, &end))
		return end;
	if (own(e, err))
		return pd_permit_override(e) ? pd_engine_work(e) : end;
	/* of two that looked at once, one may begin */
	return *err && strcmp((*err)->id, "run-elsewhere") == 0 ?
	       pd_engine_end(e, PD_RUN_REFUSED, (*err)->message) : end;
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
	} else {
		pd_plan_free(plan);
	}
	let_go(&e);
	return end;
}

/* Only under the lock: until then its last owner may have gone on. */
static bool load(struct pd_engine *e, struct pd_error **err)
{
	struct pd_record *r = pd_journal_check(e->journal, err) ?
		pd_record_read(e->journal, e->record->run, err) : NULL;

	/* a process that was killed may have left workers behind */
	if (!e->o->pretend)
		pd_worker_sweep(e->record->run);
	if (!r)
		return false;
	pd_record_free(e->record);
	e->record = r;
	return true;
}

/* Is the plugin there, with this step?  If not, the folder that it was in is told. */
static bool has_step(struct pd_engine *e, const struct pd_plan_step *s, struct pd_error **err)
{
	pd_auto_free char *name = pd_print("%s.%s", s->plugin, s->step);
	pd_auto(pd_strings) folders = {0};
	pd_auto_free char *all = NULL;
	const json_t *folder;
	size_t i;

	if (!*s->plugin || pd_registry_step(e->o->registry, name, NULL, err))
		return true;
	json_array_foreach(json_object_get(e->record->inputs, "plugin_dirs"), i, folder)
		pd_strings_add(&folders, json_string_value(folder));
	all = pd_strings_join(&folders, " --plugin-dir ");
	pd_error_prefix(err, "run %s needs the step %s", e->record->run, name);
	if (!folders.len)
		return pd_error_remedy(err, "Nothing was touched. Install the plugin again as it was, or"
				       " name its folder with --plugin-dir.");
	return pd_error_remedy(err, "Nothing was touched. The run was begun with --plugin-dir %s: give it"
			       " again, with the plugin in it as it was.", all);
}

/* What steps need that is not in the journal: their plugins, as far as something is
 * still to be done, held or taken back, and secrets that were typed in. */
static bool is_ready(struct pd_engine *e, bool back, struct pd_error **err)
{
	const struct pd_record *r = e->record;

	back |= r->state == PD_RUN_UNDOING;
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];
		bool again = s->state == PD_STEP_UNDONE && s->step->hold; /* around what is left */
		bool todo = !back && !e->o->plan && !s->dropped && (s->state == PD_STEP_PENDING || again) &&
			    !(e->o->skip && pd_strings_has(e->o->skip, s->key));

		if ((todo || (s->applied && s->state != PD_STEP_UNDONE)) && !has_step(e, s->step, err))
			return false;
	}
	for (size_t i = 0; !back && !e->o->plan && i < r->plans[r->n_plans - 1]->n_guards; i++)
		if (!has_step(e, &r->plans[r->n_plans - 1]->guards[i], err))
			return false;
	return !e->o->ready || e->o->ready(e->o->user, r, err);
}

static enum pd_run_end go_on(struct pd_engine *e, struct pd_error **err)
{
	pd_auto_free char *why = NULL;
	enum pd_run_end end;
	struct pd_record *r;

	if (!load(e, err))
		return PD_END_INVALID;
	r = e->record;
	if (!pd_engine_free_server(e, r->run, err))
		return PD_END_REFUSED;
	if (pd_run_state_ended(r->state)) {
		if (r->state != PD_RUN_INCONSISTENT && (e->o->plan || e->o->why))
			pd_error_set(err, "change-state", "run %s is %s", r->run,
				     pd_run_state_name(r->state));
		if (r->state != PD_RUN_INCONSISTENT)
			return *err ? PD_END_INVALID : pd_run_state_end(r->state);
		pd_error_set(err, "run-inconsistent", "run %s is inconsistent: %s",
			     r->run, r->why ? r->why : "");
		return PD_END_INCONSISTENT;
	}
	if (!is_ready(e, false, err))
		return PD_END_INVALID;
	if (e->o->unattended && r->resumes > MAX_RESUMES)
		return pd_engine_give_up(e);
	if (!pd_permit_known(e, err))
		return PD_END_INVALID;
	if (!pd_engine_change(e, err))
		return !*err ? PD_END_WAITING : strcmp((*err)->id, "change-refused") == 0 ?
		       PD_END_REFUSED : PD_END_INVALID;
	/* one that was killed before anything was done has its dry run still before it */
	if (r->state == PD_RUN_NEW && !look_first(e, &end))
		return end;
	if (!own(e, err) || !pd_permit_override(e))
		return PD_END_WAITING;
	why = pd_strdup(r->why ? r->why : ""); /* the record's changes with its state */
	return r->state == PD_RUN_UNDOING ? pd_engine_undo_all(e, why) : pd_engine_work(e);
}

/* Journaled before it is owned: whoever goes on with it after a crash has to go back.
 * Where nobody would be started after one, it stays as it was. */
static bool turn_back(struct pd_engine *e, const char *because, struct pd_error **err)
{
	enum pd_run_state was = e->record->state;
	pd_auto_free char *why = pd_strdup(e->record->why ? e->record->why : "");

	if (!pd_engine_state(e, PD_RUN_UNDOING, because))
		return false;
	if (own(e, err))
		return true;
	if (*err && was != PD_RUN_UNDOING)
		(void)!pd_engine_state(e, was, why);
	return false;
}

static enum pd_run_end take_back(struct pd_engine *e, struct pd_error **err)
{
	pd_auto_free char *because = pd_engine_asked_by(e, "a person");

	if (!load(e, err))
		return PD_END_INVALID;
	if (e->record->state == PD_RUN_ROLLED_BACK)
		return PD_END_ROLLED_BACK;
	if (!pd_record_unsealed(e->record, err) || !pd_engine_free_server(e, e->record->run, err))
		return PD_END_REFUSED;
	if (e->record->state == PD_RUN_CLEARED) {
		pd_error_set(err, "run-cleared", "run %s: %s", e->record->run, e->record->why);
		return PD_END_REFUSED;
	}
	if (e->record->state == PD_RUN_REFUSED)
		return !pd_error_set(err, "change-state", "run %s is refused: nothing of it was done, and"
				     " nothing is to be undone", e->record->run) * PD_END_INVALID;
	if (!is_ready(e, true, err))
		return PD_END_INVALID;
	if (!pd_engine_newer(e, err))
		return PD_END_REFUSED;
	return turn_back(e, because, err) ? pd_engine_undo_all(e, because) : PD_END_WAITING;
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
	let_go(&e);
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
