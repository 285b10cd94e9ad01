/* SPDX-License-Identifier: MIT */
/* The rules of a package descriptor.  What facts of this server answer is
 * asked of them; the rest is asked of kinds "x-...", which no scanner here
 * reports: the outcome is unknown, and the reason has the name. */
#include <ctype.h>
#include <string.h>

#include "lenovo.h"

/* What a glob of theirs stands for, as an extended regular expression.  @p loose: of the
 * beginning of a text, in either letter case. */
static const char *pattern_of(struct tree *t, const char *glob, bool loose)
{
	char *pattern = tree_alloc(t, 4 * strlen(glob) + 3), *to = pattern;

	*to++ = '^';
	for (; *glob; glob++) {
		if (loose && isalpha((unsigned char)*glob)) {
			*to++ = '[';
			*to++ = (char)toupper((unsigned char)*glob);
			*to++ = (char)tolower((unsigned char)*glob);
			*to++ = ']';
			continue;
		}
		if (strchr(".^$+()[]{}|\\", *glob))
			*to++ = '\\';
		if (strchr("*?", *glob))
			*to++ = '.';
		if (*glob != '?')
			*to++ = *glob;
	}
	if (!loose)
		*to = '$';
	return pattern;
}

/* "_ExternalDetection" -> "x-external-detection" */
static const char *kind_of(struct tree *t, const char *element)
{
	char *kind = tree_alloc(t, 2 * strlen(element) + 3), *to = kind;

	*to++ = 'x';
	for (element += *element == '_'; *element; element++) {
		if (isupper((unsigned char)*element) && (to[-1] == 'x' || islower((unsigned char)element[-1])))
			*to++ = '-';
		else if (to == kind + 1)
			*to++ = '-';
		*to++ = isalnum((unsigned char)*element) ? (char)tolower((unsigned char)*element) : '-';
	}
	return kind;
}

static int compared(struct tree *t, unsigned tree, const char *kind, const char *field,
		    unsigned compare, const char *version)
{
	return pd_update_rule(t->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .compare = (uint16_t)compare,
		.scheme = PD_SCHEME_PLAIN, .kind = kind, .field = field, .value = version });
}

/* "1.2^" is 1.2 or higher, "^1.2" up to it, "1.2^1.9" between, "1.2" itself. */
static int versions(struct tree *t, unsigned tree, const char *kind, const char *field,
		    const char *range)
{
	const char *up = strchr(range, '^');
	int result = 0;

	if (!up)
		return compared(t, tree, kind, field, PD_CMP_EQ, range);
	if (up > range)
		result = compared(t, tree, kind, field, PD_CMP_GE,
				  tree_print(t, "%.*s", (int)(up - range), range));
	return result || !up[1] ? result : compared(t, tree, kind, field, PD_CMP_LE, up + 1);
}

/* Hexadecimal digits behind @p key; NULL: they are not there. */
static const char *digits(struct tree *t, const char *id, const char *key, size_t n)
{
	const char *at = strstr(id, key);
	char *found;

	if (!at || strspn(at + strlen(key), "0123456789ABCDEFabcdef") < n)
		return NULL;
	found = tree_alloc(t, n + 1);
	for (size_t i = 0; i < n; i++)
		found[i] = (char)toupper((unsigned char)at[strlen(key) + i]);
	return found;
}

/* PCI\VEN_8086&DEV_1539&SUBSYS_... and USB\VID_17EF&PID_A359 are what the
 * kernel has in modalias; other buses of Windows it does not have. */
static int pnp_id(struct tree *t, unsigned tree, const struct node *n)
{
	bool usb = strncmp(n->text, "USB\\", 4) == 0, pci = strncmp(n->text, "PCI\\", 4) == 0;
	const char *vendor = digits(t, n->text, usb ? "VID_" : "VEN_", 4);
	const char *device = digits(t, n->text, usb ? "PID_" : "DEV_", 4);
	const char *subsystem = digits(t, n->text, "SUBSYS_", 8), *class = digits(t, n->text, "CC_", 4);

	if (pci && vendor)
		return lenovo_test(t, tree, "devices", "modalias", PD_CMP_MATCH, tree_print(t,
			"^pci:v0000%sd0000%ssv0000%ssd0000%.4s%s%.2s%s%.2s", vendor, device ? device : "....",
			subsystem ? subsystem + 4 : "....", subsystem ? subsystem : "....",
			class ? "bc" : "", class ? class : "", class ? "sc" : "", class ? class + 2 : ""));
	if (usb && vendor)
		return lenovo_test(t, tree, "devices", "modalias", PD_CMP_MATCH,
				   tree_print(t, "^usb:v%sp%s", vendor, device ? device : ""));
	return lenovo_test(t, tree, "x-pnp-id", "id", PD_CMP_EQ, n->text);
}

/* A driver of one of these devices, in a version; a field for each device. */
static int driver(struct tree *t, unsigned tree, const struct node *n)
{
	const char *version = tree_text(n, "Version"), *date = tree_text(n, "Date");
	int result = lenovo_group(t, tree, PD_RULE_ANY);

	TREE_EACH(id, n, "HardwareID") {
		result = result ? result : lenovo_group(t, tree, PD_RULE_ALL);
		result = result ? result : lenovo_test(t, tree, "x-driver", id->text, PD_CMP_EXISTS, NULL);
		if (version && !result)
			result = versions(t, tree, "x-driver", id->text, version);
		else if (date && !result)
			result = compared(t, tree, "x-driver-date", id->text, PD_CMP_GE, date);
		result = result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
	}
	return result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
}

