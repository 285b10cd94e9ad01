/* SPDX-License-Identifier: MIT */
/** The closed room in which a workflow's Lua script makes its plan. */
#ifndef PD_WORKFLOW_SANDBOX_H
#define PD_WORKFLOW_SANDBOX_H

#include "base/text.h"
#include "plugin/arguments.h"
#include "workflow/lua_json.h"
#include "workflow/plan.h"

/** One Lua state and what its C functions own.  It lives in a worker and ends
 * with it; functions called from Lua keep what they own here, never on the C
 * stack, since Lua may jump over them. */
struct pd_sandbox {
	const struct pd_workflow_input *in;
	const char *name;       /* base name of the script, as in messages */
	lua_State *lua;
	size_t memory;          /* bytes that Lua holds */
	size_t nodes;           /* JSON values made so far */
	size_t notes;           /* bytes printed so far */
	char place[128];        /* the author's, where no line of his is running */
	const char *blame;      /* id of the error about to be raised, or NULL */
	char elsewhere[4200];   /* its place, when that is not the script; or "" */
	const char *limit;      /* which limit was hit; NULL: none */
	bool asks;              /* ... for it wants catalogs that are not read yet */
	char at[128];           /* "script:line" where it was hit */
	struct pd_error *error; /* of the last failed C function */
	json_t *held;           /* the value that a C function is working on */
	struct pd_verdicts verdicts;
};

/**
 * Run the script @p text and make its plan, or its description, as JSON that
 * is not validated yet.  Call it in a worker that dies afterwards: limits on
 * processor time are the caller's.  New reference, or NULL with *err set.
 */
json_t *pd_sandbox_run(struct pd_sandbox *sb, const char *text, size_t len,
		       bool describe, struct pd_error **err);

struct pd_sandbox *pd_sandbox_of(lua_State *L);
/** "script:line" of the author's innermost line. */
void pd_sandbox_where(lua_State *L, char *out, size_t size);
/** Raise sb->error at the author's line. */
int pd_sandbox_raise(lua_State *L);
/** Stop the script, since it wants catalogs; pcall() does not catch it. */
int pd_sandbox_ask(lua_State *L);

/** The Lua value at @p index as JSON in sb->held; false with sb->error set.
 * Never raises. */
bool pd_lua_to_json(lua_State *L, int index, bool object);
/** Push a table of the primitives behind the Lua side of the module. */
void pd_lua_push_core(lua_State *L);

/** Primitives of facts and catalogs, added to the table on top. */
void pd_lua_add_server(lua_State *L);

#endif
