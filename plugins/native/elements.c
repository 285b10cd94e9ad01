/* SPDX-License-Identifier: MIT */
/* The elements of the native format, and their attributes into structs of
 * plugin.h. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"

/* In the order of the enums of plugin.h. */
static const char *const severity_words[] = { "unknown", "none", "low", "moderate",
					      "important", "critical", NULL };
static const char *const class_words[] = { "other", "security", "bugfix", "enhancement",
					   "newpackage", "driver", "firmware", "bundle", NULL };
static const char *const restart_words[] = { "unknown", "none", "service", "session",
					     "reboot", NULL };
static const char *const scheme_words[] = { "none", "deb", "rpm", "alpine", "windows",
	"plain", "fwupd", "number", "hex", "pair", "triplet", "quad", "bcd", "intel-me", "intel-me2",
	"intel-csme19", "surface-legacy", "surface", "dell-bios", "dell-bios-msb", "text", NULL };
static const char *const revisions_words[] = { "highest", "each", NULL };
static const char *const status_words[] = { "final", "testing", "retired", "rules", "replaced", NULL };
static const char *const exit_words[] = { "failed", "success", "success-reboot", "failed-reboot",
					  "already-installed", "not-applicable", "retry-later",
					  "needs-operator", NULL };
static const char *const compare_words[] = { "exists", "eq", "ne", "lt", "le", "gt", "ge",
					     "match", NULL };

enum value { TEXT, WORD, NUMBER, BYTES, SECONDS, TIME, FLAG, LOCAL };

/* An attribute and the field of the struct of plugin.h that it fills. */
struct attribute {
	const char *name;
	enum value type;
	bool required;
	size_t offset, size;
	const char *const *words;
};
#define ROW(s, f, n, t, r, w) \
	{ n, t, r, offsetof(struct s, f), sizeof(((struct s *)0)->f), w }
#define ATTRIBUTES(...) (const struct attribute[]){ __VA_ARGS__, { .name = NULL } }
#define TARGET(n) ROW(pd_relation, target, n, TEXT, true, NULL)
#define RELATION ATTRIBUTES(TARGET("id"),                               \
	ROW(pd_relation, revision, "revision", TEXT, false, NULL),     \
	ROW(pd_relation, title, "title", TEXT, false, NULL))
#define GROUP ATTRIBUTES(                                               \
	ROW(pd_rule, kind, "kind", TEXT, false, NULL),                 \
	ROW(pd_rule, subject, "subject", TEXT, false, NULL),           \
	ROW(pd_rule, negate, "not", FLAG, false, NULL))
#define INSTALLER ATTRIBUTES(                                           \
	ROW(pd_installer, command, "command", TEXT, true, NULL),       \
	ROW(pd_installer, arguments, "arguments", TEXT, false, NULL))

static const struct attribute update_attributes[] = {
	ROW(pd_update_head, id, "id", TEXT, true, NULL),
	ROW(pd_update_head, revision, "revision", TEXT, false, NULL),
	ROW(pd_update_head, vendor, "vendor", TEXT, false, NULL),
	ROW(pd_update_head, kind, "kind", WORD, true, class_words),
	ROW(pd_update_head, severity, "severity", WORD, false, severity_words),
	ROW(pd_update_head, severity_text, "severity-text", TEXT, false, NULL),
	ROW(pd_update_head, status, "status", WORD, false, status_words),
	ROW(pd_update_head, restart, "restart", WORD, false, restart_words),
	ROW(pd_update_head, issued, "issued", TIME, false, NULL),
	ROW(pd_update_head, updated, "updated", TIME, false, NULL),
	ROW(pd_update_head, disk_bytes, "disk", BYTES, false, NULL),
	ROW(pd_update_head, expected, "expected", SECONDS, false, NULL),
	ROW(pd_update_head, interactive, "interactive", FLAG, false, NULL),
	ROW(pd_update_head, permanent, "permanent", FLAG, false, NULL),
	ROW(pd_update_head, trust, "trust", TEXT, false, NULL),
	{ .name = NULL }
};

