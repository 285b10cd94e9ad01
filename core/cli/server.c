/* SPDX-License-Identifier: MIT */
/* Functions of the command line: what this server has, which updates there
 * are, and the plan that a workflow makes of both. */
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/text.h"
#include "cli/cli.h"
#include "plugin/worker.h"

enum {
	PRINTED = 1 << 16, /* bytes at once */
	NOTES = 100        /* on a catalog, shown when it is read */
};

static bool look(struct pd_cli *cli, const char *file, struct pd_facts *out,
		 struct pd_error **err)
{
	pd_auto(pd_strings) warnings = {0};
	bool ok = file ? pd_facts_read_known(&cli->known, file, out, err) :
			 pd_facts_scan(cli->registry, NULL, out, &warnings, err);

	for (size_t i = 0; i < warnings.len; i++)
		pd_cli_warn("warning", warnings.items[i]);
	return ok;
}

/* A name, or {path, before: files of the same catalog, trust: what proves it}. */
static bool add_catalog(struct pd_cli *cli, const json_t *source, const struct pd_audience *audience,
			struct pd_catalogs *out, struct pd_error **err)
{
	const char *path = pd_json_text(source, "path", NULL), *trust = pd_json_text(source, "trust", NULL);
	pd_auto(pd_strings) before = {0};
	struct pd_catalog *c;
	json_t *file;
	size_t n;

	json_array_foreach(json_object_get(source, "before"), n, file)
		pd_strings_add(&before, json_string_value(file));
	c = pd_catalog_read_all(cli->registry, path ? path : json_string_value(source), &before, audience,
				err);
	if (!c)
		return false;
	c->trust = pd_strdup(trust);
	for (size_t i = 0; i < c->notes.len && i < NOTES; i++)
		pd_cli_warn("note", c->notes.items[i]);
	if (c->notes.len > NOTES) {
		pd_auto_free char *more = pd_print("and %zu more of %s; `patchday catalog check "
			"--all` has them all", c->notes.len - NOTES, c->name);

		pd_cli_warn("note", more);
	}
	pd_grow(out->items, out->len, out->cap);
	out->items[out->len++] = c;
	return true;
}

/* Those named, or apt's own on a server that has apt. */
static bool read_catalogs(struct pd_cli *cli, const json_t *sources,
			  const struct pd_audience *audience, struct pd_catalogs *out,
			  struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};
	pd_auto_json *apt = json_string("apt:");
	json_t *source;
	size_t i;

	json_array_foreach(sources, i, source)
		if (!add_catalog(cli, source, audience, out, err))
			return false;
	if (json_array_size(sources) > 0 || access("/var/lib/dpkg/status", F_OK) < 0)
		return true;
	return pd_registry_names(cli->registry, &names, err) &&
	       (!pd_strings_has(&names, "apt") || add_catalog(cli, apt, audience, out, err));
}

/* Bars what is not approved. */
static bool bar(const struct pd_catalogs *list, const char *path, struct pd_error **err)
{
	pd_auto(pd_strings) changed = {0};
	bool fine = pd_catalogs_approve(list, path, &changed, err);

	for (size_t i = 0; i < changed.len; i++) {
		pd_cli_warn("note", changed.items[i]);
		pd_strings_add(&list->items[0]->notes, changed.items[i]);
	}
	return fine;
}

/* What a plan is made of, until it is made. */
struct planning {
	struct pd_cli *cli;
	const json_t *sources;
	struct pd_facts facts;
	struct pd_catalogs catalogs;
};

static bool read_for_plan(void *user, struct pd_error **err)
{
	struct planning *p = user;
	pd_auto(pd_audience) audience = { .digest = true };
	pd_auto_free char *approvals = pd_print("%s/approvals.jsonl", p->cli->state);

	pd_audience_add(&audience, &p->facts);
	return read_catalogs(p->cli, p->sources, &audience, &p->catalogs, err) &&
	       bar(&p->catalogs, approvals, err);
}

/* Catalogs that somebody names are read, and refused, in any case. */
static struct pd_plan *make_plan(struct planning *p, const json_t *inputs, int64_t round,
				 struct pd_error **err)
{
	bool named = json_array_size(p->sources) > 0;
	char host[HOST_NAME_MAX + 1] = "";
	struct pd_workflow_input in = {
		.script = pd_json_text(inputs, "script", ""), .library = p->cli->scripts,
		.params = json_object_get(inputs, "params"),
		.answers = json_object_get(inputs, "answers"), .facts = &p->facts,
		.catalogs = &p->catalogs, .registry = p->cli->registry, .round = round,
		.read_catalogs = named ? NULL : read_for_plan, .user = p,
		.about = pd_json_text(inputs, "about", NULL),
	};

	gethostname(host, sizeof(host) - 1);
	in.server = pd_json_text(json_object_get(p->facts.json, "os"), "hostname", host);
	return named && !read_for_plan(p, err) ? NULL : pd_workflow_plan(&in, err);
}

