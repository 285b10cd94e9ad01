/* SPDX-License-Identifier: MIT */
/* Functions of the command line: runs, what is known of them, reports. */
#include <malloc.h>
#include <signal.h>
#include <time.h>

#include "cli/cli.h"
#include "report/report.h"
#include "run/forecast.h"
#include "run/lock.h"

#define auto_journal __attribute__((cleanup(pd_journal_cleanup))) struct pd_journal
#define auto_record __attribute__((cleanup(pd_record_cleanup))) struct pd_record

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

/* A lost terminal must not end a run; Ctrl-C and a shutdown stop it. */
static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

/* The plan is long and has a command of its own.  --events are printed here: a
 * line is as a hook gets it, with the nulls that Lua does not have. */
static void on_event(void *user, const struct pd_record *r, const struct pd_event *e)
{
	const struct pd_record_step *s = *e->step ?
		pd_record_step((struct pd_record *)(uintptr_t)r, e->step) : NULL;
	json_t *data = json_copy((json_t *)(uintptr_t)e->data);
	pd_auto_json *event = json_pack("{s:I, s:I, s:s, s:s, s:s, s:o}", "n", (json_int_t)e->n,
		"time", (json_int_t)e->time, "run", e->run, "kind", e->kind, "step", e->step,
		"data", data);
	pd_auto_free char *line = NULL;
	struct pd_cli *cli = user;

	if (strcmp(e->kind, "plan") == 0)
		json_object_del(data, "plan");
	line = cli->hook || cli->events ? pd_json_line(event) : NULL;
	if (cli->hook)
		pd_hook_event(cli->hook, line);
	if (cli->events) {
		puts(line);
		fflush(stdout);
		return;
	}
	pd_cli_tell(cli, "event", json_pack("{s:O, s:o*}", "event", event, "step",
		s ? pd_record_step_json(r, s) : NULL));
}

static int64_t unheard(void *user)
{
	return pd_hook_lost(((struct pd_cli *)user)->hook);
}

void pd_cli_listen(struct pd_cli *cli, struct pd_run_options *o)
{
	o->user = cli;
	o->event = on_event;
	o->unheard = unheard;
	signal(SIGPIPE, SIG_IGN); /* who does not listen to the end does not end it */
}

static void on_progress(void *user, const json_t *beat)
{
	pd_cli_tell(user, "progress", json_incref((json_t *)(uintptr_t)beat));
}

static struct pd_plan *replan(void *user, const json_t *inputs, int64_t round,
			      struct pd_error **err)
{
	return pd_cli_plan(user, inputs, round, NULL, err);
}

static bool confirm(void *user, const json_t *change)
{
	return pd_cli_tell(user, "confirm", json_incref((json_t *)(uintptr_t)change));
}

/* What was typed in before has gone with the process that asked.  A way back needs
 * what is to be undone, no more. */
static bool ready(void *user, const struct pd_record *r, struct pd_error **err)
{
	bool back = r->state == PD_RUN_UNDOING || pd_run_state_ended(r->state);
	pd_auto_free const struct pd_plan_step **steps = pd_alloc((r->n_steps + 1) * sizeof(*steps));
	size_t n = 0;

	(void)user;
	for (size_t i = 0; i < r->n_steps; i++)
		if (!back || (r->steps[i].applied && r->steps[i].state != PD_STEP_UNDONE))
			steps[n++] = r->steps[i].step;
	return pd_cli_type_in(steps, n, err);
}

static void texts(const json_t *list, struct pd_strings *out)
{
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word)
		pd_strings_add(out, json_string_value(word));
}

