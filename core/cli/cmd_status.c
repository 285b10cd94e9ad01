/* SPDX-License-Identifier: MIT */
/* status and report: what is known of a run. */
#include "cli/commands.h"

#include <time.h>
#include <unistd.h>

#include "report/report.h"
#include "run/forecast.h"
#include "run/lock.h"

char *pd_cli_run_id(struct pd_cli *cli, size_t operand, struct pd_error **err)
{
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(cli->state, true, err);

	return j ? pd_journal_find(j, pd_cli_operand(cli, operand), err) : NULL;
}

const char *pd_status_name(const struct pd_record *r, pid_t owner)
{
	if (!owner && (r->state == PD_RUN_RUNNING || r->state == PD_RUN_UNDOING))
		return "interrupted";
	return pd_run_state_name(r->state);
}

json_t *pd_status_json(const struct pd_record *r, const char *owner_run, pid_t owner)
{
	bool owned = owner && owner_run && strcmp(owner_run, r->run) == 0;
	json_t *steps = json_array(), *missing = json_array();
	pd_auto(pd_strings) parties = {0};

	pd_record_missing(r, &parties);
	for (size_t i = 0; i < parties.len; i++)
		json_array_append_new(missing, json_string(parties.items[i]));
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];

		json_array_append_new(steps, json_pack("{s:s, s:s, s:b, s:f, s:s*, s:O}",
			"id", s->key, "state", pd_step_state_name(s->state), "changed",
			s->changed, "seconds", s->seconds, "message", s->message,
			"outputs", s->outputs));
	}
	return json_pack("{s:s, s:s, s:s, s:s*, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:O*, s:o}",
		"run", r->run, "server", r->server ? r->server : "", "state",
		pd_status_name(r, owned ? owner : 0), "why", r->why, "workflow",
		r->n_plans ? r->plans[0]->workflow : "", "rounds", (json_int_t)r->n_plans,
		"started", (json_int_t)r->started, "ended", (json_int_t)r->ended,
		"pid", (json_int_t)(owned ? owner : 0), "missing", missing, "steps", steps,
		"inhibitors", r->inhibitors, "fidelity", pd_forecast_fidelity(r));
}

void pd_status_text(const struct pd_cli *cli, const struct pd_record *r, pid_t owner)
{
	static const char *const colors[] = { "", "\033[36m", "\033[32m", "\033[31m",
					      "\033[33m", "\033[33m", "\033[31m" };
	pd_auto_free char *started = pd_show_time(r->started / 1000);
	const struct pd_plan *plan = NULL;
	size_t stage = 0;

	pd_cli_print(cli, "run %s: %s on %s, started %s\n", r->run,
	       r->n_plans ? r->plans[0]->workflow : "?", r->server, started);
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct pd_record_step *s = &r->steps[i];

		if (s->plan != plan || s->step->stage != stage) {
			plan = s->plan;
			stage = s->step->stage;
			pd_cli_print(cli, "%s\n", plan->stages[stage].name);
		}
		pd_cli_print(cli, "  %s%-8s%s %-40s %8.1f s%s\n", pd_cli_color(cli, colors[s->state]),
		       s->step->hold && s->state == PD_STEP_UNDONE ? "is back" :
		       pd_step_state_name(s->state), pd_cli_color(cli, "\033[0m"), s->key,
		       s->seconds, s->recovered ? "  (found done after a crash)" : "");
		if (s->message)
			pd_cli_print(cli, "           %s\n", s->message);
	}
	pd_view_inhibitors(cli, r->inhibitors);
	pd_cli_print(cli, "state: %s%s%s\n", pd_status_name(r, owner), r->why && *r->why ? ": " : "",
	       r->why ? r->why : "");
	if (owner)
		pd_cli_print(cli, "process %ld is working on it\n", (long)owner);
}

static int list_all(struct pd_cli *cli, struct pd_journal *j, struct pd_error **err)
{
	pd_auto(pd_strings) ids = {0};
	pd_auto_json *list = json_array();
	pd_auto_free char *owner_run = NULL;
	pid_t owner = pd_lock_owner(cli->state, &owner_run);
	const char *state;

	if (!pd_journal_runs(j, &ids, err))
		return PD_END_INVALID;
	for (size_t i = 0; i < ids.len; i++) {
		__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
			pd_record_read(j, ids.items[i], err);
		pd_auto_free char *when = r ? pd_show_time(r->started / 1000) : NULL;

		if (!r)
			return PD_END_INVALID;
		state = pd_status_name(r, owner_run && strcmp(owner_run, r->run) == 0 ? owner : 0);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "run", r->run,
				      "started", when, "state", state));
		if (!cli->json)
			pd_cli_print(cli, "%s  %s  %-20s %s\n", r->run, when,
			       state, r->n_plans ? r->plans[0]->workflow : "");
	}
	if (cli->json)
		pd_cli_json(list);
	return 0;
}

struct follow {
	struct pd_cli *cli;
	struct pd_record *record;
};

