/* SPDX-License-Identifier: MIT */
/* What earlier runs have left of a volume: its snapshots, and what had become of it before it went back. */
#ifndef PD_PLUGIN_SNAPSHOT_PAST_H
#define PD_PLUGIN_SNAPSHOT_PAST_H

#include "btrfs.h"
#include "lv.h"

struct past {
	const char *output; /* its name in outputs: "btrfs:FS/NAME", "lvm:VG/NAME" */
	const char *name;   /* of the subvolume in FOLDER, or "vg/lv" */
	const char *run;    /* the part of the name that the run and a number make */
	int64_t taken;      /* seconds since 1970 UTC; of what was replaced: when it was last written */
	bool replaced;      /* no snapshot: what had become of the volume */
	bool lost;          /* its room was used up */
	const char *busy;   /* why it can't be removed now; NULL: it can */
};

/** The newest first. */
struct history {
	struct past *items;
	size_t len, cap;
	const char *twin; /* of btrfs: why nobody knows whose older ones are; NULL: they are its own */
};

void history_add(struct pd_ctx *ctx, struct history *all, const struct past *p);
void history_sort(struct history *all);
/** Has this run taken it? */
bool past_is_of(const struct past *p, const char *run);
/** The newest snapshot that @p run has taken (NULL: any run but this one); NULL: there is none. */
const struct past *history_pick(struct pd_ctx *ctx, const struct history *all, const char *run);

/** @p v as volume_look() has filled it. */
int PD_MUST_USE btrfs_history(struct pd_ctx *ctx, struct volume *v, struct history *out);
int PD_MUST_USE lvm_history(struct pd_ctx *ctx, const struct lvs *all, const struct lv *lv, struct history *out);
/** The logical volume of this name, for going back or tidying up. */
int PD_MUST_USE lv_named(struct pd_ctx *ctx, const struct lvs *all, const char *name, const struct lv **out);

/** What is done with each volume of a list: btrfs's by its path, LVM's by its name, with
 * what lvs knows of all. */
struct each_volume {
	int (*subvolume)(struct pd_ctx *ctx, const char *path, void *user);
	int (*lv)(struct pd_ctx *ctx, const struct lvs *lvs, const char *name, void *user);
	void *user;
};
/** One after the other until one fails; lvs is asked once, and not at all without LVM's. */
int each_volume(struct pd_ctx *ctx, const struct pd_list *volumes, const struct each_volume *each);

#endif
