/* SPDX-License-Identifier: MIT */
/** Shared source, no plugin: is this a clone, for a rehearsal or a drill? */
#ifndef PD_PLUGIN_CLONE_H
#define PD_PLUGIN_CLONE_H

#include <patchday/plugin.h>
#include <string.h>

/** Then what is outside of it is the server's: its load, its power, the time that was
 * agreed.  Nothing of that may hold a clone up.  systemd writes there what
 * rehearse/inside.c calls it. */
static inline bool clone_here(struct pd_ctx *ctx)
{
	const char *what = pd_read_file(ctx, "/run/systemd/container", 4096, NULL);

	return what && strcspn(what, "\n") == 8 && strncmp(what, "patchday", 8) == 0;
}

#endif
