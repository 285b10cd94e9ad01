/* SPDX-License-Identifier: MIT */
/* Which step explains a difference: the rules of doc/comparison.md. */
#include "run/compare.h"

#include "facts/facts.h"

enum { MANY = 8 }; /* steps named with a difference */

/** Names of what differs, to be found in what steps say. */
struct book {
	json_t *differences;
	struct pd_index names; /* to the first link, counted from 1 */
	struct link { uint32_t difference, next; } *links;
	size_t len, cap;
	struct pd_strings kept; /* names that are only part of a text */
	struct pd_record *record;
	const struct pd_record_step *step; /* that is read now */
};

static void enter(struct book *b, const char *name, size_t difference)
{
	uint32_t *first;

	if (!name || !*name)
		return;
	first = &pd_index_put(&b->names, name, 0)->value;
	pd_grow(b->links, b->len, b->cap);
	b->links[b->len++] = (struct link){ (uint32_t)difference, *first };
	*first = (uint32_t)b->len;
}

/* Workflows leave the ending of a service out. */
static void enter_unit(struct book *b, const char *unit, size_t difference)
{
	const char *end = strrchr(unit, '.');

	enter(b, unit, difference);
	if (end && strcmp(end, ".service") == 0) {
		char *name = pd_strndup(unit, (size_t)(end - unit));

		pd_strings_add_take(&b->kept, name);
		enter(b, name, difference);
	}
}

/* A message is never explained: what was new in it is for a person to judge. */
static void enter_names(struct book *b, const json_t *d, size_t i)
{
	const char *kind = pd_json_text(d, "kind", "");
	const json_t *row = json_object_get(d, "row");

	if (strcmp(kind, "services") == 0)
		enter_unit(b, pd_json_text(row, "name", ""), i);
	else if (strcmp(kind, "listeners") == 0)
		enter_unit(b, pd_json_text(row, "unit", ""), i);
	else if (strcmp(kind, "errors") != 0)
		enter(b, pd_json_text(row, "name", ""), i);
	if (strcmp(kind, "shares") == 0)
		enter(b, pd_json_text(row, "path", ""), i);
}

static void explain(json_t *d, const char *step)
{
	json_t *by = json_object_get(d, "by");
	size_t n = json_array_size(by);

	if (!by)
		json_object_set_new(d, "by", by = json_array());
	if (n < MANY && (!n || strcmp(json_string_value(json_array_get(by, n - 1)), step) != 0))
		json_array_append_new(by, json_string(step));
}

static void find(struct book *b, const char *word)
{
	const struct pd_index_slot *slot = pd_index_find(&b->names, word);

	for (uint32_t i = slot ? slot->value : 0; i; i = b->links[i - 1].next)
		explain(json_array_get(b->differences, b->links[i - 1].difference),
			b->step->key);
}

static void read_text(struct book *b, const char *text)
{
	pd_auto_free char *copy = pd_strdup(text);
	char *rest = NULL;

	find(b, text);
	for (const char *word = strtok_r(copy, " \t\r\n,;:=\"'()[]{}<>|", &rest); word;
	     word = strtok_r(NULL, " \t\r\n,;:=\"'()[]{}<>|", &rest))
		if (strcmp(word, text) != 0)
			find(b, word);
}

/* Of an update only its packages: titles are prose. */
static void read_value(struct book *b, json_t *value)
{
	const char *ref = pd_json_text(value, "$ref", NULL), *key;
	const struct pd_record_step *from =
		ref ? pd_record_sibling(b->record, b->step, ref) : NULL;
	json_t *item, *packages = json_object_get(value, "packages");
	size_t i;

	if (from)
		value = json_object_get(from->outputs, pd_json_text(value, "out", ""));
	if (json_is_string(value))
		read_text(b, json_string_value(value));
	json_array_foreach(value, i, item)
		read_value(b, item);
	json_array_foreach(packages, i, item)
		find(b, pd_json_text(item, "name", ""));
	if (!packages)
		json_object_foreach(value, key, item)
			read_value(b, item);
}

/* By convention "before..." is a picture of much more than the step changes,
 * and "others..." what it has found that it did not do. */
