/* SPDX-License-Identifier: MIT */
/* Functions of the command line: one work for many, in a process for each
 * processor; all that is known before is theirs too, and what they print comes
 * out in the order of the many. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

enum { PARTS_MAX = 64 };

struct part {
	pid_t pid;
	FILE *out; /* what it prints, each turn with a zero behind */
};

static bool start(struct part *part, struct pd_error **err)
{
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC))
		return pd_error_errno(err, "internal", errno, "a part of the work");
	part->pid = fork();
	failed = errno;
	if (part->pid == 0 && (dup2(ends[1], STDOUT_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0))
		_exit(1);
	close(ends[1]);
	part->out = fdopen(ends[0], "r");
	return part->pid >= 0 || pd_error_errno(err, "internal", failed, "a part of the work");
}

/* One turn after the other. */
static void copy_out(struct part *parts, size_t n, size_t turns)
{
	char *text = NULL;
	size_t cap = 0;

	for (size_t i = 0; i < turns; i++) {
		ssize_t len = getdelim(&text, &cap, '\0', parts[i % n].out);
		bool whole = len > 0 && !text[len - 1];

		fwrite(text, 1, len > 0 ? (size_t)len - whole : 0, stdout);
		if (len > 0 && !whole) /* it was killed in the middle of a line */
			putchar('\n');
	}
	free(text);
}

static json_t *statuses(struct part *parts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		int status = 0;

		fclose(parts[i].out);
		while (waitpid(parts[i].pid, &status, 0) < 0 && errno == EINTR)
			continue;
		json_array_append_new(list, json_integer(WIFEXITED(status) ? WEXITSTATUS(status) : -1));
	}
	return list;
}

/* split(turns): {first, step}: which of them this process has to do, with turn()
 * after each and leave() in the end; step 1: it is alone, and calls neither.  Or
 * the statuses with which others left that did them all. */
PD_CORE(split)
{
	struct part parts[PARTS_MAX] = {{0}};
	size_t turns = (size_t)json_integer_value(json_array_get(args, 0));
	long most = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = turns < PARTS_MAX ? turns : PARTS_MAX;

	n = most < (long)n ? (size_t)most : n;
	if (n < 2)
		return json_pack("{s:i, s:i}", "first", 1, "step", 1);
	fflush(stdout);
	for (size_t i = 0; i < n; i++) {
		if (!start(&parts[i], err))
			return NULL;
		if (parts[i].pid == 0)
			return json_pack("{s:I, s:I}", "first", (json_int_t)i + 1, "step", (json_int_t)n);
	}
	copy_out(parts, n, turns);
	return statuses(parts, n);
}

/* turn(): what was printed since the last one is that of the next turn. */
PD_CORE(turn)
{
	putchar('\0');
	fflush(stdout);
	return NULL;
}

/* leave(status) */
PD_CORE(leave)
{
	fflush(stdout);
	_exit((int)json_integer_value(json_array_get(args, 0)));
}

const struct pd_core_row pd_core_parts[] = {
	{ "split", split }, { "turn", turn }, { "leave", leave }, { NULL, NULL }
};
