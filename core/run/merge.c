/* SPDX-License-Identifier: MIT */
/* What a person changes before a run goes on: a new plan for the round under
 * way, steps that are passed over, steps that are done once more. */
#include "run/forecast.h"
#include "run/engine.h"

#include "base/text.h"

static struct pd_record_step *of_plan(struct pd_record *r, const struct pd_plan *plan,
				      const char *id)
{
	struct pd_record_step like = { .plan = plan };

	return pd_record_sibling(r, &like, id);
}

/* Do all values that a step takes come from steps that stay as they are? */
static bool inputs_kept(const json_t *value, const json_t *verdicts)
{
	const char *ref = pd_json_text(value, "$ref", NULL), *key;
	json_t *item;
	size_t i;

	if (ref)
		return strcmp(pd_json_text(verdicts, ref, ""), "kept") == 0;
	json_array_foreach(value, i, item)
		if (!inputs_kept(item, verdicts))
			return false;
	if (json_is_object(value) && !json_object_get(value, "$updates"))
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
			if (!inputs_kept(item, verdicts))
				return false;
	return true;
}

static const char *verdict_of(const struct pd_record_step *old, const struct pd_plan_step *s,
			      const json_t *verdicts)
{
	bool over = old && (old->state == PD_STEP_DONE || old->state == PD_STEP_UNDONE);
	bool same = old && strcmp(old->step->plugin, s->plugin) == 0 &&
		    strcmp(old->step->step, s->step) == 0 && old->step->hold == s->hold &&
		    json_equal(old->step->args, s->args);

	if (same && (inputs_kept(s->args, verdicts) || !(over || old->applied)))
		return over ? "kept" : "to do";
	return over || (old && old->applied) ? "invalid" : "new";
}

/* What did a step is not what it would be done by now; the caller frees; NULL. */
static char *other_plugin(const struct pd_engine *e, const struct pd_record_step *s)
{
	const struct pd_plugin *p = !s->version ? NULL :
		pd_registry_find(e->o->registry, s->step->plugin, NULL);

	return !p || strcmp(p->version, s->version) == 0 ? NULL :
		pd_print("plugin %s is %s now, was %s", s->step->plugin, p->version, s->version);
}

/* What becomes of a step that the new plan does not have; a wall is counted. */
static const char *fate_of(struct pd_engine *e, const struct pd_record_step *old, size_t *walls)
{
	const char *wall = old->applied && old->state != PD_STEP_UNDONE ?
		pd_engine_no_return(e, old) : NULL;

	*walls += wall != NULL;
	return wall ? "can't be undone" : !old->applied ? "forgotten" :
	       old->step->hold ? "given back" : "undone";
}

/* "steps": id -> kept, to do, invalid, new; "gone" and "undo": id -> fate;
 * "plugins": id of what is kept -> of which its plugin is another one. */
static json_t *compare(struct pd_engine *e, const struct pd_plan *plan, size_t *walls)
{
	struct pd_record *r = e->record;
	const struct pd_plan *last = r->plans[r->n_plans - 1];
	json_t *verdicts = json_object(), *gone = json_object(), *undo = json_object();
	json_t *plugins = json_object();

	*walls = 0;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct pd_plan_step *s = &plan->steps[i];
		const struct pd_record_step *old = of_plan(r, last, s->id);
		const char *verdict = verdict_of(old, s, verdicts);
		pd_auto_free char *other = *verdict == 'k' ? other_plugin(e, old) : NULL;

		if (!*s->plugin)
			continue;
		json_object_set_new(verdicts, s->id, json_string(verdict));
		if (other)
			json_object_set_new(plugins, s->id, json_string(other));
		if (*verdict == 'i')
			json_object_set_new(undo, s->id, json_string(fate_of(e, old, walls)));
	}
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].plan == last && (r->steps[i].applied ||
		    r->steps[i].state == PD_STEP_DONE) &&
		    !json_object_get(verdicts, r->steps[i].step->id))
			json_object_set_new(gone, r->steps[i].step->id,
					    json_string(fate_of(e, &r->steps[i], walls)));
	return json_pack("{s:o, s:o, s:o, s:o}", "steps", verdicts, "undo", undo, "gone", gone,
			 "plugins", plugins);
}

/* The dry run of what is new, on a copy of the record: nothing is journaled
 * before it is known that it could go on. */
static struct pd_record *rehearse(struct pd_engine *e, json_t *data, struct pd_error **err)
{
	struct pd_run_options quiet = *e->o;
	struct pd_engine dry = { .o = &quiet,
		.record = pd_record_read(e->journal, e->record->run, err) };
	pd_auto_json *refused = NULL;
	bool ok;

