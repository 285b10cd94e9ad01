/* SPDX-License-Identifier: MIT */
/* Verdicts that follow from those over other updates: what requires others,
 * consists of them, or is replaced by one. */
#include "catalog/model.h"

enum { DEPTH_MAX = 1000 };

struct links {
	const struct pd_catalog *catalog;
	struct pd_verdict_row *rows;
	enum { LINK_NEW, LINK_RUNS, LINK_DONE } *state; /* of each row */
};

enum pd_verdict pd_decide(struct pd_verdict_row *row, enum pd_verdict verdict, char *reason)
{
	free(row->reason);
	row->late = NULL;
	row->reason = reason;
	return row->verdict = verdict;
}

bool pd_has_relation(const struct pd_catalog_update *u, unsigned kind)
{
	for (uint32_t i = 0; i < u->n_relations; i++)
		if (u->relations[i].kind == kind)
			return true;
	return false;
}

/* Rules that only say where it applies leave open what is installed. */
static bool is_judged(const struct pd_catalog_update *u, enum pd_verdict verdict)
{
	bool judged = u->n_packages + u->left_out || u->status == PD_STATUS_RETIRED ||
		      (u->n_rules && verdict != PD_VERDICT_UNKNOWN);

	for (uint32_t i = 0; i < u->n_rules && !judged; i++)
		judged = u->rules[i].tree == PD_RULES_INSTALLED;
	return judged;
}

static enum pd_verdict follow(struct links *l, uint32_t i, unsigned depth);

/* One that consists of others is what they are; bundles may contain bundles,
 * and a cycle ends where it started. */
static void judge_bundle(struct links *l, struct pd_verdict_row *row, unsigned depth)
{
	const struct pd_catalog_update *u = row->update;
	uint32_t count[PD_VERDICT_NOT_APPLICABLE + 1] = {0}, missing = 0;
	enum pd_verdict verdict = PD_VERDICT_NOT_APPLICABLE;

	for (uint32_t r = 0; r < u->n_relations; r++) {
		const char *target = u->relations[r].target;
		int64_t member;

		if (u->relations[r].kind != PD_REL_BUNDLES)
			continue;
		member = pd_catalog_find(l->catalog, target);
		if (member >= 0)
			count[follow(l, (uint32_t)member, depth + 1)]++;
		else if (member == -2)
			count[pd_brief_verdict(pd_catalog_brief_of(l->catalog, target))]++;
		else
			missing++;
	}
	if (count[PD_VERDICT_NEEDED])
		verdict = PD_VERDICT_NEEDED;
	else if (count[PD_VERDICT_UNKNOWN] || missing)
		verdict = PD_VERDICT_UNKNOWN;
	else if (count[PD_VERDICT_INSTALLED] || count[PD_VERDICT_SUPERSEDED])
		verdict = PD_VERDICT_INSTALLED;
	pd_decide(row, verdict, pd_print("of its parts %u are needed, %u installed, %u not "
		"applicable, %u unknown", count[PD_VERDICT_NEEDED], count[PD_VERDICT_INSTALLED],
		count[PD_VERDICT_NOT_APPLICABLE], count[PD_VERDICT_UNKNOWN] + missing));
}

/* Is what a row requires there, or installed by the same run, before it?
 * @p why: if not, what is against it. */
static enum pd_truth is_met(struct links *l, struct pd_verdict_row *row,
			    const struct pd_relation *rel, unsigned depth, const char **why)
{
	int64_t i = pd_catalog_find(l->catalog, rel->target);
	const struct pd_catalog_brief *brief = pd_catalog_brief_of(l->catalog, rel->target);
	struct pd_verdict_row *to = i >= 0 ? &l->rows[i] : NULL;
	enum pd_verdict verdict;

	*why = "is not in the catalog";
	if (!to && !brief)
		return PD_UNKNOWN;
	*why = "is there in another revision";
	if (*rel->revision && strcmp(rel->revision, to ? to->update->revision : brief->revision) != 0)
		return PD_UNKNOWN;
	*why = "requires it in turn";
	if (to && l->state[i] == LINK_RUNS)
		return PD_UNKNOWN;
	verdict = to ? follow(l, (uint32_t)i, depth + 1) : pd_brief_verdict(brief);
	if (to && verdict == PD_VERDICT_NEEDED && !to->update->barred) {
		row->rank = row->rank > to->rank ? row->rank : to->rank + 1;
		return PD_TRUE;
	}
	*why = verdict == PD_VERDICT_UNKNOWN ? "is unknown" :
	       verdict == PD_VERDICT_NEEDED ? "is needed and not approved" : "is not applicable";
	return verdict == PD_VERDICT_UNKNOWN ? PD_UNKNOWN : verdict == PD_VERDICT_INSTALLED;
}

/* What can't be installed yet does not apply. */
static void judge_required(struct links *l, struct pd_verdict_row *row, unsigned depth)
{
	const struct pd_catalog_update *u = row->update;

	for (uint32_t r = 0; r < u->n_relations && (row->verdict == PD_VERDICT_NEEDED ||
	     row->verdict == PD_VERDICT_UNKNOWN); r++) {
		const char *why;
		enum pd_truth met = u->relations[r].kind != PD_REL_REQUIRES ? PD_TRUE :
				    is_met(l, row, &u->relations[r], depth, &why);

		if (met == PD_FALSE || (met == PD_UNKNOWN && row->verdict == PD_VERDICT_NEEDED)) {
			row->n_needed = 0;
			pd_decide(row, met == PD_FALSE ? PD_VERDICT_NOT_APPLICABLE : PD_VERDICT_UNKNOWN,
				  pd_print("it requires %s, which %s", u->relations[r].target, why));
		}
	}
}

