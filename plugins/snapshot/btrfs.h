/* SPDX-License-Identifier: MIT */
/* A subvolume with its snapshot, as taken and as remembered. */
#ifndef PD_PLUGIN_SNAPSHOT_BTRFS_H
#define PD_PLUGIN_SNAPSHOT_BTRFS_H

#include "snapshot.h"

struct volume {
	const char *path;   /* as the workflow names it */
	const char *fs;     /* the file system's id */
	const char *source; /* a device of it */
	const char *at;     /* below the top of the file system, without a slash in front */
	const char *id, *uuid;
	const char *name;   /* of the snapshot, in FOLDER */
	const char *flags;  /* of the mount at path; "-": it is no mount point */
	bool read_only;
	const char *back;   /* what becomes of it when it goes back, in FOLDER */
};

struct volumes {
	struct volume *items;
	size_t len, cap;
};

void volumes_add(struct pd_ctx *ctx, struct volumes *all, const struct volume *v);
int PD_MUST_USE volumes_remember(struct pd_ctx *ctx, const struct volumes *all);
/** @return 1: something was remembered, 0, or below zero, reported. */
int PD_MUST_USE volumes_recall(struct pd_ctx *ctx, struct volumes *out);

/** Refuses what is no subvolume that can be exchanged. */
int PD_MUST_USE volume_find(struct pd_ctx *ctx, const char *path, struct volume *out);
/** Refuses what can't be taken or would not come back, too. */
int PD_MUST_USE volume_look(struct pd_ctx *ctx, const char *path, const char *state, int64_t room,
			    struct volume *out);
/* The top of the file system and the folder of snapshots, -1 if there is none yet. */
struct place {
	int top, folder;
};

/** Sets the volume's device, too, which after a boot may be another one.
 * Close it, whatever this returns. */
int PD_MUST_USE place_open(struct pd_ctx *ctx, struct volume *v, struct place *out);
void place_close(struct place *p);
int place_sub(int folder, const char *name, struct subvol *out); /* 0, or -1 with errno */
/** Subvolumes that are not empty in the one FOLDER/@p name: without them it can't be removed.  Names, or NULL. */
int PD_MUST_USE place_nested(struct pd_ctx *ctx, const struct place *p, const char *name, const char **out);
/** @param made the snapshot has been there; *done: it was exchanged now;
 * *later: it is in use, and the next boot has it. */
int PD_MUST_USE volume_go_back(struct pd_ctx *ctx, struct volume *v, bool made, bool *done, bool *later);
/** Forward again to what was there before volume_go_back(), which is at v->back. */
int PD_MUST_USE volume_return(struct pd_ctx *ctx, struct volume *v, bool *done, bool *later);
/** Is what is in its place a copy of its snapshot?  @return 1, 0, or below zero, reported. */
int PD_MUST_USE volume_is_back(struct pd_ctx *ctx, struct volume *v);

#endif
