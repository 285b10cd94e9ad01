/* SPDX-License-Identifier: MIT */
/* The primitives behind scripts/patchday: plugins, arguments, messages. */
#include "workflow/sandbox.h"

#include <stdio.h>
#include <unistd.h>

enum { NOTES_MAX = 64 << 10, CHOICES_MAX = 64 };

bool pd_lua_to_json(lua_State *L, int index, bool object)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	json_t *value = pd_lua_json(L, index, &sb->nodes, &sb->error);

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

static int called(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1)); /* +1 */
	lua_insert(L, 1);                      /* 0 */
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET); /* -n +results */
	return lua_gettop(L);
}

/* entry(function): it as a function of C: `return f {}` of an author takes his line off
 * the stack where f is one of Lua, and leaves it where f is one of C. */
static int entry(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, called, 1); /* 0 */
	return 1;
}

/* where(): "script:line" of the author. */
static int where(lua_State *L)
{
	char at[128];

	pd_sandbox_where(L, at, sizeof(at));
	lua_pushstring(L, at); /* +1 */
	return 1;
}

/* place(function): the author's place while no line of his is running. */
static int place(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	lua_Debug d;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_getinfo(L, ">S", &d); /* -1 */
	if (d.source[0] == '@')
		snprintf(sb->place, sizeof(sb->place), "%s:%d", d.source + 1, d.linedefined);
	return 0;
}

/* blame(id, place): the id of the error that is raised next, and its place if
 * that is not the author's line; blame(""): none in particular. */
static int blame(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const struct pd_explanation *x = pd_explain(luaL_checkstring(L, 1));

	sb->blame = x ? x->id : NULL;
	snprintf(sb->elsewhere, sizeof(sb->elsewhere), "%s", luaL_optstring(L, 2, ""));
	return 0;
}

/* array(): an empty list, which Lua can't tell from an empty object. */
static int array(lua_State *L)
{
	*pd_lua_keep_json(L) = json_array(); /* +1 */
	return 1;
}

/* note(text): one line on standard error, for authors who look for a mistake. */
static int note(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *about = sb->in->about ? sb->in->about : "", *text = luaL_checkstring(L, 1);
	char line[1024];
	size_t len = (size_t)snprintf(line, sizeof(line), "%.200s%s%.800s", about, *about ? ": " : "", text);

	for (size_t i = 0; i < len; i++)
		line[i] = (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? ' ' : line[i];
	line[len++] = '\n';
	if (sb->notes + len <= NOTES_MAX && pd_write_all(STDERR_FILENO, line, len))
		sb->notes += len;
	return 0;
}

/* nearest(word, list): the word of the list that was probably meant, or nil. */
static int nearest(lua_State *L)
{
	const char *word = luaL_checkstring(L, 1), *names[256], *near = NULL;
	size_t n = 0;

	luaL_checktype(L, 2, LUA_TTABLE);
	for (size_t i = 1; i <= lua_rawlen(L, 2) && n < 256; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i); /* +1 */
		if (lua_type(L, -1) == LUA_TSTRING)
			names[n++] = lua_tostring(L, -1);
		lua_pop(L, 1); /* -1; the table keeps it alive */
	}
	near = pd_nearest(word, names, n);
	lua_pushstring(L, near); /* +1, nil for NULL */
	return 1;
}

/* steps(plugin, maybe): names of its steps; nil: it is not here, and maybe was true. */
static int steps(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);
	const struct pd_plugin *p = pd_registry_find(sb->in->registry, name, &sb->error);

	if (!p && lua_toboolean(L, 2) && strcmp(sb->error->id, "plugin-unknown") == 0)
		return 0;
	if (!p)
		return pd_sandbox_raise(L);
	lua_newtable(L); /* +1 */
	for (size_t i = 0; p->steps && p->steps[i]; i++) {
		lua_pushstring(L, p->steps[i]->name);   /* +1 */
		lua_rawseti(L, -2, (lua_Integer)i + 1); /* -1 */
	}
	return 1;
}

static const struct pd_step *step_of(lua_State *L, int index)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const struct pd_step *step = pd_registry_step(sb->in->registry,
		luaL_checkstring(L, index), NULL, &sb->error);

	if (!step)
		pd_sandbox_raise(L);
	return step;
}

/* step(name): its outputs (name = type), whether it can be undone, whether
 * `id` is a parameter of its own, whether it can be a guard, and must be held. */
static int step_info(lua_State *L)
{
	const struct pd_step *step = step_of(L, 1);

	lua_newtable(L); /* +1 */
	for (const struct pd_output *o = step->outputs; o && o->name; o++) {
		lua_pushinteger(L, o->type);    /* +1 */
		lua_setfield(L, -2, o->name);   /* -1 */
	}
	lua_pushboolean(L, step->undo != NULL);          /* +1 */
	lua_pushboolean(L, pd_step_param(step, "id") != NULL); /* +1 */
	lua_pushboolean(L, (step->flags & PD_S_GUARD) != 0); /* +1 */
	lua_pushboolean(L, (step->flags & PD_S_HOLD) != 0);  /* +1 */
	return 5;
}

