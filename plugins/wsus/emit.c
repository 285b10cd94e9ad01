/* SPDX-License-Identifier: MIT */
/* From what package.xml says to updates with relations, files and rules. */
#include <string.h>

#include "wsus.h"

static void link_to(struct reader *r, uint32_t *list, size_t update)
{
	r->links = wsus_room(r->links, r->n_links, &r->links_cap, sizeof(*r->links));
	r->links[r->n_links] = (struct link){ (uint32_t)update, *list };
	*list = (uint32_t)++r->n_links;
}

/* Updates name their bundles and what replaces them; here it is turned round. */
static void connect(struct reader *r, size_t i)
{
	struct update *u = &r->updates[i];
	bool part = false, found = false;

	for (uint32_t k = 0; k < u->n_items; k++) {
		const struct item *item = &r->items[u->items + k];
		const struct slot *other = item->kind == ITEM_SUPERSEDED_BY ||
			item->kind == ITEM_BUNDLED_BY ? wsus_find(&r->revisions, item->text) : NULL;

		part |= item->kind == ITEM_BUNDLED_BY;
		if (!other)
			continue;
		if (item->kind == ITEM_BUNDLED_BY) {
			link_to(r, &r->updates[other->value].parts, i);
			found = true;
		} else if (other->value != i) {
			link_to(r, &r->updates[other->value].replaces, i);
			u->superseded = true;
		}
	}
	u->offered &= !part;
	if (part && !found)
		pd_ignored(r->ctx, u->line, pd_format(r->ctx, "update %s: the bundle that it is "
						      "a part of is not in the catalog", u->id));
}

/* ---------------------------------------------------------------- files */

static int sextet(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 :
	       c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The id of a file is its SHA-1 in base64: 27 characters and "=". */
static bool digest_of(const char *id, char out[48])
{
	static const char digits[] = "0123456789abcdef";
	unsigned bits = 0, have = 0, n = 5;

	memcpy(out, "sha1:", 5);
	for (; sextet(*id) >= 0 && n < 45; id++) {
		bits = bits << 6 | (unsigned)sextet(*id);
		for (have += 6; have >= 4 && n < 45; have -= 4)
			out[n++] = digits[bits >> (have - 4) & 15];
	}
	out[n] = '\0';
	return n == 45 && strcmp(id, "=") == 0;
}

/* "windows10.0-kb5031356-x64_0123...cab" without digest and ending. */
static const char *title_of(struct reader *r, const char *url)
{
	const char *name = strrchr(url, '/') ? strrchr(url, '/') + 1 : url;
	size_t len = strcspn(name, "_.");

	while (name[len] == '.' && strchr(name + len + 1, '.'))
		len += 1 + strcspn(name + len + 1, "_.");
	return pd_format(r->ctx, "%.*s", (int)len, name);
}

static const char *url_of(struct reader *r, const struct item *item)
{
	const struct slot *slot = item->kind == ITEM_FILE ? wsus_find(&r->files, item->text) : NULL;

	return slot ? r->urls[slot->value] : NULL;
}

static const char *own_url(struct reader *r, const struct update *u)
{
	const char *url = NULL;

	for (uint32_t k = 0; k < u->n_items && !url; k++)
		url = url_of(r, &r->items[u->items + k]);
	return url;
}

static const char *first_url(struct reader *r, const struct update *u)
{
	const char *url = own_url(r, u);

	for (uint32_t l = u->parts; l && !url; l = r->links[l - 1].next)
		url = own_url(r, &r->updates[r->links[l - 1].update]);
	return url;
}

static int files(struct reader *r, const struct update *u)
{
	int result = 0;
	char digest[48];

	for (uint32_t k = 0; k < u->n_items && !result; k++) {
		const struct item *item = &r->items[u->items + k];
		const char *url = url_of(r, item);

		if (url)
			result = pd_update_payload(r->ctx, &(struct pd_payload){
				.size = sizeof(struct pd_payload), .url = url, .bytes = -1,
				.digest = digest_of(item->text, digest) ? digest : NULL });
		else if (item->kind == ITEM_FILE)
			pd_ignored(r->ctx, u->line, pd_format(r->ctx, "update %s: the file %s has no "
							      "<FileLocation>", u->id, item->text));
	}
	return result;
}

/* ---------------------------------------------------------------- rules */

/* What a server has of updates, products and categories is listed among its
 * packages, by id. */
static int has(struct reader *r, unsigned tree, const char *id)
{
	return pd_update_rule(r->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .kind = "packages", .subject = id });
}

