/* SPDX-License-Identifier: MIT */
/* The scans before and after a run, and what they add up to. */
#include "run/compare.h"

#include <time.h>

#include "base/apart.h"
#include "base/text.h"

enum { LISTED = 2000 }; /* differences in the journal */

static bool warn(struct pd_engine *e, const char *what, const char *why)
{
	return pd_engine_note(e, "warning", "", json_pack("{s:s+++}", "text", "comparison, ",
			      what, ": ", why), true);
}

static bool can_change(struct pd_engine *e, const struct pd_record_step *s)
{
	pd_auto_free char *name = pd_print("%s.%s", s->step->plugin, s->step->step);
	const struct pd_step *step = pd_registry_step(e->o->registry, name, NULL, NULL);

	return step && step->reversibility != PD_READONLY;
}

static void compared_kinds(struct pd_strings *names)
{
	size_t n = 0;
	const struct pd_fact_kind *kinds = pd_fact_kinds(&n);

	for (size_t i = 0; i < n; i++)
		if (pd_fact_uses(&kinds[i]) & PD_FACT_ID)
			pd_strings_add(names, kinds[i].name);
}

/* A scan that is asked for, and where its facts are to be. */
struct look {
	struct pd_registry *registry;
	const char *folder, *path;
};

/* Into the run's folder, private: {warnings, bytes, sha256}; no sha256: it is not there. */
static json_t *look(void *user, struct pd_error **err)
{
	const struct look *l = user;
	pd_auto(pd_strings) kinds = {0}, warnings = {0};
	pd_auto(pd_facts) facts = {0};
	pd_auto_error *why = NULL;
	pd_auto_free char *text = NULL;
	json_t *list = json_array();
	pd_digest sha256 = "";

	compared_kinds(&kinds);
	if (!pd_facts_scan(l->registry, &kinds, &facts, &warnings, &why)) {
		pd_strings_add_take(&warnings, pd_error_text(why));
		facts.json = json_object();
	}
	text = json_dumps(facts.json, JSON_SORT_KEYS | JSON_INDENT(1));
	if (!text || !pd_make_folders(l->folder, err) ||
	    !pd_file_write(l->path, 0600, text, strlen(text), err))
		pd_strings_add_take(&warnings, *err ? pd_error_text(*err) :
				    pd_strdup("the facts can't be written as JSON"));
	else
		pd_digest_data(text, strlen(text), sha256);
	for (size_t i = 0; i < warnings.len; i++) {
		pd_auto_free char *clean = pd_utf8_text(warnings.items[i]);

		json_array_append_new(list, json_string(clean));
	}
	return json_pack("{s:o, s:I, s:s}", "warnings", list, "bytes",
			 (json_int_t)(text ? strlen(text) : 0), "sha256", sha256);
}

/* *there: its facts are in a file whose digest is in the journal. */
static bool scan(struct pd_engine *e, const char *when, bool *there)
{
	pd_auto_free char *folder = pd_print("%s/runs/%s", e->o->state, e->record->run);
	pd_auto_free char *path = pd_print("%s/facts-%s-%lld.json", folder, when,
					   (long long)e->record->last);
	struct timespec from = {0}, to = {0};
	pd_auto_error *err = NULL;
	pd_auto_json *seen = NULL;
	pd_auto_free char *why = NULL;
	json_t *warning;
	size_t i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	seen = pd_apart(look, &(struct look){ e->o->registry, folder, path }, &err);
	clock_gettime(CLOCK_MONOTONIC, &to);
	why = err ? pd_error_text(err) : NULL;
	if (why && !warn(e, when, why))
		return false;
	json_array_foreach(json_object_get(seen, "warnings"), i, warning)
		if (!warn(e, when, json_string_value(warning)))
			return false;
	*there = *pd_json_text(seen, "sha256", "");
	return !*there || pd_engine_note(e, "scan", "", json_pack("{s:s, s:s, s:O, s:O, s:f}", "when",
			when, "path", path, "bytes", json_object_get(seen, "bytes"), "sha256",
			json_object_get(seen, "sha256"), "seconds", (double)(to.tv_sec - from.tv_sec) +
			(double)(to.tv_nsec - from.tv_nsec) / 1e9), true);
}

bool pd_compare_before(struct pd_engine *e)
{
	const struct pd_record *r = e->record;
	bool acts = false, there = false;

	if (r->scans[0].path || e->o->pretend)
		return true;
	for (size_t i = 0; i < r->n_steps; i++) {
		bool can = can_change(e, &r->steps[i]);

		if (can && r->steps[i].applied)
			return true; /* too late */
		acts = acts || can;
	}
	return !acts || scan(e, "before", &there);
}

/* A scan, if it is still what was journaled. */
static bool read_scan(const struct pd_evidence_row *row, struct pd_facts *out,
			struct pd_error **err)
{
	pd_digest sha256;

	if (!pd_digest_file(row->path, sha256, NULL, err))
		return false;
	if (strcmp(sha256, row->sha256) != 0)
		return pd_error_set(err, "facts-shape", "%s was changed after it was written",
				    row->path);
	return pd_facts_read(row->path, out, err);
}

/* Unexplained ones first; of very many the last explained ones are cut off. */
static json_t *result(const struct pd_facts *before, const struct pd_facts *after,
		      json_t *differences)
{
	pd_auto(pd_strings) kinds = {0};
	pd_auto_json *explained = json_array();
	json_t *list = json_array(), *missing = json_array(), *d;
	size_t i, unexplained;

	json_array_foreach(differences, i, d)
		json_array_append(json_object_get(d, "by") ? explained : list, d);
	unexplained = json_array_size(list);
	json_array_extend(list, explained);
	while (json_array_size(list) > LISTED)
		json_array_remove(list, json_array_size(list) - 1);
	compared_kinds(&kinds);
	for (i = 0; i < kinds.len; i++)
		if (!json_object_get(before->json, kinds.items[i]) ||
		    !json_object_get(after->json, kinds.items[i]))
			json_array_append_new(missing, json_string(kinds.items[i]));
	return json_pack("{s:I, s:I, s:o, s:o}", "explained",
			 (json_int_t)json_array_size(explained), "unexplained",
			 (json_int_t)unexplained, "not_compared", missing,
			 "differences", list);
}

/* What differs, as it is journaled. */
static json_t *compare(void *user, struct pd_error **err)
{
	struct pd_engine *e = user;
	pd_auto(pd_facts) before = {0}, after = {0};
	pd_auto_json *differences = NULL;

	if (!read_scan(&e->record->scans[0], &before, err) || !read_scan(&e->record->scans[1], &after, err))
		return NULL;
	differences = pd_facts_diff(&before, &after);
	pd_compare_explain(e->record, e->o->registry, &before, &after, differences);
	return result(&before, &after, differences);
}

bool pd_compare_after(struct pd_engine *e, enum pd_run_state state)
{
	pd_auto_error *err = NULL;
	pd_auto_free char *why = NULL;
	json_t *found;
	bool there = false;

	if (!e->record->scans[0].path || (state != PD_RUN_SIGNOFF && state != PD_RUN_DONE &&
	    state != PD_RUN_ROLLED_BACK && state != PD_RUN_INCONSISTENT))
		return true;
	if (!scan(e, "after", &there))
		return false;
	if (!there)
		return true;
	found = pd_apart(compare, e, &err);
	if (found)
		return pd_engine_note(e, "compare", "", found, true);
	why = pd_error_text(err);
	return warn(e, "before", why);
}
