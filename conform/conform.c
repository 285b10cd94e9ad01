/* SPDX-License-Identifier: MIT */
/* patchday-conform: does a plugin keep the contract of <patchday/plugin.h>?
 * `patchday plugin check` calls it, with what is wanted as JSON on standard
 * input: { file, folders: [of plugins], manual?, plan?, case?: its folder, others?: [files],
 * boots }; the findings are JSON on standard output. */
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "out.h"
#include "plugin/arguments.h"
#include "plugin/secret.h"
#include "rules.h"
#include "run/run.h"

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

/* ---------------------------------------------------------------- the case */

/* Each secret of the case, or one of ours in place of what is not there, by
 * the environment: files that hold them may be missing in a clone. */
static void take_secrets(struct subject *s, json_t *args, size_t *n)
{
	const char *name;
	json_t *value;

	json_object_foreach(args, name, value) {
		json_t *source = json_object_get(value, "$secret");
		pd_auto_free char *variable = pd_print("PD_CONFORM_SECRET_%zu", *n), *text = NULL;
		pd_auto_error *err = NULL;
		unsigned char noise[12];
		char hex[2 * sizeof(noise) + 1];

		if (!source || *n >= 4)
			continue;
		randombytes_buf(noise, sizeof(noise));
		text = pd_secret_fetch(source, &err);
		snprintf(s->secrets[*n], sizeof(s->secrets[*n]), "%s", text ? text :
			 sodium_bin2hex(hex, sizeof(hex), noise, sizeof(noise)));
		setenv(variable, s->secrets[(*n)++], 1);
		json_object_set_new(value, "$secret", json_pack("{s:s}", "env", variable));
	}
}

/* Steps of the plugin without a case, that need none. */
static void add_free_steps(const struct subject *s, json_t *steps, json_t *rows)
{
	for (size_t i = 0; s->plugin->steps[i]; i++) {
		const struct pd_step *step = s->plugin->steps[i];
		pd_auto_free char *name = pd_print("%s.%s", s->plugin->name, step->name);
		pd_auto_json *none = json_object();
		pd_auto_error *err = NULL;
		json_t *args, *row;
		bool known = false;
		size_t k;

		json_array_foreach(steps, k, row)
			known = known || (strcmp(pd_json_text(row, "plugin", ""), s->plugin->name) == 0 &&
					  strcmp(pd_json_text(row, "step", ""), step->name) == 0);
		args = known ? NULL : pd_arguments_check(step, name, none, &err);
		if (args)
			json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:o, s:b}", "id",
				name, "plugin", s->plugin->name, "step", step->name, "args", args, "alone", 1));
		else if (!known)
			json_array_append_new(rows, rules_no_case(step, name));
	}
}

/* ---------------------------------------------------------------- all rows */

static bool add(json_t *rows, json_t *row)
{
	return row && json_array_append_new(rows, row) == 0 && !stopped;
}

static bool try_steps(struct place *p, json_t *steps, json_t *rows, struct pd_error **err)
{
	bool ok = true;
	json_t *row;
	size_t i;

	json_array_foreach(steps, i, row)
		if (ok && strcmp(pd_json_text(row, "plugin", ""), p->subject->plugin->name) == 0)
			ok = add(rows, rules_step(p, steps, i, err));
	return ok;
}

static bool try_lookers(struct place *p, json_t *rows, struct pd_error **err)
{
	const struct pd_plugin *plugin = p->subject->plugin;
	bool ok = true;

	for (size_t i = 0; ok && plugin->scanners[i]; i++)
		ok = add(rows, rules_looker(p, "scanner", plugin->scanners[i]->name, err));
	for (size_t i = 0; ok && plugin->readers[i]; i++)
		ok = add(rows, plugin->readers[i]->flags & PD_R_SERVER ?
			 rules_looker(p, "reader", plugin->readers[i]->name, err) :
			 rules_format(p, "reader", plugin->readers[i]->name, err));
	for (size_t i = 0; ok && plugin->filters[i]; i++)
		ok = add(rows, rules_format(p, "filter", plugin->filters[i]->name, err));
	for (size_t i = 0; ok && plugin->transports[i]; i++)
		ok = add(rows, rules_transport(p, plugin->transports[i]->name, err));
	return ok;
}

/* A row of the plugin that could not even be loaded. */
static json_t *not_loaded(const char *name, const struct pd_error *err)
{
	struct verdicts v = {0};
	const char *advice = pd_error_advice(err);

	verdict_broken(&v, RULE_LOADS, "%s%s%s", err->message, advice ? "; " : "", advice ? advice : "");
	return verdicts_json_take(&v, "plugin", name);
}

static bool find(struct subject *s, const char *name, const json_t *wanted, struct pd_error **err)
{
	json_t *folder;
	size_t i;

	s->registry = pd_registry_new();
	json_array_foreach(json_object_get(wanted, "folders"), i, folder)
		if (!pd_registry_add_folder(s->registry, json_string_value(folder), err))
			return false;
	s->plugin = pd_registry_find(s->registry, name, err);
	return s->plugin != NULL;
}

static bool has_format(const struct pd_plugin *p, const char *name)
{
	for (size_t i = 0; p->readers[i]; i++)
		if (strcmp(p->readers[i]->name, name) == 0 && !(p->readers[i]->flags & PD_R_SERVER))
			return true;
	for (size_t i = 0; p->filters[i]; i++)
		if (strcmp(p->filters[i]->name, name) == 0)
			return true;
	return false;
}

