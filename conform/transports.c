/* SPDX-License-Identifier: MIT */
/* The rules, tried on a transport: to a target that the case names. */
#include "trial.h"

#include <signal.h>
#include <stdlib.h>

#include "carry.h"

enum { GRACE = 10, LATE = 15 }; /* seconds */

struct line {
	struct trial t;
	const char *name;
	json_t *target;
};

/* "[USER@]ADDRESS[:PORT][,OPTIONS]" */
static json_t *target_of(const char *text)
{
	size_t end = strcspn(text, ",");
	const char *at = memchr(text, '@', end), *address = at ? at + 1 : text;
	size_t len = strcspn(address, ":,");
	long port = address[len] == ':' ? strtol(address + len + 1, NULL, 10) : 0;
	pd_auto_free char *user = at ? pd_print("%.*s", (int)(at - text), text) : NULL;
	pd_auto_free char *host = pd_print("%.*s", (int)len, address);

	return json_pack("{s:s, s:I, s:s*, s:s*}", "address", host, "port", (json_int_t)port, "user", user,
			 "options", text[end] ? text + end + 1 : NULL);
}

/* @p seconds: after which it is ended.  NULL: t.err. */
static json_t *call(struct line *l, enum carry what, int seconds, bool stop)
{
	pd_auto_json *asked = json_pack("{s:s, s:s, s:s, s:i, s:i, s:O, s:i, s:b}", "kind", "transport", "plugin",
		l->t.place->subject->plugin->name, "name", l->name, "phase", PD_PHASE_SCAN, "carry", (int)what,
		"target", l->target, "patience", seconds, "stop", stop);
	json_t *answer = place_call(l->t.place, asked, l->t.err);

	trial_note(&l->t, RULE_LEFT, answer, "left", "transport");
	trial_note(&l->t, RULE_CARRIES, answer, "wrong", "transport");
	return answer;
}

static int result_of(const json_t *answer)
{
	return (int)pd_json_number(answer, "result", PD_FAILED);
}

static const char *message_of(const json_t *answer)
{
	return pd_json_text(answer, "message", "");
}

/* What has to fail (@p fails), or may. */
static bool try_failure(struct line *l, enum carry what, const char *text, bool fails)
{
	pd_auto_json *answer = call(l, what, LATE, false);

	if (!answer)
		return false;
	if (pd_json_number(answer, "signal", 0) == SIGALRM)
		verdict_broken(&l->t.v, RULE_CARRIES, "%s: it takes longer than %d s", text, LATE);
	else if (trial_is_bug(result_of(answer), message_of(answer)))
		verdict_broken(&l->t.v, RULE_CARRIES, "%s: %s", text, message_of(answer));
	else if (fails && result_of(answer) >= 0)
		verdict_broken(&l->t.v, RULE_CARRIES, "%s: it does not fail", text);
	return true;
}

static bool try_stop(struct line *l)
{
	pd_auto_json *answer = call(l, CARRY_LONG, GRACE, true);

	if (pd_json_number(answer, "signal", 0) == SIGALRM)
		verdict_broken(&l->t.v, RULE_LIMIT, "it was asked to stop when it began, and went on for longer than"
			       " its grace of %d s", GRACE);
	verdict_kept(&l->t.v, RULE_LIMIT);
	return answer != NULL;
}

static bool try_all(struct line *l)
{
	pd_auto_json *answer = call(l, CARRY_ALL, 60, false);

	if (answer && result_of(answer) < 0)
		verdict_broken(&l->t.v, RULE_CARRIES, "%s", message_of(answer));
	return answer && try_failure(l, CARRY_NOTHING, "a program that is not there", false) &&
	       try_failure(l, CARRY_LATE, "a program with a limit of 1 s that takes 60 s", false) &&
	       try_failure(l, CARRY_NO_FILE, "put of a file that is not there", true) &&
	       try_failure(l, CARRY_NOT_THERE, "get of a file that is not there", true) && try_stop(l);
}

static void untried(struct line *l, const char *why, const char *message)
{
	verdict_untried(&l->t.v, RULE_LIMIT, "%s%s", why, message);
	verdict_untried(&l->t.v, RULE_LEFT, "%s%s", why, message);
	verdict_untried(&l->t.v, RULE_CARRIES, "%s%s", why, message);
}

static bool try_target(struct line *l, const char *text)
{
	pd_auto_free char *why = pd_print("it does not reach %s from a clone: ", text);
	pd_auto_json *answer = NULL;
	bool ok;

	l->target = target_of(text);
	ok = place_renew(l->t.place, l->t.err) && (answer = call(l, CARRY_OPEN, 60, false));
	if (ok && trial_is_bug(result_of(answer), message_of(answer)))
		verdict_broken(&l->t.v, RULE_CARRIES, "open: %s", message_of(answer));
	else if (ok && result_of(answer) < 0)
		untried(l, why, message_of(answer));
	else
		ok = ok && try_all(l);
	json_decref(l->target);
	return ok;
}

json_t *rules_transport(struct place *p, const char *name, struct pd_error **err)
{
	static const struct pd_step none;
	struct line l = { .t = { .place = p, .step = &none, .err = err }, .name = name };
	json_t *targets = json_object_get(p->subject->targets, name), *row;
	bool ok = true;

	if (!targets) {
		pd_auto_free char *why = pd_print("the case names no target of it: params = { targets = pd.list { default"
						  " = { \"%s=USER@ADDRESS:PORT,OPTIONS\" } } }", name);

		untried(&l, why, "");
	}
	for (size_t i = 0; ok && i < json_array_size(targets); i++)
		ok = try_target(&l, json_string_value(json_array_get(targets, i)));
	if (targets && ok) {
		verdict_kept(&l.t.v, RULE_LEFT);
		verdict_kept(&l.t.v, RULE_CARRIES);
	}
	row = verdicts_json_take(&l.t.v, "transport", name);
	if (ok)
		return row;
	json_decref(row);
	return NULL;
}
