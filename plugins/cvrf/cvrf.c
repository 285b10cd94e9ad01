/* SPDX-License-Identifier: MIT */
/* The plugin cvrf: the reader of CVRF 1.1 and 1.2.  A document is one update, or
 * if it names what mends the vulnerabilities (Microsoft), one for each of those. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cvrf.h"

/* ---------------------------------------------------------------- severity */

static enum pd_severity severity(const char *word)
{
	static const struct { const char *word; enum pd_severity severity; } words[] = {
		{ "critical", PD_SEVERITY_CRITICAL }, { "important", PD_SEVERITY_IMPORTANT },
		{ "high", PD_SEVERITY_IMPORTANT }, { "moderate", PD_SEVERITY_MODERATE },
		{ "medium", PD_SEVERITY_MODERATE }, { "low", PD_SEVERITY_LOW },
		{ "none", PD_SEVERITY_NONE }, { "informational", PD_SEVERITY_NONE } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(word, words[i].word) == 0)
			return words[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

void cvrf_word(struct worst *w, const char *word)
{
	enum pd_severity found = word ? severity(word) : PD_SEVERITY_UNKNOWN;

	if (found > w->severity) {
		w->severity = found;
		w->word = word;
	}
}

/* Is any of the products that it names one of these?  It may name none. */
static bool concerns(const struct node *n, const struct tree_index *ids)
{
	if (!ids || !tree_child(n, "ProductID"))
		return true;
	TREE_EACH(product, n, "ProductID")
		if (tree_find(ids, product->text))
			return true;
	return false;
}

static void score(struct worst *w, const struct node *set)
{
	static const char *const names[] = { "BaseScore", "BaseScoreV2", "BaseScoreV3" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text = tree_text(set, names[i]);
		double value = text ? strtod(text, NULL) : 0;

		if (value > w->score && value <= 10) {
			w->score = value;
			w->score_text = text;
		}
	}
}

void cvrf_worst(struct document *d, struct worst *w, const struct node *vulnerability,
		const struct tree_index *ids)
{
	TREE_EACH(threat, tree_child(vulnerability, "Threats"), "Threat") {
		const char *type = tree_attr(d->tree, threat, "Type");

		if (type && (strcmp(type, "Severity") == 0 || strcmp(type, "Impact") == 0) &&
		    concerns(threat, ids))
			cvrf_word(w, tree_text(threat, "Description"));
	}
	TREE_EACH(set, tree_child(vulnerability, "CVSSScoreSets"), NULL)
		if (concerns(set, ids))
			score(w, set);
}

void cvrf_severity(struct document *d, struct pd_update_head *h, const struct worst *w)
{
	/* the qualitative scale of CVSS 3 */
	enum pd_severity by_score = w->score >= 9 ? PD_SEVERITY_CRITICAL :
		w->score >= 7 ? PD_SEVERITY_IMPORTANT : w->score >= 4 ? PD_SEVERITY_MODERATE :
		w->score > 0 ? PD_SEVERITY_LOW : PD_SEVERITY_UNKNOWN;

	h->severity = (uint16_t)(w->word ? w->severity : by_score);
	h->severity_text = tree_print(d->tree, "%s%s%s%s", w->word ? w->word : "",
		w->word && w->score_text ? ", " : "", w->score_text ? "CVSS " : "",
		w->score_text ? w->score_text : "");
}

/* ------------------------------------------------------------------- parts */

int cvrf_relation(struct document *d, unsigned kind, const char *target, const char *title)
{
	return !target ? 0 : pd_update_relation(d->tree->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target, .title = title });
}

int cvrf_relations(struct document *d, unsigned kind, struct tree_index *set)
{
	tree_sort(set);
	for (size_t i = 0; i < set->len; i++)
		if ((!i || strcasecmp(set->rows[i].key, set->rows[i - 1].key) != 0) &&
		    cvrf_relation(d, kind, set->rows[i].key, NULL))
			return PD_FAILED;
	return 0;
}

int cvrf_rule(struct document *d, unsigned tree, unsigned op)
{
	return pd_update_rule(d->tree->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = (uint16_t)op });
}

int cvrf_test(struct document *d, struct pd_rule r)
{
	r.size = sizeof(r);
	r.op = PD_RULE_TEST;
	return pd_update_rule(d->tree->ctx, &r);
}

/* ------------------------------------------------- a document as one update */

/* Names of the document and of the vulnerabilities that it is about. */
static int aliases(struct document *d, const char *id)
{
	struct tree_index set = { .len = 0 };

	if (strcmp(id, d->head.id) != 0)
		tree_add(d->tree, &set, d->head.id, d->root);
	TREE_EACH(n, tree_child(tree_child(d->root, "DocumentTracking"), "Identification"), "Alias")
		if (strcmp(n->text, id) != 0)
			tree_add(d->tree, &set, n->text, n);
	VULNERABILITIES(v, d) {
		TREE_EACH(n, v, "CVE")
			tree_add(d->tree, &set, *n->text ? n->text : NULL, n);
		TREE_EACH(n, v, "ID")
			tree_add(d->tree, &set, *n->text ? n->text : NULL, n);
	}
	return cvrf_relations(d, PD_REL_ALIAS, &set);
}

static void add_references(struct document *d, struct tree_index *set, const struct node *list)
{
	TREE_EACH(n, list, "Reference")
		tree_add(d->tree, set, tree_text(n, "URL"), n);
}

