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
#include "plugin/reap.h"
#include "plugin/secret.h"
#include "plugin/wire.h"

#define TAIL_MAX ((size_t)32 << 10)  /* kept of what the callback printed */
#define SHOWN_MAX ((size_t)4 << 10)  /* of that, shown */
#define BATCH ((size_t)256 << 10)    /* read at once */

struct worker {
	const struct pd_worker_call *call;
	const struct pd_worker_sink *sink;
	struct pd_worker_result *result;
	struct pd_arguments args;
	struct pd_others others;
	struct pd_buffer in, tail;
	pid_t pid;
	int channel, output, pidfd; /* -1: none */
	int64_t started, term_at, kill_at, ticked; /* milliseconds */
	int64_t limit, grace;
	bool finished; /* the result is there */
	bool canceled, said_failed, killed;
	char *damage;  /* why the parent gave up on it */
	char *bug;
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
		   call->scanner ? call->scanner->time_limit : call->reader->time_limit;
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
	w->pid = fork();
	if (w->pid == 0)
		pd_child_run(w->call, &w->args, channel[1], output[1], self);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(channel[1]);
	close(output[1]);
	w->channel = channel[0];
	w->output = output[0];
	if (w->pid < 0)
		return pd_error_errno(err, "worker-start", errno, "cannot start a worker");
	fcntl(w->output, F_SETFL, O_NONBLOCK);
	w->pidfd = pd_pidfd(w->pid);
	return true;
}

/* ------------------------------------------------------------------ frames */

static bool answer(struct worker *w, bool yes)
{
	return send(w->channel, yes ? "y" : "n", 1, MSG_NOSIGNAL) == 1;
}

static bool on_output(struct worker *w, struct pd_frame *f)
{
	const char *name, *line, *none;
	pd_auto_json *value = NULL;

	if (!pd_frame_get(f, "sss", &name, &line, &none) || !name || !line)
		return false;
	value = json_loads(line, JSON_DECODE_ANY, NULL);
	if (value && w->sink->output)
		w->sink->output(w->sink->user, name, value);
	return value != NULL;
}

static bool on_fact(struct worker *w, struct pd_frame *f)
{
	pd_auto_json *row = json_object();
	const char *kind, *key, *text;
	int64_t n, type, number;

	if (!pd_frame_get(f, "sn", &kind, &n) || !kind)
		return false;
	while (n-- > 0) {
		if (!pd_frame_get(f, "snsn", &key, &type, &text, &number) || !key)
			return false;
		if (type == PD_F_TEXT && text)
			json_object_set_new(row, key, json_string(text));
		else if (type != PD_F_TEXT)
			json_object_set_new(row, key, type == PD_F_FLAG ? json_boolean(number) :
									  json_integer(number));
	}
	if (w->sink->fact)
		w->sink->fact(w->sink->user, kind, row);
	return true;
}

static bool on_emit(struct worker *w, struct pd_frame *f)
{
	struct pd_emit_ignored ignored = {0};
	pd_auto_error *err = NULL;
	union pd_part part;
	int64_t what, line = 0;

	if (!pd_frame_get(f, "n", &what))
		return false;
	if (what == PD_EMIT_IGNORED ? !pd_frame_get(f, "ns", &line, &ignored.what) :
				      !pd_part_get(f, (int)what, &part))
		return false;
	ignored.line = (unsigned)line;
	if (w->sink->emit && !w->damage &&
	    !w->sink->emit(w->sink->user, (int)what,
			   what == PD_EMIT_IGNORED ? (const void *)&ignored : &part, &err))
		w->damage = err ? pd_error_text(err) : pd_strdup("the catalog refused it");
	return true;
}

static bool on_result(struct worker *w, struct pd_frame *f)
{
	const char *message, *bug;
	int64_t result, failed;

	if (!pd_frame_get(f, "nnss", &result, &failed, &message, &bug))
		return false;
	w->result->result = (int)result;
	w->result->message = pd_strdup(message);
	w->said_failed = failed != 0;
	w->bug = pd_strdup(bug);
	w->finished = true;
	return true;
}

