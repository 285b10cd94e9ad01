/* SPDX-License-Identifier: MIT */
/* Rule trees over facts, in three values: true, false, not known. */
#include <inttypes.h>
#include <regex.h>

#include "base/text.h"
#include "catalog/model.h"

enum { CALLS_MAX = 64 };

struct eval {
	const struct pd_catalog *catalog;
	const struct pd_facts *facts;
	unsigned tree, calls;
	char **why; /* the first thing that is not known */
};

static enum pd_truth PD_PRINTF(2, 3) not_known(struct eval *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!*e->why)
		*e->why = pd_vprint(fmt, ap);
	va_end(ap);
	return PD_UNKNOWN;
}

static enum pd_truth turned(enum pd_truth t)
{
	return t == PD_UNKNOWN ? t : t == PD_TRUE ? PD_FALSE : PD_TRUE;
}

static enum pd_truth by_order(int compare, int order)
{
	switch (compare) {
	case PD_CMP_EQ: return order == 0;
	case PD_CMP_NE: return order != 0;
	case PD_CMP_LT: return order < 0;
	case PD_CMP_LE: return order <= 0;
	case PD_CMP_GT: return order > 0;
	default: return order >= 0;
	}
}

static enum pd_truth matches(const char *text, const char *pattern)
{
	regex_t re;
	bool found;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return PD_UNKNOWN;
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static enum pd_truth compare_text(struct eval *e, const struct pd_rule *r,
				  const char *text, const json_t *row)
{
	unsigned scheme = r->scheme;
	int order = 0;
	int64_t a, b;

	if (r->compare == PD_CMP_MATCH)
		return matches(text, r->value);
	for (unsigned i = PD_SCHEME_LAST; i && !scheme && !strcmp(r->field, "version"); i--)
		if (strcmp(pd_scheme_name(i), pd_json_text(row, "scheme", "")) == 0)
			scheme = i;
	if (!scheme && r->compare <= PD_CMP_NE)
		return by_order(r->compare, strcmp(text, r->value));
	if (!scheme && pd_parse_int(text, &a) && pd_parse_int(r->value, &b))
		return by_order(r->compare, (a > b) - (a < b));
	if (!pd_version_compare(scheme ? scheme : PD_SCHEME_PLAIN, text, r->value,
				&order, NULL))
		return not_known(e, "\"%s\" and \"%s\" can't be compared", text, r->value);
	return by_order(r->compare, order);
}

static enum pd_truth test_row(struct eval *e, const struct pd_rule *r,
			      const char *kind, const json_t *row)
{
	const json_t *value = json_object_get(row, r->field);
	char number[24] = "";
	bool flag;
	int64_t n;

	if (r->compare == PD_CMP_EXISTS && !*r->field)
		return PD_TRUE;
	if (!value)
		return r->compare == PD_CMP_EXISTS && json_is_object(row) ? PD_FALSE :
		       not_known(e, "%s.%s is not known", kind, r->field);
	if (r->compare == PD_CMP_EXISTS)
		return PD_TRUE;
	if (json_is_boolean(value) && r->compare <= PD_CMP_NE &&
	    pd_parse_bool(r->value, &flag))
		return by_order(r->compare, flag != json_is_true(value));
	if (json_is_integer(value) && r->compare != PD_CMP_MATCH) {
		n = json_integer_value(value);
		snprintf(number, sizeof(number), "%" PRId64, n);
		return compare_text(e, r, number, row);
	}
	if (json_is_string(value))
		return compare_text(e, r, json_string_value(value), row);
	return not_known(e, "%s.%s can't be compared with \"%s\"", kind, r->field,
			 r->value);
}

/* One row that fits is enough; else one that is not known leaves it open. */
static enum pd_truth test(struct eval *e, const struct pd_rule *r)
{
	const struct pd_fact_kind *kind = pd_fact_kind(r->kind);
	const char *name = kind ? kind->name : r->kind;
	const json_t *facts = json_object_get(e->facts->json, name);
	const struct pd_installed *installed = NULL;
	enum pd_truth found = PD_FALSE, t;
	size_t n, rows = 0;

