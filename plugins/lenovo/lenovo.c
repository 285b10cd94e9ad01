/* SPDX-License-Identifier: MIT */
/* The plugin lenovo: the reader of Lenovo's catalog of driver packs for
 * deployment, <Products>, of the package descriptors of System Update, and of the
 * lists of those for a model. */
#include <ctype.h>
#include <string.h>

#include "lenovo.h"

#define SUPPORT "https://support.lenovo.com/downloads/"

int lenovo_test(struct tree *t, unsigned tree, const char *kind, const char *field,
		unsigned compare, const char *value)
{
	return pd_update_rule(t->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .compare = (uint16_t)compare,
		.kind = kind, .field = field, .value = value });
}

int lenovo_installer(struct tree *t, unsigned kind, const char *line)
{
	bool quoted = line && *line == '"';
	size_t len = line ? strcspn(line + quoted, quoted ? "\"" : " ") : 0;
	const char *rest = line ? line + quoted + len : "";

	rest += quoted && *rest;
	return !len ? 0 : pd_update_installer(t->ctx, &(struct pd_installer){
		.size = sizeof(struct pd_installer), .kind = kind,
		.command = tree_print(t, "%.*s", (int)len, line + quoted),
		.arguments = rest + strspn(rest, " ") });
}

/* ------------------------------------------- one model, <Product>, and its parts */

/* What a product offers: a driver pack, a BIOS, a program for its hardware. */
struct part {
	const char *id, *title, *url, *command, *note;
	unsigned kind;
	int64_t issued;
};

static const char *cased(struct tree *t, const char *s, int (*to)(int))
{
	char *copy = tree_alloc(t, strlen(s) + 1);

	for (size_t i = 0; s[i]; i++)
		copy[i] = (char)to((unsigned char)s[i]);
	return copy;
}

int lenovo_maker(struct tree *t)
{
	return lenovo_test(t, PD_RULES_APPLICABLE, "hardware", "vendor", PD_CMP_MATCH, "^L(ENOVO|enovo)");
}

