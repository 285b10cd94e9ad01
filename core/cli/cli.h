/* SPDX-License-Identifier: MIT */
/** What the commands share: options, output, and the way to a plan. */
#ifndef PD_CLI_CLI_H
#define PD_CLI_CLI_H

#include <stdio.h>

#include "base/text.h"
#include "run/hook.h"
#include "run/run.h"

/** One option of a command; parsing, help and completion come from it. */
struct pd_option {
	const char *name;     /* without "--" */
	const char *argument; /* NULL: a switch */
	const char *help;
};

#define PD_OPTION_END { NULL, NULL, NULL }

struct pd_cli;

struct pd_verb {
	const char *name;
	const char *operands; /* "WORKFLOW", "[RUN]" */
	const char *summary;  /* one line */
	const char *text;     /* paragraphs for --help */
	int least, most;      /* number of operands; most -1: any */
	const struct pd_option *options;
	/** @return the exit status; with *err set it is printed, and the status
	 * is PD_END_INVALID unless the command says another one. */
	int (*run)(struct pd_cli *cli, struct pd_error **err);
};

/** One invocation of the program. */
struct pd_cli {
	const struct pd_verb *command;
	struct pd_strings operands;
	struct pd_strings names, values; /* options given, in order */
	const char *state;
	const char *library;      /* folder of the scripts */
	struct pd_registry *registry;
	struct pd_view *view;     /* of the run under way */
	struct pd_hook *hook;     /* of --hook; or NULL */
	bool json, color, terminal;
	bool acted; /* on a run: the exit status is its end */
};

extern const struct pd_verb *const pd_verbs[]; /* ends with NULL */
extern const struct pd_option pd_common_options[];

bool pd_cli_parse(struct pd_cli *cli, int argc, char **argv, struct pd_error **err);
void pd_cli_help(const struct pd_verb *command, FILE *out);
/** The last value of an option; NULL if it was not given; "" for a switch. */
const char *pd_cli_option(const struct pd_cli *cli, const char *name);
const char *pd_cli_operand(const struct pd_cli *cli, size_t i); /* or NULL */
/** Print an error with its remedy, or as JSON with --json. */
void pd_cli_error(const struct pd_cli *cli, const struct pd_error *e);
void pd_cli_json(const json_t *value); /* pretty, to stdout */
/** SGR sequence if colors are wanted, else "". */
const char *pd_cli_color(const struct pd_cli *cli, const char *sgr);
/** To stdout.  Text from outside must not steer a terminal: control characters
 * are blanked, but for the colors of pd_cli_color(). */
void pd_cli_print(const struct pd_cli *cli, const char *fmt, ...) PD_PRINTF(2, 3);
void pd_cli_warn(const char *what, const char *text); /* to stderr */

/** --catalog and --param as the inputs of a plan; NULL with *err set. */
json_t *pd_cli_inputs(struct pd_cli *cli, const char *workflow, struct pd_error **err);
/** Facts, catalogs and workflow to a plan, for round @p round. */
struct pd_plan *pd_cli_plan(struct pd_cli *cli, const json_t *inputs, int64_t round,
			    struct pd_error **err);
/** Print what a workflow declares: its parameters with type and default. */
void pd_cli_workflow_help(struct pd_cli *cli, const char *workflow);
/** Catalogs named, or apt's own on a server that has apt. */
bool pd_cli_catalogs(struct pd_cli *cli, const json_t *sources,
		     struct pd_catalogs *out, struct pd_error **err);
/** --facts FILE or a scan of this server; warnings go to stderr. */
bool pd_cli_facts(struct pd_cli *cli, struct pd_facts *out, struct pd_error **err);

/** The run named by the operand, or the newest; the caller frees. */
char *pd_cli_run_id(struct pd_cli *cli, size_t operand, struct pd_error **err);
json_t *pd_status_json(const struct pd_record *r, const char *owner_run, pid_t owner);
/** A run whose process is gone is never called running. */
const char *pd_status_name(const struct pd_record *r, pid_t owner);
void pd_status_text(const struct pd_cli *cli, const struct pd_record *r, pid_t owner);

/** Reasons not to start, as pd_forecast_refusals() has them. */
void pd_view_inhibitors(const struct pd_cli *cli, const json_t *list);
/** Add --answers FILE to @p inputs. */
bool pd_cli_answers(struct pd_cli *cli, json_t *inputs, struct pd_error **err);
/** Ask on the terminal, if there is one, what is open in @p plan; true: an
 * answer was added to @p inputs, plan again. */
bool pd_cli_ask(struct pd_cli *cli, const struct pd_plan *plan, json_t *inputs);
/** Have a person type in, on the terminal, the secrets of @p plan that come
 * from a prompt; false without a terminal. */
bool pd_cli_secrets(const struct pd_plan *plan, struct pd_error **err);
const char *pd_cli_user(void); /* the person: of sudo, or of the process */

/** The view of a run under way: a line for each event, and on a terminal a
 * last line that lives. */
void pd_view_open(struct pd_cli *cli);
void pd_view_close(struct pd_cli *cli);
void pd_view_event(void *cli, const struct pd_record *r, const struct pd_event *e);
void pd_view_progress(void *cli, const struct pd_record_step *s, int64_t done,
		      int64_t total, const char *text);

#endif
