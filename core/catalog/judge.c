/* SPDX-License-Identifier: MIT */
/* Verdicts: needed, installed, superseded, not applicable or unknown, and why. */
#include "catalog/model.h"

/* What the packages of one update look like on the server. */
struct look {
	struct seen { uint32_t n; char *first; } older, held, unknown, barred, foreign;
	const char *name;                    /* the last that was looked for, and found */
	const struct pd_installed *all;
	bool *newest;                        /* of these */
	size_t n;
	uint32_t present;                    /* packages that are there, none older */
	const struct pd_package_row *first;  /* of them, */
	const char *version;                 /* found of it */
	bool brief;                          /* it is only counted, and nothing told */
};

static void clear_look(struct look *look)
{
	free(look->older.first);
	free(look->held.first);
	free(look->unknown.first);
	free(look->barred.first);
	free(look->foreign.first);
	free(look->newest);
}

static bool older(enum pd_scheme scheme, const char *a, const char *b)
{
	int order = 0;

	return pd_version_compare(scheme, a, b, &order, NULL) && order < 0;
}

static int by_arch(const void *a, const void *b)
{
	const struct pd_installed *const *x = a, *const *y = b;

	return strcmp((*x)->arch, (*y)->arch);
}

static const struct pd_installed *newer(const struct pd_installed *a, const struct pd_installed *b)
{
	int order;

	if (!pd_version_compare(b->scheme, b->version, b->version, &order, NULL))
		return a; /* no version at all */
	return !a || older(b->scheme, a->version, b->version) ? b : a;
}

/* Several versions of one package may be there, such as kernels: the newest
 * of an architecture counts. */
bool *pd_newest(const struct pd_installed *all, size_t n)
{
	pd_auto_free const struct pd_installed **sorted = pd_alloc(n * sizeof(*sorted));
	bool *out = pd_alloc(n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &all[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), by_arch);
	for (size_t i = 0, next; i < n; i = next) {
		const struct pd_installed *best = NULL;

		for (next = i; next < n && by_arch(&sorted[i], &sorted[next]) == 0; next++)
			best = newer(best, sorted[next]);
		for (size_t k = i; k < next; k++)
			out[sorted[k] - all] = !best || !older(sorted[k]->scheme, sorted[k]->version,
							       best->version);
	}
	return out;
}

static void PD_PRINTF(3, 4) note(const struct look *look, struct seen *seen, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!seen->n++ && !look->brief)
		seen->first = pd_vprint(fmt, ap);
	va_end(ap);
}

static void add_needed(struct pd_verdict_row *row, uint32_t package, const char *version)
{
	/* rows of the size of the update's packages: made at the first one */
	if (!row->needed) {
		row->needed = pd_alloc(row->update->n_packages * sizeof(*row->needed));
		row->installed = pd_alloc(row->update->n_packages * sizeof(*row->installed));
	}
	if (row->n_needed && row->needed[row->n_needed - 1] == package)
		return;
	row->needed[row->n_needed] = package;
	row->installed[row->n_needed++] = version;
}

static void look_at(struct pd_verdict_row *row, uint32_t index, struct look *look,
		    const struct pd_facts *facts)
{
	const struct pd_package_row *p = &row->update->packages[index];
	const struct pd_installed *old, *all;
	int module = (int)strcspn(p->module, " ,");
	size_t n;

	/* there is a build of it for each architecture, one after the other */
	if (!look->name || strcmp(look->name, p->name) != 0) {
		look->n = pd_facts_packages(facts, p->name, &look->all);
		free(look->newest);
		look->newest = look->n > 1 ? pd_newest(look->all, look->n) : NULL;
	}
	look->name = p->name;
	all = look->all;
	n = look->n;
	old = n ? NULL : pd_replaced_by(p, facts);
	if (old) {
		note(look, &look->older, "%s %s is installed, which %s %s replaces", old->name, old->version,
		     p->name, p->version);
		add_needed(row, index, "");
	}
	for (size_t i = 0; i < n; i++) {
		enum pd_scheme scheme = p->scheme ? p->scheme : all[i].scheme;
		enum pd_truth enabled = pd_in_module(p, &all[i], facts);
		int order = 0;

		if (!pd_arch_fits(p->arch, all[i].arch))
			note(look, &look->foreign, "%s is installed, but for %s, and this is for %s", p->name,
			     all[i].arch, p->arch);
		if (!pd_arch_fits(p->arch, all[i].arch) || (n > 1 && !look->newest[i]) ||
		    (all[i].scheme && scheme != all[i].scheme))
			continue;
		if (enabled == PD_FALSE) {
			note(look, &look->barred, "the module %.*s of %s is not enabled", module, p->module, p->name);
			continue;
		}
		if (!pd_version_compare(scheme, all[i].version, p->version, &order, NULL)) {
			note(look, &look->unknown, "%s: %s can't be compared with %s", p->name,
			     all[i].version, p->version);
		} else if (enabled == PD_UNKNOWN && order != 0) {
			note(look, &look->unknown, "it is not known whether the module %.*s of %s is enabled",
			     module, p->module, p->name);
		} else if (order < 0 && all[i].held) {
			note(look, &look->held, "%s is held back at %s", p->name, all[i].version);
		} else if (order < 0) {
			note(look, &look->older, "%s %s is installed, %s is offered", p->name,
			     all[i].version, p->version);
			add_needed(row, index, all[i].version);
		} else if ((scheme != PD_SCHEME_RPM || pd_arch_same(p->arch, all[i].arch) || !*p->arch) &&
			   !look->present++) {
			/* to rpm another architecture is another package, unless it is older */
			look->first = p;
			look->version = all[i].version;
		}
	}
}