static void read_step(struct book *b, struct pd_registry *reg, const struct pd_record_step *s)
{
	pd_auto_free char *name = pd_print("%s.%s", s->step->plugin, s->step->step);
	const struct pd_step *step = pd_registry_step(reg, name, NULL, NULL);
	const char *key;
	json_t *value;

	if (!s->applied || (step && step->reversibility == PD_READONLY))
		return;
	b->step = s;
	read_value(b, (json_t *)(uintptr_t)s->step->args);
	read_value(b, s->outputs);
	json_object_foreach(s->remembered, key, value)
		if (strncmp(key, "before", 6) != 0 && strncmp(key, "others", 6) != 0)
			read_value(b, value);
}

static void map_units(struct pd_index *units, const struct pd_facts *f, const json_t *rows[],
		      size_t *n)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(f->json, "services"), i, row) {
		rows[*n] = row;
		pd_index_put(units, pd_json_text(row, "name", ""), (uint32_t)(*n)++);
	}
}

/* What belongs to a package is explained by what changed the package. */
static void by_package(struct book *b, const struct pd_facts *before, const struct pd_facts *after)
{
	pd_auto_free const json_t **rows = pd_alloc(sizeof(*rows) *
		(1 + json_array_size(json_object_get(before->json, "services")) +
		 json_array_size(json_object_get(after->json, "services"))));
	struct pd_index units = {0}, packages = {0};
	json_t *d;
	size_t i, n = 0;

	map_units(&units, after, rows, &n);
	map_units(&units, before, rows, &n);
	json_array_foreach(b->differences, i, d)
		if (strcmp(pd_json_text(d, "kind", ""), "packages") == 0 &&
		    json_object_get(d, "by"))
			pd_index_put(&packages, pd_json_text(json_object_get(d, "row"),
				     "name", ""), (uint32_t)i);
	json_array_foreach(b->differences, i, d) {
		const json_t *row = json_object_get(d, "row");
		const struct pd_index_slot *unit = pd_index_find(&units,
			pd_json_text(row, "unit", "")), *package;
		const char *name = pd_json_text(row, "package",
			unit ? pd_json_text(rows[unit->value], "package", "") : "");

		package = pd_index_find(&packages, name);
		if (!package || json_object_get(d, "by") ||
		    strcmp(pd_json_text(d, "kind", ""), "errors") == 0)
			continue;
		json_object_set(d, "by", json_object_get(json_array_get(b->differences,
				package->value), "by"));
		json_object_set_new(d, "through", json_sprintf("package %s", name));
	}
	pd_index_clear(&units);
	pd_index_clear(&packages);
}

/* A boot starts anew what is not enabled but wanted by something else, and
 * leaves out what was started by hand or by a timer; a failure is no such thing. */
static bool is_boot(const json_t *d)
{
	const json_t *row = json_object_get(d, "row");

	return strcmp(pd_json_text(d, "kind", ""), "services") == 0 &&
	       strcmp(pd_json_text(d, "field", "state"), "state") == 0 &&
	       strcmp(pd_json_text(row, "state", ""), "failed") != 0 &&
	       strncmp(pd_json_text(row, "enabled", ""), "enabled", 7) != 0;
}

static void by_boot(struct book *b)
{
	json_t *d;
	size_t i;

	json_array_foreach(b->differences, i, d) {
		bool open = !json_object_get(d, "by") && is_boot(d);

		for (size_t k = 0; open && k < b->record->n_steps; k++)
			if (b->record->steps[k].witness) {
				explain(d, b->record->steps[k].key);
				json_object_set_new(d, "through", json_string("reboot"));
			}
	}
}

void pd_compare_explain(struct pd_record *r, struct pd_registry *reg,
			const struct pd_facts *before, const struct pd_facts *after,
			json_t *differences)
{
	struct book b = { .differences = differences, .record = r };
	json_t *d;
	size_t i;

	json_array_foreach(differences, i, d)
		enter_names(&b, d, i);
	for (i = 0; i < r->n_steps; i++)
		read_step(&b, reg, &r->steps[i]);
	by_package(&b, before, after);
	by_boot(&b);
	for (i = json_array_size(differences); i-- > 0;) {
		d = json_array_get(differences, i);
		json_object_del(d, "row");
		/* our own unit, which goes at the end of the run */
		if (strcmp(pd_json_text(d, "key", ""), "patchday-resume.service") == 0)
			json_array_remove(differences, i);
	}
	pd_index_clear(&b.names);
	pd_strings_clear(&b.kept);
	free(b.links);
}
