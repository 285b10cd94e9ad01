/* SPDX-License-Identifier: MIT */
/* The plugin mssecure: the reader of Microsoft's bulletins and patches of 2001
 * and before, mssecure.xml.  A patch is an update; a bulletin bundles its own. */
#include <string.h>
#include <strings.h>

#include "mssecure.h"

/* What refers to a text can be much shorter than the text. */
enum { TEXT_MAX = 65536, REPLACED_MAX = 1000000 };

/* ------------------------------------------------------------- references */

const char *mssecure_value(const struct tables *x, const struct node *n, const char *name)
{
	const char *value = tree_attr(x->tree, n, name);

	return value && strcasecmp(value, "na") != 0 ? value : NULL;
}

const struct node *mssecure_find(const struct tables *x, const struct tree_index *table,
				 const struct node *from, const char *attribute)
{
	const char *id = mssecure_value(x, from, attribute);
	const struct node *found;

	if (!id || strcmp(id, "0") == 0)
		return NULL;
	found = tree_find(table, id);
	if (!found)
		pd_ignored(x->tree->ctx, from->line, tree_print(x->tree, "%s %s of <%s> is not in the "
			"catalog", attribute, id, from->name));
	return found;
}

const char *mssecure_path(const struct tables *x, const struct node *from, const char *attribute)
{
	const struct node *location = mssecure_find(x, &x->locations, from, attribute);

	return location ? mssecure_value(x, location, "Path") : NULL;
}

static const char *patch_id(const struct tables *x, const char *bulletin, const char *patch)
{
	return bulletin && patch ? tree_print(x->tree, "%s/%s", bulletin, patch) : NULL;
}

static const char *id_of(const struct tables *x, const struct node *patch)
{
	return patch_id(x, tree_attr(x->tree, patch->parent->parent, "BulletinID"),
			tree_attr(x->tree, patch, "PatchName"));
}

/* The patch of that id; if there is none, of one that differs in letter case. */
static const char *known_id(const struct tables *x, const char *id)
{
	const struct tree_key *row;
	size_t n = tree_range(&x->patches, id, &row);

	for (size_t i = 0; i < n; i++)
		if (strcmp(row[i].key, id) == 0)
			return id;
	return n ? row->key : NULL;
}

/* ------------------------------------------------------------- the updates */

static int relation(const struct tables *x, unsigned kind, const char *target, const char *title)
{
	return !target ? 0 : pd_update_relation(x->tree->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target, .title = title });
}

/* The texts of the comments that a list refers to, behind a text. */
static void comments(const struct tables *x, struct tree_text *text, const struct node *list)
{
	TREE_EACH(n, list, NULL) {
		const struct node *comment = mssecure_find(x, &x->comments, n, "CommentID");
		const char *more = comment ? mssecure_value(x, comment, "Text") : NULL;

		if (more)
			tree_append(x->tree, text, "%s%s", text->len ? "\n\n" : "", more);
	}
}

static const char *bulletin_text(const struct tables *x, const struct node *b)
{
	const char *summary = mssecure_value(x, b, "Summary"), *issue = mssecure_value(x, b, "Issue");
	struct tree_text text = { .limit = TEXT_MAX };

	tree_append(x->tree, &text, "%s%s%s", summary ? summary : "", summary && issue ? "\n\n" : "",
		    issue ? issue : "");
	comments(x, &text, tree_child(b, "BulletinComments"));
	return text.data;
}

/* With the service packs that have what is in it. */
static const char *patch_text(const struct tables *x, const struct node *patch)
{
	struct tree_text text = { .limit = TEXT_MAX };

	TREE_EACH(n, patch, "AffectedProduct") {
		const struct node *pack = mssecure_find(x, &x->packs, n, "FixedInSP");
		const char *name = pack ? mssecure_value(x, pack, "Name") : NULL;

		if (name && (!text.data || !strstr(text.data, name)))
			tree_append(x->tree, &text, "%s%s", text.len ? ", " : "It is in ", name);
	}
	if (text.len)
		tree_append(x->tree, &text, ".");
	comments(x, &text, tree_child(patch, "PatchComments"));
	return text.data;
}

