/* SPDX-License-Identifier: MIT */
/* The elements of the native format, and their attributes into structs of
 * plugin.h. */
#include "base/text.h"
#include "catalog/native.h"
#include "xml/xml.h"

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
#define INSTALLER ATTRIBUTES(                                           \
	ROW(pd_installer, command, "command", TEXT, true, NULL),       \
	ROW(pd_installer, arguments, "arguments", TEXT, false, NULL))

static const struct attribute update_attributes[] = {
	ROW(pd_update_head, id, "id", TEXT, true, NULL),
	ROW(pd_update_head, revision, "revision", TEXT, false, NULL),
	ROW(pd_update_head, vendor, "vendor", TEXT, false, NULL),
	ROW(pd_update_head, kind, "kind", WORD, true, pd_class_words),
	ROW(pd_update_head, severity, "severity", WORD, false, pd_severity_words),
	ROW(pd_update_head, severity_text, "severity-text", TEXT, false, NULL),
	ROW(pd_update_head, status, "status", WORD, false, pd_status_words),
	ROW(pd_update_head, restart, "restart", WORD, false, pd_restart_words),
	ROW(pd_update_head, issued, "issued", TIME, false, NULL),
	ROW(pd_update_head, updated, "updated", TIME, false, NULL),
	ROW(pd_update_head, disk_bytes, "disk", BYTES, false, NULL),
	ROW(pd_update_head, expected, "expected", SECONDS, false, NULL),
	ROW(pd_update_head, interactive, "interactive", FLAG, false, NULL),
	ROW(pd_update_head, permanent, "permanent", FLAG, false, NULL),
	{ .name = NULL }
};

static const struct attribute package_attributes[] = {
	ROW(pd_package_row, name, "name", TEXT, true, NULL),
	ROW(pd_package_row, epoch, "epoch", TEXT, false, NULL),
	ROW(pd_package_row, version, "version", TEXT, true, NULL),
	ROW(pd_package_row, release, "release", TEXT, false, NULL),
	ROW(pd_package_row, arch, "arch", TEXT, false, NULL),
	ROW(pd_package_row, scheme, "scheme", WORD, true, pd_scheme_words),
	ROW(pd_package_row, source, "source", TEXT, false, NULL),
	ROW(pd_package_row, module, "module", TEXT, false, NULL),
	ROW(pd_package_row, payload, "payload", LOCAL, false, NULL),
	ROW(pd_package_row, restart, "restart", WORD, false, pd_restart_words),
	{ .name = NULL }
};

static const struct attribute test_attributes[] = {
	ROW(pd_rule, kind, "kind", TEXT, true, NULL),
	ROW(pd_rule, subject, "subject", TEXT, false, NULL),
	ROW(pd_rule, field, "field", TEXT, false, NULL),
	ROW(pd_rule, compare, "compare", WORD, false, pd_compare_words),
	ROW(pd_rule, value, "value", TEXT, false, NULL),
	ROW(pd_rule, scheme, "scheme", WORD, false, pd_scheme_words),
	ROW(pd_rule, negate, "not", FLAG, false, NULL),
	{ .name = NULL }
};

const struct element_row pd_native_elements[ELEMENTS] = {
	/* the vendor of the updates that name none */
	[CATALOG] = { "catalog", 0, 0, 0, ATTRIBUTES(
		ROW(pd_update_head, vendor, "vendor", TEXT, false, NULL)) },
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
		ROW(pd_exit_row, meaning, "meaning", WORD, true, pd_exit_words)) },
	[APPLICABLE] = { "applicable", IN(UPDATE), 0, PD_RULES_APPLICABLE, NULL },
	[INSTALLED] = { "installed", IN(UPDATE), 0, PD_RULES_INSTALLED, NULL },
	[ALL] = { "all", RULES, PD_EMIT_RULE, PD_RULE_ALL, NULL },
	[ANY] = { "any", RULES, PD_EMIT_RULE, PD_RULE_ANY, NULL },
	[NONE] = { "none", RULES, PD_EMIT_RULE, PD_RULE_NONE, NULL },
	[TEST] = { "test", RULES, PD_EMIT_RULE, PD_RULE_TEST, test_attributes },
	[CALL] = { "call", RULES, PD_EMIT_RULE, PD_RULE_CALL, ATTRIBUTES(
		ROW(pd_rule, subject, "update", TEXT, true, NULL),
		ROW(pd_rule, negate, "not", FLAG, false, NULL)) },
};

int pd_native_mistake(struct reader *r, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	pd_error_at(r->err, "catalog-native", r->b->catalog->name, r->line,
		    pd_xml_column(), "%s", text);
	return PD_FAILED;
}

