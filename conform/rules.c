/* SPDX-License-Identifier: MIT */
/* The rules, tried on a step. */
#include "trial.h"

/* ---------------------------------------------------------------- the trials */

/* @return true: go on, there is work to do. */
static bool try_check(struct trial *t)
{
	pd_auto_free char *why = NULL, *still_why = NULL;
	int result = 0, still = 0, shut = 0;

	if (!trial_call(t, t->n, (struct how){ .phase = PD_PHASE_CHECK }, &result, &why))
		return false;
	if (trial_is_bug(result, why))
		verdict_broken(&t->v, RULE_STILL, "%s", why);
	if (result < 0)
		trial_unfit(t);
	if (result < 0 && result != PD_REFUSED) {
		trial_untried(t, "check fails here", why);
		return false;
	}
	if (!trial_call(t, t->n, (struct how){ .phase = PD_PHASE_CHECK, .flag = "still" }, &still, &still_why))
		return false;
	verdict_kept(&t->v, RULE_STILL);
	if (still != result)
		verdict_broken(&t->v, RULE_STILL, "check returns %d below the filter, and %d without it%s%s",
			       still, result, *still_why ? ": " : "", still_why);
	if (!trial_call(t, t->n, (struct how){ .phase = PD_PHASE_CHECK, .flag = "shut" }, &shut, &still_why))
		return false;
	/* no room to write is a reason to refuse */
	if (shut != result && shut != PD_REFUSED)
		verdict_broken(&t->v, RULE_STILL, "check returns %d on a read-only system, and %d on one that"
			       " can be written%s%s", shut, result, *still_why ? ": " : "", still_why);
	trial_compare(t, RULE_STILL, t->before, "after check");
	if (!trial_call(t, t->n, (struct how){ .phase = PD_PHASE_CHECK, .flag = "stop" }, &still, NULL))
		return false;
	verdict_kept(&t->v, RULE_LIMIT);
	if (result == PD_REFUSED)
		trial_not_applied(t, "check refuses to start it here", why);
	if (t->v.of[RULE_STILL].state == VERDICT_BROKEN || t->v.of[RULE_LIMIT].state == VERDICT_BROKEN) {
		trial_untried(t, "nothing else is tried", "its check can't be relied on");
		return false;
	}
	return result == PD_CHANGED;
}

/* Verify, or check, has to say that the work is done. */
static bool prove(struct trial *t, enum rule r, const char *when)
{
	pd_auto_free char *why = NULL;
	int result;

	if (!trial_call(t, t->n, (struct how){ .phase = t->step->verify ? PD_PHASE_VERIFY : PD_PHASE_CHECK },
		  &result, &why))
		return false;
	if (result < 0)
		verdict_broken(&t->v, r, "%s: %s fails: %s", when, t->step->verify ? "verify" : "check", why);
	else if (result == PD_CHANGED)
		verdict_broken(&t->v, r, "%s: there is no verify, and check still finds work to do", when);
	return true;
}

static bool undo_to_before(struct trial *t, enum rule r, const char *when)
{
	if (t->step->undo && trial_must(t, r, PD_PHASE_UNDO, when))
		trial_compare(t, r, t->before, when);
	return !*t->err;
}

static void note_secrets(struct trial *t)
{
	pd_auto_json *paths = place_secrets(t->place);
	json_t *path;
	size_t i;

	json_array_foreach(paths, i, path)
		verdict_broken(&t->v, RULE_SECRET, "a secret stands in %s, where others than its owner"
			       " can read it", json_string_value(path));
}

