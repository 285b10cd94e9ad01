/* SPDX-License-Identifier: MIT */
/* Rule trees over facts, in three values: true, false, not known. */
#include <inttypes.h>

#include "base/text.h"
#include "catalog/model.h"

enum { CALLS_MAX = 64, DEPTH_MAX = 64, OLDS_MAX = 1 << 20 };

struct pd_rules_shared {
	enum { SHARED_NEW, SHARED_RUNS, SHARED_DONE } state;
	enum pd_truth truth;
	char *why;
	struct pd_proof proof;
	struct pd_olds olds;
};

struct eval {
	struct pd_rules *rules;
	unsigned tree, calls, depth; /* depth: of what is shared */
	const json_t *row;    /* that the group around is asked of; NULL */
	const char *row_kind;
	char **why; /* the first thing that is not known */
	struct pd_proof proof; /* of the rule that was asked last */
};

/* The rows that a rule asks for. */
struct rows {
	const struct pd_installed *packages; /* NULL: they are in list */
	const json_t *list;
	const char *key, *subject; /* key NULL: every one */
	size_t n;
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

/* The same pattern is often asked of row after row; equal ones are one text. */
static enum pd_truth matches(struct pd_rules *r, const char *text, const char *pattern)
{
	if (r->pattern != pattern) {
		if (r->pattern)
			regfree(&r->compiled);
		r->pattern = NULL;
		if (regcomp(&r->compiled, pattern, REG_EXTENDED | REG_NOSUB))
			return PD_UNKNOWN;
		r->pattern = pattern;
	}
	return regexec(&r->compiled, text, 0, NULL, 0) == 0;
}

/* Some lists and feeds have blanks in versions, which no scheme allows: they
 * sort as the first of the marks that it does. */
static bool order_of(enum pd_scheme scheme, const char *a, const char *b, int *order)
{
	bool open = scheme == PD_SCHEME_RPM && !strchr(b, '-');
	pd_auto_free char *x = NULL, *y = NULL;

	if (!open && !strchr(a, ' ') && !strchr(b, ' '))
		return pd_version_compare(scheme, a, b, order, NULL);
	x = open ? pd_as_long_as(a, b) : pd_strdup(a);
	y = pd_strdup(b);
	for (char *c = x; (c = strchr(c, ' '));)
		*c = '+';
	for (char *c = y; (c = strchr(c, ' '));)
		*c = '+';
	return pd_version_compare(scheme, x, y, order, NULL);
}

static enum pd_truth compare_text(struct eval *e, const struct pd_rule *r,
				  const char *text, const json_t *row)
{
	unsigned scheme = r->scheme;
	int order = 0;
	int64_t a, b;

	if (r->compare == PD_CMP_MATCH)
		return matches(e->rules, text, r->value);
	for (unsigned i = PD_SCHEME_LAST; i && !scheme && !strcmp(r->field, "version"); i--)
		if (strcmp(pd_scheme_name(i), pd_json_text(row, "scheme", "")) == 0)
			scheme = i;
	if (!scheme && r->compare <= PD_CMP_NE)
		return by_order(r->compare, strcmp(text, r->value));
	if (!scheme && pd_parse_int(text, &a) && pd_parse_int(r->value, &b))
		return by_order(r->compare, (a > b) - (a < b));
	if (!order_of(scheme ? scheme : PD_SCHEME_PLAIN, text, r->value, &order))
		return not_known(e, "\"%s\" and \"%s\" can't be compared", text, r->value);
	if (r->compare == PD_CMP_LT && order < 0 && strcmp(r->kind, "packages") == 0)
		pd_olds_add(&e->rules->olds, &(struct pd_old){ row, r, PD_TRUE }, 1);
	if (r->compare >= PD_CMP_LT && r->compare <= PD_CMP_GE)
		e->proof = (struct pd_proof){ .rule = r, .row = row, .holds = by_order(r->compare, order) == PD_TRUE };
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
	if (json_is_boolean(value) && r->compare <= PD_CMP_NE && pd_parse_bool(r->value, &flag)) {
		e->proof = (struct pd_proof){ .rule = r, .row = row };
		return by_order(r->compare, flag != json_is_true(value));
	}
	if (json_is_integer(value) && r->compare != PD_CMP_MATCH) {
		n = json_integer_value(value);
		snprintf(number, sizeof(number), "%" PRId64, n);
		return compare_text(e, r, number, row);
	}
	if (json_is_string(value))
		return compare_text(e, r, json_string_value(value), row);
	return not_known(e, "%s.%s can't be compared with \"%s\"", kind, r->field, r->value);
}

/* false: nothing of this kind was collected. */
static bool find_rows(struct eval *e, const struct pd_rule *r, struct rows *rows)
{
	const struct pd_fact_kind *kind = pd_fact_kind(r->kind);

	*rows = (struct rows){ .list = json_object_get(e->rules->facts->json, r->kind),
			       .key = !*r->subject ? NULL : kind ? kind->key : "name",
			       .subject = r->subject };
	if (!rows->list)
		not_known(e, "no facts of kind %s were collected", r->kind);
	else if (strcmp(r->kind, "packages") == 0)
		rows->n = pd_facts_packages(e->rules->facts, r->subject, &rows->packages);
	else
		rows->n = json_is_object(rows->list) ? 1 : json_array_size(rows->list);
	return rows->list;
}

/* NULL: this one is not asked for. */
static const json_t *row_at(const struct rows *rows, size_t i)
{
	const json_t *row = json_is_object(rows->list) ? rows->list :
			    rows->packages ? rows->packages[i].row : json_array_get(rows->list, i);

	return !rows->key || strcmp(pd_json_text(row, rows->key, ""), rows->subject) == 0 ?
	       row : NULL;
}

/* That there is no such package. */
static struct pd_proof absence(const struct pd_rule *r, const struct rows *rows)
{
	bool absent = !rows->n && rows->list && *r->subject && strcmp(r->kind, "packages") == 0;