char *pd_native_expected(const char *word, const char *const *words, size_t n)
{
	struct pd_buffer text = {0};
	const char *near = pd_nearest(word, words, n);

	for (size_t i = 0; i < n; i++)
		pd_buffer_print(&text, "%s%s", !i ? "expected " :
				i + 1 == n ? " or " : ", ", words[i]);
	if (!n)
		pd_buffer_text(&text, "nothing is expected here");
	if (near)
		pd_buffer_print(&text, "; is \"%s\" meant?", near);
	return pd_buffer_take(&text);
}

const char *pd_native_keep(struct reader *r, const char *s)
{
	pd_strings_add(&r->texts, s);
	return r->texts.items[r->texts.len - 1];
}

/* Ids of payloads count from 1 within their update. */
static int local(struct reader *r, enum element e, const struct attribute *a,
		 void *part, const char *value)
{
	const struct pd_index_slot *slot = pd_index_find(&r->payloads, value);

	if (e == PACKAGE && !slot)
		return pd_native_mistake(r, "there is no <payload id=\"%s\"> before this "
			       "package in its update", value);
	if (e == PACKAGE)
		*(uint32_t *)((char *)part + a->offset) = slot->value;
	else if (slot)
		return pd_native_mistake(r, "payload id \"%s\" is there twice", value);
	else
		pd_index_put(&r->payloads, pd_native_keep(r, value), r->b->now.n_payloads + 1);
	return 0;
}

/* Into a field of two or of four bytes. */
static void store(const struct attribute *a, void *place, unsigned value)
{
	uint16_t small = (uint16_t)value;
	uint32_t large = value;

	if (a->size == sizeof(small))
		memcpy(place, &small, sizeof(small));
	else
		memcpy(place, &large, sizeof(large));
}

static int word(struct reader *r, enum element e, const struct attribute *a,
		void *place, const char *value)
{
	int n = pd_word_value(a->words, value);
	pd_auto_free char *words = NULL;

	if (n >= 0) {
		store(a, place, (unsigned)n);
		return 0;
	}
	words = pd_native_expected(value, a->words, pd_word_count(a->words));
	return pd_native_mistake(r, "%s=\"%s\" of <%s> is not known; %s", a->name, value,
				 pd_native_elements[e].name, words);
}

static int fill(struct reader *r, enum element e, const struct attribute *a,
		void *part, const char *value)
{
	static const char *const forms[] = {
		[NUMBER] = "a whole number", [BYTES] = "a size such as 4096 or 20 MiB",
		[SECONDS] = "a duration such as 90s or 15m",
		[TIME] = "a date such as 2026-11-20 or 2026-11-20T15:56:00Z",
		[FLAG] = "true or false" };
	char *place = (char *)part + a->offset;
	bool fine = true;
	int64_t number = 0;

	switch (a->type) {
	case TEXT:
		if (a->required && !*value)
			return pd_native_mistake(r, "%s of <%s> is empty", a->name,
						 pd_native_elements[e].name);
		*(const char **)(void *)place = e == UPDATE ? pd_native_keep(r, value) : value;
		return 0;
	case WORD: return word(r, e, a, place, value);
	case LOCAL: return local(r, e, a, part, value);
	case NUMBER: fine = pd_parse_int(value, &number) &&
			    (number >= 0 || e == EXIT); break;
	case BYTES: fine = pd_parse_bytes(value, &number); break;
	case SECONDS: fine = pd_parse_seconds(value, &number); break;
	case TIME: fine = strlen(value) >= 10 && pd_parse_time(value, &number); break;
	case FLAG:
		fine = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
		store(a, place, *value == 't');
		break;
	}
	if (!fine)
		return pd_native_mistake(r, "%s=\"%s\" of <%s> has to be %s", a->name, value,
			       pd_native_elements[e].name, forms[a->type]);
	if (a->type != FLAG)
		memcpy(place, &number, sizeof(number));
	return 0;
}

static int unknown_attribute(struct reader *r, enum element e, const char *name)
{
	const char *words[16] = { NULL };
	pd_auto_free char *text = NULL;
	size_t n = 0;

	for (const struct attribute *a = pd_native_elements[e].attributes; a && a->name; a++)
		words[n++] = a->name;
	text = pd_native_expected(name, words, n);
	return pd_native_mistake(r, "<%s> has no attribute %s; %s",
				 pd_native_elements[e].name, name, text);
}

int pd_native_attributes(struct reader *r, enum element e, void *part,
			   const struct pd_xml_attr *given, size_t n)
{
	const struct attribute *all = pd_native_elements[e].attributes;
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
			result = pd_native_mistake(r, "<%s> lacks the attribute %s",
					 pd_native_elements[e].name, all->name);
	}
	return result;
}
