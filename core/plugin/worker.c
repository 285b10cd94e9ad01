/* SPDX-License-Identifier: MIT */
/* Starts a worker, passes on what it says, ends it, and says how it ended. */
#include "plugin/worker.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/child.h"
#include "plugin/spawner.h"
#include "plugin/wire.h"

#define TAIL_MAX ((size_t)32 << 10)  /* kept of what the callback printed */
#define SHOWN_MAX ((size_t)4 << 10)  /* of that, shown */
#define BATCH ((size_t)64 << 10)    /* read at once */

struct worker {
	const struct pd_worker_call *call;
	struct pd_worker_result *result;
	struct pd_arguments args;
	struct pd_others others;
	struct pd_inbox in;
	struct pd_buffer tail;
	pid_t pid;
	int output, pidfd; /* -1: none */
	int64_t started, term_at, kill_at, ticked; /* milliseconds */
	int64_t limit, grace;
	bool canceled, killed;
};

void pd_worker_result_clear(struct pd_worker_result *r)
{
	free(r->message);
	free(r->detail);
	*r = (struct pd_worker_result){0};
}

static void time_limits(struct worker *w)
{
	const struct pd_worker_call *call = w->call;

	w->limit = call->time_limit ? call->time_limit :
		   call->step ? call->step->time_limit :
		   call->scanner ? call->scanner->time_limit :
		   call->reader ? call->reader->time_limit : call->filter->time_limit;
	if (!w->limit)
		w->limit = call->step ? 3600 : call->scanner ? 60 : 600;
	w->grace = call->step && call->step->grace ? call->step->grace : 10;
	w->started = w->ticked = pd_now_ms();
	w->term_at = w->started + w->limit * 1000;
}

static bool start(struct worker *w, struct pd_error **err)
{
	int channel[2] = { -1, -1 }, output[2] = { -1, -1 };
	pid_t self = getpid();
	sigset_t all, before;

	pd_reap_prepare(&w->others);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 ||
	    pipe2(output, O_CLOEXEC) < 0) {
		pd_close_p(&channel[0]);
		pd_close_p(&channel[1]);
		return pd_error_errno(err, "worker-start", errno, "cannot start a worker");
	}
	fflush(NULL); /* or an exit() in the callback prints it again */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	w->pid = pd_spawner_fork(w->call->spawner, w->call, &w->args, channel[1], output[1]);
	if (w->pid == 0 && (w->pid = fork()) == 0)
		pd_child_run(w->call, &w->args, channel[1], output[1], self);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(channel[1]);
	close(output[1]);
	w->in.channel = channel[0];
	w->output = output[0];
	if (w->pid < 0) {
		pd_error_errno(err, "worker-start", errno, "cannot start a worker");
		pd_reap_rest(&w->others); /* it may run all the same */
		return false;
	}
	fcntl(w->output, F_SETFL, O_NONBLOCK);
	w->pidfd = pd_pidfd(w->pid);
	return true;
}

/* Only the last part of what it prints is kept, however much that is. */
static bool take_output(struct worker *w)
{
	static char chunk[BATCH];
	ssize_t n = w->output < 0 ? 0 : read(w->output, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0) {
		pd_close_p(&w->output);
		return false;
	}
	pd_buffer_add(&w->tail, chunk, (size_t)n);
	if (w->tail.len > TAIL_MAX) {
		memmove(w->tail.data, w->tail.data + w->tail.len - TAIL_MAX, TAIL_MAX);
		w->tail.len = TAIL_MAX;
	}
	return true;
}

/* ------------------------------------------------------------------- its end */

static bool has_ended(const struct worker *w)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == w->pid;
}

