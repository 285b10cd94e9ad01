/* SPDX-License-Identifier: MIT */
/* A plugin of the next major ABI. */
#include <patchday/plugin.h>

#undef PD_ABI
#define PD_ABI ((PD_ABI_MAJOR + 1) << 16)
PD_PLUGIN(.name = "wrongabi", .version = "1", .help = "of another major");
