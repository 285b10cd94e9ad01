/* SPDX-License-Identifier: MIT */
/* What a server has when all is over, and what is not as it should be. */
#include "drill.h"

/* Kinds of facts that a run has to leave as they should be, beside packages
 * and services, which are asked for more closely. */
static const char *const kinds[] = { "printers", "shares" };

static void look_facts(struct drill *d, struct pd_facts *out)
{
	pd_auto_free char *text = clone_output(&d->c, (const char *const *)d->s.facts.items, NULL);
	pd_auto_json *all = text ? pd_json_parse(text, strlen(text), "facts", NULL) : NULL;
	pd_auto_json *some = json_object();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (json_object_get(all, kinds[i]))
			json_object_set(some, kinds[i], json_object_get(all, kinds[i]));
	if (!pd_facts_from(some, "facts", out, NULL))
		*out = (struct pd_facts){0};
}

struct state state_look(struct drill *d)
{
	struct state s = { .packages = look_packages(&d->c), .services = look_services(&d->c) };

	look_facts(d, &s.facts);
	return s;
}

void state_cleanup(struct state *s)
{
	json_decref(s->packages);
	json_decref(s->services);
	pd_facts_clear(&s->facts);
	*s = (struct state){0};
}

/* Services that start with the server, run there, and do not here. */
static char *stopped_services(const json_t *wanted, const json_t *now)
{
	static const char running[] = "active (running)";
	pd_auto(pd_strings) names = {0};
	const char *name;
	json_t *unit;

	json_object_foreach((json_t *)(uintptr_t)wanted, name, unit)
		if (strcmp(pd_json_text(unit, "state", ""), running) == 0 &&
		    strcmp(pd_json_text(unit, "enabled", ""), "enabled") == 0 &&
		    strcmp(pd_json_text(json_object_get(now, name), "state", ""), running) != 0)
			pd_strings_add(&names, name);
	return names.len ? pd_strings_join(&names, ", ") : NULL;
}

/* A kind that can't be read any more differs as well. */
static char *lost_facts(const struct pd_facts *wanted, const struct pd_facts *now)
{
	pd_auto_json *rows = NULL;
	const json_t *row;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (json_object_get(wanted->json, kinds[i]) && !json_object_get(now->json, kinds[i]))
			return pd_print("its %s can't be read", kinds[i]);
	if (!wanted->json || !now->json)
		return NULL;
	rows = pd_facts_diff(wanted, now);
	row = json_array_get(rows, 0);
	return row ? pd_print("of %s, %s is not as it should be: %s was %s", pd_json_text(row, "kind", ""),
			      pd_json_text(row, "key", ""), pd_json_text(row, "field", "it"),
			      pd_json_text(row, "change", "")) : NULL;
}

char *state_complaint(const struct state *wanted, const struct state *now, const char *end)
{
	pd_auto_json *rows = NULL;
	pd_auto_free char *stopped = NULL, *lost = NULL;

	if (wanted->packages && !now->packages)
		return pd_print("%s, but its packages can't be read", end);
	rows = wanted->packages ? look_difference(wanted->packages, now->packages, NULL) : NULL;
	if (json_array_size(rows))
		return pd_print("%s, but %zu packages are not as they should be, such as %s", end,
				json_array_size(rows),
				pd_json_text(json_array_get(rows, 0), "name", ""));
	stopped = stopped_services(wanted->services, now->services);
	if (stopped)
		return pd_print("%s, but these do not run: %s", end, stopped);
	lost = lost_facts(&wanted->facts, &now->facts);
	return lost ? pd_print("%s, but %s", end, lost) : NULL;
}
