/* SPDX-License-Identifier: MIT */
/* facts, scan and catalog: what is there, and what is needed. */
#include "cli/commands.h"

static int run_facts(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto(pd_facts) facts = {0};
	const char *kind;
	json_t *value, *row, *field;
	const char *key;
	size_t i;

	if (!pd_cli_facts(cli, &facts, err))
		return PD_END_INVALID;
	if (cli->json) {
		pd_cli_json(facts.json);
		return 0;
	}
	json_object_foreach(facts.json, kind, value) {
		if (json_is_object(value)) {
			pd_cli_print(cli, "%s%s%s\n", pd_cli_color(cli, "\033[1m"), kind,
			       pd_cli_color(cli, "\033[0m"));
			json_object_foreach(value, key, field) {
				pd_auto_free char *text = json_is_string(field) ?
					pd_strdup(json_string_value(field)) :
					pd_json_line(field);

				pd_cli_print(cli, "  %-16s %s\n", key, text);
			}
			continue;
		}
		pd_cli_print(cli, "%s%s%s  %zu\n", pd_cli_color(cli, "\033[1m"), kind,
		       pd_cli_color(cli, "\033[0m"), json_array_size(value));
		json_array_foreach(value, i, row) {
			pd_auto_free char *line = pd_json_line(row);

			if (i < 5 || pd_cli_option(cli, "all"))
				pd_cli_print(cli, "  %s\n", line);
		}
		if (i > 5 && !pd_cli_option(cli, "all"))
			pd_cli_print(cli, "  ... and %zu more (--all)\n", i - 5);
	}
	return 0;
}

static const struct pd_option facts_options[] = {
	{ "all", NULL, "every row, not only the first five of each kind" },
	{ "facts", "FILE", "show a file of facts instead of scanning" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_facts = {
	"facts", "", "show what the scanners find on this server",
	"With --json the output can be kept and given to --facts of other commands.\n",
	0, 0, facts_options, run_facts
};

/* FILEs of --catalog and operands from @p first on. */
static json_t *sources(const struct pd_cli *cli, size_t first)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cli->names.len; i++)
		if (strcmp(cli->names.items[i], "catalog") == 0)
			json_array_append_new(list, json_string(cli->values.items[i]));
	for (size_t i = first; i < cli->operands.len; i++)
		json_array_append_new(list, json_string(cli->operands.items[i]));
	return list;
}

/* "Nothing is needed" must not come from having looked nowhere. */
static bool some_catalogs(struct pd_cli *cli, const json_t *list,
			  struct pd_catalogs *out, struct pd_error **err)
{
	return pd_cli_catalogs(cli, list, out, err) &&
	       (out->len || pd_error_set(err, "usage", "no catalog is named, and there is none"
					 " of apt here"));
}

/* One of many: a line of its own. */
static void print_line(const json_t *j)
{
	pd_auto_free char *line = pd_json_line(j);

	puts(line);
}

static void print_verdict(const struct pd_cli *cli, const struct pd_verdict_row *row)
{
	if (cli->json) {
		pd_auto_json *j = pd_verdict_json(row);

		json_object_set_new(j, "verdict", json_string(pd_verdict_name(row->verdict)));
		json_object_set_new(j, "reason", json_string(row->reason));
		print_line(j);
		return;
	}
	pd_cli_print(cli, "%-15s %-10s %-40s %s\n", pd_verdict_name(row->verdict),
	       pd_severity_name(row->update->severity), row->update->id,
	       row->reason ? row->reason : "");
}

static int run_scan(struct pd_cli *cli, struct pd_error **err)
{
	pd_auto(pd_facts) facts = {0};
	pd_auto(pd_catalogs) catalogs = {0};
	pd_auto(pd_verdicts) verdicts = {0};
	pd_auto_json *list = sources(cli, 0);
	const char *why = pd_cli_option(cli, "why");
	size_t counts[PD_VERDICT_NOT_APPLICABLE + 1] = {0}, shown = 0;

	if (!pd_cli_facts(cli, &facts, err) || !some_catalogs(cli, list, &catalogs, err) ||
	    !pd_catalogs_judge(&catalogs, &facts, &verdicts, err))
		return PD_END_INVALID;
	for (size_t i = 0; i < verdicts.len; i++) {
		const struct pd_verdict_row *row = &verdicts.rows[i];

		counts[row->verdict]++;
		if (why ? strcmp(why, row->update->id) != 0 :
		    !cli->json && !pd_cli_option(cli, "all") &&
		    row->verdict != PD_VERDICT_NEEDED && row->verdict != PD_VERDICT_UNKNOWN)
			continue;
		print_verdict(cli, row);
		shown++;
	}
	if (why && !shown)
		return !pd_error_set(err, "catalog-no-update", "no catalog has an update %s",
				     why) * PD_END_INVALID;
	if (!cli->json && !why)
		pd_cli_print(cli, "%zu needed, %zu installed, %zu superseded, %zu not applicable,"
		       " %zu unknown\n", counts[PD_VERDICT_NEEDED],
		       counts[PD_VERDICT_INSTALLED], counts[PD_VERDICT_SUPERSEDED],
		       counts[PD_VERDICT_NOT_APPLICABLE], counts[PD_VERDICT_UNKNOWN]);
	return 0;
}

