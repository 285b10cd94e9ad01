/* SPDX-License-Identifier: MIT */
/* A plugin that calls what nobody has; linked without -z defs. */
#include <patchday/plugin.h>

extern int pd_function_that_nobody_has(void);

static int check(struct pd_ctx *ctx)
{
	(void)ctx;
	return pd_function_that_nobody_has();
}

static const struct pd_step step = { PD_STEP, .name = "step", .help = "call nobody",
				     .check = check, .reversibility = PD_READONLY };
static const struct pd_step *const steps[] = { &step, NULL };

PD_PLUGIN(.name = "undefined", .version = "1", .help = "a symbol is missing", .steps = steps);