	if (!facts)
		return not_known(e, "no facts of kind %s were collected", name);
	if (json_is_object(facts))
		return test_row(e, r, name, facts);
	if (strcmp(name, "packages") == 0 && *r->subject)
		n = pd_facts_packages(e->facts, r->subject, &installed);
	else
		n = json_array_size(facts);
	for (size_t i = 0; i < n && found != PD_TRUE; i++) {
		const json_t *row = installed ? installed[i].row : json_array_get(facts, i);

		if (!installed && *r->subject && kind && kind->key &&
		    strcmp(pd_json_text(row, kind->key, ""), r->subject) != 0)
			continue;
		rows++;
		t = test_row(e, r, name, row);
		found = t == PD_FALSE ? found : t;
	}
	if (!rows && r->compare != PD_CMP_EXISTS)
		return not_known(e, "%s has no row %s to compare", name, r->subject);
	return found;
}

static enum pd_truth tree(struct eval *e, const struct pd_catalog_update *u,
			  enum pd_truth otherwise);

static enum pd_truth call(struct eval *e, const char *id)
{
	int64_t i = pd_catalog_find(e->catalog, id);
	enum pd_truth t;

	if (i < 0)
		return not_known(e, "the rules refer to %s, which is not in the "
				 "catalog", id);
	/* in all, not in depth: what branches has no end soon */
	if (e->calls++ >= CALLS_MAX)
		return not_known(e, "the rules refer to each other without end");
	t = tree(e, &e->catalog->updates[i], PD_UNKNOWN);
	return t == PD_UNKNOWN ? not_known(e, "the rules of %s are open", id) : t;
}

/* Kleene's all, any and none of what follows up to the closing one. */
static enum pd_truth group(struct eval *e, const struct pd_catalog_update *u,
			   uint32_t *at, unsigned op)
{
	bool seen[3] = { false, false, false };

	while (*at < u->n_rules) {
		const struct pd_rule *r = &u->rules[(*at)++];
		enum pd_truth t;

		if (r->tree != e->tree)
			continue;
		if (r->op == PD_RULE_CLOSE)
			break;
		t = r->op == PD_RULE_TEST ? test(e, r) :
		    r->op == PD_RULE_CALL ? call(e, r->subject) :
		    group(e, u, at, r->op);
		seen[r->negate ? turned(t) : t] = true;
	}
	if (op == PD_RULE_ALL)
		return seen[PD_FALSE] ? PD_FALSE : seen[PD_UNKNOWN] ? PD_UNKNOWN : PD_TRUE;
	if (op == PD_RULE_ANY)
		return seen[PD_TRUE] ? PD_TRUE : seen[PD_UNKNOWN] ? PD_UNKNOWN : PD_FALSE;
	return seen[PD_TRUE] ? PD_FALSE : seen[PD_UNKNOWN] ? PD_UNKNOWN : PD_TRUE;
}

static enum pd_truth tree(struct eval *e, const struct pd_catalog_update *u,
			  enum pd_truth otherwise)
{
	uint32_t at = 0;

	while (at < u->n_rules && u->rules[at].tree != e->tree)
		at++;
	return at < u->n_rules ? group(e, u, &at, PD_RULE_ALL) : otherwise;
}

enum pd_truth pd_rules_eval(const struct pd_catalog *c,
			    const struct pd_catalog_update *u, unsigned which,
			    const struct pd_facts *facts, enum pd_truth otherwise,
			    char **why)
{
	struct eval e = { .catalog = c, .facts = facts, .tree = which, .why = why };

	return tree(&e, u, otherwise);
}

/* A regular expression that can't take long: no references back, and no
 * repeats that multiply, which would fill the memory. */
bool pd_rules_pattern(const char *s)
{
	unsigned long product = 1, n;
	regex_t re;

	for (const char *c = s; *c; c++) {
		if (c - s > 1000 || (*c == '\\' && c[1] >= '0' && c[1] <= '9'))
			return false;
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '{')
			for (; *c && *c != '}'; c++) {
				n = strtoul(c + 1, NULL, 10);
				product *= n > 1000 ? 1001 : n ? n : 1;
				if (product > 1000)
					return false;
			}
		if (!*c)
			return false;
	}
	if (regcomp(&re, s, REG_EXTENDED | REG_NOSUB))
		return false;
	regfree(&re);
	return true;
}