/* Machine types are the first four characters of what DMI calls the product. */
static int rules(struct tree *t, const struct node *product)
{
	const struct node *types = tree_child(tree_child(product, "Queries"), "Types");
	const char *pattern = "^(";
	int result = lenovo_group(t, PD_RULES_APPLICABLE, PD_RULE_ALL);

	TREE_EACH(type, types, "Type")
		if (strlen(type->text) == 4 && isalnum((unsigned char)type->text[0]) &&
		    isalnum((unsigned char)type->text[1]) && isalnum((unsigned char)type->text[2]) &&
		    isalnum((unsigned char)type->text[3]) && strlen(pattern) < 900)
			pattern = tree_print(t, "%s%s%s", pattern, pattern[2] ? "|" : "", type->text);
	result = result ? result : lenovo_maker(t);
	if (pattern[2] && !result)
		result = lenovo_test(t, PD_RULES_APPLICABLE, "hardware", "product", PD_CMP_MATCH,
				     tree_print(t, "%s)", pattern));
	result = result ? result : lenovo_test(t, PD_RULES_APPLICABLE, "os", "id", PD_CMP_EQ, "windows");
	/* which Windows, no scanner tells; in descriptors it is WIN10, here win10 */
	result = result ? result : lenovo_test(t, PD_RULES_APPLICABLE, "x-windows", "name", PD_CMP_EQ,
					       cased(t, tree_attr(t, product, "os"), toupper));
	if (tree_attr(t, product, "build") && strcmp(tree_attr(t, product, "build"), "*") != 0 && !result)
		result = lenovo_test(t, PD_RULES_APPLICABLE, "x-windows", "release", PD_CMP_EQ,
				     tree_attr(t, product, "build"));
	return result ? result : lenovo_group(t, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* @p NULL: the product itself, with @id. */
static int begin(struct tree *t, const struct node *product, const char *id, const struct part *p)
{
	return pd_update_begin(t->ctx, &(struct pd_update_head){ .size = sizeof(struct pd_update_head),
		.line = product->line, .id = p ? p->id : id,
		.title = p ? p->title : tree_text(product, "Name"),
		.description = p ? p->note : tree_text(product, "Tip"),
		.url = p ? p->url : NULL, .vendor = "Lenovo",
		.kind = p ? (uint16_t)p->kind : PD_CLASS_BUNDLE, .issued = p ? p->issued : 0,
		.disk_bytes = -1 });
}

static int emit_part(struct tree *t, const struct node *product, const struct part *p)
{
	int result = begin(t, product, NULL, p);

	result = result ? result : lenovo_installer(t, PD_INSTALL, p->command);
	result = result ? result : rules(t, product);
	return result ? result : pd_update_end(t->ctx);
}

/* "https://support.lenovo.com/downloads/ds103" -> "ds103" */
static const char *last_of(const char *url)
{
	return strrchr(url, '/') ? strrchr(url, '/') + 1 : url;
}

static struct part driver_pack(struct tree *t, const struct node *n, const char *id, const char *name)
{
	const char *target = tree_attr(t, n, "id"), *month = tree_attr(t, n, "date");
	struct part p = { .kind = PD_CLASS_DRIVER, .url = n->text };

	p.id = tree_print(t, "%s/%s", id, target ? target : last_of(n->text));
	p.title = tree_print(t, "Drivers for %s%s%s", name, target ? ", " : "", target ? target : "");
	if (month && strlen(month) == 6)
		p.issued = tree_time(t, tree_print(t, "%.4s-%s-01", month, month + 4));
	return p;
}

static struct part bios(struct tree *t, const struct node *n, const char *id, const char *name)
{
	const char *number = cased(t, n->text, tolower);

	return (struct part){ .id = tree_print(t, "%s/BIOS", id), .kind = PD_CLASS_FIRMWARE,
			      .title = tree_print(t, "BIOS of %s", name),
			      .url = strncmp(number, "http", 4) == 0 ? n->text :
				     tree_print(t, SUPPORT "%s", number) };
}

static struct part program(struct tree *t, const struct node *n, const char *id)
{
	const char *url = tree_text(n, "downloadURL"), *category = tree_attr(t, n, "category");
	const char *key = url ? last_of(url) : tree_text(n, "name");

	return (struct part){
		.id = !key ? NULL : tree_print(t, "%s/%s%s%s", id, category ? category : "",
					       category ? "/" : "", key),
		.title = tree_text(n, "name"), .url = url, .command = tree_text(n, "installCmd"),
		.note = tree_text(n, "tip"), .kind = PD_CLASS_DRIVER };
}

/* Instead of an address some say "no winpe" or "not available". */
static bool is_address(const char *text)
{
	return strncmp(text, "http", 4) == 0;
}

/* All parts of a product, to @p out if there is room.  @return how many. */
static size_t parts_of(struct tree *t, const struct node *product, const char *id, struct part *out)
{
	const char *name = tree_text(product, "Name");
	size_t n = 0;

	name = name ? name : id;
	TREE_EACH(pack, product, "DriverPack")
		if (is_address(pack->text))
			out[n++] = driver_pack(t, pack, id, name);
	TREE_EACH(update, product, "BIOSUpdate")
		if (*update->text)
			out[n++] = bios(t, update, id, name);
	TREE_EACH(app, tree_child(product, "HardwareApps"), "HardwareApp") {
		out[n] = program(t, app, id);
		if (out[n].id)
			n++;
		else
			pd_ignored(t->ctx, app->line, "a <HardwareApp> has neither downloadURL nor name");
	}
	return n;
}

static size_t room_for(const struct node *product)
{
	size_t n = 0;

	TREE_EACH(child, product, NULL)
		n++;
	TREE_EACH(child, tree_child(product, "HardwareApps"), NULL)
		n++;
	return n + 1;
}

static int take_product(struct tree *t, const struct node *product)
{
	const char *model = tree_attr(t, product, "model"), *os = tree_attr(t, product, "os");
	const char *build = tree_attr(t, product, "build"), *id;
	struct part *parts = tree_alloc(t, room_for(product) * sizeof(*parts));
	size_t n;
	int result;

	if (!model || !os) {
		pd_ignored(t->ctx, product->line, "a <Product> needs the attributes model and os");
		return 0;
	}
	id = tree_print(t, "%s/%s/%s", model, os, build ? build : "*");
	n = parts_of(t, product, id, parts);
	result = begin(t, product, id, NULL);
	for (size_t i = 0; i < n && !result; i++)
		result = pd_update_relation(t->ctx, &(struct pd_relation){
			.size = sizeof(struct pd_relation), .kind = PD_REL_BUNDLES, .target = parts[i].id });
	result = result ? result : pd_update_end(t->ctx);
	for (size_t i = 0; i < n && !result; i++)
		result = emit_part(t, product, &parts[i]);
	return result;
}

/* ------------------------------------------------------------------ the files */

/* The name of the root is seen only by reading on: which one, recognize said. */
static int read_products(struct pd_ctx *ctx)
{
	return tree_read(&(struct tree){ .ctx = ctx, .entry = "Product", .take = take_product });
}

static int read_package(struct pd_ctx *ctx)
{
	return tree_read(&(struct tree){ .ctx = ctx, .entry = "Package", .take = lenovo_package });
}

static int read_packages(struct pd_ctx *ctx)
{
	return tree_read(&(struct tree){ .ctx = ctx, .entry = "package", .take = lenovo_listed });
}

static int recognize_products(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "Products") ? 60 : 0;
}

static int recognize_package(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "Package") ? 60 : 0;
}

static int recognize_packages(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "packages") ? 60 : 0;
}

static const struct pd_reader products = {
	PD_READER,
	.name = "products",
	.help = "Lenovo's catalog of driver packs by model, <Products>",
	.recognize = recognize_products,
	.read = read_products,
};

static const struct pd_reader package = {
	PD_READER,
	.name = "package",
	.help = "package descriptors of Lenovo's System Update, <Package>",
	.recognize = recognize_package,
	.read = read_package,
};

static const struct pd_reader packages = {
	PD_READER,
	.name = "packages",
	.help = "lists of Lenovo's package descriptors for a model, <packages>",
	.recognize = recognize_packages,
	.read = read_packages,
};

static const struct pd_reader *const readers[] = { &products, &package, &packages, NULL };

PD_PLUGIN(
	.name = "lenovo",
	.version = "1.0",
	.help = "Lenovo's catalog of models, its package descriptors, and lists of them",
	.readers = readers,
);
