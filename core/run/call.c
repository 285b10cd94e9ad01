/* SPDX-License-Identifier: MIT */
/* One callback of a step in a worker: what comes out of it is journaled. */
#include "run/call.h"

#include <time.h>
#include <unistd.h>

#include "run/forecast.h"

/* Only who waits is spoken to.  From here to the next durable event nobody is. */
static bool hear_first(struct pd_engine *e)
{
	return !e->journal || e->record->state != PD_RUN_WAITING ||
	       (pd_journal_begin(e->journal, &e->fatal) && pd_engine_hear(e));
}

bool pd_engine_note(struct pd_engine *e, const char *kind, const char *step,
		    json_t *data_take, bool durable)
{
	pd_auto_json *data = data_take, *read_back = NULL;
	pd_auto_free char *line = e->journal ? pd_json_line(data) : NULL;
	struct pd_event event = { .run = e->record->run, .kind = kind, .step = step };

	if (!pd_record_unsealed(e->record, &e->fatal) || !hear_first(e))
		return false;
	if (line && !pd_journal_add(e->journal, e->record->run, kind, step, line, durable,
				    &event, &e->fatal))
		return false;
	/* what is journaled counts, in the order of keys that a replay will find */
	read_back = line ? json_loads(line, 0, NULL) : json_incref(data);
	event.data = read_back;
	if (!pd_record_apply(e->record, &event, &e->fatal))
		return false;
	if (e->journal && !e->o->pretend)
		pd_journald_tell(&event);
	if (e->o->event)
		e->o->event(e->o->user, e->record, &event);
	return true;
}

bool pd_engine_state(struct pd_engine *e, enum pd_run_state state, const char *why)
{
	if (!hear_first(e))
		return false;
	if (e->called_back && (state == PD_RUN_RUNNING || state == PD_RUN_WAITING))
		return true;
	return pd_engine_note(e, "state", "",
			      json_pack("{s:s, s:s, s:o*}", "state",
					pd_run_state_name(state), "why", why, "inhibitors",
					state == PD_RUN_REFUSED ?
					pd_forecast_refusals(e->record) : NULL), true);
}

bool pd_engine_warn(struct pd_engine *e, const char *text)
{
	return pd_strings_has(&e->record->warnings, text) ||
	       pd_engine_note(e, "warning", "", json_pack("{s:s}", "text", text), false);
}

static void on_log(void *user, int level, const char *text)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct pd_call *c = user;

	if (c->dry || level > PD_LOG_INFO || level < 0)
		return;
	(void)!pd_engine_note(c->e, "log", c->s->key,
			      json_pack("{s:s, s:s%}", "level", names[level],
					"text", text, strlen(text)), false);
}

static void on_progress(void *user, int64_t done, int64_t total, const char *text)
{
	struct pd_call *c = user;

	c->e->done = done;
	c->e->total = total;
	free(c->e->text);
	c->e->text = pd_strdup(text);
}

static bool on_remember(void *user, const char *key, const char *value)
{
	struct pd_call *c = user;

	return pd_engine_note(c->e, "remember", c->s->key,
			      json_pack("{s:s, s:s?}", "key", key, "value", value), true);
}

static void on_output(void *user, const char *name, json_t *value)
{
	struct pd_call *c = user;

	if (c->predicted)
		json_object_set(c->predicted, name, value);
	else
		(void)!pd_engine_note(c->e, "output", c->s->key,
				      json_pack("{s:s, s:O}", "name", name,
						"value", value), true);
}

static bool on_evidence(void *user, const char *path, const char *title,
			int64_t bytes, const char *sha256)
{
	struct pd_call *c = user;

	return pd_engine_note(c->e, "evidence", c->s->key,
			      json_pack("{s:s, s:s, s:I, s:s}", "path", path, "title",
					title, "bytes", (json_int_t)bytes, "sha256",
					sha256), true);
}

static void on_irreversible(void *user, const char *why)
{
	struct pd_call *c = user;

	if (c->guard)
		return;
	free(c->irreversible);
	c->irreversible = pd_strdup(why);
	(void)!pd_engine_note(c->e, "irreversible", c->s->key,
			      json_pack("{s:s}", "why", why), false);
}

void pd_call_inhibit(void *user, const char *risk, const char *cause,
		       const char *remedy)
{
	struct pd_call *c = user;

	json_array_append_new(c->inhibitors,
			      json_pack("{s:s, s:s, s:s}", "risk", risk ? risk : "",
					"cause", cause ? cause : "", "remedy",
					remedy ? remedy : ""));
}