static void look_at_clock(struct worker *w, bool events)
{
	int64_t now = pd_now_ms();

	if ((events || now - w->ticked >= 1000) && w->in.sink->tick && !w->canceled) {
		w->ticked = now;
		w->canceled = !w->in.sink->tick(w->in.sink->user);
	}
	if (!w->kill_at && (w->canceled || now >= w->term_at)) {
		w->result->timed_out = !w->canceled;
		if (kill(-w->pid, SIGTERM) < 0) /* it has no session of its own yet */
			kill(w->pid, SIGTERM);
		w->kill_at = now + w->grace * 1000;
	}
	w->killed = w->kill_at && now >= w->kill_at;
}

static int wait_time(const struct worker *w)
{
	int64_t at = w->kill_at ? w->kill_at : w->term_at, left = at - pd_now_ms();
	/* without a descriptor for its end we have to look */
	int64_t tick = w->pidfd < 0 ? 20 : 1000;

	return (int)(left < 0 ? 0 : left < tick ? left : tick);
}

static void attend(struct worker *w)
{
	while (!w->in.finished && !w->in.damage && !w->killed) {
		struct pollfd p[] = {
			{ .fd = w->in.channel, .events = POLLIN },
			{ .fd = w->output, .events = POLLIN },
			{ .fd = w->pidfd, .events = POLLIN },
		};
		int ready = poll(p, 3, wait_time(w));
		bool events = false;

		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0 && p[1].revents)
			take_output(w);
		if (ready > 0 && p[0].revents)
			events = pd_inbox_take(&w->in);
		if (!w->in.finished)
			look_at_clock(w, events);
		if (((ready > 0 && p[2].revents) || w->pidfd < 0) && !w->in.finished && has_ended(w)) {
			while (!w->in.finished && pd_inbox_take(&w->in))
				;
			break;
		}
	}
}

/* Once its result is there a worker has nothing more to do, so it goes with
 * all of its group; what escaped from that is looked for. */
static int end(struct worker *w)
{
	int status = 0;

	if (kill(-w->pid, SIGKILL) < 0)
		kill(w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pd_reap_rest(&w->others) && !w->in.bug)
		w->in.bug = pd_strdup("a process that it started can't be ended");
	for (int i = 0; i < 64 && take_output(w); i++)
		;
	pd_close_p(&w->output);
	pd_close_p(&w->pidfd);
	return status;
}

static const char *const names[] = { "check", "apply", "verify", "undo", "scan", "read", "", "unpack" };

static void PD_PRINTF(3, 4) say(struct worker *w, int result, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	free(w->result->message);
	w->result->message = text;
	w->result->result = result;
}

/* It returned: does what it says hold together?  If not, the plugin is wrong
 * and nothing that it said counts. */
static void judge_return(struct worker *w)
{
	struct pd_worker_result *r = w->result;
	const char *phase = names[w->call->phase - 1];
	pd_auto_free char *bug = NULL;
	int worst = PD_FAILED;

	r->result = w->in.result;
	r->message = w->in.message;
	w->in.message = NULL;
	if (w->in.bug) {
		bug = pd_strdup(w->in.bug);
	} else if (r->result < PD_REFUSED || r->result > PD_CHANGED) {
		bug = pd_print("%s returned %d, which is no enum pd_result", phase, r->result);
	} else if (r->result < 0 && !r->message) {
		bug = pd_print("%s failed (%d) without saying why", phase, r->result);
		worst = r->result;
	} else if (r->result >= 0 && w->in.said_failed) {
		bug = pd_print("%s said \"%s\" and then returned success", phase, r->message);
	} else if (r->result == PD_CHANGED && w->call->phase == PD_PHASE_VERIFY) {
		bug = pd_print("verify returned PD_CHANGED in place of PD_UNCHANGED or a failure");
	}
	if (bug) {
		say(w, worst, "%s (a bug of plugin '%s')", bug, w->call->plugin->name);
	} else if (r->result >= 0) {
		free(r->message); /* of a failure that the callback got over */
		r->message = NULL;
	} else if (r->result == PD_FAILED && w->canceled) {
		r->result = PD_CANCELED;
	}
}

