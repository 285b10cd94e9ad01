/* SPDX-License-Identifier: MIT */
/* How much a backup may take, and that root alone can read it. */
#include "recovery.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#define MEDIUM_ROOM ((int64_t)512 << 20) /* of the medium itself */

/* nftw(3) hands nothing on */
static int64_t walked;
static dev_t root_device, own_device;

/* What rear saves lies on disks; of btrfs each volume has a device number of its own. */
static bool saved(const char *path, const struct stat *st)
{
	struct statfs fs;

	return st->st_dev != own_device &&
	       (st->st_dev == root_device || major(st->st_dev) != 0 ||
		(statfs(path, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC));
}

static int count(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)walk;
	if (kind == FTW_D && !saved(path, st))
		return FTW_SKIP_SUBTREE;
	if (kind == FTW_F && S_ISREG(st->st_mode))
		walked += (int64_t)st->st_blocks * 512;
	return FTW_CONTINUE;
}

int64_t room_needed(struct pd_ctx *ctx, const struct rear_job *job, int64_t given, dev_t volume)
{
	struct stat root;

	walked = 0;
	if (!given && with_archive(job) && stat("/", &root) == 0) {
		pd_progress(ctx, 0, 0, "counting what rear saves");
		root_device = root.st_dev;
		own_device = volume;
		(void)nftw("/", count, 64, FTW_PHYS | FTW_ACTIONRETVAL);
	}
	if (ctx->phase == PD_PHASE_CHECK)
		pd_expect(ctx, 60 + walked / ((int64_t)20 << 20));
	return given ? given : walked + MEDIUM_ROOM;
}

/* All that is in it is the server's secrets, too. */
static int hide(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)walk;
	if (kind != FTW_F && kind != FTW_D)
		return 0;
	/* a share may have no modes */
	return chmod(path, kind == FTW_D ? 0700 : 0600) == 0 || errno == EPERM ||
	       errno == EOPNOTSUPP ? 0 : -1;
}

int hide_folder(struct pd_ctx *ctx, const char *folder)
{
	return nftw(folder, hide, 16, FTW_PHYS) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "cannot make %s private: %s", folder, strerror(errno));
}
