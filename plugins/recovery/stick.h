/* SPDX-License-Identifier: MIT */
/* Private to the plugin recovery: a stick that rear makes, found by its label. */
#ifndef PD_RECOVERY_STICK_H
#define PD_RECOVERY_STICK_H

#include "recovery.h"
#include "../shared/device.h"

#define STICK OWN /**< where it is mounted, for a step alone */
#define STICK_LABEL_MAX 16 /**< of an ext file system */
#define STICK_CODE 440 /**< of a disk's first sector, in front of its table of partitions */
#define STICK_OWN_CODE 1024 /**< in front of an ext file system */
#define LIST STICK_DIGESTS

struct stick_args {
	const char *label, *format;
	int64_t limit, room, percent;
	bool fixed, keep;
	const struct pd_secret *passphrase;
};

static inline const struct stick_args *stick_arguments(struct pd_ctx *ctx) { return ctx->args; }

/* -------------------------------------------------------- stick_find.c */

/** Mounted for this process alone.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_open(struct pd_ctx *ctx, struct device *d, bool read_only);
/** Flushed and unmounted whatever has happened.  @return @p result, or below zero, reported. */
int PD_MUST_USE stick_close(struct pd_ctx *ctx, const struct device *d, int result);
/** Has the stick that is mounted nothing but rear's, and room?  @return false: see *why */
bool stick_content_fits(struct pd_ctx *ctx, const struct device *d, const struct rear_job *job, struct objection *why);
/** Is there no stick with the label, and is an empty one to be made?  Below zero: reported. */
int PD_MUST_USE stick_to_be_made(struct pd_ctx *ctx);
/** May rear make the disk anew that the parameter format names?  Nothing may be on it.  @return 0, or below zero,
 * reported. */
int PD_MUST_USE stick_empty_fits(struct pd_ctx *ctx, const struct rear_job *job);
/** Make it anew if it is to be.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_make_anew(struct pd_ctx *ctx, const struct rear_job *job);

/* -------------------------------------------------------- stick_read.c */

/** Read back what lies in @p folder of the stick that is mounted: system, kernel, boot loader.  @return 0, or
 * below zero, reported. */
int PD_MUST_USE stick_read(struct pd_ctx *ctx, const struct device *d, const char *folder, struct medium *m);
/** Write down the digests of all that was made on it, and compare.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_list(struct pd_ctx *ctx, const struct device *d, const char *folder);
/** @param list of the digests; NULL: that of this step  @param below of the files there alone; NULL: of all */
int PD_MUST_USE stick_compare(struct pd_ctx *ctx, const struct device *d, const char *list, const char *below);
/** The digests beside what was made, for whoever has the stick alone.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_leave_list(struct pd_ctx *ctx, const char *folder);

/* --------------------------------------------------------- stick_efi.c */

/** Does UEFI start kernel and system of @p folder of the stick that is mounted?  @return NULL: it does; else what is wrong */
const char *stick_efi_lacks(struct pd_ctx *ctx, const struct device *d, const char *folder, const char *system);

/* -------------------------------------------------------- stick_undo.c */

/** What rear changes of a stick's own, before it does.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_save(struct pd_ctx *ctx, const struct device *d);
/** Without what was made in @p folder, and with what was there.  @return 0, or below zero, reported. */
int PD_MUST_USE stick_put_back(struct pd_ctx *ctx, const struct device *d, const char *folder);

#endif