static enum pd_run_end act_on(const struct pd_run_options *o, struct pd_cli *cli,
			      const json_t *how, char **run, struct pd_error **err)
{
	const char *what = pd_json_text(how, "what", "");
	struct pd_plan *plan = cli->plan;

	if (strcmp(what, "sign") == 0)
		return pd_run_sign(o, *run, pd_json_text(how, "party", ""),
				   pd_json_text(how, "name", ""), pd_json_text(how, "note", NULL), err);
	catch_signals();
	/* workers are forked: what is small is fast */
	json_decref(cli->held);
	cli->held = NULL;
	lua_gc(cli->lua, LUA_GCCOLLECT);
	malloc_trim(0);
	cli->acted = !o->pretend;
	if (strcmp(what, "resume") == 0)
		return pd_run_resume(o, *run, err);
	if (strcmp(what, "undo") == 0)
		return pd_run_undo(o, *run, err);
	cli->plan = NULL;
	return pd_run_start(o, plan, json_object_get(how, "inputs"), run, err);
}

/* act{what, run, inputs, unattended, resume, party, name, note, accept_no_return,
 * accept_failing, who, why, skip, redo, change, no_wait, poll, emergency, boots}: start
 * the plan, resume (with the plan and inputs, if change), undo or sign; with boots, of
 * one round and on paper, on a server that was started so often.  {status, run, error}. */
PD_CORE(act)
{
	const json_t *how = json_array_get(args, 0);
	bool change = pd_json_true(how, "change");
	int64_t boots = pd_json_number(how, "boots", 0);
	pd_auto(pd_strings) argv = {0}, skip = {0}, redo = {0};
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry,
		.spawner = cli->spawner, .signal = &stop_signal, .progress = on_progress,
		.replan = boots ? NULL : replan,
		.confirm = confirm, .boots = boots, .pretend = boots ? pd_cli_pretend : NULL,
		.ready = boots ? NULL : ready, .record = &cli->record,
		.unattended = pd_json_true(how, "unattended"), .who = pd_cli_user(),
		.accept_no_return = pd_json_text(how, "accept_no_return", NULL),
		.accept_failing = pd_json_text(how, "accept_failing", NULL),
		.why = pd_json_text(how, "why", NULL), .skip = &skip, .redo = &redo,
		.no_wait = pd_json_true(how, "no_wait"), .poll = pd_json_number(how, "poll", 0),
		.emergency = pd_json_text(how, "emergency", NULL),
		.plan = change ? cli->plan : NULL,
		.inputs = change ? json_object_get(how, "inputs") : NULL };
	pd_auto_free char *run = pd_strdup(pd_json_text(how, "run", NULL));
	pd_auto_error *error = NULL;

	pd_cli_listen(cli, &o);
	texts(json_object_get(how, "skip"), &skip);
	texts(json_object_get(how, "redo"), &redo);
	texts(json_object_get(how, "resume"), &argv);
	pd_strings_add_take(&argv, NULL);
	o.resume_argv = (const char *const *)argv.items;
	pd_record_free(cli->record); /* of the act before */
	cli->record = NULL;
	cli->end = (int)act_on(&o, cli, how, &run, &error);
	return json_pack("{s:i, s:s*, s:o*}", "status", cli->end, "run", run, "error",
			 error ? pd_cli_error_json(error) : NULL);
}

/* word(how): what, run, emergency, why and who as for act(), said to a run that waits
 * in another process.  n of the event; nil: it does not wait. */
PD_CORE(word)
{
	const json_t *how = json_array_get(args, 0);
	struct pd_run_options o = { .state = cli->state, .who = pd_cli_user(),
		.why = pd_json_text(how, "why", NULL),
		.emergency = pd_json_text(how, "emergency", NULL) };
	int64_t n;

	pd_cli_listen(cli, &o);
	pd_record_free(cli->record); /* what act() could not read */
	cli->record = NULL;
	n = pd_run_word(&o, pd_json_text(how, "run", ""),
			strcmp(pd_json_text(how, "what", ""), "undo") == 0, err);
	return n ? json_integer((json_int_t)n) : NULL;
}

/* spawner(): workers are forked by a process of their own from now on; called
 * early, since what is small is fast. */
