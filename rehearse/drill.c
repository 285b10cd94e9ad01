/* SPDX-License-Identifier: MIT */
/* patchday-drill: a workflow on clones of this server, stopped at every point
 * of its journal in every way; each has to end done or rolled back. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sodium.h>
#include <unistd.h>

#include "base/text.h"
#include "drill.h"
#include "jobs.h"

enum { ALONE_MS = 150, MOST_JOBS = 64 };

struct task {
	int64_t point;
	const char *kind;
};

/* A drill and what is to be done in it. */
struct whole {
	struct drill d;
	struct task *tasks;
	size_t n, cap;
	int64_t jobs;
	int results;     /* the file; -1: none */
	json_t *earlier; /* its rows that ended well; or NULL */
	json_t *rows;
	json_t *not_shown; /* words about what is not compared */
	size_t bad, missed;
};

/* The clone is off for a reboot: where others can begin. */
static bool save_start(void *user, struct clone *c, struct pd_error **err)
{
	struct drill *d = user;
	struct journal j = {0};
	bool good = journal_read(&j, c, d->s.state, NULL, err) && clone_save(c, err);

	pd_grow(d->starts.list, d->starts.n, d->starts.cap);
	d->starts.list[d->starts.n++] = j.first + (int64_t)j.n - 1;
	journal_free(&j);
	return good;
}

static bool reference(struct drill *d, struct pd_error **err)
{
	if (!drill_clone(d, NULL, 0, err))
		return false;
	d->before = state_look(d);
	d->s.on_reboot = save_start;
	d->s.user = d;
	if (!session_follow(&d->s, &d->c, SESSION_RUN, NULL, NULL, &d->run, err))
		return false;
	if (!session_ended_well(&d->run))
		return pd_error_set(err, "drill-reference", "the run without a fault is %s: %s",
				    d->run.state, pd_json_text(d->run.status, "why", ""));
	d->s.on_reboot = NULL;
	d->after = state_look(d);
	clone_cut(&d->c);
	return journal_read(&d->journal, &d->c, d->s.state,
			    pd_json_text(d->run.status, "run", ""), err);
}

/* The results of an earlier call: "POINT KIND EVENT" of what ended well. */
static bool read_results(struct whole *w, struct pd_error **err)
{
	const char *path = session_option(&w->d.s, "results");
	pd_auto_free char *text = NULL;
	char *rest, *line;

	w->earlier = json_object();
	if (!path)
		return true;
	w->results = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->results < 0)
		return pd_error_errno(err, "file-write", errno, "%s", path);
	text = pd_file_read(path, 64 << 20, NULL, err);
	if (!text)
		return false;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		pd_auto_json *row = pd_json_parse(line, strlen(line), path, NULL);
		pd_auto_free char *key = pd_print("%lld %s %s %s",
			(long long)pd_json_number(row, "point", 0), pd_json_text(row, "fault", ""),
			pd_json_text(row, "event", ""), pd_json_text(row, "step", ""));

		if (pd_json_true(row, "well") && pd_json_true(row, "fired"))
			json_object_set(w->earlier, key, row);
	}
	return true;
}

static void count(struct whole *w, json_t *row)
{
	json_array_append(w->rows, row);
	w->bad += !pd_json_true(row, "well");
	w->missed += !pd_json_true(row, "fired");
}

static void make_tasks(struct whole *w)
{
	for (size_t i = 0; i < w->d.points.n; i++)
		for (size_t k = 0; k < w->d.kinds.len; k++) {
			int64_t point = w->d.points.list[i];
			const struct journal_event *e = &w->d.journal.events[point - 1];
			const char *kind = w->d.kinds.items[k];
			pd_auto_free char *key = pd_print("%lld %s %s", (long long)point, kind,
							  e->label);
			json_t *row = json_object_get(w->earlier, key);

			if (row) {
				count(w, row);
				continue;
			}
			pd_grow(w->tasks, w->n, w->cap);
			w->tasks[w->n++] = (struct task){ point, kind };
		}
}

static bool begin(void *user, unsigned job, struct pd_error **err)
{
	struct whole *w = user;

	return clone_part(&w->d.c, job, err);
}

static json_t *one(void *user, size_t task, struct pd_error **err)
{
	struct whole *w = user;

	return drill_fault(&w->d, w->tasks[task].kind, w->tasks[task].point, err);
}

static void end(void *user)
{
	struct whole *w = user;

	clone_part_close(&w->d.c);
}

