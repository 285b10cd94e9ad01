/* SPDX-License-Identifier: MIT */
/* Why rules hold or not: the comparison of versions that decided, or else the
 * package that is there, or is not, in words.  And which packages they found older. */
#include "base/text.h"
#include "catalog/model.h"

enum { OLDS_MAX = 4096 };

/* The words for what a comparison found; NULL: it is none of versions. */
static const char *words_of(const struct pd_proof *p)
{
	static const struct { int compare; const char *holds, *fails; } words[] = {
		{ PD_CMP_LT, "older than", "not older than" },
		{ PD_CMP_LE, "not newer than", "newer than" },
		{ PD_CMP_GT, "newer than", "not newer than" },
		{ PD_CMP_GE, "not older than", "older than" } };

	for (size_t i = 0; p->rule && p->rule->op == PD_RULE_TEST && i < sizeof(words) / sizeof(*words); i++)
		if (words[i].compare == p->rule->compare)
			return p->holds ? words[i].holds : words[i].fails;
	return NULL;
}

static char *absent_text(const char *outcome, const struct pd_proof *p)
{
	pd_auto_free char *reason = pd_absent_reason(p->rule->subject, p->absent);

	return pd_texts(outcome, ": ", reason, NULL);
}

char *pd_proof_text(const char *outcome, const struct pd_proof *p)
{
	const char *words = words_of(p);
	const char *name = p->rule ? pd_json_text(p->row, "name", NULL) : NULL;
	const char *found = p->rule ? pd_json_text(p->row, words ? p->rule->field : "version", "") : "";
	bool package = name && strcmp(p->rule->kind, "packages") == 0;
	const json_t *flag = p->rule ? json_object_get(p->row, p->rule->field) : NULL;

	if (p->absent)
		return absent_text(outcome, p);
	if (json_is_boolean(flag))
		return pd_texts(outcome, ": ", name ? name : p->rule->kind, json_is_true(flag) ? " is " : " is not ",
				p->rule->field, NULL);
	if (!*found)
		return pd_strdup(outcome);
	if (package)
		return pd_texts(outcome, ": ", name, " ", found, " is installed", words ? ", " : "",
				words ? words : "", words ? " " : "", words ? p->rule->value : "", NULL);
	return pd_print("%s: %s%s%s %s is %s %s", outcome, name ? name : p->rule->kind, name ? "" : ".",
			name ? "" : p->rule->field, found, words, p->rule->value);
}

void pd_proof_there(struct pd_proof *p, const struct pd_rule *rule, const json_t *package)
{
	if (!p->rule)
		*p = (struct pd_proof){ .rule = rule, .row = package, .holds = true };
}

void pd_poll_count(struct pd_poll *poll, enum pd_truth t, struct pd_proof *proof)
{
	struct pd_proof *first = &poll->by[t];

	poll->n[t]++;
	poll->absent += t == PD_FALSE && proof->absent;
	if (t == PD_FALSE && proof->absent && first->absent)
		first->absent += proof->absent;
	else if (proof->rule && (!first->rule || (!words_of(first) && words_of(proof))))
		*first = *proof;
	*proof = (struct pd_proof){0};
}

void pd_olds_add(struct pd_olds *olds, const struct pd_old *items, size_t n)
{
	for (size_t i = 0; i < n && olds->len < OLDS_MAX; i++) {
		pd_grow(olds->items, olds->len, olds->cap);
		olds->items[olds->len++] = items[i];
	}
}

void pd_olds_mark(struct pd_olds *olds, size_t from, enum pd_truth t)
{
	for (size_t i = from; i < olds->len; i++)
		olds->items[i].truth = (int)t;
}

void pd_olds_keep(struct pd_olds *olds, size_t from, enum pd_truth t)
{
	size_t len = from;

	for (size_t i = from; i < olds->len; i++)
		if (olds->items[i].truth == (int)t)
			olds->items[len++] = olds->items[i];
	olds->len = len;
}

static bool is_less(const struct pd_old *a, const struct pd_old *b)
{
	int order = 0;

	return pd_version_compare(a->rule->scheme, a->rule->value, b->rule->value, &order, NULL) && order < 0;
}

void pd_olds_give(const struct pd_olds *olds, struct pd_verdict_row *row)
{
	row->olds = olds->len ? pd_alloc(olds->len * sizeof(*row->olds)) : NULL;
	for (size_t i = 0; i < olds->len; i++) {
		struct pd_old *same = row->olds, *end = row->olds + row->n_olds;

		while (same < end && same->package != olds->items[i].package)
			same++;
		if (same == end || is_less(same, &olds->items[i]))
			*same = olds->items[i];
		row->n_olds += same == end;
	}
}
