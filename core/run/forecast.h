/* SPDX-License-Identifier: MIT */
/** The forecast: what the dry run said against a run, and whether it held. */
#ifndef PD_RUN_FORECAST_H
#define PD_RUN_FORECAST_H

#include "run/record.h"

/** Every reason not to start: [{"step", "risk", "cause", "remedy"}], step ""
 * for one of the whole run (a question that is open or answered otherwise
 * than it must be); in the order of the plan.  New reference. */
json_t *pd_forecast_refusals(const struct pd_record *r);
/**
 * Did the predictions hold?  Each predicted result and output of a step that
 * has ended is right or wrong; what was not predicted is unknown, and no part
 * of the figure.  New reference:
 * { "total": SUM, "plugins": {NAME: SUM}, "steps": [{"step", "held":
 *   "yes|no|unknown", "predicted", "real": "changed|unchanged|failed",
 *   "wrong": [{"output", "predicted", "real"}], "unknown": [OUTPUT...]}] }
 * SUM is {"right": N, "wrong": N, "unknown": N, "percent": P}; percent of
 * right among right and wrong, rounded down, null if there are none.
 */
json_t *pd_forecast_fidelity(const struct pd_record *r);

#endif
