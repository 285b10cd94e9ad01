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

#include "place.h"
#include "plugin/worker.h"
#include "still.h"

/* One callback, and what it says. */
struct talk {
	json_t *remembered, *outputs;
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

/* ------------------------------------------------------------ one callback */

static const struct pd_scanner *scanner(const struct pd_plugin *p, const char *name)
{
	for (size_t i = 0; p->scanners[i]; i++)
		if (strcmp(p->scanners[i]->name, name) == 0)
			return p->scanners[i];
	return NULL;
}

static const struct pd_reader *reader(const struct pd_plugin *p, const char *name)
{
	for (size_t i = 0; p->readers[i]; i++)
		if (strcmp(p->readers[i]->name, name) == 0)
			return p->readers[i];
	return NULL;
}

static const struct pd_step *step(const struct pd_plugin *p, const char *name)
{
	for (size_t i = 0; p->steps[i]; i++)
		if (strcmp(p->steps[i]->name, name) == 0)
			return p->steps[i];
	return NULL;
}

static bool fill(struct pd_worker_call *call, struct lens *l, const json_t *asked)
{
	const char *kind = pd_json_text(asked, "kind", "step"), *name = pd_json_text(asked, "name", "");

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
	return json_pack("{s:i, s:s, s:s*, s:i, s:b, s:o, s:o, s:I, s:o, s:o, s:o}", "result", r->result,
		"message", r->message ? r->message : "", "detail", r->detail, "signal", r->signal,
		"timed_out", r->timed_out, "remembered", t->remembered, "outputs", t->outputs, "times",
		(json_int_t)l->remembered, "touches", lines(l->touches, l->n_touched), "left",
		lines(l->left, l->n_left), "shown", lines(l->shown, l->n_shown));
}

static json_t *call_one(const struct subject *s, struct lens *l, const json_t *asked)
{
	struct talk t = { json_object(), json_object() };
	struct pd_worker_sink sink = { .user = &t, .remember = on_remember, .output = on_output,
				       .evidence = on_evidence };
	struct pd_worker_call call = { 0 };
	struct pd_worker_result r = {0};
	pd_auto_error *err = NULL;
	const char *work = pd_json_text(asked, "work", NULL);
	json_t *out = NULL;
	pid_t pid = -1;

	call.plugin = pd_registry_find(s->registry, pd_json_text(asked, "plugin", ""), &err);
	json_object_update(t.remembered, json_object_get(asked, "remembered"));
	if (call.plugin && fill(&call, l, asked) && (!work || pd_make_folders(work, &err)) &&
	    (!l->still || (pid = start_judge(l)) > 0) && pd_worker_run(&call, &sink, &r, &err)) {
		if (pid > 0)
			end_judge(pid);
		out = answer(&r, &t, l);
	} else {
		json_decref(t.remembered);
		json_decref(t.outputs);
		out = json_pack("{s:i, s:s}", "result", PD_FAILED, "message",
				err ? err->message : "the callback can't be called");
	}
	pd_worker_result_clear(&r);
	return out;
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
		l->shut = pd_json_true(asked, "shut");
		l->still = l->shut || pd_json_true(asked, "still");
		l->hasty = pd_json_true(asked, "hasty");
		said = call_one(s, l, asked);
		json_decref(asked);
		if (json_dumpfd(said, fd, JSON_COMPACT) != 0)
			break;
	}
}
