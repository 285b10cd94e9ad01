/* SPDX-License-Identifier: MIT */
/* plan: what a workflow would do on this server; and the way to it that
 * run and its further rounds share. */
#include "cli/commands.h"

#include <limits.h>
#include <unistd.h>

#include "plugin/arguments.h"
#include "run/forecast.h"

/* The absolute path; JSON and the journal can't hold it if it is not UTF-8. */
static bool real_path(const char *path, char real[PATH_MAX], struct pd_error **err)
{
	if (!realpath(path, real))
		return false;
	return pd_utf8_valid(real, strlen(real)) ||
	       pd_error_set(err, "usage", "the path %s is not UTF-8", real);
}

/* A path, or the name of a role that came with patchday. */
static char *find_script(struct pd_cli *cli, const char *name, struct pd_error **err)
{
	pd_auto_free char *role = pd_print("%s/roles/%s.lua", cli->library, name);
	char real[PATH_MAX];

	if (!strchr(name, '/') && !strstr(name, ".lua") && access(role, R_OK) == 0)
		name = role;
	if (!real_path(name, real, err)) {
		if (!*err)
			pd_error_set(err, "workflow-none", "there is no workflow %s, neither as"
				     " a file nor as a role below %s/roles", name, cli->library);
		return NULL;
	}
	return pd_strdup(real);
}

static bool add_input(json_t *params, json_t *catalogs, const char *name,
		      const char *value, struct pd_error **err)
{
	const char *equal = strchr(value, '=');
	pd_auto_free char *key = pd_strndup(value, equal ? (size_t)(equal - value) : 0);
	char real[PATH_MAX];

	if (strcmp(name, "catalog") == 0)
		return json_array_append_new(catalogs, json_string(real_path(value, real, err) ?
								   real : value)) == 0 && !*err;
	if (strcmp(name, "param") != 0)
		return true;
	return *key ? json_object_set_new(params, key, json_string(equal + 1)) == 0 :
		      pd_error_set(err, "usage", "--param wants NAME=VALUE, not '%s'", value);
}

json_t *pd_cli_inputs(struct pd_cli *cli, const char *workflow, struct pd_error **err)
{
	pd_auto_free char *script = find_script(cli, workflow, err);
	pd_auto_json *params = json_object(), *catalogs = json_array();
	pd_auto_json *inputs = NULL;

	for (size_t i = 0; script && i < cli->names.len; i++)
		if (!add_input(params, catalogs, cli->names.items[i], cli->values.items[i], err))
			return NULL;
	if (script)
		inputs = json_pack("{s:s, s:O, s:O, s:{}}", "script", script, "params", params,
				   "catalogs", catalogs, "answers");
	return inputs && pd_cli_answers(cli, inputs, err) ? json_incref(inputs) : NULL;
}

static bool add_catalog(struct pd_cli *cli, const char *source,
			struct pd_catalogs *out, struct pd_error **err)
{
	struct pd_catalog *c = pd_catalog_read(cli->registry, source, err);

	if (!c)
		return false;
	for (size_t i = 0; i < c->notes.len; i++)
		pd_cli_warn("note", c->notes.items[i]);
	pd_grow(out->items, out->len, out->cap);
	out->items[out->len++] = c;
	return true;
}

bool pd_cli_catalogs(struct pd_cli *cli, const json_t *sources,
		     struct pd_catalogs *out, struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};
	json_t *source;
	size_t i;

	json_array_foreach(sources, i, source)
		if (!add_catalog(cli, json_string_value(source), out, err))
			return false;
	if (json_array_size(sources) > 0 || access("/var/lib/dpkg/status", F_OK) < 0)
		return true;
	return pd_registry_names(cli->registry, &names, err) &&
	       (!pd_strings_has(&names, "apt") || add_catalog(cli, "apt:", out, err));
}

bool pd_cli_facts(struct pd_cli *cli, struct pd_facts *out, struct pd_error **err)
{
	const char *file = pd_cli_option(cli, "facts");
	pd_auto(pd_strings) warnings = {0};
	bool ok = file ? pd_facts_read(file, out, err) :
			 pd_facts_scan(cli->registry, NULL, out, &warnings, err);

	for (size_t i = 0; i < warnings.len; i++)
		pd_cli_warn("warning", warnings.items[i]);
	return ok;
}

struct pd_plan *pd_cli_plan(struct pd_cli *cli, const json_t *inputs, int64_t round,
			    struct pd_error **err)
{
	pd_auto(pd_facts) facts = {0};
	pd_auto(pd_catalogs) catalogs = {0};
	char host[HOST_NAME_MAX + 1] = "";
	struct pd_workflow_input in = {
		.script = pd_json_text(inputs, "script", ""), .library = cli->library,
		.params = json_object_get(inputs, "params"),
		.answers = json_object_get(inputs, "answers"), .facts = &facts,
		.catalogs = &catalogs, .registry = cli->registry, .round = round,
	};

