/* SPDX-License-Identifier: MIT */
/* Private to the plugin oval: what is kept of a document, and how it becomes
 * rules.  Definitions stand before the tests, objects, states and variables
 * that they refer to: they are kept until all is read.  Then most of them are
 * decided, and little of them has to be handed on. */
#ifndef PD_PLUGIN_OVAL_H
#define PD_PLUGIN_OVAL_H

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The rules of a definition "a package that it is about is there". */
#define OVAL_PACKAGES " packages"

/* What is known before any server is asked: tests of packages that none of those
 * that are going to be asked has. */
enum settled { UNSETTLED, NEVER, ALWAYS, OPEN };

/* Of the document; the first four hold entries. */
enum section { TESTS, OBJECTS, STATES, VARIABLES, DEFINITIONS, NO_SECTION };

/* Rows of one size that grow; there is no memory for more: the worker ends. */
struct rows {
	void *data;
	size_t len, cap; /* in rows */
};

/* A text that is there once, and what has it as its id: 1 + its place. */
struct word {
	uint32_t at;          /* in texts */
	uint32_t entries[4];  /* enum section, from TESTS */
	uint32_t mark, uses;  /* of the definition that had it last; by criteria */
};

/* Of the table of words, the next free one from where its hash says; with the place
 * of its text, which is looked at at once. */
struct slot {
	uint32_t hash, word, at; /* word: 0: it is free */
};

enum operation {
	EQUALS, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, PATTERN,
	ANY_CASE_EQUALS, ANY_CASE_NOT_EQUAL, OTHER_OPERATION
};
enum datatype { TEXT, EVR, DEBIAN_EVR, INTEGER, NUMBERS, OTHER_DATATYPE };
enum check { ALL_OF, AT_LEAST_ONE, NONE_OF, ONLY_ONE, OTHER_CHECK };
enum existence { AT_LEAST_ONE_EXISTS, ANY_EXIST, NONE_EXIST, ONLY_ONE_EXISTS, OTHER_EXISTENCE };

/* Of a criteria tree: what opens, what closes, a reference to a test or a
 * definition. */
struct node {
	uint8_t op, negate; /* enum pd_rule_op; TEST is a test, CALL a definition */
	uint32_t ref;       /* word */
};

struct link {
	uint32_t kind, target, title, hash; /* hash: of the target */
};

/* Of what it says about itself: places in told, where 0 is nothing. */
struct definition {
	uint32_t id, revision, line, first, n; /* words; nodes */
	uint32_t title, description, url, vendor, severity;
	uint32_t first_link, n_links;
	int64_t issued, updated;
	uint8_t kind;              /* enum pd_class, of its references */
	bool patch, vulnerability; /* class */
};

/* <name operation="...">value</name> of an object or a state. */
struct entity {
	uint32_t name, value, variable; /* words; value of a literal, or id */
	uint8_t operation, check, var_check, datatype;
};

/* A test, object, state or variable. */
struct entry {
	uint32_t id, type, line;  /* words */
	uint32_t first, n;        /* entities; of a test states, of a variable values or,
				   * of a local one, what it is put together from */
	uint32_t object;          /* of a test: word */
	uint32_t packages, package; /* that a test names; the first one (word) */
	uint8_t settled;          /* enum settled, of a test */
	uint8_t check, existence, op; /* op: enum pd_rule_op, of states or entities */
	bool strange;             /* it has more than is understood here */
};

struct reader {
	struct pd_ctx *ctx;
	struct rows words, texts, slots; /* struct word, char, struct slot */
	struct rows entries[4];          /* struct entry, by enum section */
	struct rows entities, refs;      /* struct entity; uint32_t, words */
	struct rows definitions, nodes, links, told; /* told: char */
	/* where the document is */
	enum section section;
	unsigned depth, criteria;  /* criteria: that are open */
	struct entry *entry;       /* what is open */
	struct entity entity;
	uint8_t element;           /* of a definition's head; see head.c */
	uint32_t href;             /* of that; in told */
	bool asked;                /* is its text asked for? */
	struct rows text;          /* of the element; later a pattern */
	uint32_t product;          /* word */
	/* the rules on their way out */
	unsigned tree;             /* enum pd_rule_tree */
	int result;
};

/* head.c: what a definition says about itself */
/** As pd_xml_handler.passed: half of all elements. */
HIDDEN bool oval_passed(const char *name, unsigned depth, bool bare);
HIDDEN void oval_head_start(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
			   size_t n);
