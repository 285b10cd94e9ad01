/* SPDX-License-Identifier: MIT */
/* The Lua state of the command line: trusted, but closed, so that all it does
 * to the system is a function of ours. */
#include "cli/cli.h"

#include <lualib.h>
#include <stdio.h>

#include "base/text.h"

static struct pd_cli *of(lua_State *L)
{
	return *(struct pd_cli **)lua_getextraspace(L);
}

/* ------------------------------------------------------------- output */

/* Bytes of a control character, of C1, or of one that turns text around. */
static size_t control(const unsigned char *p)
{
	if ((*p < ' ' && *p != '\n' && *p != '\t') || *p == 127)
		return 1;
	if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	return *p == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
			      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)) ? 3 : 0;
}

void pd_cli_blank(char *text, bool color)
{
	bool valid = pd_utf8_valid(text, strlen(text));
	size_t n;

	for (char *p = text; *p; p += n ? n : 1) {
		n = 1;
		if (*p >= ' ' && *p < 127) /* most of it */
			continue;
		n = strncmp(p, "\033[", 2) == 0 ? 2 + strspn(p + 2, "01236") : 0;
		if (color && n > 2 && n < 5 && p[n] == 'm')
			continue;
		n = valid || !(*p & 0x80) ? control((unsigned char *)p) : 1;
		memset(p, '?', n);
	}
}

void pd_cli_warn(const char *what, const char *text)
{
	pd_auto_free char *line = pd_print("patchday: %s: %s\n", what, text);

	pd_cli_blank(line, false);
	fputs(line, stderr);
}

/* clean(text): without what could steer a terminal, and UTF-8. */
static int clean(lua_State *L)
{
	size_t len = 0;
	const char *text = luaL_checklstring(L, 1, &len);
	char *copy = lua_newuserdatauv(L, len + 1, 0); /* +1 */

	memcpy(copy, text, len + 1);
	pd_cli_blank(copy, of(L)->color);
	lua_pushstring(L, copy); /* +1 */
	return 1;
}

/* out(text), err(text): to standard output and error, cleaned. */
static int out(lua_State *L)
{
	clean(L); /* +2 */
	fputs(lua_tostring(L, -1), stdout);
	return 0;
}

static int err_(lua_State *L)
{
	clean(L); /* +2 */
	fputs(lua_tostring(L, -1), stderr);
	return 0;
}

/* raw(text): what another program reads, or a live line's own control. */
static int raw(lua_State *L)
{
	fputs(luaL_checkstring(L, 1), stdout);
	return 0;
}

/* watch(event, progress, confirm, pretend): functions that are called while a run goes on. */
static int watch(lua_State *L)
{
	lua_settop(L, 4);
	lua_setfield(L, LUA_REGISTRYINDEX, "pretend");  /* -1 */
	lua_setfield(L, LUA_REGISTRYINDEX, "confirm");  /* -1 */
	lua_setfield(L, LUA_REGISTRYINDEX, "progress"); /* -1 */
	lua_setfield(L, LUA_REGISTRYINDEX, "event");    /* -1 */
	return 0;
}

/* list(table): it is a list, also when it is empty. */
static int list(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_setmetatable(L, "pd.list");
	return 1;
}

/* ------------------------------------------------- functions by JSON */

json_t *pd_cli_error_json(const struct pd_error *e)
{
	char *const parts[] = { e->where, e->message, e->remedy };

	for (size_t i = 0; i < 3; i++)
		if (parts[i])
			pd_cli_blank(parts[i], false);
	return json_pack("{s:s, s:s*, s:s, s:s*}", "id", e->id, "where", e->where,
			 "message", e->message, "remedy", pd_error_advice(e));
}

/* Nothing is owned here when Lua may raise. */
static int call(lua_State *L)
{
	struct pd_cli *cli = of(L);
	const struct pd_core_row *row = lua_touserdata(L, lua_upvalueindex(1));
	struct pd_error *error = NULL;
	json_t *args = json_array(), *value = NULL;
	bool ok = true, failed = false;

	for (int i = 1; ok && i <= lua_gettop(L); i++)
		ok = json_array_append_new(args, lua_isnil(L, i) ? json_null() :
					   pd_lua_json(L, i, NULL, &error)) == 0;
	value = ok ? row->fn(cli, args, &error) : NULL;
	json_decref(args);
	failed = error != NULL;
	if (failed) {
		json_decref(value);
		value = pd_cli_error_json(error);
		pd_error_free(error);
		lua_pushnil(L); /* +1 */
	}
	json_decref(cli->held);
	cli->held = value;
	pd_lua_push_json(L, value); /* +1 */
	if (!ok)
		return luaL_error(L, "core.%s: %s", row->name,
				  pd_json_text(value, "message", "?"));
	return 1 + failed;
}

