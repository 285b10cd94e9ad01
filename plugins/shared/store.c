/* SPDX-License-Identifier: MIT */
/* store - the folder that a backup goes to. */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* A name may have 255 bytes: room for "-12", ".tar.zst.manifest" and ".part". */
enum { STORE_NAME_MAX = 200 };

/* The volume that a folder is on, or will be once it is made. */
static bool volume_of(const char *folder, struct statvfs *fs)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", folder);
	while (statvfs(path, fs) != 0) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT || !slash)
			return false;
		slash[slash == path ? 1 : 0] = '\0';
	}
	return true;
}

int64_t store_room(const char *folder)
{
	struct statvfs fs = { 0 };

	if (!volume_of(folder, &fs))
		return -1;
	return fs.f_flag & ST_RDONLY ? 0 : (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

/* File systems in which only the kernel makes files. */
static bool is_kernels(const struct statfs *fs)
{
	static const unsigned long types[] = {
		SYSFS_MAGIC, PROC_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC,
		CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, BPF_FS_MAGIC,
		EFIVARFS_MAGIC, PSTOREFS_MAGIC, SELINUX_MAGIC
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((unsigned long)fs->f_type == types[i])
			return true;
	return false;
}

const char *store_fault(struct pd_ctx *ctx, const char *folder)
{
	char path[PATH_MAX];
	struct statvfs fs = { 0 };
	struct statfs kind;
	struct stat st;

	if (strlen(folder) >= sizeof(path))
		return pd_format(ctx, "%.60s... is longer than a path can be", folder);
	snprintf(path, sizeof(path), "%s", folder);
	while (stat(path, &st) != 0) {
		char *slash = strrchr(path, '/');

		/* above a file errno is ENOTDIR: the file itself is told */
		if ((errno != ENOENT && errno != ENOTDIR) || !slash)
			return pd_format(ctx, "%s can't be looked at: %s", path, strerror(errno));
		if (lstat(path, &st) == 0)
			return pd_format(ctx, "%s is a link to nothing", path);
		slash[slash == path ? 1 : 0] = '\0';
	}
	if (!S_ISDIR(st.st_mode))
		return pd_format(ctx, "%s is not a folder", path);
	if (statfs(path, &kind) == 0 && is_kernels(&kind))
		return pd_format(ctx, "%s belongs to the kernel, which keeps no files there", path);
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return pd_format(ctx, "%s is on a volume that is mounted read-only", path);
	return NULL;
}

int store_can_take(struct pd_ctx *ctx, const char *folder, const char *risk)
{
	const char *why = store_fault(ctx, folder);

	if (!why)
		return 0;
	pd_inhibit(ctx, risk, why, "name another folder, or mend that one");
	return pd_fail(ctx, PD_REFUSED, "nothing can be written in %s: %s", folder, why);
}

int store_check_name(struct pd_ctx *ctx, const char *name)
{
	if (!*name || *name == '.' || strpbrk(name, "/\n"))
		return pd_fail(ctx, PD_BAD_ARGS, "name is \"%s\"; write the name of one file, "
			       "without a slash and without a dot at its start", name);
	if (strlen(name) > STORE_NAME_MAX)
		return pd_fail(ctx, PD_BAD_ARGS, "name has %zu bytes; it may have %d, so that "
			       "there is room for an ending", strlen(name), STORE_NAME_MAX);
	return 0;
}

bool store_same_volume(const char *a, const char *b)
{
	struct statvfs x = { 0 }, y = { 0 };

	return volume_of(a, &x) && volume_of(b, &y) && x.f_fsid == y.f_fsid;
}

int store_make_folder(struct pd_ctx *ctx, const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return pd_fail(ctx, PD_FAILED, "can't make the folder %s: %s", part, strerror(errno));
	}
	return 0;
}

/* NULL, or what is wrong about a folder that nobody else may change. */
static const char *unsafe(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? "it is a link" : "it is no folder";
	return st.st_uid != 0 ? "it is not root's" : st.st_mode & (S_IWGRP | S_IWOTH) ? "others may write in it" : NULL;
}

int store_is_safe(struct pd_ctx *ctx, const char *top, const char *folder, const char *what, const char *risk)
{
	size_t len = strlen(top);
	const char *path, *why;

	/* with a slash at its end a link would be followed */
	while (len > 1 && top[len - 1] == '/')
		len--;
	path = pd_format(ctx, "%.*s", (int)len, top);
	why = unsafe(path);
	for (const char *p = folder + strlen(top); !why && *p; why = unsafe(path)) {
		p += 1 + strcspn(p + 1, "/");
		path = pd_format(ctx, "%.*s", (int)(p - folder), folder);
	}
	if (!why)
		return 0;
	if (ctx->phase != PD_PHASE_CHECK)
		return pd_fail(ctx, PD_FAILED, "%s can't take %s: %s", path, what, why);
	pd_inhibit(ctx, risk, pd_format(ctx, "%s: %s", path, why), "chown root, chmod go-w, or another folder for to");
	return pd_fail(ctx, PD_REFUSED, "%s can't take %s: %s", path, what, why);
}

int store_has_room(struct pd_ctx *ctx, const char *folder, int64_t need, const char *risk, const char *remedy)
{
	int64_t room = store_room(folder);

	if (store_can_take(ctx, folder, risk) < 0)
		return PD_REFUSED;
	if (room >= need)
		return 0;
	pd_inhibit(ctx, risk, pd_format(ctx, "%s has %" PRId64 " MiB free, it may need %" PRId64 " MiB", folder,
					room >> 20, need >> 20), remedy);
	return pd_fail(ctx, PD_REFUSED, "there is no room in %s", folder);
}
