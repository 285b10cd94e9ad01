/* SPDX-License-Identifier: MIT */
/* A run in a clone, from its start to its end, over the clone's reboots. */
#include "session.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOOT_SECONDS = 180, GLANCE_MS = 20, LOOK_MS = 200, REBOOT_MS = 10000 };

#define UNIT "patchday-resume.service"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static json_t *ask_status(struct session *s, struct clone *c)
{
	pd_auto_free char *text = NULL;
	int status = -1;

	/* the list ends with NULL, which is not one of it */
	pd_strings_add_take(&s->status, NULL);
	s->status.len--;
	text = clone_output(c, (const char *const *)s->status.items, &status);
	return text && status == 0 ? pd_json_parse(text, strlen(text), "status", NULL) : NULL;
}

/* Text mode: a line for each step when it comes to a new state. */
static void show_steps(struct session *s, const json_t *status, json_t *shown)
{
	const json_t *step;
	size_t i;

	if (s->json || s->quiet)
		return;
	json_array_foreach(json_object_get(status, "steps"), i, step) {
		const char *id = pd_json_text(step, "id", ""), *state = pd_json_text(step, "state", "");
		json_t *seconds = json_object_get(step, "seconds");

		if (strcmp(state, "pending") == 0 ||
		    strcmp(pd_json_text(shown, id, ""), state) == 0)
			continue;
		json_object_set_new(shown, id, json_string(state));
		if (strcmp(state, "begun") != 0 && strcmp(state, "undoing") != 0)
			out_print("  %-8s %-40s %8.1f s\n", state, id,
				     json_number_value(seconds));
	}
}

static int exit_of(const char *state)
{
	static const struct {
		const char *state;
		int exit;
	} rows[] = { { "done", PD_END_DONE }, { "waiting for sign-off", PD_END_DONE },
		{ "rolled back", PD_END_ROLLED_BACK }, { "inconsistent", PD_END_INCONSISTENT },
		{ "refused", PD_END_REFUSED }, { "stopped", PD_END_WAITING } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(state, rows[i].state) == 0)
			return rows[i].exit;
	return -1;
}

bool session_ended_well(const struct session_run *r)
{
	return r->exit == PD_END_DONE || r->exit == PD_END_ROLLED_BACK;
}

/* One round of looking. */
struct look {
	struct session *s;
	struct clone *c;
	struct session_run *out;
	json_t *shown;
	int pid, status;   /* of `patchday run`; 0: it has ended */
	int64_t next;      /* when to look, more than a glance */
	int64_t silent;    /* since when there is no status after its end; 0: there is */
	int64_t alone;     /* since when nobody works on the run; 0: somebody does */
};

static void reap(struct look *l)
{
	int status = 0;

	if (l->pid > 0 && waitpid(l->pid, &status, WNOHANG) == l->pid) {
		l->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		l->pid = 0;
	}
}

/* Starting, going down, or about to go on with the run: not the time to call
 * it left alone. */
static bool init_acts(struct look *l)
{
	static const char *const running[] = { "systemctl", "is-system-running", NULL };
	static const char *const unit[] = { "systemctl", "show", "-P", "ActiveState",
		UNIT, NULL };
	pd_auto_free char *now = clone_output(l->c, running, NULL);
	bool settled = now && (strncmp(now, "running", 7) == 0 || strncmp(now, "degraded", 8) == 0);
	pd_auto_free char *state = settled ? clone_output(l->c, unit, NULL) : NULL;

	if (state && strncmp(state, "active", 6) != 0 && strncmp(state, "activating", 10) != 0)
		return false;
	l->next = now_ms() + 3 * LOOK_MS; /* it takes its time */
	return true;
}

/* No run was made: its program has ended and left none, and no start of the
 * clone is under way in which a status can't be had. */
static bool never_began(struct look *l)
{
	if (l->pid > 0 || l->out->status)
		return false;
	l->silent = l->silent ? l->silent : now_ms();
	if (l->status != PD_END_INVALID && (init_acts(l) || now_ms() - l->silent < LOOK_MS))
		return false;
	l->out->state = pd_strdup("not started");
	l->out->exit = l->status <= PD_END_WAITING ? l->status : PD_END_WAITING;
	return true;
}

/* Until systemd begins with a reboot that was asked for, nobody seems to act. */
static int64_t patience(const struct look *l, const char *state)
{
	bool due = strcmp(state, "rebooting") == 0;

	return due && l->s->alone < REBOOT_MS ? REBOOT_MS : l->s->alone;
}

