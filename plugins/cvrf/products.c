/* SPDX-License-Identifier: MIT */
/* The plugin cvrf: products, and the packages among them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cvrf.h"

/* A package as its product is called: NAME-[EPOCH:]VERSION-RELEASE[.ARCH][.rpm]. */
struct package {
	const char *name, *epoch, *version, *release, *arch;
	bool source;
};

static bool cut(char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	if (len <= tail || strcmp(text + len - tail, end) != 0)
		return false;
	text[len - tail] = '\0';
	return true;
}

/* lp151.2.63.1, bp153.1: openSUSE names what it was built for.  Products are called
 * in this way too: openEuler-20.03-LTS-SP1, SLES-12-SP5. */
static bool is_named_release(const struct package *p)
{
	return isalnum((unsigned char)*p->release) && strpbrk(p->release, "0123456789") &&
	       strpbrk(p->version, "0123456789") && strncmp(p->release, "SP", 2) != 0;
}

static bool parse(struct document *d, const char *product, struct package *p)
{
	static const char *const archs[] = { "noarch", "x86_64", "i386", "i486", "i586", "i686",
		"aarch64", "armv7hl", "ppc", "ppc64", "ppc64le", "s390", "s390x", "ia64", "riscv64",
		"loongarch64" };
	size_t len = strlen(product);
	char *text = tree_alloc(d->tree, (len < 1000 ? len : 0) + 1), *dash, *colon;

	if (len >= 1000)
		return false;
	*p = (struct package){ .name = text };
	memcpy(text, product, len);
	cut(text, ".rpm");
	p->source = cut(text, ".src") || cut(text, ".nosrc");
	for (size_t i = 0; !p->source && !p->arch && i < sizeof(archs) / sizeof(*archs); i++)
		if (cut(text, tree_print(d->tree, ".%s", archs[i])))
			p->arch = archs[i];
	if (strpbrk(text, " \t\r\n") || !(dash = strrchr(text, '-')))
		return false;
	*dash = '\0';
	p->release = dash + 1;
	if (!(dash = strrchr(text, '-')) || dash == text)
		return false;
	*dash = '\0';
	p->version = dash + 1;
	if (!isdigit((unsigned char)*p->release) && !is_named_release(p))
		return false;
	colon = strchr(dash + 1, ':');
	if (colon) {
		*colon = '\0';
		p->epoch = p->version;
		p->version = colon + 1;
		return p->epoch[strspn(p->epoch, "0123456789")] == '\0' && *p->version;
	}
	return isalnum((unsigned char)*p->version);
}

/* ------------------------------------------------------------ the document */

const char *cvrf_product_name(struct document *d, const char *id)
{
	const struct node *n = tree_find(&d->products, id);

	return n && *n->text ? n->text : id;
}

/* What a part is called: the component of a relationship, or itself. */
static const char *part_name(struct document *d, const struct node *part)
{
	return strcmp(part->name, "Relationship") == 0 ?
	       cvrf_product_name(d, tree_attr(d->tree, part, "ProductReference")) : part->text;
}

/* By a status that says which of the parts are the ones that mend. */
static void fixed(struct document *d, struct tree_index *ids)
{
	static const char *const types[] = { "Fixed", "First Fixed", "Recommended" };

	VULNERABILITIES(v, d)
		TREE_EACH(status, tree_child(v, "ProductStatuses"), "Status") {
			const char *type = tree_attr(d->tree, status, "Type");

			for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++)
				if (strcmp(type, types[i]) == 0)
					TREE_EACH(n, status, "ProductID")
						tree_add(d->tree, ids, n->text, n);
		}
	tree_sort(ids);
}

static void relationship(struct document *d, const struct node *n, const struct tree_index *ids)
{
	const char *platform = tree_attr(d->tree, n, "RelatesToProductReference");
	const char *id = tree_attr(d->tree, tree_child(n, "FullProductName"), "ProductID");
	struct package p;

	if (!platform || !tree_attr(d->tree, n, "ProductReference")) {
		pd_ignored(d->tree->ctx, n->line, "a relationship lacks one of its products");
		return;
	}
	if (ids->len && !tree_find(ids, id))
		return;
	if (parse(d, part_name(d, n), &p))
		tree_add(d->tree, &d->parts, cvrf_product_name(d, platform), n);
	else
		pd_ignored(d->tree->ctx, n->line, tree_print(d->tree, "\"%s\" is no name of a package "
			"with its version", part_name(d, n)));
}

/* "PRODUCT-VERSION" of cpe:/a:VENDOR:PRODUCT:VERSION; "": it says none. */
static const char *cpe_platform(struct document *d, const struct node *n)
{
	const char *cpe = tree_attr(d->tree, n, "CPE"), *product = cpe;
	const char *version;

	for (int i = 0; product && i < 3; i++)
		product = (product = strchr(product, ':')) ? product + 1 : NULL;
	version = product ? strchr(product, ':') : NULL;
	return version ? tree_print(d->tree, "%.*s-%.*s", (int)(version - product), product,
				    (int)strcspn(version + 1, ":"), version + 1) : "";
}

