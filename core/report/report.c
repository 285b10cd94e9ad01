/* SPDX-License-Identifier: MIT */
/* The report as XML.  It must be a function of the record alone: `patchday verify`
 * makes it again and compares.  A new element or attribute is a row of
 * scripts/report/report.rng too. */
#include "report/report.h"

#include <libxml/xmlwriter.h>
#include <sodium.h>

#include "base/text.h"
#include "run/forecast.h"

#define NS "urn:patchday:report:1"

char *pd_report_clean(const char *text)
{
	pd_auto(pd_buffer) b = {0};
	bool valid = pd_utf8_valid(text, strlen(text));

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool none = valid && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe; /* U+FFFE, U+FFFF */

		p += none ? 2 : 0;
		if (none || (*p < ' ' && *p != '\t' && *p != '\n') || (*p >= 0x80 && !valid))
			pd_buffer_text(&b, "\xef\xbf\xbd");
		else
			pd_buffer_add(&b, p, 1);
	}
	return pd_buffer_take(&b);
}

static void attribute(xmlTextWriterPtr w, const char *name, const char *value)
{
	pd_auto_free char *text = value && *value ? pd_report_clean(value) : NULL;

	if (text)
		xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST text);
}

static void element(xmlTextWriterPtr w, const char *name, const char *value)
{
	pd_auto_free char *text = value && *value ? pd_report_clean(value) : NULL;

	if (text)
		xmlTextWriterWriteElement(w, BAD_CAST name, BAD_CAST text);
}

static void time_attribute(xmlTextWriterPtr w, const char *name, int64_t milliseconds)
{
	pd_auto_free char *text = milliseconds ? pd_show_time(milliseconds / 1000) : NULL;

	attribute(w, name, text);
}

static void number_attribute(xmlTextWriterPtr w, const char *name, int64_t n)
{
	pd_auto_free char *text = pd_print("%lld", (long long)n);

	attribute(w, name, text);
}

static void start(xmlTextWriterPtr w, const char *name)
{
	xmlTextWriterStartElement(w, BAD_CAST name);
}

static void end(xmlTextWriterPtr w)
{
	xmlTextWriterEndElement(w);
}

static void values(xmlTextWriterPtr w, const char *name, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		pd_auto_free char *text = json_is_string(value) ?
			pd_strdup(json_string_value(value)) : pd_json_line(value);

		start(w, name);
		attribute(w, "name", key);
		attribute(w, "value", text);
		end(w);
	}
}

static void evidence(xmlTextWriterPtr w, const struct pd_evidence_row *row)
{
	start(w, "evidence");
	attribute(w, "path", row->path);
	attribute(w, "title", row->title);
	number_attribute(w, "bytes", row->bytes);
	attribute(w, "sha256", row->sha256);
	end(w);
}

static void step(xmlTextWriterPtr w, const struct pd_record_step *s)
{
	pd_auto_free char *verb = pd_print("%s.%s", s->step->plugin, s->step->step);
	pd_auto_free char *took = pd_print("%.3f", s->seconds);

	start(w, "step");
	attribute(w, "id", s->key);
	attribute(w, "stage", s->plan->stages[s->step->stage].name);
	attribute(w, "verb", verb);
	attribute(w, "line", s->step->where);
	attribute(w, "state", s->step->hold && s->state == PD_STEP_UNDONE ? "given back" :
		  pd_step_state_name(s->state));
	attribute(w, "result", s->state == PD_STEP_DONE ? s->changed ? "changed" :
		  "unchanged" : NULL);
	time_attribute(w, "started", s->started);
	time_attribute(w, "ended", s->ended);
	attribute(w, "seconds", took);
	if (s->recovered)
		attribute(w, "recovered", "true");
	element(w, "message", s->message);
	element(w, "detail", s->detail);
	element(w, "irreversible", s->irreversible);
	values(w, "output", s->outputs);
	for (size_t i = 0; i < s->n_evidence; i++)
		evidence(w, &s->evidence[i]);
	end(w);
}

/* What the run set out to install, out of the plans' selections. */
static void updates(xmlTextWriterPtr w, const struct pd_record *r)
{
	for (size_t i = 0; i < r->n_steps; i++) {
		json_t *arg, *update, *package;
		const char *name;
		size_t k, m;

		json_object_foreach((json_t *)(uintptr_t)r->steps[i].step->args, name, arg)
			json_array_foreach(json_object_get(arg, "$updates"), k, update) {
				start(w, "update");
				attribute(w, "step", r->steps[i].key);
				attribute(w, "id", pd_json_text(update, "id", ""));
				attribute(w, "severity", pd_json_text(update, "severity", ""));
				attribute(w, "trust", pd_json_text(update, "trust", NULL));
				json_array_foreach(json_object_get(update, "packages"), m, package) {
					start(w, "package");
					attribute(w, "name", pd_json_text(package, "name", ""));
					attribute(w, "from", pd_json_text(package, "installed", ""));
					attribute(w, "to", pd_json_text(package, "version", ""));
					end(w);
				}
				end(w);
			}
	}
}

