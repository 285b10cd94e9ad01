/* SPDX-License-Identifier: MIT */
/* Lua values as JSON and back, and JSON that a script can only pass on. */
#include "workflow/lua_json.h"

#include "base/text.h"

enum {
	DEPTH_MAX = 12, TRUSTED_DEPTH_MAX = 100,
	NODES_MAX = 500 * 1000 /* a shared table counts each time it is met */
};

/* ---------------------------------------------------------- Lua to JSON */

/* One conversion. */
struct way {
	lua_State *L;
	size_t *nodes;
	struct pd_error **err;
};

static json_t *convert(const struct way *w, int index, int depth);

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
static bool convert_member(const struct way *w, json_t *object, int depth)
{
	pd_auto_json *key = lua_type(w->L, -2) == LUA_TSTRING ? convert_text(w->L, -2, w->err) :
								refuse(w->err, mixed);
	json_t *value = key ? convert(w, lua_gettop(w->L), depth) : NULL;

	return value && json_object_set_new(object, json_string_value(key), value) == 0;
}

static bool is_list(lua_State *L, int index)
{
	bool list = false;

	if (!lua_getmetatable(L, index)) /* +1 */
		return false;
	luaL_getmetatable(L, "pd.list"); /* +1 */
	list = lua_istable(L, -1) && lua_rawequal(L, -1, -2);
	lua_pop(L, 2); /* -2 */
	return list;
}

static json_t *convert_table(const struct way *w, int index, int depth)
{
	lua_State *L = w->L;
	size_t n = lua_rawlen(L, index), count = 0;
	pd_auto_json *value = n > 0 || is_list(L, index) ? json_array() : json_object();
	int top = lua_gettop(L);
	bool ok = true;

	for (size_t i = 1; ok && i <= n; i++) {
		lua_rawgeti(L, index, (lua_Integer)i); /* +1 */
		ok = json_array_append_new(value, convert(w, top + 1, depth)) == 0;
		lua_settop(L, top); /* -1 */
	}
	if (ok)
		lua_pushnil(L); /* +1 */
	while (ok && lua_next(L, index)) { /* +1 */
		ok = json_is_array(value) ? ++count <= n || refuse(w->err, mixed) :
			     convert_member(w, value, depth);
		lua_settop(L, top + 1); /* -1 */
	}
	lua_settop(L, top);
	return ok ? json_incref(value) : NULL;
}

static json_t *convert_number(lua_State *L, int index, bool exact)
{
	int whole = 0;
	lua_Integer n = lua_tointegerx(L, index, &whole); /* also of a 2.0 */

	if (exact)
		whole = lua_isinteger(L, index);

	/* NULL: not a number, infinite */
	return whole ? json_integer(n) : json_real(lua_tonumber(L, index));
}

static json_t *convert(const struct way *w, int index, int depth)
{
	lua_State *L = w->L;
	json_t **kept = NULL, *value = NULL;

	if (depth > (w->nodes ? DEPTH_MAX : TRUSTED_DEPTH_MAX) || !lua_checkstack(L, 8))
		return refuse(w->err, "tables are nested too deep, or contain themselves");
	if (w->nodes && ++*w->nodes > NODES_MAX)
		return refuse(w->err, "the plan is too large");
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN:
		return json_boolean(lua_toboolean(L, index));
	case LUA_TNUMBER:
		value = convert_number(L, index, !w->nodes);
		return value ? value : refuse(w->err, "a number is infinite or none");
	case LUA_TSTRING:
		return convert_text(L, index, w->err);
	case LUA_TTABLE:
		return convert_table(w, index, depth + 1);
	case LUA_TUSERDATA:
		kept = luaL_testudata(L, index, "pd.json");
		if (kept)
			return json_incref(*kept);
		/* fall through */
	default:
		pd_error_set(w->err, "workflow-script", "a %s is no value of a plan",
			     luaL_typename(L, index));
		return NULL;
	}
}

json_t *pd_lua_json(lua_State *L, int index, size_t *nodes, struct pd_error **err)
{
	return convert(&(struct way){ L, nodes, err }, lua_absindex(L, index), 0);
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
		luaL_setmetatable(L, "pd.list");
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
