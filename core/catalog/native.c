/* SPDX-License-Identifier: MIT */
/* The reader of patchday's own catalog format, urn:patchday:catalog:1; what
 * it takes is also in catalogs/patchday-catalog.rng. */
#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "catalog/model.h"
#include "xml/xml.h"

#define NAMESPACE "urn:patchday:catalog:1"

enum element {
	CATALOG, UPDATE, TITLE, DESCRIPTION, LINK, ALIAS, SUPERSEDES, REQUIRES,
	BUNDLES, REFERENCE, PAYLOAD, PACKAGE, INSTALL, UNINSTALL, EXIT,
	APPLICABLE, INSTALLED, ALL, ANY, NONE, TEST, CALL, ELEMENTS
};
#define IN(e) (1u << (e))
#define RULES (IN(APPLICABLE) | IN(INSTALLED) | IN(ALL) | IN(ANY) | IN(NONE))

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

static const struct {
	const char *name;
	unsigned parents;
	int emits; /* enum pd_emit; 0: by a way of its own */
	unsigned kind;
	const struct attribute *attributes;
} elements[ELEMENTS] = {
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

union part {
	struct pd_update_head head;
	struct pd_relation relation;
	struct pd_package_row package;
	struct pd_payload payload;
	struct pd_installer installer;
	struct pd_exit_row exit;
	struct pd_rule rule;
};

struct reader {
	struct pd_builder *b;
	struct pd_error **err;
	enum element stack[128];
	unsigned depth, line, tree;
	bool head_open;              /* the head is not yet handed on */
	struct pd_update_head head;
	unsigned seen;               /* parts of the head, trees of rules */
	char *vendor;
	struct pd_strings texts;     /* of the head, and ids of payloads */
	struct pd_index payloads;
	struct pd_buffer text;
};

static int PD_PRINTF(2, 3) mistake(struct reader *r, const char *fmt, ...)
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

/* "expected a, b or c; is "b" meant?"; the caller frees. */
static char *expected(const char *word, const char *const *words, size_t n)
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

static const char *keep(struct reader *r, const char *s)
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
		return mistake(r, "there is no <payload id=\"%s\"> before this "
			       "package in its update", value);
	if (e == PACKAGE)
		*(uint32_t *)((char *)part + a->offset) = slot->value;
	else if (slot)
		return mistake(r, "payload id \"%s\" is there twice", value);
	else
		pd_index_put(&r->payloads, keep(r, value), r->b->now.n_payloads + 1);
	return 0;
}

static int word(struct reader *r, enum element e, const struct attribute *a,
		void *place, const char *value)
{
	int n = pd_word_value(a->words, value);
	uint16_t small = (uint16_t)n;
	uint32_t large = (uint32_t)n;

	if (n < 0) {
		pd_auto_free char *words =
			expected(value, a->words, pd_word_count(a->words));

		return mistake(r, "%s=\"%s\" of <%s> is not known; %s", a->name,
			       value, elements[e].name, words);
	}
	memcpy(place, a->size == 2 ? (void *)&small : (void *)&large, a->size);
	return 0;
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
	bool flag = false, fine = true;
	int64_t number = 0;

	switch (a->type) {
	case TEXT:
		if (a->required && !*value)
			return mistake(r, "%s of <%s> is empty", a->name, elements[e].name);
		*(const char **)(void *)place = e == UPDATE ? keep(r, value) : value;
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
		flag = *value == 't';
		if (fine)
			memcpy(place, a->size == 2 ? (void *)&(uint16_t){ flag } :
			       (void *)&(uint32_t){ flag }, a->size);
		break;
	}
	if (!fine)
		return mistake(r, "%s=\"%s\" of <%s> has to be %s", a->name, value,
			       elements[e].name, forms[a->type]);
	if (a->type != FLAG)
		memcpy(place, &number, sizeof(number));
	return 0;
}

static int unknown_attribute(struct reader *r, enum element e, const char *name)
{
	const char *words[16] = { NULL };
	pd_auto_free char *text = NULL;
	size_t n = 0;

	for (const struct attribute *a = elements[e].attributes; a && a->name; a++)
		words[n++] = a->name;
	text = expected(name, words, n);
	return mistake(r, "<%s> has no attribute %s; %s", elements[e].name, name, text);
}

static int take_attributes(struct reader *r, enum element e, void *part,
			   const struct pd_xml_attr *given, size_t n)
{
	const struct attribute *all = elements[e].attributes;
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
			result = mistake(r, "<%s> lacks the attribute %s",
					 elements[e].name, all->name);
	}
	return result;
}

static int emit(struct reader *r, int what, const void *part)
{
	r->b->line = r->line;
	r->b->column = pd_xml_column();
	return pd_builder_emit(r->b, what, part, r->err) ? 0 : PD_FAILED;
}