static int group(struct reader *r, unsigned op)
{
	return pd_update_rule(r->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = PD_RULES_APPLICABLE, .op = (uint16_t)op });
}

/* One of its products is asked for anyway?  Only to save rules. */
static bool implied(const struct reader *r, const struct update *u)
{
	const struct item *all = r->items + u->items;

	if (u->n_items > 64)
		return false;
	for (uint32_t k = 0; k < u->n_items; k++)
		for (uint32_t i = 0, inside = 0; all[k].kind == ITEM_PRODUCT && i < u->n_items; i++) {
			inside += all[i].kind == ITEM_OPEN;
			inside -= all[i].kind == ITEM_CLOSE;
			if (!inside && all[i].kind == ITEM_NEEDS && !strcmp(all[i].text, all[k].text))
				return true;
		}
	return false;
}

static int products(struct reader *r, const struct update *u)
{
	const struct item *all = r->items + u->items;
	bool open = false;
	int result = 0;

	if (implied(r, u))
		return 0;
	for (uint32_t k = 0; k < u->n_items && !result; k++) {
		if (all[k].kind != ITEM_PRODUCT)
			continue;
		result = open ? 0 : group(r, PD_RULE_ANY);
		open = true;
		if (!result)
			result = has(r, PD_RULES_APPLICABLE, all[k].text);
	}
	return open && !result ? group(r, PD_RULE_CLOSE) : result;
}

/* Does it say for which servers it is?  If not, then for none of its own accord. */
static bool says(const struct reader *r, const struct update *u)
{
	for (uint32_t k = 0; k < u->n_items; k++)
		if (r->items[u->items + k].kind <= ITEM_PRODUCT)
			return true;
	return false;
}

/* Something that it asks for and that nobody has; NULL: it may be applicable. */
static const char *lacks(struct reader *r, const struct update *u)
{
	const struct item *all = r->items + u->items;
	const char *product = NULL, *one = NULL;
	bool any = false; /* of the products, or of the group that is open, is there */
	uint32_t inside = 0;

	for (uint32_t k = 0; k < u->n_items && !any; k++) {
		if (all[k].kind != ITEM_PRODUCT)
			continue;
		any = pd_package_wanted(r->ctx, all[k].text);
		product = all[k].text;
	}
	if (product && !any)
		return product;
	for (uint32_t k = 0; k < u->n_items; k++) {
		if (all[k].kind == ITEM_OPEN && !inside++) {
			any = false;
			one = NULL;
		} else if (all[k].kind == ITEM_CLOSE && !--inside && one && !any) {
			return one;
		} else if (all[k].kind == ITEM_NEEDS && (!inside || !any)) {
			any = pd_package_wanted(r->ctx, all[k].text);
			one = all[k].text;
			if (!inside && !any)
				return one;
		}
	}
	return NULL;
}

static int rules(struct reader *r, const struct update *u, const char *lacking)
{
	int result = has(r, PD_RULES_INSTALLED, u->id);

	if (lacking || result)
		return result ? result : has(r, PD_RULES_APPLICABLE, lacking);
	result = group(r, PD_RULE_ALL);
	result = result ? result : products(r, u);
	for (uint32_t k = 0; k < u->n_items && !result; k++) {
		const struct item *item = &r->items[u->items + k];

		if (item->kind == ITEM_NEEDS)
			result = has(r, PD_RULES_APPLICABLE, item->text);
		else if (item->kind == ITEM_OPEN || item->kind == ITEM_CLOSE)
			result = group(r, item->kind == ITEM_OPEN ? PD_RULE_ANY : PD_RULE_CLOSE);
	}
	return result ? result : group(r, PD_RULE_CLOSE);
}

/* -------------------------------------------------------------- updates */