PD_CORE(spawner)
{
	cli->spawner = cli->spawner ? cli->spawner : pd_spawner_start(cli->registry);
	return NULL;
}

/* listen(hook, events): of what follows each event goes to the command hook, unless
 * it is nil; with events, it is printed as a JSON line in place of the view. */
PD_CORE(listen)
{
	const char *command = pd_core_text(args, 0);

	cli->events = json_is_true(json_array_get(args, 1));
	cli->hook = command ? pd_hook_start(command, err) : NULL;
	return !command || cli->hook ? json_true() : NULL;
}

/* inputs(run): {inputs, round, plan} of the plan under way, and the first one. */
PD_CORE(inputs)
{
	return pd_run_inputs(cli->state, pd_core_text(args, 0), err);
}

/* clear(run, why): a person has mended the server.  The exit status. */
PD_CORE(clear)
{
	struct pd_run_options o = { .state = cli->state, .who = pd_cli_user() };

	pd_cli_listen(cli, &o);
	return json_integer((json_int_t)pd_run_clear(&o, pd_core_text(args, 0),
						     pd_core_text(args, 1), err));
}

/* check(no_return, failing): every step of the plan looks at this server, with
 * what a person accepts.  {record, refusals}; the plan is gone. */
PD_CORE(check)
{
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry,
				    .spawner = cli->spawner, .accept_no_return = pd_core_text(args, 0),
				    .accept_failing = pd_core_text(args, 1) };
	pd_auto_json *refusals = NULL;
	auto_record *r = pd_run_check(&o, cli->plan, &refusals, err);

	return r ? json_pack("{s:o, s:O}", "record", pd_record_json(r, 0), "refusals", refusals) :
		   NULL;
}

/* The id of the run that starts so, or of the newest. */
static char *find_run(struct pd_cli *cli, struct pd_journal **j, const json_t *args,
		      struct pd_error **err)
{
	*j = pd_journal_open(cli->state, true, err);
	return *j ? pd_journal_find(*j, pd_core_text(args, 0), err) : NULL;
}

/* The record of a run: the one that was acted on just now, or *read, which the
 * caller frees. */
static const struct pd_record *record_of(struct pd_cli *cli, const json_t *args,
					 struct pd_record **read, struct pd_error **err)
{
	const char *prefix = pd_core_text(args, 0);
	auto_journal *j = NULL;
	pd_auto_free char *id = NULL;

	if (cli->record && prefix && strcmp(cli->record->run, prefix) == 0)
		return cli->record;
	id = find_run(cli, &j, args, err);
	return *read = id ? pd_record_read(j, id, err) : NULL;
}

/* find(prefix): the id of a run. */
PD_CORE(find)
{
	auto_journal *j = NULL;
	pd_auto_free char *id = find_run(cli, &j, args, err);

	return id ? json_string(id) : NULL;
}

static json_t *with_owner(struct pd_cli *cli, const struct pd_record *r, bool steps)
{
	pd_auto_free char *run = NULL;
	pid_t owner = pd_lock_owner(cli->state, &run);
	bool owned = owner && run && strcmp(run, r->run) == 0;
	json_t *record = steps ? pd_record_json(r, owned ? owner : 0) :
				 pd_record_head_json(r, owned ? owner : 0);
	json_t *beat = owned ? pd_heartbeat_read(cli->state, r->run) : NULL;

	if (beat)
		json_object_set_new(record, "heartbeat", beat);
	return record;
}

/* record(prefix, head): all that is known of a run; head: but its steps. */
PD_CORE(record)
{
	auto_record *read = NULL;
	const struct pd_record *r = record_of(cli, args, &read, err);

	return r ? with_owner(cli, r, !json_is_true(json_array_get(args, 1))) : NULL;
}