	if (!pd_cli_facts(cli, &facts, err) ||
	    !pd_cli_catalogs(cli, json_object_get(inputs, "catalogs"), &catalogs, err))
		return NULL;
	gethostname(host, sizeof(host) - 1);
	in.server = pd_json_text(json_object_get(facts.json, "os"), "hostname", host);
	return pd_workflow_plan(&in, err);
}

static void show_prediction(const struct pd_cli *cli, const struct pd_record_step *s)
{
	const char *result = pd_json_text(s->predicted, "result", "unknown");
	const char *message = pd_json_text(s->predicted, "message", "");
	const char *waits = pd_json_text(s->predicted, "waits_for", NULL);

	pd_cli_print(cli, "  %-10s %-40s %s%s\n", result, s->key,
		     waits ? "known after " : message, waits ? waits : "");
}

/* --check: look at the server; consumes the plan. */
static int check(struct pd_cli *cli, struct pd_plan *plan, struct pd_error **err)
{
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry };
	pd_auto_json *list = json_array(), *all = NULL;
	size_t refused = 0;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		pd_run_check(&o, plan, &refused, err);

	pd_plan_free(plan);
	if (!r)
		return PD_END_INVALID;
	if (!cli->json)
		puts("\nDry run: what each step found on this server");
	for (size_t i = 0; i < r->n_steps; i++) {
		json_array_append_new(list, json_pack("{s:s, s:O}", "step", r->steps[i].key,
						      "prediction", r->steps[i].predicted));
		if (!cli->json)
			show_prediction(cli, &r->steps[i]);
	}
	if (cli->json)
		pd_cli_json(list);
	else
		pd_view_inhibitors(cli, all = pd_forecast_refusals(r));
	return refused ? PD_END_REFUSED : PD_END_DONE;
}

static int run(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto_json *inputs = pd_cli_inputs(cli, pd_cli_operand(cli, 0), err);
	struct pd_plan *plan = inputs ? pd_cli_plan(cli, inputs, 1, err) : NULL;
	pd_auto(pd_buffer) text = {0};

	if (!plan)
		return PD_END_INVALID;
	if (!cli->json) {
		pd_plan_text(plan, cli->registry, &text);
		pd_cli_print(cli, "%s", text.data ? text.data : "");
	}
	if (pd_cli_option(cli, "check")) {
		if (pd_cli_secrets(plan, err))
			return check(cli, plan, err);
		pd_plan_free(plan);
		return PD_END_INVALID;
	}
	if (cli->json)
		pd_cli_json(plan->json);
	pd_plan_free(plan);
	return 0;
}

void pd_cli_workflow_help(struct pd_cli *cli, const char *workflow)
{
	pd_auto_error *err = NULL;
	pd_auto_free char *script = find_script(cli, workflow, &err);
	pd_auto_json *about = script ? pd_workflow_describe(script, cli->library,
							    cli->registry, &err) : NULL;
	json_t *row;
	size_t i;

	if (err)
		pd_cli_error(cli, err);
	if (!about)
		return;
	pd_cli_print(cli, "\nParameters of %s - %s (--param NAME=VALUE):\n\n", workflow,
		     pd_json_text(about, "help", ""));
	json_array_foreach(json_object_get(about, "params"), i, row) {
		pd_auto_free char *def = pd_json_line(json_object_get(row, "default"));

		pd_cli_print(cli, "  %-16s %-8s %s%s%s%s\n", pd_json_text(row, "name", ""),
			     pd_json_text(row, "type", ""), pd_json_text(row, "help", ""),
			     pd_json_true(row, "required") ? " (required)" : "",
			     json_object_get(row, "default") ? " = " : "",
			     json_object_get(row, "default") ? def : "");
	}
}

static const struct pd_option options[] = {
	{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
	{ "param", "NAME=VALUE", "parameter of the workflow; may be repeated" },
	{ "answers", "FILE", "JSON object of answers to the workflow's questions" },
	{ "facts", "FILE", "facts of another server (from `patchday facts --json`)" },
	{ "check", NULL, "dry run too: every step looks at this server" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_plan = {
	"plan", "WORKFLOW", "show what a workflow would do on this server",
	"WORKFLOW is a Lua file, or the name of a role such as file-print. The plan is\n"
	"computed from the server's facts and the catalogs, checked whole, and shown\n"
	"with its point of no return. Nothing is changed. Without --catalog, apt's own\n"
	"verified lists are the catalog.\n",
	1, 1, options, run
};
