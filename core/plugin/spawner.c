/* SPDX-License-Identifier: MIT */
/* The process that forks workers, and what it is asked by. */
#include "plugin/spawner.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin/child.h"
#include "plugin/wire.h"

enum { CHANNEL = 3 }; /* its descriptor, beside the usual three */

struct pd_spawner {
	int channel;
};

/* A call with the two descriptors of its worker, on their way. */
union passing {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

/* ---------------------------------------------------------- in the spawner */

/* The start of a call brings its descriptors; false: nobody asks any more. */
static bool receive(struct pd_buffer *in, int fds[2])
{
	static char piece[65536];
	union passing passing = {0};
	struct iovec bytes = { .iov_base = piece, .iov_len = sizeof(piece) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1,
				  .msg_control = &passing, .msg_controllen = sizeof(passing) };
	ssize_t n = recvmsg(CHANNEL, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	if (n > 0)
		pd_buffer_add(in, piece, (size_t)n);
	if (n > 0 && head && head->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(head), 2 * sizeof(*fds));
	return n > 0;
}

/* A child of who asks, not of us: that waits for it, and ends it. */
static pid_t fork_for_parent(void)
{
	struct clone_args how = { .flags = CLONE_PARENT };

	return (pid_t)syscall(SYS_clone3, &how, sizeof(how));
}

/* @return the pid, or 0: it can't be done from here */
static pid_t spawn(struct pd_registry *reg, struct pd_frame *f, const int fds[2], pid_t parent)
{
	const char *name, *args, *remembered;
	struct pd_worker_call call = {0};
	struct pd_arguments filled = {0};
	int64_t phase, dry;
	pid_t pid;

	if (!pd_frame_get(f, "nnssssss", &phase, &dry, &name, &call.server, &call.run,
			  &call.work_dir, &args, &remembered) || !name || !args)
		return 0;
	call.phase = (enum pd_phase)phase;
	call.dry_run = dry != 0;
	call.step = pd_registry_step(reg, name, &call.plugin, NULL);
	pid = call.step ? fork_for_parent() : -1;
	if (pid != 0)
		return pid > 0 ? pid : 0;
	call.args = json_loads(args, 0, NULL);
	call.remembered = remembered ? json_loads(remembered, 0, NULL) : NULL;
	if (!pd_arguments_fill(call.step, call.args, &filled, NULL))
		_exit(125); /* it was filled once, by who asks */
	pd_child_run(&call, &filled, fds[0], fds[1], parent);
}

/* It hears no signal: a Ctrl-C or a shutdown is for the run to hear, and when
 * that ends the channel does. */
static _Noreturn void serve(struct pd_registry *reg, int channel, pid_t parent)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), fds[2] = { -1, -1 };
	struct pd_buffer in = {0};
	void *frame[1];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "patchday-spawn");
	setsid();
	pd_environment_clean(NULL); /* a secret in it would stay there as long as we do */
	channel = fcntl(channel, F_DUPFD_CLOEXEC, 16);
	for (int fd = 0; fd < CHANNEL; fd++) /* whoever reads our output waits for its end */
		if (dup2(nothing, fd) < 0)
			_exit(125);
	if (getppid() != parent || dup3(channel, CHANNEL, O_CLOEXEC) < 0)
		_exit(125);
	pd_close_from(CHANNEL + 1);
	(void)backtrace(frame, 1); /* its library, or a crashed worker could not load it */
	while (receive(&in, fds)) {
		struct pd_frame f;
		size_t used = 0;
		pid_t pid;

		if (pd_frame_next(&in, &used, &f) <= 0)
			continue; /* the rest of it is on its way */
		pid = spawn(reg, &f, fds, parent);
		pd_close_p(&fds[0]);
		pd_close_p(&fds[1]);
		in.len = 0;
		if (send(CHANNEL, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
			break;
	}
	_exit(0);
}

/* --------------------------------------------------------- in who asks it */

struct pd_spawner *pd_spawner_start(struct pd_registry *reg)
{
	struct pd_spawner *s;
	sigset_t all, before;
	pid_t parent = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	fflush(NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		serve(reg, ends[1], parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return NULL;
	}
	s = pd_alloc(sizeof(*s));
	s->channel = ends[0];
	return s;
}

void pd_spawner_end(struct pd_spawner *s)
{
	if (s)
		pd_close_p(&s->channel);
	free(s);
}

static bool ask(int channel, const struct pd_buffer *call, const int fds[2])
{
	union passing passing = {0};
	struct iovec bytes = { .iov_base = call->data, .iov_len = call->len };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1,
				  .msg_control = &passing, .msg_controllen = sizeof(passing) };
	ssize_t n;

	passing.head.cmsg_level = SOL_SOCKET;
	passing.head.cmsg_type = SCM_RIGHTS;
	passing.head.cmsg_len = CMSG_LEN(2 * sizeof(*fds));
	memcpy(CMSG_DATA(&passing.head), fds, 2 * sizeof(*fds));
	while (bytes.iov_len > 0) {
		n = sendmsg(channel, &message, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		bytes.iov_base = (char *)bytes.iov_base + n;
		bytes.iov_len -= (size_t)n;
		message.msg_control = NULL; /* they went with the first bytes */
		message.msg_controllen = 0;
	}
	return true;
}

static bool answer(int channel, pid_t *pid)
{
	ssize_t n;

	do {
		n = recv(channel, pid, sizeof(*pid), MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	return n == sizeof(*pid);
}

pid_t pd_spawner_fork(struct pd_spawner *s, const struct pd_worker_call *call,
		      const struct pd_arguments *args, int channel, int output)
{
	const int fds[] = { channel, output };
	pd_auto(pd_buffer) b = {0};
	pd_auto_free char *name = NULL, *given = NULL, *remembered = NULL;
	pid_t pid;

	if (!s || s->channel < 0 || !call->step || args->secrets.len)
		return 0;
	name = pd_print("%s.%s", call->plugin->name, call->step->name);
	given = pd_json_line(args->values);
	remembered = call->remembered ? pd_json_line(call->remembered) : NULL;
	pd_frame_put(&b, PD_FRAME_CALL, "nnssssss", (int64_t)call->phase, (int64_t)call->dry_run,
		     name, call->server, call->run, call->work_dir, given, remembered);
	if (b.len > PD_FRAME_MAX)
		return 0;
	if (ask(s->channel, &b, fds) && answer(s->channel, &pid))
		return pid;
	pd_close_p(&s->channel); /* it is gone, and not asked again */
	errno = ECHILD;
	return -1;
}