	return absent ? (struct pd_proof){ .rule = r, .absent = 1 } : (struct pd_proof){0};
}

/* One row that fits is enough; else one that is not known leaves it open. */
static enum pd_truth test(struct eval *e, const struct pd_rule *r)
{
	enum pd_truth found = PD_FALSE, t;
	struct rows rows;
	size_t seen = 0;

	if (e->row && !*r->subject && strcmp(r->kind, e->row_kind) == 0)
		return test_row(e, r, r->kind, e->row);
	if (!find_rows(e, r, &rows))
		return PD_UNKNOWN;
	for (size_t i = 0; i < rows.n && found != PD_TRUE; i++) {
		const json_t *row = row_at(&rows, i);

		if (!row)
			continue;
		seen++;
		t = test_row(e, r, r->kind, row);
		found = t == PD_FALSE ? found : t;
		if (t == PD_TRUE && rows.packages)
			pd_proof_there(&e->proof, r, row);
	}
	if (!seen)
		e->proof = absence(r, &rows);
	if (!seen && r->compare != PD_CMP_EXISTS)
		return not_known(e, "%s has no row %s to compare", r->kind, r->subject);
	return found;
}

static enum pd_truth tree(struct eval *e, const struct pd_catalog_update *u,
			  enum pd_truth otherwise);

/* Asked once.  In a ring what is asked first stays open. */
static enum pd_truth ask_shared(struct eval *e, const struct pd_catalog_update *u)
{
	const struct pd_catalog *c = e->rules->catalog;
	size_t olds = e->rules->olds.len;
	struct eval inner = { .rules = e->rules, .depth = e->depth + 1,
			      .tree = u->n_rules ? u->rules[0].tree : PD_RULES_APPLICABLE };
	struct pd_rules_shared *s;

