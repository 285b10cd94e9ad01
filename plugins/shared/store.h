/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: the folder that a backup goes to, which nobody but root
 * may change, on a volume with room for it. */
#ifndef PD_PLUGIN_STORE_H
#define PD_PLUGIN_STORE_H

#include <patchday/plugin.h>

/** Free bytes where @p folder is or would be made; 0 if it is read-only, -1 unknown. */
int64_t store_room(const char *folder);
/** Are two folders, or what they will be made in, on one volume? */
bool store_same_volume(const char *a, const char *b);
/** Why no file can be made below @p folder, which need not be there yet: "/x is not a
 * folder"; NULL: nothing is known against it. */
const char *store_fault(struct pd_ctx *ctx, const char *folder);
/** For a check: as store_fault() finds nothing.  @param risk for the
 * inhibitor.  @return 0, or PD_REFUSED, reported. */
int PD_MUST_USE store_can_take(struct pd_ctx *ctx, const char *folder, const char *risk);
/** The parameter name is the name of one file, with room for endings.
 * @return 0, or PD_BAD_ARGS, reported. */
int PD_MUST_USE store_check_name(struct pd_ctx *ctx, const char *name);
/** Make the folder of @p path and what is missing above it, mode 0700. */
int PD_MUST_USE store_make_folder(struct pd_ctx *ctx, const char *path);

/** From the folder @p top on, in which @p folder is or will be, nobody else can put
 * something in the place of what is written; neither has to be there yet.
 * @param what goes there: "a dump"; @param risk for the inhibitor of a check.
 * @return 0, or PD_REFUSED in a check, PD_FAILED, reported. */
int PD_MUST_USE store_is_safe(struct pd_ctx *ctx, const char *top, const char *folder, const char *what,
			      const char *risk);
/** For a check: there is room for @p need bytes.  @return 0, or PD_REFUSED, reported. */
int PD_MUST_USE store_has_room(struct pd_ctx *ctx, const char *folder, int64_t need, const char *risk,
			       const char *remedy);

#endif
