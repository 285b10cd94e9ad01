/* SPDX-License-Identifier: MIT */
/** Points of a drill: which ones are asked for, and what a journal has. */
#ifndef PD_REHEARSE_POINTS_H
#define PD_REHEARSE_POINTS_H

#include "clone.h"

struct points {
	int64_t *list; /* 1 is the first event of the run */
	size_t n, cap;
};

/** NULL: all of 1 to @p most; "every N"; or "1,7,20-30".  Those above
 * @p most are left out. */
bool points_parse(struct points *p, const char *list, size_t most,
		  struct pd_error **err) PD_MUST_USE;
bool points_check(const char *list, struct pd_error **err) PD_MUST_USE;
/** NULL: all of them. */
bool kinds_parse(struct pd_strings *kinds, const char *list,
		 struct pd_error **err) PD_MUST_USE;

struct journal_event {
	char *kind, *step, *label;
};

/** The events of one run, or of all (@p run NULL), in order. */
struct journal {
	struct journal_event *events;
	size_t n, cap;
	int64_t first;  /* number of the first one */
};

/** Of a clone that is off.  @p state is its state folder. */
bool journal_read(struct journal *out, const struct clone *c, const char *state,
		  const char *run, struct pd_error **err) PD_MUST_USE;
void journal_free(struct journal *j);

#endif
