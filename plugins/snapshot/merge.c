/* SPDX-License-Identifier: MIT */
/* The way back of snapshot.lvm: each volume is merged with its snapshot. */
#include "lv.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static int umount_it(struct pd_ctx *ctx, const struct lv *lv, int i)
{
	const struct mounted *m;
	struct mounts mounts;
	size_t n;

	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	m = lv_mount(lv, &mounts, &n);
	if (n != 1 || strcmp(m->target, "/") == 0)
		return 0;
	if (pd_remember(ctx, pd_format(ctx, "mount/%d", i), pd_format(ctx, "%s\t%s\t%s", m->target, m->type, m->flags)) < 0)
		return PD_FAILED;
	if (umount2(m->target, UMOUNT_NOFOLLOW) < 0)
		pd_log(ctx, PD_LOG_INFO, "%s stays mounted: %s", m->target, strerror(errno));
	return 0;
}

/* As fstab(5) says, or as it was. */
static int mount_again(struct pd_ctx *ctx, const char *volume, int i)
{
	const char *was = pd_recall(ctx, pd_format(ctx, "mount/%d", i));
	const char *target = was ? field(ctx, was, 0) : "";
	const char *path = pd_format(ctx, "/dev/%s", volume);
	const char *const by_table[] = { "mount", target, NULL };
	const char *const as_it_was[] = { "mount", "-t", was ? field(ctx, was, 1) : "", "-o", was ? field(ctx, was, 2) : "",
		path, target, NULL };
	struct mounts mounts;

	if (!was)
		return 0;
	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	if (strcmp(mounts_of(&mounts, target)->target, target) == 0)
		return 0;
	return lvm_do(ctx, mounts_boot_option(ctx, target, NULL) ? by_table : as_it_was, "mount again", target);
}

/* @return 1: it has gone back, 0: it will when it is activated the next time,
 * or there is nothing to go back to; below zero, reported. */
static int merge(struct pd_ctx *ctx, const struct taken *t, int i, bool made, bool *done)
{
	const char *key = pd_format(ctx, "merge/%d", i);
	const char *const argv[] = { "lvconvert", "-y", "--merge", t->snapshot, NULL };
	const struct lv *snapshot, *volume;
	struct lvs all;
	int r = lvs_read(ctx, &all);

	if (r < 0)
		return r;
	snapshot = lvs_find(&all, t->snapshot);
	volume = lvs_find(&all, t->volume);
	if (!snapshot)
		return pd_recall(ctx, key) || !made ? 1 : pd_fail(ctx, PD_FAILED, "the snapshot %s of %s is gone: somebody has "
								   "removed it", t->snapshot, t->volume);
	if (lv_is_merging(snapshot) || (volume && lv_is_merging(volume)))
		return 0;
	r = taken_is_there(ctx, &all, t);
	if (r < 0 || !volume)
		return PD_FAILED;
	if (umount_it(ctx, volume, i) < 0 || pd_remember(ctx, key, "begun") < 0 ||
	    lvm_do(ctx, argv, "bring back", t->volume) < 0 || lvs_read(ctx, &all) < 0)
		return PD_FAILED;
	*done = true;
	return lvs_find(&all, t->snapshot) == NULL;
}

int lv_go_back(struct pd_ctx *ctx, const struct taken *t, int i, bool made, bool *done)
{
	int r = merge(ctx, t, i, made, done);

	if (r == 0)
		pd_log(ctx, PD_LOG_WARN, "%s is in use: it goes back to its snapshot at the next boot; until then all that is "
		       "written there is lost", t->volume);
	return mount_again(ctx, t->volume, i) < 0 ? PD_FAILED : r;
}

/* With the others when one does not come back. */
int lvm_undo(struct pd_ctx *ctx)
{
	bool done = false, made = pd_recall(ctx, MADE) != NULL;
	struct taken *taken;
	int n = taken_recall(ctx, TAKEN, &taken), result = 0;

	if (n <= 0)
		return n < 0 ? n : PD_UNCHANGED;
	for (int i = n; i-- > 0;) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s came back", taken[i].volume);
		pd_progress(ctx, n - 1 - i, n, taken[i].volume);
		if (lv_go_back(ctx, &taken[i], i, made, &done) < 0)
			result = PD_FAILED;
	}
	if (result < 0 || (done && lvs_evidence(ctx, "volumes-after.txt", "Logical volumes after they went back") < 0))
		return PD_FAILED;
	return done ? PD_CHANGED : PD_UNCHANGED;
}
