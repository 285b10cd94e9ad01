/* SPDX-License-Identifier: MIT */
/* run, resume, undo and signoff: the commands that work on a run. */
#include "cli/commands.h"

#include <limits.h>
#include <unistd.h>

#include "report/report.h"

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
	sigaction(SIGPIPE, &ignore, NULL);
}

static struct pd_plan *replan(void *user, const json_t *inputs, int64_t round,
			      struct pd_error **err)
{
	return pd_cli_plan(user, inputs, round, err);
}

/* The command line that systemd calls when the server comes up again. */
static void resume_line(const struct pd_cli *cli, struct pd_strings *argv)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	pd_strings_add(argv, self);
	pd_strings_add(argv, "resume");
	pd_strings_add(argv, "--unattended");
	pd_strings_add(argv, "--state");
	pd_strings_add(argv, cli->state);
	pd_strings_add(argv, "--scripts");
	pd_strings_add(argv, cli->library);
	for (size_t i = 0; i < cli->names.len; i++)
		if (strcmp(cli->names.items[i], "plugin-dir") == 0 ||
		    strcmp(cli->names.items[i], "hook") == 0) {
			pd_strings_add_take(argv, pd_print("--%s", cli->names.items[i]));
			pd_strings_add(argv, cli->values.items[i]);
		}
	pd_strings_add_take(argv, NULL);
}

/* The last words: how it ended, where the report is, what to do next. */
static void last_words(struct pd_cli *cli, const char *run, enum pd_run_end end)
{
	static const char *const next[] = { "", "", "",
		"mend the server by hand, then `patchday undo`",
		"mend what was found, then `patchday run` again", "" };
	pd_auto_error *err = NULL;
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(cli->state, true, &err);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		j ? pd_record_read(j, run, &err) : NULL;
	pd_auto(pd_report_files) files = {0};

	if (r && (pd_run_state_ended(r->state) || r->state == PD_RUN_STOPPED))
		(void)!pd_report_write(r, cli->state, cli->library, NULL, &files, &err);
	if (err)
		pd_cli_error(cli, err);
	if (!r || pd_cli_option(cli, "events"))
		return;
	if (cli->json) {
		pd_auto_json *status = pd_status_json(r, NULL, 0);

		pd_cli_json(status);
		return;
	}
	pd_cli_print(cli, "\nrun %s on %s: %s%s%s\n", run, r->server, pd_status_name(r, 0),
	       r->why && *r->why ? ": " : "", r->why ? r->why : "");
	if (files.xml)
		pd_cli_print(cli, "certificate: %s\n             %s\n", files.xml, files.html);
	if (r->state == PD_RUN_SIGNOFF)
		puts("next: patchday signoff --party PARTY --name NAME");
	else if (r->state == PD_RUN_STOPPED)
		puts("next: `patchday resume` tries the step again, `patchday undo` takes all back");
	else if (r->state == PD_RUN_RUNNING || r->state == PD_RUN_UNDOING)
		puts("next: `patchday resume` goes on where it was interrupted");
	else if (*next[end])
		pd_cli_print(cli, "next: %s\n", next[end]);
}

static int with_engine(struct pd_cli *cli, json_t *inputs, struct pd_plan *plan,
		       const char *id, enum pd_run_end (*body)(const struct pd_run_options *,
		       const char *, struct pd_error **), struct pd_error **err)
{
	pd_auto(pd_strings) argv = {0};
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry,
		.signal = &stop_signal, .user = cli, .event = pd_view_event,
		.progress = pd_view_progress, .replan = replan,
		.unattended = pd_cli_option(cli, "unattended") != NULL };
	pd_auto_free char *run = pd_strdup(id);
	enum pd_run_end end;

	if (pd_cli_option(cli, "hook") && !(cli->hook = pd_hook_start(pd_cli_option(cli, "hook"), err))) {
		pd_plan_free(plan);
		return PD_END_INVALID;
	}
	resume_line(cli, &argv);
	o.resume_argv = (const char *const *)argv.items;
	catch_signals();
	pd_view_open(cli);
	cli->acted = true;
	/* cppcheck-suppress nullPointer ; there is a plan or a body */
	end = plan ? pd_run_start(&o, plan, inputs, &run, err) : body(&o, run, err);
	pd_view_close(cli);
	pd_hook_close(cli->hook);
	if (run && !*err)
		last_words(cli, run, end);
	return (int)end;
}

static bool is_root(struct pd_error **err)
{
	return geteuid() == 0 || pd_error_set(err, "not-root", "a run changes the server"
					      " and needs root");
}

