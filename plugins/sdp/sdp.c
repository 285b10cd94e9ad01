/* SPDX-License-Identifier: MIT */
/* The plugin sdp: the reader of catalogs for SMS and SCUP, and of the packages
 * for local publishing with WSUS that they consist of. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sdp.h"

/* A package's id.  Vendors write the same GUID in both letter cases, and in braces. */
static const char *id_of(struct tree *t, const char *text)
{
	size_t braces = text && *text == '{', len = text ? strlen(text) - braces : 0;
	char *id;

	if (len != 36 + braces || (braces && text[37] != '}') ||
	    strspn(text + braces, "0123456789abcdefABCDEF-") != 36)
		return text;
	id = tree_alloc(t, 37);
	for (size_t i = 0; i < 36; i++)
		id[i] = (char)tolower((unsigned char)text[braces + i]);
	return id;
}

/* ---------------------------------------------------------------- the head */

/* The texts in English, else those of the default language, else the first. */
static const struct node *texts(struct tree *t, const struct node *p, const struct node *properties)
{
	const char *usual = tree_attr(t, properties, "DefaultPropertiesLanguage");
	const struct node *best = tree_child(p, "LocalizedProperties");

	for (int pass = usual ? 0 : 1; pass < 2; pass++)
		TREE_EACH(n, p, "LocalizedProperties")
			TREE_EACH(language, n, "Language")
				if (pass ? strncasecmp(language->text, "en", 2) == 0 &&
					   strchr("-", language->text[2]) :
					   strcasecmp(language->text, usual) == 0) {
					best = n;
					break;
				}
	return best;
}

static enum pd_severity severity(const char *word)
{
	static const struct { const char *word; enum pd_severity severity; } words[] = {
		{ "None", PD_SEVERITY_NONE }, { "Low", PD_SEVERITY_LOW },
		{ "Moderate", PD_SEVERITY_MODERATE }, { "Important", PD_SEVERITY_IMPORTANT },
		{ "Critical", PD_SEVERITY_CRITICAL } };

