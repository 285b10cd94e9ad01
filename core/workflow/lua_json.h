/* SPDX-License-Identifier: MIT */
/** Lua values as JSON and back, for every Lua state of the core. */
#ifndef PD_WORKFLOW_LUA_JSON_H
#define PD_WORKFLOW_LUA_JSON_H

#include <lauxlib.h>
#include <lua.h>

#include "base/json.h"

/**
 * The Lua value at @p index as JSON; NULL with *err set.  Never raises.
 * @p nodes counts the values of a script that is not trusted: there is a
 * limit, and 2.0 is an integer.  NULL: no limit, and numbers stay what they
 * are.  A table without numbers is an object, unless it is a pd.list.
 */
json_t *pd_lua_json(lua_State *L, int index, size_t *nodes, struct pd_error **err);
/** Push JSON as a plain Lua value.  Lists get the metatable "pd.list", where
 * the state has one: so an empty one stays a list on its way back. */
void pd_lua_push_json(lua_State *L, const json_t *value);

/** Push a value that owns JSON and shows nothing of it to scripts; fill it in
 * before anything can raise. */
json_t **pd_lua_keep_json(lua_State *L);
void pd_lua_json_type(lua_State *L); /* makes its metatable "pd.json" */

#endif
