/* SPDX-License-Identifier: MIT */
/* Functions of the command line: what is in a catalog that was read. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "cli/cli.h"

static const struct pd_catalog *catalog_of(struct pd_cli *cli, const json_t *args)
{
	return cli->catalogs.items[json_integer_value(json_array_get(args, 0)) - 1];
}

/* notes(catalog): what was passed over, with its place. */
PD_CORE(notes)
{
	const struct pd_catalog *c = catalog_of(cli, args);
	json_t *list = json_array();

	for (size_t i = 0; i < c->notes.len; i++)
		json_array_append_new(list, json_string(c->notes.items[i]));
	return list;
}

static json_t *relations(const struct pd_catalog_update *u)
{
	static const char *const kinds[] = { "", "alias", "supersedes", "requires", "bundles",
					     "reference" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_relations; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "kind",
			kinds[u->relations[i].kind], "target", u->relations[i].target,
			"revision", u->relations[i].revision, "title", u->relations[i].title));
	return list;
}

static json_t *packages(const struct pd_catalog_update *u)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_packages; i++) {
		const struct pd_package_row *p = &u->packages[i];

		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", p->name, "version",
			p->version, "arch", p->arch, "scheme", pd_scheme_name(p->scheme), "source",
			p->source, "module", p->module, "replaces", p->replaces, "restart",
			pd_restart_name(p->restart), "url", p->payload ? u->payloads[p->payload - 1].url : ""));
	}
	return list;
}

static json_t *rule(const struct pd_rule *r)
{
	static const char *const ops[] = { "", "all", "any", "none", "test", "", "call", "one", "odd",
					   "unknown" };
	static const char *const compares[] = { "exists", "eq", "ne", "lt", "le", "gt", "ge",
						"match" };
	json_t *node = json_pack("{s:s, s:b}", "op", ops[r->op], "negate", r->negate);

	if (r->op == PD_RULE_CALL || r->op == PD_RULE_UNKNOWN)
		json_object_set_new(node, "subject", json_string(r->subject));
	else if (r->op == PD_RULE_TEST)
		json_object_update_new(node, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind",
			r->kind, "subject", r->subject, "field", r->field, "compare",
			compares[r->compare], "value", r->value, "scheme",
			pd_scheme_name(r->scheme)));
	else
		json_object_update_new(node, json_pack("{s:s, s:s, s:[]}", "kind", r->kind,
						       "subject", r->subject, "rules"));
	return node;
}

/* One of the two trees, as the list of its roots. */
static json_t *rules(const struct pd_catalog_update *u, unsigned tree)
{
	json_t *open[66] = { json_array() }; /* the builder allows 64 in each other */
	size_t depth = 0;

	for (uint32_t i = 0; i < u->n_rules; i++) {
		const struct pd_rule *r = &u->rules[i];
		json_t *node;

		if (r->tree != tree)
			continue;
		if (r->op == PD_RULE_CLOSE) {
			depth -= depth > 0;
			continue;
		}
		node = rule(r);
		json_array_append_new(open[depth], node);
		if (pd_rule_opens(r->op) && depth < 65)
			open[++depth] = json_object_get(node, "rules");
	}
	return open[0];
}

static json_t *described(const struct pd_catalog *c, const struct pd_catalog_update *u, const json_t *whole)
{
	static const char *const states[] = { "final", "testing", "retired", "rules", "replaced" };
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o*, s:o*}",
		"id", u->id, "revision", u->revision, "title", u->title, "severity",
		pd_severity_name(u->severity), "severity_text", u->severity_text, "kind",
		pd_class_name(u->kind), "status", states[u->status], "restart",
		pd_restart_name(u->restart), "issued", (json_int_t)u->issued, "updated",
		(json_int_t)u->updated, "line", (json_int_t)u->line, "relations", json_is_false(whole) ? NULL : relations(u),
		"approved", c->approvals ? json_boolean(!u->barred) : NULL);

	if (json_is_true(whole)) {
		pd_auto_free char *trust = pd_trust_text(c, u);

		json_object_update_new(j, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
			"description", u->description, "url", u->url, "vendor", u->vendor, "trust",
			trust, "recorded", u->trust, "bytes", (json_int_t)u->disk_bytes, "expected",
			(json_int_t)u->expected, "interactive", u->interactive, "permanent", u->permanent, "packages",
			packages(u), "payloads", pd_update_payloads(u), "installers",
			pd_update_installers(u), "exits", pd_update_exits(u), "applicable", rules(u, PD_RULES_APPLICABLE), "installed",
			rules(u, PD_RULES_INSTALLED)));
	}
	return j;
}

