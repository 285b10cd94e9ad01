/* SPDX-License-Identifier: MIT */
/* Forks for a piece of work, and takes its result as JSON through a pipe. */
#include "base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

json_t *pd_apart_error(const struct pd_error *e)
{
	pd_auto_free char *message = pd_utf8_text(e->message);
	pd_auto_free char *where = e->where ? pd_utf8_text(e->where) : NULL;

	return json_pack("{s:{s:s, s:s, s:s*, s:s*}}", "error", "id", e->id, "message", message,
			 "where", where, "remedy", e->remedy);
}

json_t *pd_apart_take(json_t *value, const char *otherwise, struct pd_error **err)
{
	const json_t *e = json_object_get(value, "error");
	const struct pd_explanation *x = pd_explain(pd_json_text(e, "id", ""));
	const char *where = pd_json_text(e, "where", NULL), *remedy = pd_json_text(e, "remedy", NULL);

	if (!e)
		return value;
	pd_error_at(err, x ? x->id : otherwise, where, 0, 0, "%s", pd_json_text(e, "message", "?"));
	if (remedy)
		pd_error_remedy(err, "%s", remedy);
	json_decref(value);
	return NULL;
}

/* In the new process.  False: what it made is not told. */
static bool do_it(json_t *(*work)(void *user, struct pd_error **err), void *user, int to, pid_t parent)
{
	pd_auto_error *err = NULL;
	pd_auto_json *value = NULL;
	pd_auto_free char *text = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return false;
	value = work(user, &err);
	value = value ? json_pack("{s:o}", "value", value) : pd_apart_error(err);
	text = json_dumps(value, JSON_COMPACT);
	return text && pd_write_all(to, text, strlen(text));
}

static bool read_all(int fd, struct pd_buffer *out)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			pd_buffer_add(out, piece, (size_t)n);
	return n == 0;
}

json_t *pd_apart(json_t *(*work)(void *user, struct pd_error **err), void *user,
		 struct pd_error **err)
{
	pd_auto(pd_buffer) out = {0};
	pd_auto_json *all = NULL;
	int ends[2] = { -1, -1 }, status = 0;
	pid_t parent = getpid(), pid = 0;
	bool whole;

	fflush(NULL); /* or what is forked from there prints it again */
	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		pd_error_errno(err, "apart", errno, "no process for a part of the work");
		pd_close_p(&ends[0]);
		pd_close_p(&ends[1]);
		return NULL;
	}
	if (pid == 0) {
		close(ends[0]);
		_exit(do_it(work, user, ends[1], parent) ? 0 : 1);
	}
	close(ends[1]);
	whole = read_all(ends[0], &out) && out.len;
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!whole || status) {
		pd_error_set(err, "apart", "the process that did a part of the work %s %d",
			     WIFSIGNALED(status) ? "was ended by signal" : "ended with status",
			     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		return NULL;
	}
	all = pd_apart_take(pd_json_parse(out.data, out.len, "a part of the work", err), "apart", err);
	return json_incref(json_object_get(all, "value"));
}
