/* SPDX-License-Identifier: MIT */
/* Facts: rows checked against their kinds, files, the index of packages. */
#include "facts/facts.h"

#include "base/text.h"
#include "plugin/worker.h"

enum { FILE_MAX = 64 << 20 };

struct pd_package_index {
	struct pd_index names;        /* name -> its place in spans */
	struct span { uint32_t first, len; } *spans;
	struct pd_installed *rows;    /* those of one name side by side */
	size_t len;
};

static const char *type_name(enum pd_fact_type type)
{
	return type == PD_F_TEXT ? "a text" : type == PD_F_NUMBER ? "a whole number" :
	       "true or false";
}

static bool type_fits(const json_t *value, enum pd_fact_type type)
{
	return type == PD_F_TEXT ? json_is_string(value) :
	       type == PD_F_NUMBER ? json_is_integer(value) : json_is_boolean(value);
}

static bool check_field(const struct pd_fact_kind *kind, const char *key,
			const json_t *value, struct pd_error **err)
{
	const struct pd_fact_column *c = kind->columns;

	while (c->key && strcmp(c->key, key) != 0)
		c++;
	if (!c->key) /* which is said there */
		return pd_fact_known(kind->name, key, err);
	return type_fits(value, c->type) ||
	       pd_error_set(err, "facts-field", "%s.%s has to be %s", kind->name, key,
			    type_name(c->type));
}

static bool check_row(const char *name, const struct pd_fact_kind *kind,
		      const json_t *row, struct pd_error **err)
{
	const char *key;
	json_t *value;

	if (!kind && !pd_fact_known(name, "", err))
		return false;
	if (!json_is_object(row))
		return pd_error_set(err, "facts-shape", "a row of %s has to be "
				    "an object with named fields", name);
	if (kind && kind->key && !json_is_string(json_object_get(row, kind->key)))
		return pd_error_set(err, "facts-field", "a row of %s lacks \"%s\"",
				    name, kind->key);
	json_object_foreach((json_t *)row, key, value) {
		if (kind && !check_field(kind, key, value, err))
			return false;
		if (!kind && (json_is_object(value) || json_is_array(value)))
			return pd_error_set(err, "facts-field", "%s.%s has to be a "
					    "text, a number, true or false", name, key);
	}
	return true;
}

static void drop_index(struct pd_facts *f)
{
	if (!f->packages)
		return;
	pd_index_clear(&f->packages->names);
	free(f->packages->spans);
	free(f->packages->rows);
	free(f->packages);
	f->packages = NULL;
}

bool pd_facts_add(struct pd_facts *f, const char *name, const json_t *row,
		  struct pd_error **err)
{
	const struct pd_fact_kind *kind = pd_fact_kind(name);
	json_t *have;

	if (!check_row(name, kind, row, err))
		return false;
	if (!f->json)
		f->json = json_object();
	drop_index(f);
	have = json_object_get(f->json, name);
	if (!have) {
		have = kind && !kind->many ? json_object() : json_array();
		json_object_set_new(f->json, name, have);
	}
	/* A singleton may come in parts from several scanners. */
	if (json_is_object(have))
		json_object_update(have, (json_t *)row);
	else
		json_array_append(have, (json_t *)row);
	return true;
}

static bool read_kind(const char *name, json_t *value, struct pd_facts *out,
		      struct pd_error **err)
{
	const struct pd_fact_kind *kind = pd_fact_kind(name);
	bool many = !kind || kind->many;
	json_t *row;
	size_t i;

	if (!pd_fact_known(name, "", err))
		return false;
	if (many != json_is_array(value))
		return pd_error_set(err, "facts-shape", "%s has to be %s", name,
				    many ? "a list of rows" : "one object");
	if (!many)
		return pd_facts_add(out, name, value, err);
	json_object_set_new(out->json, name, json_array());
	json_array_foreach(value, i, row)
		if (!pd_facts_add(out, name, row, err))
			return pd_error_prefix(err, "row %zu", i + 1);
	return true;
}

bool pd_facts_from(const json_t *all, const char *name, struct pd_facts *out,
		   struct pd_error **err)
{
	const char *kind;
	json_t *value;