/* @return whether it is over. */
static bool is_over(struct look *l)
{
	json_t *status = ask_status(l->s, l->c);
	const char *state = pd_json_text(status, "state", ""), *run = pd_json_text(status, "run", NULL);
	bool ours = run && (!l->s->newest || strcmp(run, l->s->newest) != 0);
	bool worked_on = l->pid > 0 || pd_json_number(status, "pid", 0) > 0;

	if (!ours) {
		json_decref(status);
		return never_began(l);
	}
	show_steps(l->s, status, l->shown);
	json_decref(l->out->status);
	l->out->status = status;
	l->out->exit = exit_of(state);
	if (worked_on || (l->out->exit < 0 && init_acts(l)))
		l->alone = 0;
	else if (!l->alone)
		l->alone = now_ms();
	if (l->alone && (l->out->exit >= 0 || now_ms() - l->alone > patience(l, state))) {
		l->out->state = pd_strdup(l->out->exit >= 0 ? state : "unfinished");
		l->out->exit = l->out->exit >= 0 ? l->out->exit : PD_END_WAITING;
		return true;
	}
	return false;
}

/* Asking costs more than the run itself at times: not as long as somebody works
 * on it and nobody wants to see how far. */
static bool time_to_look(struct look *l)
{
	bool works = l->pid > 0 || clone_works(l->c, UNIT);
	bool unseen = l->s->json || l->s->quiet;

	if (works && unseen)
		l->alone = 0;
	return !(works && unseen) && now_ms() >= l->next;
}

static bool boot_again(struct look *l, struct pd_error **err)
{
	if (!l->s->json && !l->s->quiet)
		out_print("-- the clone reboots\n");
	l->out->reboots++;
	l->alone = l->silent = 0;
	if (l->s->on_reboot && !l->s->on_reboot(l->s->user, l->c, err))
		return false;
	return clone_boot(l->c, BOOT_SECONDS, err);
}

static bool watch_it(struct look *l, session_watch *watch, void *user, struct pd_error **err)
{
	struct timespec pause = { .tv_nsec = GLANCE_MS * 1000000L };
	int64_t end = now_ms() + l->s->seconds * 1000;
	enum clone_state on;

	while (!session_stop && now_ms() < end) {
		if (watch && !watch(user, l->c, err)) {
			if (*err)
				return false;
			l->out->state = pd_strdup("cut");
			return true;
		}
		on = clone_poll(l->c);
		reap(l);
		if (on == CLONE_REBOOT) {
			if (!boot_again(l, err))
				return false;
		} else if (on == CLONE_OFF) {
			l->out->state = pd_strdup("off");
			l->out->exit = PD_END_WAITING;
			return true;
		}
		if (time_to_look(l)) {
			l->next = now_ms() + LOOK_MS;
			if (is_over(l))
				return true;
		}
		nanosleep(&pause, NULL);
	}
	if (session_stop)
		return pd_error_set(err, "clone-stopped", "stopped by signal %d", session_stop);
	l->out->state = pd_strdup("unfinished");
	l->out->exit = PD_END_WAITING;
	return true;
}

/* Only what it starts now gets the fault; the rest of the clone has it from its
 * own files. */
static int start_it(struct session *s, struct clone *c, enum session_start start)
{
	struct pd_strings *argv = start == SESSION_RESUME ? &s->resume : &s->run;
	int pid;

	if (c->fault)
		setenv("PATCHDAY_FAULT", c->fault, 1);
	pd_strings_add_take(argv, NULL);
	argv->len--;
	pid = clone_spawn(c, (const char *const *)argv->items, s->log);
	unsetenv("PATCHDAY_FAULT");
	return pid;
}

bool session_follow(struct session *s, struct clone *c, enum session_start start,
		    session_watch *watch, void *user, struct session_run *out,
		    struct pd_error **err)
{
	pd_auto_json *newest = start == SESSION_RUN && !s->asked ? ask_status(s, c) : NULL;
	pd_auto_json *shown = json_object();
	struct look l = { .s = s, .c = c, .out = out, .shown = shown };
	int64_t began = now_ms();
	bool good;

	if (start == SESSION_RUN && !s->asked) {
		s->newest = pd_strdup(pd_json_text(newest, "run", NULL));
		s->asked = true;
	}
	session_run_free(out);
	*out = (struct session_run){ .exit = PD_END_WAITING };
	l.pid = start == SESSION_LOOK ? 0 : start_it(s, c, start);
	good = l.pid >= 0 ? watch_it(&l, watch, user, err) :
		pd_error_set(err, "clone-start", "nothing can be started in the clone");
	/* one that was cut off with its clone */
	if (l.pid > 0) {
		kill(l.pid, SIGKILL);
		waitpid(l.pid, NULL, 0);
	}
	out->milliseconds = now_ms() - began;
	return good;
}

void session_run_free(struct session_run *r)
{
	json_decref(r->status);
	free(r->state);
}
