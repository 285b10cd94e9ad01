/* SPDX-License-Identifier: MIT */
/* Updates and rules on their way out: criteria as rules that updates call, tests
 * in their place if one criterion refers to them, else as rules of their own. */
#include <stdio.h>

#include "oval.h"

enum { DEPTH = 256 }; /* of elements */

void oval_rule(struct reader *r, const struct pd_rule *rule)
{
	struct pd_rule row = *rule;

	row.size = sizeof(row);
	row.tree = (uint16_t)r->tree;
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

void oval_known(struct reader *r, const char *pattern, const struct pd_rule *rule, const char *why)
{
	struct pd_rule is = { .op = PD_RULE_TEST, .kind = rule->kind, .field = rule->field,
			      .compare = PD_CMP_MATCH, .value = pattern };

	oval_open(r, PD_RULE_ANY, false, NULL, NULL);
	oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	oval_rule(r, &is);
	oval_rule(r, rule);
	oval_close(r);
	oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	is.negate = true;
	oval_rule(r, &is);
	oval_unknown(r, "%s", why);
	oval_close(r);
	oval_close(r);
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

static void call(struct reader *r, const char *id, bool negate)
{
	oval_rule(r, &(struct pd_rule){ .op = PD_RULE_CALL, .negate = negate, .subject = id });
}

/* NULL: it is no test, or of none that is there. */
static struct entry *test_of(const struct reader *r, const struct node *n)
{
	return n->op == PD_RULE_TEST ? oval_find(r, TESTS, n->ref) : NULL;
}

/* Of a test or definition, by criteria. */
static uint32_t uses(const struct reader *r, uint32_t id)
{
	return id ? OVAL_AT(r->words, struct word, id - 1)->uses : 0;
}

static enum settled negated(enum settled s)
{
	return s == OPEN ? s : s == NEVER ? ALWAYS : NEVER;
}

/* Kleene's, from how many there are of each outcome. */
static enum settled sum(unsigned op, const uint32_t n[OPEN + 1])
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

static bool is_leaf(const struct node *n)
{
	return n->op == PD_RULE_CALL || n->op == PD_RULE_UNKNOWN || n->op == PD_RULE_TEST;
}

/* Of the nodes up to the one that closes, behind which *at ends. */
static enum settled settled(const struct reader *r, const struct definition *d, uint32_t *at,
			    unsigned op)
{
	uint32_t n[OPEN + 1] = {0};

	while (*at < d->n) {
		const struct node *node = OVAL_AT(r->nodes, struct node, d->first + (*at)++);
		const struct entry *test = test_of(r, node);
		enum settled s;

		if (node->op == PD_RULE_CLOSE)
			break;
		s = test ? (enum settled)test->settled : is_leaf(node) ? OPEN : settled(r, d, at, node->op);
		n[node->negate ? negated(s) : s]++;
	}
	return sum(op, n);
}

/* What is decided is left out where it decides nothing, as most of it does.  @op: of
 * the group that it is in. */
static void emit_decided(struct reader *r, unsigned op, bool outcome)
{
	if (op != (outcome ? PD_RULE_ALL : PD_RULE_ANY))
		oval_constant(r, outcome);
}

static void emit_node(struct reader *r, const struct node *n, unsigned op)
{
	const struct entry *test = test_of(r, n);

	if (n->op == PD_RULE_UNKNOWN)
		oval_unknown(r, "a criteria has no criterion");
	else if (n->op == PD_RULE_CLOSE)
		oval_close(r);
	else if (test && test->settled != OPEN)
		emit_decided(r, op, (test->settled == ALWAYS) != n->negate);
	else if (test && uses(r, test->id) == 1)
		oval_test(r, test, n->negate);
	else if (n->ref)
		call(r, oval_text(r, n->ref), n->negate);
	else
		oval_open(r, n->op, n->negate, NULL, NULL);
}

static const char *packages_id(struct reader *r, const struct definition *d)
{
	return pd_format(r->ctx, "%s%s", oval_text(r, d->id), OVAL_PACKAGES);
}

/* A patch is installed if a package is there that it is about, and it is not
 * needed. */
static void emit_packages(struct reader *r, const struct definition *d, uint32_t mark)
{
	if (!begin(r, packages_id(r, d), oval_text(r, d->revision), d->line))
		return;
	oval_open(r, PD_RULE_ANY, false, NULL, NULL);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct entry *test = test_of(r, OVAL_AT(r->nodes, struct node, d->first + i));

		if (test)
			oval_packages(r, test, mark);
	}
	oval_close(r);
	end(r);
}

static void emit_criteria(struct reader *r, const struct definition *d, enum settled all)
{
	uint8_t ops[DEPTH] = { PD_RULE_ALL };
	uint8_t depth = 0; /* as far as elements are nested */

	if (all != OPEN)
		oval_constant(r, all == ALWAYS);
	for (uint32_t i = 0; all == OPEN && i < d->n; i++) {
		const struct node *node = OVAL_AT(r->nodes, struct node, d->first + i);

		emit_node(r, node, ops[depth]);
		if (node->op == PD_RULE_CLOSE)
			depth--;
		else if (!is_leaf(node))
			ops[++depth] = node->op;
	}
	if (!d->n)
		oval_unknown(r, "the definition has no criteria");
}

static void emit_rules(struct reader *r, const struct definition *d, enum settled all)
{
	if (!begin(r, oval_text(r, d->id), oval_text(r, d->revision), d->line))
		return;
	emit_criteria(r, d, all);
	end(r);
}

/* They are asked more than once. */
static bool are_shared(const struct reader *r, const struct definition *d)
{
	return d->patch || uses(r, d->id);
}

/* What is no patch is never installed. */
static void call_rules(struct reader *r, const struct definition *d, enum settled all)
{
	const char *id = oval_text(r, d->id);

	if (are_shared(r, d))
		call(r, id, false);
	else
		emit_criteria(r, d, all);
	r->tree = PD_RULES_INSTALLED;
	if (d->patch) {
		call(r, id, true);
		call(r, packages_id(r, d), false);
	} else {
		oval_constant(r, false);
	}
	r->tree = PD_RULES_APPLICABLE;
}

/* Is a package there that it is about?  Those that are not are counted: each time
 * as the first one, which takes no search. */
static bool look_at_packages(struct reader *r, const struct definition *d)
{
	const char *name = NULL;
	bool there = false;

	for (uint32_t i = 0; i < d->n; i++) {
		struct entry *test = test_of(r, OVAL_AT(r->nodes, struct node, d->first + i));
		bool again = test && test->settled;

		if (test && !again)
			oval_settle(r, test);
		if (!test || !test->packages)
			continue;
		there |= test->settled == OPEN;
		name = name ? name : oval_text(r, test->package);
		for (uint32_t k = 0; again && !there && k < test->packages; k++)
			there = pd_package_wanted(r->ctx, name);
	}
	return there;
}

/* What is decided by none of its packages being there is handed on without rules,
 * but for others that call them. */
static void emit_definition(struct reader *r, const struct definition *d, uint32_t mark)
{
	uint32_t at = 0;
	bool there = look_at_packages(r, d);
	enum settled all = d->n ? settled(r, d, &at, PD_RULE_ALL) : OPEN;
	bool decided = all == NEVER && !there;

	r->result = oval_head_emit(r, d, decided);
	if (!decided)
		call_rules(r, d, all);
	end(r);
	if (are_shared(r, d) && (!decided || uses(r, d->id)))
		emit_rules(r, d, all);
	if (!decided && d->patch)
		emit_packages(r, d, mark);
}

int oval_emit_all(struct reader *r)
{
	for (uint32_t i = 0; i < r->definitions.len && !r->result; i++)
		emit_definition(r, OVAL_AT(r->definitions, struct definition, i), i + 1);
	for (size_t i = 0; i < r->entries[TESTS].len && !r->result; i++) {
		const struct entry *test = OVAL_AT(r->entries[TESTS], struct entry, i);

		if (test->settled != OPEN || uses(r, test->id) < 2 ||
		    !begin(r, oval_text(r, test->id), NULL, test->line))
			continue;
		oval_test(r, test, false);
		end(r);
	}
	return r->result;
}
