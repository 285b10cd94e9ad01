/* SPDX-License-Identifier: MIT */
/* copy - what a run has saved, in a second place off the server. */
#include "copy.h"

static const struct pd_step *const steps[] = { &folder_step, &ssh_step, &medium_step, NULL };

PD_PLUGIN(.name = "copy", .version = "1.1",
	  .help = "copies to a second place off the server, proved by reading them back",
	  .steps = steps);
