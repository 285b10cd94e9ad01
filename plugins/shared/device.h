/* SPDX-License-Identifier: MIT */
/* The file system with a label, on a medium that can be taken out. */
#ifndef PD_SHARED_DEVICE_H
#define PD_SHARED_DEVICE_H

#include <patchday/plugin.h>


struct device {
	const char *path, *type, *uuid;
	int64_t bytes;
	const char *disk; /**< that it is a partition of, or the same as path */
	int64_t start;    /**< of it there, in bytes */
	bool removable, read_only;
};

/** Why it can't be used, and what to do. */
struct objection {
	const char *cause, *remedy;
};

/** @return 1: found; 0: not, see *why, and d->path is NULL if there is none; below zero, reported. */
int PD_MUST_USE device_find(struct pd_ctx *ctx, const char *label, struct device *d, struct objection *why);
/** What the kernel knows of d->path.  @return false: nothing */
bool device_look(struct pd_ctx *ctx, struct device *d);
/** May it be written to?  @param fixed it need not be removable. */
bool device_fits(struct pd_ctx *ctx, const struct device *d, bool fixed, struct objection *why);
/** Mount it on @p folder, in a name space that only this process has and that
 * ends with it.  In a check not even a journal is replayed.  @return 0, or below zero, reported. */
int PD_MUST_USE device_mount(struct pd_ctx *ctx, const struct device *d, const char *folder, bool read_only);
/** Flushed, or it fails. */
int PD_MUST_USE device_unmount(struct pd_ctx *ctx, const struct device *d, const char *folder);

#endif
