/* SPDX-License-Identifier: MIT */
/* Tasks done by several processes at once: they take the next number from
 * memory that all share, and tell what came out of it, a line each. */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"

struct crew {
	const struct jobs *j;
	atomic_size_t *next;
	pid_t *pids;
	int out; /* where lines are written */
};

/* A line is shorter than PIPE_BUF, so that it comes as a whole. */
static void tell(const struct crew *w, const json_t *value)
{
	pd_auto_free char *line = pd_json_line(value);
	pd_auto_free char *text = pd_print("%s\n", line);

	(void)!write(w->out, text, strlen(text));
}

static void tell_error(const struct crew *w, const struct pd_error *e)
{
	pd_auto_free char *text = pd_error_text(e);
	pd_auto_json *j = json_pack("{s:{s:s}}", "error", "message", text);

	atomic_store(w->next, w->j->tasks);
	tell(w, j);
}

static _Noreturn void work(const struct crew *w, unsigned job)
{
	const struct jobs *j = w->j;
	pd_auto_error *err = NULL;
	size_t task;

	if (j->begin(j->user, job, &err))
		while (!err && !session_stop && (task = atomic_fetch_add(w->next, 1)) < j->tasks) {
			pd_auto_json *row = j->one(j->user, task, &err);

			if (row)
				tell(w, row);
		}
	if (err)
		tell_error(w, err);
	j->end(j->user);
	_exit(0);
}

/* Until the last of them has closed its end. */
static void listen(const struct crew *w, FILE *lines, struct pd_error **err)
{
	pd_auto_free char *line = NULL;
	size_t room = 0;
	bool stopped = false;

	for (;;) {
		ssize_t n = getline(&line, &room, lines);
		pd_auto_json *row = n > 0 ? pd_json_parse(line, (size_t)n, "job", NULL) : NULL;
		const json_t *error = json_object_get(row, "error");

		if (error && !*err)
			pd_error_set(err, session_stop ? "clone-stopped" : "clone-start", "%s",
				     pd_json_text(error, "message", ""));
		else if (row && !error)
			w->j->result(w->j->user, row);
		for (unsigned i = 0; session_stop && !stopped && i < w->j->n; i++)
			kill(w->pids[i], SIGTERM);
		stopped |= session_stop != 0;
		if (n < 0 && (feof(lines) || errno != EINTR))
			return;
		clearerr(lines); /* a signal came in between */
	}
}

/* One that crashed has told nothing. */
static bool all_ended(const struct crew *w, struct pd_error **err)
{
	int bad = 0, status;

	for (unsigned i = 0; i < w->j->n; i++)
		if (w->pids[i] > 0 && (waitpid(w->pids[i], &status, 0) < 0 || status != 0))
			bad = status;
	return !*err && (bad == 0 || pd_error_set(err, "clone-start", "a process of the drill ended"
						  " with status %#x", (unsigned)bad));
}

bool jobs_run(const struct jobs *j, struct pd_error **err)
{
	struct crew w = { .j = j, .pids = pd_alloc((j->n + 1) * sizeof(pid_t)),
		.next = mmap(NULL, sizeof(*w.next), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0) };
	int pipes[2];
	FILE *lines;
	bool good;

	if (w.next == MAP_FAILED || pipe2(pipes, O_CLOEXEC) < 0 ||
	    !(lines = fdopen(pipes[0], "r"))) {
		free(w.pids);
		return pd_error_errno(err, "clone-start", errno, "no processes for the drill");
	}
	w.out = pipes[1];
	fflush(NULL);
	for (unsigned i = 0; i < j->n; i++)
		if ((w.pids[i] = fork()) == 0)
			work(&w, i + 1);
	close(w.out);
	listen(&w, lines, err);
	good = all_ended(&w, err);
	fclose(lines);
	munmap(w.next, sizeof(*w.next));
	free(w.pids);
	return good;
}
