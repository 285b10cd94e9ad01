/* SPDX-License-Identifier: MIT */
/* The report of a rehearsal, as text from its JSON. */
#include "report.h"

#include "base/text.h"
#include "out.h"

static const char *name_of(const json_t *row)
{
	return pd_json_text(row, "name", "");
}

static void packages(const json_t *rows)
{
	const json_t *row;
	size_t i;

	if (json_is_null(rows)) {
		out_print("\npackages: not known, see what is not shown\n");
		return;
	}
	out_print("\npackages: %zu would change\n", json_array_size(rows));
	json_array_foreach(rows, i, row)
		out_print("  %-36s %s -> %s\n", name_of(row),
			     pd_json_text(row, "before", "(not there)"),
			     pd_json_text(row, "after", "(removed)"));
}

static void services(const json_t *rows, const json_t *missing)
{
	const json_t *row;
	size_t i;

	out_print("\nservices: %zu differ after the run\n", json_array_size(rows));
	json_array_foreach(rows, i, row)
		out_print("  %-36s %s -> %s\n", name_of(row),
			     pd_json_text(row, "before", "(not there)"),
			     pd_json_text(row, "after", "(not there)"));
	if (json_array_size(missing))
		out_print("  run on the server, but not in the clone:\n");
	json_array_foreach(missing, i, row)
		out_print("    %s\n", json_string_value(row));
}

static void counts(const json_t *object, const char *indent)
{
	const char *name;
	json_t *n;

	json_object_foreach((json_t *)(uintptr_t)object, name, n)
		out_print("%s%-34s %6lld\n", indent, name,
			     (long long)json_integer_value(n));
}

static void files(const json_t *f, bool all)
{
	const json_t *row;
	size_t i;

	out_print("\nfiles: %lld added, %lld changed, %lld removed\n",
		     (long long)pd_json_number(f, "added", 0),
		     (long long)pd_json_number(f, "changed", 0),
		     (long long)pd_json_number(f, "removed", 0));
	counts(json_object_get(f, "folders"), "  ");
	if (all)
		json_array_foreach(json_object_get(f, "list"), i, row)
			out_print("  %-8s %s\n", pd_json_text(row, "what", ""),
				     pd_json_text(row, "path", ""));
	out_print("  not counted: %lld by the start of the clone, and logs and the like:\n",
		     (long long)pd_json_number(f, "start", 0));
	counts(json_object_get(f, "noise"), "    ");
}

static void steps(const json_t *status)
{
	const json_t *step;
	size_t i;

	out_print("\nsteps:\n");
	json_array_foreach(json_object_get(status, "steps"), i, step) {
		const char *message = pd_json_text(step, "message", NULL);

		out_print("  %-8s %-40s %8.1f s%s\n", pd_json_text(step, "state", ""),
			     pd_json_text(step, "id", ""),
			     json_number_value(json_object_get(step, "seconds")),
			     pd_json_true(step, "changed") ? "" : "  (changes nothing)");
		if (message)
			out_print("           %s\n", message);
	}
}

/* What shows that the server still serves: the steps of the plugin probe. */
static void probes(const json_t *status)
{
	pd_auto(pd_buffer) b = {0};
	size_t i, all = 0, held = 0;
	const json_t *step;

	json_array_foreach(json_object_get(status, "steps"), i, step) {
		const char *state = pd_json_text(step, "state", ""), *verb = pd_json_text(step, "verb", "");
		bool done = strcmp(state, "done") == 0;
		pd_auto_free char *line = pd_print("  %-8s %-40s %s\n", done ? "passed" : state,
			pd_json_text(step, "id", ""), pd_json_text(step, "message", ""));

		if (strncmp(verb, "probe.", strlen("probe.")) != 0)
			continue;
		all++;
		held += done;
		pd_buffer_text(&b, line);
	}
	out_print("\nprobes: %zu, of which %zu passed\n%s", all, held, b.len ? b.data : "");
}

static const char *same(const json_t *proof, const char *key)
{
	return pd_json_true(json_object_get(proof, key), "same") ? "unchanged" : "DIFFERENT";
}

static void proof_row(const json_t *proof, const char *key,
		      const char *what)
{
	const char *before = pd_json_text(json_object_get(proof, key), "before", "");
	const char *after = pd_json_text(json_object_get(proof, key), "after", "");

	out_print("  %-34s %-9s  %.12s %.12s\n", what, same(proof, key), before, after);
}

static void proof(const json_t *p)
{
	const char *databases = pd_json_text(json_object_get(p, "packages"), "of", NULL);
	pd_auto_free char *count = pd_print("%lld files, by their times of change",
					    (long long)pd_json_number(p, "count", 0));
	pd_auto_free char *running = pd_print("%lld running services and their pids",
					      (long long)pd_json_number(p, "running", 0));
	const json_t *text;
	size_t i;

	out_print("\nthe server itself (digests before and after):\n");
	proof_row(p, "etc", "/etc, by content");
	if (databases)
		proof_row(p, "packages", databases);
	else
		out_print("  %-34s not known\n", "the database of packages");
	proof_row(p, "services", running);
	proof_row(p, "files", count);
	json_array_foreach(json_object_get(p, "differences"), i, text) {
		if (i == 20) {
			out_print("    ... and %zu more (--json)\n", json_array_size(
				     json_object_get(p, "differences")) - i);
			break;
		}
		out_print("    %s\n", json_string_value(text));
	}
	if (!pd_json_true(p, "same"))
		out_print("  The clone can't reach these: the server's own services or"
			     " people changed them meanwhile.\n");
}

static void not_shown(const json_t *rows)
{
	const json_t *text;
	size_t i;

	out_print("\nnot shown by a rehearsal:\n");
	json_array_foreach(rows, i, text)
		out_print("  %s\n", json_string_value(text));
}

void report_text(const json_t *r, bool all_files)
{
	const char *why = pd_json_text(r, "why", "");
	pd_auto_free char *took = pd_show_seconds(pd_json_number(r, "milliseconds", 0) / 1000);

	out_print("\nrehearsal of %s on a clone of %s\n",
		     pd_json_text(json_object_get(r, "status"), "workflow", "the workflow"),
		     pd_json_text(r, "server", "this server"));
	if (json_object_get(r, "status")) {
		steps(json_object_get(r, "status"));
		probes(json_object_get(r, "status"));
		packages(json_object_get(r, "packages"));
		services(json_object_get(r, "services"),
			 json_object_get(r, "services_missing"));
		files(json_object_get(r, "files"), all_files);
	}
	not_shown(json_object_get(r, "not_shown"));
	proof(json_object_get(r, "proof"));
	out_print("\nend: %s%s%s, after %s and %lld reboots; the clone is gone\n",
		     pd_json_text(r, "state", ""), *why ? ": " : "", why, took,
		     (long long)pd_json_number(r, "reboots", 0));
}
