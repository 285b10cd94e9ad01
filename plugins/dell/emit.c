/* SPDX-License-Identifier: MIT */
/* From components and bundles to updates with rules. */
#include <ctype.h>
#include <stdlib.h>

#include "dell.h"

/* ---------------------------------------------------------------- rules */

static int test(struct reader *r, unsigned tree, const char *kind, const char *field,
		unsigned compare, const char *value)
{
	return pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .compare = (uint16_t)compare,
		.scheme = compare >= PD_CMP_LT && compare <= PD_CMP_GE ? PD_SCHEME_PLAIN : PD_SCHEME_NONE,
		.kind = kind, .field = field, .value = value });
}

/* A model's name as a pattern in either case: catalogs write R530XD for what
 * calls itself PowerEdge R530xd. */
static void add_model(struct path *pattern, const char *model)
{
	char class[4] = { '[', 0, 0, ']' };

	path_text(pattern, "|", pattern->text_len ? 1 : 0);
	for (; *model; model++) {
		class[1] = (char)toupper((unsigned char)*model);
		class[2] = (char)tolower((unsigned char)*model);
		if (class[1] != class[2])
			path_text(pattern, class, sizeof(class));
		else if (strchr(".^$*+?()[]{}|\\", *model))
			path_text(pattern, ".", 1);
		else
			path_text(pattern, model, 1);
	}
}

static int models_test(struct reader *r, unsigned tree, struct path *pattern)
{
	int result = test(r, tree, "hardware", "product", PD_CMP_MATCH,
			  pd_format(r->path.ctx, "(^| )(%s)$", pattern->text));

	pattern->text_len = 0;
	return result;
}

