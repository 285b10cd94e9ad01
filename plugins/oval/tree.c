/* SPDX-License-Identifier: MIT */
/* Rules on their way out: criteria as rules that updates call, tests in their
 * place if one criterion refers to them, else as rules of their own. */
#include <stdio.h>

#include "oval.h"

void oval_rule(struct reader *r, const struct pd_rule *rule)
{
	struct pd_rule row = *rule;

	row.size = sizeof(row);
	row.tree = PD_RULES_APPLICABLE;
	if (!r->result)
		r->result = pd_update_rule(r->ctx, &row);
}

void oval_open(struct reader *r, unsigned op, bool negate, const char *kind, const char *subject)
{
	oval_rule(r, &(struct pd_rule){ .op = (uint16_t)op, .negate = negate, .kind = kind,
					.subject = subject });
}

void oval_close(struct reader *r)
{
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_CLOSE });
}

void oval_unknown(struct reader *r, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_UNKNOWN, .subject = why });
}

void oval_compare(struct reader *r, const char *kind, const char *field, unsigned compare,
		  const char *value, unsigned scheme)
{
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_TEST, .kind = kind, .field = field,
					.compare = (uint16_t)compare, .value = value,
					.scheme = scheme });
}

void oval_exists(struct reader *r, const char *kind, const char *field, bool negate)
{
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_TEST, .kind = kind, .field = field,
					.negate = negate });
}

void oval_constant(struct reader *r, bool outcome)
{
	oval_open(r, outcome ? PD_RULE_ALL : PD_RULE_ANY, false, NULL, NULL);
	oval_close(r);
}

static bool begin(struct reader *r, const char *id, const char *revision, unsigned line)
{
	struct pd_update_head head = { .size = sizeof(head), .id = id, .revision = revision,
				       .line = line, .status = PD_STATUS_RULES, .disk_bytes = -1 };

	if (!r->result)
		r->result = pd_update_begin(r->ctx, &head);
	return !r->result;
}

static void end(struct reader *r)
{
	if (!r->result)
		r->result = pd_update_end(r->ctx);
}

static void call(struct reader *r, uint32_t id, bool negate)
{
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_CALL, .negate = negate,
					.subject = oval_text(r, id) });
}

static struct word *test_word(const struct reader *r, const struct node *n)
{
	return n->op == PD_RULE_TEST && n->ref ? OVAL_AT(r->words, struct word, n->ref - 1) : NULL;
}

static enum settled negated(enum settled s)
{
	return s == OPEN ? s : s == NEVER ? ALWAYS : NEVER;
}

/* Kleene's, from how many there are of each outcome. */
static enum settled sum(unsigned op, const uint32_t n[3])
{
	enum settled last = n[OPEN] ? OPEN : op == PD_RULE_ALL || (op != PD_RULE_ANY &&
			    n[ALWAYS] % 2) ? ALWAYS : NEVER;

	switch (op) {
	case PD_RULE_ALL: return n[NEVER] ? NEVER : last;
	case PD_RULE_ANY: return n[ALWAYS] ? ALWAYS : last;
	case PD_RULE_ONE: return n[ALWAYS] > 1 ? NEVER : last;
	default: return last;
	}
}

/* Of the nodes up to the one that closes, behind which *at ends. */
static enum settled settled(const struct reader *r, const struct definition *d, uint32_t *at,
			    unsigned op)
{
	uint32_t n[3] = { 0, 0, 0 };

	while (*at < d->n) {
		const struct node *node = OVAL_AT(r->nodes, struct node, d->first + (*at)++);
		const struct word *test = test_word(r, node);
		bool leaf = node->op == PD_RULE_CALL || node->op == PD_RULE_UNKNOWN ||
			    node->op == PD_RULE_TEST;
		enum settled s;

		if (node->op == PD_RULE_CLOSE)
			break;
		s = test ? (enum settled)test->settled : leaf ? OPEN : settled(r, d, at, node->op);
		n[node->negate ? negated(s) : s]++;
	}
	return sum(op, n);
}

static void emit_node(struct reader *r, const struct node *n)
{
	const struct entry *test = n->op == PD_RULE_TEST ? oval_find(r, TESTS, n->ref) : NULL;
	const struct word *word = test_word(r, n);

	if (n->op == PD_RULE_UNKNOWN)
		oval_unknown(r, "a criteria has no criterion");
	else if (n->op == PD_RULE_CLOSE)
		oval_close(r);
	else if (test && word->settled != OPEN)
		oval_constant(r, (word->settled == ALWAYS) != n->negate);
	else if (test && word->uses == 1)
		oval_test(r, test, n->negate);
	else if (n->ref)
		call(r, n->ref, n->negate);
	else
		oval_open(r, n->op, n->negate, NULL, NULL);
}

/* A patch is installed if a package is there that it is about, and it is not
 * needed. */
static void emit_packages(struct reader *r, const struct definition *d, uint32_t mark)
{
	const struct node *nodes = OVAL_AT(r->nodes, struct node, d->first);

	if (!begin(r, pd_format(r->ctx, "%s%s", oval_text(r, d->id), OVAL_PACKAGES),
		   oval_text(r, d->revision), d->line))
		return;
	oval_open(r, PD_RULE_ANY, false, NULL, NULL);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct entry *test = nodes[i].op == PD_RULE_TEST ?
					   oval_find(r, TESTS, nodes[i].ref) : NULL;

		if (test)
			oval_packages(r, test, mark);
	}
	oval_close(r);
	end(r);
}

static void emit_definition(struct reader *r, const struct definition *d)
{
	enum settled all;
	uint32_t at = 0;

	if (!begin(r, oval_text(r, d->id), oval_text(r, d->revision), d->line))
		return;
	all = d->n ? settled(r, d, &at, PD_RULE_ALL) : OPEN;
	if (all != OPEN)
		oval_constant(r, all == ALWAYS);
	for (uint32_t i = 0; all == OPEN && i < d->n; i++)
		emit_node(r, OVAL_AT(r->nodes, struct node, d->first + i));
	if (!d->n)
		oval_unknown(r, "the definition has no criteria");
	end(r);
}

/* How often each test is asked for, and what is known of it. */
static void look_at_tests(struct reader *r)
{
	for (size_t i = 0; i < r->nodes.len; i++) {
		const struct node *n = OVAL_AT(r->nodes, struct node, i);
		const struct entry *test = n->op == PD_RULE_TEST ? oval_find(r, TESTS, n->ref) : NULL;
		struct word *word = test_word(r, n);

		if (word && !word->uses++)
			word->settled = (uint8_t)(test ? oval_settled(r, test) : OPEN);
	}
}

int oval_emit_all(struct reader *r)
{
	look_at_tests(r);
	for (uint32_t i = 0; i < r->words.len && !r->result; i++) {
		const struct entry *test = oval_find(r, TESTS, i + 1);

		const struct word *word = OVAL_AT(r->words, struct word, i);

		if (!test || word->uses < 2 || word->settled != OPEN ||
		    !begin(r, oval_text(r, i + 1), NULL, test->line))
			continue;
		oval_test(r, test, false);
		end(r);
	}
	for (uint32_t i = 0; i < r->definitions.len && !r->result; i++) {
		const struct definition *d = OVAL_AT(r->definitions, struct definition, i);

		emit_definition(r, d);
		if (d->patch)
			emit_packages(r, d, i + 1);
	}
	return r->result;
}