static const struct pd_option scan_options[] = {
	{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
	{ "facts", "FILE", "facts of another server (from `patchday facts --json`)" },
	{ "all", NULL, "every update, not only those needed or unknown" },
	{ "why", "ID", "only this update, with the reason for its verdict" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_scan = {
	"scan", "", "tell which updates this server needs, and why",
	"Each update of the catalogs is needed, installed, superseded, not applicable or\n"
	"unknown. With --json one line for each update. Without --catalog, apt's own\n"
	"verified lists are the catalog.\n",
	0, 0, scan_options, run_scan
};

static void show_packages(const struct pd_cli *cli, const struct pd_catalog_update *u)
{
	for (uint32_t i = 0; i < u->n_packages; i++) {
		const struct pd_package_row *p = &u->packages[i];

		pd_cli_print(cli, "  package   %s %s %s (%s)\n", p->name, p->version, p->arch,
		       pd_scheme_name(p->scheme));
	}
	for (uint32_t i = 0; i < u->n_payloads; i++)
		pd_cli_print(cli, "  payload   %s %s\n", u->payloads[i].url, u->payloads[i].digest);
	for (uint32_t i = 0; i < u->n_relations; i++) {
		static const char *const names[] = { "", "alias", "supersedes", "requires",
						     "bundles", "reference" };

		pd_cli_print(cli, "  %-9s %s\n", names[u->relations[i].kind], u->relations[i].target);
	}
}

static void show_update(const struct pd_cli *cli, const struct pd_catalog_update *u)
{
	pd_auto_free char *issued = pd_show_time(u->issued);

	pd_cli_print(cli, "%s %s\n  title     %s\n  severity  %s%s%s\n  kind      %s\n"
		     "  restart   %s\n", u->id, u->revision, u->title, pd_severity_name(u->severity),
	       *u->severity_text ? ", as written: " : "", u->severity_text,
	       pd_class_name(u->kind), pd_restart_name(u->restart));
	if (u->issued)
		pd_cli_print(cli, "  issued    %s\n", issued);
	if (*u->url)
		pd_cli_print(cli, "  more      %s\n", u->url);
	if (*u->description)
		pd_cli_print(cli, "  %s\n", u->description);
	show_packages(cli, u);
}

static json_t *update_json(const struct pd_catalog_update *u)
{
	json_t *packages = json_array();

	for (uint32_t i = 0; i < u->n_packages; i++)
		json_array_append_new(packages, json_pack("{s:s, s:s, s:s, s:s}", "name",
			u->packages[i].name, "version", u->packages[i].version, "arch",
			u->packages[i].arch, "scheme", pd_scheme_name(u->packages[i].scheme)));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "id", u->id,
		"revision", u->revision, "title", u->title, "severity",
		pd_severity_name(u->severity), "severity_text", u->severity_text, "kind",
		pd_class_name(u->kind), "restart", pd_restart_name(u->restart), "url", u->url,
		"issued", (json_int_t)u->issued, "packages", packages);
}

static int catalog_check(struct pd_cli *cli, const struct pd_catalog *c)
{
	if (cli->json) {
		pd_auto_json *j = json_pack("{s:s, s:s, s:s, s:I, s:I}", "catalog", c->name,
			"format", c->format, "digest", c->digest, "updates",
			(json_int_t)c->len, "ignored", (json_int_t)c->ignored);

		print_line(j);
		return 0;
	}
	pd_cli_print(cli, "%s: %s, %zu updates, %zu passed over, sha256 %s\n", c->name, c->format,
	       c->len, c->ignored, c->digest);
	return 0;
}

static int catalog_show(struct pd_cli *cli, const struct pd_catalog *c,
			struct pd_error **err)
{
	const char *id = pd_cli_option(cli, "id");
	size_t shown = 0;

	for (size_t i = 0; i < c->len; i++) {
		const struct pd_catalog_update *u = &c->updates[i];
		pd_auto_json *j = NULL;

		if (id && strcmp(id, u->id) != 0)
			continue;
		shown++;
		if (cli->json) {
			j = update_json(u);
			print_line(j);
		} else if (id) {
			show_update(cli, u);
		} else {
			pd_cli_print(cli, "%-40s %-10s %-12s %s\n", u->id, pd_severity_name(u->severity),
			       pd_class_name(u->kind), u->title);
		}
	}
	if (id && !shown)
		return !pd_error_set(err, "catalog-no-update", "%s has no update %s",
				     c->name, id) * PD_END_INVALID;
	return 0;
}

static int run_catalog(struct pd_cli *cli, struct pd_error **err)
{
	static const char *const words[] = { "check", "show" };
	const char *what = pd_cli_operand(cli, 0), *nearest;
	pd_auto_json *list = sources(cli, 1);
	pd_auto(pd_catalogs) catalogs = {0};
	int status = 0;

	nearest = pd_nearest(what, words, 2);
	if (!nearest || strcmp(nearest, what) != 0) {
		pd_error_set(err, "usage", "there is no command 'catalog %s'", what);
		if (nearest)
			pd_error_remedy(err, "Did you mean `patchday catalog %s`?", nearest);
		return PD_END_INVALID;
	}
	if (!some_catalogs(cli, list, &catalogs, err))
		return PD_END_INVALID;
	for (size_t i = 0; i < catalogs.len && !status; i++)
		status = strcmp(what, "check") == 0 ? catalog_check(cli, catalogs.items[i]) :
				catalog_show(cli, catalogs.items[i], err);
	return status;
}

static const struct pd_option catalog_options[] = {
	{ "id", "ID", "show: everything about one update" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_catalog = {
	"catalog", "check|show [FILE]...", "check or show catalogs of updates",
	"check  reads the files whole and says what is wrong with them\n"
	"show   lists their updates\n\n"
	"FILE may be READER: such as apt:, which is also meant when none is named. With\n"
	"--json one line for each file or update.\n",
	1, -1, catalog_options, run_catalog
};
