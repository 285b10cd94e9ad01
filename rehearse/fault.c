/* SPDX-License-Identifier: MIT */
/* One fault on one clone, and what becomes of the run. */
#include <time.h>
#include <unistd.h>

#include "drill.h"

enum { MOST_WORDS = 1000 }; /* of a result, which goes through a pipe */

#define SIGN "/run/patchday-fault" /* core/run/fault.h */

bool drill_clone(struct drill *d, const char *fault, size_t from, struct pd_error **err)
{
	d->c.fault = fault;
	d->c.from = from;
	d->fired = false;
	return clone_renew(&d->c, err) && session_sources(&d->s, &d->c, err) &&
	       clone_boot(&d->c, BOOT_SECONDS, err);
}

/* The program has done what the fault is, or waits for what the drill does. */
static bool look_for_sign(void *user, struct clone *c, struct pd_error **err)
{
	pd_auto_free char *sign = pd_print("/proc/%d/root" SIGN, c->init);
	struct drill *d = user;

	if (d->fired || access(sign, F_OK) < 0)
		return true;
	d->fired = true;
	c->fault = NULL; /* once: what comes after it is what the drill is about */
	if (strcmp(d->kind, "power") == 0)
		return false;
	if (strcmp(d->kind, "enospc") != 0)
		return true;
	if (!clone_fill(c, err))
		return false;
	unlink(sign);
	return true;
}

/* What systemd has not done by itself, a person does. */
static bool person(struct drill *d, struct pd_error **err)
{
	static const char *const away[] = { "rm", "-f", "/run/patchday-drill.env", NULL };

	free(clone_output(&d->c, away, NULL));
	return session_follow(&d->s, &d->c, SESSION_RESUME, NULL, NULL, &d->run, err);
}

static bool is(const struct drill *d, const char *state)
{
	return strcmp(d->run.state, state) == 0;
}

/* From the fault to the end; *alone: nobody had to help. */
static bool come_to_an_end(struct drill *d, bool *alone, struct pd_error **err)
{
	*alone = true;
	if (d->c.memory && !clone_empty(&d->c, err))
		return false;
	if (is(d, "cut")) {
		clone_cut(&d->c);
		if (!clone_boot(&d->c, BOOT_SECONDS, err) ||
		    !session_follow(&d->s, &d->c, SESSION_LOOK, NULL, NULL, &d->run, err))
			return false;
	}
	/* a step that was stopped half way may ask for a person once */
	for (int i = 0; i < 2 && (is(d, "unfinished") || is(d, "stopped")); i++) {
		*alone = false;
		if (!person(d, err))
			return false;
	}
	return true;
}

/* Is the server that came out of it whole?  NULL: yes; the caller frees. */
static char *complaint(struct drill *d)
{
	bool back = d->run.exit == PD_END_ROLLED_BACK || is(d, "not started");
	const struct state *wanted = back ? &d->before : &d->after;
	pd_auto(state) now = {0};

	if (!is(d, "not started") && !session_ended_well(&d->run)) {
		pd_auto_free char *failed = scene_failed_units(&d->c);

		return pd_print("%s: %s%s%s", d->run.state, pd_json_text(d->run.status, "why", ""),
				failed ? "; units that failed: " : "", failed ? failed : "");
	}
	now = state_look(d);
	return state_complaint(wanted, &now, d->run.state);
}

/* The newest start of the run without a fault from which the row is still ahead. */
static size_t start_before(const struct drill *d, int64_t row)
{
	size_t from = 0;

	while (from < d->starts.n && d->starts.list[from] < row)
		from++;
	return from;
}

static bool strike(struct drill *d, int64_t row, bool *alone, struct pd_error **err)
{
	bool full = strcmp(d->kind, "enospc") == 0;
	pd_auto_free char *fault = pd_print("%s@%lld", full || strcmp(d->kind, "power") == 0 ?
					    "stop" : d->kind, (long long)row);
	size_t from = start_before(d, row);

	d->s.clone.memory = full || !session_option(&d->s, "work");
	return drill_clone(d, fault, from, err) &&
	       session_follow(&d->s, &d->c, from ? SESSION_LOOK : SESSION_RUN, look_for_sign, d,
			      &d->run, err) &&
	       come_to_an_end(d, alone, err);
}

/* Beside the results, for whoever asks why: the clone itself is gone then. */
static void save_scene(struct drill *d, const char *kind, int64_t point)
{
	const char *results = session_option(&d->s, "results");
	pd_auto_free char *path = results ? pd_print("%s.%lld-%s", results, (long long)point, kind) : NULL;
	pd_auto_error *err = NULL;

	if (path && !scene_save(&d->c, path, &err) && !d->s.json)
		out_print("%s\n", err->message);
}

/* Not in the middle of a character. */
static void cut(char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n <= MOST_WORDS)
		return;
	for (n = MOST_WORDS; n > 0 && (text[n] & 0xc0) == 0x80; n--)
		;
	text[n] = '\0';
}

json_t *drill_fault(struct drill *d, const char *kind, int64_t point, struct pd_error **err)
{
	const struct journal_event *e = &d->journal.events[point - 1];
	pd_auto_free char *bad = NULL, *why = NULL;
	pd_auto_error *failed = NULL;
	time_t began = time(NULL);
	bool alone = false;

	d->kind = kind;
	if (strike(d, d->journal.first + point - 1, &alone, &failed)) {
		bad = complaint(d);
		why = pd_strdup(pd_json_text(d->run.status, "why", ""));
	} else {
		bad = pd_error_text(failed);
	}
	if (bad && !session_stop)
		save_scene(d, kind, point);
	cut(bad);
	cut(why);
	d->c.fault = NULL;
	clone_cut(&d->c);
	if (session_stop) {
		pd_error_move(err, failed);
		failed = NULL;
		return NULL;
	}
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I}", "point",
		(json_int_t)point, "event", e->kind, "step", e->step, "fault", kind, "why",
		why ? why : "", "result", bad ? bad : d->fired ? d->run.state : "not reached",
		"fired", d->fired, "person",
		d->fired && !alone, "well", !bad, "seconds", (json_int_t)(time(NULL) - began));
}
