/* SPDX-License-Identifier: MIT */
/* The rules of a release: which devices it is for, and what it requires. */
#include <stdlib.h>

#include "lvfs.h"

static int test(struct reader *r, unsigned tree, const char *kind, const char *subject,
		const char *field, unsigned compare, unsigned scheme, const char *value)
{
	return pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .compare = (uint16_t)compare,
		.scheme = scheme, .kind = kind, .subject = subject, .field = field, .value = value });
}

static unsigned compare_of(const char *word)
{
	static const char *const words[] = { "", "eq", "ne", "lt", "le", "gt", "ge", "regex" };
	unsigned i = PD_CMP_MATCH;

	while (i && strcmp(words[i], word) != 0)
		i--;
	return i; /* PD_CMP_EXISTS: none of them */
}

/* Does the expression say the same to POSIX as to fwupd, whose are Perl's? */
static bool is_plain_pattern(const char *s)
{
	size_t len = strlen(s);

	for (const char *c = s; *c; c++) {
		if (*c == '{' || (strchr("(*+?|", *c) && c[1] == '?'))
			return false;
		if (*c == '\\' && (!*++c || !strchr(".|()*+?^$[]", *c)))
			return false;
	}
	return len > 0 && len < 500;
}

static bool is_guid(const char *s, size_t len)
{
	return len == 36 && strspn(s, "0123456789abcdefABCDEF-") >= 36;
}

/* One GUID, or several with | between them. */
static bool are_guids(const char *s)
{
	size_t len = strcspn(s, "|");

	for (; is_guid(s, len) && s[len]; len = strcspn(s, "|"))
		s += len + 1;
	return is_guid(s, len);
}

/* What the device itself has to be, which has to hold of one and the same. */
enum own { NOT_OWN, OWN_VERSION, OWN_VENDOR };

static enum own own(const struct need *need)
{
	unsigned compare = compare_of(need->compare);

	if (strcmp(need->element, "firmware") != 0 || strcmp(need->depth, "0") != 0 || !*need->version)
		return NOT_OWN;
	if (strcmp(need->text, "vendor-id") == 0) /* a pattern, whatever compare says */
		return is_plain_pattern(need->version) ? OWN_VENDOR : NOT_OWN;
	return !*need->text && compare && (compare != PD_CMP_MATCH || is_plain_pattern(need->version)) ?
	       OWN_VERSION : NOT_OWN;
}

const char *lvfs_vendors(struct reader *r, const struct component *c)
{
	const char *all = "";

	for (size_t i = 0; i < c->n_needs; i++) {
		const struct need *need = &c->needs[i];

		if (strcmp(need->element, "firmware") == 0 && strcmp(need->depth, "0") == 0 &&
		    strcmp(need->text, "vendor-id") == 0)
			all = pd_format(r->path.ctx, "%s%s%s", all, *all ? "&" : "", need->version);
	}
	return all;
}

/* Does a list of ids with | between them have this one? */
static bool has_id(const char *list, const char *id, size_t len)
{
	for (; *list; list += strcspn(list, "|"), list += *list == '|')
		if (strcspn(list, "|") == len && strncmp(list, id, len) == 0)
			return true;
	return false;
}

/* Metadata of old names no vendor; patterns of more than ids cover only the same. */
bool lvfs_covers(const char *all, const char *some)
{
	if (!*all || !*some || strcmp(all, some) == 0)
		return true;
	if (strpbrk(all, "()[]&") || strpbrk(some, "()[]&"))
		return false;
	for (size_t len; *some; some += len, some += *some == '|') {
		len = strcspn(some, "|");
		if (!has_id(all, some, len))
			return false;
	}
	return true;
}

/* Facts of old have neither: such a device may be updated, and is of the vendor's own branch
 * if that is asked for. */
static int unless_other(struct reader *r, unsigned tree, const char *field, const char *value)
{
	int result = path_rule(r->path.ctx, tree, PD_RULE_ANY);

	result = result ? result : pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_TEST, .negate = 1, .kind = "firmware", .field = field });
	result = result ? result : test(r, tree, "firmware", NULL, field, PD_CMP_EQ, 0, value);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* Any row with this GUID for which all of it holds.  Vendors buy the same chip, so that a
 * GUID may be of several; a server has several devices of one. */