static enum pd_verdict more(struct pd_verdict_row *row, enum pd_verdict verdict,
			    const struct seen *seen, const char *also)
{
	const char *mark = also ? "; " : "";

	also = also ? also : "";
	return pd_decide(row, verdict, seen->n == 1 ? pd_print("%s%s%s", seen->first, mark, also) :
		      pd_print("%s, and %u more%s%s", seen->first, seen->n - 1, mark, also));
}

static enum pd_verdict by_packages(struct pd_verdict_row *row, struct look *look,
				   const struct pd_facts *facts)
{
	const struct pd_catalog_update *u = row->update;

	/* no server is without any package: nobody could list them */
	if (!json_array_size(json_object_get(facts->json, "packages")))
		return pd_decide(row, PD_VERDICT_UNKNOWN,
			      pd_strdup("the installed packages are not known"));
	for (uint32_t i = 0; i < u->n_packages; i++)
		look_at(row, i, look, facts);
	if (look->older.n)
		return more(row, PD_VERDICT_NEEDED, &look->older, look->held.first);
	if (look->unknown.n)
		return pd_decide(row, PD_VERDICT_UNKNOWN, pd_strdup(look->unknown.first));
	if (look->held.n)
		return more(row, PD_VERDICT_NOT_APPLICABLE, &look->held,
			    "the administrator decides; see `apt-mark showhold`");
	if (look->present + u->n_there)
		return pd_decide(row, PD_VERDICT_INSTALLED, pd_installed_reason(
			u->n_there ? u->there : look->first->name,
			u->n_there ? u->there_version : look->version, look->present + u->n_there));
	if (look->barred.n)
		return pd_decide(row, PD_VERDICT_NOT_APPLICABLE, pd_strdup(look->barred.first));
	if (look->foreign.n)
		return pd_decide(row, PD_VERDICT_NOT_APPLICABLE, pd_strdup(look->foreign.first));
	return pd_decide(row, PD_VERDICT_NOT_APPLICABLE, pd_absent_reason(u->n_packages ?
		      u->packages[0].name : "", u->n_packages + u->left_out));
}

static bool has_tree(const struct pd_catalog_update *u, unsigned tree)
{
	uint32_t i = 0;

	while (i < u->n_rules && u->rules[i].tree != tree)
		i++;
	return i < u->n_rules;
}

static enum pd_verdict by_rules(struct pd_rules *rules, struct pd_verdict_row *row,
				struct look *look)
{
	const struct pd_catalog_update *u = row->update;
	pd_auto_free char *why = NULL;
	enum pd_verdict packages = PD_VERDICT_UNKNOWN;
	enum pd_truth there = PD_UNKNOWN, fits;
	struct pd_proof lacking;