static bool on_frame(struct worker *w, struct pd_frame *f)
{
	const struct pd_worker_sink *sink = w->sink;
	const char *a, *b, *c;
	int64_t n, m;

	switch (f->type) {
	case PD_FRAME_LOG:
		if (!pd_frame_get(f, "ns", &n, &a))
			return false;
		if (sink->log)
			sink->log(sink->user, (int)n, a);
		return true;
	case PD_FRAME_PROGRESS:
		if (!pd_frame_get(f, "nns", &n, &m, &a))
			return false;
		if (sink->progress)
			sink->progress(sink->user, n, m, a);
		return true;
	case PD_FRAME_REMEMBER:
		return pd_frame_get(f, "ss", &a, &b) && a &&
		       answer(w, !sink->remember || sink->remember(sink->user, a, b));
	case PD_FRAME_EVIDENCE:
		return pd_frame_get(f, "ssns", &a, &b, &n, &c) && a &&
		       answer(w, !sink->evidence || sink->evidence(sink->user, a, b, n, c));
	case PD_FRAME_IRREVERSIBLE:
		if (!pd_frame_get(f, "sss", &a, &b, &c))
			return false;
		if (sink->irreversible)
			sink->irreversible(sink->user, a);
		return true;
	case PD_FRAME_INHIBIT:
		if (!pd_frame_get(f, "sss", &a, &b, &c))
			return false;
		if (sink->inhibit)
			sink->inhibit(sink->user, a, b, c);
		return true;
	case PD_FRAME_EXPECT:
		if (!pd_frame_get(f, "n", &n))
			return false;
		if (sink->expect)
			sink->expect(sink->user, n);
		return true;
	case PD_FRAME_OUTPUT:
		return on_output(w, f);
	case PD_FRAME_FACT:
		return on_fact(w, f);
	case PD_FRAME_EMIT:
		return on_emit(w, f);
	case PD_FRAME_RESULT:
		return on_result(w, f);
	default:
		return false;
	}
}

/* @return false when there is nothing (more) to read. */
static bool take_frames(struct worker *w, int flags)
{
	static char chunk[BATCH];
	ssize_t n = w->channel < 0 ? 0 : recv(w->channel, chunk, sizeof(chunk), flags);
	struct pd_frame f;
	size_t used = 0;
	int more = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0) {
		pd_close_p(&w->channel);
		return false;
	}
	pd_buffer_add(&w->in, chunk, (size_t)n);
	while (!w->finished && !w->damage && (more = pd_frame_next(&w->in, &used, &f)) > 0)
		if (!on_frame(w, &f))
			more = -1;
	if (more < 0 && !w->damage)
		w->damage = pd_strdup("it wrote to the descriptor that it talks to patchday by");
	memmove(w->in.data, w->in.data + used, w->in.len - used);
	w->in.len -= used;
	return !w->damage;
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

static void stop(struct worker *w, int64_t now)
{
	kill(-w->pid, SIGTERM);
	w->kill_at = now + w->grace * 1000;
}