/* One of the texts of its children fits; in a group of its own. */
static int any_text(struct tree *t, unsigned tree, const struct node *n, const char *child,
		    const char *kind, const char *field, bool loose)
{
	int result = lenovo_group(t, tree, PD_RULE_ANY);

	TREE_EACH(c, n, child)
		if (!result)
			result = lenovo_test(t, tree, kind, field, PD_CMP_MATCH, pattern_of(t, c->text, loose));
	return result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
}

/* DMI has more behind the level: "N1ZET50W (1.05 )". */
static int bios(struct tree *t, unsigned tree, const struct node *n)
{
	return any_text(t, tree, n, "Level", "hardware", "bios_version", true);
}

static int operating_system(struct tree *t, unsigned tree, const struct node *n)
{
	int result = lenovo_group(t, tree, PD_RULE_ALL);

	result = result ? result : lenovo_test(t, tree, "os", "id", PD_CMP_EQ, "windows");
	result = result ? result : any_text(t, tree, n, "OS", "x-windows", "name", false);
	return result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
}

static int address_width(struct tree *t, unsigned tree, const struct node *n)
{
	const char *width = tree_text(n, "AddressWidth");

	return lenovo_test(t, tree, "kernel", "machine", PD_CMP_MATCH,
			   width && strcmp(width, "64") == 0 ? "64" : "^(i.86|x86)$");
}

static int file_version(struct tree *t, unsigned tree, const struct node *n)
{
	const char *file = tree_text(n, "File"), *version = tree_text(n, "Version");

	return versions(t, tree, "x-file-version", file ? file : "path", version ? version : "");
}

static int file_exists(struct tree *t, unsigned tree, const struct node *n)
{
	const char *file = tree_text(n, "File");

	return lenovo_test(t, tree, "x-file-exists", file ? file : *n->text ? n->text : "path",
			   PD_CMP_EQ, "true");
}

static int registry_key(struct tree *t, unsigned tree, const struct node *n)
{
	const char *key = tree_text(n, "Key");

	return lenovo_test(t, tree, "x-registry-key", key ? key : *n->text ? n->text : "key",
			   PD_CMP_EQ, "true");
}

static int registry_value(struct tree *t, unsigned tree, const struct node *n)
{
	const char *key = tree_text(n, "Key"), *name = tree_text(n, "KeyName");
	const char *value = tree_text(n, "KeyValue"), *version = tree_text(n, "Version");
	const char *field = tree_print(t, "%s\\%s", key ? key : "", name ? name : "");

	return version ? versions(t, tree, "x-registry-value", field, version) :
			 lenovo_test(t, tree, "x-registry-value", field, PD_CMP_EQ, value ? value : "");
}

static int one_version(struct tree *t, unsigned tree, const struct node *n)
{
	const char *version = tree_text(n, "Version");

	return versions(t, tree, kind_of(t, n->name), "version", version ? version : n->text);
}

/* What only a program or a part of Windows of theirs could tell. */
static int open_question(struct tree *t, unsigned tree, const struct node *n)
{
	return lenovo_test(t, tree, kind_of(t, n->name), "answer", PD_CMP_EQ, n->text);
}

static const struct {
	const char *name; /* without an underscore in front */
	int (*emit)(struct tree *t, unsigned tree, const struct node *n);
} leaves[] = {
	{ "PnPID", pnp_id }, { "Driver", driver }, { "Bios", bios }, { "OS", operating_system },
	{ "CPUAddressWidth", address_width }, { "FileVersion", file_version },
	{ "FileExists", file_exists }, { "RegistryKey", registry_key },
	{ "RegistryKeyValue", registry_value }, { "WindowsBuildVersion", one_version },
	{ "EmbeddedControllerVersion", one_version },
};

static int rule(struct tree *t, unsigned tree, const struct node *n)
{
	static const char *const groups[] = { "", "And", "Or", "Not" }; /* enum pd_rule_op */
	const char *name = n->name + (*n->name == '_');
	unsigned op = PD_RULE_NONE;
	int result;

	while (op && strcmp(groups[op], name) != 0)
		op--;
	for (size_t i = 0; !op && i < sizeof(leaves) / sizeof(*leaves); i++)
		if (strcmp(leaves[i].name, name) == 0) {
			/* a range is two tests */
			result = lenovo_group(t, tree, PD_RULE_ALL);
			result = result ? result : leaves[i].emit(t, tree, n);
			return result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
		}
	if (!op)
		return open_question(t, tree, n);
	result = lenovo_group(t, tree, op);
	TREE_EACH(child, n, NULL)
		if (!result)
			result = rule(t, tree, child);
	return result ? result : lenovo_group(t, tree, PD_RULE_CLOSE);
}

int lenovo_rules(struct tree *t, unsigned tree, const struct node *rules)
{
	int result = 0;

	TREE_EACH(child, rules, NULL)
		if (!result)
			result = rule(t, tree, child);
	return result;
}
