/* SPDX-License-Identifier: MIT */
/* Unpacking a catalog while it is read: a plugin's filter in a worker of its
 * own, attended by a process beside, so that both go on at the same time. */
#include "catalog/model.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/child.h"

enum {
	PIPE = 1 << 20,
	PATIENCE = 256 << 20, /* bytes that may still come out after a mistake ... */
	PATIENCE_MS = 5000    /* ... and how long it may do nothing */
};

/* What it has to say is why it failed, or nothing. */
static _Noreturn void attend(struct pd_worker_call *call, const int data[2], const int why[2])
{
	pd_auto(pd_worker_result) result = {0};
	pd_auto_error *err = NULL;
	const char *text = "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pd_signals_reset();
	close(data[0]); /* the filter has to see when nobody reads any more */
	close(why[0]);
	call->unpack_fd = data[1];
	if (!pd_worker_run(call, NULL, &result, &err))
		text = err->message;
	else if (result.result < 0)
		text = result.message;
	_exit(!pd_write_all(why[1], text, strlen(text)));
}

bool pd_unpack_start(struct pd_unpack *u, struct pd_worker_call *call, struct pd_error **err)
{
	int data[2] = { -1, -1 }, why[2] = { -1, -1 };

	*u = (struct pd_unpack){ .pid = -1 };
	fflush(NULL); /* or it is printed twice */
	if (pipe2(data, O_CLOEXEC) == 0 && pipe2(why, O_CLOEXEC) == 0) {
		fcntl(data[1], F_SETPIPE_SZ, PIPE);
		u->pid = fork();
	}
	if (u->pid == 0)
		attend(call, data, why);
	if (u->pid < 0)
		pd_error_errno(err, "worker-start", errno, "cannot unpack %s", call->source_name);
	pd_close_p(&data[1]);
	pd_close_p(&why[1]);
	u->data = data[0];
	u->why = why[0];
	if (u->pid < 0) {
		pd_close_p(&u->data);
		pd_close_p(&u->why);
	}
	return u->pid > 0;
}

/* To its end, since a mistake may be found only there.  After a mistake of the
 * reader that is worth some time: its cause may be a damaged file. */
static bool drain(int fd, bool all)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = PATIENCE;
	char chunk[65536];
	ssize_t n = 1;

	while (n && (all || left > 0)) {
		if (!all && poll(&p, 1, PATIENCE_MS) == 0)
			return false;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return false;
		left -= n;
	}
	return !n;
}

bool pd_unpack_end(struct pd_unpack *u, const char *name, bool all, struct pd_error **err)
{
	pd_auto(pd_buffer) why = {0};
	char text[512];
	ssize_t n;

	if (!drain(u->data, all))
		kill(u->pid, SIGKILL); /* and its worker dies with it */
	while ((n = read(u->why, text, sizeof(text))) > 0 || (n < 0 && errno == EINTR))
		pd_buffer_add(&why, text, n > 0 ? (size_t)n : 0);
	while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	pd_close_p(&u->data);
	pd_close_p(&u->why);
	if (!why.len)
		return true;
	pd_error_free(*err);
	*err = NULL;
	return pd_error_set(err, "catalog-unpack", "%s: %s", name, why.data);
}