static int bulletin(const struct tables *x, const struct node *b, const char *id)
{
	const struct node *patches = tree_child(b, "Patches");
	const char *folder = mssecure_path(x, b, "BulletinLocationID");
	const char *faq = mssecure_path(x, b, "FAQLocationID"), *title = mssecure_value(x, b, "Title");
	const char *page = mssecure_value(x, b, "FAQPageName");
	struct pd_update_head h = { .size = sizeof(h), .line = b->line, .id = id, .vendor = "Microsoft",
		.title = title ? title : id, .description = bulletin_text(x, b),
		.url = folder ? tree_print(x->tree, "%s/%s.asp", folder, id) : NULL,
		.kind = tree_child(patches, "Patch") ? PD_CLASS_BUNDLE : PD_CLASS_SECURITY,
		.disk_bytes = -1, .issued = tree_time(x->tree, tree_attr(x->tree, b, "DatePosted")),
		.updated = tree_time(x->tree, tree_attr(x->tree, b, "DateRevised")) };

	if (pd_update_begin(x->tree->ctx, &h))
		return PD_FAILED;
	TREE_EACH(n, tree_child(b, "QNumbers"), "QNumber")
		if (relation(x, PD_REL_ALIAS, mssecure_value(x, n, "QNumber"), NULL))
			return PD_FAILED;
	TREE_EACH(n, patches, "Patch")
		if (relation(x, PD_REL_BUNDLES, patch_id(x, id, tree_attr(x->tree, n, "PatchName")), NULL))
			return PD_FAILED;
	if (faq && page && relation(x, PD_REL_REFERENCE, tree_print(x->tree, "%s/%s", faq, page), "questions"))
		return PD_FAILED;
	return pd_update_end(x->tree->ctx);
}

/* The patches that this one replaces: the document says it the other way round. */
static int supersedes(const struct tables *x, const char *id)
{
	const struct tree_key *row;

	for (size_t n = tree_range(&x->replaced, id, &row); n; n--, row++)
		if (strcmp(row->key, id) == 0 &&
		    relation(x, PD_REL_SUPERSEDES, id_of(x, row->node), NULL))
			return PD_FAILED;
	return 0;
}

/* A page to download from, or the file itself. */
static int payload(const struct tables *x, const char *url, const char *name)
{
	size_t len = url ? strlen(url) : 0, tail = strlen(name);

	if (len <= tail || url[len - tail - 1] != '/' || strcasecmp(url + len - tail, name) != 0)
		return 0;
	return pd_update_payload(x->tree->ctx, &(struct pd_payload){
		.size = sizeof(struct pd_payload), .url = url, .name = name, .bytes = -1 });
}

static int patch(const struct tables *x, const struct node *b, const struct node *p, const char *of)
{
	const char *name = tree_attr(x->tree, p, "PatchName"), *id = patch_id(x, of, name);
	const char *url = mssecure_path(x, p, "PatchLocationID"), *quiet = tree_attr(x->tree, p, "NoReboot");
	const char *title = mssecure_value(x, b, "Title"), *q = mssecure_value(x, p, "SQNumber");
	struct pd_update_head h = { .size = sizeof(h), .line = p->line, .id = id, .vendor = "Microsoft",
		.description = patch_text(x, p), .url = url, .kind = PD_CLASS_SECURITY, .disk_bytes = -1,
		.restart = quiet && strcmp(quiet, "1") == 0 ? PD_RESTART_NONE : PD_RESTART_REBOOT,
		.issued = tree_time(x->tree, tree_attr(x->tree, b, "DatePosted")),
		.updated = tree_time(x->tree, tree_attr(x->tree, b, "DateRevised")) };

	if (!id) {
		pd_ignored(x->tree->ctx, p->line, "a patch has no PatchName");
		return 0;
	}
	h.title = tree_print(x->tree, "%s: %s (%s)", of, title ? title : "", name);
	if (pd_update_begin(x->tree->ctx, &h) || relation(x, PD_REL_ALIAS, q, NULL) ||
	    supersedes(x, id) || payload(x, url, name))
		return PD_FAILED;
	if (strcmp(name, "placeholder") != 0 && pd_update_installer(x->tree->ctx, &(struct pd_installer){
		.size = sizeof(struct pd_installer), .kind = PD_INSTALL, .command = name }))
		return PD_FAILED;
	return mssecure_rules(x, p) ? PD_FAILED : pd_update_end(x->tree->ctx);
}

/* ------------------------------------------------------------ the document */

/* GROUP/NAME by one attribute, or GROUP/PARENT/LIST/NAME. */
static void table(struct tables *x, struct tree_index *into, const struct node *group,
		  const char *name, const char *attribute)
{
	TREE_EACH(n, group, NULL) {
		if (strcmp(n->name, name) == 0)
			tree_add(x->tree, into, tree_attr(x->tree, n, attribute), n);
		else if (n->first)
			table(x, into, n, name, attribute);
	}
}

