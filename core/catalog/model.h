/* SPDX-License-Identifier: MIT */
/** Private to catalog/: building the model, rules. */
#ifndef PD_CATALOG_MODEL_H
#define PD_CATALOG_MODEL_H

#include <regex.h>

#include "catalog/catalog.h"
#include "plugin/worker.h"

enum { PD_ARENA_RECENT = 32 };

/** Owns all that the updates point at. */
struct pd_arena {
	struct pd_arena_block *blocks;
	size_t bytes; /* in use, of all blocks */
	struct pd_index strings;
	struct pd_index ids; /* id (of further revisions, if each is one of its own,
			      * "revision\x1fid") ->
			      * its place in updates; PD_BRIEF: in briefs */
	struct pd_index shared; /* id -> its place in shared */
	struct pd_index replacing; /* name -> its first place in replacers */
	struct pd_replacer {
		const char *name, *version, *arch, *replaces;
		uint32_t next; /* of this name; 0: none */
	} *replacers;          /* packages that take the place of others; 0 is none */
	size_t n_replacers, cap_replacers;
	struct pd_index defaults; /* module -> its place in streams */
	struct pd_stream {
		const char *stream; /* "": those that name one do not agree */
		int64_t modified;
	} *streams;               /* default streams of modules */
	size_t n_streams, cap_streams;
	const char *recent[PD_ARENA_RECENT]; /* that were kept, by the first byte */
};

#define PD_BRIEF 0x80000000u
#define PD_REPLACED_MAX 256

/** Memory for pointers and numbers; not zeroed. */
void *pd_arena_take(struct pd_arena *a, size_t bytes);
/** NULL is the empty text; of pd_arena_keep() the same text is there once. */
const char *pd_arena_add(struct pd_arena *a, const char *s, size_t len);
const char *pd_arena_copy(struct pd_arena *a, const char *s);
const char *pd_arena_keep(struct pd_arena *a, const char *s);
/** Forget all of it but a block to go on with. */
void pd_arena_reset(struct pd_arena *a);
void pd_arena_clear(struct pd_arena *a);

/** Makes a catalog from the parts of its updates in document order.  Set
 * catalog, strict and err. */
struct pd_builder {
	struct pd_catalog *catalog;
	const struct pd_audience *audience; /* NULL: everybody */
	bool strict;           /* what is refused ends the reading */
	bool revisions;        /* each revision of an id is an update of its own */
	bool replacing;        /* only what packages replace is kept */
	struct pd_error **err;
	enum { PD_UPDATE_NONE, PD_UPDATE_OPEN, PD_UPDATE_REFUSED } state; /* of an update */
	struct pd_catalog_update now;
	struct pd_buffer rows[PD_EMIT_END]; /* of its lists, as they grow */
	struct pd_buffer version; /* of a package, in one */
	struct pd_arena scratch; /* what they point at, until it is whole */
	unsigned line, column; /* where the part stands; 0: the update's */
	unsigned depth, tree;  /* of the rules */
	const char *pattern;   /* the last one that was found good */
};

/** A filter at work; see unpack.c. */
struct pd_unpack {
	int pid;
	int data; /* what comes out of it */
	int why;
};

/** @p call: phase UNPACK, all but unpack_fd. */
bool pd_unpack_start(struct pd_unpack *u, struct pd_worker_call *call,
		     struct pd_error **err) PD_MUST_USE;
/** @p all: what came out of it was read well.  False: it failed, and *err, which
 * must not be NULL, says so in place of what it said before. */
bool pd_unpack_end(struct pd_unpack *u, const char *name, bool all,
		   struct pd_error **err) PD_MUST_USE;

struct pd_catalog *pd_catalog_new(const char *name, const char *format);
/** One part, which may be changed.  One that is wrong drops its update with a
 * note.  @return false: the reading is at its end, with *err set. */
bool pd_builder_emit(void *builder, struct pd_emitted *e) PD_MUST_USE;
/** @p whole: the reader succeeded.  @return as pd_builder_emit(). */
bool pd_builder_end(struct pd_builder *b, bool whole) PD_MUST_USE;
/** One that is whole, to its place among the others: of one id the higher
 * revision counts, the same one adds its packages. */
void pd_catalog_settle(struct pd_builder *b);
void pd_catalog_settle_brief(struct pd_builder *b, const struct pd_catalog_brief *brief);
/** A package that replaces others, of this full version. */
void pd_catalog_replacer(struct pd_catalog *c, const struct pd_package_row *p, const char *version);
/** "NAME:STREAM" is the default one since @p modified, a number that grows; a package of it
 * is marked: "NAME:STREAM default".  Of several modules, with commas between, any counts. */
void pd_catalog_default(struct pd_catalog *c, const char *module, int64_t modified);
/** What is known of the packages of an update wherever they stand. */
void pd_add_known(struct pd_arena *a, struct pd_catalog_update *u);
void pd_catalog_ignore(struct pd_catalog *c, unsigned line, const char *what);
/** Its packages are all there or not there, nothing else is to be looked at,
 * and so nothing has to be kept?  Then *brief has what is. */
bool pd_judge_brief(const struct pd_catalog_update *u, const struct pd_facts *facts,
		    struct pd_catalog_brief *brief);