/* runs(): ids, newest first. */
PD_CORE(runs)
{
	auto_journal *j = pd_journal_open(cli->state, true, err);
	pd_auto(pd_strings) ids = {0};
	json_t *list = NULL;

	if (!j || !pd_journal_runs(j, &ids, err))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < ids.len; i++)
		json_array_append_new(list, json_string(ids.items[i]));
	return list;
}

struct follow {
	struct pd_cli *cli;
	struct pd_record *record;
	int64_t after; /* events up to this one are known */
	int64_t beat;  /* time of the last sign of life */
	int64_t alone; /* looked so often, each 200 ms, and nobody worked on it */
	int64_t patience; /* so often at most */
};

static bool follow_event(void *user, const struct pd_event *e, struct pd_error **err)
{
	struct follow *f = user;

	if (!pd_record_apply(f->record, e, err))
		return false;
	if (e->n > f->after)
		on_event(f->cli, f->record, e);
	return true;
}

/* Work on it goes on as long as somebody does, whose signs of life are told; after a
 * reboot it takes a while until the resume has begun. */
static bool given_up(struct follow *f)
{
	pd_auto_free char *run = NULL;
	bool working = pd_lock_owner(f->cli->state, &run) && strcmp(run, f->record->run) == 0;
	pd_auto_json *beat = working ? pd_heartbeat_read(f->cli->state, run) : NULL;

	if (beat && pd_json_number(beat, "time", 0) != f->beat)
		on_progress(f->cli, beat);
	f->beat = pd_json_number(beat, "time", f->beat);
	f->alone = working ? 0 : f->alone + 1;
	return f->alone > f->patience;
}

/* follow(id, n, seconds): events behind n as other processes write them, over crashes
 * and resumes, until the run ends or waits for a person, or nobody works on it for so
 * long (30; 0: those that are there, and no more).  {record, status}. */
PD_CORE(follow)
{
	const char *id = pd_core_text(args, 0);
	const json_t *seconds = json_array_get(args, 2);
	auto_journal *j = pd_journal_open(cli->state, true, err);
	auto_record *r = pd_record_new(id);
	struct follow f = { .cli = cli, .record = r,
			    .after = (int64_t)json_integer_value(json_array_get(args, 1)),
			    .patience = 5 * (json_is_integer(seconds) ? json_integer_value(seconds) : 30) };
	struct timespec pause = { .tv_nsec = 200000000 };
	bool ok;

	while ((ok = j && pd_journal_each(j, id, r->last, follow_event, &f, err)) &&
	       f.patience && !pd_run_state_ended(r->state) && r->state != PD_RUN_STOPPED &&
	       !stop_signal && !given_up(&f))
		nanosleep(&pause, NULL);
	return ok ? json_pack("{s:o, s:i}", "record", with_owner(cli, r, true), "status",
			      (int)pd_run_state_end(r->state)) : NULL;
}

/* report(prefix, format): its text. */
PD_CORE(report)
{
	auto_record *read = NULL;
	const struct pd_record *r = record_of(cli, args, &read, err);
	pd_auto_free char *text = r ? pd_report_text(r, cli->scripts, pd_core_text(args, 1),
						     err) : NULL;

	return text ? json_string(text) : NULL;
}

/* certificate(prefix, folder): paths of what was written, {xml, html}. */
PD_CORE(certificate)
{
	auto_record *read = NULL;
	const struct pd_record *r = record_of(cli, args, &read, err);
	pd_auto(pd_report_files) files = {0};

	if (!r || !pd_report_write(r, cli->state, cli->scripts, pd_core_text(args, 1), &files, err))
		return NULL;
	return json_pack("{s:s, s:s}", "xml", files.xml, "html", files.html);
}

const struct pd_core_row pd_core_run[] = {
	{ "act", act }, { "certificate", certificate }, { "check", check }, { "clear", clear },
	{ "find", find }, { "follow", follow }, { "inputs", inputs },
	{ "listen", listen }, { "record", record }, { "report", report }, { "runs", runs }, { "spawner", spawner },
	{ "word", word },
	{ NULL, NULL }
};