static const struct attribute package_attributes[] = {
	ROW(pd_package_row, name, "name", TEXT, true, NULL),
	ROW(pd_package_row, epoch, "epoch", TEXT, false, NULL),
	ROW(pd_package_row, version, "version", TEXT, true, NULL),
	ROW(pd_package_row, release, "release", TEXT, false, NULL),
	ROW(pd_package_row, arch, "arch", TEXT, false, NULL),
	ROW(pd_package_row, scheme, "scheme", WORD, true, scheme_words),
	ROW(pd_package_row, source, "source", TEXT, false, NULL),
	ROW(pd_package_row, module, "module", TEXT, false, NULL),
	ROW(pd_package_row, replaces, "replaces", TEXT, false, NULL),
	ROW(pd_package_row, payload, "payload", LOCAL, false, NULL),
	ROW(pd_package_row, restart, "restart", WORD, false, restart_words),
	{ .name = NULL }
};

static const struct attribute test_attributes[] = {
	ROW(pd_rule, kind, "kind", TEXT, true, NULL),
	ROW(pd_rule, subject, "subject", TEXT, false, NULL),
	ROW(pd_rule, field, "field", TEXT, false, NULL),
	ROW(pd_rule, compare, "compare", WORD, false, compare_words),
	ROW(pd_rule, value, "value", TEXT, false, NULL),
	ROW(pd_rule, scheme, "scheme", WORD, false, scheme_words),
	ROW(pd_rule, negate, "not", FLAG, false, NULL),
	{ .name = NULL }
};

/* The vendor of the updates that name none; whether of one id each revision counts,
 * which has no field of its own. */
static const struct attribute catalog_attributes[] = {
	ROW(pd_update_head, vendor, "vendor", TEXT, false, NULL),
	ROW(pd_update_head, status, "revisions", WORD, false, revisions_words),
	{ .name = NULL }
};

const struct element_row native_elements[ELEMENTS] = {
	[CATALOG] = { "catalog", 0, 0, 0, catalog_attributes },
	[UPDATE] = { "update", IN(CATALOG), 0, 0, update_attributes },
	[TITLE] = { "title", IN(UPDATE), 0, 0, NULL },
	[DESCRIPTION] = { "description", IN(UPDATE), 0, 0, NULL },
	[LINK] = { "link", IN(UPDATE), 0, 0, NULL },
	[ALIAS] = { "alias", IN(UPDATE), PD_EMIT_RELATION, PD_REL_ALIAS, RELATION },
	[SUPERSEDES] = { "supersedes", IN(UPDATE), PD_EMIT_RELATION,
			 PD_REL_SUPERSEDES, RELATION },
	[REQUIRES] = { "requires", IN(UPDATE), PD_EMIT_RELATION, PD_REL_REQUIRES, RELATION },
	[BUNDLES] = { "bundles", IN(UPDATE), PD_EMIT_RELATION, PD_REL_BUNDLES, RELATION },
	[REFERENCE] = { "reference", IN(UPDATE), PD_EMIT_RELATION, PD_REL_REFERENCE,
		ATTRIBUTES(TARGET("url"),
			   ROW(pd_relation, title, "title", TEXT, false, NULL)) },
	[PAYLOAD] = { "payload", IN(UPDATE), PD_EMIT_PAYLOAD, 0, ATTRIBUTES(
		{ "id", LOCAL, false, 0, 0, NULL },
		ROW(pd_payload, url, "url", TEXT, true, NULL),
		ROW(pd_payload, name, "name", TEXT, false, NULL),
		ROW(pd_payload, bytes, "bytes", NUMBER, false, NULL),
		ROW(pd_payload, digest, "digest", TEXT, false, NULL)) },
	[PACKAGE] = { "package", IN(UPDATE), PD_EMIT_PACKAGE, 0, package_attributes },
	[INSTALL] = { "install", IN(UPDATE), PD_EMIT_INSTALLER, PD_INSTALL, INSTALLER },
	[UNINSTALL] = { "uninstall", IN(UPDATE), PD_EMIT_INSTALLER, PD_UNINSTALL, INSTALLER },
	[EXIT] = { "exit", IN(UPDATE), PD_EMIT_EXIT, 0, ATTRIBUTES(
		ROW(pd_exit_row, status, "status", NUMBER, true, NULL),
		ROW(pd_exit_row, meaning, "meaning", WORD, true, exit_words)) },
	[APPLICABLE] = { "applicable", IN(UPDATE), 0, PD_RULES_APPLICABLE, NULL },
	[INSTALLED] = { "installed", IN(UPDATE), 0, PD_RULES_INSTALLED, NULL },
	[ALL] = { "all", RULES, PD_EMIT_RULE, PD_RULE_ALL, GROUP },
	[ANY] = { "any", RULES, PD_EMIT_RULE, PD_RULE_ANY, GROUP },
	[NONE] = { "none", RULES, PD_EMIT_RULE, PD_RULE_NONE, GROUP },
	[ONE] = { "one", RULES, PD_EMIT_RULE, PD_RULE_ONE, GROUP },
	[ODD] = { "odd", RULES, PD_EMIT_RULE, PD_RULE_ODD, GROUP },
	[TEST] = { "test", RULES, PD_EMIT_RULE, PD_RULE_TEST, test_attributes },
	[CALL] = { "call", RULES, PD_EMIT_RULE, PD_RULE_CALL, ATTRIBUTES(
		ROW(pd_rule, subject, "update", TEXT, true, NULL),
		ROW(pd_rule, negate, "not", FLAG, false, NULL)) },
	[UNKNOWN] = { "unknown", RULES, PD_EMIT_RULE, PD_RULE_UNKNOWN, ATTRIBUTES(
		ROW(pd_rule, subject, "why", TEXT, true, NULL)) },
};

