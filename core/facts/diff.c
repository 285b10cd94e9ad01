/* SPDX-License-Identifier: MIT */
/* What differs between two scans; see doc/comparison.md. */
#include "facts/facts.h"

/** A row of one side, by its name and then by what is compared of it. */
struct row {
	char *name, *line;
	json_t *json;
	bool same; /* the other side has it too */
};

struct rows {
	struct row *items;
	size_t len, cap;
};

unsigned pd_fact_uses(const struct pd_fact_kind *kind)
{
	unsigned all = 0;

	for (const struct pd_fact_column *c = kind->columns; c->key; c++)
		all |= c->use;
	return all;
}

static char *text_of(const json_t *value)
{
	return json_is_string(value) ? pd_strdup(json_string_value(value)) :
	       value ? pd_json_line(value) : NULL;
}

static char *name_of(const struct pd_fact_kind *kind, const json_t *row)
{
	pd_auto(pd_buffer) name = {0};

	for (const struct pd_fact_column *c = kind->columns; c->key; c++) {
		pd_auto_free char *text = c->use & PD_FACT_ID ?
			text_of(json_object_get(row, c->key)) : NULL;

		if (text && *text)
			pd_buffer_print(&name, "%s%s", name.len ? " " : "", text);
	}
	return pd_buffer_take(&name);
}

static int by_name(const struct row *a, const struct row *b)
{
	return strcmp(a->name, b->name);
}

static int by_line(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = by_name(x, y);

	return order ? order : strcmp(x->line, y->line);
}

static void load(const struct pd_fact_kind *kind, json_t *list, struct rows *out)
{
	json_t *json;
	size_t i;

	json_array_foreach(list, i, json) {
		pd_auto_json *seen = json_copy(json);

		for (const struct pd_fact_column *c = kind->columns; c->key; c++)
			if (c->use & PD_FACT_LIVE)
				json_object_del(seen, c->key);
		pd_grow(out->items, out->len, out->cap);
		out->items[out->len++] = (struct row){ name_of(kind, json),
						       pd_json_line(seen), json, false };
	}
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), by_line);
}

static void clear(struct rows *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		free(rows->items[i].name);
		free(rows->items[i].line);
	}
	free(rows->items);
}

static void add(json_t *out, const struct pd_fact_kind *kind, const struct row *row,
		const char *change, const char *field, const char *before, const char *after)
{
	json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:O}",
		"kind", kind->name, "key", row->name, "change", change, "field", field,
		"before", before, "after", after, "row", row->json));
}

static void changed(json_t *out, const struct pd_fact_kind *kind, const struct row *a,
		    const struct row *b)
{
	for (const struct pd_fact_column *c = kind->columns; c->key; c++) {
		json_t *x = json_object_get(a->json, c->key);
		json_t *y = json_object_get(b->json, c->key);
		pd_auto_free char *before = text_of(x), *after = text_of(y);

		if (!(c->use & PD_FACT_LIVE) && !json_equal(x, y) && (x || y))
			add(out, kind, b, "changed", c->key, before, after);
	}
}

static void diff_kind(const struct pd_fact_kind *kind, json_t *before, json_t *after,
		      json_t *out)
{
	struct rows a = {0}, b = {0};
	size_t i = 0, k = 0;

	load(kind, before, &a);
	load(kind, after, &b);
	/* rows that are the same stand out first: of several with one name
	 * (a kernel of each version) only the rest can have changed */
	while (i < a.len && k < b.len) {
		int order = by_line(&a.items[i], &b.items[k]);

		if (order == 0)
			a.items[i].same = b.items[k].same = true;
		i += order <= 0;
		k += order >= 0;
	}
	for (i = k = 0; i < a.len || k < b.len;) {
		const struct row *x = i < a.len ? &a.items[i] : NULL;
		const struct row *y = k < b.len ? &b.items[k] : NULL;
		int order = !x ? 1 : !y ? -1 : by_name(x, y);

		if ((x && x->same) || (y && y->same)) {
			i += x && x->same;
			k += y && y->same;
			continue;
		}
		if (order == 0)
			changed(out, kind, x, y);
		else if (order > 0)
			add(out, kind, y, "added", NULL, NULL, NULL);
		else if (!(pd_fact_uses(kind) & PD_FACT_LOG))
			add(out, kind, x, "removed", NULL, NULL, NULL);
		i += order <= 0;
		k += order >= 0;
	}
	clear(&a);
	clear(&b);
}

json_t *pd_facts_diff(const struct pd_facts *before, const struct pd_facts *after)
{
	json_t *out = json_array();
	size_t n = 0;
	const struct pd_fact_kind *kinds = pd_fact_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		json_t *a = json_object_get(before->json, kinds[i].name);
		json_t *b = json_object_get(after->json, kinds[i].name);

		if (a && b && (pd_fact_uses(&kinds[i]) & PD_FACT_ID))
			diff_kind(&kinds[i], a, b, out);
	}
	return out;
}