static int run_run(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto_json *inputs = is_root(err) ?
		pd_cli_inputs(cli, pd_cli_operand(cli, 0), err) : NULL;
	struct pd_plan *plan = inputs ? pd_cli_plan(cli, inputs, 1, err) : NULL;
	pd_auto(pd_buffer) text = {0};

	if (plan && pd_cli_ask(cli, plan, inputs)) {
		pd_plan_free(plan);
		plan = pd_cli_plan(cli, inputs, 1, err);
	}
	if (plan && !pd_cli_secrets(plan, err)) {
		pd_plan_free(plan);
		plan = NULL;
	}
	if (!plan)
		return PD_END_INVALID;
	if (!cli->json && !pd_cli_option(cli, "events")) {
		pd_plan_text(plan, cli->registry, &text);
		pd_cli_print(cli, "%s\n", text.data ? text.data : "");
	}
	return with_engine(cli, inputs, plan, NULL, NULL, err);
}

/* What was typed in has gone with the process that asked. */
static bool secrets_again(struct pd_cli *cli, const char *run, struct pd_error **err)
{
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(cli->state, true, err);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		j ? pd_record_read(j, run, err) : NULL;

	for (size_t i = 0; r && !pd_run_state_ended(r->state) && i < r->n_plans; i++)
		if (!pd_cli_secrets(r->plans[i], err))
			return false;
	return r != NULL;
}

static int go_on(struct pd_cli *cli, enum pd_run_end (*body)(const struct pd_run_options *,
		 const char *, struct pd_error **), struct pd_error **err)
{
	pd_auto_free char *run = is_root(err) ? pd_cli_run_id(cli, 0, err) : NULL;

	if (!run)
		return PD_END_INVALID;
	if (!secrets_again(cli, run, err)) {
		cli->acted = true;
		/* a missing secret waits for a person at a terminal */
		return strcmp((*err)->id, "secret-missing") == 0 ? PD_END_WAITING : PD_END_INVALID;
	}
	return with_engine(cli, NULL, NULL, run, body, err);
}

static int run_resume(struct pd_cli *cli, struct pd_error **err)
{
	return go_on(cli, pd_run_resume, err);
}

static int run_undo(struct pd_cli *cli, struct pd_error **err)
{
	return go_on(cli, pd_run_undo, err);
}

static int run_signoff(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto_free char *run = pd_cli_run_id(cli, 0, err);
	const char *party = pd_cli_option(cli, "party"), *name = pd_cli_option(cli, "name");
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry,
				    .user = cli, .event = pd_view_event };
	enum pd_run_end end;

	if (!run)
		return PD_END_INVALID;
	if (!party)
		return !pd_error_set(err, "usage", "say who signs: --party PARTY") *
		       PD_END_INVALID;
	pd_view_open(cli);
	end = pd_run_sign(&o, run, party, name ? name : pd_cli_user(),
			  pd_cli_option(cli, "note"), err);
	pd_view_close(cli);
	if (!*err)
		last_words(cli, run, end);
	return (int)end;
}

static const struct pd_option run_options[] = {
	{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
	{ "param", "NAME=VALUE", "parameter of the workflow; may be repeated" },
	{ "answers", "FILE", "JSON object of answers to the workflow's questions" },
	{ "events", NULL, "print JSON lines, one for each event" },
	{ "hook", "COMMAND", "program and arguments that get each event on standard input" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_run = {
	"run", "WORKFLOW", "take this server through a workflow",
	"Plans, looks at the server with every step, and starts only if no step has a\n"
	"reason against it. Each step is journaled before and after; whatever crashes\n"
	"or reboots, the run goes on with `patchday resume`, which systemd calls by\n"
	"itself when the server comes up.\n",
	1, 1, run_options, run_run
};

static const struct pd_option resume_options[] = {
	{ "events", NULL, "print JSON lines, one for each event" },
	{ "hook", "COMMAND", "program and arguments that get each event on standard input" },
	{ "unattended", NULL, "started by the server's boot, not by a person" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_resume = {
	"resume", "[RUN]", "go on with a run that was interrupted or stopped",
	"Goes on at the step where the journal ends. A step of which it is not known\n"
	"how far it came is looked at before anything is repeated.\n",
	0, 1, resume_options, run_resume
};

static const struct pd_option undo_options[] = {
	{ "events", NULL, "print JSON lines, one for each event" },
	{ "hook", "COMMAND", "program and arguments that get each event on standard input" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_undo = {
	"undo", "[RUN]", "take a run back, in reverse order",
	"Undoes every step of the run that changed something, back to the last point of\n"
	"no return. Ends rolled back, or inconsistent if a step can't be undone.\n",
	0, 1, undo_options, run_undo
};

static const struct pd_option signoff_options[] = {
	{ "party", "PARTY", "who signs: one of the workflow's parties; required" },
	{ "name", "NAME", "name of the person (default: the user logged in)" },
	{ "note", "TEXT", "what the person has to add" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_signoff = {
	"signoff", "[RUN]", "sign a run whose work is done",
	"The run is done when every party named by the workflow has signed; then the\n"
	"certificate is complete.\n",
	0, 1, signoff_options, run_signoff
};
