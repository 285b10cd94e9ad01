/* SPDX-License-Identifier: MIT */
/** Estimate: how long the rest of a run takes, and taking it back. */
#ifndef PD_RUN_ESTIMATE_H
#define PD_RUN_ESTIMATE_H

#include "plugin/registry.h"
#include "run/record.h"

struct pd_estimate {
	size_t n;             /* steps of the record that it was made for */
	double *todo, *back;  /* seconds to do each step, and to undo it; 0: it has no undo */
};

/**
 * Of every step: the 95th percentile of what it took in up to 20 of the last
 * runs of this journal (same workflow and step id; else same verb, of any
 * workflow), else what the catalogs say of its updates, else what its plugin
 * says.  What there was nothing to do for teaches nothing, unless looking is
 * all that the step does.
 * @p j may be NULL: nothing was learned.
 */
bool pd_estimate_make(struct pd_estimate *t, struct pd_journal *j, const struct pd_record *r,
		      struct pd_registry *reg, struct pd_error **err) PD_MUST_USE;
/**
 * Seconds for what is left from step @p from on, with what is held being given back, and
 * to take back all that was done by then.  What is done, dropped or skipped is not left.
 */
void pd_estimate_rest(const struct pd_estimate *t, const struct pd_record *r, size_t from,
		      double *todo, double *undo);
void pd_estimate_clear(struct pd_estimate *t);

#endif
