/* SPDX-License-Identifier: MIT */
/** Sample: a file of the case for a reader or a filter, and what becomes of
 * it when it is damaged.  The same each time. */
#ifndef PD_CONFORM_SAMPLE_H
#define PD_CONFORM_SAMPLE_H

#include "base/json.h"

/** A file in memory: a clone need not have it. */
struct sample {
	char *name;  /* of the row that it is for; NULL: of none, a file of another format */
	char *shown; /* its file name, for people */
	char *data;
	size_t len;
	char *plain; /* what has to come out of a filter; NULL: too much */
	size_t plain_len;
};

struct samples {
	struct sample *items;
	size_t len, cap;
};

/** Those of a case, @p list: "NAME=FILE" or "NAME=FILE=PLAIN", below @p folder. */
bool samples_add(struct samples *s, const json_t *list, const char *folder, struct pd_error **err) PD_MUST_USE;
/** Files that are of no row: @p list of paths; and ours, which are no catalogs. */
bool samples_add_others(struct samples *s, const json_t *list, struct pd_error **err) PD_MUST_USE;

/** Ways to damage a sample. */
enum damage {
	DAMAGE_NONE,
	DAMAGE_CUT,    /* number: how many 16ths of it are left; 16: all but a byte */
	DAMAGE_FLIP,   /* number: which bytes are changed, some */
	DAMAGE_NOISE,  /* its start, and noise */
	DAMAGE_DEEP,   /* 100,000 elements in each other, or brackets */
	DAMAGE_ENTITY, /* number 0: text that is of a file; 1: that grows without end */
	DAMAGE_LONG,   /* one text of many MiB */
	DAMAGE_MANY,   /* many elements that it does not know */
	DAMAGES
};

extern const char *const damages[DAMAGES]; /* in words: "cut short" */

#define SAMPLE_CANARY "patchday-canary-entity"
#define SAMPLE_CANARY_FILE "/run/patchday-canary"

/** @return the damaged sample, the caller frees; NULL: that can't be done to one
 * of its kind. */
char *sample_damaged(const struct sample *s, enum damage damage, unsigned number, size_t *len);

#endif