/* A file of a package may stand in the tree by itself; and any package that is known
 * to mend, where nothing relates packages to platforms. */
static bool is_package(struct document *d, const struct node *n, const struct tree_index *ids)
{
	size_t len = strlen(n->text);
	bool file = len > 4 && strcmp(n->text + len - 4, ".rpm") == 0 && strcmp(n->parent->name, "Branch") == 0;
	struct package p;

	if (!parse(d, n->text, &p))
		return false;
	return (file && !p.source && p.arch) ||
	       (!d->related && ids->len && tree_find(ids, tree_attr(d->tree, n, "ProductID")));
}

/* By its CPE, or by the product that it is a version of. */
static const char *platform_of(struct document *d, const struct node *n)
{
	const char *platform = cpe_platform(d, n), *type;

	for (const struct node *b = n->parent; b && !*platform; b = b->parent)
		if ((type = tree_attr(d->tree, b, "Type")) && strcmp(type, "Product Name") == 0)
			platform = tree_attr(d->tree, b, "Name");
	return platform ? platform : "";
}

static void walk(struct document *d, const struct node *list, const struct tree_index *ids, bool relations)
{
	TREE_EACH(n, list, NULL) {
		bool product = strcmp(n->name, "FullProductName") == 0;

		d->related |= strcmp(n->name, "Relationship") == 0;
		if (strcmp(n->name, "Branch") == 0)
			walk(d, n, ids, relations);
		else if (relations && strcmp(n->name, "Relationship") == 0)
			relationship(d, n, ids);
		else if (relations && product && is_package(d, n, ids))
			tree_add(d->tree, &d->parts, platform_of(d, n), n);
		else if (!relations && product)
			tree_add(d->tree, &d->products, tree_attr(d->tree, n, "ProductID"), n);
	}
}

void cvrf_products(struct document *d)
{
	const struct node *list = tree_child(d->root, "ProductTree");
	struct tree_index ids = { .len = 0 };

	walk(d, list, &ids, false);
	tree_sort(&d->products);
	fixed(d, &ids);
	walk(d, list, &ids, true);
	tree_sort(&d->parts);
	cvrf_tell_platforms(d);
}

int cvrf_any_product(struct document *d, struct tree_index *ids)
{
	if (!ids->len)
		return 0;
	tree_sort(ids);
	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ANY))
		return PD_FAILED;
	for (size_t i = 0; i < ids->len; i++)
		if ((!i || strcasecmp(ids->rows[i].key, ids->rows[i - 1].key) != 0) &&
		    cvrf_test(d, (struct pd_rule){ .tree = PD_RULES_APPLICABLE, .kind = "x-product",
			.subject = cvrf_product_name(d, ids->rows[i].key) }))
			return PD_FAILED;
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* ------------------------------------------------------------ the packages */

static const char *full(struct document *d, const struct package *p)
{
	return tree_print(d->tree, "%s%s%s-%s", p->epoch ? p->epoch : "", p->epoch ? ":" : "",
			  p->version, p->release);
}

/* By name, each version that any platform has of it once. */
static void collect_versions(struct document *d)
{
	struct tree_index all = { .len = 0 };
	struct package p;

	for (size_t i = 0; i < d->parts.len; i++)
		if (parse(d, part_name(d, d->parts.rows[i].node), &p) && !p.source)
			tree_add(d->tree, &all, tree_print(d->tree, "%s %s", p.name, full(d, &p)),
				 d->parts.rows[i].node);
	tree_sort(&all);
	for (size_t i = 0; i < all.len; i++)
		if ((!i || strcmp(all.rows[i].key, all.rows[i - 1].key) != 0) &&
		    parse(d, part_name(d, all.rows[i].node), &p))
			tree_add(d->tree, &d->versions, p.name, all.rows[i].node);
	tree_sort(&d->versions);
}

static bool differ(struct document *d)
{
	struct tree_index names = { .len = 0 };
	struct package p, q;

	for (size_t i = 0; i < d->parts.len; i++)
		if (parse(d, part_name(d, d->parts.rows[i].node), &p))
			tree_add(d->tree, &names, tree_print(d->tree, "%s.%s", p.name, p.arch ? p.arch : ""),
				 d->parts.rows[i].node);
	tree_sort(&names);
	for (size_t i = 1; i < names.len; i++)
		if (strcmp(names.rows[i].key, names.rows[i - 1].key) == 0 &&
		    parse(d, part_name(d, names.rows[i].node), &p) &&
		    parse(d, part_name(d, names.rows[i - 1].node), &q) &&
		    strcmp(full(d, &p), full(d, &q)) != 0)
			return true;
	return false;
}

bool cvrf_differ(struct document *d)
{
	bool found = differ(d);

	if (found)
		collect_versions(d);
	return found;
}