/* It did not: what ended it? */
static void judge_death(struct worker *w, int status)
{
	const char *phase = names[w->call->phase - 1];
	pd_auto_free char *limit = pd_show_seconds(w->limit), *grace = pd_show_seconds(w->grace);
	pd_auto_free char *most = pd_child_memory();

	w->result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (w->in.damage)
		say(w, PD_FAILED, "%s was ended: %s", phase, w->in.damage);
	else if (w->result->timed_out && w->killed)
		say(w, PD_FAILED, "%s took longer than its limit of %s, did not stop within %s "
		    "when asked to, and was killed", phase, limit, grace);
	else if (w->result->timed_out)
		say(w, PD_FAILED, "%s took longer than its limit of %s and was ended", phase, limit);
	else if (w->canceled)
		say(w, PD_CANCELED, "%s was ended, since the run is being stopped", phase);
	else if (w->result->signal && w->tail.len &&
		 memmem(w->tail.data, w->tail.len, PD_MEMORY_MARK, strlen(PD_MEMORY_MARK)))
		say(w, PD_FAILED, "%s is out of memory: it wanted more than %s", phase, most);
	else if (w->result->signal)
		say(w, PD_FAILED, "%s crashed: signal %d (%s)%s", phase, w->result->signal,
		    strsignal(w->result->signal), w->result->signal != SIGKILL ? "" :
		    ", by somebody, or by the kernel for want of memory");
	else
		say(w, PD_FAILED, "%s called exit(%d) in place of returning (a bug of plugin '%s')",
		    phase, WEXITSTATUS(status), w->call->plugin->name);
}

/* The last lines that it printed; a crash's backtrace is among them. */
static void add_detail(struct worker *w)
{
	pd_auto_free char *clean = NULL;
	char *from;

	if (!w->tail.len || w->result->result >= 0)
		return;
	for (size_t i = 0; i < w->tail.len; i++) /* NUL would end the text */
		if (!w->tail.data[i])
			w->tail.data[i] = '?';
	pd_buffer_text(&w->tail, "");
	clean = pd_child_clean(&(struct pd_child){ .blot = w->args.blot }, w->tail.data);
	from = clean + (strlen(clean) > SHOWN_MAX ? strlen(clean) - SHOWN_MAX : 0);
	if (from != clean && strchr(from, '\n'))
		from = strchr(from, '\n') + 1;
	w->result->detail = pd_print("its last output:\n%s", from);
}

static void finish(struct worker *w)
{
	int status = end(w);

	if (w->in.finished)
		judge_return(w);
	else
		judge_death(w, status);
	add_detail(w);
	w->result->seconds = (double)(pd_now_ms() - w->started) / 1000;
}

bool pd_worker_run(const struct pd_worker_call *call,
		   const struct pd_worker_sink *sink,
		   struct pd_worker_result *result, struct pd_error **err)
{
	static const struct pd_worker_sink nobody;
	static bool loaded;
	struct worker w = { .call = call, .result = result, .output = -1, .pidfd = -1,
			    .in = { .sink = sink ? sink : &nobody, .channel = -1 } };
	void *frame[1];
	bool ok;

	*result = (struct pd_worker_result){0};
	if (!loaded) /* its library, or a crashed worker could not load it */
		loaded = backtrace(frame, 1) >= 0;
	if (call->step && !pd_arguments_fill(call->step, call->args, &w.args, err))
		return false;
	time_limits(&w);
	if (call->step && (call->step->flags & PD_S_NEEDS_ROOT) && geteuid() != 0) {
		say(&w, PD_REFUSED, "this step needs root, and is run by user %u", geteuid());
		pd_arguments_free(&w.args);
		return true;
	}
	ok = start(&w, err);
	if (ok) {
		attend(&w);
		finish(&w);
	}
	pd_inbox_clear(&w.in);
	pd_close_p(&w.output);
	pd_arguments_free(&w.args);
	pd_buffer_clear(&w.tail);
	free(w.others.pids);
	return ok;
}
