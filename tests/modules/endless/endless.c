/* SPDX-License-Identifier: MIT */
/* A plugin that never comes to an end when it is loaded. */
#include <patchday/plugin.h>

__attribute__((constructor)) static void forever(void)
{
	for (volatile unsigned i = 0;; i++)
		continue;
}

PD_PLUGIN(.name = "endless", .version = "1", .help = "no end");