/** Of all of one name: is each the newest of its architecture?  The caller frees. */
bool *pd_newest(const struct pd_installed *all, size_t n);
/** A verdict and its reason, which is taken, in place of what was there. */
enum pd_verdict pd_decide(struct pd_verdict_row *row, enum pd_verdict verdict, char *reason);
bool pd_has_relation(const struct pd_catalog_update *u, unsigned kind);
/** What follows from the verdicts of a catalog over others of it. */
void pd_judge_links(const struct pd_catalog *c, struct pd_verdict_row *rows);
/** The reason, and what is needed, of a row that has its verdict alone. */
void pd_judge_late(struct pd_verdict_row *row);

/** Look at the packages of one more server.  False: they are not known, or it is
 * the first one, which is looked at as if it were the only one. */
bool pd_crowd_see(struct pd_catalog *c, const struct pd_facts *facts);
/** The verdict there.  False: more than packages has to be looked at. */
bool pd_crowd_verdict(const struct pd_catalog *c, const struct pd_catalog_update *u,
		      enum pd_verdict *verdict);
void pd_crowd_free(struct pd_crowd *crowd);
enum pd_verdict pd_brief_verdict(const struct pd_catalog_brief *b);
const struct pd_catalog_brief *pd_catalog_brief_of(const struct pd_catalog *c, const char *id);
/** Why, in words. */
char *pd_installed_reason(const char *package, const char *version, uint32_t n);
char *pd_absent_reason(const char *package, uint32_t n);
/** What the packages that are going to change ask for, if they say so. */
unsigned pd_verdict_restart(const struct pd_verdict_row *row);
/** Fill in the digest of one that has no file. */
void pd_catalog_digest(struct pd_catalog *c);
/** Its place in updates; -1: no such id, -2: there is only a brief. */
int64_t pd_catalog_find(const struct pd_catalog *c, const char *id);

/** A regular expression of bounded cost that compiles? */
bool pd_rules_pattern(const char *s);

enum pd_truth { PD_FALSE, PD_TRUE, PD_UNKNOWN };

/** Are they of one architecture; is one of use where the other one is? */
bool pd_arch_same(const char *offered, const char *installed);
bool pd_arch_fits(const char *offered, const char *installed);
/** Is the module of a package enabled where this build of it is installed?  A row of
 * x-modules with this name says that others may be. */
#define PD_ANY_MODULE "*"
enum pd_truth pd_in_module(const struct pd_package_row *p, const struct pd_installed *have,
			   const struct pd_facts *facts);

/** A version without its release, if the other one has none, which then stands for all
 * of its releases, as in a dependency; the caller frees. */
char *pd_as_long_as(const char *version, const char *other);

/** A package that another one replaces. */
struct pd_replaced {
	char name[PD_REPLACED_MAX], version[PD_REPLACED_MAX];
	int compare; /* enum pd_compare; PD_CMP_EXISTS: whichever version */
};
/** The next one of pd_package_row.replaces, of which *at is what is left.  False:
 * it is nothing that can be understood. */
bool pd_replaced_next(const char **at, struct pd_replaced *out);
/** The first installed package of another name that @p p takes the place of; NULL. */
const struct pd_installed *pd_replaced_by(const struct pd_package_row *p, const struct pd_facts *facts);

/** The comparison that decided a rule, and what it found; rule NULL: none did. */
struct pd_proof {
	const struct pd_rule *rule;
	const json_t *row;
	bool holds;
	uint32_t absent; /* it is that so many packages are not there; the first is the rule's subject */
};
/** Where none did: this package is there. */
void pd_proof_there(struct pd_proof *proof, const struct pd_rule *rule, const json_t *package);
/** An outcome with it in words; the caller frees. */
char *pd_proof_text(const char *outcome, const struct pd_proof *proof);

/** How many rules of a group have each truth, and the first proof of each. */
struct pd_poll {
	size_t n[3];
	size_t absent; /* those that are false since no such package is there */
	struct pd_proof by[3];
	size_t olds;   /* where its part of these begins */
	bool open;     /* something was not known before */
};
/** One more; its proof is taken. */
void pd_poll_count(struct pd_poll *poll, enum pd_truth t, struct pd_proof *proof);

/** Packages that rules found older than what they ask for, as they were found: no more
 * than any real catalog has.  Those of a part that decides nothing go again. */
struct pd_olds {
	struct pd_old *items;
	size_t len, cap;
};
/** All from the place @p from on were found by what is @p t. */
void pd_olds_mark(struct pd_olds *olds, size_t from, enum pd_truth t);
/** Of these only what was found by what is @p t stays. */
void pd_olds_keep(struct pd_olds *olds, size_t from, enum pd_truth t);
void pd_olds_add(struct pd_olds *olds, const struct pd_old *items, size_t n);
/** To a row: each package once, with the highest version that it has to get to. */
void pd_olds_give(const struct pd_olds *olds, struct pd_verdict_row *row);

/** The rules of one catalog, asked about one server: what is shared is asked
 * once.  Set catalog and facts; clear in the end. */
struct pd_rules {
	const struct pd_catalog *catalog;
	const struct pd_facts *facts;
	struct pd_rules_shared *shared; /* an outcome for each, or NULL */
	const char *pattern;            /* the last one that was compiled; NULL */
	regex_t compiled;
	struct pd_proof proof;          /* of what was asked last */
	struct pd_olds olds;
	size_t shared_olds;             /* of all that is shared */
};

void pd_rules_clear(struct pd_rules *rules);
#define pd_rules_cleanup pd_rules_clear

/** One of an update's rule trees; without one it is @p otherwise.  @p why is
 * set to what is not known, or stays; the caller frees. */
enum pd_truth pd_rules_eval(struct pd_rules *rules, const struct pd_catalog_update *u,
			    unsigned tree, enum pd_truth otherwise, char **why);

#endif
