/* SPDX-License-Identifier: MIT */
/* The plugin cvrf: an update for each thing that mends vulnerabilities, such as
 * Microsoft's KB4048957, with all the vulnerabilities that it mends. */
#include <string.h>
#include <strings.h>

#include "cvrf.h"

/* KB4048957 of 4048957 and KB4048957; NULL: it is no number. */
static const char *kb(struct document *d, const char *text)
{
	const char *digits = text && strncasecmp(text, "KB", 2) == 0 ? text + 2 : text;

	return digits && *digits && strlen(digits) < 12 && !digits[strspn(digits, "0123456789")] ?
	       tree_print(d->tree, "KB%s", digits) : NULL;
}

static bool is_fix(struct document *d, const struct node *remediation)
{
	const char *type = tree_attr(d->tree, remediation, "Type");

	return type && strcmp(type, "Vendor Fix") == 0;
}

bool cvrf_has_fixes(struct document *d)
{
	VULNERABILITIES(v, d)
		TREE_EACH(n, tree_child(v, "Remediations"), "Remediation")
			if (is_fix(d, n) && kb(d, tree_text(n, "Description")))
				return true;
	return false;
}

/* A number, else an address, else what it is called in this document. */
static const char *fix_id(struct document *d, const struct node *fix)
{
	const char *text = tree_text(fix, "Description"), *number = kb(d, text);
	const char *url = tree_text(fix, "URL");

	if (number || (url && strlen(url) < 256))
		return number ? number : url;
	return text && strlen(text) < 200 ? tree_print(d->tree, "%s: %s", d->head.id, text) :
					    tree_print(d->tree, "%s: line %u", d->head.id, fix->line);
}

/* What all the remediations with one id say. */
struct fix {
	const char *id;
	struct pd_update_head head;
	struct worst worst;
	struct tree_index cves, products, replaced, urls;
	bool restart, may_restart, quiet;
	const char *kind; /* Monthly Rollup ... */
	struct tree_text lines; /* of the description */
};

static void restart(struct fix *f, const char *word)
{
	f->restart |= word && strcasecmp(word, "Yes") == 0;
	f->quiet |= word && strcasecmp(word, "No") == 0;
	f->may_restart |= word && strcasecmp(word, "Yes") != 0 && strcasecmp(word, "No") != 0;
}

/* Several numbers may stand in one. */
static void replaced(struct document *d, struct fix *f, const struct node *n)
{
	for (const char *s = n->text; *s; s += strspn(s, ";, \t\r\n")) {
		size_t len = strcspn(s, ";, \t\r\n");
		const char *word = tree_print(d->tree, "%.*s", (int)len, s), *number = kb(d, word);

		if (len)
			tree_add(d->tree, &f->replaced, number ? number : word, n);
		s += len;
	}
}

static void add(struct document *d, struct fix *f, const struct node *n)
{
	const struct node *v = n->parent->parent; /* Vulnerability/Remediations */
	const char *cve = tree_text(v, "CVE"), *title = tree_text(v, "Title");
	const char *kind = tree_text(n, "SubType");
	struct tree_index ids = { .len = 0 };

	TREE_EACH(product, n, "ProductID") {
		tree_add(d->tree, &ids, product->text, product);
		tree_add(d->tree, &f->products, product->text, product);
	}
	tree_sort(&ids);
	cvrf_worst(d, &f->worst, v, &ids);
	if (cve && title && !tree_find(&f->cves, cve))
		tree_append(d->tree, &f->lines, "%s%s: %s", f->lines.len ? "\n" : "", cve, title);
	tree_add(d->tree, &f->cves, cve, v);
	tree_sort(&f->cves);
	tree_add(d->tree, &f->urls, tree_text(n, "URL"), n);
	restart(f, tree_text(n, "RestartRequired"));
	f->kind = f->kind ? f->kind : kind;
	TREE_EACH(old, n, "Supercedence")
		replaced(d, f, old);
}

static int emit(struct document *d, struct fix *f, const struct node *first)
{
	const char *text = tree_text(first, "Description"), *number = kb(d, text);
	struct pd_update_head *h = &f->head;

	*h = d->head;
	h->id = f->id;
	h->line = first->line;
	h->url = tree_text(first, "URL");
	h->description = f->lines.data;
	h->restart = f->restart ? PD_RESTART_REBOOT :
		     f->quiet && !f->may_restart ? PD_RESTART_NONE : PD_RESTART_UNKNOWN;
	h->title = tree_print(d->tree, "%s%s%s%s: %s", number ? number : text ? text : "", f->kind ? " (" : "",
			      f->kind ? f->kind : "", f->kind ? ")" : "", d->head.title);
	cvrf_severity(d, h, &f->worst);
	tree_sort(&f->urls);
	if (pd_update_begin(d->tree->ctx, h) || cvrf_relations(d, PD_REL_ALIAS, &f->cves) ||
	    cvrf_relations(d, PD_REL_SUPERSEDES, &f->replaced))
		return PD_FAILED;
	for (size_t i = 0; i < f->urls.len; i++)
		if ((!i || strcasecmp(f->urls.rows[i].key, f->urls.rows[i - 1].key) != 0) &&
		    (!h->url || strcmp(f->urls.rows[i].key, h->url) != 0) &&
		    cvrf_relation(d, PD_REL_REFERENCE, f->urls.rows[i].key, NULL))
			return PD_FAILED;
	if (cvrf_any_product(d, &f->products) || (number && cvrf_test(d, (struct pd_rule){
		.tree = PD_RULES_INSTALLED, .kind = "x-hotfix", .subject = number })))
		return PD_FAILED;
	return pd_update_end(d->tree->ctx);
}

int cvrf_fixes(struct document *d)
{
	struct tree_index fixes = { .len = 0 }, order = { .len = 0 };
	const struct tree_key *row;

	VULNERABILITIES(v, d)
		TREE_EACH(n, tree_child(v, "Remediations"), "Remediation")
			if (is_fix(d, n))
				tree_add(d->tree, &fixes, fix_id(d, n), n);
	order.rows = tree_alloc(d->tree, (fixes.len + 1) * sizeof(*order.rows));
	memcpy(order.rows, fixes.rows, fixes.len * sizeof(*order.rows));
	order.len = fixes.len;
	tree_sort(&fixes);
	for (size_t i = 0; i < order.len; i++) {
		struct fix f = { .id = order.rows[i].key, .lines = { .limit = 65536 } };
		struct tree_mark mark = tree_mark(d->tree);
		size_t n = tree_range(&fixes, f.id, &row);

		if (row->node != order.rows[i].node) /* it is among those of the first one */
			continue;
		for (; n; n--, row++)
			add(d, &f, row->node);
		if (emit(d, &f, order.rows[i].node))
			return PD_FAILED;
		tree_release(d->tree, mark);
	}
	return 0;
}