/* misfit(step, parameter, type): nil, or the two types that don't go together.  An unknown parameter is left to check(). */
static int misfit(lua_State *L)
{
	const struct pd_step *step = step_of(L, 1);
	const struct pd_param *p = pd_step_param(step, luaL_checkstring(L, 2));
	unsigned from = (unsigned)luaL_checkinteger(L, 3);

	if (!p || pd_type_fits(from, p->type))
		return 0;
	lua_pushstring(L, pd_type_name(from));    /* +1 */
	lua_pushstring(L, pd_type_name(p->type)); /* +1 */
	return 2;
}

/* check(step, arguments): them checked and with defaults, kept. */
static int check(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);
	const struct pd_step *step = step_of(L, 1);
	json_t **checked = pd_lua_keep_json(L); /* +1 */

	if (pd_lua_to_json(L, 2, true))
		*checked = pd_arguments_check(step, name, sb->held, &sb->error);
	else
		pd_error_prefix(&sb->error, "%s", name);
	return *checked ? 1 : pd_sandbox_raise(L);
}

/* Arguments in which references carry the final ids of their steps. */
static json_t *resolved(const json_t *value, const json_t *ids)
{
	const char *key, *ref = pd_json_text(value, "$ref", NULL);
	json_t *copy, *member;
	size_t i;

	if (ref || (json_is_object(value) && !json_object_get(value, "$updates")))
		copy = json_copy((json_t *)(uintptr_t)value);
	else if (json_is_array(value))
		copy = json_array();
	else
		return json_incref((json_t *)(uintptr_t)value);
	if (ref)
		json_object_set_new(copy, "$ref", json_string(pd_json_text(ids, ref, "")));
	else
		json_object_foreach((json_t *)(uintptr_t)value, key, member) {
			json_object_set_new(copy, key, resolved(member, ids));
		}
	json_array_foreach(value, i, member) {
		json_array_append_new(copy, resolved(member, ids));
	}
	return copy;
}

/* resolve(arguments, ids): ids maps what references say now to step ids. */
static int resolve(lua_State *L)
{
	json_t *const *from = luaL_checkudata(L, 1, "pd.json");
	json_t **out = pd_lua_keep_json(L); /* +1 */

	if (!pd_lua_to_json(L, 2, true))
		return pd_sandbox_raise(L);
	*out = resolved(*from, pd_sandbox_of(L)->held);
	return 1;
}

static unsigned type_of(const char *name)
{
	for (unsigned t = PD_T_BOOL; t <= PD_T_UPDATES; t++)
		if (strcmp(pd_type_name(t), name) == 0)
			return t;
	return 0;
}

static int64_t number_field(lua_State *L, int index, const char *name)
{
	int64_t n = lua_getfield(L, index, name) == LUA_TNUMBER ? /* +1 */
		lua_tointeger(L, -1) : 0;

	lua_pop(L, 1); /* -1 */
	return n;
}

/* param(name, spec, value, from the command line): the value, checked. */
static int param(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *choices[CHOICES_MAX + 1] = { NULL };
	struct pd_param p = { .name = luaL_checkstring(L, 1), .help = "" };
	json_t *value = NULL;

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 4);
	lua_getfield(L, 2, "type"); /* +1 */
	p.type = (uint16_t)type_of(luaL_checkstring(L, -1));
	luaL_argcheck(L, p.type, 2, "no such type");
	p.min = number_field(L, 2, "min");
	p.max = number_field(L, 2, "max");
	if (lua_getfield(L, 2, "choices") == LUA_TTABLE) { /* +1 */
		p.choices = choices;
		for (size_t i = 0; i < CHOICES_MAX && i < lua_rawlen(L, -1); i++) {
			lua_rawgeti(L, -1, (lua_Integer)i + 1); /* +1 */
			choices[i] = luaL_checkstring(L, -1);
			lua_pop(L, 1); /* -1; the table keeps it alive */
		}
	}
	if (!pd_lua_to_json(L, 3, false))
		return pd_sandbox_raise(L);
	value = lua_toboolean(L, 4) ?
		pd_argument_parse(&p, json_string_value(sb->held), &sb->error) :
		pd_argument_check(&p, sb->held, &sb->error);
	json_decref(sb->held);
	sb->held = value;
	if (!value)
		return pd_sandbox_raise(L);
	pd_lua_push_json(L, sb->held); /* +1 */
	return 1;
}

void pd_lua_push_core(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "array", array }, { "blame", blame }, { "check", check },
		{ "entry", entry }, { "misfit", misfit }, { "nearest", nearest }, { "note", note },
		{ "param", param }, { "place", place }, { "resolve", resolve },
		{ "step", step_info }, { "steps", steps }, { "where", where },
		{ NULL, NULL }
	};

	luaL_newlib(L, functions); /* +1 */
	pd_lua_add_server(L);
}
