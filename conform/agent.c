/* SPDX-License-Identifier: MIT */
/* In a place: runs one callback after the other, each in a worker. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carry.h"
#include "place.h"
#include "plugin/child.h"
#include "plugin/worker.h"
#include "still.h"
#include "stream.h"

/* One callback, and what it says. */
struct talk {
	json_t *remembered, *outputs;
	struct stream stream;
};

static bool on_remember(void *user, const char *key, const char *value)
{
	struct talk *t = user;

	if (value)
		json_object_set_new(t->remembered, key, json_string(value));
	else
		json_object_del(t->remembered, key);
	return true;
}

static void on_output(void *user, const char *name, json_t *value)
{
	json_object_set(((struct talk *)user)->outputs, name, value);
}

static bool on_evidence(void *user, const char *path, const char *title, int64_t bytes,
			const char *sha256)
{
	(void)user, (void)path, (void)title, (void)bytes, (void)sha256;
	return true;
}

static void on_fact(void *user, const char *kind, json_t *row)
{
	stream_fact(&((struct talk *)user)->stream, kind, row);
}

static bool on_emit(void *user, struct pd_emitted *e)
{
	return stream_emit(&((struct talk *)user)->stream, e);
}

/* --------------------------------------------------------------- the judge */

/* Until the last process that is filtered has ended. */
static _Noreturn void judge(struct lens *l, int door)
{
	static char line[STILL_LINE];
	int channel = accept4(door, NULL, NULL, SOCK_CLOEXEC), listener;
	struct pollfd p = { .events = POLLIN };

	close(door);
	listener = channel < 0 ? -1 : still_take(channel);
	if (channel >= 0)
		close(channel);
	p.fd = listener;
	while (listener >= 0 && (poll(&p, 1, -1) > 0 || errno == EINTR) && !(p.revents & POLLHUP))
		if (p.revents & POLLIN && still_judge(listener, 0, line))
			lens_note(l->touches, &l->n_touched, line);
	_exit(0);
}

/* @return its pid, -1: there is none. */
static pid_t start_judge(struct lens *l)
{
	int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = -1;

	/* no file: the one that connects sees none that can be written */
	l->judge = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(l->judge.sun_path + 1, sizeof(l->judge.sun_path) - 1, "patchday-judge-%d", getpid());
	if (door >= 0 && bind(door, (struct sockaddr *)&l->judge, sizeof(l->judge)) == 0 &&
	    listen(door, 1) == 0 && (pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		judge(l, door);
	}
	if (door >= 0)
		close(door);
	return pid;
}

static void end_judge(pid_t pid)
{
	/* one that nobody has called is not left waiting */
	for (int i = 0; i < 200 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 10);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---------------------------------------------------------------- the bell */

static void sleep_until(volatile const int64_t *at, int64_t more)
{
	/* read once: the worker sets it back to 0 whenever it is done */
	for (int64_t then = *at; !then || pd_now_ms() < then + more; then = *at)
		(void)poll(NULL, 0, 5);
}

/* Asks a worker to stop while it works, as a run does; ends one that does not.  It
 * has time until its callback has returned. */
static _Noreturn void ring(struct lens *l)
{
	sleep_until(&l->ask_at, 0);
	kill(-l->group, SIGTERM);
	sleep_until(&l->ask_at, l->grace);
	l->deaf = true;
	kill(-l->group, SIGKILL);
	_exit(0);
}

/* @return its pid, -1: there is none. */
static pid_t start_bell(struct lens *l)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ring(l);
	}
	return pid;
}

