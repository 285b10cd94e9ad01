/* SPDX-License-Identifier: MIT */
/* Lua values as JSON and back, and JSON that a script can only pass on. */
#include "workflow/sandbox.h"

enum {
	DEPTH_MAX = 12,
	NODES_MAX = 500 * 1000 /* a shared table counts each time it is met */
};

/* ---------------------------------------------------------- Lua to JSON */

static json_t *convert(lua_State *L, int index, int depth, struct pd_error **err);

static json_t *refuse(struct pd_error **err, const char *text)
{
	pd_error_set(err, "workflow-script", "%s", text);
	return NULL;
}

static json_t *convert_text(lua_State *L, int index, struct pd_error **err)
{
	size_t len = 0;
	const char *s = lua_tolstring(L, index, &len);

	if (strlen(s) != len || !pd_utf8_valid(s, len))
		return refuse(err, "a text is not UTF-8");
	return json_stringn_nocheck(s, len);
}

static const char mixed[] = "a table mixes names and numbers, or has holes";

/* Stack: the key at -2, the value at -1; keeps both. */
static bool convert_member(lua_State *L, json_t *object, int depth,
			   struct pd_error **err)
{
	json_t *value = NULL;

	if (lua_type(L, -2) != LUA_TSTRING)
		return refuse(err, mixed);
	value = convert(L, lua_gettop(L), depth, err);
	return value && json_object_set_new(object, lua_tostring(L, -2), value) == 0;
}

static json_t *convert_table(lua_State *L, int index, int depth, struct pd_error **err)
{
	size_t n = lua_rawlen(L, index), count = 0;
	pd_auto_json *value = n > 0 ? json_array() : json_object();
	int top = lua_gettop(L);
	bool ok = true;

	for (size_t i = 1; ok && i <= n; i++) {
		lua_rawgeti(L, index, (lua_Integer)i); /* +1 */
		ok = json_array_append_new(value, convert(L, top + 1, depth, err)) == 0;
		lua_settop(L, top); /* -1 */
	}
	if (ok)
		lua_pushnil(L); /* +1 */
	while (ok && lua_next(L, index)) { /* +1 */
		ok = n > 0 ? ++count <= n || refuse(err, mixed) :
			     convert_member(L, value, depth, err);
		lua_settop(L, top + 1); /* -1 */
	}
	lua_settop(L, top);
	return ok ? json_incref(value) : NULL;
}

static json_t *convert_number(lua_State *L, int index)
{
	int whole = 0;
	lua_Integer n = lua_tointegerx(L, index, &whole); /* also of a 2.0 */

	/* NULL: not a number, infinite */
	return whole ? json_integer(n) : json_real(lua_tonumber(L, index));
}

static json_t *convert(lua_State *L, int index, int depth, struct pd_error **err)
{
	json_t **kept = NULL, *value = NULL;

	if (depth > DEPTH_MAX || !lua_checkstack(L, 8))
		return refuse(err, "tables are nested too deep, or contain themselves");
	if (++pd_sandbox_of(L)->nodes > NODES_MAX)
		return refuse(err, "the plan is too large");
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN:
		return json_boolean(lua_toboolean(L, index));
	case LUA_TNUMBER:
		value = convert_number(L, index);
		return value ? value : refuse(err, "a number is infinite or none");
	case LUA_TSTRING:
		return convert_text(L, index, err);
	case LUA_TTABLE:
		return convert_table(L, index, depth + 1, err);
	case LUA_TUSERDATA:
		kept = luaL_testudata(L, index, "pd.json");
		if (kept)
			return json_incref(*kept);
		/* fall through */
	default:
		pd_error_set(err, "workflow-script", "a %s is no value of a plan",
			     luaL_typename(L, index));
		return NULL;
	}
}

bool pd_lua_to_json(lua_State *L, int index, bool object)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	json_t *value = convert(L, lua_absindex(L, index), 0, &sb->error);

	if (value && object && !json_is_object(value)) {
		json_decref(value);
		value = NULL;
		pd_error_set(&sb->error, "workflow-script",
			     "parameters are given by name: { name = value }");
	}
	json_decref(sb->held);
	sb->held = value;
	return value;
}

/* ---------------------------------------------------------- JSON to Lua */

void pd_lua_push_json(lua_State *L, const json_t *value)
{
	const char *key;
	const json_t *member;
	size_t i;

	luaL_checkstack(L, 8, NULL);
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_OBJECT:
		lua_newtable(L); /* +1 */
		json_object_foreach((json_t *)(uintptr_t)value, key, member) {
			pd_lua_push_json(L, member); /* +1 */
			lua_setfield(L, -2, key);    /* -1 */
		}
		break;
	case JSON_ARRAY:
		lua_newtable(L); /* +1 */
		json_array_foreach(value, i, member) {
			pd_lua_push_json(L, member);              /* +1 */
			lua_rawseti(L, -2, (lua_Integer)i + 1);   /* -1 */
		}
		break;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(value),
				json_string_length(value)); /* +1 */
		break;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(value)); /* +1 */
		break;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(value)); /* +1 */
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(value)); /* +1 */
		break;
	default:
		lua_pushnil(L); /* +1 */
	}
}

/* --------------------------------------------------------- kept JSON */

json_t **pd_lua_keep_json(lua_State *L)
{
	json_t **kept = lua_newuserdatauv(L, sizeof(*kept), 0); /* +1 */

	*kept = NULL;
	luaL_setmetatable(L, "pd.json");
	return kept;
}

static int let_go(lua_State *L)
{
	json_t **kept = luaL_checkudata(L, 1, "pd.json");

	json_decref(*kept);
	*kept = NULL;
	return 0;
}

void pd_lua_json_type(lua_State *L)
{
	luaL_newmetatable(L, "pd.json");    /* +1 */
	lua_pushcfunction(L, let_go);       /* +1 */
	lua_setfield(L, -2, "__gc");        /* -1 */
	lua_pushliteral(L, "protected");    /* +1 */
	lua_setfield(L, -2, "__metatable"); /* -1 */
	lua_pop(L, 1);                      /* -1 */
}