	quiet.event = NULL;
	if (!dry.record)
		return NULL;
	dry.record->accepted |= e->o->accept_no_return != NULL;
	ok = pd_engine_note(&dry, "plan", "", json_incref(data), false);
	for (size_t i = 0; ok && i < dry.record->n_steps; i++)
		if (dry.record->steps[i].state == PD_STEP_PENDING && !dry.record->steps[i].predicted)
			ok = pd_engine_predict(&dry, &dry.record->steps[i]);
	free(dry.text);
	refused = pd_forecast_refusals(dry.record);
	if (ok && !json_array_size(refused))
		return dry.record;
	if (!ok) {
		pd_error_move(err, dry.fatal);
	} else {
		pd_auto_free char *why = pd_engine_why_refused(&dry);

		pd_error_set(err, "change-refused", "the changed plan is refused: %s", why);
	}
	pd_record_free(dry.record);
	return NULL;
}

/* What others said while a person was asked, and steps were looked at, comes first:
 * of a run that was called back nothing is changed any more. */
static bool overtaken(struct pd_engine *e)
{
	return pd_engine_warn(e, "the change was not taken over: the run was called back"
			      " before it was made");
}

static bool new_plan(struct pd_engine *e, struct pd_error **err)
{
	struct pd_record *r = e->record;
	size_t walls = 0;
	pd_auto_json *change = compare(e, e->o->plan, &walls);
	pd_auto_json *data = json_pack("{s:I, s:O, s:O, s:O?, s:s*, s:s}", "round",
		(json_int_t)r->n_plans, "plan", e->o->plan->json, "change", change, "inputs",
		e->o->inputs, "who", e->o->who, "why", e->o->why ? e->o->why : "asked for");
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *dry = NULL;
	bool ok = e->o->confirm && e->o->confirm(e->o->user, change);

	if (!pd_engine_hear(e))
		return false;
	if (e->called_back)
		return overtaken(e);
	if (!ok)
		return pd_error_set(err, "change-refused", "the change of the plan of run %s was"
				    " not agreed to", r->run);
	if (walls && !e->o->accept_no_return)
		return pd_error_set(err, "change-refused", "the changed plan drops what can't be"
				    " undone (%zu of its steps)", walls);
	dry = rehearse(e, data, err);
	if (dry && (!pd_journal_begin(e->journal, &e->fatal) || !pd_engine_hear(e)))
		return false;
	if (dry && e->called_back)
		return overtaken(e);
	ok = dry && pd_engine_note(e, "plan", "", json_incref(data), false);
	for (size_t i = 0; ok && i < dry->n_steps; i++)
		if (dry->steps[i].state == PD_STEP_PENDING && dry->steps[i].predicted)
			ok = pd_engine_note(e, "predict", dry->steps[i].key,
					    json_incref(dry->steps[i].predicted), false);
	return ok;
}

static struct pd_record_step *find(struct pd_record *r, const char *key, struct pd_error **err)
{
	struct pd_record_step *s = pd_record_step(r, key);
	pd_auto_free const char **keys = pd_alloc((r->n_steps + 1) * sizeof(*keys));
	const char *near;

	for (size_t i = 0; i < r->n_steps; i++)
		keys[i] = r->steps[i].key;
	near = s ? NULL : pd_nearest(key, keys, r->n_steps);
	if (!s)
		pd_error_set(err, "step-none", "run %s has no step '%s'", r->run, key);
	if (near)
		pd_error_remedy(err, "Did you mean '%s'?", near);
	return s;
}

static bool takes(const json_t *value, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (takes(item, id))
			return true;
	return strcmp(pd_json_text(value, "$ref", ""), id) == 0;
}

/* The step to come that takes an output of @p s, or NULL. */
static const struct pd_record_step *taker(const struct pd_engine *e,
					  const struct pd_record_step *s)
{
	for (size_t i = 0; i < e->record->n_steps; i++) {
		const struct pd_record_step *t = &e->record->steps[i];
		const char *name;
		json_t *value;

		if (t->plan == s->plan && t->state != PD_STEP_DONE &&
		    t->state != PD_STEP_SKIPPED && !pd_strings_has(e->o->skip, t->key))
			json_object_foreach((json_t *)(uintptr_t)t->step->args, name, value)
				if (takes(value, s->step->id))
					return t;
	}
	return NULL;
}

static bool may_skip(const struct pd_engine *e, const struct pd_record_step *s,
		     struct pd_error **err)
{
	const struct pd_record_step *t = taker(e, s);

