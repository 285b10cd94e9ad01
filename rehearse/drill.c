/* SPDX-License-Identifier: MIT */
/* patchday-drill: a workflow on clones of this server, stopped at every point
 * of its journal in every way; each has to end done or rolled back. */
#include <locale.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "look.h"
#include "points.h"
#include "session.h"

enum { BOOT_SECONDS = 180, ALONE_SECONDS = 2 };

static const struct session_option options[] = {
	{ "points", "LIST", "such as 1,7,20-30, or \"every 10\" (default: every point)" },
	{ "kinds", "LIST", "of kill, power, enospc and torn (default: all)" },
	{ "work", "DIR", "where the clones' changes are kept (default /var/lib/patchday/rehearse)" },
	{ "leave-out", "DIR", "a data folder that is empty in the clones; may be repeated" },
	{ "show", "PATH", "show this in the clones too, read-only; may be repeated" },
	{ "timeout", "TIME", "the longest that one run may take (default 4h)" },
	{ "json", NULL, "print the results as JSON" },
	{ "help", NULL, "show this help" },
	{ NULL, NULL, NULL }
};

static const char help_text[] =
	"Do the run on clones of this server, once without a fault, and then stop it at\n"
	"each point of its journal: by kill -9 (kill), by cutting the clone's power\n"
	"(power), by a full disk (enospc) and by a torn last write (torn). After each it\n"
	"has to come to its end, done or rolled back. The server stays as it is.\n";

struct drill {
	struct session s;
	struct clone c;
	struct points points;   /* what to do */
	struct pd_strings kinds;
	json_t *before, *after; /* packages, without and with the whole run */
	struct journal journal; /* of the run without a fault */
	json_t *rows;
	size_t bad, missed;
	struct session_run run;
};

/* A new clone, started, with a fault in it or none. */
static bool new_clone(struct drill *d, const char *fault, struct pd_error **err)
{
	d->c.fault = fault;
	return clone_renew(&d->c, err) && session_sources(&d->s, &d->c, err) &&
	       clone_boot(&d->c, BOOT_SECONDS, err);
}

static bool reference(struct drill *d, struct pd_error **err)
{
	if (!new_clone(d, NULL, err))
		return false;
	d->before = look_packages(&d->c);
	if (!session_follow(&d->s, &d->c, SESSION_RUN, NULL, NULL, &d->run, err))
		return false;
	if (!session_ended_well(&d->run))
		return pd_error_set(err, "drill-reference", "the run without a fault is %s: %s",
				    d->run.state, pd_json_text(d->run.status, "why", ""));
	d->after = look_packages(&d->c);
	clone_cut(&d->c);
	return journal_read(&d->journal, &d->c, d->s.state,
			    pd_json_text(d->run.status, "run", ""), err);
}

/* power: patchday has stopped itself and says so. */
static bool still_on(void *user, struct clone *c)
{
	pd_auto_free char *sign = pd_print("/proc/%d/root/run/patchday-fault", c->init);

	(void)user;
	return access(sign, F_OK) < 0;
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

/* From the fault to the end. */
static bool come_to_an_end(struct drill *d, bool *alone, struct pd_error **err)
{
	bool cut = is(d, "cut");

	d->c.fault = NULL;
	*alone = !cut;
	if (cut) {
		clone_cut(&d->c);
		if (!clone_boot(&d->c, BOOT_SECONDS, err) ||
		    !session_follow(&d->s, &d->c, SESSION_LOOK, NULL, NULL, &d->run, err))
			return false;
		*alone = is(d, "unfinished");
	}
	/* a step that was stopped half way may ask for a person once */
	for (int i = 0; i < 2 && (is(d, "unfinished") || is(d, "stopped")); i++)
		if (!person(d, err))
			return false;
	return true;
}

/* Is the server that came out of it whole?  NULL: yes; the caller frees. */
static char *complaint(struct drill *d)
{
	bool back = d->run.exit == PD_END_ROLLED_BACK || is(d, "not started");
	pd_auto_json *now = look_packages(&d->c);
	pd_auto_json *rows = look_difference(back ? d->before : d->after, now, NULL);

	if (is(d, "not started"))
		d->run.exit = PD_END_REFUSED; /* nothing was touched */
	else if (!session_ended_well(&d->run))
		return pd_print("%s: %s", d->run.state, pd_json_text(d->run.status, "why", ""));
	return json_array_size(rows) ? pd_print("%zu packages are not as they should be, %s",
		json_array_size(rows), pd_json_text(json_array_get(rows, 0), "name", "")) : NULL;
}

static void note(struct drill *d, const char *fault, int64_t point, bool fired, bool alone,
		 const char *bad)
{
	const struct journal_event *e = &d->journal.events[point - 1];
	const char *result = bad ? bad : fired ? d->run.state : "not reached";

	json_array_append_new(d->rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:b, s:b}",
		"point", (json_int_t)point, "event", e->kind, "step", e->step, "fault", fault,
		"result", result, "fired", fired, "person", alone, "well", !bad));
	d->bad += bad != NULL;
	d->missed += !fired;
	if (!d->s.json)
		out_print("%5lld  %-6s  %-44s %s%s%s\n", (long long)point, fault,
			  e->label, bad ? "BAD: " : "", result, alone && !bad ?
			  " (after `patchday resume`)" : "");
}