	for (size_t i = 0; word && i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(word, words[i].word) == 0)
			return words[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

/* By classification, and by the product where vendors use it for that. */
static enum pd_class class_of(struct tree *t, const struct node *p, const char *product)
{
	static const struct { const char *word; enum pd_class kind; } words[] = {
		{ "Security Updates", PD_CLASS_SECURITY }, { "Drivers", PD_CLASS_DRIVER },
		{ "Driver", PD_CLASS_DRIVER }, { "Firmware", PD_CLASS_FIRMWARE },
		{ "BIOS", PD_CLASS_FIRMWARE }, { "Critical Updates", PD_CLASS_BUGFIX },
		{ "Updates", PD_CLASS_BUGFIX }, { "Update Rollups", PD_CLASS_BUGFIX },
		{ "Hotfix", PD_CLASS_BUGFIX }, { "Service Packs", PD_CLASS_BUGFIX },
		{ "Feature Packs", PD_CLASS_ENHANCEMENT }, { "Tools", PD_CLASS_ENHANCEMENT } };
	const char *given = tree_attr(t, tree_child(p, "UpdateSpecificData"), "UpdateClassification");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if ((given && strcasecmp(given, words[i].word) == 0) ||
		    (i && product && strcasecmp(product, words[i].word) == 0))
			return words[i].kind;
	if (tree_child(p, "DriverSpecificData"))
		return PD_CLASS_DRIVER;
	return tree_child(p, "ApplicationSpecificData") ? PD_CLASS_NEWPACKAGE : PD_CLASS_OTHER;
}

static bool says(struct tree *t, const struct node *n, const char *name, const char *word)
{
	const char *value = tree_attr(t, n, name);

	return value && strcasecmp(value, word) == 0;
}

/* Products and demands, for which the model has no fields. */
static const char *description(struct tree *t, const struct node *p, const struct node *words,
			       const struct node *properties)
{
	const char *said = tree_text(words, "Description"), *before = said ? "\n\n" : "";
	bool alone = false, network = false, named = false;
	struct tree_text text = { .len = 0 };

	tree_append(t, &text, "%s", said ? said : "");
	TREE_EACH(n, properties, "ProductName") {
		tree_append(t, &text, "%s%s", named ? ", " : before, named ? "" : "Product: ");
		tree_append(t, &text, "%s", n->text);
		named = true;
		before = "\n";
	}
	TREE_EACH(item, p, "InstallableItem") {
		const struct node *how = tree_child(item, "InstallProperties");

		alone |= says(t, how, "Impact", "RequiresExclusiveHandling");
		network |= says(t, how, "RequiresNetworkConnectivity", "true");
	}
	if (alone)
		tree_append(t, &text, "%sIt has to be installed alone.", before);
	if (network)
		tree_append(t, &text, "%sIt needs the network while it is installed.", alone ? "\n" : before);
	return text.data;
}

/* What all of the items ask for. */
static void behavior(struct tree *t, const struct node *p, struct pd_update_head *h)
{
	bool may = false, never = false, always = false;

	TREE_EACH(item, p, "InstallableItem") {
		const struct node *how = tree_child(item, "InstallProperties");

		always |= says(t, how, "RebootBehavior", "AlwaysRequiresReboot");
		may |= says(t, how, "RebootBehavior", "CanRequestReboot");
		never |= says(t, how, "RebootBehavior", "NeverReboots");
		h->interactive |= says(t, how, "CanRequestUserInput", "true");
	}
	h->restart = always ? PD_RESTART_REBOOT :
		     never && !may ? PD_RESTART_NONE : PD_RESTART_UNKNOWN;
}

static int head(struct tree *t, const struct node *p, const char *id)
{
	const struct node *properties = tree_child(p, "Properties");
	const struct node *words = texts(t, p, properties), *data = tree_child(p, "UpdateSpecificData");
	const char *date = tree_attr(t, properties, "CreationDate"), *title = tree_text(words, "Title");
	struct pd_update_head h = { .size = sizeof(h), .line = p->line, .id = id,
		.revision = date, .title = title ? title : id,
		.description = description(t, p, words, properties),
		.url = tree_text(properties, "MoreInfoUrl"),
		.vendor = tree_attr(t, properties, "VendorName"),
		.severity_text = tree_attr(t, data, "MsrcSeverity"), .disk_bytes = -1,
		.issued = tree_time(t, date) };

	h.severity = (uint16_t)severity(h.severity_text);
	h.kind = (uint16_t)(tree_child(p, "BundledPackages") ? PD_CLASS_BUNDLE :
			    class_of(t, p, tree_text(properties, "ProductName")));
	if (says(t, properties, "PublicationState", "Expired"))
		h.status = PD_STATUS_RETIRED;
	if (date && !h.issued)
		pd_ignored(t->ctx, properties->line, tree_print(t, "CreationDate \"%s\" is no date", date));
	behavior(t, p, &h);
	return pd_update_begin(t->ctx, &h);
}

/* ----------------------------------------------------------- its relations */

static int relation(struct tree *t, unsigned kind, const char *target)
{
	return pd_update_relation(t->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target });
}

/* Ids of packages in one of the lists; groups of alternatives are no part of it. */
static int packages(struct tree *t, const struct node *list, unsigned kind)
{
	TREE_EACH(n, list, "PackageID")
		if (*n->text && relation(t, kind, id_of(t, n->text)))
			return PD_FAILED;
	return 0;
}

/* Names that people use: a bare number is one of the Knowledge Base. */
static int aliases(struct tree *t, const struct node *p)
{
	static const char *const names[] = { "SecurityBulletinID", "CVEID", "CveID", "KBArticleID" };
	const char *before = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		TREE_EACH(n, tree_child(p, "UpdateSpecificData"), names[i]) {
			bool number = *n->text && !n->text[strspn(n->text, "0123456789")];
			const char *name = number ? tree_print(t, "KB%s", n->text) : n->text;

			if (*name && strcmp(name, before) != 0 && relation(t, PD_REL_ALIAS, name))
				return PD_FAILED;
			before = name;
		}
	return 0;
}

/* Groups of which one is enough: a group of one is a requirement. */
static int single_prerequisites(struct tree *t, const struct node *p)
{
	TREE_EACH(group, tree_child(p, "Prerequisites"), "AtLeastOne") {
		const struct node *first = tree_child(group, "PackageID");

		if (first && !tree_next(first, "PackageID") &&
		    relation(t, PD_REL_REQUIRES, id_of(t, first->text)))
			return PD_FAILED;
	}
	return 0;
}

static int relations(struct tree *t, const struct node *p)
{
	const char *support = tree_text(tree_child(p, "Properties"), "SupportUrl");

	if (aliases(t, p) ||
	    packages(t, tree_child(p, "SupersededPackages"), PD_REL_SUPERSEDES) ||
	    packages(t, tree_child(p, "Prerequisites"), PD_REL_REQUIRES) ||
	    single_prerequisites(t, p) ||
	    packages(t, tree_child(p, "BundledPackages"), PD_REL_BUNDLES))
		return PD_FAILED;
	TREE_EACH(group, tree_child(p, "BundledPackages"), "AtLeastOne")
		if (packages(t, group, PD_REL_BUNDLES))
			return PD_FAILED;
	return support ? pd_update_relation(t->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = PD_REL_REFERENCE, .target = support,
		.title = "support" }) : 0;
}