	if (s->dropped || s->step->hold || (s->state != PD_STEP_PENDING &&
	    s->state != PD_STEP_BEGUN && s->state != PD_STEP_FAILED))
		return pd_error_set(err, "step-state", "%s is %s%s and can't be passed over",
				    s->key, s->step->hold ? "a hold, " : "",
				    pd_step_state_name(s->state));
	return !t || pd_error_set(err, "step-state", "%s can't be passed over: %s needs its"
				  " output", s->key, t->key);
}

static bool may_redo(const struct pd_record_step *s, struct pd_error **err)
{
	/* one that has failed and is not passed over is tried again anyway */
	bool over = s->state == PD_STEP_DONE || (s->state == PD_STEP_FAILED && pd_record_over(s));

	return (!s->dropped && !s->step->hold && over) ||
	       pd_error_set(err, "step-state", "%s is %s%s and can't be done again", s->key,
			    s->step->hold ? "a hold, " : "", pd_step_state_name(s->state));
}

/* All of them, or none. */
static bool decide(struct pd_engine *e, const struct pd_strings *keys, const char *kind,
		   struct pd_error **err)
{
	bool skip = strcmp(kind, "skip") == 0, ok = true;

	for (size_t i = 0; keys && i < keys->len; i++) {
		const struct pd_record_step *s = find(e->record, keys->items[i], err);

		if (!s || (skip ? !may_skip(e, s, err) : !may_redo(s, err)))
			return false;
	}
	for (size_t i = 0; ok && keys && i < keys->len; i++)
		ok = pd_engine_note(e, kind, keys->items[i], json_pack("{s:s*, s:s}", "who",
				    e->o->who, "why", e->o->why), false);
	return ok;
}

char *pd_engine_other_script(const struct pd_engine *e, const char *digest)
{
	const struct pd_plan *last = e->record->plans[e->record->n_plans - 1];

	return !*digest || strcmp(digest, pd_json_text(last->json, "script_digest", "")) == 0 ? NULL :
	       pd_print("%s is not as it was when round %zu was planned", last->script, e->record->n_plans);
}

static bool note_script(struct pd_engine *e)
{
	pd_auto_free char *text = NULL;
	pd_digest now = "";

	if (pd_digest_file(e->record->plans[e->record->n_plans - 1]->script, now, NULL, NULL))
		text = pd_engine_other_script(e, now);
	return !text || pd_engine_warn(e, text);
}

/* Steps that stay done though they would be done by another plugin now. */
static bool note_plugins(struct pd_engine *e)
{
	for (size_t i = 0; i < e->record->n_steps; i++) {
		const struct pd_record_step *s = &e->record->steps[i];
		pd_auto_free char *other = s->state == PD_STEP_DONE ? other_plugin(e, s) : NULL;
		pd_auto_free char *text = other ? pd_print("%s: what it has done stays", other) : NULL;

		if (text && !pd_engine_warn(e, text))
			return false;
	}
	return true;
}

bool pd_engine_change(struct pd_engine *e, struct pd_error **err)
{
	const struct pd_run_options *o = e->o;
	bool skip = o->skip && o->skip->len, redo = o->redo && o->redo->len;

	if ((o->accept_no_return && !*o->accept_no_return) ||
	    (o->accept_failing && !*o->accept_failing) ||
	    ((skip || redo) && !(o->why && *o->why)))
		return pd_error_set(err, "no-reason", "say why");
	if (skip + redo + (o->plan != NULL) > 1)
		return pd_error_set(err, "change-state", "one change at a time: another plan,"
				    " steps passed over, or steps done again");
	if ((skip || redo || o->plan) && e->record->state == PD_RUN_UNDOING)
		return pd_error_set(err, "change-state", "run %s is being undone", e->record->run);
	if ((skip || redo) && (!pd_journal_begin(e->journal, &e->fatal) || !pd_engine_hear(e)))
		return false;
	if (e->called_back)
		return overtaken(e);
	if (!decide(e, o->skip, "skip", err) || !decide(e, o->redo, "again", err))
		return false;
	if (o->plan ? !new_plan(e, err) : !note_script(e))
		return false;
	return e->called_back || (note_plugins(e) && pd_engine_accept(e));
}

json_t *pd_run_inputs(const char *state, const char *run, struct pd_error **err)
{
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(state, true, err);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		j ? pd_record_read(j, run, err) : NULL;

	return r && r->n_plans ? json_pack("{s:O, s:I, s:O, s:O}", "inputs", r->inputs, "round",
		(json_int_t)r->n_plans, "plan", r->plans[r->n_plans - 1]->json, "first",
		r->plans[0]->json) : NULL;
}
