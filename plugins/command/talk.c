/* SPDX-License-Identifier: MIT */
/* talk - starts the program and carries lines until it has ended. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 200
#define GRACE_MS 5000  /* from SIGTERM to SIGKILL */
#define LINGER_MS 1000 /* for output of a program that has ended */

void command_broken(struct command_talk *talk, int result, const char *fmt, ...)
{
	char text[1024] = "";
	va_list ap;

	if (talk->broken)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	talk->broken = pd_format(talk->ctx, "%s", text);
	talk->broken_result = result;
}

static void append(struct command_talk *talk, struct command_bytes *bytes,
		   const char *data, size_t len)
{
	if (bytes->len + len > bytes->cap) {
		size_t cap = (bytes->len + len) * 2;
		char *more = pd_alloc_for(talk->ctx, cap);

		if (bytes->len > 0)
			memcpy(more, bytes->data, bytes->len);
		bytes->data = more;
		bytes->cap = cap;
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

static void drop(struct command_bytes *bytes, size_t len)
{
	bytes->len -= len;
	memmove(bytes->data, bytes->data + len, bytes->len);
}

void command_send(struct command_talk *talk, const char *data, size_t len)
{
	append(talk, &talk->to, data, len);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the child: nothing of the worker but its environment goes on. */
static void become(const struct command_talk *talk, const int ends[3],
		   int status)
{
	sigset_t none;
	int error = 0;

	/* It stays in the worker's process group, which goes with all that is
	 * in it when the callback ends, or patchday does. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022); /* what a program installs has to be readable */
	if (dup2(ends[0], 0) < 0 || dup2(ends[1], 1) < 0 ||
	    dup2(ends[2], 2) < 0 || dup3(status, 3, O_CLOEXEC) < 0 ||
	    close_range(4, ~0u, 0) < 0 || chdir("/") < 0)
		_exit(126);
	execve(talk->argv[0], (char *const *)(uintptr_t)talk->argv, talk->env);
	error = errno;
	_exit(write(3, &error, sizeof(error)) > 0 ? 127 : 126);
}

/* All of our own descriptors start above 3, so that become() can move its
 * ends to 0 to 3 without treading on another. */
static bool make_ends(int theirs[3], int ours[3], int status[2])
{
	int pairs[4][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	bool good = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			       pairs[0]) == 0;

	for (int i = 1; good && i < 4; i++)
		good = pipe2(pairs[i], O_CLOEXEC) == 0;
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 2; j++) {
			int high = good ? fcntl(pairs[i][j], F_DUPFD_CLOEXEC,
						10) : -1;

			close_end(&pairs[i][j]);
			pairs[i][j] = high;
			good = good && high >= 0;
		}
	}
	theirs[0] = pairs[0][1];
	ours[0] = pairs[0][0];
	for (int i = 1; i < 3; i++) {
		theirs[i] = pairs[i][1];
		ours[i] = pairs[i][0];
	}
	status[0] = pairs[3][0];
	status[1] = pairs[3][1];
	for (int i = 0; i < 3; i++)
		good = good && fcntl(ours[i], F_SETFL, O_NONBLOCK) == 0;
	return good;
}

static bool start(struct command_talk *talk)
{
	int theirs[3] = { -1, -1, -1 }, ours[3] = { -1, -1, -1 };
	int status[2] = { -1, -1 };
	int error = 0;
	bool good = make_ends(theirs, ours, status);

	if (good) {
		talk->pid = fork();
		if (talk->pid == 0)
			become(talk, theirs, status[1]);
		good = talk->pid > 0;
	}
	error = good ? 0 : errno;
	for (int i = 0; i < 3; i++)
		close_end(&theirs[i]);
	close_end(&status[1]);
	if (good) {
		if (read(status[0], &error, sizeof(error)) <= 0)
			error = 0;
	}
	close_end(&status[0]);
	talk->in = ours[0];
	talk->out = ours[1];
	talk->err = ours[2];
	if (error != 0)
		command_broken(talk, PD_FAILED, "%s can't be run: %s",
			       talk->argv[0], strerror(error));
	return good;
}

static void write_some(struct command_talk *talk)
{
	ssize_t n = send(talk->in, talk->to.data, talk->to.len, MSG_NOSIGNAL);

	if (n > 0)
		drop(&talk->to, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		close_end(&talk->in); /* it does not want to hear us */
}

static void complain(struct command_talk *talk, const char *line, size_t len)
{
	snprintf(talk->last, sizeof(talk->last), "%.*s", (int)len, line);
	pd_log(talk->ctx, PD_LOG_INFO, "%s", talk->last);
}

/* Cut whole lines; a line that is too long breaks the protocol on standard
 * output, and is cut on standard error. */
static void take_lines(struct command_talk *talk, bool output, bool end)
{
	struct command_bytes *bytes = output ? &talk->from : &talk->complaints;

	while (bytes->len > 0 && !talk->broken) {
		char *newline = memchr(bytes->data, '\n', bytes->len);
		size_t len = newline ? (size_t)(newline - bytes->data) :
				       bytes->len;
		size_t max = output ? COMMAND_LINE_MAX : sizeof(talk->last) - 1;

		if (!newline && !end && len <= max)
			return;
		if (output && len > max) {
			command_broken(talk, PD_FAILED, "line %u is longer "
				       "than %zu bytes: %.80s...",
				       talk->lines + 1, max, bytes->data);
			return;
		}
		if (!output) {
			len = len > max ? max : len;
			complain(talk, bytes->data, len);
		} else {
			talk->lines++;
			command_line(talk, bytes->data, len);
		}
		drop(bytes, len < bytes->len && bytes->data[len] == '\n' ?
			    len + 1 : len);
	}
}

static void read_some(struct command_talk *talk, bool output)
{
	char chunk[16384];
	int *fd = output ? &talk->out : &talk->err;
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !talk->broken)
		append(talk, output ? &talk->from : &talk->complaints, chunk,
		       (size_t)n);
	if (n <= 0)
		close_end(fd);
	take_lines(talk, output, n <= 0);
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void look(struct command_talk *talk)
{
	struct pollfd fds[] = {
		{ .fd = talk->out, .events = POLLIN },
		{ .fd = talk->err, .events = POLLIN },
		{ .fd = talk->to.len > 0 ? talk->in : -1, .events = POLLOUT }
	};

	if (poll(fds, 3, TICK_MS) <= 0)
		return;
	if (fds[0].revents)
		read_some(talk, true);
	if (fds[1].revents)
		read_some(talk, false);
	if (fds[2].revents && talk->in >= 0)
		write_some(talk);
}

static void check_time(struct command_talk *talk, int64_t started)
{
	if (pd_canceled(talk->ctx))
		command_broken(talk, PD_CANCELED, "canceled");
	else if (talk->timeout > 0 &&
		 now_ms() - started > talk->timeout * 1000)
		command_broken(talk, PD_FAILED, "it did not end within %lld "
			       "seconds", (long long)talk->timeout);
}

int command_talk(struct command_talk *talk)
{
	int64_t started = now_ms(), kill_at = 0, gone_at = 0;
	siginfo_t gone = { 0 };
	int status = -1;

	if (!start(talk))
		return -1;
	for (;;) {
		int64_t now = 0;

		look(talk);
		check_time(talk, started);
		now = now_ms();
		/* Not yet collected: its number must stay its own. */
		if (gone_at == 0 &&
		    waitid(P_PID, (id_t)talk->pid, &gone,
			   WEXITED | WNOHANG | WNOWAIT) == 0 && gone.si_pid)
			gone_at = now;
		if (gone_at && ((talk->out < 0 && talk->err < 0) ||
				talk->broken || now > gone_at + LINGER_MS))
			break;
		if (talk->broken && kill_at == 0) {
			kill(talk->pid, SIGTERM);
			kill_at = now + GRACE_MS;
		} else if (kill_at && now > kill_at) {
			kill(talk->pid, SIGKILL);
		}
	}
	while (waitpid(talk->pid, &status, 0) < 0 && errno == EINTR)
		;
	take_lines(talk, true, true);
	take_lines(talk, false, true);
	close_end(&talk->in);
	close_end(&talk->out);
	close_end(&talk->err);
	return status;
}
