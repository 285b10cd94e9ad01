/* SPDX-License-Identifier: MIT */
/* Finds and ends the processes that escaped from a worker's group. */
#include "plugin/child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "plugin/worker.h"

/* All children of this process, as the kernel lists them. */
static char *children(void)
{
	pd_auto_free char *path = pd_print("/proc/self/task/%d/children",
					   (int)syscall(SYS_gettid));

	return pd_file_read(path, (size_t)1 << 20, NULL, NULL);
}

static bool is_other(const struct pd_others *others, pid_t pid)
{
	for (size_t i = 0; i < others->len; i++)
		if (others->pids[i] == pid)
			return true;
	return false;
}

void pd_reap_prepare(struct pd_others *others)
{
	static pid_t reaper; /* a process that is forked is none */
	pd_auto_free char *list = NULL;
	siginfo_t info;

	if (reaper != getpid() && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0)
		reaper = getpid();
	/* the usual case costs one call */
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		return;
	list = children();
	for (char *p = list, *end; p && *p; p = end + 1) {
		pid_t pid = (pid_t)strtol(p, &end, 10);

		if (end == p)
			return;
		pd_grow(others->pids, others->len, others->cap);
		others->pids[others->len++] = pid;
	}
}

/* @return how many there were: what they had started is ours only after them, and
 * not in this list. */
static size_t kill_all(const struct pd_others *others)
{
	pd_auto_free char *list = children();
	size_t n = 0;

	for (char *p = list, *end; p && *p; p = end + 1) {
		pid_t pid = (pid_t)strtol(p, &end, 10), group;

		if (end == p)
			break;
		if (is_other(others, pid))
			continue;
		group = getpgid(pid);
		if (group > 1 && group != getpgrp())
			kill(-group, SIGKILL);
		kill(pid, SIGKILL);
		(void)!waitpid(pid, NULL, WNOHANG | __WALL);
		n++;
	}
	return n;
}

/* Each round ends the children; theirs become ours and are next.  What hangs
 * in the kernel can't be ended and must not stop the run. */
size_t pd_reap_rest(const struct pd_others *others)
{
	struct timespec pause = { .tv_nsec = 200000 };
	size_t left = 0;

	for (int round = 0; round < 500; round++) {
		siginfo_t info = {0};

		/* without other children, one call tells that nobody is left */
		if (!others->len &&
		    waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
			return 0;
		left = kill_all(others);
		if (!left && others->len)
			return 0;
		nanosleep(&pause, NULL);
		if (round > 10)
			pause.tv_nsec = 10000000;
	}
	return left;
}

/* -------------------------------------------------- after patchday was killed */

static bool has_mark(const char *pid, const char *mark)
{
	pd_auto_free char *path = pd_print("/proc/%s/environ", pid);
	size_t len = 0, want = strlen(mark) + 1;
	pd_auto_free char *env = pd_file_read(path, (size_t)4 << 20, &len, NULL);

	if (!env)
		return false;
	for (size_t at = 0; at < len; at += strlen(env + at) + 1)
		if (len - at >= want && memcmp(env + at, mark, want) == 0)
			return true;
	return false;
}

static size_t sweep_once(const char *mark)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	size_t n = 0;

	while (dir && (d = readdir(dir))) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (!isdigit((unsigned char)d->d_name[0]) || pid == getpid() ||
		    !has_mark(d->d_name, mark))
			continue;
		if (kill(pid, SIGKILL) == 0)
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

size_t pd_worker_sweep(const char *run)
{
	pd_auto_free char *mark = pd_print("%s=%s", PD_WORKER_MARK, run);
	struct timespec pause = { .tv_nsec = 20000000 };
	size_t all = 0, n;

	for (int round = 0; *run && round < 50 && (n = sweep_once(mark)); round++) {
		all += n;
		nanosleep(&pause, NULL);
	}
	return all;
}