/* What guards said before each stage, and who did not listen to them. */
static void decisions(xmlTextWriterPtr w, const struct pd_record *r)
{
	static const char *const lists[] = { "reasons", "overridden" };
	json_t *row, *reason;
	size_t i, k;

	json_array_foreach(r->decisions, i, row) {
		pd_auto_free char *names = json_object_get(row, "names") ?
			pd_json_line(json_object_get(row, "names")) : NULL;

		start(w, "decision");
		attribute(w, "kind", pd_json_text(row, "kind", ""));
		time_attribute(w, "time", pd_json_number(row, "time", 0));
		attribute(w, "stage", pd_json_text(row, "stage", NULL));
		attribute(w, "names", names);
		attribute(w, "who", pd_json_text(row, "who", NULL));
		attribute(w, "why", pd_json_text(row, "why", NULL));
		if (json_object_get(row, "expected_do")) {
			number_attribute(w, "expected-do", pd_json_number(row, "expected_do", 0));
			number_attribute(w, "expected-undo", pd_json_number(row, "expected_undo", 0));
		}
		for (size_t l = 0; l < 2; l++)
			json_array_foreach(json_object_get(row, lists[l]), k, reason) {
				start(w, "reason");
				attribute(w, "guard", pd_json_text(reason, "guard", ""));
				attribute(w, "overridden", l ? "true" : NULL);
				attribute(w, "risk", pd_json_text(reason, "risk", ""));
				attribute(w, "cause", pd_json_text(reason, "cause", ""));
				attribute(w, "remedy", pd_json_text(reason, "remedy", ""));
				end(w);
			}
		end(w);
	}
}

static void signatures(xmlTextWriterPtr w, const struct pd_record *r)
{
	pd_auto(pd_strings) missing = {0};

	for (size_t i = 0; i < r->n_signatures; i++) {
		start(w, "signature");
		attribute(w, "party", r->signatures[i].party);
		attribute(w, "name", r->signatures[i].name);
		time_attribute(w, "time", r->signatures[i].time);
		attribute(w, "by", r->signatures[i].by);
		if (r->signatures[i].overtaken)
			attribute(w, "overtaken", "true");
		element(w, "note", r->signatures[i].note);
		end(w);
	}
	pd_record_missing(r, &missing);
	for (size_t i = 0; i < missing.len; i++) {
		start(w, "signature");
		attribute(w, "party", missing.items[i]);
		end(w);
	}
}

static void journal(xmlTextWriterPtr w, const struct pd_record *r)
{
	char hash[2 * sizeof(r->hash) + 1];

	start(w, "journal");
	number_attribute(w, "n", r->last);
	attribute(w, "hash", sodium_bin2hex(hash, sizeof(hash), r->hash, sizeof(r->hash)));
	end(w);
	if (!r->sealed)
		return;
	start(w, "seal");
	attribute(w, "key", r->sealed);
	time_attribute(w, "time", r->sealed_at);
	attribute(w, "by", r->sealed_by);
	end(w);
}

/* Before and after: the two scans, and what differs. */
static void comparison(xmlTextWriterPtr w, const struct pd_record *r)
{
	static const char *const names[] = { "kind", "key", "change", "field", "before",
					     "after", "through" };
	json_t *d, *step, *list = json_object_get(r->comparison, "differences");
	size_t i, k;

	if (!r->comparison)
		return;
	start(w, "comparison");
	number_attribute(w, "explained", pd_json_number(r->comparison, "explained", 0));
	number_attribute(w, "unexplained", pd_json_number(r->comparison, "unexplained", 0));
	for (i = 0; i < 2; i++)
		if (r->scans[i].path)
			evidence(w, &r->scans[i]);
	json_array_foreach(json_object_get(r->comparison, "not_compared"), i, d)
		element(w, "not-compared", json_string_value(d));
	json_array_foreach(list, i, d) {
		pd_auto(pd_strings) by = {0};
		pd_auto_free char *steps = NULL;

		json_array_foreach(json_object_get(d, "by"), k, step)
			pd_strings_add(&by, json_string_value(step));
		steps = pd_strings_join(&by, " ");
		start(w, "difference");
		for (k = 0; k < sizeof(names) / sizeof(*names); k++)
			attribute(w, names[k], pd_json_text(d, names[k], ""));
		attribute(w, "explained-by", steps);
		end(w);
	}
	end(w);
}