	if (!e->rules->shared)
		e->rules->shared = pd_alloc(c->n_shared * sizeof(*s));
	s = &e->rules->shared[u - c->shared];
	inner.why = &s->why;
	if (s->state == SHARED_RUNS)
		return not_known(e, "the rules refer to each other without end");
	if (s->state == SHARED_NEW && inner.depth > DEPTH_MAX)
		return not_known(e, "the rules refer to each other too deep");
	if (s->state == SHARED_NEW) {
		s->state = SHARED_RUNS;
		s->truth = tree(&inner, u, PD_UNKNOWN);
		s->proof = inner.proof;
		s->state = SHARED_DONE;
		if (e->rules->olds.len > olds && e->rules->shared_olds < OLDS_MAX)
			pd_olds_add(&s->olds, e->rules->olds.items + olds, e->rules->olds.len - olds);
		e->rules->shared_olds += s->olds.len;
	} else {
		pd_olds_add(&e->rules->olds, s->olds.items, s->olds.len);
	}
	e->proof = s->proof;
	return s->truth == PD_UNKNOWN ? not_known(e, "%s", s->why ? s->why :
						  "its rules are open") : s->truth;
}

static const struct pd_catalog_update *find_shared(const struct pd_catalog *c, const char *id)
{
	const struct pd_index_slot *slot = pd_index_find(&c->arena->shared, id);

	return slot ? &c->shared[slot->value] : NULL;
}

const struct pd_catalog_update *pd_catalog_called(const struct pd_catalog *c, const char *id)
{
	const struct pd_catalog_update *shared = find_shared(c, id);
	int64_t i = pd_catalog_find(c, id);

	return shared ? shared : i >= 0 ? &c->updates[i] : NULL;
}

static enum pd_truth call(struct eval *e, const char *id)
{
	const struct pd_catalog *c = e->rules->catalog;
	const struct pd_catalog_update *shared = find_shared(c, id);
	int64_t i = shared ? 0 : pd_catalog_find(c, id);
	enum pd_truth t;

	if (shared)
		return ask_shared(e, shared);
	if (i == -2) /* it has no rules */
		return not_known(e, "the rules of %s are open", id);
	if (i < 0)
		return not_known(e, "the rules refer to %s, which is not in the catalog", id);
	/* in all, not in depth: what branches has no end soon */
	if (e->calls++ >= CALLS_MAX)
		return not_known(e, "the rules refer to each other without end");
	t = tree(e, &c->updates[i], PD_UNKNOWN);
	return t == PD_UNKNOWN ? not_known(e, "the rules of %s are open", id) : t;
}

/* Kleene's, from how many there are of each truth. */
static enum pd_truth sum_of(unsigned op, const size_t n[3])
{
	switch (op) {
	case PD_RULE_ANY: return n[PD_TRUE] ? PD_TRUE : n[PD_UNKNOWN] ? PD_UNKNOWN : PD_FALSE;
	case PD_RULE_NONE: return n[PD_TRUE] ? PD_FALSE : n[PD_UNKNOWN] ? PD_UNKNOWN : PD_TRUE;
	case PD_RULE_ONE:
		return n[PD_TRUE] > 1 ? PD_FALSE : n[PD_UNKNOWN] ? PD_UNKNOWN :
		       n[PD_TRUE] ? PD_TRUE : PD_FALSE;
	case PD_RULE_ODD: return n[PD_UNKNOWN] ? PD_UNKNOWN : n[PD_TRUE] % 2;
	default: return n[PD_FALSE] ? PD_FALSE : n[PD_UNKNOWN] ? PD_UNKNOWN : PD_TRUE;
	}
}

/* Of a group that is true because its rules are not, these decide.  That packages are
 * not there is the reason only where nothing else is one. */
static enum pd_truth sum(struct eval *e, unsigned op, const struct pd_poll *poll)
{
	enum pd_truth t = sum_of(op, poll->n), by = op == PD_RULE_NONE ? turned(t) : t;

