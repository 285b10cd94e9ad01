/* SPDX-License-Identifier: MIT */
/* A list of what there is for one model, <packages>: where each descriptor is. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lenovo.h"

/* "https://.../n1abc01w_2_.xml" -> "n1abc01w", which is the id in the descriptor. */
static const char *id_of(struct tree *t, const char *location)
{
	const char *slash = strpbrk(location, "/\\"), *name = location;
	size_t len, digits;

	for (; slash; slash = strpbrk(name, "/\\"))
		name = slash + 1;
	len = strlen(name);
	if (len > 4 && strcasecmp(name + len - 4, ".xml") == 0)
		len -= 4;
	digits = len;
	if (len && name[len - 1] == '_') /* the number of a format, with a line on each side */
		for (digits = len - 1; digits && isdigit((unsigned char)name[digits - 1]); digits--)
			;
	if (digits > 1 && digits < len - 1 && name[digits - 1] == '_')
		len = digits - 1;
	return tree_print(t, "%.*s", (int)len, name);
}

static unsigned class_of(const char *category)
{
	static const struct { const char *word; unsigned kind; } known[] = {
		{ "bios", PD_CLASS_FIRMWARE }, { "firmware", PD_CLASS_FIRMWARE },
		{ "software", PD_CLASS_OTHER }, { "thinkvantage", PD_CLASS_OTHER } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcasestr(category, known[i].word))
			return known[i].kind;
	return *category ? PD_CLASS_DRIVER : PD_CLASS_OTHER;
}

/* The model and its Windows stand in the name of the list and nowhere in it. */
static int rules(struct tree *t)
{
	return lenovo_group(t, PD_RULES_APPLICABLE, PD_RULE_ALL) ||
	       lenovo_maker(t) ||
	       lenovo_test(t, PD_RULES_APPLICABLE, "os", "id", PD_CMP_EQ, "windows") ||
	       pd_update_rule(t->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
			.tree = PD_RULES_APPLICABLE, .op = PD_RULE_UNKNOWN,
			.subject = "what it is for stands in its descriptor, which the list only names" }) ||
	       lenovo_group(t, PD_RULES_APPLICABLE, PD_RULE_CLOSE) ? PD_FAILED : 0;
}

int lenovo_listed(struct tree *t, const struct node *n)
{
	const char *location = tree_text(n, "location"), *category = tree_text(n, "category");
	const char *sum = tree_text(n, "checksum"), *digest = lenovo_digest(t, sum);
	const char *id = location ? id_of(t, location) : "";

	if (!*id) {
		pd_ignored(t->ctx, n->line, "a <package> has no location");
		return 0;
	}
	if (sum && !digest)
		pd_ignored(t->ctx, n->line, tree_print(t, "the checksum of %s is of no known type", id));
	category = category ? category : "";
	return pd_update_begin(t->ctx, &(struct pd_update_head){ .size = sizeof(struct pd_update_head),
			.line = n->line, .id = id, .vendor = "Lenovo", .kind = (uint16_t)class_of(category),
			.title = *category ? tree_print(t, "%s: %s", category, id) : NULL,
			.disk_bytes = -1 }) ||
	       pd_update_payload(t->ctx, &(struct pd_payload){ .size = sizeof(struct pd_payload),
			.url = location, .digest = digest, .bytes = -1 }) ||
	       rules(t) || pd_update_end(t->ctx) ? PD_FAILED : 0;
}
