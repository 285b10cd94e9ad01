/* SPDX-License-Identifier: MIT */
/* Private to the plugin cvrf. */
#ifndef PD_PLUGIN_CVRF_H
#define PD_PLUGIN_CVRF_H

#include "../shared/tree.h"

/* What all updates of one document share. */
struct document {
	struct tree *tree;
	const struct node *root;
	struct pd_update_head head; /* id is that of the document */
	struct tree_index products; /* FullProductName by ProductID */
	struct tree_index parts;    /* Relationship, or FullProductName of a package, by platform */
	struct tree_index versions; /* where platforms differ: each version of a package, by its name */
	bool related;               /* there is a Relationship */
	bool told;                  /* of one platform at least it is known which system it is */
};

/* The worst of what is said; the first word of it is kept. */
struct worst {
	enum pd_severity severity;
	const char *word;
	double score;
	const char *score_text;
};

HIDDEN void cvrf_word(struct worst *w, const char *word);
/* Of a vulnerability, for these products by their ids, or for any if NULL. */
HIDDEN void cvrf_worst(struct document *d, struct worst *w, const struct node *vulnerability,
		       const struct tree_index *ids);
/* Both severities of @p h. */
HIDDEN void cvrf_severity(struct document *d, struct pd_update_head *h, const struct worst *w);

HIDDEN int cvrf_relation(struct document *d, unsigned kind, const char *target, const char *title);
/* Each key once; @p set gets sorted. */
HIDDEN int cvrf_relations(struct document *d, unsigned kind, struct tree_index *set);
HIDDEN int cvrf_rule(struct document *d, unsigned tree, unsigned op);
HIDDEN int cvrf_test(struct document *d, struct pd_rule r);

HIDDEN void cvrf_products(struct document *d);
HIDDEN const char *cvrf_product_name(struct document *d, const char *id);
/* Any of the products, by their ids. */
HIDDEN int cvrf_any_product(struct document *d, struct tree_index *ids);
/* Have platforms different versions of one package?  Then the versions are collected. */
HIDDEN bool cvrf_differ(struct document *d);
/* Of these packages, that every platform's version says the same; else not known. */
HIDDEN int cvrf_agree(struct document *d, const struct tree_index *names);
/* Set told, when all parts are there. */
HIDDEN void cvrf_tell_platforms(struct document *d);
/* Any of the platforms of these parts, which have the packages @p names, if one of the
 * document is told at all, and nothing is for none. */
HIDDEN int cvrf_platforms(struct document *d, size_t from, size_t to, const struct tree_index *names);
/* The packages for a platform, for all if NULL, with the rules for it. */
HIDDEN int cvrf_packages(struct document *d, const char *platform);

/* Does it name numbers of the Knowledge Base as what mends it? */
HIDDEN bool cvrf_has_fixes(struct document *d);
HIDDEN int cvrf_fixes(struct document *d);

#define VULNERABILITIES(v, d) TREE_EACH(v, (d)->root, "Vulnerability")

#endif
