/* SPDX-License-Identifier: MIT */
/* The closed room: a Lua state with a short list of names, and limits. */
#include "workflow/sandbox.h"

#include <inttypes.h>
#include <lualib.h>
#include <stdio.h>

enum {
	MEMORY_MAX = 64 << 20,
	INSTRUCTIONS_MAX = 20 * 1000 * 1000,
	LIBRARY_MAX = 1 << 20
};

struct pd_sandbox *pd_sandbox_of(lua_State *L)
{
	return *(struct pd_sandbox **)lua_getextraspace(L);
}

void pd_sandbox_where(lua_State *L, char *out, size_t size)
{
	const struct pd_sandbox *sb = pd_sandbox_of(L);
	lua_Debug d;

	for (int level = 0; lua_getstack(L, level, &d); level++) {
		lua_getinfo(L, "Sl", &d);
		if (d.source[0] == '@' && d.currentline > 0) {
			snprintf(out, size, "%s:%d", d.source + 1, d.currentline);
			return;
		}
	}
	snprintf(out, size, "%s", sb->place[0] ? sb->place : sb->name);
}

int pd_sandbox_raise(lua_State *L)
{
	const struct pd_error *e = pd_sandbox_of(L)->error;
	bool near = e->remedy && strncmp(e->remedy, "did you mean", 12) == 0;
	char at[128];

	pd_sandbox_where(L, at, sizeof(at));
	lua_pushfstring(L, near ? "%s: %s; %s" : "%s: %s", at, e->message, e->remedy); /* +1 */
	return lua_error(L);
}

/* ------------------------------------------------------------- limits */

static void hit(struct pd_sandbox *sb, const char *limit)
{
	if (!sb->limit)
		pd_sandbox_where(sb->lua, sb->at, sizeof(sb->at));
	sb->limit = limit;
}

int pd_sandbox_ask(lua_State *L)
{
	pd_sandbox_of(L)->asks = true;
	hit(pd_sandbox_of(L), "its catalogs are not read");
	return luaL_error(L, "catalogs are wanted");
}

/* Lua collects garbage and asks again when it is told no: only a refusal
 * that becomes a memory error counts, so sb->limit is not set here. */
static void *allocate(void *user, void *old, size_t old_size, size_t size)
{
	struct pd_sandbox *sb = user;
	size_t had = old ? old_size : 0; /* else it is a type */
	void *p = NULL;

	if (size == 0) {
		free(old);
		sb->memory -= had;
		return NULL;
	}
	if (size > had && (size > MEMORY_MAX || sb->memory - had > MEMORY_MAX - size)) {
		if (sb->lua && !sb->limit)
			pd_sandbox_where(sb->lua, sb->at, sizeof(sb->at));
		return NULL;
	}
	p = realloc(old, size);
	if (p)
		sb->memory = sb->memory - had + size;
	return p;
}

/* pcall() in a script catches what the hook raises; from the first hit on
 * the hook comes with each instruction, so that nothing is left to run. */
static void out_of_instructions(lua_State *L, lua_Debug *d)
{
	(void)d;
	hit(pd_sandbox_of(L), "it ran for 20 million instructions without an end");
	lua_sethook(L, out_of_instructions, LUA_MASKCOUNT, 1);
	luaL_error(L, "out of instructions");
}

/* ------------------------------------------------- replaced functions */

/* As pcall, but a limit can't be caught. */
static int guarded_pcall(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	int status = 0;

	luaL_checkany(L, 1);
	status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0); /* -n +results */
	if (status == LUA_ERRMEM)
		sb->limit = "it needs more than 64 MiB of memory";
	if (sb->limit)
		return lua_error(L);
	lua_pushboolean(L, status == LUA_OK); /* +1 */
	lua_insert(L, 1);                     /* 0 */
	return lua_gettop(L);
}

/* Finalizers run with hooks off, weak tables show when garbage is collected:
 * neither has a place in a pure function. */
