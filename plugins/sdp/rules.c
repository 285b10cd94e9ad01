/* SPDX-License-Identifier: MIT */
/* The plugin sdp: applicability rules.  What they ask of Windows becomes tests
 * of kinds of facts named after them, such as x-wmi-query. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sdp.h"

int sdp_rule(struct tree *t, unsigned tree, unsigned op)
{
	return pd_update_rule(t->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = (uint16_t)op });
}

int sdp_test(struct tree *t, unsigned tree, const char *kind, const char *subject)
{
	return pd_update_rule(t->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = PD_RULE_TEST,
		.kind = kind, .subject = subject });
}

/* WmiQuery: x-wmi-query. */
static const char *kind_of(struct tree *t, const char *name)
{
	char *kind = tree_alloc(t, 2 * strlen(name) + 4), *to = kind;

	*to++ = 'x';
	for (const char *c = name; *c; c++) {
		bool word = isupper((unsigned char)*c) &&
			    (c == name || !isupper((unsigned char)c[-1]) || islower((unsigned char)c[1]));

		if (word || c == name)
			*to++ = '-';
		*to++ = (char)tolower((unsigned char)*c);
	}
	return kind;
}

/* Which attribute is compared, by the words of BaseTypes.xsd for how.  Of
 * WindowsVersion none is: it compares as many parts as it names. */
struct comparison {
	const char *attribute; /* NULL: none is */
	const char *value, *field;
	enum pd_compare compare;
	enum pd_scheme scheme;
};

static enum pd_compare scalar(const char *word)
{
	static const struct { const char *word; enum pd_compare compare; } words[] = {
		{ "LessThan", PD_CMP_LT }, { "LessThanOrEqualTo", PD_CMP_LE },
		{ "EqualTo", PD_CMP_EQ }, { "GreaterThanOrEqualTo", PD_CMP_GE },
		{ "GreaterThan", PD_CMP_GT } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].compare;
	return PD_CMP_EXISTS;
}

/* BeginsWith, Contains and EndsWith, as a regular expression. */
static const char *pattern(struct tree *t, const char *word, const char *value)
{
	bool begin = strcmp(word, "BeginsWith") == 0, end = strcmp(word, "EndsWith") == 0;
	char *text, *to;

	if ((!begin && !end && strcmp(word, "Contains") != 0) || strlen(value) > 400)
		return NULL;
	to = text = tree_alloc(t, 2 * strlen(value) + 3);
	if (begin)
		*to++ = '^';
	for (; *value; value++) {
		if (strchr("^$.[]|()*+?{}\\", *value))
			*to++ = '\\';
		*to++ = *value;
	}
	if (end)
		*to++ = '$';
	return text;
}

static struct comparison compared(struct tree *t, const struct node *n)
{
	/* RegSz has a Value too, the name of what is looked at */
	static const char *const attributes[] = { "Version", "Data", "Size", "Created", "Modified" };
	const char *word = tree_attr(t, n, "Comparison");
	struct comparison c = { .attribute = NULL };

	for (size_t i = 0; word && !c.attribute && i < sizeof(attributes) / sizeof(*attributes); i++)
		if ((c.value = tree_attr(t, n, attributes[i])))
			c.attribute = attributes[i];
	if (!c.attribute && word && strcmp(n->name, "SystemMetric") == 0 &&
	    (c.value = tree_attr(t, n, "Value")))
		c.attribute = "Value";
	if (!c.attribute)
		return c;
	c.compare = scalar(word);
	if (!c.compare && (c.value = pattern(t, word, c.value)))
		c.compare = PD_CMP_MATCH;
	if (!c.compare)
		return (struct comparison){ .attribute = NULL };
	if (strcmp(c.attribute, "Version") == 0 || strcmp(n->name, "RegSzToVersion") == 0)
		c.scheme = PD_SCHEME_WINDOWS;
	c.field = kind_of(t, c.attribute) + 2;
	return c;
}

/* All that the test says and that is not compared: Name=value ... and what is
 * inside of it, in parentheses. */
static void subject(struct tree *t, struct tree_text *text, const struct node *n,
		    const struct comparison *c)
{
	static const struct comparison none = { .attribute = NULL };
	const char *gap = "";

	for (size_t i = 0; i < n->n_attrs; i++) {
		const char *name = n->attrs[i].name;

		if (c->attribute && (strcmp(name, c->attribute) == 0 || strcmp(name, "Comparison") == 0))
			continue;
		tree_append(t, text, "%s%s=%s", gap, name, n->attrs[i].value);
		gap = " ";
	}
	if (*n->text) {
		tree_append(t, text, "%s%s", gap, n->text);
		gap = " ";
	}
	TREE_EACH(child, n, NULL) {
		tree_append(t, text, "%s(%s%s", gap, child->name,
			    child->n_attrs || *child->text || child->first ? " " : "");
		subject(t, text, child, &none);
		tree_append(t, text, ")");
		gap = " ";
	}
}

static int test(struct tree *t, unsigned tree, const struct node *n)
{
	struct comparison c = compared(t, n);
	struct tree_text text = { .len = 0 };

	subject(t, &text, n, &c);
	return pd_update_rule(t->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = PD_RULE_TEST,
		.compare = (uint16_t)c.compare, .scheme = c.scheme, .kind = kind_of(t, n->name),
		.subject = text.data, .field = c.field, .value = c.value });
}

/* True is all of nothing, False any of nothing. */
static unsigned group(const char *name)
{
	static const struct { const char *name; unsigned op; } groups[] = {
		{ "And", PD_RULE_ALL }, { "Or", PD_RULE_ANY }, { "Not", PD_RULE_NONE },
		{ "True", PD_RULE_ALL }, { "False", PD_RULE_ANY } };

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (strcmp(name, groups[i].name) == 0)
			return groups[i].op;
	return 0;
}

int sdp_rules(struct tree *t, unsigned tree, const struct node *parent)
{
	TREE_EACH(n, parent, NULL) {
		unsigned op = group(n->name);
		int result = op ? sdp_rule(t, tree, op) : test(t, tree, n);

		if (!result && op && !(result = sdp_rules(t, tree, n)))
			result = sdp_rule(t, tree, PD_RULE_CLOSE);
		if (result)
			return result;
	}
	return 0;
}