static void head(xmlTextWriterPtr w, const struct pd_record *r)
{
	const struct pd_plan *plan = r->n_plans ? r->plans[0] : NULL;
	pd_digest digest = "";

	if (plan)
		pd_json_digest(plan->json, digest);
	attribute(w, "run", r->run);
	attribute(w, "site", pd_record_site(r));
	attribute(w, "server", r->server);
	attribute(w, "workflow", plan ? plan->workflow : "");
	attribute(w, "role", plan ? plan->role : "");
	attribute(w, "plan", digest);
	attribute(w, "state", pd_run_state_name(r->state));
	attribute(w, "why", r->why);
	time_attribute(w, "started", r->started);
	time_attribute(w, "ended", r->ended);
	number_attribute(w, "reboots", r->reboots);
	number_attribute(w, "rounds", (int64_t)r->n_plans);
	attribute(w, "patchday", PACKAGE_VERSION);
}

/* Lists whose objects are elements; an output or an answer may be a list too. */
static bool is_rows(const char *key, const json_t *value)
{
	static const char *const rows[] = { "plugin", "prediction", "wrong", "unknown" };
	bool known = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		known |= strcmp(key, rows[i]) == 0;
	return known && json_is_array(value);
}

/* An object as an element: its members as attributes, but for rows: the objects
 * of these are elements below. */
static void tree(xmlTextWriterPtr w, const char *name, const json_t *object)
{
	const char *key;
	json_t *value, *item;
	size_t i;

	start(w, name);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		pd_auto_free char *text = json_is_string(value) ?
			pd_strdup(json_string_value(value)) : pd_json_line(value);

		if (!is_rows(key, value) && !json_is_null(value))
			attribute(w, key, text);
	}
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
		json_array_foreach(is_rows(key, value) ? value : NULL, i, item)
			if (json_is_object(item))
				tree(w, key, item);
	end(w);
}

/* What the workflow has to say to those who read: the same of two rounds once. */
static void notes(xmlTextWriterPtr w, const struct pd_record *r)
{
	pd_auto(pd_strings) said = {0};
	json_t *row;
	size_t k;

	for (size_t i = 0; i < r->n_plans; i++)
		json_array_foreach(json_object_get(r->plans[i]->json, "notes"), k, row)
			if (!pd_strings_has(&said, json_string_value(row))) {
				pd_strings_add(&said, json_string_value(row));
				element(w, "note", json_string_value(row));
			}
}

/* What people were asked, and who answered; why the run was refused. */
static void questions(xmlTextWriterPtr w, const struct pd_record *r)
{
	const json_t *answers = json_object_get(r->inputs, "answers");
	json_t *row;
	size_t i;

	json_array_foreach(r->n_plans ? json_object_get(r->plans[0]->json, "questions") : NULL,
			   i, row) {
		const char *name = pd_json_text(row, "name", "");
		pd_auto_json *shown = json_copy(row);

		json_object_update_missing(shown, json_object_get(answers, name));
		json_object_del(shown, "value");
		tree(w, "question", shown);
	}
	json_array_foreach(r->inhibitors, i, row)
		tree(w, "inhibitor", row);
}

static void fidelity(xmlTextWriterPtr w, const struct pd_record *r)
{
	pd_auto_json *all = pd_forecast_fidelity(r);
	json_t *total = json_object_get(all, "total"), *list = json_array(), *sum;
	const char *name;

	json_object_foreach(json_object_get(all, "plugins"), name, sum) {
		json_object_set_new(sum, "name", json_string(name));
		json_array_append(list, sum);
	}
	json_object_set_new(total, "plugin", list);
	json_object_set(total, "prediction", json_object_get(all, "steps"));
	if (json_array_size(json_object_get(all, "steps")))
		tree(w, "fidelity", total);
}

char *pd_report_xml(const struct pd_record *r)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	xmlTextWriterPtr w = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	char *out = NULL;

	if (!w)
		abort(); /* out of memory */
	xmlTextWriterSetIndent(w, 1);
	xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	xmlTextWriterStartElementNS(w, NULL, BAD_CAST "report", BAD_CAST NS);
	head(w, r);
	journal(w, r);
	for (size_t i = 0; i < r->warnings.len; i++)
		element(w, "warning", r->warnings.items[i]);
	notes(w, r);
	questions(w, r);
	updates(w, r);
	for (size_t i = 0; i < r->n_steps; i++)
		step(w, &r->steps[i]);
	decisions(w, r);
	comparison(w, r);
	fidelity(w, r);
	signatures(w, r);
	xmlTextWriterEndDocument(w);
	xmlFreeTextWriter(w);
	out = pd_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return out;
}