/* ---------------------------------------------------------- the state */

static json_t *read_module(struct pd_cli *cli, const char *name, struct pd_error **err)
{
	pd_auto_free char *path = NULL, *text = NULL;
	size_t len = 0;

	if (strncmp(name, "cli.", 4) != 0 || !pd_is_name(name + 4)) {
		pd_error_set(err, "internal", "there is no module '%s'", name);
		return NULL;
	}
	path = pd_print("%s/cli/%s.lua", cli->scripts, name + 4);
	text = pd_trusted_file(path, err) ? pd_file_read(path, 1 << 20, &len, err) : NULL;
	return text ? json_stringn_nocheck(text, len) : NULL;
}

/* A module gets its name and our functions as arguments. */
static int require(lua_State *L)
{
	struct pd_cli *cli = of(L);
	const char *name = luaL_checkstring(L, 1);
	struct pd_error *error = NULL;

	lua_settop(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "loaded"); /* +1 */
	if (lua_getfield(L, 2, name) != LUA_TNIL) /* +1 */
		return 1;
	json_decref(cli->held);
	cli->held = read_module(cli, name, &error);
	if (!cli->held) {
		cli->held = pd_cli_error_json(error);
		pd_error_free(error);
		pd_lua_push_json(L, cli->held); /* +1 */
		return lua_error(L);
	}
	lua_pushfstring(L, "=%s", name); /* +1 */
	if (luaL_loadbufferx(L, json_string_value(cli->held), json_string_length(cli->held),
			     lua_tostring(L, -1), "t") != LUA_OK) /* +1 */
		return lua_error(L);
	lua_pushvalue(L, 1);                        /* +1 */
	lua_getfield(L, LUA_REGISTRYINDEX, "core"); /* +1 */
	lua_call(L, 2, 1);                          /* -2 */
	lua_pushvalue(L, -1);                       /* +1 */
	lua_setfield(L, 2, name);                   /* -1 */
	return 1;
}

static void add_rows(lua_State *L, const struct pd_core_row *row)
{
	for (; row->name; row++) {
		lua_pushlightuserdata(L, (void *)(uintptr_t)row); /* +1 */
		lua_pushcclosure(L, call, 1);                     /* 0 */
		lua_setfield(L, -2, row->name);                   /* -1 */
	}
}

static int set_up(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base }, { LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 }
	}, own[] = { { "clean", clean }, { "err", err_ }, { "list", list }, { "out", out }, { "raw", raw },
		     { "watch", watch }, { NULL, NULL } };
	static const char *const closed[] = { "collectgarbage", "dofile", "load", "loadfile",
					      "print", "warn" };

	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1); /* +1 */
		lua_pop(L, 1); /* -1 */
	}
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		lua_pushnil(L);              /* +1 */
		lua_setglobal(L, closed[i]); /* -1 */
	}
	lua_register(L, "require", require);
	luaL_newmetatable(L, "pd.list"); /* +1 */
	pd_lua_json_type(L);
	luaL_newlib(L, own);             /* +1 */
	add_rows(L, pd_core_system);
	add_rows(L, pd_core_catalog);
	add_rows(L, pd_core_server);
	add_rows(L, pd_core_run);
	add_rows(L, pd_core_seal);
	add_rows(L, pd_core_ask);
	add_rows(L, pd_core_files);
	add_rows(L, pd_core_parts);
	add_rows(L, pd_core_cache);
	lua_setfield(L, LUA_REGISTRYINDEX, "core"); /* -1 */
	return 0;
}

bool pd_cli_open(struct pd_cli *cli)
{
	lua_State *L = luaL_newstate();

	if (!L)
		return false;
	lua_gc(L, LUA_GCGEN, 0, 0);
	cli->lua = L;
	*(struct pd_cli **)lua_getextraspace(L) = cli;
	lua_pushcfunction(L, set_up); /* +1 */
	return lua_pcall(L, 0, 0, 0) == LUA_OK;
}

