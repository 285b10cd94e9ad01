/* SPDX-License-Identifier: MIT */
/* Runs one command of a callback: argv, no shell, bounded in all it does. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/child.h"
#include "plugin/secret.h"

#define LINE_MAX_BYTES ((size_t)16 << 10) /* of a line; the rest is dropped */
#define PATIENCE 5000 /* milliseconds from SIGTERM to SIGKILL */

struct stream {
	int fd;
	struct pd_buffer kept, line;
};

struct running {
	struct pd_child *c;
	struct pd_command command; /* in this core's size */
	pid_t pid;
	int pidfd, input; /* -1: none */
	const char *data;  /* for its standard input */
	size_t left;
	struct stream streams[2];
	int64_t term_at, kill_at; /* milliseconds; 0: never */
	bool timed_out, canceled;
};

/* The worker's clean environment, and what the command adds or replaces. */
static char **merged(struct pd_child *c, const char *const *more)
{
	size_t n = 0, m = 0, at = 0;
	char **env;

	for (; environ[n]; n++)
		;
	for (; more && more[m]; m++)
		;
	env = pd_child_keep(c, pd_alloc((n + m + 1) * sizeof(*env)));
	for (size_t i = 0; i < m; i++)
		env[at++] = (char *)more[i];
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(environ[i], "=") + 1;
		bool replaced = false;

		for (size_t j = 0; j < m; j++)
			replaced |= strncmp(environ[i], more[j], len) == 0;
		if (!replaced)
			env[at++] = environ[i];
	}
	return env;
}

static void execute(const char *path, const char *const *argv, char **env)
{
	char file[PATH_MAX];
	int worst = ENOENT;
	size_t len;

	if (strchr(argv[0], '/')) {
		execve(argv[0], (char **)argv, env);
		return;
	}
	for (; *path; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		if (snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, argv[0]) >=
		    (int)sizeof(file))
			continue;
		execve(file, (char **)argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			worst = errno;
	}
	errno = worst;
}

/* Between fork and exec.  Commands have a group of their own, so that one
 * that is out of time goes with all that it started; and the usual umask,
 * since what installers write has to be readable. */
static _Noreturn void become(const struct running *r, char **env, int input,
			     const int output[2], int report)
{
	const struct pd_command *command = &r->command;
	int failed;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pd_signals_reset();
	umask(022);
	pd_child_unlimit();
	if ((input < 0 || dup2(input, STDIN_FILENO) >= 0) &&
	    dup2(output[0], STDOUT_FILENO) >= 0 && dup2(output[1], STDERR_FILENO) >= 0 &&
	    dup3(report, 3, O_CLOEXEC) >= 0) {
		pd_close_from(4);
		if (chdir(command->directory ? command->directory : "/") == 0)
			execute(r->c->path, command->argv, env);
	}
	failed = errno;
	if (write(3, &failed, sizeof(failed)) < 0)
		_exit(126);
	_exit(127);
}

static int could_not(struct running *r, int number)
{
	const struct pd_command *command = &r->command;
	struct stat st;

	if (number == ENOENT && command->directory && stat(command->directory, &st) < 0)
		return pd_child_report(r->c, "cannot run %s in %s: %s", command->argv[0],
				       command->directory, strerror(number));
	if (number == ENOENT && !strchr(command->argv[0], '/'))
		return pd_child_report(r->c, "cannot run %s: there is no such program in %s; "
				       "install the package that it belongs to",
				       command->argv[0], r->c->path);
	return pd_child_report(r->c, "cannot run %s: %s", command->argv[0], strerror(number));
}

static void close_pair(int pair[2])
{
	pd_close_p(&pair[0]);
	pd_close_p(&pair[1]);
}

