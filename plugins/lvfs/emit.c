/* SPDX-License-Identifier: MIT */
/* From the metadata to updates: one for each release, with its rules. */
#include <stdlib.h>
#include <strings.h>

#include "lvfs.h"

/* Releases that replace each other: of the same devices and branch. */
static int same_devices(const struct release *a, const struct release *b)
{
	int order = strcasecmp(a->component->guids.items[0], b->component->guids.items[0]);

	return order ? order : strcmp(a->component->branch, b->component->branch);
}

static int newest_first(const void *a, const void *b)
{
	const struct release *x = *(struct release *const *)a, *y = *(struct release *const *)b;
	int order = same_devices(x, y);

	return order ? order : x->order != y->order ? (x->order < y->order ? 1 : -1) :
	       (x->place > y->place) - (x->place < y->place);
}

static void connect(struct reader *r)
{
	struct release **sorted = pd_alloc_for(r->path.ctx, (r->len + 1) * sizeof(*sorted));

	for (size_t i = 0; i < r->len; i++) {
		struct release *x = sorted[i] = r->releases[i];
		const struct component *c = x->component;

		x->id = pd_format(r->path.ctx, "%s%s%s/%s", c->id, *c->branch ? "/" : "", c->branch,
				  x->version);
	}
	qsort(sorted, r->len, sizeof(*sorted), newest_first);
	for (size_t i = 0; i + 1 < r->len; i++)
		if (!same_devices(sorted[i], sorted[i + 1]) && strcmp(sorted[i]->id, sorted[i + 1]->id) != 0)
			sorted[i]->older = sorted[i + 1];
}

/* ---------------------------------------------------------------- rules */

static int test(struct reader *r, unsigned tree, const char *kind, const char *subject,
		const char *field, unsigned compare, const char *value)
{
	return pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .compare = (uint16_t)compare,
		.kind = kind, .subject = subject, .field = field, .value = value });
}

/* How the versions of its devices compare: as LVFS::VersionFormat says. */
static unsigned scheme_of(const struct component *c)
{
	static const struct { const char *format; unsigned scheme; } known[] = {
		{ "number", PD_SCHEME_NUMBER }, { "hex", PD_SCHEME_HEX }, { "pair", PD_SCHEME_PAIR },
		{ "triplet", PD_SCHEME_TRIPLET }, { "quad", PD_SCHEME_QUAD }, { "bcd", PD_SCHEME_BCD },
		{ "intel-me", PD_SCHEME_INTEL_ME }, { "intel-me2", PD_SCHEME_INTEL_ME2 },
		{ "intel-csme19", PD_SCHEME_INTEL_CSME19 },
		{ "surface-legacy", PD_SCHEME_SURFACE_LEGACY }, { "surface", PD_SCHEME_SURFACE },
		{ "dell-bios", PD_SCHEME_DELL_BIOS }, { "dell-bios-msb", PD_SCHEME_DELL_BIOS_MSB } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(c->format, known[i].format) == 0)
			return known[i].scheme;
	return PD_SCHEME_FWUPD;
}

/* A device that is not there is no unknown one: its row is asked for first. */
static int device(struct reader *r, unsigned tree, const char *guid, unsigned scheme,
		  unsigned compare, const char *version)
{
	const char *id = path_lower(r->path.ctx, guid);
	int result = path_rule(r->path.ctx, tree, PD_RULE_ALL);

	result = result ? result : test(r, tree, "firmware", id, NULL, PD_CMP_EXISTS, NULL);
	result = result ? result : pd_update_rule(r->path.ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = PD_RULE_TEST,
		.compare = (uint16_t)compare, .scheme = scheme, .kind = "firmware", .subject = id,
		.field = "version", .value = version });
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

