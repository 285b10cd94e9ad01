/* SPDX-License-Identifier: MIT */
/* What all trials do: a scene, a callback, a comparison. */
#include "trial.h"

#include "look.h"

enum { SHOWN = 8 }; /* findings of one comparison */

/* ---------------------------------------------------------- one callback */

static const char *id_of(const struct trial *t, size_t n)
{
	return pd_json_text(json_array_get(t->steps, n), "id", "");
}

/* Arguments with the outputs that they refer to. */
static json_t *resolved(struct trial *t, const json_t *value)
{
	const char *ref = json_is_object(value) ? pd_json_text(value, "$ref", NULL) : NULL, *key;
	json_t *out, *member;
	size_t i;

	if (ref) {
		member = json_object_get(json_object_get(t->outputs, ref), pd_json_text(value, "out", ""));
		t->missing = member ? t->missing : ref;
		return member ? json_incref(member) : json_null();
	}
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach((json_t *)(uintptr_t)value, i, member)
			json_array_append_new(out, resolved(t, member));
		return out;
	}
	if (!json_is_object(value))
		return json_incref((json_t *)(uintptr_t)value);
	out = json_object();
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
		json_object_set_new(out, key, resolved(t, member));
	return out;
}

void trial_note(struct trial *t, enum rule r, const json_t *answer, const char *key, const char *phase)
{
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(answer, key), i, line)
		verdict_broken(&t->v, r, "%s: %s", phase, json_string_value(line));
}

const char *const trial_phases[] = { "", "check", "apply", "verify", "undo" };

static int grace_of(const struct trial *t)
{
	return t->step->grace ? (int)t->step->grace : TRIAL_GRACE;
}

/* What comes with every callback of the step that is tried. */
static void note(struct trial *t, const struct how *how, const json_t *answer)
{
	const char *phase = trial_phases[how->phase], *message = pd_json_text(answer, "message", "");

	verdict_kept(&t->v, RULE_LEFT);
	trial_note(t, RULE_LEFT, answer, "left", phase);
	trial_note(t, RULE_SECRET, answer, "shown", phase);
	trial_note(t, RULE_STILL, answer, "touches", phase);
	if (strstr(message, "contains a secret"))
		verdict_broken(&t->v, RULE_SECRET, "%s: %s", phase, message);
	if (how->flag && strcmp(how->flag, "stop") == 0 && pd_json_true(answer, "timed_out"))
		verdict_broken(&t->v, RULE_LIMIT, "%s was asked to stop when it began, and went on for"
			       " longer than its grace of %d s", phase, grace_of(t));
	if (pd_json_true(answer, "deaf"))
		verdict_broken(&t->v, RULE_LIMIT, "%s was asked to stop while it worked, and went on for"
			       " longer than its grace of %d s", phase, grace_of(t));
}

/* The answer; NULL: t->err. */
static json_t *ask(struct trial *t, size_t n, struct how how)
{
	const json_t *row = json_array_get(t->steps, n);
	const char *id = id_of(t, n);
	pd_auto_free char *work = pd_print(n == t->n && t->round ? "/var/lib/patchday/conform/%zu.%zu" :
					   "/var/lib/patchday/conform/%zu", n, t->round);
	pd_auto_json *asked = json_pack("{s:s, s:s, s:s, s:i, s:o, s:O*, s:s, s:I, s:I}", "kind", "step",
		"plugin", pd_json_text(row, "plugin", ""), "name", pd_json_text(row, "step", ""),
		"phase", (int)how.phase, "args", resolved(t, json_object_get(row, "args")),
		"remembered", json_object_get(t->remembered, id), "work", work, "kill_at",
		(json_int_t)how.kill_at, "limit", (json_int_t)(how.flag && strcmp(how.flag, "stop") == 0 ?
		TRIAL_OURS + grace_of(t) : 0));
	json_t *answer, *said;

	if (how.late) {
		json_object_set_new(asked, "late", json_integer((json_int_t)how.late));
		json_object_set_new(asked, "grace", json_integer(grace_of(t) + TRIAL_LATE));
	}
	if (how.flag)
		json_object_set_new(asked, how.flag, json_true());
	if (t->v.of[RULE_LEFT].state == VERDICT_BROKEN)
		json_object_set_new(asked, "hasty", json_true());
	answer = place_call(t->place, asked, t->err);
	said = json_object_get(answer, "remembered");
	if (said)
		json_object_set(t->remembered, id, said);
	if (json_object_size(json_object_get(answer, "outputs")))
		json_object_set(t->outputs, id, json_object_get(answer, "outputs"));
	if (answer && n == t->n)
		note(t, &how, answer);
	return answer;
}

/* Its result and, if it failed, why; false: t->err. */
bool trial_call(struct trial *t, size_t n, struct how how, int *result, char **why)
{
	pd_auto_json *answer = ask(t, n, how);

	*result = (int)pd_json_number(answer, "result", PD_FAILED);
	if (why) {
		free(*why);
		*why = pd_strdup(pd_json_text(answer, "message", ""));
	}
	if (how.phase == PD_PHASE_APPLY && !how.flag && !how.kill_at && !how.late && n == t->n && !t->times) {
		t->times = (size_t)pd_json_number(answer, "times", 0);
		t->took = t->took ? t->took : pd_json_number(answer, "ms", 0);
	}
	if (how.phase == PD_PHASE_UNDO && !how.kill_at && !t->undo_times)
		t->undo_times = (size_t)pd_json_number(answer, "times", 0);
	return answer != NULL;
}