/* "NAME=TARGET" each. */
static bool take_targets(struct subject *s, const json_t *list, struct pd_error **err)
{
	const json_t *row;
	size_t i;

	s->targets = json_object();
	json_array_foreach(list, i, row) {
		const char *text = json_string_value(row), *target = text ? strchr(text, '=') : NULL;
		pd_auto_free char *name = target ? pd_print("%.*s", (int)(target - text), text) : NULL;
		bool known = false;

		for (size_t k = 0; name && s->plugin->transports[k]; k++)
			known = known || strcmp(s->plugin->transports[k]->name, name) == 0;
		if (!known)
			return pd_error_set(err, "usage", "the case has a target '%s', which is of no transport of %s",
					    text ? text : "", s->plugin->name);
		if (!json_object_get(s->targets, name))
			json_object_set_new(s->targets, name, json_array());
		json_array_append_new(json_object_get(s->targets, name), json_string(target + 1));
	}
	return true;
}

/* From their files, now: a clone need not have them. */
static bool take_samples(struct subject *s, const json_t *wanted, const json_t *params, struct pd_error **err)
{
	const char *folder = pd_json_text(wanted, "case", "");

	if (!samples_add(&s->samples, json_object_get(params, "samples"), folder, err))
		return false;
	for (size_t i = 0; i < s->samples.len; i++)
		if (!has_format(s->plugin, s->samples.items[i].name))
			return pd_error_set(err, "usage", "the case has a sample of %s, which is no reader and no"
					    " filter of %s", s->samples.items[i].name, s->plugin->name);
	return samples_add_others(&s->samples, json_object_get(wanted, "others"), err);
}

static bool try_rows(const struct subject *s, json_t *steps, bool boots, json_t *rows, json_t **notes,
		     size_t *clones, struct pd_error **err)
{
	struct place p;
	bool ok = place_open(&p, s, boots, err) && try_steps(&p, steps, rows, err) &&
		  try_lookers(&p, rows, err);

	*notes = json_array();
	for (size_t i = 0; i < p.clone.notes.len; i++)
		json_array_append_new(*notes, json_string(p.clone.notes.items[i]));
	*clones = p.clones;
	place_close(&p);
	if (stopped && !*err)
		pd_error_set(err, "clone-stopped", "it was stopped by signal %d", (int)stopped);
	return ok && !stopped;
}

/* NULL with *err set: nothing can be said. */
static json_t *conform(const json_t *wanted, struct pd_error **err)
{
	const char *file = pd_json_text(wanted, "file", ""), *slash = strrchr(file, '/');
	pd_auto_free char *name = pd_print("%.*s", (int)strcspn(slash ? slash + 1 : file, "."),
					   slash ? slash + 1 : file);
	json_t *plan = json_object_get(wanted, "plan"), *rows = json_array(), *notes = NULL, *row;
	pd_auto_json *steps = plan ? json_incref(json_object_get(plan, "steps")) : json_array();
	static struct subject s;
	size_t secrets = 0, clones = 0, i;
	pd_auto_error *load = NULL;

	s.keeps = json_object_get(json_object_get(plan, "params"), "keeps");
	if (!find(&s, name, wanted, &load)) {
		json_array_append_new(rows, not_loaded(name, load));
		return json_pack("{s:s, s:o, s:[]}", "plugin", name, "rows", rows, "notes");
	}
	json_array_append_new(rows, rules_plugin(s.plugin, file, pd_json_text(wanted, "manual", NULL)));
	json_array_foreach(steps, i, row) /* now: their files may be missing in a clone */
		(void)pd_registry_find(s.registry, pd_json_text(row, "plugin", ""), NULL);
	json_array_foreach(steps, i, row)
		take_secrets(&s, json_object_get(row, "args"), &secrets);
	add_free_steps(&s, steps, rows);
	if (take_samples(&s, wanted, json_object_get(plan, "params"), err) &&
	    take_targets(&s, json_object_get(json_object_get(plan, "params"), "targets"), err) &&
	    try_rows(&s, steps, pd_json_true(wanted, "boots"), rows, &notes, &clones, err))
		return json_pack("{s:s, s:s, s:b, s:I, s:o, s:o}", "plugin", name, "version", s.plugin->version,
				 "boots", pd_json_true(wanted, "boots"), "clones", (json_int_t)clones, "rows", rows,
				 "notes", notes);
	json_decref(rows);
	json_decref(notes);
	return NULL;
}

int main(void)
{
	struct sigaction stop = { .sa_handler = on_signal };
	pd_auto_error *err = NULL;
	pd_auto_json *wanted = NULL, *said = NULL;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return PD_END_INVALID;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	wanted = json_loadf(stdin, 0, NULL);
	if (!wanted)
		pd_error_set(&err, "usage", "this program is called by `patchday plugin check`, not by hand");
	else if (geteuid() != 0)
		pd_error_set(&err, "not-root", "a plugin is tried in a clone of this server, which needs root");
	else
		said = conform(wanted, &err);
	if (said)
		out_json(said);
	else
		out_error(true, err);
	return said && fflush(stdout) == 0 ? 0 : PD_END_INVALID;
}