/* --------------------------------------------------------------- its rules */

/* No relation says one of several; so it is asked for. */
static int alternatives(struct tree *t, const struct node *p)
{
	TREE_EACH(group, tree_child(p, "Prerequisites"), "AtLeastOne") {
		const struct node *first = tree_child(group, "PackageID");

		if (!first || !tree_next(first, "PackageID"))
			continue;
		if (sdp_rule(t, PD_RULES_APPLICABLE, PD_RULE_ANY))
			return PD_FAILED;
		TREE_EACH(n, group, "PackageID")
			if (sdp_test(t, PD_RULES_APPLICABLE, "x-prerequisite", id_of(t, n->text)))
				return PD_FAILED;
		if (sdp_rule(t, PD_RULES_APPLICABLE, PD_RULE_CLOSE))
			return PD_FAILED;
	}
	return 0;
}

/* One of an item's rules; @p op holds what is in it. */
static int item_rules(struct tree *t, unsigned tree, unsigned op, const struct node *item,
		      const char *name)
{
	const struct node *rules = tree_child(tree_child(item, "ApplicabilityRules"), name);

	if (sdp_rule(t, tree, op))
		return PD_FAILED;
	return sdp_rules(t, tree, rules) ? PD_FAILED : sdp_rule(t, tree, PD_RULE_CLOSE);
}

static bool has_rules(const struct node *item, const char *name)
{
	return tree_child(tree_child(tree_child(item, "ApplicabilityRules"), name), NULL);
}

/* Of any item. */
static bool have_rules(const struct node *p, const char *name)
{
	TREE_EACH(item, p, "InstallableItem")
		if (has_rules(item, name))
			return true;
	return false;
}

/* Could the item be installed? */
static int installable(struct tree *t, unsigned tree, const struct node *item)
{
	if (has_rules(item, "IsInstallable") &&
	    item_rules(t, tree, PD_RULE_ALL, item, "IsInstallable"))
		return PD_FAILED;
	return has_rules(item, "IsSuperseded") ?
	       item_rules(t, tree, PD_RULE_NONE, item, "IsSuperseded") : 0;
}

/* Of several items: each is there or can't be, and one is there. */
static int several_installed(struct tree *t, const struct node *p)
{
	const unsigned tree = PD_RULES_INSTALLED;

	if (!have_rules(p, "IsInstalled"))
		return 0;
	TREE_EACH(item, p, "InstallableItem")
		/* nothing to see it by: not there, any of nothing */
		if (sdp_rule(t, tree, PD_RULE_ANY) ||
		    item_rules(t, tree, has_rules(item, "IsInstalled") ? PD_RULE_ALL : PD_RULE_ANY,
			       item, "IsInstalled") ||
		    sdp_rule(t, tree, PD_RULE_NONE) || sdp_rule(t, tree, PD_RULE_ALL) ||
		    installable(t, tree, item) || sdp_rule(t, tree, PD_RULE_CLOSE) ||
		    sdp_rule(t, tree, PD_RULE_CLOSE) || sdp_rule(t, tree, PD_RULE_CLOSE))
			return PD_FAILED;
	if (sdp_rule(t, tree, PD_RULE_ANY))
		return PD_FAILED;
	TREE_EACH(item, p, "InstallableItem")
		if (has_rules(item, "IsInstalled") &&
		    item_rules(t, tree, PD_RULE_ALL, item, "IsInstalled"))
			return PD_FAILED;
	return sdp_rule(t, tree, PD_RULE_CLOSE);
}