static unsigned kind_of(const struct reader *r, const struct update *u)
{
	static const struct { const char *id; unsigned kind; } classes[] = {
		{ "0fa1201d-4330-4fa8-8ae9-b877473b6441", PD_CLASS_SECURITY },
		{ "e6cf1350-c01b-414d-a61f-263d14d133b4", PD_CLASS_BUGFIX },   /* critical */
		{ "e0789628-ce08-4437-be74-2495b842f43b", PD_CLASS_SECURITY }, /* definitions */
		{ "28bc880e-0592-4cbf-8f95-c79b17911d5f", PD_CLASS_BUGFIX },   /* rollup */
		{ "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83", PD_CLASS_BUGFIX },
		{ "68c5b0a3-d1a6-4553-ae49-01d3a7827828", PD_CLASS_BUGFIX },   /* service pack */
		{ "b54e7d24-7add-428f-8b75-90a396fa584f", PD_CLASS_ENHANCEMENT },
		{ "3689bdc8-b205-4af4-8d4a-a63924c5e9d5", PD_CLASS_ENHANCEMENT },
		{ "ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0", PD_CLASS_DRIVER },
	};

	for (uint32_t k = 0; k < u->n_items; k++)
		for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
			if (r->items[u->items + k].kind == ITEM_CLASS &&
			    strcmp(r->items[u->items + k].text, classes[i].id) == 0)
				return classes[i].kind;
	return PD_CLASS_OTHER;
}

static int relations(struct reader *r, unsigned kind, uint32_t list)
{
	int result = 0;

	for (; list && !result; list = r->links[list - 1].next) {
		const struct update *u = &r->updates[r->links[list - 1].update];

		result = pd_update_relation(r->ctx, &(struct pd_relation){
			.size = sizeof(struct pd_relation), .kind = kind, .target = u->id,
			.revision = kind == PD_REL_SUPERSEDES ? u->revision : NULL,
			.title = kind == PD_REL_ALIAS ? "part" : NULL });
	}
	return result;
}

static int alias(struct reader *r, const char *title)
{
	const char *kb = strcasestr(title, "kb");
	size_t digits = kb ? strspn(kb + 2, "0123456789") : 0;

	return !digits ? 0 : pd_update_relation(r->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = PD_REL_ALIAS,
		.target = pd_format(r->ctx, "KB%.*s", (int)digits, kb + 2) });
}

static int emit(struct reader *r, const struct update *u)
{
	const char *url = first_url(r, u), *title = url ? title_of(r, url) : "";
	bool known = says(r, u);
	const char *lacking = known ? lacks(r, u) : NULL;
	int result = pd_update_begin(r->ctx, &(struct pd_update_head){
		.size = sizeof(struct pd_update_head), .line = u->line, .id = u->id,
		.revision = u->revision, .title = title, .vendor = "Microsoft",
		.kind = (uint16_t)kind_of(r, u), .issued = u->issued, .disk_bytes = -1,
		.status = u->superseded ? PD_STATUS_REPLACED : PD_STATUS_FINAL });

	result = result ? result : alias(r, title);
	result = result ? result : relations(r, PD_REL_SUPERSEDES, u->replaces);
	result = result ? result : relations(r, PD_REL_ALIAS, u->parts);
	result = result || lacking ? result : files(r, u);
	for (uint32_t l = u->parts; l && !result && !lacking; l = r->links[l - 1].next)
		result = files(r, &r->updates[r->links[l - 1].update]);
	result = result || !known ? result : rules(r, u, lacking);
	return result ? result : pd_update_end(r->ctx);
}

int wsus_emit(struct reader *r)
{
	int result = 0;

	/* backwards, so that the lists are in the order of the file */
	for (size_t i = r->n_updates; i-- > 0;)
		connect(r, i);
	for (size_t i = 0; i < r->n_updates && !result; i++)
		if (r->updates[i].offered)
			result = emit(r, &r->updates[i]);
	if (r->looked_at)
		pd_ignored(r->ctx, 0, pd_format(r->ctx, "%zu products, categories and conditions: they "
			"are asked for by others and can't be installed", r->looked_at));
	return result;
}