/* The head is whole with the first part that is none of its own. */
static int finish_head(struct reader *r)
{
	if (!r->head_open)
		return 0;
	r->head_open = false;
	if (!(r->seen & IN(TITLE)))
		return mistake(r, "update %s lacks a <title> before its other parts",
			       r->head.id);
	return emit(r, PD_EMIT_BEGIN, &r->head);
}

/* A test has to ask for what facts can have. */
static int check_test(struct reader *r, const struct pd_rule *rule)
{
	const char *words[32];
	size_t n = 0, count = 0;
	const struct pd_fact_kind *kind = pd_fact_kind(rule->kind);
	const struct pd_fact_kind *all = pd_fact_kinds(&count);
	const struct pd_fact_column *c = kind ? kind->columns : NULL;
	pd_auto_free char *text = NULL;

	if (!kind && strncmp(rule->kind, "x-", 2) == 0)
		return 0;
	for (; !kind && n < count; n++)
		words[n] = all[n].name;
	for (; kind && rule->field && c->key; c++) {
		if (strcmp(c->key, rule->field) == 0)
			return 0;
		words[n++] = c->key;
	}
	if (kind && !rule->field)
		return 0;
	text = expected(kind ? rule->field : rule->kind, words, n);
	return kind ? mistake(r, "facts of kind %s have no field %s; %s", kind->name,
			      rule->field, text) :
		      mistake(r, "there are no facts of kind %s; %s", rule->kind, text);
}

static int emit_rule(struct reader *r, enum element e, struct pd_rule *rule)
{
	rule->tree = (uint16_t)r->tree;
	rule->op = (uint16_t)elements[e].kind;
	if (e == TEST && rule->compare != PD_CMP_EXISTS && (!rule->field || !rule->value))
		return mistake(r, "a <test> that compares needs field and value");
	if (e == TEST && rule->compare == PD_CMP_EXISTS && rule->value)
		return mistake(r, "<test> has a value and no comparison; add "
			       "compare=\"eq\" or another one");
	if (e == TEST && check_test(r, rule))
		return PD_FAILED;
	return emit(r, PD_EMIT_RULE, rule);
}

static int start_update(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	r->head = (struct pd_update_head){ .size = sizeof(r->head), .line = r->line,
					   .disk_bytes = -1, .vendor = r->vendor };
	r->head_open = true;
	r->seen = 0;
	pd_strings_clear(&r->texts);
	if (r->payloads.len)
		pd_index_clear(&r->payloads);
	return take_attributes(r, UPDATE, &r->head, attrs, n);
}

static int start_part(struct reader *r, enum element e,
		      const struct pd_xml_attr *attrs, size_t n)
{
	bool head = e == TITLE || e == DESCRIPTION || e == LINK;
	bool once = head || e == APPLICABLE || e == INSTALLED;
	union part part;

	memset(&part, 0, sizeof(part));
	if (e == PAYLOAD)
		part.payload.bytes = -1;
	if (!head && finish_head(r))
		return PD_FAILED;
	if (head && !r->head_open)
		return mistake(r, "<%s> has to stand before the other parts of its "
			       "update", elements[e].name);
	if (once && r->seen & IN(e))
		return mistake(r, "<%s> is there twice", elements[e].name);
	r->seen |= once ? IN(e) : 0;
	if (e == APPLICABLE || e == INSTALLED)
		r->tree = elements[e].kind;
	if (take_attributes(r, e, &part, attrs, n))
		return PD_FAILED;
	if (elements[e].emits == PD_EMIT_RULE)
		return emit_rule(r, e, &part.rule);
	if (elements[e].emits == PD_EMIT_RELATION)
		part.relation.kind = elements[e].kind;
	if (elements[e].emits == PD_EMIT_INSTALLER)
		part.installer.kind = elements[e].kind;
	return elements[e].emits ? emit(r, elements[e].emits, &part) : 0;
}