static int guarded_setmetatable(lua_State *L)
{
	static const char *const refused[] = { "__gc", "__mode" };

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_istable(L, 2) || lua_isnil(L, 2), 2, "nil or table");
	for (size_t i = 0; i < 2 && lua_istable(L, 2); i++) {
		lua_pushstring(L, refused[i]); /* +1 */
		if (lua_rawget(L, 2) != LUA_TNIL) /* 0 */
			return luaL_error(L, "a metatable in a workflow can't have '%s'",
					  refused[i]);
		lua_pop(L, 1); /* -1 */
	}
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) /* +1 */
		return luaL_error(L, "this metatable is protected");
	lua_settop(L, 2);
	lua_setmetatable(L, 1); /* -1 */
	return 1;
}

/* __index of the globals; upvalue 1: their table. */
static int unknown_global(lua_State *L)
{
	const char *word = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
	const char *names[64], *near = NULL;
	size_t n = 0;

	lua_pushnil(L); /* +1 */
	while (n < 64 && lua_next(L, lua_upvalueindex(1))) { /* +1 */
		names[n++] = lua_tostring(L, -2); /* kept alive by the table */
		lua_pop(L, 1); /* -1 */
	}
	near = pd_nearest(word, names, n);
	return near ? luaL_error(L, "there is no global '%s'; did you mean '%s'?", word, near) :
		      luaL_error(L, "there is no global '%s' in a workflow", word);
}

static int set_global(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);

	return luaL_error(L, "'%s' is not declared; write: local %s = ...", name, name);
}

/* The text of a library module in sb->held; false with sb->error set. */
static bool read_module(struct pd_sandbox *sb, const char *name)
{
	const char *part = strcmp(name, "patchday") == 0 ? "init" : name + strlen("patchday.");
	pd_auto_free char *folder = pd_print("%s/patchday", sb->in->library), *path = NULL;
	pd_auto_free char *text = NULL;
	size_t len = 0;

	if (strncmp(name, "patchday.", 9) != 0 && strcmp(name, "patchday") != 0)
		return pd_error_set(&sb->error, "workflow-script",
				    "there is no module '%s'; a workflow can require "
				    "\"patchday\" and its parts only", name);
	if (!pd_is_name(part))
		return pd_error_set(&sb->error, "workflow-script",
				    "'%s' is no name of a module", name);
	path = pd_print("%s/%s.lua", folder, part);
	if (pd_trusted_folder(folder, &sb->error) && pd_trusted_file(path, &sb->error))
		text = pd_file_read(path, LIBRARY_MAX, &len, &sb->error);
	if (!text)
		return pd_error_prefix(&sb->error, "require \"%s\"", name);
	json_decref(sb->held);
	sb->held = json_stringn_nocheck(text, len);
	return true;
}

/* Library modules get their name and the primitives as arguments. */
static int require(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);

	lua_settop(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "pd.loaded"); /* +1 */
	if (lua_getfield(L, 2, name) != LUA_TNIL) /* +1 */
		return 1;
	if (!read_module(sb, name))
		return pd_sandbox_raise(L);
	lua_pushfstring(L, "=%s", name); /* +1 */
	if (luaL_loadbufferx(L, json_string_value(sb->held), json_string_length(sb->held),
			     lua_tostring(L, -1), "t") != LUA_OK) /* +1 */
		return lua_error(L);
	lua_pushvalue(L, 1);                              /* +1 */
	lua_getfield(L, LUA_REGISTRYINDEX, "pd.core");    /* +1 */
	lua_call(L, 2, 1);                                /* -2 */
	lua_pushvalue(L, -1);                             /* +1 */
	lua_setfield(L, 2, name);                         /* -1 */
	return 1;
}

/* ------------------------------------------------------------ set up */