static bool try_apply(struct trial *t)
{
	pd_auto_free char *why = NULL;
	pd_auto_json *once = NULL;
	int result;

	if (!trial_call(t, t->n, (struct how){ .phase = PD_PHASE_APPLY }, &result, &why))
		return false;
	if (trial_is_bug(result, why))
		verdict_broken(&t->v, RULE_TWICE, "%s", why);
	else if (result < 0)
		trial_not_applied(t, "apply fails here", why);
	if (result < 0)
		trial_unfit(t);
	if (result < 0 || !prove(t, RULE_TWICE, "after apply"))
		return false;
	note_secrets(t);
	once = place_look(t->place);
	if (trial_must(t, RULE_TWICE, PD_PHASE_APPLY, "the second time")) {
		trial_compare(t, RULE_TWICE, once, "after apply was called again");
		if (!prove(t, RULE_TWICE, "after apply was called again"))
			return false;
	}
	verdict_kept(&t->v, RULE_TWICE);
	if (!t->step->undo)
		return !*t->err;
	if (!undo_to_before(t, RULE_UNDO, "after undo") ||
	    !undo_to_before(t, RULE_UNDO, "after undo was called again") || !trial_begin(t) ||
	    !undo_to_before(t, RULE_UNDO, "after undo of nothing"))
		return false;
	verdict_kept(&t->v, RULE_UNDO);
	return true;
}

/* apply is asked to stop when it begins; what it did is undone.  First of all,
 * since one that can't be stopped may go on for ever. */
static bool try_stop(struct trial *t)
{
	int result;

	return trial_call(t, t->n, (struct how){ .phase = PD_PHASE_APPLY, .flag = "stop" }, &result, NULL) &&
	       t->v.of[RULE_LIMIT].state != VERDICT_BROKEN &&
	       undo_to_before(t, RULE_UNDO, "after undo of an apply that was asked to stop");
}

/* And then while it works: what ends at once, and keeps nothing, needs nobody to ask.
 * Last but for the kills, of which each takes as long as its work. */
static bool try_stop_late(struct trial *t)
{
	static const char when[] = "after an apply that was asked to stop while it worked";
	static const char undone[] = "after undo of an apply that was asked to stop while it worked";
	int result;

	if (t->took < LENS_QUICK && !t->times)
		return true;
	return trial_begin(t) &&
	       trial_call(t, t->n, (struct how){ .phase = PD_PHASE_APPLY, .late = t->took ? t->took : 1 }, &result, NULL) &&
	       (result < 0 || t->v.of[RULE_TWICE].state == VERDICT_BROKEN || prove(t, RULE_LIMIT, when)) &&
	       undo_to_before(t, RULE_UNDO, undone);
}

/* Killed after its remember number @p k of @p phase, and then called again; or,
 * of apply, undone at once. */
static bool try_kill(struct trial *t, enum pd_phase phase, size_t k, bool undone)
{
	pd_auto_free char *when = pd_print("killed after pd_remember() number %zu of %s", k, trial_phases[phase]);
	pd_auto_free char *why = NULL;
	int result;

	if (!trial_begin(t) || (phase == PD_PHASE_UNDO && !trial_must(t, RULE_KILL, PD_PHASE_APPLY, when)) ||
	    !trial_call(t, t->n, (struct how){ .phase = phase, .kill_at = k }, &result, &why))
		return false;
	if (!strstr(why, "signal 9"))
		verdict_untried(&t->v, RULE_KILL, "not %s: it did not come so far this time", when);
	if (!undone && phase == PD_PHASE_APPLY &&
	    (!trial_must(t, RULE_KILL, PD_PHASE_APPLY, when) ||
	     (t->v.of[RULE_TWICE].state != VERDICT_BROKEN && !prove(t, RULE_KILL, when))))
		return !*t->err;
	return undo_to_before(t, RULE_KILL, when);
}

static void try_kills(struct trial *t)
{
	bool ok = t->times + t->undo_times > 0;

	for (size_t k = 1; ok && k <= t->times; k++)
		ok = try_kill(t, PD_PHASE_APPLY, k, false) &&
		     (!t->step->undo || try_kill(t, PD_PHASE_APPLY, k, true));
	for (size_t k = 1; ok && k <= t->undo_times; k++)
		ok = try_kill(t, PD_PHASE_UNDO, k, false);
	if (ok)
		verdict_kept(&t->v, RULE_KILL);
}

