/* SPDX-License-Identifier: MIT */
/* What the source files of the plugin network share.  Symbols stay hidden. */
#ifndef NETWORK_H
#define NETWORK_H

#include <patchday/plugin.h>

extern const struct pd_scanner listeners;

#endif