/* Of several items: one can be installed. */
static int several_installable(struct tree *t, const struct node *p)
{
	const unsigned tree = PD_RULES_APPLICABLE;

	if (!have_rules(p, "IsInstallable") && !have_rules(p, "IsSuperseded"))
		return 0;
	if (sdp_rule(t, tree, PD_RULE_ANY))
		return PD_FAILED;
	TREE_EACH(item, p, "InstallableItem")
		if (sdp_rule(t, tree, PD_RULE_ALL) || installable(t, tree, item) ||
		    sdp_rule(t, tree, PD_RULE_CLOSE))
			return PD_FAILED;
	return sdp_rule(t, tree, PD_RULE_CLOSE);
}

/* Those of the package and those of its items have to be true. */
static int rules(struct tree *t, const struct node *p)
{
	const struct node *item = tree_child(p, "InstallableItem");
	bool several = item && tree_next(item, "InstallableItem");

	if (alternatives(t, p) ||
	    sdp_rules(t, PD_RULES_APPLICABLE, tree_child(p, "IsInstallable")) ||
	    (several ? several_installable(t, p) : installable(t, PD_RULES_APPLICABLE, item)) ||
	    sdp_rules(t, PD_RULES_INSTALLED, tree_child(p, "IsInstalled")))
		return PD_FAILED;
	return several ? several_installed(t, p) :
	       has_rules(item, "IsInstalled") ?
	       sdp_rules(t, PD_RULES_INSTALLED,
			 tree_child(tree_child(item, "ApplicabilityRules"), "IsInstalled")) : 0;
}

/* -------------------------------------------------------------- the package */

/* What stands there and is neither read nor named in the manual. */
static void report_rest(struct tree *t, const struct node *n, unsigned depth)
{
	static const char *const known[] = {
		"Properties", "LocalizedProperties", "UpdateSpecificData", "ApplicationSpecificData",
		"DriverSpecificData", "DetectoidSpecificData", "IsInstallable", "IsInstalled",
		"SupersededPackages", "Prerequisites", "BundledPackages", "InstallableItem",
		"MoreInfoUrl", "SupportUrl", "ProductName", "ReadmeUrl",
		"ApplicabilityRules", "InstallProperties", "UninstallProperties", "OriginFile",
		"Language", "IsSuperseded", "Metadata" };

	TREE_EACH(child, n, NULL) {
		const char *end = strstr(child->name, "InstallerData");
		bool found = end && !end[13];

		for (size_t i = 0; !found && i < sizeof(known) / sizeof(*known); i++)
			found = strcmp(child->name, known[i]) == 0;
		if (!found)
			pd_ignored(t->ctx, child->line, tree_print(t, "<%s> in <%s> is not read",
				child->name, n->name));
		else if (depth && (strcmp(child->name, "Properties") == 0 ||
				   strcmp(child->name, "InstallableItem") == 0))
			report_rest(t, child, depth - 1);
	}
}

static int take(struct tree *t, const struct node *p)
{
	const char *id = id_of(t, tree_attr(t, tree_child(p, "Properties"), "PackageID"));

	if (!id) {
		pd_ignored(t->ctx, p->line, "a package has no PackageID");
		return 0;
	}
	report_rest(t, p, 1);
	return head(t, p, id) || relations(t, p) || sdp_payloads(t, p) || sdp_installers(t, p) ||
	       rules(t, p) || pd_update_end(t->ctx) ? PD_FAILED : 0;
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct tree t = { .ctx = ctx, .entry = "SoftwareDistributionPackage", .take = take };

	return tree_read(&t);
}

static int recognize(const unsigned char *head, size_t len)
{
	return tree_starts_with(head, len, "SystemsManagementCatalog") ||
	       tree_starts_with(head, len, "SoftwareDistributionPackage") ? 95 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "sdp",
	.help = "catalogs for SMS and SCUP, and single packages (SDP)",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "sdp",
	.version = "1.0",
	.help = "software distribution packages of Windows vendors",
	.readers = readers,
);