static int device(struct reader *r, unsigned tree, const struct component *c, const char *guid,
		  unsigned compare, const char *version)
{
	int result = pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = PD_RULE_ANY, .kind = "firmware",
		.subject = path_lower(r->path.ctx, guid) });

	result = result ? result : test(r, tree, "firmware", NULL, "version", compare, c->scheme, version);
	for (size_t i = 0; i < c->n_needs && !result; i++) {
		const struct need *need = &c->needs[i];
		enum own kind = own(need);

		if (kind == OWN_VENDOR)
			result = test(r, tree, "firmware", NULL, "vendor_id", PD_CMP_MATCH, 0, need->version);
		else if (kind == OWN_VERSION && tree == PD_RULES_APPLICABLE)
			result = test(r, tree, "firmware", NULL, "version", compare_of(need->compare),
				      c->scheme, need->version);
	}
	if (!result)
		result = *c->branch ? test(r, tree, "firmware", NULL, "branch", PD_CMP_EQ, 0, c->branch) :
				      unless_other(r, tree, "branch", "");
	if (!result && tree == PD_RULES_APPLICABLE)
		result = unless_other(r, tree, "updatable", "true");
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* Any (PD_RULE_ANY) or none (PD_RULE_NONE) of its devices. */
static int devices(struct reader *r, unsigned tree, unsigned op, const struct release *x, unsigned compare)
{
	const struct component *c = x->component;
	int result = path_rule(r->path.ctx, tree, op);

	for (size_t i = 0; i < c->guids.len && !result; i++)
		result = device(r, tree, c, c->guids.items[i], compare, x->version);
	return result ? result : path_rule(r->path.ctx, tree, PD_RULE_CLOSE);
}

/* ------------------------------------------------------- what it requires */

/* What no fact tells, in the catalog's words. */
static int open_question(struct reader *r, const struct need *need)
{
	const char *where = *need->depth == '0' ? "" : *need->depth == '-' ? " of a part of the device" :
			    " of what the device is a part of";
	size_t len = strlen(need->text) + strlen(need->compare) + strlen(need->version);

	return pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = PD_RULES_APPLICABLE, .op = PD_RULE_UNKNOWN,
		.subject = len > 500 ? "it requires what only fwupd can tell" :
			pd_format(r->path.ctx, "it requires %s%s%s%s%s%s%s%s, which only fwupd can tell",
				need->element, *need->text ? " " : "", need->text, *need->compare ? " " : "",
				need->compare, *need->version ? " " : "", need->version, where) });
}

/* One of these ids, or with PD_RULE_NONE none of them. */
static int hardware(struct reader *r, unsigned op, const char *ids)
{
	int result = path_rule(r->path.ctx, PD_RULES_APPLICABLE, op);

	for (; *ids && !result; ids += *ids == '|') {
		size_t len = strcspn(ids, "|");

		result = test(r, PD_RULES_APPLICABLE, "x-fwupd-hardware", NULL, "id", PD_CMP_EQ, 0,
			      path_lower(r->path.ctx, pd_format(r->path.ctx, "%.*s", (int)len, ids)));
		ids += len;
	}
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* One of several other devices, of any version if none is named. */
static int others(struct reader *r, const struct need *need)
{
	unsigned compare = compare_of(need->compare);
	const char *guids = need->text;
	int result = path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ANY);

	for (; *guids && !result; guids += *guids == '|') {
		result = pd_update_rule(r->path.ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
			.tree = PD_RULES_APPLICABLE, .op = PD_RULE_ANY, .kind = "firmware",
			.subject = path_lower(r->path.ctx, pd_format(r->path.ctx, "%.36s", guids)) });
		if (!result && compare)
			result = test(r, PD_RULES_APPLICABLE, "firmware", NULL, "version", compare,
				      compare == PD_CMP_MATCH ? 0 : PD_SCHEME_FWUPD, need->version);
		result = result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
		guids += 36;
	}
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

static int need(struct reader *r, const struct need *need)
{
	unsigned compare = compare_of(need->compare);
	bool id = strcmp(need->element, "id") == 0, plain = compare != PD_CMP_MATCH || is_plain_pattern(need->version);

	if (strcmp(need->element, "hardware") == 0 && *need->text)
		return hardware(r, PD_RULE_ANY, need->text);
	if (strcmp(need->element, "not_hardware") == 0 && *need->text)
		return hardware(r, PD_RULE_NONE, need->text);
	/* a package has a revision behind the version: only these two don't mind */
	if (id && strcmp(need->text, "org.freedesktop.fwupd") == 0 && *need->version &&
	    (compare == PD_CMP_GE || compare == PD_CMP_LT))
		return test(r, PD_RULES_APPLICABLE, "packages", "fwupd", "version", compare, 0, need->version);
	if (id && *need->text && *need->version && compare && plain)
		return test(r, PD_RULES_APPLICABLE, "x-fwupd-id", need->text, "version", compare,
			    compare == PD_CMP_MATCH ? 0 : PD_SCHEME_FWUPD, need->version);
	if (strcmp(need->element, "firmware") == 0 && are_guids(need->text) && need->anywhere &&
	    (!*need->compare || (compare && *need->version && plain)))
		return others(r, need);
	return own(need) ? 0 : open_question(r, need);
}

int lvfs_rules(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	int result = devices(r, PD_RULES_INSTALLED, PD_RULE_ANY, x, PD_CMP_GE);

	/* one of several equal devices may have been left behind */
	result = result ? result : devices(r, PD_RULES_INSTALLED, PD_RULE_NONE, x, PD_CMP_LT);
	result = result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_ALL);
	result = result ? result : devices(r, PD_RULES_APPLICABLE, PD_RULE_ANY, x, PD_CMP_LT);
	for (size_t i = 0; i < c->n_needs && !result; i++)
		result = need(r, &c->needs[i]);
	return result ? result : path_rule(r->path.ctx, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}
