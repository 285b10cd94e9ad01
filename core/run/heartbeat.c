/* SPDX-License-Identifier: MIT */
/* The sign of life of a run, for `status`: replaced at most once a second and
 * never flushed, since it says nothing that is true after a crash. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "run/engine.h"

void pd_heartbeat_write(struct pd_engine *e, const struct pd_record_step *s)
{
	pd_auto_free char *path = pd_print("%s/heartbeat", e->o->state);
	pd_auto_free char *fresh = pd_print("%s.new", path);
	pd_auto_json *beat = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "run",
		e->record->run, "step", s->key, "pid", (json_int_t)getpid(), "time",
		(json_int_t)time(NULL), "done", (json_int_t)e->done, "total",
		(json_int_t)e->total, "text", e->text ? e->text : "");
	pd_auto_free char *line = pd_json_line(beat);
	pd_auto_close int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
					   O_NOFOLLOW, 0600);

	if (fd >= 0 && pd_write_all(fd, line, strlen(line)))
		(void)!rename(fresh, path);
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
