/* SPDX-License-Identifier: MIT */
/** Private to catalog/: building the model, words, the native reader, rules. */
#ifndef PD_CATALOG_MODEL_H
#define PD_CATALOG_MODEL_H

#include "catalog/catalog.h"
#include "facts/index.h"
#include "plugin/worker.h"

extern const char *const pd_severity_words[], *const pd_class_words[],
	*const pd_restart_words[], *const pd_scheme_words[], *const pd_status_words[],
	*const pd_exit_words[], *const pd_compare_words[]; /* end with NULL */
int pd_word_value(const char *const *words, const char *word); /* -1: none */
size_t pd_word_count(const char *const *words);

/** Owns all that the updates point at. */
struct pd_arena {
	struct pd_arena_block *blocks;
	size_t bytes; /* in use, of all blocks */
	struct pd_index strings;
	struct pd_index ids; /* id -> its place in updates */
};

/** Makes a catalog from the parts of its updates in document order. */
struct pd_builder {
	struct pd_catalog *catalog;
	struct pd_catalog_update now; /* its arrays are the builder's own */
	uint32_t caps[6];
	bool open;
	unsigned line, column; /* where the part stands; 0: the update's */
	unsigned depth, tree;  /* of the rules */
};

struct pd_catalog *pd_catalog_new(const char *name, const char *format);
/** One part, a struct of plugin.h by enum pd_emit.  False: it is refused, and
 * with it the whole update that it belongs to. */
bool pd_builder_emit(struct pd_builder *b, int what, const void *part,
		     struct pd_error **err) PD_MUST_USE;
/** @return false if an update was left open. */
bool pd_builder_end(struct pd_builder *b, struct pd_error **err) PD_MUST_USE;
/** -1: no such id. */
int64_t pd_catalog_find(const struct pd_catalog *c, const char *id);
/** Note at most 100 texts of what was passed over, and count all. */
void pd_catalog_ignore(struct pd_catalog *c, unsigned line, const char *what);

bool pd_native_read(int fd, struct pd_builder *b, struct pd_error **err) PD_MUST_USE;

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