static void end_bell(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ------------------------------------------------------------ one callback */

#define FIND(kind)                                                                           \
	static const struct pd_##kind *kind(const struct pd_plugin *p, const char *name)     \
	{                                                                                    \
		for (size_t i = 0; p->kind##s[i]; i++)                                       \
			if (strcmp(p->kind##s[i]->name, name) == 0)                          \
				return p->kind##s[i];                                        \
		return NULL;                                                                 \
	}
FIND(step)
FIND(scanner)
FIND(reader)
FIND(filter)
FIND(transport)
#undef FIND

static bool fill(struct pd_worker_call *call, struct lens *l, const json_t *asked)
{
	const char *kind = pd_json_text(asked, "kind", "step"), *name = pd_json_text(asked, "name", "");
	const struct pd_transport *carrier;

	call->phase = (enum pd_phase)pd_json_number(asked, "phase", 0);
	call->args = json_object_get(asked, "args");
	call->remembered = json_object_get(asked, "remembered");
	call->work_dir = call->phase == PD_PHASE_CHECK ? NULL : pd_json_text(asked, "work", NULL);
	call->time_limit = pd_json_number(asked, "limit", 0);
	call->run = "conform";
	call->dry_run = l->still;
	call->source_fd = -1;
	if (strcmp(kind, "scanner") == 0)
		return (call->scanner = scanner(call->plugin, name)) &&
		       (call->scanner = lens_scanner(l, call->scanner));
	if (strcmp(kind, "reader") == 0)
		return (call->reader = reader(call->plugin, name)) &&
		       (call->reader = lens_reader(l, call->reader));
	if (strcmp(kind, "filter") == 0)
		return (call->filter = filter(call->plugin, name)) &&
		       (call->filter = lens_filter(l, call->filter));
	if (strcmp(kind, "transport") == 0)
		return (carrier = transport(call->plugin, name)) &&
		       (call->scanner = lens_scanner(l, carry_scanner(l, carrier, (enum carry)pd_json_number(asked, "carry", 0),
								      json_object_get(asked, "target"))));
	return (call->step = step(call->plugin, name)) && (call->step = lens_step(l, call->step));
}

static json_t *lines(char of[LENS_FOUND][LENS_LINE], size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(of[i]));
	return list;
}

static json_t *answer(const struct pd_worker_result *r, struct talk *t, struct lens *l)
{
	return json_pack("{s:i, s:s, s:s*, s:i, s:b, s:b, s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "result", r->result,
		"message", r->message ? r->message : "", "detail", r->detail, "signal", r->signal,
		"timed_out", r->timed_out, "deaf", l->deaf, "ms", (json_int_t)(r->seconds * 1000), "remembered", t->remembered, "outputs", t->outputs, "times",
		(json_int_t)l->remembered, "piece", (json_int_t)l->piece, "peak", (json_int_t)l->peak, "touches", lines(l->touches, l->n_touched), "left",
		lines(l->left, l->n_left), "shown", lines(l->shown, l->n_shown), "wrong", lines(l->wrong, l->n_wrong));
}

static json_t *call_one(const struct subject *s, struct lens *l, const json_t *asked)
{
	struct talk t = { .remembered = json_object(), .outputs = json_object() };
	struct pd_worker_sink sink = { .user = &t, .remember = on_remember, .output = on_output,
				       .evidence = on_evidence, .fact = on_fact, .emit = on_emit };
	struct pd_worker_call call = { 0 };
	struct pd_worker_result r = {0};
	pd_auto_error *err = NULL;
	const char *work = pd_json_text(asked, "work", NULL);
	json_t *out = NULL;
	pid_t pid = -1, bell = l->late ? start_bell(l) : -1;
	bool open;

	call.plugin = pd_registry_find(s->registry, pd_json_text(asked, "plugin", ""), &err);
	json_object_update(t.remembered, json_object_get(asked, "remembered"));
	open = call.plugin && fill(&call, l, asked) && stream_open(&t.stream, &s->samples, asked, &call);
	if (open && (!work || pd_make_folders(work, &err)) &&
	    (!l->still || (pid = start_judge(l)) > 0) && pd_worker_run(&call, &sink, &r, &err)) {
		if (pid > 0)
			end_judge(pid);
		out = answer(&r, &t, l);
		stream_close(&t.stream, out);
	} else {
		json_decref(t.remembered);
		json_decref(t.outputs);
		out = json_pack("{s:i, s:s}", "result", PD_FAILED, "message",
				err ? err->message : "the callback can't be called");
		if (open)
			stream_close(&t.stream, out);
	}
	if (bell > 0)
		end_bell(bell);
	pd_worker_result_clear(&r);
	return out;
}

/* A row's scores: { scores: [], signal }. */
static json_t *look_only(const struct subject *s, const json_t *asked)
{
	const char *kind = pd_json_text(asked, "kind", ""), *name = pd_json_text(asked, "name", "");
	const struct pd_reader *r = strcmp(kind, "reader") == 0 ? reader(s->plugin, name) : NULL;
	const struct pd_filter *f = r ? NULL : filter(s->plugin, name);
	int *scores = pd_realloc(NULL, stream_heads(&s->samples) + 1, sizeof(*scores)), status = 0;
	json_t *list = json_array();
	size_t n = r || f ? stream_scores(r ? r->recognize : f->recognize, &s->samples, scores, &status) : 0;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(scores[i]));
	free(scores);
	return json_pack("{s:o, s:i}", "scores", list, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void agent_serve(const struct subject *s, int fd, bool alone)
{
	struct lens *l = lens_new();
	json_t *asked;

	while (l && (asked = json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL))) {
		pd_auto_json *said = NULL;

		memset(l, 0, sizeof(*l));
		l->alone = alone;
		memcpy(l->secrets, s->secrets, sizeof(l->secrets));
		l->kill_at = (size_t)pd_json_number(asked, "kill_at", 0);
		l->stop = pd_json_true(asked, "stop");
		l->late = pd_json_number(asked, "late", 0);
		l->grace = pd_json_number(asked, "grace", 0) * 1000;
		l->shut = pd_json_true(asked, "shut");
		l->still = l->shut || pd_json_true(asked, "still");
		l->hasty = pd_json_true(asked, "hasty");
		l->tight = pd_json_true(asked, "tight");
		l->patience = (unsigned)pd_json_number(asked, "patience", 0);
		said = pd_json_true(asked, "look") ? look_only(s, asked) : call_one(s, l, asked);
		json_decref(asked);
		if (json_dumpfd(said, fd, JSON_COMPACT) != 0)
			break;
	}
}