/* ------------------------------------------------------------------- a row */

static bool has_secret(const struct pd_step *s, const json_t *args)
{
	for (size_t i = 0; s->params && s->params[i].name; i++)
		if (s->params[i].type == PD_T_SECRET && json_object_get(args, s->params[i].name))
			return true;
	return false;
}

static void try_all(struct trial *t)
{
	bool work;

	if (!trial_begin(t))
		return;
	work = try_check(t);
	if (t->step->flags & PD_S_REBOOTS)
		trial_unfit(t); /* there is no clone behind it */
	if (*t->err || !t->step->apply || (t->step->flags & PD_S_REBOOTS) ||
	    t->v.of[RULE_TWICE].state == VERDICT_UNTRIED)
		return;
	if (!work) {
		trial_not_applied(t, "check finds nothing to do", "give it other arguments");
		return;
	}
	if (!try_stop(t)) {
		json_object_set_new(json_array_get(t->steps, t->n), "endless", json_true());
		trial_untried(t, "it can't be stopped", "nothing else is tried");
	} else if (trial_begin(t) && try_apply(t)) {
		if (try_stop_late(t) && t->v.of[RULE_LIMIT].state != VERDICT_BROKEN)
			try_kills(t);
		else
			verdict_untried(&t->v, RULE_KILL, "it is not killed, since it can't be stopped");
	} else {
		trial_not_applied(t, "nothing else is tried", "apply has to do its work first");
	}
}

/* Rules that have nothing to say about a step are not tried on it. */
static void leave_out(struct verdicts *v, const struct pd_step *step, bool secret)
{
	bool acts = step->apply && !(step->flags & PD_S_REBOOTS);
	bool none[RULES] = { [RULE_TWICE] = !acts, [RULE_KILL] = !acts,
			     [RULE_UNDO] = !acts || !step->undo, [RULE_SECRET] = !secret };

	each_rule(r)
		if (none[r]) {
			json_decref(v->of[r].found);
			v->of[r] = (struct verdict){0};
		}
}

json_t *rules_no_case(const struct pd_step *step, const char *name)
{
	struct verdicts v = {0};
	bool secret = false;

	for (size_t i = 0; step->params && step->params[i].name; i++)
		secret = secret || step->params[i].type == PD_T_SECRET;
	each_rule(r)
		verdict_untried(&v, r, "the case has no %s, and it has parameters that are required", name);
	leave_out(&v, step, secret);
	return verdicts_json_take(&v, "step", name);
}

json_t *rules_step(struct place *p, const json_t *steps, size_t n, struct pd_error **err)
{
	struct pd_error *mine = NULL;
	struct trial t = { .place = p, .steps = steps, .n = n, .remembered = json_object(),
			   .outputs = json_object(), .err = &mine };
	const json_t *row = json_array_get(steps, n);
	pd_auto_free char *name = pd_print("%s.%s", pd_json_text(row, "plugin", ""), pd_json_text(row, "step", ""));

	t.step = pd_registry_step(p->subject->registry, name, NULL, &mine);
	if (t.step)
		try_all(&t);
	if (t.step && has_secret(t.step, json_object_get(row, "args")))
		verdict_kept(&t.v, RULE_SECRET);
	if (t.step)
		leave_out(&t.v, t.step, has_secret(t.step, json_object_get(row, "args")));
	json_decref(t.remembered);
	json_decref(t.outputs);
	json_decref(t.before);
	json_decref(t.scene);
	if (!mine)
		return verdicts_json_take(&t.v, "step", pd_json_text(row, "id", ""));
	json_decref(verdicts_json_take(&t.v, "step", ""));
	pd_error_move(err, mine);
	return NULL;
}