/* One of its models, by DMI; patterns have to stay below 1,000 characters. */
static int models(struct reader *r, unsigned tree, const struct entry *e)
{
	struct path pattern = { .ctx = r->path.ctx };
	int result = test(r, tree, "hardware", "vendor", PD_CMP_MATCH, "^Dell");

	if (!e->models.len)
		return result;
	result = result ? result : path_rule(r->path.ctx, tree, PD_RULE_ANY);
	for (size_t i = 0; i < e->models.len && !result; i++) {
		if (strlen(e->models.items[i]) > 40)
			continue;
		add_model(&pattern, e->models.items[i]);
		if (pattern.text_len > 700)
			result = models_test(r, tree, &pattern);
	}
	if (pattern.text_len && !result)
		result = models_test(r, tree, &pattern);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* Dell's inventory is one row with a field for each of its numbers. */
#define INVENTORY "x-dell-inventory"

/* Is there such a device?  By its ids on the bus, else by Dell's inventory. */
static int present(struct reader *r, unsigned tree, const struct device *d)
{
	int result = 0;

	if (!d->pci.len)
		return test(r, tree, INVENTORY, d->component, PD_CMP_EXISTS, NULL);
	result = path_rule(r->path.ctx, tree, PD_RULE_ANY);
	for (size_t i = 0; i < d->pci.len && !result; i++)
		result = test(r, tree, "devices", "modalias", PD_CMP_MATCH, d->pci.items[i]);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

static int any_present(struct reader *r, unsigned tree, const struct entry *e)
{
	int result = path_rule(r->path.ctx, tree, PD_RULE_ANY);

	for (size_t i = 0; i < e->n_devices && !result; i++)
		result = present(r, tree, &e->devices[i]);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* One that is there and has an older version? */
static int none_older(struct reader *r, const struct entry *e)
{
	const unsigned tree = PD_RULES_INSTALLED;
	int result = path_rule(r->path.ctx, tree, PD_RULE_NONE);

	for (size_t i = 0; i < e->n_devices && !result; i++) {
		result = path_rule(r->path.ctx, tree, PD_RULE_ALL);
		result = result ? result : present(r, tree, &e->devices[i]);
		result = result ? result : test(r, tree, INVENTORY, e->devices[i].component,
						PD_CMP_LT, e->version);
		result = result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
	}
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* The system's own firmware is a fact of every server. */
static bool is_bios(const struct entry *e)
{
	return strcmp(e->type, "BIOS") == 0;
}

static int installed(struct reader *r, const struct entry *e)
{
	const unsigned tree = PD_RULES_INSTALLED;
	int result = path_rule(r->path.ctx, tree, PD_RULE_ALL);

	result = result ? result : models(r, tree, e);
	if (is_bios(e)) {
		result = result ? result : test(r, tree, "hardware", "bios_version", PD_CMP_GE, e->version);
	} else {
		result = result ? result : any_present(r, tree, e);
		result = result ? result : none_older(r, e);
	}
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* Packages for Linux start with L, those for Windows with LW. */
static int package_type(struct reader *r, const char *type)
{
	bool windows = strncmp(type, "LW", 2) == 0;

	return *type != 'L' ? 0 : test(r, PD_RULES_APPLICABLE, "os", "id",
				       windows ? PD_CMP_EQ : PD_CMP_NE, "windows");
}

/* The same letters and digits, whatever their case, and what stands between them. */
static bool is_word(const char *said, const char *word)
{
	for (; *said; said++) {
		if (!isalnum((unsigned char)*said))
			continue;
		if (tolower((unsigned char)*said) != *word)
			return false;
		word++;
	}
	return !*word;
}

/* As os-release has it; NULL: nobody knows that vendor. */
static const char *os_id(const char *vendor)
{
	static const char *const ids[][2] = { { "redhat", "rhel" }, { "redhatenterpriselinux", "rhel" },
		{ "novell", "sles" }, { "suse", "sles" }, { "ubuntu", "ubuntu" }, { "canonical", "ubuntu" },
		{ "microsoft", "windows" }, { "vmware", "vmware" }, { "citrix", "xenserver" },
		{ "oracle", "ol" }, { "debian", "debian" } };

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		if (is_word(vendor, ids[i][0]))
			return ids[i][1];
	return NULL;
}

static int system_of(struct reader *r, const struct system *s)
{
	const char *id = os_id(s->vendor);
	int result;

	if (!id)
		return pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
			.tree = PD_RULES_APPLICABLE, .op = PD_RULE_UNKNOWN, .subject = pd_format(r->path.ctx,
			"what the systems of \"%.80s\" are called is not known", s->vendor) });
	result = path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ALL);
	result = result ? result : test(r, PD_RULES_APPLICABLE, "os", "id", PD_CMP_EQ, id);
	if (*s->version && !result)
		result = test(r, PD_RULES_APPLICABLE, "os", "version_id", PD_CMP_MATCH,
			      pd_format(r->path.ctx, "^%s(\\.|$)", s->version));
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

static int systems(struct reader *r, const struct entry *e)
{
	int result = e->n_systems ? path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ANY) : 0;

	for (size_t i = 0; i < e->n_systems && !result; i++)
		result = system_of(r, &e->systems[i]);
	return result || !e->n_systems ? result :
	       path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

static int applicable(struct reader *r, const struct entry *e)
{
	const unsigned tree = PD_RULES_APPLICABLE;
	int result = path_rule(r->path.ctx, tree, PD_RULE_ALL);

	result = result ? result : package_type(r, e->package_type);
	result = result ? result : models(r, tree, e);
	result = result ? result : systems(r, e);
	if (e->n_devices && !is_bios(e) && !result)
		result = any_present(r, tree, e);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* -------------------------------------------------------------- updates */

static unsigned kind_of(const char *type)
{
	return strcmp(type, "FRMW") == 0 || strcmp(type, "BIOS") == 0 ? PD_CLASS_FIRMWARE :
	       strcmp(type, "DRVR") == 0 ? PD_CLASS_DRIVER : PD_CLASS_OTHER;
}

/* 1 recommended, 2 urgent, 3 optional */
static unsigned severity_of(const char *criticality)
{
	return strcmp(criticality, "1") == 0 ? PD_SEVERITY_MODERATE :
	       strcmp(criticality, "2") == 0 ? PD_SEVERITY_CRITICAL :
	       strcmp(criticality, "3") == 0 ? PD_SEVERITY_LOW : PD_SEVERITY_UNKNOWN;
}

static unsigned restart_of(const char *reboot)
{
	return strcmp(reboot, "true") == 0 || strcmp(reboot, "1") == 0 ? PD_RESTART_REBOOT :
	       *reboot ? PD_RESTART_NONE : PD_RESTART_UNKNOWN;
}

static int begin(struct reader *r, const struct entry *e, unsigned kind)
{
	/* "Urgent-Dell highly recommends ..." */
	size_t word = strcspn(e->criticality_text, "-");

	return pd_update_begin(r->path.ctx, &(struct pd_update_head){
		.size = sizeof(struct pd_update_head), .line = e->line, .id = e->id,
		.revision = e->version, .title = e->title, .description = e->description,
		.url = e->url, .vendor = "Dell", .kind = (uint16_t)kind,
		.severity = (uint16_t)severity_of(e->criticality),
		.severity_text = pd_format(r->path.ctx, "%.*s", (int)word, e->criticality_text),
		.restart = (uint16_t)restart_of(e->restart), .issued = e->time, .disk_bytes = -1 });
}

static int relation(struct reader *r, unsigned kind, const char *target)
{
	return pd_update_relation(r->path.ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target });
}

/* A package for Linux is a program; how it is called and what it ends with is the
 * same for all of them, and in Dell's guide to them instead of the catalog. */
static int installer(struct reader *r, const struct entry *e, const char *path)
{
	static const struct { int status; unsigned meaning; } exits[] = {
		{ 0, PD_EXIT_SUCCESS }, { 1, PD_EXIT_FAILED }, { 2, PD_EXIT_SUCCESS_REBOOT },
		{ 3, PD_EXIT_ALREADY_INSTALLED }, { 4, PD_EXIT_FAILED }, { 5, PD_EXIT_NOT_APPLICABLE },
		{ 6, PD_EXIT_SUCCESS_REBOOT }, { 9, PD_EXIT_FAILED } };
	const char *slash = strrchr(path, '/');
	int result = 0;

	if (*e->package_type != 'L' || strncmp(e->package_type, "LW", 2) == 0)
		return 0;
	result = pd_update_installer(r->path.ctx, &(struct pd_installer){
		.size = sizeof(struct pd_installer), .kind = PD_INSTALL,
		.command = slash ? slash + 1 : path, .arguments = "-q" });
	for (size_t i = 0; i < sizeof(exits) / sizeof(*exits) && !result; i++)
		result = pd_update_exit(r->path.ctx, &(struct pd_exit_row){
			.size = sizeof(struct pd_exit_row), .status = exits[i].status,
			.meaning = exits[i].meaning });
	return result;
}

int dell_emit_component(struct reader *r, const struct entry *e)
{
	char *path = path_words(r->path.ctx, e->path);
	int result = begin(r, e, kind_of(e->type));

	for (char *c = path; *c; c++)
		*c = (char)(*c == '\\' ? '/' : *c);
	if (*e->release && strcmp(e->release, e->id) != 0 && !result)
		result = relation(r, PD_REL_ALIAS, e->release);
	result = result ? result : pd_update_payload(r->path.ctx, &(struct pd_payload){
		.size = sizeof(struct pd_payload), .url = pd_format(r->path.ctx, "%s%s", r->base, path),
		.bytes = e->bytes, .digest = e->digest });
	result = result ? result : installer(r, e, path);
	if (e->n_devices || is_bios(e))
		result = result ? result : installed(r, e);
	result = result ? result : applicable(r, e);
	return result ? result : pd_update_end(r->path.ctx);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int bundle(struct reader *r, const struct entry *e)
{
	int result = begin(r, e, PD_CLASS_BUNDLE);

	for (size_t i = 0; i < e->contents.len && !result; i++) {
		const struct file *found = bsearch(&(struct file){ .name = e->contents.items[i] },
						   r->files, r->n_files, sizeof(*r->files), by_name);

		if (found)
			result = relation(r, PD_REL_BUNDLES, found->id);
		else
			pd_ignored(r->path.ctx, e->line, pd_format(r->path.ctx, "bundle %s: %s is not in "
				"the catalog", e->id, e->contents.items[i]));
	}
	result = result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ALL);
	result = result ? result : models(r, PD_RULES_APPLICABLE, e);
	result = result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
	return result ? result : pd_update_end(r->path.ctx);
}

int dell_emit_bundles(struct reader *r)
{
	int result = 0;

	if (r->n_files)
		qsort(r->files, r->n_files, sizeof(*r->files), by_name);
	for (size_t i = 0; i < r->n_bundles && !result; i++)
		result = bundle(r, r->bundles[i]);
	return result;
}
