/* SPDX-License-Identifier: MIT */
/* What Lua sees of a server: its facts, and the updates that it needs. */
#include "workflow/sandbox.h"

/* facts(kind): nil if there is no such kind, else its rows (or its row, if
 * it has but one), the names of its fields, its key field. */
static int facts(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);
	const struct pd_fact_kind *kind = pd_fact_kind(name);
	const struct pd_fact_column *c = kind ? kind->columns : NULL;

	if (!kind)
		return 0;
	lua_pushboolean(L, kind->many); /* +1 */
	pd_lua_push_json(L, sb->in->facts ?
		json_object_get(sb->in->facts->json, name) : NULL); /* +1 */
	lua_newtable(L); /* +1 */
	for (lua_Integer i = 1; c && c->key; c++, i++) {
		lua_pushstring(L, c->key); /* +1 */
		lua_rawseti(L, -2, i);     /* -1 */
	}
	lua_pushstring(L, kind->key); /* +1, nil for NULL */
	return 4;
}

/* kinds(): the names of all kinds of facts. */
static int kinds(lua_State *L)
{
	size_t n = 0;
	const struct pd_fact_kind *all = pd_fact_kinds(&n);

	lua_newtable(L); /* +1 */
	for (size_t i = 0; i < n; i++) {
		lua_pushstring(L, all[i].name);         /* +1 */
		lua_rawseti(L, -2, (lua_Integer)i + 1); /* -1 */
	}
	return 1;
}

/* What a script may look at, beside what the plan keeps. */
static json_t *view(const struct pd_verdict_row *row, const json_t *frozen)
{
	const struct pd_catalog_update *u = row->update;
	json_t *v = json_copy((json_t *)(uintptr_t)frozen), *aliases = json_array();

	for (uint32_t i = 0; i < u->n_relations; i++)
		if (u->relations[i].kind == PD_REL_ALIAS)
			json_array_append_new(aliases, json_string(u->relations[i].target));
	json_object_set_new(v, "aliases", aliases);
	json_object_set_new(v, "payloads", pd_update_payloads(u));
	json_object_set_new(v, "installers", pd_update_installers(u));
	json_object_set_new(v, "exits", pd_update_exits(u));
	json_object_set_new(v, "devices", pd_update_devices(u));
	json_object_set_new(v, "description", json_string(u->description));
	json_object_set_new(v, "url", json_string(u->url));
	json_object_set_new(v, "vendor", json_string(u->vendor));
	json_object_set_new(v, "issued", json_integer(u->issued ? u->issued : u->updated));
	json_object_set_new(v, "permanent", json_boolean(u->permanent));
	json_object_set_new(v, "interactive", json_boolean(u->interactive));
	return v;
}

/* Puts the one of @row behind the two lists on the stack. */
static void add_update(lua_State *L, const struct pd_verdict_row *row, lua_Integer n)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	json_t **frozen = pd_lua_keep_json(L); /* +1 */

	*frozen = pd_verdict_json(row);
	lua_rawseti(L, -2, n);          /* -1 */
	json_decref(sb->held);
	sb->held = view(row, *frozen);
	pd_lua_push_json(L, sb->held);  /* +1 */
	lua_rawseti(L, -3, n);          /* -1 */
}

/* needed(unsure): the updates that this server needs, to look at; and the same as
 * a plan keeps them: what one of them requires stands before it.  Or those that fit
 * it, of which it is not known whether they are there. */
static int needed(lua_State *L)
{
	struct pd_sandbox *sb = pd_sandbox_of(L);
	bool unsure = lua_toboolean(L, 1);
	lua_Integer n = 0;

	if (sb->in->read_catalogs)
		return pd_sandbox_ask(L);
	if (sb->in->catalogs && sb->in->catalogs->len && sb->in->facts && sb->in->facts->unread) {
		pd_error_set(&sb->error, "facts-unread", "which updates are needed can't be told, since the "
			     "packages of this server can't be read: %s", sb->in->facts->unread);
		return pd_sandbox_raise(L);
	}
	if (!sb->verdicts.rows && sb->in->catalogs && sb->in->facts &&
	    !pd_catalogs_judge(sb->in->catalogs, sb->in->facts, &sb->verdicts, &sb->error))
		return pd_sandbox_raise(L);
	lua_newtable(L); /* +1 */
	lua_newtable(L); /* +1 */
	for (uint32_t rank = 0, last = 0; rank <= last; rank++)
		for (size_t i = 0; i < sb->verdicts.len; i++) {
			const struct pd_verdict_row *row = &sb->verdicts.rows[i];

			if (row->update->barred || (unsure ? row->verdict != PD_VERDICT_UNKNOWN || !row->unsure :
						    row->verdict != PD_VERDICT_NEEDED))
				continue;
			if (row->rank == rank)
				add_update(L, row, ++n);
			else if (row->rank > last)
				last = row->rank;
		}
	return 2;
}

/* words(what): the names of a normalised scale, least first. */
static int words(lua_State *L)
{
	bool severity = strcmp(luaL_checkstring(L, 1), "severity") == 0;
	unsigned last = severity ? PD_SEVERITY_CRITICAL : PD_CLASS_BUNDLE;

	lua_newtable(L); /* +1 */
	for (unsigned i = 0; i <= last; i++) {
		lua_pushstring(L, severity ? pd_severity_name(i) : pd_class_name(i)); /* +1 */
		lua_rawseti(L, -2, (lua_Integer)i + 1); /* -1 */
	}
	return 1;
}

/* time(text): seconds since 1970, or nil. */
static int time_of(lua_State *L)
{
	int64_t when = 0;

	if (!pd_parse_time(luaL_checkstring(L, 1), &when))
		return 0;
	lua_pushinteger(L, when); /* +1 */
	return 1;
}

void pd_lua_add_server(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "facts", facts }, { "kinds", kinds }, { "needed", needed },
		{ "time", time_of }, { "words", words }, { NULL, NULL }
	};

	luaL_setfuncs(L, functions, 0);
}