static int start(struct running *r)
{
	int input[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int report[2] = { -1, -1 }, failed = 0;
	char **env = merged(r->c, r->command.env);

	if ((r->data && pipe2(input, O_CLOEXEC) < 0) || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(err, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0 ||
	    (r->pid = fork()) < 0) {
		failed = errno;
	} else if (r->pid == 0) {
		become(r, env, input[0], (const int[]){ out[1], err[1] }, report[1]);
	} else {
		setpgid(r->pid, r->pid); /* both do it: whoever comes first */
		pd_child_command_group(r->pid);
		pd_close_p(&report[1]);
		/* ends with the exec, or with the number of its failure */
		while (read(report[0], &failed, sizeof(failed)) < 0 && errno == EINTR)
			;
		if (failed)
			waitpid(r->pid, NULL, 0);
	}
	close_pair(report);
	pd_close_p(&input[0]);
	pd_close_p(&out[1]);
	pd_close_p(&err[1]);
	r->input = input[1];
	r->streams[0].fd = out[0];
	r->streams[1].fd = err[0];
	for (int i = 0; i < 3; i++)
		fcntl((int[]){ r->input, out[0], err[0] }[i], F_SETFL, O_NONBLOCK);
	return failed;
}

/* -------------------------------------------------------------- its output */

static void one_line(struct running *r, int stream, struct pd_buffer *line)
{
	pd_buffer_text(line, "");
	if (r->command.line)
		r->command.line(&r->c->ctx, r->command.user, stream, line->data);
	if (r->command.flags & PD_RUN_LOG)
		pd_child_log(r->c, stream == 2 ? PD_LOG_WARN : PD_LOG_INFO, line->data);
	line->len = 0;
}

static void lines(struct running *r, int stream, const char *data, size_t len)
{
	struct pd_buffer *line = &r->streams[stream - 1].line;

	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;
		size_t room = LINE_MAX_BYTES - line->len;

		pd_buffer_add(line, data, n < room ? n : room);
		if (end)
			one_line(r, stream, line);
		n += end != NULL;
		data += n;
		len -= n;
	}
}

/* @return false when there is nothing more to read for now. */
static bool take_output(struct running *r, int i)
{
	struct stream *s = &r->streams[i];
	static char chunk[65536];
	ssize_t n = s->fd < 0 ? 0 : read(s->fd, chunk, sizeof(chunk));
	size_t room;

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		pd_close_p(&s->fd);
		return false;
	}
	room = r->command.output_max - s->kept.len;
	pd_buffer_add(&s->kept, chunk, (size_t)n < room ? (size_t)n : room);
	if (r->command.line || (r->command.flags & PD_RUN_LOG))
		lines(r, i + 1, chunk, (size_t)n);
	return true;
}

static void give_input(struct running *r)
{
	ssize_t n = write(r->input, r->data, r->left);

	if (n > 0) {
		r->data += n;
		r->left -= (size_t)n;
	}
	if (!r->left || (n < 0 && errno != EAGAIN && errno != EINTR))
		pd_close_p(&r->input);
}

/* --------------------------------------------------------------- its time */

static int remaining(const struct running *r)
{
	int64_t at = r->kill_at ? r->kill_at : r->term_at;
	int64_t left = at ? at - pd_now_ms() : INT_MAX;
	/* without a descriptor for its end we have to look */
	int64_t tick = r->pidfd < 0 ? 20 : 1000;

	return (int)(left < 0 ? 0 : left < tick ? left : tick);
}

static void look_at_clock(struct running *r)
{
	int64_t now = pd_now_ms();

	if (r->kill_at && now >= r->kill_at) {
		kill(-r->pid, SIGKILL);
		r->kill_at = now + PATIENCE;
	} else if (!r->kill_at && (pd_child_canceled() || (r->term_at && now >= r->term_at))) {
		r->canceled = pd_child_canceled();
		r->timed_out = !r->canceled;
		kill(-r->pid, SIGTERM);
		r->kill_at = now + PATIENCE;
	}
}