/* What replaces @p old: each patch that the entry names. */
static void replaced(struct tables *x, const struct node *old, const struct node *by)
{
	TREE_EACH(newer, tree_child(by, "SupercededBulletins"), "SupercededBulletin")
	TREE_EACH(n, tree_child(newer, "SupercededPatches"), "SupercededPatch") {
		const char *id = patch_id(x, tree_attr(x->tree, newer, "BulletinID"),
					  tree_attr(x->tree, n, "PatchName"));
		const char *known = id ? known_id(x, id) : NULL;

		if (x->replaced.len > REPLACED_MAX)
			return;
		tree_add(x->tree, &x->replaced, known, old);
		if (id && !known)
			pd_ignored(x->tree->ctx, old->line, tree_print(x->tree, "it is superseded by %s, "
				"which is not in the catalog", id));
	}
}

static void patches(struct tables *x, const struct node *bulletins)
{
	struct tree_index used = { .len = 0 };

	TREE_EACH(b, bulletins, "Bulletin")
		TREE_EACH(p, tree_child(b, "Patches"), "Patch")
			tree_add(x->tree, &x->patches, id_of(x, p), p);
	tree_sort(&x->patches);
	for (size_t i = 0; i < x->patches.len; i++) {
		const struct node *old = x->patches.rows[i].node;
		const struct node *by = mssecure_find(x, &x->replacements, old, "SBID");

		if (by)
			tree_add(x->tree, &used, tree_attr(x->tree, by, "SBID"), by);
		replaced(x, old, by);
	}
	tree_sort(&x->replaced);
	tree_sort(&used);
	for (size_t i = 0; i < x->replacements.len; i++)
		if (!tree_find(&used, x->replacements.rows[i].key))
			pd_ignored(x->tree->ctx, x->replacements.rows[i].node->line, tree_print(x->tree,
				"no patch is superseded by SBID %s", x->replacements.rows[i].key));
}

/* A bulletin and its patches. */
static int one(const struct tables *x, const struct node *b)
{
	const char *id = tree_attr(x->tree, b, "BulletinID");
	struct tree_mark mark = tree_mark(x->tree);

	if (!id) {
		pd_ignored(x->tree->ctx, b->line, "a bulletin has no BulletinID");
		return 0;
	}
	if (bulletin(x, b, id))
		return PD_FAILED;
	TREE_EACH(p, tree_child(b, "Patches"), "Patch") {
		tree_release(x->tree, mark);
		if (patch(x, b, p, id))
			return PD_FAILED;
	}
	return 0;
}

static int take(struct tree *t, const struct node *root)
{
	const struct node *bulletins = tree_child(root, "Bulletins");
	struct tables x = { .tree = t };

	table(&x, &x.locations, tree_child(root, "Locations"), "Location", "LocationID");
	table(&x, &x.files, tree_child(root, "Files"), "FileChange", "FileChangeID");
	table(&x, &x.keys, tree_child(root, "RegKeys"), "RegChange", "RegChangeID");
	table(&x, &x.products, tree_child(root, "Products"), "Product", "ProductID");
	table(&x, &x.packs, tree_child(root, "ServicePacks"), "ServicePack", "ServicePackID");
	table(&x, &x.comments, tree_child(root, "Comments"), "Comment", "CommentID");
	table(&x, &x.replacements, tree_child(root, "SupercededBys"), "SupercededBy", "SBID");
	tree_sort(&x.locations);
	tree_sort(&x.files);
	tree_sort(&x.keys);
	tree_sort(&x.products);
	tree_sort(&x.packs);
	tree_sort(&x.comments);
	tree_sort(&x.replacements);
	patches(&x, bulletins);
	if (x.replaced.len > REPLACED_MAX)
		return pd_fail(t->ctx, PD_FAILED, "more patches are superseded than in any real catalog");
	TREE_EACH(b, bulletins, "Bulletin") {
		struct tree_mark mark = tree_mark(t);

		if (one(&x, b))
			return PD_FAILED;
		tree_release(t, mark);
	}
	return 0;
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct tree t = { .ctx = ctx, .entry = "BulletinDatastore", .take = take };

	return tree_read(&t);
}

static int recognize(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "BulletinDatastore") ? 95 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "mssecure",
	.help = "Microsoft's bulletins and patches of 1998 to 2004, mssecure.xml",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "mssecure",
	.version = "1.0",
	.help = "the catalog of HFNetChk and MBSA",
	.readers = readers,
);
