/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin snapshot have in common. */
#ifndef PD_PLUGIN_SNAPSHOT_H
#define PD_PLUGIN_SNAPSHOT_H

#include <patchday/plugin.h>

#include <sys/types.h>

#define FOLDER ".patchday" /* of btrfs's snapshots, at the top of the file system */
#define TAG "patchday"     /* of LVM's */
#define TAKEN "taken"      /* what was taken, a line for each */

/* -------------------------------------------------------------- mounts.c */

struct mounted {
	const char *source, *root, *target, *type, *flags, *options;
};

struct mounts {
	struct mounted *items;
	size_t len, cap;
};

int PD_MUST_USE mounts_read(struct pd_ctx *ctx, struct mounts *out);
/** The one that @p path lies on; NULL: none. */
const struct mounted *mounts_of(const struct mounts *all, const char *path);
/** Mounts of the subvolume @p root, or of a part of it: one of *n; NULL: none. */
const struct mounted *mounts_below(const struct mounts *all, const char *root, size_t *n);
/** The folder @p path, or the nearest one above it that is there.  Never NULL. */
const char *there(struct pd_ctx *ctx, const char *path);
/** What fstab(5) or the kernel's command line say of the mount point with an
 * option @p option (NULL: anything at all); NULL: they say nothing. */
const char *mounts_boot_option(struct pd_ctx *ctx, const char *target, const char *option);
/** Field @p n of a line, ended by a tab, newline or the end; "" past the end. */
const char *field(struct pd_ctx *ctx, const char *line, int n);
const char *next_line(const char *line);
/** For a name: the run, or what stands for it outside of one. */
const char *run_name(struct pd_ctx *ctx);
int PD_MUST_USE evidence_file(struct pd_ctx *ctx, const char *name, const char *title, const char *text);

/* -------------------------------------------------------------- subvol.c */

enum { ID_SIZE = 16, TEXT_ID = 37, TOP = 5 };

struct subvol {
	uint64_t id;
	unsigned char uuid[ID_SIZE], parent[ID_SIZE]; /* parent: what it is a snapshot of */
	bool read_only;
	int64_t taken, changed; /* seconds since 1970 UTC: made, and last written */
};

bool is_btrfs(int fd);
/** Is it the root of a subvolume? */
bool subvol_is_root(int fd);
/** @return 0, or -1 with errno. */
int subvol_info(int fd, struct subvol *out);
int subvol_file_system(int fd, char out[TEXT_ID]);
/** Is there a subvolume with this id in the file system?  @return 1, 0, or -1 with errno. */
int subvol_lives(int fd, const unsigned char uuid[ID_SIZE]);
const char *subvol_uuid(struct pd_ctx *ctx, const unsigned char uuid[ID_SIZE]);
/** Names of those in it that are not empty; NULL: none.  @return 0, or -1 with errno. */
int subvol_nested(struct pd_ctx *ctx, const char *path, int fd, const char **out);
/** Removes all that are in it, which have to be empty.  @return 0, or -1 with errno. */
int subvol_delete_nested(struct pd_ctx *ctx, int fd);
struct subvols {
	struct subvol *items;
	size_t len, cap;
};
/** Those of the file system that were made as a snapshot of another one, with id, uuid and parent.
 * @return 0, or -1 with errno. */
int subvol_copies(struct pd_ctx *ctx, int fd, struct subvols *out);
int subvol_snapshot(int of, int folder, const char *name, bool read_only);
int subvol_delete(int folder, const char *name);
int subvol_set_default(int fd, uint64_t id);
int subvol_set_read_only(int fd, bool read_only);
int subvol_sync(int fd);
int subvol_exchange(int folder, const char *a, const char *b);
/** A mount of a subvolume that is nowhere to be seen; @p subvol NULL: the
 * default one.  @return a descriptor, or -1 with errno. */
int subvol_mount(const char *source, const char *subvol, unsigned long flags);
int subvol_attach(int mount, const char *target);
unsigned long subvol_flags(const char *target);

/* ----------------------------------------------------------------- steps */

extern const struct pd_step btrfs_step, lvm_step, discard_step, room_step, restore_step, prune_step;

/** By its name in outputs, with what had become of its subvolume. */
int PD_MUST_USE snapshot_remove(struct pd_ctx *ctx, const char *name);
/** Of the guard.  @return 1: refused and told, 0, or below zero, reported. */
int PD_MUST_USE btrfs_room(struct pd_ctx *ctx, int64_t bytes);
int PD_MUST_USE lvm_room(struct pd_ctx *ctx, int64_t percent);
/** Of a snapshot by its name in outputs: is it there?  @return 1, 0, or below
 * zero, reported. */
int PD_MUST_USE btrfs_there(struct pd_ctx *ctx, const char *name);
int PD_MUST_USE btrfs_discard(struct pd_ctx *ctx, const char *name);
int PD_MUST_USE lvm_there(struct pd_ctx *ctx, const char *name);
int PD_MUST_USE lvm_discard(struct pd_ctx *ctx, const char *name);

#endif