void native_append(struct reader *r, struct kept *k, const char *text, size_t len)
{
	if (k->len + len + 1 > k->cap) {
		char *larger = pd_alloc_for(r->ctx, k->cap = 2 * (k->len + len + 32));

		if (k->len)
			memcpy(larger, k->data, k->len);
		k->data = larger;
	}
	if (len)
		memcpy(k->data + k->len, text, len);
	k->len += len;
	k->data[k->len] = '\0';
}

const char *native_keep(struct reader *r, const char *s)
{
	struct kept *k = &r->texts[r->n_texts++];

	k->len = 0;
	native_append(r, k, s, strlen(s));
	return k->data;
}

const char *native_expected(struct reader *r, const char *word, const char *const *words,
			    size_t n)
{
	const char *near = pd_near(r->ctx, word, words, n), *text = "nothing is expected here";

	for (size_t i = 0; i < n; i++)
		text = pd_format(r->ctx, "%s%s%s", !i ? "expected " : text,
				 !i ? "" : i + 1 == n ? " or " : ", ", words[i]);
	return near ? pd_format(r->ctx, "%s; is \"%s\" meant?", text, near) : text;
}

/* Ids of payloads count from 1 within their update. */
struct payload_id {
	uint32_t n;
	char text[];
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct payload_id *)a)->text, ((const struct payload_id *)b)->text);
}

void native_forget_payloads(struct reader *r)
{
	tdestroy(r->payloads, free);
	r->payloads = NULL;
	r->n_payloads = 0;
}

static int local(struct reader *r, enum element e, void *place, const char *value)
{
	size_t len = strlen(value) + 1;
	struct payload_id *id = malloc(sizeof(*id) + len), **known = NULL;

	if (id) {
		id->n = r->n_payloads + 1;
		memcpy(id->text, value, len);
		known = e == PACKAGE ? tfind(id, &r->payloads, by_text) :
				       tsearch(id, &r->payloads, by_text);
	}
	if (known && *known == id)
		return 0;
	free(id);
	if (!id || (e == PAYLOAD && !known))
		return pd_fail(r->ctx, PD_FAILED, "there is not enough memory");
	if (e == PAYLOAD)
		return pd_fail(r->ctx, PD_FAILED, "payload id \"%s\" is there twice", value);
	if (!known)
		return pd_fail(r->ctx, PD_FAILED, "there is no <payload id=\"%s\"> before this "
			       "package in its update", value);
	memcpy(place, &(*known)->n, sizeof((*known)->n));
	return 0;
}