/* By its place, from 1, or by the id that a rule calls; NULL: it is not there. */
static const struct pd_catalog_update *update_of(const struct pd_catalog *c, const json_t *which)
{
	return json_is_string(which) ? pd_catalog_called(c, json_string_value(which)) :
				       &c->updates[json_integer_value(which) - 1];
}

/* update(catalog, which, whole): one of its updates, the catalog and its place in it
 * counted from 1; its head and relations, or with all that there is (true), or its head (false). */
PD_CORE(update)
{
	const struct pd_catalog *c = catalog_of(cli, args);

	return described(c, update_of(c, json_array_get(args, 1)), json_array_get(args, 2));
}

/* update_line(catalog, which): printed as a line of JSON, as a whole and with the catalog's name. */
PD_CORE(update_line)
{
	const struct pd_catalog *c = catalog_of(cli, args);
	pd_auto_json *u = described(c, update_of(c, json_array_get(args, 1)), json_true());
	pd_auto_free char *text = NULL;

	json_object_set_new(u, "catalog", json_string(c->name));
	text = pd_json_line(u);
	puts(text);
	return NULL;
}

/* marks(catalog, which, names): 16 digits for each member that update() has of it as a
 * whole, but for its line and what proves it, in one text; they are the same where the
 * members are, in this process.  Or the names of these members. */
PD_CORE(marks)
{
	static unsigned char key[crypto_shorthash_KEYBYTES];
	const struct pd_catalog *c = catalog_of(cli, args);
	pd_auto_json *u = described(c, update_of(c, json_array_get(args, 1)), json_true()), *names = json_array();
	pd_auto(pd_buffer) marks = {0};
	const char *name;
	json_t *value;
	uint64_t mark;

	if (sodium_is_zero(key, sizeof(key)))
		randombytes_buf(key, sizeof(key));
	json_object_del(u, "line");
	json_object_del(u, "trust");
	json_object_del(u, "recorded");
	json_object_foreach(u, name, value) {
		pd_auto_free char *text = pd_json_line(value);

		crypto_shorthash((unsigned char *)&mark, (unsigned char *)text, strlen(text), key);
		pd_buffer_print(&marks, "%016" PRIx64, mark);
		json_array_append_new(names, json_string(name));
	}
	return json_is_true(json_array_get(args, 2)) ? json_incref(names) : json_string(marks.data);
}

/* content(catalog, index): see pd_update_content(). */
PD_CORE(content)
{
	return pd_update_content(&catalog_of(cli, args)->updates[json_integer_value(json_array_get(args, 1)) - 1]);
}

/* calls(catalog, which): what the rules of an update call and is there: its id, the tree
 * that does, is it rules alone, and of what is not, has it any in this tree? */
PD_CORE(calls)
{
	static const struct { unsigned tree; const char *name; } trees[] = {
		{ PD_RULES_APPLICABLE, "applicable" }, { PD_RULES_INSTALLED, "installed" } };
	const struct pd_catalog *c = catalog_of(cli, args);
	const struct pd_catalog_update *u = update_of(c, json_array_get(args, 1)), *other;
	json_t *list = json_array();

	for (size_t t = 0; t < 2; t++)
		for (uint32_t i = 0; i < u->n_rules; i++) {
			bool any = false;

			if (u->rules[i].op != PD_RULE_CALL || u->rules[i].tree != trees[t].tree)
				continue;
			other = pd_catalog_called(c, u->rules[i].subject);
			for (uint32_t k = 0; other && k < other->n_rules; k++)
				any |= other->rules[k].tree == trees[t].tree;
			if (other)
				json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b}", "id",
					u->rules[i].subject, "tree", trees[t].name, "alone",
					other->status == PD_STATUS_RULES, "any", any));
		}
	return list;
}

const struct pd_core_row pd_core_catalog[] = {
	{ "content", content }, { "notes", notes }, { "update", update }, { "update_line", update_line },
	{ "marks", marks }, { "calls", calls }, { NULL, NULL }
};
