/* SPDX-License-Identifier: MIT */
/** Still: a filter that holds every system call that could change something,
 * until it is judged.  Root, Linux 5.5. */
#ifndef PD_CONFORM_STILL_H
#define PD_CONFORM_STILL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { STILL_LINE = 8448 };

/** This process and all that it starts are filtered from now on.  @return the
 * descriptor on which they are judged, -1 with errno set.  Whoever judges must
 * not be filtered itself. */
int still_hold(void);
/** Hand it to the judge, over a Unix socket. */
bool still_pass(int channel, int listener);
int still_take(int channel); /* -1: none came */
/** Judge one call: one that changes something is refused with EPERM and told
 * in @p line, "STEP: CALL PATH (PROGRAM)", and true is returned.  Processes of
 * the session @p free_session may do all; 0: none may. */
bool still_judge(int listener, pid_t free_session, char line[STILL_LINE]);

#endif