static void remove_fields(lua_State *L, const char *table, const char *const *names)
{
	lua_getglobal(L, table); /* +1 */
	for (; *names; names++) {
		lua_pushnil(L);             /* +1 */
		lua_setfield(L, -2, *names); /* -1 */
	}
	lua_pop(L, 1); /* -1 */
}

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base }, { LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 }
	};

	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1); /* +1 */
		lua_pop(L, 1); /* -1 */
	}
	remove_fields(L, "string", (const char *const[]){ "dump", NULL });
	remove_fields(L, "math", (const char *const[]){ "random", "randomseed", NULL });
	lua_pushliteral(L, "");             /* +1 */
	lua_getmetatable(L, -1);            /* +1 */
	lua_pushliteral(L, "protected");    /* +1 */
	lua_setfield(L, -2, "__metatable"); /* -1 */
	lua_pop(L, 2);                      /* -2 */
}

/* An empty table in place of the globals, which looks up the allowed names. */
static void close_globals(lua_State *L)
{
	static const char *const kept[] = {
		"_VERSION", "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs",
		"rawequal", "rawlen", "select", "string", "table", "tonumber", "tostring", "type", "utf8"
	};
	static const luaL_Reg own[] = {
		{ "pcall", guarded_pcall }, { "require", require },
		{ "setmetatable", guarded_setmetatable }, { NULL, NULL }
	};

	luaL_newlib(L, own); /* +1: globals */
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		lua_getglobal(L, kept[i]);    /* +1 */
		lua_setfield(L, -2, kept[i]); /* -1 */
	}
	lua_newtable(L);                          /* +1 */
	lua_pushvalue(L, -2);                     /* +1 */
	lua_pushcclosure(L, unknown_global, 1);   /* 0 */
	lua_setfield(L, -2, "__index");           /* -1 */
	lua_setmetatable(L, -2);                  /* -1 */
	lua_newtable(L);                          /* +1: what scripts see */
	lua_newtable(L);                          /* +1 */
	lua_pushvalue(L, -3);                     /* +1 */
	lua_setfield(L, -2, "__index");           /* -1 */
	lua_pushcfunction(L, set_global);         /* +1 */
	lua_setfield(L, -2, "__newindex");        /* -1 */
	lua_pushliteral(L, "protected");          /* +1 */
	lua_setfield(L, -2, "__metatable");       /* -1 */
	lua_setmetatable(L, -2);                  /* -1 */
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); /* -1 */
	/* patchday/base.lua returns what stands in their place: pairs in a fixed order ... */
	lua_pushcfunction(L, require);            /* +1 */
	lua_pushliteral(L, "patchday.base");      /* +1 */
	lua_call(L, 1, 1);                        /* -1: names and functions */
	lua_pushnil(L);                           /* +1 */
	while (lua_next(L, -2)) {                 /* +1 */
		lua_pushvalue(L, -2);             /* +1 */
		lua_insert(L, -2);                /* 0 */
		lua_rawset(L, -5);                /* -2 */
	}
	lua_pop(L, 2); /* -2 */
}

