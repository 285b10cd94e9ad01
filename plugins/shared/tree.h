/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: a part of an XML document as a tree, for readers
 * that have to look back and forth in it.  Elements are found by local name. */
#ifndef PD_PLUGIN_TREE_H
#define PD_PLUGIN_TREE_H

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

struct node {
	const char *name, *text; /* its own text, without blanks around it; never NULL */
	const struct node *parent, *first, *next;
	const struct pd_xml_attr *attrs;
	size_t n_attrs;
	unsigned line;
};

/** Set the first four, then call tree_read(). */
struct tree {
	struct pd_ctx *ctx;
	void *user;
	const char *entry; /* elements that are handed on: the root, or its children */
	/** An entry with all in it, which is forgotten afterwards.  @return 0, or
	 * what pd_fail() returned to stop. */
	int (*take)(struct tree *t, const struct node *entry);
	/* private */
	struct block *blocks, *now;
	size_t bytes;           /* in use */
	struct node *open;      /* the innermost element */
	struct node **link;     /* where its next child goes */
	unsigned depth, passed; /* passed: depth in what is left out */
	char *text;             /* of the open elements, one behind the other */
	size_t len, cap;
};

/** The whole source.  What is no entry is reported as passed over. */
HIDDEN int PD_MUST_USE tree_read(struct tree *t);
/** For pd_reader.recognize: is @p root the local name of the first element? */
HIDDEN bool tree_starts_with(const unsigned char *head, size_t len, const char *root);

/** Zeroed memory that lives as long as the entry.  Never NULL. */
HIDDEN void *tree_alloc(struct tree *t, size_t bytes);
HIDDEN const char *PD_PRINTF(2, 3) tree_print(struct tree *t, const char *fmt, ...);

/** A text that grows.  With a limit, what would exceed it is left out. */
struct tree_text {
	const char *data; /* NULL: nothing yet */
	size_t len, cap, limit;
};

HIDDEN void PD_PRINTF(3, 4) tree_append(struct tree *t, struct tree_text *x, const char *fmt, ...);

/** What is taken after the mark is given back by the release. */
struct tree_mark {
	struct block *now;
	size_t used, bytes;
};

HIDDEN struct tree_mark tree_mark(struct tree *t);
HIDDEN void tree_release(struct tree *t, struct tree_mark mark);

/** An attribute without blanks around it; NULL: it is missing or empty. */
HIDDEN const char *tree_attr(struct tree *t, const struct node *n, const char *name);
/** The first child of that name, of any if NULL; then the next one. */
HIDDEN const struct node *tree_child(const struct node *n, const char *name);
HIDDEN const struct node *tree_next(const struct node *n, const char *name);
/** The text of the child of that name; NULL: there is none, or it is empty. */
HIDDEN const char *tree_text(const struct node *n, const char *name);
/** Seconds since 1970 UTC of a date as vendors write them; 0: it is none. */
HIDDEN int64_t tree_time(struct tree *t, const char *text);

#define TREE_EACH(child, n, name) \
	for (const struct node *child = tree_child(n, name); child; child = tree_next(child, name))

/** Nodes in the order of their keys, which are looked up in any letter case. */
struct tree_index {
	struct tree_key {
		const char *key;
		const struct node *node;
		size_t place; /* in the order they were added */
	} *rows;
	size_t len, cap;
};

HIDDEN void tree_add(struct tree *t, struct tree_index *x, const char *key,
		     const struct node *node);
/** After the last one was added. */
HIDDEN void tree_sort(struct tree_index *x);
/** The first one added with that key; NULL: none, or no @p key. */
HIDDEN const struct node *tree_find(const struct tree_index *x, const char *key);
/** Where the rows with that key are, in the order they were added; how many. */
HIDDEN size_t tree_range(const struct tree_index *x, const char *key, const struct tree_key **first);

#endif