/* How a plan is asked for. */
struct order {
	struct pd_cli *cli;
	const json_t *inputs;
	int64_t round;
	const char *file;
};

static json_t *plan_json(void *user, struct pd_error **err)
{
	const struct order *o = user;
	struct planning p = { .cli = o->cli, .sources = json_object_get(o->inputs, "catalogs") };
	struct pd_plan *plan = look(o->cli, o->file, &p.facts, err) ? make_plan(&p, o->inputs, o->round, err) : NULL;
	json_t *json = plan ? json_incref(plan->json) : NULL;

	pd_plan_free(plan);
	pd_facts_clear(&p.facts);
	pd_catalogs_clear(&p.catalogs);
	return json;
}

struct pd_plan *pd_cli_plan(struct pd_cli *cli, const json_t *inputs, int64_t round,
			    const char *file, struct pd_error **err)
{
	struct order o = { cli, inputs, round, file };
	json_t *json;

	/* what root runs must not be anybody's to change */
	if (geteuid() == 0 && !pd_trusted_file(pd_json_text(inputs, "script", ""), err))
		return NULL;
	/* facts, catalogs and all plugins are not carried along by a run */
	json = pd_apart(plan_json, &o, err);
	return json ? pd_plan_new_take(json, err) : NULL;
}

/* facts(from, name, to_judge): of a file, of this server (nil), or as they are,
 * with a name for errors; to_judge: what comes back is only what system it is. */
PD_CORE(facts)
{
	const json_t *from = json_array_get(args, 0);

	pd_facts_clear(&cli->facts);
	if (json_is_object(from) ? !pd_facts_from(from, pd_core_text(args, 1), &cli->facts, err) :
				   !look(cli, pd_core_text(args, 0), &cli->facts, err))
		return NULL;
	if (json_is_true(json_array_get(args, 2)))
		return json_pack("{s:O*}", "os", json_object_get(cli->facts.json, "os"));
	return cli->facts.json ? json_incref(cli->facts.json) : json_object();
}

/* Date of the newest update, but of none that is still to come; 0: none has one. */
static int64_t newest(const struct pd_catalog *c)
{
	int64_t date = 0, tomorrow = time(NULL) + 86400;

	for (size_t i = 0; i < c->len; i++) {
		int64_t own = c->updates[i].updated > c->updates[i].issued ? c->updates[i].updated :
									     c->updates[i].issued;

		date = own > date && own <= tomorrow ? own : date;
	}
	return date;
}

/* catalogs(sources, only): heads of those read, with all that is in them, or of
 * that what concerns facts() (only.mine), or what a judgement and no payload is
 * asked for (only.bare); update(), notes() and judge() go on. */
PD_CORE(catalogs)
{
	pd_auto(pd_audience) audience = {0};
	const json_t *only = json_array_get(args, 1);
	json_t *list = NULL;

	audience.bare = pd_json_true(only, "bare");
	if (pd_json_true(only, "mine"))
		pd_audience_add(&audience, &cli->facts);
	pd_verdict_walk_clear(&cli->walk);
	pd_verdicts_clear(&cli->verdicts);
	pd_catalogs_clear(&cli->catalogs);
	if (!read_catalogs(cli, json_array_get(args, 0), json_is_object(only) ? &audience : NULL, &cli->catalogs, err))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < cli->catalogs.len; i++) {
		const struct pd_catalog *c = cli->catalogs.items[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
			"catalog", c->name, "format", c->format, "digest", c->digest, "trust",
			c->trust ? c->trust : c->path ? "not signed" : "as each update says", "updates",
			(json_int_t)(c->len + c->n_briefs), "ignored", (json_int_t)c->ignored, "newest",
			(json_int_t)newest(c)));
	}
	return list;
}

static size_t number(const json_t *args, size_t i)
{
	return (size_t)json_integer_value(json_array_get(args, i));
}

/* The next one that fits the arguments of verdict(). */
static bool next_chosen(struct pd_cli *cli, const json_t *args)
{
	const json_t *what = json_array_get(args, 0), *approved = json_array_get(args, 2);
	const char *id = pd_core_text(args, 1);
	const struct pd_verdict_walk *w = &cli->walk;
	bool fits[PD_VERDICT_NOT_APPLICABLE + 1];

	for (int v = 0; v <= PD_VERDICT_NOT_APPLICABLE; v++)
		fits[v] = !json_is_object(what) || json_object_get(what, pd_verdict_name((enum pd_verdict)v));
	while (pd_verdict_next(&cli->catalogs, &cli->verdicts, fits, &cli->walk))
		if (fits[w->verdict] && (!id || strcmp(id, w->id) == 0) &&
		    (!json_is_boolean(approved) || json_is_true(approved) != w->barred))
			return true;
	return false;
}

/* judge(what, id, approved): updates of catalogs() for facts(), how many there are of each
 * verdict; with what verdict() takes, if approved is given, of those. */