/** @p text: "" where none is asked for. */
HIDDEN void oval_head_end(struct reader *r, const char *text);
/** Begin its update; @p brief: without links, which nobody asks for. */
HIDDEN int oval_head_emit(struct reader *r, const struct definition *d, bool brief);
HIDDEN const char *oval_attribute(const struct pd_xml_attr *attrs, size_t n, const char *name);

/* modules.c */
extern HIDDEN const struct pd_scanner oval_modules;

/* store.c */
HIDDEN void *oval_add(struct rows *rows, size_t size, const void *row);
#define OVAL_ADD(rows, row) oval_add(rows, sizeof(*(row)), row)
HIDDEN void oval_append(struct rows *text, const char *s, size_t len);
#define OVAL_AT(rows, type, i) (&((type *)(rows).data)[i])
#define OVAL_LAST(rows, type) OVAL_AT(rows, type, (rows).len - 1)
/** The number of a text, from 1; 0 is none. */
HIDDEN uint32_t oval_word(struct reader *r, const char *text);
/** Good until the next oval_word(). */
HIDDEN const char *oval_text(const struct reader *r, uint32_t word);
/** NULL: the document has none with this id. */
HIDDEN struct entry *oval_find(const struct reader *r, enum section section, uint32_t id);
HIDDEN void oval_free(struct reader *r);

/* pattern.c */
/* Of a full version; EPOCH_OR_0: where none is the epoch 0. */
enum part { WHOLE, VERSION_PART, RELEASE_PART, EPOCH_PART, EPOCH_OR_0 };
/** A POSIX pattern that finds what the PCRE @p pattern finds; NULL: there is
 * none.  @p part: it is about the version or release of a full version.  Kept
 * in @p out until the next call. */
HIDDEN const char *oval_pattern(struct rows *out, const char *pattern, enum part part);
/** One that finds exactly @p text. */
HIDDEN const char *oval_literal(struct rows *out, const char *text, enum part part, bool any_case);
/** What stands before that part in a pattern, and behind it. */
HIDDEN const char *oval_before(enum part part);
HIDDEN const char *oval_behind(enum part part);
/** The pattern that was appended; NULL: it is none, or too long. */
HIDDEN const char *oval_finished(struct rows *out);

/* numbers.c */
/** A pattern that finds what is EQUALS, LESS or GREATER (@p operation) than the
 * number @p value, or with NUMBERS than the row of numbers that a version is;
 * NULL: there is none. */
HIDDEN const char *oval_number(struct rows *out, unsigned operation, const char *value,
			       enum part part, enum datatype datatype);

/* tree.c: rules on their way out; the first failure is kept in result */
HIDDEN void oval_rule(struct reader *r, const struct pd_rule *rule);
/** @p kind: it counts rows; NULL: its children. */
HIDDEN void oval_open(struct reader *r, unsigned op, bool negate, const char *kind,
		      const char *subject);
HIDDEN void oval_close(struct reader *r);
HIDDEN void PD_PRINTF(2, 3) oval_unknown(struct reader *r, const char *fmt, ...);
/** A fact's field, compared (enum pd_compare). */
HIDDEN void oval_compare(struct reader *r, const char *kind, const char *field,
			 unsigned compare, const char *value, unsigned scheme);
/** @p rule, but where @p pattern does not find what it is about: that is not known. */
HIDDEN void oval_known(struct reader *r, const char *pattern, const struct pd_rule *rule,
		       const char *why);
/** Is a field there? */
HIDDEN void oval_exists(struct reader *r, const char *kind, const char *field, bool negate);
/** All definitions and their rules, once the document is read. */
HIDDEN int oval_emit_all(struct reader *r);

/** What has this outcome: one group. */
HIDDEN void oval_constant(struct reader *r, bool outcome);

/* test.c */
/** Is its outcome the same for all that it can be asked of?  Packages that are
 * not wanted count for the update. */
HIDDEN void oval_settle(struct reader *r, struct entry *test);
/** The rules of one test: one leaf, or one group. */
HIDDEN void oval_test(struct reader *r, const struct entry *test, bool negate);
/** "A package that it is about is there", as children of what is open. */
HIDDEN void oval_packages(struct reader *r, const struct entry *test, uint32_t mark);

/* kernel.c */
/** A test of the version of the kernel that runs; false: it is none. */
HIDDEN bool oval_kernel(struct reader *r, const struct entry *test, const struct entry *object,
			bool negate);

/* entity.c */
/** What an entity of a state says about a row: one leaf, or one group. */
HIDDEN void oval_entity(struct reader *r, const char *type, const struct entity *e);
/** The values of an entity: its own, or of its variable.  NULL: they can't be
 * told. */
HIDDEN const uint32_t *oval_values(const struct reader *r, const struct entity *e, uint32_t *n);

#endif