static bool on_tick(void *user)
{
	struct pd_call *c = user;
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (c->e->journal && now.tv_sec != c->e->flushed && !c->e->fatal) {
		c->e->flushed = now.tv_sec;
		pd_heartbeat_write(c);
		if (!pd_journal_flush(c->e->journal, &c->e->fatal))
			return false;
	}
	return !c->e->fatal && (!pd_engine_signal(c->e) ||
				(c->undo && pd_engine_signal(c->e) != SIGTERM));
}

static char *work_dir(const struct pd_engine *e, const struct pd_record_step *s)
{
	char *path = pd_print("%s/runs/%s/%s", e->o->state, e->record->run, s->key);

	/* keys hold "/": one flat folder for each step */
	for (char *p = path + strlen(path) - strlen(s->key); *p; p++)
		if (*p == '/')
			*p = '-';
	return path;
}

/* Run one callback; a refusal to start a worker is a failure of the step. */
bool pd_call(struct pd_call *c, enum pd_phase phase, const json_t *args,
		 struct pd_worker_result *result)
{
	struct pd_worker_sink sink = { .user = c, .log = on_log,
		.progress = on_progress, .remember = on_remember,
		.output = on_output, .evidence = on_evidence,
		.irreversible = on_irreversible, .inhibit = pd_call_inhibit,
		.tick = on_tick };
	const struct pd_plugin *plugin = NULL;
	pd_auto_free char *name = pd_print("%s.%s", c->s->step->plugin, c->s->step->step);
	pd_auto_free char *folder = work_dir(c->e, c->s);
	pd_auto_error *err = NULL;
	struct pd_worker_call wc = { .phase = phase, .args = args,
		.remembered = c->s->remembered, .server = c->e->record->server,
		.run = c->e->record->run, .dry_run = c->dry,
		.spawner = c->e->o->spawner };
	const struct pd_step *step;

	c->e->done = c->e->total = 0;
	free(c->e->text);
	c->e->text = NULL;
	step = pd_registry_step(c->e->o->registry, name, &plugin, &err);
	wc.plugin = plugin;
	wc.step = step;
	wc.work_dir = phase == PD_PHASE_CHECK ? NULL : folder;
	if (step && c->e->o->pretend) {
		c->e->o->pretend(c->e->o->user, c->s->key, phase, args, &sink, result);
		return !c->e->fatal;
	}
	if (step && (phase == PD_PHASE_CHECK || pd_make_folders(folder, &err)) &&
	    pd_worker_run(&wc, &sink, result, &err))
		return !c->e->fatal;
	result->result = PD_FAILED;
	result->message = pd_error_text(err);
	return !c->e->fatal;
}

/* False: it was asked to stop meanwhile. */
static bool wait_to_retry(struct pd_call *c, int64_t seconds, const char *why)
{
	pd_auto_free char *text = pd_print("tried again in %d s: %s", (int)seconds, why);

	for (int64_t i = 0; i < seconds && !c->e->o->pretend; i++) {
		struct timespec pause = { .tv_sec = 1 };

		c->e->flushed = i ? c->e->flushed : 0; /* seen at once */
		on_progress(c, i, seconds, text);
		while (on_tick(c) && nanosleep(&pause, &pause) < 0)
			;
		if (!on_tick(c))
			return false;
	}
	return true;
}

/* As often as the descriptor allows, with longer and longer waits. */
bool pd_call_again(struct pd_call *c, enum pd_phase phase, const json_t *args,
		   unsigned retries, struct pd_worker_result *result)
{
	for (unsigned i = 0;; i++) {
		int64_t delay = i < 6 ? INT64_C(1) << i : 60;

		if (!pd_call(c, phase, args, result))
			return false;
		if (result->result != PD_RETRY || i >= retries)
			return true;
		if (!pd_engine_note(c->e, "retry", c->s->key, json_pack("{s:i, s:i, s:I, s:s}",
				    "n", (int)i + 1, "of", (int)retries, "delay",
				    (json_int_t)delay, "message", result->message ?
				    result->message : ""), true))
			return false;
		if (!wait_to_retry(c, delay, result->message ? result->message : ""))
			return !c->e->fatal;
		pd_worker_result_clear(result);
	}
}