PD_CORE(judge)
{
	int64_t counts[PD_VERDICT_NOT_APPLICABLE + 1] = {0};
	bool some = json_is_boolean(json_array_get(args, 2));
	json_t *all;

	pd_verdict_walk_clear(&cli->walk);
	pd_verdicts_clear(&cli->verdicts);
	if (!pd_catalogs_judge(&cli->catalogs, &cli->facts, &cli->verdicts, err))
		return NULL;
	while (some && next_chosen(cli, args))
		counts[cli->walk.verdict]++;
	pd_verdict_walk_clear(&cli->walk);
	for (size_t i = 0; !some && i < cli->verdicts.len; i++)
		counts[cli->verdicts.rows[i].verdict]++;
	for (size_t k = 0; !some && k < cli->catalogs.len; k++)
		pd_catalog_count(cli->catalogs.items[k], counts);
	all = json_object();
	for (int v = 0; v <= PD_VERDICT_NOT_APPLICABLE; v++)
		json_object_set_new(all, pd_verdict_name((enum pd_verdict)v), json_integer(counts[v]));
	return all;
}

/* approve(file): see pd_catalogs_approve(). */
PD_CORE(approve)
{
	return bar(&cli->catalogs, pd_core_text(args, 0), err) ? json_true() : NULL;
}

/* verdict(what, id, approved): the next one of judge() with a verdict among the
 * keys of @what, over the update @id, that may be installed or not; nil of each:
 * any; with the number of its catalog.  nil: there is none. */
PD_CORE(verdict)
{
	json_t *j = next_chosen(cli, args) ? pd_verdict_walk_json(&cli->walk) : NULL;

	if (j)
		json_object_set_new(j, "number", json_integer((json_int_t)cli->walk.at + 1));
	return j;
}

/* verdict_lines(what, id, approved, fixed, server): the same all at once, printed
 * as lines of JSON, of the fixed form or with all there is, and the server's name
 * if it is given; how many. */
PD_CORE(verdict_lines)
{
	const char *server = pd_core_text(args, 4);
	pd_auto(pd_buffer) lines = {0};
	json_int_t n = 0;

	for (; next_chosen(cli, args); n++) {
		pd_verdict_line(&cli->walk, json_is_true(json_array_get(args, 3)), server, &lines);
		if (lines.len < PRINTED)
			continue;
		fwrite(lines.data, 1, lines.len, stdout);
		lines.len = 0;
	}
	if (lines.len)
		fwrite(lines.data, 1, lines.len, stdout);
	return json_integer(n);
}

/* verdict_table(what, id, approved, mark): the same for people, with a mark for what
 * may not be installed. */
PD_CORE(verdict_table)
{
	const char *mark = pd_core_text(args, 3);
	pd_auto(pd_buffer) rows = {0};
	json_int_t n = 0;

	for (; next_chosen(cli, args); n++)
		pd_verdict_text(&cli->walk, mark ? mark : "", &rows);
	if (n)
		pd_cli_blank(rows.data, cli->color);
	if (n)
		fputs(rows.data, stdout);
	return json_integer(n);
}

/* compare(scheme, a, b): two versions: -1, 0 or 1. */
PD_CORE(compare)
{
	int order = 0;

	return pd_version_compare(pd_scheme_of(pd_core_text(args, 0)), pd_core_text(args, 1),
				  pd_core_text(args, 2), &order, err) ? json_integer((order > 0) - (order < 0)) : NULL;
}

/* schemes(): their names. */
PD_CORE(schemes)
{
	json_t *names = json_array();

	for (unsigned i = 1; i <= PD_SCHEME_LAST; i++)
		json_array_append_new(names, json_string(pd_scheme_name(i)));
	return names;
}

/* describe(script): what a workflow declares. */
PD_CORE(describe)
{
	return pd_workflow_describe(pd_core_text(args, 0), cli->scripts, cli->registry, err);
}

/* plan(inputs, file of facts, round): {plan, digest}; check() and act() go on
 * with it. */
PD_CORE(plan)
{
	size_t round = number(args, 2);
	pd_digest digest;

	pd_plan_free(cli->plan);
	cli->plan = pd_cli_plan(cli, json_array_get(args, 0), round ? (int64_t)round : 1,
				pd_core_text(args, 1), err);
	if (!cli->plan)
		return NULL;
	pd_json_digest(cli->plan->json, digest);
	return json_pack("{s:O, s:s}", "plan", cli->plan->json, "digest", digest);
}

const struct pd_core_row pd_core_server[] = {
	{ "approve", approve }, { "catalogs", catalogs }, { "compare", compare }, { "describe", describe },
	{ "facts", facts }, { "judge", judge }, { "plan", plan }, { "schemes", schemes },
	{ "verdict", verdict }, { "verdict_lines", verdict_lines },
	{ "verdict_table", verdict_table }, { NULL, NULL }
};
