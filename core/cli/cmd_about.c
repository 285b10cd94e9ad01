/* SPDX-License-Identifier: MIT */
/* plugins, doctor and explain: about this installation. */
#include "cli/commands.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/arguments.h"
#include "run/lock.h"

const struct pd_verb *const pd_verbs[] = {
	&pd_verb_plan, &pd_verb_run, &pd_verb_resume, &pd_verb_status, &pd_verb_undo,
	&pd_verb_signoff, &pd_verb_final, &pd_verb_verify, &pd_verb_report, &pd_verb_scan, &pd_verb_catalog,
	&pd_verb_facts, &pd_verb_plugins, &pd_verb_doctor, &pd_verb_explain, NULL
};

static const char *const reversibilities[] = { "", "reversible", "irreversible", "readonly" };

static json_t *step_json(const struct pd_step *s)
{
	json_t *params = json_array(), *outputs = json_array();

	for (const struct pd_param *p = s->params; p && p->name; p++)
		json_array_append_new(params, json_pack("{s:s, s:s, s:b, s:s*, s:s}", "name",
			p->name, "type", pd_type_name(p->type), "required",
			(p->flags & PD_P_REQUIRED) != 0, "default", p->def, "help", p->help));
	for (const struct pd_output *o = s->outputs; o && o->name; o++)
		json_array_append_new(outputs, json_pack("{s:s, s:s, s:s}", "name", o->name,
			"type", pd_type_name(o->type), "help", o->help));
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", s->name, "help", s->help,
		"reversibility", reversibilities[s->reversibility], "reboots",
		(s->flags & PD_S_REBOOTS) != 0, "params", params, "outputs", outputs);
}

static json_t *plugin_json(const struct pd_plugin *p, const char *path)
{
	json_t *steps = json_array(), *readers = json_array(), *scanners = json_array();
	json_t *transports = json_array();

	for (const struct pd_step *const *s = p->steps; s && *s; s++)
		json_array_append_new(steps, step_json(*s));
	for (const struct pd_reader *const *r = p->readers; r && *r; r++)
		json_array_append_new(readers, json_string((*r)->name));
	for (const struct pd_scanner *const *s = p->scanners; s && *s; s++)
		json_array_append_new(scanners, json_string((*s)->name));
	for (const struct pd_transport *const *t = p->transports; t && *t; t++)
		json_array_append_new(transports, json_string((*t)->name));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "name", p->name,
		"version", p->version, "help", p->help, "abi", p->abi >> 16 ==
		PD_ABI_MAJOR ? "1" : "?", "path", path ? path : "", "steps", steps, "readers",
		readers, "scanners", scanners, "transports", transports);
}

static void print_step(const char *plugin, const struct pd_step *s)
{
	printf("  %s.%s - %s (%s)\n", plugin, s->name, s->help,
	       reversibilities[s->reversibility]);
	for (const struct pd_param *p = s->params; p && p->name; p++)
		printf("    %-14s %-8s %s%s%s%s\n", p->name, pd_type_name(p->type), p->help,
		       p->flags & PD_P_REQUIRED ? " (required)" : "",
		       p->def ? " = " : "", p->def ? p->def : "");
	for (const struct pd_output *o = s->outputs; o && o->name; o++)
		printf("    out.%-10s %-8s %s\n", o->name, pd_type_name(o->type), o->help);
}

static void print_plugin(const struct pd_plugin *p, bool whole)
{
	printf("%-10s %-8s %s\n", p->name, p->version, p->help);
	if (!whole)
		return;
	for (const struct pd_step *const *s = p->steps; s && *s; s++)
		print_step(p->name, *s);
	for (const struct pd_reader *const *r = p->readers; r && *r; r++)
		printf("  reader %s - %s\n", (*r)->name, (*r)->help);
	for (const struct pd_scanner *const *s = p->scanners; s && *s; s++)
		printf("  scanner %s - %s\n", (*s)->name, (*s)->help);
}

static int run_plugins(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};
	pd_auto_json *list = json_array();
	const char *only = pd_cli_operand(cli, 0);
	int status = 0;

	if (only)
		pd_strings_add(&names, only);
	else if (!pd_registry_names(cli->registry, &names, err))
		return PD_END_INVALID;
	for (size_t i = 0; i < names.len; i++) {
		pd_auto_error *one = NULL;
		const struct pd_plugin *p = pd_registry_find(cli->registry, names.items[i], &one);

		if (!p) {
			pd_cli_error(cli, one);
			status = PD_END_INVALID;
			continue;
		}
		if (cli->json)
			json_array_append_new(list, plugin_json(p,
				pd_registry_path(cli->registry, p->name)));
		else
			print_plugin(p, only != NULL);
	}
	if (cli->json && !status)
		pd_cli_json(list);
	return status;
}

const struct pd_verb pd_verb_plugins = {
	"plugins", "[NAME]", "list the plugins, or the steps of one",
	"With NAME: each step with its parameters, outputs and whether it can be undone.\n",
	0, 1, NULL, run_plugins
};

struct diagnosis {
	struct pd_cli *cli;
	json_t *rows;
	size_t bad;
};

