/* SPDX-License-Identifier: MIT */
/** Permit: before each stage the guards are asked, may I go on? */
#ifndef PD_RUN_PERMIT_H
#define PD_RUN_PERMIT_H

#include "run/engine.h"

/**
 * May the stage of @p s begin?  Asks every guard of its plan, and waits until
 * none speaks against it; what is held is given back meanwhile.  A stage that
 * was let go on is not asked for again after a crash or a reboot in it.
 * @return PD_OUT_DONE: go; PD_OUT_SIGNAL: the process ends, waiting, or a person
 * wants all taken back, which its state says;
 * PD_OUT_FAILED: what was held did not come back; PD_OUT_FATAL.
 */
enum pd_outcome pd_permit(struct pd_engine *e, const struct pd_record_step *s,
			  enum pd_outcome (*give_back)(struct pd_engine *,
						       const struct pd_record_step *));
/** Dry run: ask once for the first stage.  *bad: a guard whose arguments make
 * no sense, for which no waiting helps; NULL: none; the caller frees.  Without
 * a journal the answer is in the record, too. */
bool pd_permit_look(struct pd_engine *e, char **bad) PD_MUST_USE;
/** Is every name in the options' emergency that of a guard? */
bool pd_permit_known(const struct pd_engine *e, struct pd_error **err) PD_MUST_USE;
/** Note them as overridden from now on. */
bool pd_permit_override(struct pd_engine *e) PD_MUST_USE;

#endif
