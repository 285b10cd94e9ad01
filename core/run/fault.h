/* SPDX-License-Identifier: MIT */
/** Fault points: what `patchday drill` makes happen at a row of the journal. */
#ifndef PD_RUN_FAULT_H
#define PD_RUN_FAULT_H

#include <sqlite3.h>

#include "base/mem.h"

/*
 * $PATCHDAY_FAULT is KIND@N, N the number of the row; without it nothing of
 * this does anything.
 *   kill@N    killed when row N is written (committed, if it has to be)
 *   stop@N    waits there until the drill has cut the power, or has filled the
 *             disk and taken the sign away
 *   torn@N    killed while the commit of row N is only half on the disk
 *   enospc@N  the journal finds the disk full from row N on; for tests that
 *             have no disk to fill
 * /run/patchday-fault is the sign that it happened.
 */

/** Is the disk full for row @p n? */
bool pd_fault_full(int64_t n);
/** Row @p n was written. */
void pd_fault_written(int64_t n);
/** Looks at each commit of the journal, of which *@p n is the newest row and
 * @p path the file; both must outlive it. */
void pd_fault_watch(struct sqlite3 *db, const int64_t *n, const char *path);

#endif
