/* SPDX-License-Identifier: MIT */
/* The plugin native: the reader of patchday's own catalog format,
 * urn:patchday:catalog:1; what it takes is also in catalogs/patchday-catalog.rng. */
#include <string.h>

#include "native.h"

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

#define EMIT(part, kind) \
	((part)->kind.size = sizeof((part)->kind), pd_update_##kind(r->ctx, &(part)->kind))

static int emit(struct reader *r, int what, union part *part)
{
	switch (what) {
	case PD_EMIT_RELATION: return EMIT(part, relation);
	case PD_EMIT_PACKAGE: return EMIT(part, package);
	case PD_EMIT_PAYLOAD: return EMIT(part, payload);
	case PD_EMIT_INSTALLER: return EMIT(part, installer);
	case PD_EMIT_EXIT: return EMIT(part, exit);
	case PD_EMIT_RULE: return EMIT(part, rule);
	default: return 0; /* a part of the head, a tree */
	}
}

/* The head is whole with the first part that is none of its own. */
static int finish_head(struct reader *r)
{
	if (!r->head_open)
		return 0;
	r->head_open = false;
	if (!(r->seen & IN(TITLE)))
		return pd_fail(r->ctx, PD_FAILED, "update %s lacks a <title> before its other parts",
			       r->head.id);
	return pd_update_begin(r->ctx, &r->head);
}

static int emit_rule(struct reader *r, enum element e, union part *part)
{
	struct pd_rule *rule = &part->rule;

	rule->tree = (uint16_t)r->tree;
	rule->op = (uint16_t)native_elements[e].kind;
	if (e == TEST && rule->compare == PD_CMP_EXISTS && rule->value)
		return pd_fail(r->ctx, PD_FAILED, "<test> has a value and no comparison; add "
			       "compare=\"eq\" or another one");
	return EMIT(part, rule);
}

static int start_update(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	r->head = (struct pd_update_head){ .size = sizeof(r->head), .line = pd_xml_line(r->ctx),
					   .disk_bytes = -1, .vendor = r->vendor.data };
	r->head_open = true;
	r->seen = 0;
	r->n_texts = 0;
	native_forget_payloads(r);
	return native_attributes(r, UPDATE, &r->head, attrs, n);
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
		return pd_fail(r->ctx, PD_FAILED, "<%s> has to stand before the other parts of its "
			       "update", native_elements[e].name);
	if (once && r->seen & IN(e))
		return pd_fail(r->ctx, PD_FAILED, "<%s> is there twice", native_elements[e].name);
	r->seen |= once ? IN(e) : 0;
	if (e == APPLICABLE || e == INSTALLED)
		r->tree = native_elements[e].kind;
	if (native_attributes(r, e, &part, attrs, n))
		return PD_FAILED;
	if (native_elements[e].emits == PD_EMIT_RULE)
		return emit_rule(r, e, &part);
	if (native_elements[e].emits == PD_EMIT_RELATION)
		part.relation.kind = native_elements[e].kind;
	if (native_elements[e].emits == PD_EMIT_INSTALLER)
		part.installer.kind = native_elements[e].kind;
	r->n_payloads += e == PAYLOAD;
	return emit(r, native_elements[e].emits, &part);
}

static int wrong_root(struct reader *r, const char *ns, const char *name)
{
	static const char *const known[][2] = {
		{ "updates", "the updateinfo.xml of an rpm repository" },
		{ "repomd", "the repomd.xml of an rpm repository" },
		{ "metadata", "metadata of an rpm repository: of its files, primary.xml is read" },
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
		{ "DriverPackManifest", "Dell's catalog of driver packs for Windows" },
		{ "ModelList", "Lenovo's catalog of driver packs for Windows" },
		{ "data-stream-collection", "a data stream of SCAP, which has OVAL definitions in it" },
		{ "html", "a web page, perhaps an error or login page" },
	};

	if (strcmp(name, "catalog") == 0 && ns && !strncmp(ns, NAMESPACE, sizeof(NAMESPACE) - 2))
		return pd_fail(r->ctx, PD_FAILED, "this catalog is of the format %s; this patchday "
			       "reads %s; use a newer one", ns, NAMESPACE);
	if (strcmp(name, "catalog") == 0)
		return pd_fail(r->ctx, PD_FAILED, "<catalog> lacks its namespace; write <catalog "
			       "xmlns=\"" NAMESPACE "\">");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i][0]) == 0)
			return pd_fail(r->ctx, PD_FAILED, "the document starts with <%s>; it seems to "
				       "be %s, which none of the plugins here reads",
				       name, known[i][1]);
	return pd_fail(r->ctx, PD_FAILED, "the document starts with <%s> and is no catalog; a catalog "
		       "starts with <catalog xmlns=\"" NAMESPACE "\">", name);
}