	if (t != PD_UNKNOWN && !poll->open) { /* what was not known in it does not matter */
		free(*e->why);
		*e->why = NULL;
	}
	pd_olds_keep(&e->rules->olds, poll->olds, by);
	if (t != PD_UNKNOWN && op != PD_RULE_ODD)
		e->proof = poll->by[by];
	if (e->proof.absent && op != PD_RULE_ALL && poll->absent < poll->n[PD_FALSE])
		e->proof = (struct pd_proof){0};
	return t;
}

bool pd_rule_opens(unsigned op)
{
	return op <= PD_RULE_NONE || op == PD_RULE_ONE || op == PD_RULE_ODD;
}

static enum pd_truth group(struct eval *e, const struct pd_catalog_update *u,
			   uint32_t *at, unsigned op);

/* Of each row all that follows up to the closing one, where *at ends. */
static enum pd_truth over_rows(struct eval *e, const struct pd_catalog_update *u,
			       uint32_t *at, const struct pd_rule *r)
{
	bool nested = e->row;
	struct pd_poll poll = { .olds = e->rules->olds.len, .open = *e->why != NULL };
	uint32_t first = *at;
	struct rows rows = {0};
	bool found = !nested && find_rows(e, r, &rows);

	poll.by[PD_FALSE] = absence(r, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		size_t olds = e->rules->olds.len;
		enum pd_truth t;

		e->row = row_at(&rows, i);
		e->row_kind = r->kind;
		*at = first;
		if (!e->row)
			continue;
		t = group(e, u, at, PD_RULE_ALL);
		if (t == PD_TRUE && rows.packages)
			pd_proof_there(&e->proof, r, e->row);
		pd_olds_mark(&e->rules->olds, olds, t);
		pd_poll_count(&poll, t, &e->proof);
	}
	e->row = nested ? e->row : NULL;
	*at = first;
	for (unsigned depth = 1; depth && *at < u->n_rules; ++*at) {
		depth += pd_rule_opens(u->rules[*at].op);
		depth -= u->rules[*at].op == PD_RULE_CLOSE;
	}
	return nested ? not_known(e, "a group over %s stands in another one", r->kind) :
	       found ? sum(e, r->op, &poll) : PD_UNKNOWN;
}

/* All, any ... of what follows up to the closing one. */
static enum pd_truth group(struct eval *e, const struct pd_catalog_update *u,
			   uint32_t *at, unsigned op)
{
	struct pd_poll poll = { .olds = e->rules->olds.len, .open = *e->why != NULL };

	e->proof = (struct pd_proof){0};
	while (*at < u->n_rules) {
		const struct pd_rule *r = &u->rules[(*at)++];
		size_t olds = e->rules->olds.len;
		enum pd_truth t;

		if (r->tree != e->tree)
			continue;
		if (r->op == PD_RULE_CLOSE)
			break;
		t = r->op == PD_RULE_TEST ? test(e, r) :
		    r->op == PD_RULE_CALL ? call(e, r->subject) :
		    r->op == PD_RULE_UNKNOWN ? not_known(e, "%s", r->subject) :
		    *r->kind ? over_rows(e, u, at, r) : group(e, u, at, r->op);
		t = r->negate ? turned(t) : t;
		pd_olds_mark(&e->rules->olds, olds, t);
		pd_poll_count(&poll, t, &e->proof);
	}
	return sum(e, op, &poll);
}

static enum pd_truth tree(struct eval *e, const struct pd_catalog_update *u,
			  enum pd_truth otherwise)
{
	uint32_t at = 0;

	while (at < u->n_rules && u->rules[at].tree != e->tree)
		at++;
	return at < u->n_rules ? group(e, u, &at, PD_RULE_ALL) : otherwise;
}

enum pd_truth pd_rules_eval(struct pd_rules *rules, const struct pd_catalog_update *u,
			    unsigned which, enum pd_truth otherwise, char **why)
{
	struct eval e = { .rules = rules, .tree = which, .why = why };
	enum pd_truth t;

	rules->olds.len = 0;
	t = tree(&e, u, otherwise);
	rules->proof = e.proof;
	return t;
}

void pd_rules_clear(struct pd_rules *rules)
{
	for (size_t i = 0; rules->shared && i < rules->catalog->n_shared; i++) {
		free(rules->shared[i].why);
		free(rules->shared[i].olds.items);
	}
	free(rules->shared);
	free(rules->olds.items);
	if (rules->pattern)
		regfree(&rules->compiled);
	*rules = (struct pd_rules){0};
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
