/* SPDX-License-Identifier: MIT */
/** Tasks done by several processes at once. */
#ifndef PD_REHEARSE_JOBS_H
#define PD_REHEARSE_JOBS_H

#include "base/json.h"

struct jobs {
	unsigned n;      /* processes */
	size_t tasks;    /* each of 0 to tasks - 1 is done by one of them */
	void *user;
	/* in a process, number 1 to n: before, for each task, and behind */
	bool (*begin)(void *user, unsigned job, struct pd_error **err);
	json_t *(*one)(void *user, size_t task, struct pd_error **err);
	void (*end)(void *user);
	/* in the caller: what one() gave, borrowed */
	void (*result)(void *user, json_t *row);
};

/** An error in one, or session_stop, ends them all: with what they have begun
 * in the first case, at once in the second. */
bool jobs_run(const struct jobs *j, struct pd_error **err) PD_MUST_USE;

#endif
