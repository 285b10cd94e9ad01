/* SPDX-License-Identifier: MIT */
/* The plugin mssecure: on which products a patch belongs, and by which files and
 * registry keys it is seen to be there. */
#include <string.h>

#include "mssecure.h"

static int rule(const struct tables *x, unsigned tree, unsigned op)
{
	return pd_update_rule(x->tree->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = (uint16_t)op });
}

/* A test without a value asks whether there is one. */
static int test(const struct tables *x, unsigned tree, struct pd_rule r)
{
	r.size = sizeof(r);
	r.tree = (uint16_t)tree;
	r.op = PD_RULE_TEST;
	return pd_update_rule(x->tree->ctx, &r);
}

static const char *name_of(const struct tables *x, const struct node *n)
{
	return n ? mssecure_value(x, n, "Name") : NULL;
}

/* The name of what it refers to; what is not in the tables stays a thing to be
 * asked for, since to leave it out would answer. */
static const char *asked(const struct tables *x, const struct tree_index *table,
			 const struct node *from, const char *attribute)
{
	const char *name = name_of(x, mssecure_find(x, table, from, attribute));
	const char *id = name ? name : tree_attr(x->tree, from, attribute);

	return id ? id : "unnamed";
}

/* Any of these service packs of the product; without one, any at all. */
static int product(const struct tables *x, const struct node *affected)
{
	const unsigned tree = PD_RULES_APPLICABLE;
	const char *name = asked(x, &x->products, affected, "ProductID");

	if (rule(x, tree, PD_RULE_ALL) ||
	    test(x, tree, (struct pd_rule){ .kind = "x-windows-product", .subject = name }))
		return PD_FAILED;
	if (tree_child(affected, "AffectedServicePack")) {
		if (rule(x, tree, PD_RULE_ANY))
			return PD_FAILED;
		TREE_EACH(n, affected, "AffectedServicePack") {
			const char *pack = asked(x, &x->packs, n, "ServicePackID");

			if (test(x, tree, (struct pd_rule){ .kind = "x-service-pack", .subject = pack }))
				return PD_FAILED;
		}
		if (rule(x, tree, PD_RULE_CLOSE))
			return PD_FAILED;
	}
	return rule(x, tree, PD_RULE_CLOSE);
}

static bool is(const char *command, const char *letter)
{
	return command && strcmp(command, letter) == 0;
}

/* A version if it has one, else a checksum, else that it is there. */
static int file_test(const struct tables *x, const struct node *change, const char *path)
{
	const char *version = mssecure_value(x, change, "Version");
	const char *sum = mssecure_value(x, change, "Checksum");

	return test(x, PD_RULES_INSTALLED, version ?
		(struct pd_rule){ .kind = "x-file", .subject = path, .field = "version",
				  .compare = PD_CMP_GE, .scheme = PD_SCHEME_WINDOWS, .value = version } :
		sum && strcmp(sum, "0") != 0 ?
		(struct pd_rule){ .kind = "x-file", .subject = path, .field = "checksum",
				  .compare = PD_CMP_EQ, .value = sum } :
		(struct pd_rule){ .kind = "x-file", .subject = path });
}

static int file(const struct tables *x, const struct node *change)
{
	const struct node *named = change->parent->parent; /* File/FileChanges/FileChange */
	const char *folder = mssecure_path(x, named, "LocationID"), *name = name_of(x, named);
	const char *command = tree_attr(x->tree, change, "CommandID");
	const unsigned tree = PD_RULES_INSTALLED;

	if (!name || is(command, "u"))
		return 0;
	name = folder ? tree_print(x->tree, "%s\\%s", folder, name) : name;
	if (is(command, "d"))
		return test(x, tree, (struct pd_rule){ .kind = "x-file", .subject = name, .negate = 1 });
	if (!is(command, "e")) /* changed if it is there */
		return file_test(x, change, name);
	if (rule(x, tree, PD_RULE_ANY) ||
	    test(x, tree, (struct pd_rule){ .kind = "x-file", .subject = name, .negate = 1 }) ||
	    file_test(x, change, name))
		return PD_FAILED;
	return rule(x, tree, PD_RULE_CLOSE);
}

static int key(const struct tables *x, const struct node *change)
{
	const char *path = mssecure_path(x, change, "LocationID");
	const char *name = name_of(x, change->parent->parent); /* RegKey/RegChanges/RegChange */
	const char *value = mssecure_value(x, change, "RegChangeValue");

	if (!path)
		return 0;
	path = name ? tree_print(x->tree, "%s\\%s", path, name) : path;
	return test(x, PD_RULES_INSTALLED, value ?
		(struct pd_rule){ .kind = "x-registry", .subject = path, .field = "data",
				  .compare = PD_CMP_EQ, .value = value } :
		(struct pd_rule){ .kind = "x-registry", .subject = path });
}

static int installed(const struct tables *x, const struct node *patch)
{
	struct tree_mark mark = tree_mark(x->tree);

	TREE_EACH(n, tree_child(patch, "FileChgs"), "FileChg") {
		const struct node *change = mssecure_find(x, &x->files, n, "FileChangeID");

		if (change && file(x, change))
			return PD_FAILED;
		tree_release(x->tree, mark);
	}
	TREE_EACH(n, tree_child(patch, "RegChgs"), "RegChg") {
		const struct node *change = mssecure_find(x, &x->keys, n, "RegChangeID");

		if (change && key(x, change))
			return PD_FAILED;
		tree_release(x->tree, mark);
	}
	return 0;
}

int mssecure_rules(const struct tables *x, const struct node *patch)
{
	struct tree_mark mark = tree_mark(x->tree);

	if (tree_child(patch, "AffectedProduct")) {
		if (rule(x, PD_RULES_APPLICABLE, PD_RULE_ANY))
			return PD_FAILED;
		TREE_EACH(n, patch, "AffectedProduct") {
			if (product(x, n))
				return PD_FAILED;
			tree_release(x->tree, mark);
		}
		if (rule(x, PD_RULES_APPLICABLE, PD_RULE_CLOSE))
			return PD_FAILED;
	}
	return installed(x, patch);
}
