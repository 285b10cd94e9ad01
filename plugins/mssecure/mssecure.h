/* SPDX-License-Identifier: MIT */
/* Private to the plugin mssecure: the tables of the document. */
#ifndef PD_PLUGIN_MSSECURE_H
#define PD_PLUGIN_MSSECURE_H

#include "../shared/tree.h"

struct tables {
	struct tree *tree;
	struct tree_index locations, files, keys, products, packs, comments; /* by their ids */
	struct tree_index replacements; /* SupercededBy, by SBID */
	struct tree_index patches;  /* by the id of their update */
	struct tree_index replaced; /* the same, by the id of the one that replaces them */
};

/* What a reference leads to; NULL, and reported, if there is none.  "", "0" and
 * "na" refer to nothing. */
HIDDEN const struct node *mssecure_find(const struct tables *x, const struct tree_index *table,
					const struct node *from, const char *attribute);
/* The path of the location that it refers to; NULL: none. */
HIDDEN const char *mssecure_path(const struct tables *x, const struct node *from,
				 const char *attribute);
/* An attribute; NULL if it is empty or "na". */
HIDDEN const char *mssecure_value(const struct tables *x, const struct node *n, const char *name);
HIDDEN int mssecure_rules(const struct tables *x, const struct node *patch);

#endif
