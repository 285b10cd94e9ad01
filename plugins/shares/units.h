/* SPDX-License-Identifier: MIT */
/* Units of systemd that a restore stops and starts again. */
#ifndef PATCHDAY_UNITS_H
#define PATCHDAY_UNITS_H

#include <patchday/plugin.h>

#define UNIT_RUNS 's'

/** Which of these units (ends with NULL) run: one letter each, UNIT_RUNS or
 * '-', fit to be remembered.  Without systemd none does.  NULL: reported. */
const char *units_ask(struct pd_ctx *ctx, const char *const units[]);

/** Do @p verb with those that ran, and wait until it is done. */
int units_do(struct pd_ctx *ctx, const char *verb, const char *const units[],
	     const char *state);

#endif /* PATCHDAY_UNITS_H */