static int wrong_root(struct reader *r, const char *ns, const char *name)
{
	static const char *const known[][2] = {
		{ "updates", "the updateinfo.xml of an rpm repository" },
		{ "repomd", "the repomd.xml of an rpm repository" },
		{ "metadata", "the primary.xml of an rpm repository" },
		{ "oval_definitions", "a feed of OVAL definitions" },
		{ "cvrfdoc", "a CVRF document" },
		{ "components", "firmware metadata of LVFS (AppStream)" },
		{ "Manifest", "a catalog of Dell" },
		{ "packages", "a catalog of Lenovo" },
		{ "Package", "a package descriptor of Lenovo" },
		{ "SystemsManagementCatalog", "a catalog for SCUP" },
		{ "SoftwareDistributionPackage", "a package of a SCUP catalog" },
		{ "OfflineSyncPackage", "the package.xml of wsusscn2" },
		{ "BulletinDatastore", "mssecure.xml" },
		{ "html", "a web page, perhaps an error or login page" },
	};

	if (strcmp(name, "catalog") == 0 && ns && !strncmp(ns, NAMESPACE, sizeof(NAMESPACE) - 2))
		return mistake(r, "this catalog is of the format %s; this patchday "
			       "reads %s; use a newer one", ns, NAMESPACE);
	if (strcmp(name, "catalog") == 0)
		return mistake(r, "<catalog> lacks its namespace; write <catalog "
			       "xmlns=\"" NAMESPACE "\">");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i][0]) == 0)
			return mistake(r, "the document starts with <%s>; it seems to "
				       "be %s, which none of the plugins here reads",
				       name, known[i][1]);
	return mistake(r, "the document starts with <%s> and is no catalog; a catalog "
		       "starts with <catalog xmlns=\"" NAMESPACE "\">", name);
}

static int wrong_place(struct reader *r, const char *name, enum element found)
{
	const char *words[ELEMENTS];
	enum element parent = r->stack[r->depth - 1];
	pd_auto_free char *text = NULL;
	size_t n = 0;

	for (int i = 0; i < ELEMENTS; i++)
		if (elements[i].parents & IN(parent))
			words[n++] = elements[i].name;
	text = expected(name, words, n);
	return mistake(r, "<%s> is not %s in <%s>; %s", name,
		       found < ELEMENTS ? "allowed" : "known", elements[parent].name, text);
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns,
		    const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum element e = 0;
	int result = 0;

	(void)ctx;
	while (e < ELEMENTS && strcmp(elements[e].name, name) != 0)
		e++;
	if (!r->depth && (e != CATALOG || !ns || strcmp(ns, NAMESPACE) != 0))
		return wrong_root(r, ns, name);
	if (r->depth && (e == ELEMENTS || !ns || strcmp(ns, NAMESPACE) != 0 ||
			 !(elements[e].parents & IN(r->stack[r->depth - 1]))))
		return wrong_place(r, name, e);
	if (r->depth == sizeof(r->stack) / sizeof(*r->stack))
		return mistake(r, "elements are nested too deep");
	if (e == CATALOG) {
		result = take_attributes(r, e, &r->head, attrs, n);
		r->vendor = pd_strdup(r->head.vendor);
	} else {
		result = e == UPDATE ? start_update(r, attrs, n) :
				       start_part(r, e, attrs, n);
	}
	r->stack[r->depth++] = e;
	pd_buffer_clear(&r->text);
	return result;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;
	enum element e = r->depth ? r->stack[r->depth - 1] : CATALOG;

	(void)ctx;
	if (e == TITLE || e == DESCRIPTION || e == LINK) {
		pd_buffer_add(&r->text, text, len);
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			return mistake(r, "text is not allowed in <%s>", elements[e].name);
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	enum element e = r->stack[--r->depth];
	const char *text = r->text.data ? r->text.data : "";

	(void)ctx, (void)ns, (void)name;
	if (e == TITLE && !*text)
		return mistake(r, "<title> is empty");
	if (e == TITLE)
		r->head.title = keep(r, text);
	else if (e == DESCRIPTION)
		r->head.description = keep(r, text);
	else if (e == LINK)
		r->head.url = keep(r, text);
	else if (e == ALL || e == ANY || e == NONE)
		return emit(r, PD_EMIT_RULE, &(struct pd_rule){
			.size = sizeof(struct pd_rule), .tree = (uint16_t)r->tree,
			.op = PD_RULE_CLOSE });
	else if (e == UPDATE)
		return finish_head(r) || emit(r, PD_EMIT_END, NULL) ? PD_FAILED : 0;
	return 0;
}

static ssize_t on_read(void *user, void *buffer, size_t len, struct pd_error **err)
{
	ssize_t n = read(*(int *)user, buffer, len);

	if (n < 0)
		pd_error_errno(err, "file-read", errno, "the catalog can't be read");
	return n;
}

bool pd_native_read(int fd, struct pd_builder *b, struct pd_error **err)
{
	static const struct pd_xml_limits limits = {
		.bytes = (size_t)1 << 30, .depth = 100, .attributes = 64, .text = 1 << 20 };
	struct reader r = { .b = b, .err = err };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end,
					  .text = on_text };
	int result = pd_xml_parse(b->catalog->name, on_read, &fd, &limits, &handler,
				  NULL, &r.line, err);

	free(r.vendor);
	pd_strings_clear(&r.texts);
	pd_index_clear(&r.payloads);
	pd_buffer_clear(&r.text);
	return result == 0;
}