static enum pd_verdict follow(struct links *l, uint32_t i, unsigned depth)
{
	struct pd_verdict_row *row = &l->rows[i];

	if (l->state[i] != LINK_NEW || !row->update->n_relations)
		return row->verdict;
	if (depth > DEPTH_MAX)
		return PD_VERDICT_UNKNOWN;
	l->state[i] = LINK_RUNS;
	if (pd_has_relation(row->update, PD_REL_BUNDLES) && !is_judged(row->update, row->verdict))
		judge_bundle(l, row, depth);
	judge_required(l, row, depth);
	l->state[i] = LINK_DONE;
	return row->verdict;
}

static bool is_applicable(const struct pd_verdict_row *row)
{
	return row->verdict == PD_VERDICT_NEEDED || row->verdict == PD_VERDICT_INSTALLED;
}

/* Enter 1 + @from in by[] for all that it replaces, also through others, and
 * not itself.  Each is walked once for all, and once more if it was a start. */
static void mark_replaced(const struct pd_catalog *c, const struct pd_verdict_row *rows,
			  uint32_t from, uint32_t *by, uint32_t *stack)
{
	size_t depth = 0;

	stack[depth++] = from;
	while (depth) {
		const struct pd_catalog_update *u = rows[stack[--depth]].update;

		for (uint32_t r = 0; r < u->n_relations; r++) {
			const struct pd_relation *rel = &u->relations[r];
			int64_t i = rel->kind != PD_REL_SUPERSEDES ? -1 :
				    pd_catalog_find(c, rel->target);

			if (i < 0 || i == from || by[i] || (*rel->revision &&
			    strcmp(rel->revision, rows[i].update->revision) != 0))
				continue;
			by[i] = from + 1;
			stack[depth++] = (uint32_t)i;
		}
	}
}

static int newest_first(const void *a, const void *b)
{
	const struct pd_verdict_row *x = *(struct pd_verdict_row *const *)a;
	const struct pd_verdict_row *y = *(struct pd_verdict_row *const *)b;
	int64_t dx = x->update->updated ? x->update->updated : x->update->issued;
	int64_t dy = y->update->updated ? y->update->updated : y->update->issued;

	return dx != dy ? (dx < dy ? 1 : -1) : (x < y) - (x > y);
}

/* What was withdrawn for another one, or says that it is replaced, is so whomever that is for,
 * unless that is not approved. */
static void replace_stated(const struct pd_catalog *c, struct pd_verdict_row *rows, uint32_t by)
{
	const struct pd_catalog_update *u = rows[by].update;

	for (uint32_t r = 0; r < u->n_relations && !u->barred; r++) {
		const struct pd_relation *rel = &u->relations[r];
		int64_t i = rel->kind == PD_REL_SUPERSEDES ? pd_catalog_find(c, rel->target) : -1;
		unsigned status = i < 0 ? PD_STATUS_FINAL : rows[i].update->status;

		if ((status != PD_STATUS_RETIRED && status != PD_STATUS_REPLACED) || (*rel->revision &&
		    strcmp(rel->revision, rows[i].update->revision) != 0))
			continue;
		rows[i].n_needed = 0;
		pd_decide(&rows[i], PD_VERDICT_SUPERSEDED, pd_print("%sreplaced by %s",
			status == PD_STATUS_RETIRED ? "it was withdrawn, and " : "", u->id));
	}
}

/* Newest first, so that of a cycle the newest one stays. */
static void supersede(const struct pd_catalog *c, struct pd_verdict_row *rows)
{
	struct pd_verdict_row **order = pd_alloc((c->len + 1) * sizeof(*order));
	uint32_t *stack = pd_alloc((c->len + 1) * sizeof(*stack));
	uint32_t *by = pd_alloc((c->len + 1) * sizeof(*by));
	size_t n = 0;

	for (uint32_t i = 0; i < c->len; i++)
		replace_stated(c, rows, i);
	for (size_t i = 0; i < c->len; i++)
		if (is_applicable(&rows[i]) && !rows[i].update->barred &&
		    pd_has_relation(rows[i].update, PD_REL_SUPERSEDES))
			order[n++] = &rows[i];
	qsort(order, n, sizeof(*order), newest_first);
	for (size_t i = 0; i < n; i++)
		if (!by[order[i] - rows])
			mark_replaced(c, rows, (uint32_t)(order[i] - rows), by, stack);
	for (size_t i = 0; i < c->len; i++) {
		uint32_t last = by[i];

		if (!last || (rows[i].verdict != PD_VERDICT_NEEDED &&
			      rows[i].verdict != PD_VERDICT_UNKNOWN))
			continue;
		while (by[last - 1])
			last = by[last - 1];
		rows[i].n_needed = 0;
		pd_decide(&rows[i], PD_VERDICT_SUPERSEDED,
		       pd_print("replaced by %s, which is %s", rows[last - 1].update->id,
				pd_verdict_name(rows[last - 1].verdict)));
	}
	free(order);
	free(stack);
	free(by);
}

void pd_judge_links(const struct pd_catalog *c, struct pd_verdict_row *rows)
{
	struct links l = { .catalog = c, .rows = rows,
			   .state = pd_alloc((c->len + 1) * sizeof(*l.state)) };

	for (uint32_t i = 0; i < c->len; i++)
		follow(&l, i, 0);
	free(l.state);
	supersede(c, rows);
}