/* ------------------------------------------------------------- comparisons */

/* What is saved there is for people, and stays; verify speaks for it. */
static bool is_kept(const struct trial *t, const char *path)
{
	json_t *folder;
	size_t i;

	json_array_foreach(t->place->subject->keeps, i, folder)
		if (clone_below(path, json_string_value(folder)))
			return true;
	return false;
}

static void note_difference(struct trial *t, enum rule r, const char *kind, const json_t *a,
			    const json_t *b, const char *when)
{
	pd_auto_json *rows = look_difference(json_object_get(a, kind), json_object_get(b, kind), NULL);
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_t *was = json_object_get(row, "before"), *is = json_object_get(row, "after");
		pd_auto_free char *x = was ? json_dumps(was, JSON_ENCODE_ANY) : pd_strdup("as on the server");
		pd_auto_free char *y = is ? json_dumps(is, JSON_ENCODE_ANY) : pd_strdup("as on the server");

		if (i < SHOWN && !is_kept(t, pd_json_text(row, "name", "")))
			verdict_broken(&t->v, r, "%s: %s %s: %s, before it %s", when, kind,
				       pd_json_text(row, "name", ""), y, x);
	}
}

/* The clone has to be as it was. */
void trial_compare(struct trial *t, enum rule r, const json_t *before, const char *when)
{
	static const char *const kinds[] = { "files", "packages", "services" };
	pd_auto_json *after = place_look(t->place);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		note_difference(t, r, kinds[i], before, after, when);
}

/* ---------------------------------------------------------------- the scene */

void trial_untried(struct trial *t, const char *why, const char *message)
{
	each_rule(r)
		verdict_untried(&t->v, r, "%s: %s", why, message);
}

void trial_not_applied(struct trial *t, const char *why, const char *message)
{
	static const enum rule acts[] = { RULE_TWICE, RULE_UNDO, RULE_KILL };

	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		verdict_untried(&t->v, acts[i], "%s: %s", why, message);
}

/* No arguments and no server excuse these. */
bool trial_is_bug(int result, const char *why)
{
	return result < 0 && (strstr(why, "a bug of plugin") || strstr(why, "crashed: "));
}

void trial_unfit(struct trial *t)
{
	json_object_set_new(json_array_get(t->steps, t->n), "unfit", json_true());
}

/* A clone with its own init takes long to come up.  One in which everything is
 * again as it was before the step, and of which nothing is left, is taken as new. */
static bool is_as_new(struct trial *t)
{
	pd_auto_json *now = NULL;

	if (!t->place->boots || !t->before || t->v.of[RULE_LEFT].state == VERDICT_BROKEN)
		return false;
	now = place_look(t->place);
	if (!json_equal(now, t->before))
		return false;
	place_forget(t->place);
	json_object_clear(t->remembered);
	json_object_update(t->remembered, json_array_get(t->scene, 0));
	json_object_clear(t->outputs);
	json_object_update(t->outputs, json_array_get(t->scene, 1));
	t->round++;
	return true;
}

static bool play_scene(struct trial *t)
{
	pd_auto_free char *why = NULL;
	int result;

	for (size_t i = pd_json_true(json_array_get(t->steps, t->n), "alone") ? t->n : 0; i < t->n; i++) {
		const json_t *row = json_array_get(t->steps, i);

		if (!*pd_json_text(row, "plugin", "") || pd_json_true(row, "unfit")) /* a sign-off ... */
			continue;
		if (pd_json_true(row, "endless")) {
			trial_untried(t, "what stands before it can't be stopped", id_of(t, i));
			return false;
		}
		if (!trial_call(t, i, (struct how){ .phase = PD_PHASE_CHECK }, &result, &why) ||
		    (result == PD_CHANGED &&
		     !trial_call(t, i, (struct how){ .phase = PD_PHASE_APPLY }, &result, &why)))
			return false;
		if (result < 0) {
			pd_auto_free char *text = pd_print("what stands before it does not work: %s", id_of(t, i));

			trial_untried(t, text, why);
			return false;
		}
	}
	return true;
}

/* False: t->err, or what stands before it does not work. */
bool trial_begin(struct trial *t)
{
	if (is_as_new(t))
		return true;
	json_object_clear(t->remembered);
	json_object_clear(t->outputs);
	json_decref(t->before);
	json_decref(t->scene);
	t->before = t->scene = NULL;
	t->round = 0;
	if (!place_renew(t->place, t->err) || !play_scene(t))
		return false;
	t->missing = NULL;
	json_decref(resolved(t, json_object_get(json_array_get(t->steps, t->n), "args")));
	if (t->missing)
		trial_untried(t, "it needs the output of a step that can't do its work here", t->missing);
	t->before = place_look(t->place);
	t->scene = json_pack("[o, o]", json_deep_copy(t->remembered), json_deep_copy(t->outputs));
	return !t->missing;
}

bool trial_must(struct trial *t, enum rule r, enum pd_phase phase, const char *when)
{
	pd_auto_free char *why = NULL;
	int result;

	if (!trial_call(t, t->n, (struct how){ .phase = phase }, &result, &why))
		return false;
	if (result < 0)
		verdict_broken(&t->v, r, "%s: %s fails: %s", when, trial_phases[phase], why);
	return result >= 0;
}
