/* SPDX-License-Identifier: MIT */
/* The plugin wsus: the reader of package.xml, the list of updates in
 * Microsoft's wsusscn2.cab. */
#include <string.h>

#include "wsus.h"

#define NAMESPACE "http://schemas.microsoft.com/msus/2004/02/OfflineSync"

/* The frequent ones first: there are a million of them. */
enum element {
	UPDATE_ID, UPDATE, CATEGORY, REVISION, FILE_ID, FILE_LOCATION, PREREQUISITES, CATEGORIES,
	PAYLOAD_FILES, BUNDLED_BY, SUPERSEDED_BY, OR, UPDATES, FILE_LOCATIONS, ROOT,
	LANGUAGES, LANGUAGE, EULA_FILES, UNKNOWN
};
static const char *const elements[UNKNOWN] = {
	"UpdateId", "Update", "Category", "Revision", "File", "FileLocation", "Prerequisites",
	"Categories", "PayloadFiles", "BundledBy", "SupersededBy", "Or", "Updates",
	"FileLocations", "OfflineSyncPackage", "Languages", "Language", "EulaFiles"
};

/* Most names differ in their first letter: no call for these. */
static bool same(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

static const char *attribute(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (same(attrs[i].name, name))
			return attrs[i].value;
	return "";
}

/* A copy of the GUID in lower case; NULL: it is none. */
static const char *guid(struct reader *r, const char *s)
{
	enum { LEN = 36 };
	char *lower;
	unsigned digits = 0;

	if (strlen(s) != LEN || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-')
		return NULL;
	lower = wsus_take(r, LEN + 1);
	for (size_t i = 0; i < LEN; i++) { /* there are many: without a branch */
		unsigned char c = (unsigned char)(s[i] | 0x20); /* digits have that bit, and "-" */

		digits += (unsigned char)(c - '0') < 10;
		digits += (unsigned char)(c - 'a') < 6;
		lower[i] = (char)c;
	}
	return digits == LEN - 4 ? lower : NULL;
}

/* The first mistake drops the update that is open; it is reported at its end. */
static void add(struct reader *r, enum item_kind kind, const char *text, const char *what)
{
	if (r->open && (!text || !*text) && !r->wrong)
		r->wrong = what;
	if (!r->open || r->wrong)
		return;
	r->items = wsus_room(r->items, r->n_items, &r->items_cap, sizeof(*r->items));
	r->items[r->n_items++] = (struct item){ kind, text };
}

static void start_update(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *id = guid(r, attribute(attrs, n, "UpdateId"));
	const char *action = attribute(attrs, n, "DeploymentAction");
	struct update *u;

	r->updates = wsus_room(r->updates, r->n_updates, &r->updates_cap, sizeof(*r->updates));
	u = &r->updates[r->n_updates];
	*u = (struct update){ .id = id, .line = pd_xml_line(r->ctx), .items = (uint32_t)r->n_items };
	u->revision = wsus_keep(r, attribute(attrs, n, "RevisionNumber"));
	u->revision_id = wsus_keep(r, attribute(attrs, n, "RevisionId"));
	u->offered = !*action || strcmp(action, "Install") == 0;
	pd_parse(r->ctx, PD_T_TIME, attribute(attrs, n, "CreationDate"), &u->issued);
	if (!u->offered && strcmp(action, "Bundle") != 0)
		r->looked_at++;
	r->open = true;
	r->wrong = !id ? "its UpdateId is no GUID" : !*u->revision_id ? "it has no RevisionId" : NULL;
}

static void end_update(struct reader *r)
{
	struct update *u = &r->updates[r->n_updates];
	struct slot *slot;

	r->open = false;
	if (!r->wrong) {
		slot = wsus_put(r, &r->revisions, u->revision_id, (uint32_t)r->n_updates);
		if (slot->value != r->n_updates)
			r->wrong = "its RevisionId is that of another one";
	}
	if (r->wrong) {
		r->n_items = u->items;
		pd_ignored(r->ctx, u->line, pd_format(r->ctx, "update %s%s: %s", u->id ? "" : "of revision ",
						      u->id ? u->id : u->revision_id, r->wrong));
		return;
	}
	u->n_items = (uint32_t)(r->n_items - u->items);
	r->n_updates++;
}

static void category(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *type = attribute(attrs, n, "Type");
	bool product = strcmp(type, "Product") == 0;

	if (product || strcmp(type, "UpdateClassification") == 0)
		add(r, product ? ITEM_PRODUCT : ITEM_CLASS, guid(r, attribute(attrs, n, "Id")),
		    "the id of a category is no GUID");
}

static void location(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *id = attribute(attrs, n, "Id"), *url = attribute(attrs, n, "Url");

	if (!*id || !*url) {
		pd_ignored(r->ctx, pd_xml_line(r->ctx), "a <FileLocation> needs Id and Url");
		return;
	}
	r->urls = wsus_room(r->urls, r->n_urls, &r->urls_cap, sizeof(*r->urls));
	if (wsus_put(r, &r->files, wsus_keep(r, id), (uint32_t)r->n_urls)->value == r->n_urls)
		r->urls[r->n_urls++] = wsus_keep(r, url);
}

static enum element element_of(const char *name)
{
	enum element e = 0;

	while (e < UNKNOWN && !same(elements[e], name))
		e++;
	return e;
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum element e = element_of(name);

	(void)ns;
	if (!r->depth++ && e != ROOT)
		return pd_fail(ctx, PD_FAILED, "the document starts with <%s>, not with "
			       "<OfflineSyncPackage>; see that it is package.xml of wsusscn2.cab", name);
	switch (e) {
	case UPDATE:
		if (r->open)
			return pd_fail(ctx, PD_FAILED, "an <Update> stands in another one");
		start_update(r, attrs, n);
		break;
	case UPDATE_ID:
		add(r, ITEM_NEEDS, guid(r, attribute(attrs, n, "Id")), "a prerequisite is no GUID");
		break;
	case OR: add(r, ITEM_OPEN, name, NULL); break;
	case CATEGORY: category(r, attrs, n); break;
	case SUPERSEDED_BY: r->revision = ITEM_SUPERSEDED_BY; break;
	case BUNDLED_BY: r->revision = ITEM_BUNDLED_BY; break;
	case REVISION:
		add(r, r->revision, wsus_keep(r, attribute(attrs, n, "Id")), "a <Revision> has no Id");
		break;
	case PAYLOAD_FILES: r->payload = true; break;
	case EULA_FILES: r->payload = false; break;
	case FILE_ID:
		if (r->payload)
			add(r, ITEM_FILE, wsus_keep(r, attribute(attrs, n, "Id")), "a <File> has no Id");
		break;
	case FILE_LOCATION: location(r, attrs, n); break;
	case UNKNOWN:
		if (!wsus_find(&r->unknown, name))
			pd_ignored(ctx, pd_xml_line(ctx),
				   pd_format(ctx, "<%s> is not known, here and further on", name));
		wsus_put(r, &r->unknown, wsus_keep(r, name), 0);
		break;
	default: break;
	}
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;

	(void)ctx, (void)ns;
	r->depth--;
	if (same(name, elements[UPDATE]))
		end_update(r);
	else if (same(name, elements[OR]))
		add(r, ITEM_CLOSE, name, NULL);
	return 0;
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct reader r = { .ctx = ctx };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end };
	int result = pd_xml(ctx, &handler);

	if (!result)
		result = wsus_emit(&r);
	wsus_free(&r);
	return result;
}

/* The name of the root, in UTF-16 with NULs in between. */
static int recognize(const unsigned char *head, size_t len)
{
	static const char name[] = "<OfflineSyncPackage";
	size_t found = 0;

	for (size_t i = 0; i < len && name[found]; i++)
		if (head[i])
			found = head[i] == (unsigned char)name[found] ? found + 1 : head[i] == '<';
	return name[found] ? 0 : 100;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "wsus",
	.help = "package.xml of Microsoft's wsusscn2.cab",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "wsus",
	.version = "1.0",
	.help = "Microsoft's updates for scanning offline",
	.readers = readers,
);