static bool follow_event(void *user, const struct pd_event *e, struct pd_error **err)
{
	struct follow *f = user;

	if (!pd_record_apply(f->record, e, err))
		return false;
	pd_view_event(f->cli, f->record, e);
	return true;
}

/* Work on it goes on as long as somebody does; after a reboot it takes a while
 * until the resume has begun. */
static bool given_up(const struct pd_cli *cli, const struct pd_record *r, int *alone)
{
	pd_auto_free char *run = NULL;
	bool working = pd_lock_owner(cli->state, &run) && strcmp(run, r->run) == 0;

	*alone = working ? 0 : *alone + 1;
	return *alone > 150; /* of 200 ms */
}

/* Print events as other processes write them, over crashes and resumes, until
 * the run ends or waits for a person. */
static int follow(struct pd_cli *cli, struct pd_journal *j, const char *run,
		  struct pd_error **err)
{
	struct follow f = { cli, pd_record_new(run) };
	struct timespec pause = { .tv_nsec = 200000000 };
	int status, alone = 0;
	bool ok;

	pd_view_open(cli);
	while ((ok = pd_journal_each(j, run, f.record->last, follow_event, &f, err)) &&
	       !pd_run_state_ended(f.record->state) && f.record->state != PD_RUN_STOPPED &&
	       !given_up(cli, f.record, &alone))
		nanosleep(&pause, NULL);
	pd_view_close(cli);
	if (ok && !cli->json && !pd_cli_option(cli, "events"))
		pd_cli_print(cli, "run %s: %s\n", run, pd_status_name(f.record, !alone));
	if (ok && cli->json) {
		pd_auto_json *shown = pd_status_json(f.record, NULL, 0);

		pd_cli_json(shown);
	}
	status = ok ? (int)pd_run_state_end(f.record->state) : PD_END_INVALID;
	pd_record_free(f.record);
	return status;
}

static int run_status(struct pd_cli *cli, struct pd_error **err)
{
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(cli->state, true, err);
	pd_auto_free char *id = NULL, *owner_run = NULL;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r = NULL;
	pid_t owner;

	if (!j)
		return PD_END_INVALID;
	if (pd_cli_option(cli, "all"))
		return list_all(cli, j, err);
	id = pd_journal_find(j, pd_cli_operand(cli, 0), err);
	if (id && pd_cli_option(cli, "follow"))
		return follow(cli, j, id, err);
	r = id ? pd_record_read(j, id, err) : NULL;
	if (!r)
		return PD_END_INVALID;
	owner = pd_lock_owner(cli->state, &owner_run);
	if (cli->json) {
		pd_auto_json *status = pd_status_json(r, owner_run, owner);

		pd_cli_json(status);
	} else {
		pd_status_text(cli, r, owner_run && strcmp(owner_run, r->run) == 0 ? owner : 0);
	}
	return 0;
}

static int run_report(struct pd_cli *cli, struct pd_error **err)
{
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(cli->state, true, err);
	pd_auto_free char *id = j ? pd_journal_find(j, pd_cli_operand(cli, 0), err) : NULL;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		id ? pd_record_read(j, id, err) : NULL;
	const char *format = pd_cli_option(cli, "format");
	const char *to = pd_cli_option(cli, "to");
	pd_auto(pd_report_files) files = {0};
	pd_auto_free char *text = NULL, *owner_run = NULL;

	if (!r)
		return PD_END_INVALID;
	if (to) {
		if (!pd_report_write(r, cli->state, cli->library, to, &files, err))
			return PD_END_INVALID;
		if (cli->json) {
			pd_auto_json *paths = json_pack("{s:s, s:s}", "xml", files.xml,
							"html", files.html);

			pd_cli_json(paths);
		} else {
			pd_cli_print(cli, "%s\n%s\n", files.xml, files.html);
		}
		return 0;
	}
	if (cli->json && !format) {
		pid_t owner = pd_lock_owner(cli->state, &owner_run);
		pd_auto_json *status = pd_status_json(r, owner_run, owner);

		pd_cli_json(status);
		return 0;
	}
	text = pd_report_text(r, cli->library, format ? format : "text", err);
	if (!text)
		return PD_END_INVALID;
	if (format)
		fputs(text, stdout);
	else
		pd_cli_print(cli, "%s", text);
	return 0;
}

static const struct pd_option status_options[] = {
	{ "all", NULL, "list all runs, newest first" },
	{ "follow", NULL, "print events as they come until the run ends or waits" },
	{ "events", NULL, "with --follow: JSON lines" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_status = {
	"status", "[RUN]", "show where a run stands",
	"RUN is the beginning of a run's id; without it the newest run is meant.\n",
	0, 1, status_options, run_status
};

static const struct pd_option report_options[] = {
	{ "format", "FORMAT", "text (default), html, csv or xml; --json prints the status" },
	{ "to", "DIR", "write the XML and HTML certificate into a folder" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_report = {
	"report", "[RUN]", "print the report of a run",
	"The report names every step, its result, its evidence with digests, and the\n"
	"signatures; with --to it is written as \"site - server - date\".\n",
	0, 1, report_options, run_report
};