static int devices(struct reader *r, unsigned tree, const struct component *c, unsigned compare,
		   const char *version)
{
	int result = path_rule(r->path.ctx, tree, PD_RULE_ANY);

	for (size_t i = 0; i < c->guids.len && !result; i++)
		result = device(r, tree, c->guids.items[i], scheme_of(c), compare, version);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

static unsigned compare_of(const char *word)
{
	static const char *const words[] = { "", "eq", "ne", "lt", "le", "gt", "ge", "regex" };
	unsigned i = PD_CMP_MATCH;

	while (i && strcmp(words[i], word) != 0)
		i--;
	return i; /* PD_CMP_EXISTS: none of them */
}

static bool is_guid(const char *s)
{
	return strlen(s) == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36;
}

/* What no fact tells is asked for all the same: it is not known then. */
static int open_question(struct reader *r, const struct need *need)
{
	return test(r, PD_RULES_APPLICABLE, pd_format(r->path.ctx, "x-fwupd-%s", need->element), NULL,
		    "id", PD_CMP_EQ, *need->text ? need->text : need->version);
}

static int hardware(struct reader *r, const char *ids)
{
	int result = path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ANY);

	for (; *ids && !result; ids += *ids == '|') {
		size_t len = strcspn(ids, "|");

		result = test(r, PD_RULES_APPLICABLE, "x-fwupd-hardware", NULL, "id", PD_CMP_EQ,
			      path_lower(r->path.ctx, pd_format(r->path.ctx, "%.*s", (int)len, ids)));
		ids += len;
	}
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

static int need(struct reader *r, const struct component *c, const struct need *need)
{
	unsigned compare = compare_of(need->compare);

	if (strcmp(need->element, "hardware") == 0)
		return hardware(r, need->text);
	if (!compare || !*need->version)
		return open_question(r, need);
	if (strcmp(need->element, "id") == 0 && strcmp(need->text, "org.freedesktop.fwupd") == 0)
		return test(r, PD_RULES_APPLICABLE, "packages", "fwupd", "version", compare, need->version);
	if (strcmp(need->element, "firmware") == 0 && !*need->text)
		return devices(r, PD_RULES_APPLICABLE, c, compare, need->version);
	if (strcmp(need->element, "firmware") == 0 && is_guid(need->text))
		return device(r, PD_RULES_APPLICABLE, need->text, PD_SCHEME_FWUPD, compare, need->version);
	return open_question(r, need);
}

static int rules(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	int result = devices(r, PD_RULES_INSTALLED, c, PD_CMP_GE, x->version);

	result = result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ALL);
	result = result ? result : devices(r, PD_RULES_APPLICABLE, c, PD_CMP_LT, x->version);
	for (size_t i = 0; i < c->n_needs && !result; i++)
		result = need(r, c, &c->needs[i]);
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* -------------------------------------------------------------- updates */

static unsigned severity_of(const char *urgency)
{
	static const struct { const char *word; unsigned severity; } known[] = {
		{ "low", PD_SEVERITY_LOW }, { "medium", PD_SEVERITY_MODERATE },
		{ "high", PD_SEVERITY_IMPORTANT }, { "critical", PD_SEVERITY_CRITICAL },
		{ "emergency", PD_SEVERITY_CRITICAL } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(urgency, known[i].word) == 0)
			return known[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

static int relation(struct reader *r, unsigned kind, const char *target, const char *title)
{
	return !*target ? 0 : pd_update_relation(r->path.ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target, .title = title });
}

static int relations(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	int result = x->older ? relation(r, PD_REL_SUPERSEDES, x->older->id, NULL) : 0;

	for (size_t i = 0; i < x->n_issues && !result; i++)
		result = x->issues[i].name ? relation(r, PD_REL_ALIAS, x->issues[i].name, "issue") :
					     relation(r, PD_REL_REFERENCE, x->issues[i].url, "issue");
	for (size_t i = 0; i < c->tags.len && !result; i++)
		result = relation(r, PD_REL_ALIAS, c->tags.items[i], "tag");
	return result ? result : relation(r, PD_REL_REFERENCE, c->homepage, "homepage");
}

static int payload(struct reader *r, const struct release *x)
{
	return !*x->location ? 0 : pd_update_payload(r->path.ctx, &(struct pd_payload){
		.size = sizeof(struct pd_payload), .url = x->location, .name = x->file,
		.bytes = x->download, .digest = x->digest });
}

static int emit(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	bool reboot = c->system || strcmp(c->protocol, "org.uefi.capsule") == 0;
	int result = pd_update_begin(r->path.ctx, &(struct pd_update_head){
		.size = sizeof(struct pd_update_head), .line = x->line, .id = x->id,
		.revision = x->version, .description = x->description ? x->description : c->summary,
		.title = pd_format(r->path.ctx, "%s %s", *c->name ? c->name : c->id, x->version),
		.url = *x->details ? x->details : c->homepage, .vendor = c->vendor,
		.severity = (uint16_t)severity_of(x->urgency), .severity_text = x->urgency,
		.kind = PD_CLASS_FIRMWARE, .issued = x->time, .disk_bytes = x->installed,
		.status = x->testing ? PD_STATUS_TESTING : PD_STATUS_FINAL,
		.restart = reboot ? PD_RESTART_REBOOT : PD_RESTART_UNKNOWN,
		.expected = x->duration, .interactive = c->attended });

	result = result ? result : relations(r, x);
	result = result ? result : payload(r, x);
	result = result ? result : rules(r, x);
	return result ? result : pd_update_end(r->path.ctx);
}

int lvfs_emit(struct reader *r)
{
	int result = 0;

	connect(r);
	for (size_t i = 0; i < r->len && !result; i++)
		result = emit(r, r->releases[i]);
	return result;
}