/* Until it has ended; what it left behind may hold the pipes open longer. */
static int attend(struct running *r)
{
	int status = 0;
	pid_t done;

	while ((done = waitpid(r->pid, &status, WNOHANG)) == 0 || (done < 0 && errno == EINTR)) {
		struct pollfd p[] = {
			{ .fd = r->streams[0].fd, .events = POLLIN },
			{ .fd = r->streams[1].fd, .events = POLLIN },
			{ .fd = r->input, .events = POLLOUT },
			{ .fd = r->pidfd, .events = POLLIN },
		};

		poll(p, 4, remaining(r));
		for (int i = 0; i < 2; i++)
			if (p[i].revents)
				take_output(r, i);
		if (p[2].revents && r->input >= 0)
			give_input(r);
		look_at_clock(r);
	}
	/* what is in the pipes, but not what a flood goes on pouring in */
	for (int i = 0; i < 2; i++) {
		for (int n = 0; n < 64 && take_output(r, i); n++)
			;
		pd_close_p(&r->streams[i].fd);
		if (r->streams[i].line.len)
			one_line(r, i + 1, &r->streams[i].line);
	}
	pd_close_p(&r->input);
	pd_close_p(&r->pidfd);
	return status;
}

static void set_input(struct running *r)
{
	const struct pd_command *command = &r->command;
	const char *secret;

	r->data = command->input;
	r->left = command->input ? command->input_len : 0;
	if (!command->input_secret)
		return;
	secret = pd_secret_value(command->input_secret, NULL);
	r->data = pd_child_keep(r->c, pd_print("%s\n", secret));
	r->left = strlen(r->data);
}

static const char *taken(struct pd_child *c, struct pd_buffer *b, size_t *len)
{
	*len = b->len;
	return pd_child_keep(c, pd_buffer_take(b));
}

int pd_exec(struct pd_child *c, const struct pd_command *command,
	    struct pd_command_result *result)
{
	struct running r = { .c = c, .pidfd = -1 };
	size_t size = command->size < sizeof(r.command) ? command->size : sizeof(r.command);
	int failed, status;

	*result = (struct pd_command_result){ .out = "", .err = "" };
	memcpy(&r.command, command, size);
	if (!r.command.argv || !r.command.argv[0])
		return pd_child_bug(c, "a command without argv[0] was run");
	for (int list = 0; list < 2; list++)
		for (const char *const *word = list ? r.command.env : r.command.argv;
		     word && *word; word++)
			if (pd_blot_finds(c->blot, *word))
				return pd_child_bug(c, "%s was to be run with a secret in its %s,"
					" which others can see; secrets go in by input_secret",
					r.command.argv[0], list ? "environment" : "arguments");
	if (pd_child_canceled()) {
		pd_child_report(c, "%s was not run, since the step is being stopped",
				r.command.argv[0]);
		return PD_CANCELED;
	}
	if (!r.command.output_max)
		r.command.output_max = (size_t)1 << 20;
	if (r.command.time_limit > 0 && r.command.time_limit < 1000000000)
		r.term_at = pd_now_ms() + r.command.time_limit * 1000;
	set_input(&r);
	failed = start(&r);
	if (failed) {
		pd_child_command_group(0);
		pd_close_p(&r.input);
		pd_close_p(&r.streams[0].fd);
		pd_close_p(&r.streams[1].fd);
		return could_not(&r, failed);
	}
	r.pidfd = pd_pidfd(r.pid);
	status = attend(&r);
	if (r.timed_out || r.canceled)
		kill(-r.pid, SIGKILL);
	pd_child_command_group(0);
	pd_buffer_clear(&r.streams[0].line);
	pd_buffer_clear(&r.streams[1].line);
	result->out = taken(c, &r.streams[0].kept, &result->out_len);
	result->err = taken(c, &r.streams[1].kept, &result->err_len);
	result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (r.timed_out)
		return pd_child_report(c, "%s took longer than its limit of %lld s and was ended",
				       r.command.argv[0], (long long)r.command.time_limit);
	if (r.canceled) {
		pd_child_report(c, "%s was ended, since the step is being stopped", r.command.argv[0]);
		return PD_CANCELED;
	}
	return 0;
}
