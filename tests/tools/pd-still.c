/* SPDX-License-Identifier: MIT */
/* pd-still - run a dry run and catch every step that does more than look.
 *
 *   pd-still COMMAND [ARGUMENT]...
 *
 * What the command's steps do to change something is refused with EPERM and
 * named on standard error, with the step (the name of its worker); what that
 * is stands in conform/still.c.  Exit status 1 then, else the command's own. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "still.h"

static void die(const char *what)
{
	fprintf(stderr, "pd-still: %s: %s\n", what, strerror(errno));
	exit(99);
}

/* patchday itself is no step: workers have sessions of their own. */
static int attend(int listener, pid_t pid, int *failures)
{
	static char line[STILL_LINE];
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd p = { .fd = listener, .events = POLLIN };

		if (poll(&p, 1, 50) > 0 && p.revents & POLLIN && still_judge(listener, pid, line)) {
			fprintf(stderr, "pd-still: %s\n", line);
			++*failures;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

int main(int argc, char **argv)
{
	int channel[2], status, failures = 0, listener;
	pid_t pid = -1;

	if (argc < 2) {
		fputs("usage: pd-still COMMAND [ARGUMENT]...\n", stderr);
		return 99;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 || (pid = fork()) < 0)
		die("cannot start");
	if (pid == 0) {
		if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			die("session");
		if ((listener = still_hold()) < 0 || !still_pass(channel[1], listener))
			die("no seccomp filter");
		execvp(argv[1], argv + 1);
		die(argv[1]);
	}
	close(channel[1]);
	if ((listener = still_take(channel[0])) < 0)
		die("no listener");
	status = attend(listener, pid, &failures);
	if (failures)
		fprintf(stderr, "pd-still: %d attempts to change something\n", failures);
	return failures ? 1 : status;
}
