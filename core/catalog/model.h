/* SPDX-License-Identifier: MIT */
/** Private to catalog/: building the model, rules. */
#ifndef PD_CATALOG_MODEL_H
#define PD_CATALOG_MODEL_H

#include "catalog/catalog.h"
#include "plugin/worker.h"

/** Owns all that the updates point at. */
struct pd_arena {
	struct pd_arena_block *blocks;
	size_t bytes; /* in use, of all blocks */
	struct pd_index strings;
	struct pd_index ids; /* id -> its place in updates */
};

/** Makes a catalog from the parts of its updates in document order.  Set
 * catalog, strict and err. */
struct pd_builder {
	struct pd_catalog *catalog;
	bool strict;           /* what is refused ends the reading */
	struct pd_error **err;
	enum { PD_UPDATE_NONE, PD_UPDATE_OPEN, PD_UPDATE_REFUSED } state; /* of an update */
	struct pd_catalog_update now;
	struct pd_buffer rows[PD_EMIT_END]; /* of its lists, as they grow */
	unsigned line, column; /* where the part stands; 0: the update's */
	unsigned depth, tree;  /* of the rules */
};

struct pd_catalog *pd_catalog_new(const char *name, const char *format);
/** One part, which may be changed.  One that is wrong drops its update with a
 * note.  @return false: the reading is at its end, with *err set. */
bool pd_builder_emit(void *builder, struct pd_emitted *e) PD_MUST_USE;
/** @p whole: the reader succeeded.  @return as pd_builder_emit(). */
bool pd_builder_end(struct pd_builder *b, bool whole) PD_MUST_USE;
/** Fill in the digest of one that has no file. */
void pd_catalog_digest(struct pd_catalog *c);
/** -1: no such id. */
int64_t pd_catalog_find(const struct pd_catalog *c, const char *id);

/** A regular expression of bounded cost that compiles? */
bool pd_rules_pattern(const char *s);

enum pd_truth { PD_FALSE, PD_TRUE, PD_UNKNOWN };

/** One of an update's rule trees; without one it is @p otherwise.  @p why is
 * set to what is not known, or stays; the caller frees. */
enum pd_truth pd_rules_eval(const struct pd_catalog *c,
			    const struct pd_catalog_update *u, unsigned tree,
			    const struct pd_facts *facts, enum pd_truth otherwise,
			    char **why);

#endif
