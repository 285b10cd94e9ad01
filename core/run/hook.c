/* SPDX-License-Identifier: MIT */
/* A keeper process takes lines as fast as they come and runs the command for
 * one after the other, so that the engine waits for neither. */
#include "run/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "plugin/child.h"

enum { LIMIT = 10000 /* milliseconds */, ROOM = 4 << 20 };

struct pd_hook {
	int channel;
	int64_t lost;
};

/* Take what is there; false: nobody will write any more. */
static bool take(int channel, struct pd_buffer *queue, int wait)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	char piece[65536];
	ssize_t n;

	if (poll(&p, 1, wait) <= 0)
		return true;
	n = read(channel, piece, sizeof(piece));
	if (n > 0)
		pd_buffer_add(queue, piece, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static _Noreturn void become(char *const *argv, const char *line, size_t len)
{
	int input[2];

	setpgid(0, 0);
	/* a long line fits no pipe: a helper of the group writes it */
	if (pipe(input) < 0)
		_exit(126);
	if (fork() == 0) {
		close(input[0]);
		_exit(!pd_write_all(input[1], line, len));
	}
	close(input[1]);
	if (dup2(input[0], STDIN_FILENO) < 0)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

static void run_one(char *const *argv, int channel, struct pd_buffer *queue, size_t len)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	pid_t pid = fork();
	bool more = true;
	int waited = 0;

	if (pid == 0)
		become(argv, queue->data, len);
	while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
		if (more)
			more = take(channel, queue, 2);
		else
			nanosleep(&pause, NULL);
		waited += 2;
		if (waited > LIMIT && kill(-pid, SIGKILL) < 0)
			kill(pid, SIGKILL);
	}
	if (pid > 0)
		kill(-pid, SIGKILL);
}

static _Noreturn void keep(char *const *argv, int channel)
{
	struct pd_buffer queue = {0};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool more = true;

	for (int fd = 0; fd < 3; fd++) /* whoever reads our output waits for its end */
		if (dup2(nothing, fd) < 0)
			_exit(126);
	pd_environment_clean(NULL);
	setsid(); /* Ctrl-C and a lost terminal are for the run */
	prctl(PR_SET_NAME, "patchday-hook");
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	while (more || queue.len) {
		char *end = queue.len ? memchr(queue.data, '\n', queue.len) : NULL;
		size_t len = end ? (size_t)(end - queue.data) + 1 : 0;

		if (!end && !more)
			break;
		if (!end) {
			more = take(channel, &queue, -1);
			continue;
		}
		run_one(argv, channel, &queue, len);
		memmove(queue.data, queue.data + len, queue.len - len);
		queue.len -= len;
	}
	_exit(0);
}

struct pd_hook *pd_hook_start(const char *command, struct pd_error **err)
{
	pd_auto_free char *words = pd_strdup(command);
	struct pd_strings argv = {0};
	struct pd_hook *h = NULL;
	int ends[2], room = ROOM;
	char *rest = NULL;
	pid_t pid;

	for (char *word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		pd_strings_add(&argv, word);
	if (!argv.len || argv.items[0][0] != '/' || access(argv.items[0], X_OK) < 0) {
		pd_error_set(err, "hook", "the hook '%s' does not begin with the absolute path of"
			     " a program", command);
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
		   (pid = fork()) < 0) {
		pd_error_errno(err, "hook", errno, "no process for the hook '%s'", command);
	} else {
		pd_strings_add_take(&argv, NULL);
		if (pid == 0) {
			close(ends[0]);
			keep(argv.items, ends[1]);
		}
		close(ends[1]);
		setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		h = pd_alloc(sizeof(*h));
		h->channel = ends[0];
	}
	pd_strings_clear(&argv);
	return h;
}

void pd_hook_event(struct pd_hook *h, const char *line)
{
	pd_auto_free char *whole = h ? pd_print("%s\n", line) : NULL;
	size_t len = h ? strlen(whole) : 0;

	/* a keeper that is gone, or does not take it on, does not hold the run up;
	 * behind a part of a line nothing can follow */
	if (!h || (!h->lost &&
		   send(h->channel, whole, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len))
		return;
	h->lost++;
	(void)!shutdown(h->channel, SHUT_WR);
}

int64_t pd_hook_lost(const struct pd_hook *h)
{
	return h ? h->lost : 0;
}

void pd_hook_close(struct pd_hook *h)
{
	if (h)
		close(h->channel);
	free(h);
}
