/* SPDX-License-Identifier: MIT */
/* Programs that are run in a clone. */
#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Goes with the clone's own processes: init.scope is where systemd itself is. */
static bool join(const struct clone *c)
{
	pd_auto_free char *procs = pd_print("%s/init.scope/cgroup.procs", c->cgroup);
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return good && setns(c->pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
			     CLONE_NEWNET | CLONE_NEWCGROUP) == 0;
}

/* Between the two worlds: its child is in the clone's pid namespace. */
static _Noreturn void enter(const struct clone *c, const char *const argv[], int out,
			    int errors, const char *folder)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
	pid_t pid;

	setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || null < 0 || (c && !join(c)))
		_exit(126);
	pid = fork();
	if (pid == 0) {
		if (c)
			clone_drop_powers();
		(void)!chdir(folder ? folder : "/");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(out, 1);
		dup2(errors < 0 ? null : errors, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(out);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int clone_fork(struct clone *c, void (*fn)(void *user), void *user)
{
	pid_t pid, inner;
	int status = 0;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || !join(c))
		_exit(126);
	inner = fork();
	if (inner == 0) {
		clone_drop_powers();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!chdir("/");
		fn(user);
		_exit(0);
	}
	waitpid(inner, &status, 0);
	_exit(0);
}

static int spawn(struct clone *c, const char *const argv[], int out, int errors)
{
	pd_auto_free char *folder = getcwd(NULL, 0);
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		enter(c, argv, out, errors, folder);
	return pid;
}

int clone_spawn(struct clone *c, const char *const argv[], int out)
{
	return c->init ? spawn(c, argv, out, out) : -1;
}

char *clone_output(struct clone *c, const char *const argv[], int *status)
{
	pd_auto(pd_buffer) text = {0};
	int pipes[2], ended = 0;
	char block[4096];
	ssize_t n;
	pid_t pid;

	if ((c && !c->init) || pipe2(pipes, O_CLOEXEC) < 0)
		return NULL;
	pid = spawn(c, argv, pipes[1], -1);
	close(pipes[1]);
	while (pid > 0 && (n = read(pipes[0], block, sizeof(block))) != 0)
		if (n > 0)
			pd_buffer_add(&text, block, (size_t)n);
		else if (errno != EINTR)
			break;
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &ended, 0) != pid || !WIFEXITED(ended) ||
	    WEXITSTATUS(ended) >= 126)
		return NULL;
	if (status)
		*status = WEXITSTATUS(ended);
	return pd_buffer_take(&text);
}
