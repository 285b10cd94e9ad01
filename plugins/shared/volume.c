/* SPDX-License-Identifier: MIT */
/* File systems, told apart as the kernel does. */
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int open_nearest(struct pd_ctx *ctx, const char *path)
{
	const char *slash;
	int fd;

	while ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 && (errno == ENOENT || errno == ENOTDIR) &&
	       (slash = strrchr(path, '/')) && path[1])
		path = slash == path ? "/" : pd_format(ctx, "%.*s", (int)(slash - path), path);
	return fd;
}

bool volume_of(struct pd_ctx *ctx, const char *path, struct volume *out)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	int fd = open_nearest(ctx, path), why = errno;
	struct statfs fs;
	struct stat st;
	bool known = fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0;

	*out = (struct volume){ 0 };
	if (known) {
		out->device = st.st_dev;
		out->memory = fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC;
		out->btrfs = (unsigned long)fs.f_type == BTRFS_SUPER_MAGIC;
		known = !out->btrfs || ioctl(fd, BTRFS_IOC_FS_INFO, &info) == 0;
		memcpy(out->id, info.fsid, sizeof(out->id));
	}
	if (fd >= 0) {
		why = errno;
		close(fd);
	}
	errno = why;
	return known;
}

bool volume_is_same(const struct volume *a, const struct volume *b)
{
	return a->device == b->device || (a->btrfs && b->btrfs && memcmp(a->id, b->id, sizeof(a->id)) == 0);
}

/* Where the state is by default: in a check nobody says where else. */
const char *volume_is_own(struct pd_ctx *ctx, const struct volume *v)
{
	static const char *const own[] = { "/", "/var/lib/patchday" };
	struct volume its;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (volume_of(ctx, own[i], &its) && volume_is_same(v, &its))
			return i ? "patchday's state" : "the root";
	return NULL;
}