void pd_cli_close(struct pd_cli *cli)
{
	pd_cli_end_answer(cli, false);
	pd_hook_close(cli->hook);
	if (cli->lua)
		lua_close(cli->lua);
	json_decref(cli->held);
	pd_plan_free(cli->plan);
	pd_record_free(cli->record);
	pd_verdict_walk_clear(&cli->walk);
	pd_verdicts_clear(&cli->verdicts);
	pd_catalogs_clear(&cli->catalogs);
	pd_facts_clear(&cli->facts);
	pd_facts_rows_clear(&cli->known);
	pd_spawner_end(cli->spawner);
	pd_registry_free(cli->registry);
	free(cli->state);
	free(cli->scripts);
	free(cli->self);
}

/* ------------------------------------------------------ into the state */

/* Arguments: name of the function, its value. */
static int deliver(lua_State *L)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1)) == LUA_TNIL) /* +1 */
		return 0;
	pd_lua_push_json(L, lua_touserdata(L, 2)); /* +1 */
	lua_call(L, 1, 1);                         /* -1 */
	return 1;
}

static const char *message(lua_State *L)
{
	return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a text";
}

json_t *pd_cli_ask(struct pd_cli *cli, const char *what, json_t *value_take)
{
	pd_auto_json *value = value_take;
	lua_State *L = cli->lua;
	json_t *answer = NULL;

	if (cli->blind || !lua_checkstack(L, 4))
		return NULL;
	lua_pushcfunction(L, deliver);                     /* +1 */
	lua_pushlightuserdata(L, (void *)(uintptr_t)what); /* +1 */
	lua_pushlightuserdata(L, value);                   /* +1 */
	if (lua_pcall(L, 2, 1, 0) != LUA_OK) {             /* -2, or the message */
		pd_cli_warn("internal error in the view, the run goes on without it", message(L));
		cli->blind = true;
	} else if (!lua_isnil(L, -1)) {
		answer = pd_lua_json(L, -1, NULL, NULL);
	}
	lua_pop(L, 1); /* -1 */
	fflush(stdout);
	return answer;
}

bool pd_cli_tell(struct pd_cli *cli, const char *what, json_t *value_take)
{
	pd_auto_json *answer = pd_cli_ask(cli, what, value_take);

	return answer && !json_is_false(answer);
}

/* Arguments: argv, argc.  The exit status. */
static int run_main(lua_State *L)
{
	char *const *argv = lua_touserdata(L, 1);
	int argc = (int)lua_tointeger(L, 2);

	lua_pushcfunction(L, require);              /* +1 */
	lua_pushliteral(L, "cli.main");             /* +1 */
	lua_call(L, 1, 1);                          /* -1 */
	lua_getfield(L, -1, "error");               /* +1 */
	lua_setfield(L, LUA_REGISTRYINDEX, "error"); /* -1 */
	lua_getfield(L, -1, "main");                /* +1 */
	lua_createtable(L, argc, 0);                /* +1 */
	for (int i = 1; i < argc; i++) {
		lua_pushstring(L, argv[i]);  /* +1 */
		lua_rawseti(L, -2, i);       /* -1 */
	}
	lua_call(L, 1, 1); /* -1 */
	lua_pushinteger(L, luaL_checkinteger(L, -1)); /* +1 */
	return 1;
}

/* What was raised is told by Lua, or as well as we can. */
static int report(lua_State *L)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, "error") != LUA_TNIL) { /* +1 */
		lua_insert(L, 1);  /* 0 */
		lua_call(L, 1, 1); /* -1 */
		return 1;
	}
	lua_pop(L, 1); /* -1 */
	if (lua_istable(L, 1))
		lua_getfield(L, 1, "message"); /* +1 */
	pd_cli_warn("internal error", message(L));
	lua_pushnil(L); /* +1 */
	return 1;
}

int pd_cli_main(struct pd_cli *cli, int argc, char **argv)
{
	lua_State *L = cli->lua;

	lua_pushcfunction(L, run_main);      /* +1 */
	lua_pushlightuserdata(L, argv);      /* +1 */
	lua_pushinteger(L, argc);            /* +1 */
	if (lua_pcall(L, 2, 1, 0) == LUA_OK) /* -2 */
		return (int)lua_tointeger(L, -1);
	lua_pushcfunction(L, report); /* +1 */
	lua_insert(L, -2);            /* 0 */
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) /* -1 */
		pd_cli_warn("internal error", message(L));
	else if (lua_isinteger(L, -1))
		return (int)lua_tointeger(L, -1);
	return cli->acted ? cli->end : PD_END_INVALID;
}
