/* SPDX-License-Identifier: MIT */
/** Carry: what a transport is asked to do to a target, in its worker. */
#ifndef PD_CONFORM_CARRY_H
#define PD_CONFORM_CARRY_H

#include "lens.h"

enum carry {
	CARRY_OPEN,     /* open and close, twice */
	CARRY_ALL,      /* programs and files, there and back */
	CARRY_NOTHING,  /* a program that is not there */
	CARRY_LATE,     /* a program that takes longer than it may */
	CARRY_NO_FILE,  /* put: a file that is not here */
	CARRY_NOT_THERE, /* get: a file that is not there */
	CARRY_LONG,     /* a program that takes as long as it is let */
	CARRIES
};

/** A scanner that does it in place of scanning, to the @p target { name, address, port,
 * user?, options? }; what it finds wrong goes to the lens.  Lives as long as the next
 * call. */
const struct pd_scanner *carry_scanner(struct lens *l, const struct pd_transport *t, enum carry what,
				       const json_t *target);

#endif
