/* SPDX-License-Identifier: MIT */
/** The plan: the frozen, flat list of steps that a workflow returned. */
#ifndef PD_WORKFLOW_PLAN_H
#define PD_WORKFLOW_PLAN_H

#include "base/json.h"
#include "catalog/catalog.h"
#include "facts/facts.h"
#include "plugin/registry.h"

enum pd_on_failure { PD_ON_FAILURE_STOP, PD_ON_FAILURE_UNDO, PD_ON_FAILURE_CONTINUE };

struct pd_plan_stage {
	const char *name;
	enum pd_on_failure on_failure;
};

/**
 * One step.  A step with hold set is given back (its undo) before the first
 * later step that is not inside of it, and at the end whatever happens.
 * A sign-off is a step with plugin "" and step "signoff"; args.parties.
 */
struct pd_plan_step {
	const char *id;      /* "STAGE/plugin.step", "#2" behind repeated ones */
	size_t stage;        /* index into stages */
	const char *plugin, *step;
	const char *where;   /* "script.lua:line" */
	const json_t *args;  /* checked, with references */
	bool hold;
	size_t *inside;      /* indexes of the holds around it, outermost first */
	size_t n_inside;
};

/** All strings are borrowed from json. */
struct pd_plan {
	json_t *json;        /* pd_json_digest() of it is the plan's, made when it is wanted */
	const char *workflow, *role, *script, *server;
	const char *nothing; /* why there is nothing to do; NULL: there is */
	int64_t rounds;
	int64_t reboots;     /* how often a run may reboot the server */
	struct pd_plan_stage *stages;
	struct pd_plan_step *steps;
	struct pd_plan_step *guards; /* asked before each stage: may I go on? */
	size_t n_stages, n_steps, n_guards;
};

/*
 * The JSON form:
 * { "format": 1, "workflow": NAME, "role": ..., "script": FILE,
 *   "script_digest": HEX, "server": NAME, "params": {...}, "rounds": N,
 *   "reboots": N? (12),
 *   "catalogs": [{"name","digest"}], "nothing": WHY?,
 *   "notes": [TEXT...]?,             for people, see pd.note
 *   "questions": [{"name", "ask", "type", "help"?, "choices"?, "must"?,
 *                  "answer"?}]?,    no answer: it is open
 *   "stages": [{"name", "on_failure": "stop|undo|continue"}],
 *   "steps": [{"id", "stage": N, "plugin", "step", "where", "args": {...},
 *              "hold": true?, "inside": [INDEX...]}],
 *   "guards": [{"id": "guard/NAME", "plugin", "step", "where", "args"}]? }
 */

/** Takes @p json, also on failure; every field is checked (plans come back
 * from the journal and from other machines).  NULL with *err set. */
struct pd_plan *pd_plan_new_take(json_t *json, struct pd_error **err);
void pd_plan_free(struct pd_plan *plan);
PD_AUTO_PTR(struct pd_plan *, pd_plan_cleanup, pd_plan_free)

/** Plugins and steps exist, arguments fit, references point backwards at
 * declared outputs of fitting types, holds have an undo. */
bool pd_plan_validate(const struct pd_plan *plan, struct pd_registry *reg,
		      struct pd_error **err) PD_MUST_USE;

/** Add the names of a step's secrets from this source: "prompt", "env", "file"
 * or "credential". */
void pd_plan_secrets(const struct pd_plan_step *s, const char *source, struct pd_strings *names);
/** The first step that reboots the server before step @p i is done, or before
 * it can be undone; NULL: none does. */
const struct pd_plan_step *pd_plan_reboot_before(const struct pd_plan *plan,
						 struct pd_registry *reg, size_t i);

struct pd_workflow_input {
	const char *script;       /* path of the Lua file */
	const char *library;      /* folder that has patchday/init.lua in it */
	const char *server;
	const json_t *params;     /* name -> text of --param; may be NULL */
	const json_t *answers;    /* name -> pd_answer(); may be NULL */
	const struct pd_facts *facts;
	const struct pd_catalogs *catalogs;
	/** Reads them, called when the script asks for updates; the script is then run
	 * anew.  NULL: what is in catalogs is all there is. */
	bool (*read_catalogs)(void *user, struct pd_error **err);
	void *user;
	struct pd_registry *registry;
	int64_t round;            /* 1, 2 ... */
	const char *about;        /* stands before what the script prints; may be NULL */
};

/** An answer to a question: {"value", "who", "when", "from"}; @p when as RFC
 * 3339, NULL: now; @p from: the place in a file, or "terminal". */
json_t *pd_answer(json_t *value_take, const char *who, const char *when, const char *from);
/** Add the answers of a file to @p answers: a JSON object of plain answers or
 * {"answer", "who"?, "when"?}.  @p who: if the file does not say it. */
bool pd_answers_read(const char *path, const char *who, json_t *answers,
		     struct pd_error **err) PD_MUST_USE;

/** Run a workflow's plan function, sandboxed, in a worker; validated plan or
 * NULL with *err set to script:line and what is wrong. */
struct pd_plan *pd_workflow_plan(const struct pd_workflow_input *in, struct pd_error **err);
/** What a script declares: name, role, help, params; without planning. */
json_t *pd_workflow_describe(const char *script, const char *library,
			     struct pd_registry *reg, struct pd_error **err);

#endif
