/* SPDX-License-Identifier: MIT */
/* The sign of life of a run, for `status` and the view: replaced at most once a
 * second and never flushed, since it says nothing that is true after a crash. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "run/call.h"

/* That of a guard is behind all. */
static size_t index_of(const struct pd_record *r, const struct pd_record_step *s)
{
	size_t i = 0;

	while (i < r->n_steps && &r->steps[i] != s)
		i++;
	return i;
}

/* Seconds; 0: nobody knows, or it only looks. */
static double expected(const struct pd_call *c, size_t i)
{
	struct pd_engine *e = c->e;

	if (c->dry || i >= e->record->n_steps || (e->times.n != e->record->n_steps &&
	    !pd_estimate_make(&e->times, e->journal, e->record, e->o->registry, NULL)))
		return 0;
	return c->undo ? e->times.back[i] : e->times.todo[i];
}

void pd_heartbeat_write(const struct pd_call *c)
{
	const struct pd_engine *e = c->e;
	size_t n = e->record->n_steps, i = index_of(e->record, c->s);
	pd_auto_free char *path = pd_print("%s/heartbeat", e->o->state);
	pd_auto_free char *fresh = pd_print("%s.new", path);
	pd_auto_json *beat = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I}", "run",
		e->record->run, "step", c->s->key, "pid", (json_int_t)getpid(), "time",
		(json_int_t)time(NULL), "done", (json_int_t)e->done, "total",
		(json_int_t)e->total, "text", e->text ? e->text : "", "number",
		(json_int_t)(i < n ? i + 1 : 0), "steps", (json_int_t)n,
		"expected", (json_int_t)(expected(c, i) + 0.999));
	pd_auto_free char *line = pd_json_line(beat);
	pd_auto_close int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
					   O_NOFOLLOW, 0600);

	if (fd >= 0 && pd_write_all(fd, line, strlen(line)))
		(void)!rename(fresh, path);
	if (e->o->progress)
		e->o->progress(e->o->user, beat);
}

json_t *pd_heartbeat_read(const char *state, const char *run)
{
	pd_auto_free char *path = pd_print("%s/heartbeat", state);
	json_t *beat = pd_json_read(path, 65536, NULL);

	if (beat && strcmp(pd_json_text(beat, "run", ""), run) == 0)
		return beat;
	json_decref(beat);
	return NULL;
}
