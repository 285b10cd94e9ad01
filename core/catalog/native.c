/* SPDX-License-Identifier: MIT */
/* The reader of patchday's own catalog format, urn:patchday:catalog:1; what
 * it takes is also in catalogs/patchday-catalog.rng. */
#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "catalog/native.h"
#include "xml/xml.h"

#define NAMESPACE "urn:patchday:catalog:1"

union part {
	struct pd_update_head head;
	struct pd_relation relation;
	struct pd_package_row package;
	struct pd_payload payload;
	struct pd_installer installer;
	struct pd_exit_row exit;
	struct pd_rule rule;
};

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
		return pd_native_mistake(r, "update %s lacks a <title> before its other parts",
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
	text = pd_native_expected(kind ? rule->field : rule->kind, words, n);
	return kind ? pd_native_mistake(r, "facts of kind %s have no field %s; %s", kind->name,
			      rule->field, text) :
		      pd_native_mistake(r, "there are no facts of kind %s; %s", rule->kind, text);
}

static int emit_rule(struct reader *r, enum element e, struct pd_rule *rule)
{
	rule->tree = (uint16_t)r->tree;
	rule->op = (uint16_t)pd_native_elements[e].kind;
	if (e == TEST && rule->compare != PD_CMP_EXISTS && (!rule->field || !rule->value))
		return pd_native_mistake(r, "a <test> that compares needs field and value");
	if (e == TEST && rule->compare == PD_CMP_EXISTS && rule->value)
		return pd_native_mistake(r, "<test> has a value and no comparison; add "
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
	return pd_native_attributes(r, UPDATE, &r->head, attrs, n);
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
		return pd_native_mistake(r, "<%s> has to stand before the other parts of its "
			       "update", pd_native_elements[e].name);
	if (once && r->seen & IN(e))
		return pd_native_mistake(r, "<%s> is there twice", pd_native_elements[e].name);
	r->seen |= once ? IN(e) : 0;
	if (e == APPLICABLE || e == INSTALLED)
		r->tree = pd_native_elements[e].kind;
	if (pd_native_attributes(r, e, &part, attrs, n))
		return PD_FAILED;
	if (pd_native_elements[e].emits == PD_EMIT_RULE)
		return emit_rule(r, e, &part.rule);
	if (pd_native_elements[e].emits == PD_EMIT_RELATION)
		part.relation.kind = pd_native_elements[e].kind;
	if (pd_native_elements[e].emits == PD_EMIT_INSTALLER)
		part.installer.kind = pd_native_elements[e].kind;
	return pd_native_elements[e].emits ? emit(r, pd_native_elements[e].emits, &part) : 0;
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
		return pd_native_mistake(r, "this catalog is of the format %s; this patchday "
			       "reads %s; use a newer one", ns, NAMESPACE);
	if (strcmp(name, "catalog") == 0)
		return pd_native_mistake(r, "<catalog> lacks its namespace; write <catalog "
			       "xmlns=\"" NAMESPACE "\">");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i][0]) == 0)
			return pd_native_mistake(r, "the document starts with <%s>; it seems to "
				       "be %s, which none of the plugins here reads",
				       name, known[i][1]);
	return pd_native_mistake(r, "the document starts with <%s> and is no catalog; a catalog "
		       "starts with <catalog xmlns=\"" NAMESPACE "\">", name);
}

static int wrong_place(struct reader *r, const char *name, enum element found)
{
	const char *words[ELEMENTS];
	enum element parent = r->stack[r->depth - 1];
	pd_auto_free char *text = NULL;
	size_t n = 0;

	for (int i = 0; i < ELEMENTS; i++)
		if (pd_native_elements[i].parents & IN(parent))
			words[n++] = pd_native_elements[i].name;
	text = pd_native_expected(name, words, n);
	return pd_native_mistake(r, "<%s> is not %s in <%s>; %s", name,
		       found < ELEMENTS ? "allowed" : "known", pd_native_elements[parent].name, text);
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns,
		    const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum element e = 0;
	int result = 0;

	(void)ctx;
	while (e < ELEMENTS && strcmp(pd_native_elements[e].name, name) != 0)
		e++;
	if (!r->depth && (e != CATALOG || !ns || strcmp(ns, NAMESPACE) != 0))
		return wrong_root(r, ns, name);
	if (r->depth && (e == ELEMENTS || !ns || strcmp(ns, NAMESPACE) != 0 ||
			 !(pd_native_elements[e].parents & IN(r->stack[r->depth - 1]))))
		return wrong_place(r, name, e);
	if (r->depth == sizeof(r->stack) / sizeof(*r->stack))
		return pd_native_mistake(r, "elements are nested too deep");
	if (e == CATALOG) {
		result = pd_native_attributes(r, e, &r->head, attrs, n);
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
			return pd_native_mistake(r, "text is not allowed in <%s>", pd_native_elements[e].name);
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	enum element e = r->stack[--r->depth];
	const char *text = r->text.data ? r->text.data : "";

	(void)ctx, (void)ns, (void)name;
	if (e == TITLE && !*text)
		return pd_native_mistake(r, "<title> is empty");
	if (e == TITLE)
		r->head.title = pd_native_keep(r, text);
	else if (e == DESCRIPTION)
		r->head.description = pd_native_keep(r, text);
	else if (e == LINK)
		r->head.url = pd_native_keep(r, text);
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