static int references(struct document *d)
{
	struct tree_index set = { .len = 0 };

	add_references(d, &set, tree_child(d->root, "DocumentReferences"));
	VULNERABILITIES(v, d)
		add_references(d, &set, tree_child(v, "References"));
	tree_sort(&set);
	for (size_t i = 0; i < set.len; i++) {
		const char *url = set.rows[i].key, *title = tree_text(set.rows[i].node, "Description");

		if ((!i || strcasecmp(url, set.rows[i - 1].key) != 0) &&
		    (!d->head.url || strcmp(url, d->head.url) != 0) &&
		    cvrf_relation(d, PD_REL_REFERENCE, url, title && strcmp(title, url) != 0 ? title : NULL))
			return PD_FAILED;
	}
	return 0;
}

/* What is affected, where no package says it. */
static int affected(struct document *d)
{
	struct tree_index ids = { .len = 0 };

	VULNERABILITIES(v, d)
		TREE_EACH(status, tree_child(v, "ProductStatuses"), "Status") {
			const char *type = tree_attr(d->tree, status, "Type");

			if (!type || strcmp(type, "Known Not Affected") != 0)
				TREE_EACH(n, status, "ProductID")
					tree_add(d->tree, &ids, n->text, n);
		}
	return cvrf_any_product(d, &ids);
}

static int one(struct document *d, const char *platform)
{
	struct pd_update_head h = d->head;
	struct worst w = { .severity = PD_SEVERITY_UNKNOWN };

	cvrf_word(&w, tree_text(d->root, "AggregateSeverity"));
	VULNERABILITIES(v, d)
		cvrf_worst(d, &w, v, NULL);
	cvrf_severity(d, &h, &w);
	if (platform)
		h.id = tree_print(d->tree, "%s: %s", d->head.id, platform);
	if (pd_update_begin(d->tree->ctx, &h) || aliases(d, h.id) || references(d) ||
	    (d->parts.len ? cvrf_packages(d, platform) : affected(d)))
		return PD_FAILED;
	return pd_update_end(d->tree->ctx);
}

/* One for all platforms; one for each, where their versions differ. */
static int whole(struct document *d)
{
	const char *before = NULL;

	if (!cvrf_differ(d))
		return one(d, NULL);
	for (size_t i = 0; i < d->parts.len; i++) {
		const char *platform = d->parts.rows[i].key;
		struct tree_mark mark = tree_mark(d->tree);

		if ((!before || strcasecmp(before, platform) != 0) && one(d, platform))
			return PD_FAILED;
		tree_release(d->tree, mark);
		before = platform;
	}
	return 0;
}

/* ------------------------------------------------------------ the document */

static const char *vendor(struct document *d)
{
	const char *text = tree_text(tree_child(d->root, "DocumentPublisher"), "IssuingAuthority");

	TREE_EACH(branch, tree_child(d->root, "ProductTree"), "Branch") {
		const char *type = tree_attr(d->tree, branch, "Type");

		if (type && strcmp(type, "Vendor") == 0)
			return tree_attr(d->tree, branch, "Name");
	}
	return text && strlen(text) <= 64 ? text : NULL; /* else it is an essay */
}

static const char *self(struct document *d)
{
	const struct node *list = tree_child(d->root, "DocumentReferences");

	TREE_EACH(n, list, "Reference") {
		const char *type = tree_attr(d->tree, n, "Type");

		if (type && strcmp(type, "Self") == 0 && tree_text(n, "URL"))
			return tree_text(n, "URL");
	}
	return tree_text(tree_child(list, "Reference"), "URL");
}

/* The notes that tell what it is about. */
static const char *notes(struct document *d)
{
	struct tree_text text = { .len = 0 };

	TREE_EACH(n, tree_child(d->root, "DocumentNotes"), "Note") {
		const char *type = tree_attr(d->tree, n, "Type");

		if (*n->text && type && (!strcmp(type, "Summary") || !strcmp(type, "General") ||
					 !strcmp(type, "Details") || !strcmp(type, "Description")))
			tree_append(d->tree, &text, "%s%s", text.len ? "\n\n" : "", n->text);
	}
	return text.data;
}

static bool is_final(const char *status)
{
	return !status || (strcasecmp(status, "Draft") != 0 && strcasecmp(status, "Interim") != 0);
}

static int take(struct tree *t, const struct node *root)
{
	struct document d = { .tree = t, .root = root };
	const struct node *tracking = tree_child(root, "DocumentTracking");
	const char *id = tree_text(tree_child(tracking, "Identification"), "ID");
	const char *title = tree_text(root, "DocumentTitle");

	if (!id)
		return pd_fail(t->ctx, PD_FAILED, "the document has no DocumentTracking/Identification/ID");
	d.head = (struct pd_update_head){ .size = sizeof(d.head), .line = root->line, .id = id,
		.title = title ? title : id, .revision = tree_text(tracking, "Version"),
		.vendor = vendor(&d), .url = self(&d), .description = notes(&d),
		.kind = PD_CLASS_SECURITY, .disk_bytes = -1,
		.status = is_final(tree_text(tracking, "Status")) ? PD_STATUS_FINAL : PD_STATUS_TESTING,
		.issued = tree_time(t, tree_text(tracking, "InitialReleaseDate")),
		.updated = tree_time(t, tree_text(tracking, "CurrentReleaseDate")) };
	cvrf_products(&d);
	return cvrf_has_fixes(&d) ? cvrf_fixes(&d) : whole(&d);
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct tree t = { .ctx = ctx, .entry = "cvrfdoc", .take = take };

	return tree_read(&t);
}

static int recognize(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "cvrfdoc") ? 95 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "cvrf",
	.help = "security advisories in CVRF 1.1 and 1.2",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "cvrf",
	.version = "1.0",
	.help = "security advisories of Microsoft, SUSE, Red Hat and others (CVRF)",
	.readers = readers,
);
