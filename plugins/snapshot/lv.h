/* SPDX-License-Identifier: MIT */
/* Logical volumes, as lvs(8) lists them. */
#ifndef PD_PLUGIN_SNAPSHOT_LV_H
#define PD_PLUGIN_SNAPSHOT_LV_H

#include "snapshot.h"

#define KIND "lvm:" /* in front of their names in outputs */
#define MADE "made" /* remembered: all of them have been there */
#define MERGED "merged" /* remembered by the step that goes back, as TAKEN */

struct lv {
	const char *full; /* "vg/lv" */
	const char *vg, *path, *attr, *type, *pool, *origin, *tags;
	int64_t size, vg_free, taken; /* taken: made, seconds since 1970 UTC */
	double data, metadata; /* percent; -1: it has none */
};

struct lvs {
	struct lv *items;
	size_t len, cap;
};

/** Can there be logical volumes on this server at all? */
bool lvm_installed(void);
int PD_MUST_USE lvs_read(struct pd_ctx *ctx, struct lvs *out);
/** NULL: there is none. */
const struct lv *lvs_find(const struct lvs *all, const char *full);
bool lv_tagged(const struct lv *lv);
bool lv_is_thin(const struct lv *lv);
/** A snapshot whose room was used up has nothing left. */
bool lv_is_lost(const struct lv *lv);
/** It goes back to its snapshot, now or when it is next activated. */
bool lv_is_merging(const struct lv *lv);
/** Is the file system that @p path is on kept on this volume, directly or below
 * a layer such as encryption? */
bool lv_carries(struct pd_ctx *ctx, const struct lv *lv, const struct mounts *mounts, const char *path);
/** The mounts whose source it is; *n of them, the last one is returned. */
const struct mounted *lv_mount(const struct lv *lv, const struct mounts *all, size_t *n);
/** Run a program of LVM. */
int PD_MUST_USE lvm_do(struct pd_ctx *ctx, const char *const argv[], const char *what, const char *on);

/* One line of what is remembered, both as "vg/lv". */
struct taken {
	const char *volume, *snapshot;
};

bool lv_is_name(const char *text);
/** lvs_read(), which is refused on a server without LVM. */
int PD_MUST_USE lvs_list(struct pd_ctx *ctx, struct lvs *out);
/** @param key TAKEN or MERGED.  @return how many, below zero, reported. */
int PD_MUST_USE taken_recall(struct pd_ctx *ctx, const char *key, struct taken **out);
/** What the names of its snapshots begin with. */
const char *lv_stem(struct pd_ctx *ctx, const struct lv *lv);
/** Its snapshots can't be taken, nor gone back to, where patchday's state or this run's folder lies on it. */
int PD_MUST_USE lv_has_no_state(struct pd_ctx *ctx, const struct lv *lv, const char *state);
/** Back to the snapshot, the @p i th of this step.  @return 1: done, 0: the next activation does it, or below zero, reported. */
int PD_MUST_USE lv_go_back(struct pd_ctx *ctx, const struct taken *t, int i, bool made, bool *done);
/** @return 1: the snapshot is there, 0: not, below zero, reported: it is lost,
 * or another one. */
int PD_MUST_USE taken_is_there(struct pd_ctx *ctx, const struct lvs *all, const struct taken *t);
int PD_MUST_USE lvs_evidence(struct pd_ctx *ctx, const char *file, const char *title);
pd_step_fn lvm_undo;

#endif