static void look_at_clock(struct worker *w, bool events)
{
	int64_t now = pd_now_ms();

	if ((events || now - w->ticked >= 1000) && w->sink->tick && !w->canceled) {
		w->ticked = now;
		if (!w->sink->tick(w->sink->user)) {
			w->canceled = true;
			if (!w->kill_at)
				stop(w, now);
		}
	}
	if (!w->kill_at && now >= w->term_at) {
		w->result->timed_out = true;
		stop(w, now);
	}
	if (w->kill_at && now >= w->kill_at)
		w->killed = true;
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
	while (!w->finished && !w->damage && !w->killed) {
		struct pollfd p[] = {
			{ .fd = w->channel, .events = POLLIN },
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
			events = take_frames(w, MSG_DONTWAIT);
		if (!w->finished)
			look_at_clock(w, events);
		if (((ready > 0 && p[2].revents) || w->pidfd < 0) && !w->finished && has_ended(w)) {
			while (!w->finished && take_frames(w, MSG_DONTWAIT))
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
	if (pd_reap_rest(&w->others) && !w->bug)
		w->bug = pd_strdup("a process that it started can't be ended");
	for (int i = 0; i < 64 && take_output(w); i++)
		;
	pd_close_p(&w->channel);
	pd_close_p(&w->output);
	pd_close_p(&w->pidfd);
	return status;
}

static const char *const names[] = { "check", "apply", "verify", "undo", "scan", "read", "open" };

static void PD_PRINTF(3, 4) say(struct worker *w, int result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(w->result->message);
	w->result->message = pd_vprint(fmt, ap);
	w->result->result = result;
	va_end(ap);
}

/* It returned: does what it says hold together? */
static void judge_return(struct worker *w)
{
	const char *plugin = w->call->plugin->name, *phase = names[w->call->phase - 1];
	struct pd_worker_result *r = w->result;
	pd_auto_free char *said = pd_strdup(r->message);
	int result = r->result;

	if (w->bug)
		say(w, PD_FAILED, "%s (a bug of plugin '%s')", w->bug, plugin);
	else if (result < PD_REFUSED || result > PD_CHANGED)
		say(w, PD_FAILED, "%s returned %d, which is no enum pd_result (a bug of plugin '%s')",
		    phase, result, plugin);
	else if (result < 0 && !said)
		say(w, result, "%s failed (%d) without saying why (a bug of plugin '%s')",
		    phase, result, plugin);
	else if (result >= 0 && w->said_failed)
		say(w, PD_FAILED, "%s said \"%s\" and then returned success (a bug of plugin '%s')",
		    phase, said, plugin);
	else if (result == PD_CHANGED && w->call->phase == PD_PHASE_VERIFY)
		say(w, PD_FAILED, "verify returned PD_CHANGED instead of PD_UNCHANGED or a failure (a bug of plugin '%s')",
		    plugin);
	else if (result >= 0)
		say(w, w->call->step ? result : 0, "%s", "");
	if (r->result >= 0) {
		free(r->message);
		r->message = NULL;
	}
}

/* It did not: what ended it? */
static void judge_death(struct worker *w, int status)
{
	const char *phase = names[w->call->phase - 1];
	pd_auto_free char *limit = pd_show_seconds(w->limit), *grace = pd_show_seconds(w->grace);

	if (WIFSIGNALED(status))
		w->result->signal = WTERMSIG(status);
	if (w->damage)
		say(w, PD_FAILED, "%s was ended: %s", phase, w->damage);
	else if (w->result->timed_out && w->killed)
		say(w, PD_FAILED, "%s took longer than its limit of %s, did not stop within %s when asked to, and was killed",
		    phase, limit, grace);
	else if (w->result->timed_out)
		say(w, PD_FAILED, "%s took longer than its limit of %s and was ended", phase, limit);
	else if (w->canceled)
		say(w, PD_CANCELED, "%s was ended, since the run is being stopped", phase);
	else if (WIFSIGNALED(status))
		say(w, PD_FAILED, "%s crashed: signal %d (%s)", phase, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
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
	clean = pd_child_clean(&(struct pd_child){ .secrets = &w->args.secrets }, w->tail.data);
	from = clean + (strlen(clean) > SHOWN_MAX ? strlen(clean) - SHOWN_MAX : 0);
	if (from != clean && strchr(from, '\n'))
		from = strchr(from, '\n') + 1;
	w->result->detail = pd_print("its last output:\n%s", from);
}

static void finish(struct worker *w)
{
	int status = end(w);

	if (w->finished)
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
	struct worker w = { .call = call, .sink = sink ? sink : &nobody, .result = result,
			    .channel = -1, .output = -1, .pidfd = -1 };
	void *frame[1];
	bool ok;

	*result = (struct pd_worker_result){0};
	if (!loaded) /* its library, or a crashed worker could not load it */
		loaded = backtrace(frame, 1) >= 0;
	if (call->step && !pd_arguments_fill(call->step, call->args, &w.args, err))
		return false;
	time_limits(&w);
	ok = start(&w, err);
	if (ok) {
		attend(&w);
		finish(&w);
	}
	pd_close_p(&w.channel);
	pd_close_p(&w.output);
	pd_arguments_free(&w.args);
	pd_buffer_clear(&w.in);
	pd_buffer_clear(&w.tail);
	free(w.others.pids);
	free(w.damage);
	free(w.bug);
	return ok;
}
