/* SPDX-License-Identifier: MIT */
/* Units, of a clone or of the server; and what differs. */
#include "look.h"

#define SHOW "systemctl", "show", "--no-pager", "--all", \
	     "--property=Id,ActiveState,SubState,UnitFileState,MainPID"

/* systemctl show: a block of NAME=VALUE lines for each unit */
static json_t *units(struct clone *c, const char *const ask[])
{
	pd_auto_free char *text = clone_output(c, ask, NULL);
	json_t *all = json_object(), *unit = json_object();
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *name = strsep(&line, "=");

		if (line) {
			json_object_set_new(unit, name, json_string(line));
			continue;
		}
		if (json_object_get(unit, "Id")) {
			pd_auto_free char *state = pd_print("%s (%s)",
				pd_json_text(unit, "ActiveState", "?"),
				pd_json_text(unit, "SubState", "?"));

			json_object_set_new(all, pd_json_text(unit, "Id", ""), json_pack(
				"{s:s, s:s, s:s}", "state", state, "enabled",
				pd_json_text(unit, "UnitFileState", ""), "pid",
				pd_json_text(unit, "MainPID", "0")));
		}
		json_object_clear(unit);
	}
	json_decref(unit);
	return all;
}

json_t *look_services(struct clone *c)
{
	static const char *const ask[] = { SHOW, "*.service", NULL };

	return units(c, ask);
}

json_t *look_triggers(struct clone *c)
{
	static const char *const ask[] = { SHOW, "*.timer", "*.socket", "*.path", NULL };

	return units(c, ask);
}

static const json_t *value_of(const json_t *all, const char *name, const char *key)
{
	const json_t *one = json_object_get(all, name);

	return key ? json_object_get(one, key) : one;
}

static void compare_one(json_t *out, const char *name, const json_t *a, const json_t *b)
{
	json_t *row;

	if (json_equal(a, b))
		return;
	row = json_pack("{s:s}", "name", name);
	if (a)
		json_object_set(row, "before", (json_t *)(uintptr_t)a);
	if (b)
		json_object_set(row, "after", (json_t *)(uintptr_t)b);
	json_array_append_new(out, row);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *look_difference(const json_t *before, const json_t *after, const char *key)
{
	pd_auto(pd_strings) names = {0};
	json_t *out = json_array();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)before, name, value)
		pd_strings_add(&names, name);
	json_object_foreach((json_t *)(uintptr_t)after, name, value)
		if (!json_object_get(before, name))
			pd_strings_add(&names, name);
	if (names.len)
		qsort(names.items, names.len, sizeof(*names.items), by_name);
	for (size_t i = 0; i < names.len; i++)
		compare_one(out, names.items[i], value_of(before, names.items[i], key),
			    value_of(after, names.items[i], key));
	return out;
}