	*out = (struct pd_facts){0};
	if (!json_is_object(all))
		return pd_error_at(err, "facts-shape", name, 0, 0,
				   "facts have to be an object of kinds");
	out->json = json_object();
	json_object_foreach((json_t *)all, kind, value)
		if (!read_kind(kind, value, out, err)) {
			pd_facts_clear(out);
			return pd_error_prefix(err, "%s", name);
		}
	return true;
}

bool pd_facts_read(const char *path, struct pd_facts *out, struct pd_error **err)
{
	pd_auto_json *all = pd_json_read(path, FILE_MAX, err);

	*out = (struct pd_facts){0};
	return all && pd_facts_from(all, path, out, err);
}

void pd_facts_clear(struct pd_facts *f)
{
	drop_index(f);
	free(f->unread);
	json_decref(f->json);
	*f = (struct pd_facts){0};
}

bool pd_installed_of(const json_t *row, struct pd_installed *out)
{
	const char *status = pd_json_text(row, "status", "installed");

	*out = (struct pd_installed){
		.name = pd_json_text(row, "name", ""), .version = pd_json_text(row, "version", ""),
		.arch = pd_json_text(row, "arch", ""),
		.scheme = pd_scheme_of(pd_json_text(row, "scheme", "")),
		.held = pd_json_true(row, "held"), .row = row };
	return strcmp(status, "config-files") != 0 && strcmp(status, "not-installed") != 0;
}

/* Those of one name side by side, names in the order in which they are met. */
static struct pd_package_index *make_index(const struct pd_installed *all, size_t n)
{
	struct pd_package_index *index = pd_alloc(sizeof(*index));
	uint32_t *names = pd_alloc((n + 1) * sizeof(*names)), at = 0;

	index->spans = pd_alloc((n + 1) * sizeof(*index->spans));
	index->rows = pd_alloc((n + 1) * sizeof(*index->rows));
	index->len = n;
	for (size_t i = 0; i < n; i++) {
		names[i] = pd_index_put(&index->names, all[i].name, (uint32_t)index->names.len)->value;
		index->spans[names[i]].len++;
	}
	for (size_t i = 0; i < index->names.len; i++) {
		index->spans[i].first = at;
		at += index->spans[i].len;
		index->spans[i].len = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct span *span = &index->spans[names[i]];

		index->rows[span->first + span->len++] = all[i];
	}
	free(names);
	return index;
}

static struct pd_package_index *index_of(const json_t *packages)
{
	struct pd_installed *all = pd_alloc((json_array_size(packages) + 1) * sizeof(*all));
	struct pd_package_index *index;
	size_t n = 0, i;
	json_t *row;

	json_array_foreach(packages, i, row)
		n += pd_installed_of(row, &all[n]);
	index = make_index(all, n);
	free(all);
	return index;
}

bool pd_facts_read_known(struct pd_facts_rows *known, const char *path, struct pd_facts *out,
			 struct pd_error **err)
{
	size_t len = 0;
	pd_auto_free char *text = pd_file_read(path, FILE_MAX, &len, NULL);
	pd_auto(pd_buffer) installed = {0};
	pd_auto_json *packages = text && strlen(text) == len ? pd_facts_cut(known, text, &installed) : NULL;
	pd_auto_json *rest = packages ? pd_json_parse(text, strlen(text), path, NULL) : NULL;

	if (!rest || !pd_facts_from(rest, path, out, NULL))
		return pd_facts_read(path, out, err); /* or it says what is wrong with it */
	json_object_set(out->json, "packages", packages);
	out->packages = make_index((const void *)installed.data, installed.len / sizeof(struct pd_installed));
	return true;
}

size_t pd_facts_packages(const struct pd_facts *f, const char *name,
			 const struct pd_installed **first)
{
	const struct pd_index_slot *slot;

	/* A cache: the facts that are seen do not change. */
	if (!f->packages)
		((struct pd_facts *)f)->packages =
			index_of(json_object_get(f->json, "packages"));
	*first = f->packages->rows;
	slot = *name ? pd_index_find(&f->packages->names, name) : NULL;
	if (!*name)
		return f->packages->len;
	if (!slot)
		return 0;
	*first = &f->packages->rows[f->packages->spans[slot->value].first];
	return f->packages->spans[slot->value].len;
}