static void tell(struct diagnosis *d, bool ok, const char *what, const char *remedy)
{
	d->bad += !ok;
	json_array_append_new(d->rows, json_pack("{s:s, s:b, s:s*}", "check", what, "ok", ok,
						 "remedy", ok ? NULL : remedy));
	if (!d->cli->json)
		pd_cli_print(d->cli, "%s%-7s%s %s%s%s\n", pd_cli_color(d->cli, ok ? "\033[32m" : "\033[31m"),
		       ok ? "ok" : "missing", pd_cli_color(d->cli, "\033[0m"), what,
		       ok ? "" : "\n        ", ok ? "" : remedy);
}

static void look_at_plugins(struct diagnosis *d)
{
	pd_auto(pd_strings) names = {0};

	tell(d, pd_registry_names(d->cli->registry, &names, NULL) && names.len,
	     "plugins are installed", "install patchday, or name a folder with --plugin-dir");
	for (size_t i = 0; i < names.len; i++) {
		pd_auto_error *one = NULL;
		pd_auto_free char *text = NULL;

		if (pd_registry_find(d->cli->registry, names.items[i], &one))
			continue;
		text = pd_error_text(one);
		tell(d, false, text, pd_error_advice(one) ? pd_error_advice(one) : "");
	}
}

static void look_at_state(struct diagnosis *d)
{
	pd_auto_free char *text = pd_print("the state folder %s is private", d->cli->state);
	pd_auto_free char *run = NULL;
	struct stat st = {0};
	bool there = stat(d->cli->state, &st) == 0;

	tell(d, !there || ((st.st_mode & 077) == 0 && st.st_uid == geteuid()), text,
	     "chown root and chmod 0700 the folder");
	if (pd_lock_owner(d->cli->state, &run)) {
		pd_auto_free char *busy = pd_print("run %s is under way", run);

		tell(d, true, busy, NULL);
	}
}

static int run_doctor(struct pd_cli *cli, struct pd_error **err)
{
	struct diagnosis d = { .cli = cli, .rows = json_array() };
	pd_auto_json *rows = d.rows;
	const char *workflow = pd_cli_operand(cli, 0);
	pd_auto_error *why = NULL;

	(void)err;
	tell(&d, geteuid() == 0, "this user is root", "use sudo: a run changes the server");
	tell(&d, access("/run/systemd/system", F_OK) == 0, "systemd is init",
	     "runs can't go on by themselves after a reboot: call `patchday resume`");
	look_at_plugins(&d);
	look_at_state(&d);
	if (workflow) {
		pd_auto_json *inputs = pd_cli_inputs(cli, workflow, &why);
		struct pd_plan *plan = inputs ? pd_cli_plan(cli, inputs, 1, &why) : NULL;
		pd_auto_free char *text = plan ? pd_print("%s can be planned here", workflow) :
						 pd_error_text(why);

		tell(&d, plan != NULL, text, why && pd_error_advice(why) ? pd_error_advice(why) : "");
		pd_plan_free(plan);
	}
	if (cli->json)
		pd_cli_json(rows);
	return d.bad ? PD_END_REFUSED : PD_END_DONE;
}

static const struct pd_option doctor_options[] = {
	{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
	{ "param", "NAME=VALUE", "parameter of the workflow; may be repeated" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_doctor = {
	"doctor", "[WORKFLOW]", "tell what is missing on this server, and how to mend it",
	"With a workflow: also whether it can be planned here.\n",
	0, 1, doctor_options, run_doctor
};

static json_t *explanation(const struct pd_explanation *x)
{
	return json_pack("{s:s, s:s, s:s}", "id", x->id, "cause", x->cause, "remedy", x->remedy);
}

static int run_explain(struct pd_cli *cli, struct pd_error **err)
{
	const char *id = pd_cli_operand(cli, 0), *words[512], *nearest;
	const struct pd_explanation *x = id ? pd_explain(id) : NULL;
	size_t n = 0;
	const struct pd_explanation *all = pd_explanations(&n);

	if (!id) {
		pd_auto_json *list = json_array();

		for (size_t i = 0; i < n; i++) {
			json_array_append_new(list, explanation(&all[i]));
			if (!cli->json)
				printf("%-24s %s\n", all[i].id, all[i].cause);
		}
		if (cli->json)
			pd_cli_json(list);
		return 0;
	}
	if (x && cli->json) {
		pd_auto_json *j = explanation(x);

		pd_cli_json(j);
		return 0;
	}
	if (x) {
		printf("%s\n  cause:  %s\n  remedy: %s\n", x->id, x->cause, x->remedy);
		return 0;
	}
	for (size_t i = 0; i < n && i < 512; i++)
		words[i] = all[i].id;
	nearest = pd_nearest(id, words, n < 512 ? n : 512);
	pd_error_set(err, "usage", "there is no error with the id '%s'", id);
	pd_error_remedy(err, nearest ? "Did you mean %s?" : "`patchday explain` lists them.",
			nearest ? nearest : "");
	return PD_END_INVALID;
}

const struct pd_verb pd_verb_explain = {
	"explain", "[ID]", "say cause and remedy of an error",
	"Every error message ends with its id in square brackets.\n",
	0, 1, NULL, run_explain
};