	if (u->n_packages + u->left_out)
		packages = by_packages(row, look, rules->facts);
	there = pd_rules_eval(rules, u, PD_RULES_INSTALLED,
			      packages == PD_VERDICT_INSTALLED ? PD_TRUE :
			      packages == PD_VERDICT_UNKNOWN ? PD_UNKNOWN : PD_FALSE, &why);
	lacking = rules->proof;
	/* Packages of the name may be another platform's: these come behind where it fits. */
	if (there == PD_TRUE && has_tree(u, PD_RULES_INSTALLED))
		return pd_decide(row, PD_VERDICT_INSTALLED,
			      pd_proof_text("its rules find it installed", &lacking));
	fits = pd_rules_eval(rules, u, PD_RULES_APPLICABLE, PD_TRUE, &why);
	if (fits == PD_FALSE)
		return pd_decide(row, PD_VERDICT_NOT_APPLICABLE, rules->proof.absent ?
			pd_absent_reason(rules->proof.rule->subject, rules->proof.absent) :
			pd_proof_text("its rules exclude this server", &rules->proof));
	if (there == PD_TRUE) /* so its packages have it */
		return row->verdict;
	/* It has rules about where it fits, which hold, and a program to ask. */
	row->unsure = fits == PD_TRUE && u->n_installers && has_tree(u, PD_RULES_APPLICABLE);
	if (there == PD_UNKNOWN || fits == PD_UNKNOWN)
		return pd_decide(row, PD_VERDICT_UNKNOWN, pd_strdup(why ? why : row->reason ?
			row->reason : "it does not say how to see that it is installed"));
	if (look->held.n && !row->n_needed)
		return row->verdict;
	/* Such as a driver: nothing of it need be there before. */
	for (uint32_t i = 0; i < u->n_packages && !look->older.n; i++)
		add_needed(row, i, "");
	if (!u->n_packages)
		pd_olds_give(&rules->olds, row);
	return pd_decide(row, PD_VERDICT_NEEDED, look->older.n ?
		pd_print("its rules fit this server; %s", look->older.first) :
		pd_proof_text("its rules fit this server", rules->proof.rule ? &rules->proof : &lacking));
}

static void judge(struct pd_rules *rules, struct pd_verdict_row *row)
{
	const struct pd_catalog_update *u = row->update;
	struct look look = {0};

	if (u->status == PD_STATUS_RETIRED)
		pd_decide(row, PD_VERDICT_NOT_APPLICABLE, pd_strdup("it was withdrawn"));
	else if (u->n_rules)
		by_rules(rules, row, &look);
	else if (u->n_packages + u->left_out)
		by_packages(row, &look, rules->facts);
	else
		pd_decide(row, PD_VERDICT_UNKNOWN, pd_strdup(
			"it does not say to which servers it applies"));
	if (row->verdict != PD_VERDICT_NEEDED)
		row->n_needed = 0;
	clear_look(&look);
}

void pd_judge_late(struct pd_verdict_row *row)
{
	struct pd_rules rules = { .catalog = row->catalog, .facts = row->late };

	row->late = NULL;
	judge(&rules, row);
}

bool pd_judge_brief(const struct pd_catalog_update *u, const struct pd_facts *facts,
		    struct pd_catalog_brief *brief)
{
	struct pd_verdict_row row = { .update = u };
	struct look look = { .brief = true };
	bool brief_enough = !u->n_rules && u->n_packages && !pd_has_relation(u, PD_REL_SUPERSEDES) &&
			    !pd_has_relation(u, PD_REL_BUNDLES) && !pd_has_relation(u, PD_REL_REQUIRES);

	for (uint32_t i = 0; brief_enough && i < u->n_packages; i++) {
		look_at(&row, i, &look, facts);
		brief_enough = !look.older.n && !look.held.n && !look.unknown.n;
	}
	brief_enough &= look.present || !(look.barred.n + look.foreign.n);
	*brief = (struct pd_catalog_brief){ .id = u->id, .revision = u->revision,
		.package = look.present ? look.first->name : u->n_packages ? u->packages[0].name : "",
		.installed = look.version,
		.packages = look.present ? look.present : u->n_packages + u->left_out,
		.severity = u->severity, .kind = u->kind, .status = u->status, .restart = u->restart };
	clear_look(&look);
	free(row.needed);
	free(row.installed);
	return brief_enough;
}

bool pd_catalogs_judge(const struct pd_catalogs *list, const struct pd_facts *facts,
		       struct pd_verdicts *out, struct pd_error **err)
{
	static const struct pd_facts nothing;
	size_t total = 0;

	(void)err;
	for (size_t k = 0; k < list->len; k++)
		total += list->items[k]->len;
	*out = (struct pd_verdicts){ .len = total, .cap = total + 1 };
	out->rows = pd_alloc(out->cap * sizeof(*out->rows));
	total = 0;
	for (size_t k = 0; k < list->len; k++) {
		const struct pd_catalog *c = list->items[k];
		struct pd_verdict_row *rows = out->rows + total;
		pd_auto(pd_rules) rules = { .catalog = c, .facts = facts ? facts : &nothing };
		bool crowd = pd_crowd_see(list->items[k], facts);

		for (uint32_t i = 0; i < c->len; i++) {
			rows[i] = (struct pd_verdict_row){ .catalog = c, .update = &c->updates[i] };
			if (crowd && pd_crowd_verdict(c, rows[i].update, &rows[i].verdict))
				rows[i].late = facts;
			else
				judge(&rules, &rows[i]);
		}
		if (c->linked)
			pd_judge_links(c, rows);
		total += c->len;
	}
	return true;
}
