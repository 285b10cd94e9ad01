/* SPDX-License-Identifier: MIT */
/* A plugin of a later minor, whose structs have grown. */
#include <patchday/plugin.h>

static int check(struct pd_ctx *ctx)
{
	(void)ctx;
	return PD_UNCHANGED;
}

static const struct {
	struct pd_step step;
	uint64_t more[4];
} later = { { .size = sizeof(later), .name = "step", .help = "from the future",
	      .check = check, .reversibility = PD_READONLY }, { 1, 2, 3, 4 } };
static const struct pd_step *const steps[] = { &later.step, NULL };

#undef PD_ABI
#define PD_ABI ((PD_ABI_MAJOR << 16) | 99u)
PD_PLUGIN(.name = "newer", .version = "1", .help = "of a later minor", .steps = steps);
