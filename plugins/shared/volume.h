/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: on which file system does a folder lie, and would it be lost with the server? */
#ifndef PD_SHARED_VOLUME_H
#define PD_SHARED_VOLUME_H

#include <patchday/plugin.h>

#include <sys/types.h>

struct volume {
	dev_t device;
	bool memory;          /**< a reboot empties it */
	bool btrfs;           /**< then id counts: each of its subvolumes has a device of its own */
	unsigned char id[16];
};

/** Of @p path, or of the nearest folder above it that is there.  @return false, with errno. */
bool volume_of(struct pd_ctx *ctx, const char *path, struct volume *out);
bool volume_is_same(const struct volume *a, const struct volume *b);
/** Whose volume it is: the root's, or that of patchday's state; NULL: neither. */
const char *volume_is_own(struct pd_ctx *ctx, const struct volume *v);

#endif