/* Where systemd went on with it by itself, only the clone's logs tell. */
static bool went_on(struct drill *d, time_t since)
{
	pd_auto_free char *when = pd_print("--since=@%lld", (long long)since);
	const char *const ask[] = { "journalctl", "-q", "-o", "cat", "-u",
		"patchday-resume.service", when, NULL };
	pd_auto_free char *log = clone_output(&d->c, ask, NULL);

	return log && strstr(log, "status=9/KILL");
}

static bool one(struct drill *d, const char *kind, int64_t point, struct pd_error **err)
{
	pd_auto_free char *fault = pd_print("%s@%lld", kind,
					    (long long)(d->journal.first + point - 1));
	bool fired, alone = false, good;
	pd_auto_free char *bad = NULL;
	time_t began = time(NULL);

	good = new_clone(d, fault, err) &&
	       session_follow(&d->s, &d->c, SESSION_RUN, still_on, NULL, &d->run, err);
	fired = good && (is(d, "cut") || is(d, "unfinished") || is(d, "not started"));
	good = good && (!fired || come_to_an_end(d, &alone, err));
	alone = alone && d->run.status;
	d->c.fault = NULL;
	if (!good)
		return false;
	bad = complaint(d);
	fired = fired || went_on(d, began);
	clone_cut(&d->c);
	note(d, kind, point, fired, alone, bad);
	return true;
}

static bool drill(struct drill *d, struct pd_error **err)
{
	const char *list = session_option(&d->s, "points");

	d->s.alone = ALONE_SECONDS;
	d->s.clone.fast = true;
	if (!clone_open(&d->c, &d->s.clone, err) || !session_log(&d->s, err) ||
	    !reference(d, err) || !points_parse(&d->points, list, d->journal.n, err))
		return false;
	d->s.quiet = true;
	if (!d->s.json)
		out_print("\nwithout a fault: %s, %zu points in the journal\n\n", d->run.state,
			  d->journal.n);
	for (size_t i = 0; i < d->points.n; i++)
		for (size_t k = 0; k < d->kinds.len; k++)
			if (!one(d, d->kinds.items[k], d->points.list[i], err))
				return false;
	return true;
}

static void print_result(const struct drill *d)
{
	size_t n = json_array_size(d->rows);

	if (d->s.json) {
		pd_auto_json *all = json_pack("{s:O, s:I, s:I, s:I, s:I}", "rows", d->rows,
			"points", (json_int_t)d->journal.n, "runs", (json_int_t)n, "bad",
			(json_int_t)d->bad, "not_reached", (json_int_t)d->missed);

		out_json(all);
		return;
	}
	out_print("\n%zu faults: %zu ended done or rolled back, %zu not; %zu were not reached\n",
		  n, n - d->bad - d->missed, d->bad, d->missed);
}

static void free_drill(struct drill *d)
{
	json_decref(d->before);
	json_decref(d->after);
	json_decref(d->rows);
	journal_free(&d->journal);
	free(d->points.list);
	pd_strings_clear(&d->kinds);
	session_run_free(&d->run);
	session_free(&d->s);
}

int main(int argc, char **argv)
{
	struct drill d = { .c = { .lock = -1, .kmsg = -1, .pidfd = -1 }, .rows = json_array() };
	pd_auto_error *err = NULL;
	int status = PD_END_INVALID;
	bool help = false;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return PD_END_INVALID;
	if (session_parse(&d.s, options, argc, argv, &help, &err) && help) {
		session_help("drill [OPTION]... WORKFLOW", help_text, options);
		status = 0;
	} else if (!err && kinds_parse(&d.kinds, session_option(&d.s, "kinds"), &err) &&
	    points_check(session_option(&d.s, "points"), &err) && session_check(&d.s, &err)) {
		if (drill(&d, &err))
			status = d.bad ? PD_END_ROLLED_BACK : PD_END_DONE;
		clone_close(&d.c);
	}
	if (err)
		out_error(d.s.json, err);
	else if (!help)
		print_result(&d);
	status = err && session_stop ? 128 + session_stop : status;
	free_drill(&d);
	return fflush(stdout) == 0 ? status : PD_END_INVALID;
}