/* Arguments: text, length, describe. */
static int protected_run(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *text = lua_touserdata(L, 1);
	size_t len = (size_t)lua_tointeger(L, 2);

	open_libraries(L);
	pd_lua_json_type(L);
	pd_lua_push_core(L);                           /* +1 */
	lua_setfield(L, LUA_REGISTRYINDEX, "pd.core"); /* -1 */
	close_globals(L);
	lua_pushcfunction(L, require);                 /* +1 */
	lua_pushliteral(L, "patchday.main");           /* +1 */
	lua_call(L, 1, 1);                             /* -1: function */
	lua_pushfstring(L, "@%s", sb->name);           /* +1 */
	if (luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t") != LUA_OK) /* +1 */
		return lua_error(L);
	lua_remove(L, -2);                             /* -1 */
	lua_sethook(L, out_of_instructions, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
	lua_pushvalue(L, 3);                           /* +1 */
	pd_lua_push_json(L, sb->in->params);           /* +1 */
	pd_lua_push_json(L, sb->in->answers);          /* +1 */
	lua_pushinteger(L, sb->in->round);             /* +1 */
	lua_pushstring(L, sb->in->server);             /* +1 */
	lua_call(L, 6, 1);                             /* -6 */
	if (!pd_lua_to_json(L, -1, true))
		return pd_sandbox_raise(L);
	return 0;
}

/* Message handler: every error gets a place and becomes a text. */
static int give_place(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
	size_t n = strlen(sb->name);
	char at[128];

	if (text && strncmp(text, sb->name, n) == 0 && text[n] == ':')
		return 1;
	pd_sandbox_where(L, at, sizeof(at));
	if (text)
		lua_pushfstring(L, "%s: %s", at, text); /* +1 */
	else
		lua_pushfstring(L, "%s: the script raised a %s as its error; raise a text",
				at, luaL_typename(L, 1)); /* +1 */
	return 1;
}

/* What is wrong with what a script returns is at its last "return". */
static void place_of_return(struct pd_sandbox *sb, const char *text, size_t len)
{
	int line = 1;

	for (size_t i = 0; i + 7 < len; i++)
		if (text[i] == '\n' && ++line && strncmp(text + i + 1, "return", 6) == 0)
			snprintf(sb->place, sizeof(sb->place), "%s:%d", sb->name, line);
}

/* An author's text for a terminal and for JSON: bounded, one line, UTF-8. */
static void tidy(const char *text, char *out, size_t size)
{
	snprintf(out, size, "%s", text);
	for (unsigned char *c = (unsigned char *)out; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
	if (pd_utf8_valid(out, strlen(out)))
		return;
	for (unsigned char *c = (unsigned char *)out; *c; c++)
		if (*c >= 0x80)
			*c = '?';
}

static void report(struct pd_sandbox *sb, int status, struct pd_error **err)
{
	const char *text = lua_tostring(sb->lua, -1);
	size_t n = strlen(sb->name);
	char *rest = NULL, tidied[2000];
	unsigned long line = 0;
	bool known = false;

	if (status == LUA_ERRMEM)
		sb->limit = "it needs more than 64 MiB of memory";
	if (sb->limit) {
		pd_error_at(err, "workflow-limit", sb->at[0] ? sb->at : sb->name, 0, 0,
			    "the script was stopped: %s", sb->limit);
		return;
	}
	text = text ? text : "unknown error";
	if (strncmp(text, sb->name, n) == 0 && text[n] == ':') {
		line = strtoul(text + n + 1, &rest, 10);
		text = line && rest[0] == ':' ? rest + 2 : text + n + 2;
	}
	tidy(text, tidied, sizeof(tidied));
	known = sb->error && strstr(text, sb->error->message);
	pd_error_at(err, sb->elsewhere[0] ? sb->blame : known ? sb->error->id :
		    sb->blame ? sb->blame : "workflow-script",
		    sb->elsewhere[0] ? sb->elsewhere : sb->name,
		    sb->elsewhere[0] ? 0 : (unsigned)line, 0, "%s", tidied);
	if (known && sb->error->remedy && !strstr(text, sb->error->remedy))
		pd_error_remedy(err, "%s", sb->error->remedy);
}

json_t *pd_sandbox_run(struct pd_sandbox *sb, const char *text, size_t len,
		       bool describe, struct pd_error **err)
{
	lua_State *L = lua_newstate(allocate, sb);
	json_t *result = NULL;
	int status = 0;

	if (!L) {
		pd_error_set(err, "workflow-worker", "no memory for a Lua state");
		return NULL;
	}
	*(struct pd_sandbox **)lua_getextraspace(L) = sb;
	sb->lua = L;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* some editors write it */
		text += 3;
		len -= 3;
	}
	place_of_return(sb, text, len);
	lua_pushcfunction(L, give_place);               /* +1 */
	lua_pushcfunction(L, protected_run);            /* +1 */
	lua_pushlightuserdata(L, (void *)(uintptr_t)text); /* +1 */
	lua_pushinteger(L, (lua_Integer)len);           /* +1 */
	lua_pushboolean(L, describe);                   /* +1 */
	status = lua_pcall(L, 3, 0, 1);                 /* -4, or the message */
	if (status == LUA_OK)
		result = json_incref(sb->held);
	else
		report(sb, status, err);
	lua_close(L);
	pd_error_free(sb->error);
	json_decref(sb->held);
	pd_verdicts_clear(&sb->verdicts);
	return result;
}