static int wrong_place(struct reader *r, const char *name, enum element found)
{
	const char *words[ELEMENTS];
	enum element parent = r->stack[r->depth - 1];
	size_t n = 0;

	for (int i = 0; i < ELEMENTS; i++)
		if (native_elements[i].parents & IN(parent))
			words[n++] = native_elements[i].name;
	return pd_fail(r->ctx, PD_FAILED, "<%s> is not %s in <%s>; %s", name,
		       found < ELEMENTS ? "allowed" : "known", native_elements[parent].name,
		       native_expected(r, name, words, n));
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns,
		    const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum element e = 0;
	int result = 0;

	while (e < ELEMENTS && strcmp(native_elements[e].name, name) != 0)
		e++;
	if (!r->depth && (e != CATALOG || !ns || strcmp(ns, NAMESPACE) != 0))
		return wrong_root(r, ns, name);
	if (r->depth && (e == ELEMENTS || !ns || strcmp(ns, NAMESPACE) != 0 ||
			 !(native_elements[e].parents & IN(r->stack[r->depth - 1]))))
		return wrong_place(r, name, e);
	if (r->depth == sizeof(r->stack) / sizeof(*r->stack))
		return pd_fail(r->ctx, PD_FAILED, "elements are nested too deep");
	if (e == CATALOG) {
		result = native_attributes(r, e, &r->head, attrs, n);
		if (!result && (r->head.status != 0) != r->each)
			return pd_fail(ctx, PD_FAILED, "write revisions=\"each\" in <catalog> without "
				       "blanks, at the start of the file");
		if (r->head.vendor)
			native_append(r, &r->vendor, r->head.vendor, strlen(r->head.vendor));
	} else {
		result = e == UPDATE ? start_update(r, attrs, n) :
				       start_part(r, e, attrs, n);
	}
	r->stack[r->depth++] = e;
	r->text.len = 0;
	return result;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;
	enum element e = r->depth ? r->stack[r->depth - 1] : CATALOG;

	(void)ctx;
	if (e == TITLE || e == DESCRIPTION || e == LINK) {
		native_append(r, &r->text, text, len);
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			return pd_fail(r->ctx, PD_FAILED, "text is not allowed in <%s>", native_elements[e].name);
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	enum element e = r->stack[--r->depth];
	const char *text = r->text.len ? r->text.data : "";

	(void)ctx, (void)ns, (void)name;
	if (e == TITLE)
		r->head.title = native_keep(r, text);
	else if (e == DESCRIPTION)
		r->head.description = native_keep(r, text);
	else if (e == LINK)
		r->head.url = native_keep(r, text);
	else if (IN(e) & GROUPS)
		return pd_update_rule(r->ctx, &(struct pd_rule){
			.size = sizeof(struct pd_rule), .tree = (uint16_t)r->tree,
			.op = PD_RULE_CLOSE });
	else if (e == UPDATE)
		return finish_head(r) || pd_update_end(r->ctx) ? PD_FAILED : 0;
	return 0;
}

static int read_all(struct pd_ctx *ctx, bool each)
{
	struct reader r = { .ctx = ctx, .each = each };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end, .text = on_text };
	int result = pd_xml(ctx, &handler);

	native_forget_payloads(&r);
	return result;
}

static int read_highest(struct pd_ctx *ctx)
{
	return read_all(ctx, false);
}

static int read_each(struct pd_ctx *ctx)
{
	return read_all(ctx, true);
}

static bool has(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word));
}

/* The namespace stands there as text, in UTF-16 with NULs in between.  Any
 * other XML document is taken if nobody else does, to say what it seems to be. */
static int recognize(const unsigned char *head, size_t len, bool each)
{
	static char text[65536];
	size_t n = 0, i = 0;
	const char *tag, *end;

	for (size_t k = 0; k < len && n < sizeof(text); k++)
		if (head[k])
			text[n++] = (char)head[k];
	tag = memmem(text, n, "<catalog", 8);
	end = tag ? memchr(tag, '>', n - (size_t)(tag - text)) : NULL;
	if (each != (end && has(tag, (size_t)(end - tag), "revisions=\"each\"")))
		return 0;
	if (has(text, n, "urn:patchday:catalog:"))
		return 100;
	while (i < n && ((unsigned char)text[i] > 127 || text[i] <= ' ')) /* marks of the byte order */
		i++;
	return i < n && text[i] == '<';
}

static int recognize_highest(const unsigned char *head, size_t len)
{
	return recognize(head, len, false);
}

static int recognize_each(const unsigned char *head, size_t len)
{
	return recognize(head, len, true);
}

static const struct pd_reader highest = {
	PD_READER,
	.name = "native",
	.help = "patchday's own catalogs, urn:patchday:catalog:1",
	.flags = PD_R_STRICT,
	.recognize = recognize_highest,
	.read = read_highest,
};

static const struct pd_reader each = {
	PD_READER,
	.name = "revisions",
	.help = "the same with revisions=\"each\": of one id every revision is an update",
	.flags = PD_R_STRICT | PD_R_REVISIONS,
	.recognize = recognize_each,
	.read = read_each,
};

static const struct pd_reader *const readers[] = { &highest, &each, NULL };

PD_PLUGIN(
	.name = "native",
	.version = "1.0",
	.help = "patchday's own catalog format",
	.readers = readers,
);
