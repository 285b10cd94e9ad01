/* SPDX-License-Identifier: MIT */
/* The file system with a label, on a medium that can be taken out. */
#ifndef PD_COPY_DEVICE_H
#define PD_COPY_DEVICE_H

#include "copy.h"

struct device {
	const char *path, *type, *uuid;
	int64_t bytes;
	bool removable, read_only;
};

/** Why it can't be used, and what to do. */
struct objection {
	const char *cause, *remedy;
};

/** @return 1: found; 0: not, see *why; below zero, reported. */
HIDDEN int PD_MUST_USE device_find(struct pd_ctx *ctx, const char *label, struct device *d,
				   struct objection *why);
/** May it be written to?  @param fixed it need not be removable. */
HIDDEN bool device_fits(struct pd_ctx *ctx, const struct device *d, bool fixed,
			struct objection *why);
/** Mount it on @p folder, in a name space that only this process has and that
 * ends with it.  @return 0, or below zero, reported. */
HIDDEN int PD_MUST_USE device_mount(struct pd_ctx *ctx, const struct device *d, const char *folder,
				    bool read_only);
/** Flushed, or it fails. */
HIDDEN int PD_MUST_USE device_unmount(struct pd_ctx *ctx, const struct device *d, const char *folder);

#endif