/* Into a field of two or of four bytes. */
static void store(const struct attribute *a, void *place, unsigned value)
{
	uint16_t small = (uint16_t)value;
	uint32_t large = value;

	memcpy(place, a->size == sizeof(small) ? (void *)&small : &large, a->size);
}

static int word(struct reader *r, enum element e, const struct attribute *a, void *place,
		const char *value)
{
	size_t n = 0, found;

	while (a->words[n])
		n++;
	for (found = 0; found < n && strcmp(a->words[found], value) != 0;)
		found++;
	if (found == n)
		return pd_fail(r->ctx, PD_FAILED, "%s=\"%s\" of <%s> is not known; %s", a->name,
			       value, native_elements[e].name,
			       native_expected(r, value, a->words, n));
	store(a, place, (unsigned)found);
	return 0;
}

static int fill(struct reader *r, enum element e, const struct attribute *a, void *part,
		const char *value)
{
	static const struct { uint32_t type; const char *text; } forms[] = {
		[NUMBER] = { PD_T_INT, "a whole number" },
		[BYTES] = { PD_T_BYTES, "a size such as 4096 or 20 MiB" },
		[SECONDS] = { PD_T_SECONDS, "a duration such as 90s or 15m" },
		[TIME] = { PD_T_TIME, "a date such as 2026-11-20 or 2026-11-20T15:56:00Z" },
		[FLAG] = { 0, "true or false" } };
	char *place = (char *)part + a->offset;
	bool fine = true;
	int64_t number = 0;

	switch (a->type) {
	case TEXT:
		if (a->required && !*value)
			return pd_fail(r->ctx, PD_FAILED, "%s of <%s> is empty", a->name,
				       native_elements[e].name);
		value = e == UPDATE ? native_keep(r, value) : value;
		memcpy(place, &value, sizeof(value));
		return 0;
	case WORD: return word(r, e, a, place, value);
	case LOCAL: return local(r, e, place, value);
	case FLAG:
		fine = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
		store(a, place, *value == 't');
		break;
	case NUMBER: case BYTES: case SECONDS: case TIME:
		fine = (a->type != TIME || strlen(value) >= 10) &&
		       pd_parse(r->ctx, forms[a->type].type, value, &number) &&
		       (a->type != NUMBER || number >= 0 || e == EXIT);
		memcpy(place, &number, sizeof(number));
		break;
	}
	return fine ? 0 : pd_fail(r->ctx, PD_FAILED, "%s=\"%s\" of <%s> has to be %s", a->name,
				  value, native_elements[e].name, forms[a->type].text);
}

static int unknown_attribute(struct reader *r, enum element e, const char *name)
{
	const char *words[16] = { NULL };
	size_t n = 0;

	for (const struct attribute *a = native_elements[e].attributes; a && a->name; a++)
		words[n++] = a->name;
	return pd_fail(r->ctx, PD_FAILED, "<%s> has no attribute %s; %s", native_elements[e].name,
		       name, native_expected(r, name, words, n));
}

int native_attributes(struct reader *r, enum element e, void *part,
		      const struct pd_xml_attr *given, size_t n)
{
	const struct attribute *all = native_elements[e].attributes;
	int result = 0;
	size_t i;

	for (i = 0; i < n && !result; i++) {
		const struct attribute *a = all;

		while (a && a->name && strcmp(a->name, given[i].name) != 0)
			a++;
		if (!a || !a->name || given[i].ns)
			return unknown_attribute(r, e, given[i].name);
		result = fill(r, e, a, part, given[i].value);
	}
	for (; all && all->name && !result; all++) {
		for (i = 0; all->required && i < n; i++)
			if (strcmp(all->name, given[i].name) == 0)
				break;
		if (all->required && i == n)
			result = pd_fail(r->ctx, PD_FAILED, "<%s> lacks the attribute %s",
					 native_elements[e].name, all->name);
	}
	return result;
}
