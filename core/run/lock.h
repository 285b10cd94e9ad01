/* SPDX-License-Identifier: MIT */
/** Exactly one process works on the runs of a server. */
#ifndef PD_RUN_LOCK_H
#define PD_RUN_LOCK_H

#include "run/record.h"

/** Take the lock of a state folder for this process and @p run; released by
 * closing.  @return a descriptor, or -1 with *err set: "run-locked" names the
 * owner's pid, run and, from the journal, its step. */
int pd_lock_take(const char *state, struct pd_journal *j, const char *run,
		 struct pd_error **err);
/** Who holds it: pid, and *run (the caller frees); 0: nobody. */
pid_t pd_lock_owner(const char *state, char **run);
/** Is the state folder ours alone?  Who can write there could have root do
 * anything.  "state-not-private". */
bool pd_lock_private(const char *state, struct pd_error **err) PD_MUST_USE;

#endif
