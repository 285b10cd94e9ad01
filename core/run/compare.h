/* SPDX-License-Identifier: MIT */
/** Before and after: two scans of the server, their differences, and which
 * steps explain them; see doc/comparison.md. */
#ifndef PD_RUN_COMPARE_H
#define PD_RUN_COMPARE_H

#include "run/engine.h"

/** Scan, once in a run, before its first step that can change something; a
 * plan without such a step is passed over.  False: e->fatal. */
bool pd_compare_before(struct pd_engine *e) PD_MUST_USE;
/** Scan again and journal what differs and why, if @p state ends the work.
 * A scanner that fails is a warning.  False: e->fatal. */
bool pd_compare_after(struct pd_engine *e, enum pd_run_state state) PD_MUST_USE;
/** Put "by", the steps that explain it, and "through" to each entry of
 * pd_facts_diff() that a step explains; takes "row" out of all. */
void pd_compare_explain(struct pd_record *r, struct pd_registry *reg,
			const struct pd_facts *before, const struct pd_facts *after,
			json_t *differences);

#endif
