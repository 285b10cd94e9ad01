/* SPDX-License-Identifier: MIT */
/** Estimate: how long the rest of a run takes, and taking it back. */
#ifndef PD_RUN_ESTIMATE_H
#define PD_RUN_ESTIMATE_H

#include "plugin/registry.h"
#include "run/record.h"

struct pd_estimate {
	size_t n;     /* steps of the record that it was made for */
	double *rest; /* seconds to do step i and all behind it */
	double undo;  /* seconds to take back all that can be, if the last one fails */
};

/**
 * Of every step: the 95th percentile of what it took in up to 20 of the last
 * runs of this journal (same workflow and step id; else same verb, of any
 * workflow), else what the catalogs say of its updates, else what its plugin
 * says.  What there was nothing to do for teaches nothing, unless looking is
 * all that the step does.  Steps that are done count as undone later.
 * @p j may be NULL: nothing was learned.
 */
bool pd_estimate_make(struct pd_estimate *t, struct pd_journal *j, const struct pd_record *r,
		      struct pd_registry *reg, struct pd_error **err) PD_MUST_USE;
void pd_estimate_clear(struct pd_estimate *t);

#endif
