/* SPDX-License-Identifier: MIT */
/** The command line.  Lua in scripts/cli reads it, decides and prints; C is
 * what touches the system, as functions that take and return JSON. */
#ifndef PD_CLI_CLI_H
#define PD_CLI_CLI_H

#include "plugin/spawner.h"
#include "run/hook.h"
#include "run/run.h"
#include "workflow/lua_json.h"

/** One invocation of the program, and what a function keeps for the next. */
struct pd_cli {
	char *self;             /* path of this program */
	char *scripts;          /* real path of the folder that has cli/ in it */
	const char *plugins;    /* the installed folder of plugins */
	const char *programs;   /* of further commands, patchday-NAME */
	bool built;             /* runs from where it was built */
	bool color;
	lua_State *lua;
	json_t *held;           /* the value on its way to Lua */
	char *state;            /* the state folder */
	struct pd_registry *registry;
	struct pd_spawner *spawner; /* of workers; or NULL */
	struct pd_facts facts;
	struct pd_facts_rows known; /* of the files of facts that were read */
	struct pd_catalogs catalogs;
	struct pd_verdicts verdicts;
	struct pd_verdict_walk walk;  /* over them */
	struct pd_cache *cache; /* of an answer that is being given; or NULL */
	struct pd_plan *plan;   /* the last that was made */
	struct pd_record *record; /* of the run that was acted on, as it was left */
	bool acted;             /* on a run: the exit status is its end */
	int end;
	bool blind;             /* the view failed, and is not called again */
	bool events;            /* are printed as JSON lines, and the view sees none */
	struct pd_hook *hook;   /* of --hook; or NULL */
};

/** A function for Lua: @p args is the list of its arguments.  New reference;
 * NULL: nil, and with *err set that error as a second value. */
#define PD_CORE(name)                                                              \
	static json_t *name(__attribute__((unused)) struct pd_cli *cli,            \
			    __attribute__((unused)) const json_t *args,            \
			    __attribute__((unused)) struct pd_error **err)

struct pd_core_row {
	const char *name;
	json_t *(*fn)(struct pd_cli *cli, const json_t *args, struct pd_error **err);
};

extern const struct pd_core_row pd_core_catalog[], pd_core_system[], pd_core_server[], pd_core_run[],
	pd_core_seal[], pd_core_ask[], pd_core_files[], pd_core_cache[], pd_core_parts[];

/** Text argument @p i; NULL: it was not given. */
static inline const char *pd_core_text(const json_t *args, size_t i)
{
	return json_string_value(json_array_get(args, i));
}

/** Make the Lua state: `require` of "cli.NAME" is all it has beside a few
 * libraries.  False: no memory. */
bool pd_cli_open(struct pd_cli *cli);
void pd_cli_close(struct pd_cli *cli);
/** The whole of an invocation: the exit status. */
int pd_cli_main(struct pd_cli *cli, int argc, char **argv);
/** Call what core.watch() was given: "event", "progress" or "confirm"; what it
 * returns.  An error in it is reported once, and then it is called no more. */
bool pd_cli_tell(struct pd_cli *cli, const char *what, json_t *value_take);

/** The same, for what it returns: new reference; NULL: nothing, or an error. */
json_t *pd_cli_ask(struct pd_cli *cli, const char *what, json_t *value_take);
/** A step's call in a run on paper: see pd_run_options.pretend; user is the
 * struct pd_cli. */
void pd_cli_pretend(void *user, const char *step, enum pd_phase phase, const json_t *args,
		    const struct pd_worker_sink *sink, struct pd_worker_result *result);

void pd_cli_warn(const char *what, const char *text); /* to stderr */
/** Control characters, and what turns text around, become "?", but for colors
 * where they are allowed: text from outside must not steer a terminal. */
void pd_cli_blank(char *text, bool color);
json_t *pd_cli_error_json(const struct pd_error *e);

/** Whoever asked for events and hears of those of @p o. */
void pd_cli_listen(struct pd_cli *cli, struct pd_run_options *o);
/** Facts, catalogs and workflow to a plan, for round @p round. */
struct pd_plan *pd_cli_plan(struct pd_cli *cli, const json_t *inputs, int64_t round,
			    const char *facts, struct pd_error **err);
/** A person types in the secrets from a prompt that a plan wants; all others can
 * be had. */
bool pd_cli_type_in(const struct pd_plan_step *const *steps, size_t n, struct pd_error **err) PD_MUST_USE;
/** Show what stands between recall() and remember(); without keeping it too. */
void pd_cli_end_answer(struct pd_cli *cli, bool keep);
/** Name of the person: of sudo, or of the process; borrowed. */
const char *pd_cli_user(void);

#endif
