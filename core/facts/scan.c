/* SPDX-License-Identifier: MIT */
/* Scans: each scanner in a worker, its rows taken whole or not at all. */
#include "facts/facts.h"

#include "plugin/worker.h"

struct scan {
	const struct pd_scanner *scanner;
	struct pd_facts rows;
	bool failed;
	struct pd_error *err; /* of the first row refused */
};

static bool reports(const struct pd_scanner *scanner, const char *kind)
{
	for (const char *const *k = scanner->kinds; k && *k; k++)
		if (strcmp(*k, kind) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct pd_scanner *scanner,
		      const struct pd_strings *kinds)
{
	for (size_t i = 0; kinds && i < kinds->len; i++)
		if (reports(scanner, kinds->items[i]))
			return true;
	return !kinds || kinds->len == 0;
}

static void on_fact(void *user, const char *kind, json_t *row)
{
	struct scan *s = user;

	if (!s->err && !reports(s->scanner, kind))
		pd_error_set(&s->err, "facts-kind", "it reports \"%s\" and does "
			     "not list that kind", kind);
	s->failed = s->failed || s->err || !pd_facts_add(&s->rows, kind, row, &s->err);
}

/* A kind that was looked at and has no rows is not the same as a kind that
 * nobody looked at. */
static void merge(struct scan *s, struct pd_facts *out)
{
	const char *name;
	json_t *value, *have;

	for (const char *const *k = s->scanner->kinds; k && *k; k++) {
		const struct pd_fact_kind *kind = pd_fact_kind(*k);

		if ((!kind || kind->many) && !json_object_get(out->json, *k))
			json_object_set_new(out->json, *k, json_array());
	}
	json_object_foreach(s->rows.json, name, value) {
		have = json_object_get(out->json, name);
		if (!have)
			json_object_set(out->json, name, value);
		else if (json_is_object(have))
			json_object_update(have, value);
		else
			json_array_extend(have, value);
	}
}

static bool run_scanner(const struct pd_plugin *plugin,
			const struct pd_scanner *scanner, struct pd_facts *out,
			struct pd_strings *warnings, struct pd_error **err)
{
	struct scan s = { .scanner = scanner };
	struct pd_worker_sink sink = { .user = &s, .fact = on_fact };
	struct pd_worker_call call = { .plugin = plugin, .phase = PD_PHASE_SCAN,
				       .scanner = scanner, .source_fd = -1 };
	pd_auto(pd_worker_result) result = {0};
	bool ran = pd_worker_run(&call, &sink, &result, err);
	/* refused: that can't be asked here, and its kinds stay unknown */
	bool failed = ran && result.result != PD_REFUSED && (result.result < 0 || s.failed);

	if (failed)
		pd_strings_add_take(warnings, pd_print("%s.%s: %s", plugin->name,
			scanner->name, result.result >= 0 ? s.err->message :
			result.message ? result.message : "failed"));
	if (failed && !out->unread && reports(scanner, "packages"))
		out->unread = pd_strdup(warnings->items[warnings->len - 1]);
	if (!failed && ran && result.result >= 0)
		merge(&s, out);
	pd_error_free(s.err);
	pd_facts_clear(&s.rows);
	return ran;
}

bool pd_facts_scan(struct pd_registry *reg, const struct pd_strings *kinds,
		   struct pd_facts *out, struct pd_strings *warnings,
		   struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};

	*out = (struct pd_facts){ .json = json_object() };
	if (!pd_registry_names(reg, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		pd_auto_error *why = NULL;
		const struct pd_plugin *plugin =
			pd_registry_find(reg, names.items[i], &why);

		if (!plugin)
			pd_strings_add_take(warnings, pd_error_text(why));
		for (const struct pd_scanner *const *s =
			     plugin ? plugin->scanners : NULL; s && *s; s++)
			if (is_wanted(*s, kinds) &&
			    !run_scanner(plugin, *s, out, warnings, err)) {
				pd_facts_clear(out);
				return false;
			}
	}
	return true;
}