static int not_known(struct document *d)
{
	return pd_update_rule(d->tree->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = PD_RULES_APPLICABLE, .op = PD_RULE_UNKNOWN,
		.subject = "its document has other versions for other systems, and which one this is "
			   "is not known" });
}

/* Is one of these versions older than what is there, or the same, and another one newer? */
static int in_between(struct document *d, const char *name, const struct tree_key *rows, size_t n)
{
	static const enum pd_compare ways[] = { PD_CMP_GE, PD_CMP_LT };
	struct package p;

	if (pd_update_rule(d->tree->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = PD_RULES_APPLICABLE, .op = PD_RULE_ANY, .kind = "packages", .subject = name }))
		return PD_FAILED;
	for (size_t way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
		if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ANY))
			return PD_FAILED;
		for (size_t i = 0; i < n; i++)
			if (parse(d, part_name(d, rows[i].node), &p) && cvrf_test(d, (struct pd_rule){
				.tree = PD_RULES_APPLICABLE, .kind = "packages", .field = "version",
				.compare = (uint16_t)ways[way], .scheme = PD_SCHEME_RPM, .value = full(d, &p) }))
				return PD_FAILED;
		if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE))
			return PD_FAILED;
	}
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

int cvrf_agree(struct document *d, const struct tree_index *names)
{
	enum { MANY = 64 }; /* no document is like that; it would take a rule for each pair of them */
	const char *before = "";
	struct package p;

	if (!d->versions.len)
		return 0;
	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ANY) || cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_NONE))
		return PD_FAILED;
	for (size_t i = 0; i < names->len; i++) {
		const struct tree_key *rows;
		size_t n;

		parse(d, part_name(d, names->rows[i].node), &p);
		n = strcmp(p.name, before) != 0 ? tree_range(&d->versions, p.name, &rows) : 0;
		before = p.name;
		if (n > 1 && (n > MANY ? not_known(d) : in_between(d, p.name, rows, n)))
			return PD_FAILED;
	}
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE) || not_known(d) ? PD_FAILED :
	       cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* A row for each, and that one of them is there at all. */
static int binaries(struct document *d, const struct tree_index *names)
{
	struct package p;

	for (size_t i = 0; i < names->len; i++) {
		if (i && strcmp(names->rows[i].key, names->rows[i - 1].key) == 0)
			continue;
		parse(d, part_name(d, names->rows[i].node), &p);
		if (pd_update_package(d->tree->ctx, &(struct pd_package_row){
			.size = sizeof(struct pd_package_row), .scheme = PD_SCHEME_RPM, .name = p.name,
			.epoch = p.epoch, .version = p.version, .release = p.release, .arch = p.arch }))
			return PD_FAILED;
	}
	return 0;
}

static int one_is_there(struct document *d, const struct tree_index *names)
{
	const char *before = "";
	struct package p;

	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ANY))
		return PD_FAILED;
	for (size_t i = 0; i < names->len; i++) {
		parse(d, part_name(d, names->rows[i].node), &p);
		if (strcmp(p.name, before) != 0 && cvrf_test(d, (struct pd_rule){
			.tree = PD_RULES_APPLICABLE, .kind = "packages", .subject = p.name }))
			return PD_FAILED;
		before = p.name;
	}
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* Nothing tells here which packages were built of a source package. */
static int sources(struct document *d, const struct tree_index *names)
{
	struct package p;

	for (size_t i = 0; i < names->len; i++) {
		if (i && strcmp(names->rows[i].key, names->rows[i - 1].key) == 0)
			continue;
		parse(d, part_name(d, names->rows[i].node), &p);
		if (cvrf_test(d, (struct pd_rule){ .tree = PD_RULES_INSTALLED, .kind = "x-source-package",
			.subject = p.name, .field = "version", .compare = PD_CMP_GE,
			.scheme = PD_SCHEME_RPM, .value = full(d, &p) }))
			return PD_FAILED;
	}
	return 0;
}

int cvrf_packages(struct document *d, const char *platform)
{
	struct tree_index built = { .len = 0 }, source = { .len = 0 };
	const struct tree_key *first = d->parts.rows;
	size_t n = platform ? tree_range(&d->parts, platform, &first) : d->parts.len;
	size_t from = (size_t)(first - d->parts.rows);
	struct package p;

	for (size_t i = from; i < from + n; i++)
		if (parse(d, part_name(d, d->parts.rows[i].node), &p))
			tree_add(d->tree, p.source ? &source : &built, tree_print(d->tree, "%s %s %s",
				p.name, full(d, &p), p.arch ? p.arch : ""), d->parts.rows[i].node);
	tree_sort(&built);
	tree_sort(&source);
	if (binaries(d, &built) || cvrf_platforms(d, from, from + n, &built))
		return PD_FAILED;
	return built.len ? one_is_there(d, &built) : sources(d, &source);
}