static void result(void *user, json_t *row)
{
	struct whole *w = user;
	bool bad = !pd_json_true(row, "well");
	pd_auto_free char *line = pd_json_line(row);
	pd_auto_free char *text = pd_print("%s\n", line);

	count(w, row);
	if (w->results >= 0)
		(void)!write(w->results, text, strlen(text));
	if (!w->d.s.json)
		out_print("%5lld  %-6s  %-12s %-32s %4lld s  %s%s%s\n",
			  (long long)pd_json_number(row, "point", 0), pd_json_text(row, "fault", ""),
			  pd_json_text(row, "event", ""), pd_json_text(row, "step", ""),
			  (long long)pd_json_number(row, "seconds", 0), bad ? "BAD: " : "",
			  pd_json_text(row, "result", ""),
			  pd_json_true(row, "person") && !bad ? " (after `patchday resume`)" : "");
}

static void print_start(const struct whole *w)
{
	const struct drill *d = &w->d;
	const json_t *text;
	size_t i;

	if (d->s.json)
		return;
	out_print("\nwithout a fault: %s, %zu points in the journal, %zu reboots; %zu faults"
		  " to do\n", d->run.state, d->journal.n, d->starts.n, w->n);
	json_array_foreach(w->not_shown, i, text)
		out_print("  %s\n", json_string_value(text));
	out_print("\n");
}

static bool drill(struct whole *w, struct pd_error **err)
{
	struct drill *d = &w->d;
	struct jobs jobs = { .n = (unsigned)w->jobs, .user = w, .begin = begin, .one = one,
			     .end = end, .result = result };

	d->s.alone = ALONE_MS;
	d->s.clone.fast = true;
	d->s.clone.memory = !session_option(&d->s, "work");
	d->s.clone.share = (unsigned)w->jobs;
	if (!read_results(w, err) || !clone_open(&d->c, &d->s.clone, err) ||
	    !session_log(&d->s, err) || !reference(d, err) ||
	    !points_parse(&d->points, session_option(&d->s, "points"), d->journal.n, err))
		return false;
	d->s.quiet = true;
	w->not_shown = clone_notes(&d->c);
	make_tasks(w);
	print_start(w);
	jobs.tasks = w->n;
	return w->n == 0 || jobs_run(&jobs, err);
}

static void print_result(const struct whole *w)
{
	size_t n = json_array_size(w->rows);

	if (w->d.s.json) {
		pd_auto_json *all = json_pack("{s:O, s:I, s:I, s:I, s:I, s:O}", "rows", w->rows,
			"points", (json_int_t)w->d.journal.n, "runs", (json_int_t)n, "bad",
			(json_int_t)w->bad, "not_reached", (json_int_t)w->missed,
			"not_shown", w->not_shown);

		out_json(all);
		return;
	}
	out_print("\n%zu faults: %zu ended done or rolled back, %zu not; %zu were not reached\n",
		  n, n - w->bad - w->missed, w->bad, w->missed);
}

/* What can be known to be wrong before anything is cloned. */
static bool check(struct whole *w, struct pd_error **err)
{
	struct session *s = &w->d.s;
	const char *jobs = session_option(s, "jobs");

	w->jobs = 1;
	if (jobs && (!pd_parse_int(jobs, &w->jobs) || w->jobs < 1 || w->jobs > MOST_JOBS))
		return pd_error_set(err, "usage", "--jobs %s: expected a number from 1 to %d", jobs,
				    MOST_JOBS);
	return kinds_parse(&w->d.kinds, session_option(s, "kinds"), err) &&
	       points_check(session_option(s, "points"), err) && session_check(s, err);
}

static void free_whole(struct whole *w)
{
	struct drill *d = &w->d;

	state_cleanup(&d->before);
	state_cleanup(&d->after);
	json_decref(w->rows);
	json_decref(w->earlier);
	json_decref(w->not_shown);
	journal_free(&d->journal);
	free(d->points.list);
	free(d->starts.list);
	free(w->tasks);
	pd_strings_clear(&d->kinds);
	session_run_free(&d->run);
	session_free(&d->s);
	if (w->results >= 0)
		close(w->results);
}

int main(int argc, char **argv)
{
	struct whole w = { .d.c = { .lock = -1, .kmsg = -1, .pidfd = -1 }, .results = -1,
			   .rows = json_array() };
	pd_auto_error *err = NULL;
	int status = PD_END_INVALID;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return PD_END_INVALID;
	if (session_parse(&w.d.s, argc, argv, &err) && check(&w, &err)) {
		if (drill(&w, &err))
			status = w.bad ? PD_END_ROLLED_BACK :
				 w.missed == json_array_size(w.rows) ? PD_END_INVALID : PD_END_DONE;
		clone_close(&w.d.c);
	}
	if (err)
		out_error(w.d.s.json, err);
	else
		print_result(&w);
	status = err && session_stop ? 128 + session_stop : status;
	free_whole(&w);
	return fflush(stdout) == 0 ? status : PD_END_INVALID;
}
