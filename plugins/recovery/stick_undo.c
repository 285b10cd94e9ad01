/* SPDX-License-Identifier: MIT */
/* What rear changes of a stick beside its own folder: boot code, and the boot loader's configuration. */
#include "stick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define TEXT_MAX ((size_t)1 << 20)

/* The rest of /boot is the loader itself, which rear leaves alone unless the server has a newer one. */
static const char *const configs[] = { "/boot/syslinux/extlinux.conf", "/boot/syslinux/message", "/boot/grub/grub.cfg",
				       "/boot/grub2/grub.cfg", "/rear/syslinux.cfg" };
#define CONFIGS (sizeof(configs) / sizeof(*configs))

static const char *saved(struct pd_ctx *ctx, const char *name) { return pd_format(ctx, "%s/before-%s", ctx->work_dir, name); }
static const char *saved_config(struct pd_ctx *ctx, size_t i) { return saved(ctx, pd_format(ctx, "%zu.cfg", i)); }

/* ------------------------------------------------------------------ save */

static int save_code(struct pd_ctx *ctx, const char *device, const char *name, size_t len)
{
	char code[STICK_OWN_CODE];
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	bool whole = fd >= 0 && pread(fd, code, len, 0) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return whole ? pd_write_file(ctx, saved(ctx, name), 0600, code, len) :
	       pd_fail(ctx, PD_FAILED, "cannot read the boot code of %s: %s", device, strerror(errno));
}

int stick_save(struct pd_ctx *ctx, const struct device *d)
{
	bool boots = access(STICK "/boot", F_OK) == 0;

	if (save_code(ctx, d->disk, "disk", STICK_CODE) < 0 || save_code(ctx, d->path, "own", STICK_OWN_CODE) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < CONFIGS; i++) {
		const char *from = pd_format(ctx, STICK "%s", configs[i]);
		size_t len = 0;
		const char *text = pd_read_file(ctx, from, TEXT_MAX, &len);

		if (!text && errno != ENOENT && errno != ENOTDIR)
			return pd_fail(ctx, PD_FAILED, "cannot read %s of %s: %s", configs[i], d->path, strerror(errno));
		if (text && pd_write_file(ctx, saved_config(ctx, i), 0600, text, len) < 0)
			return PD_FAILED;
	}
	return pd_remember(ctx, "before", boots ? "boots" : "empty");
}

/* -------------------------------------------------------------- put back */

/* In place: what is there keeps its owner and mode.  @param flags of open(2) @return false: see errno. */
static bool put(const char *to, int flags, const char *data, size_t len)
{
	int fd = open(to, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	bool whole = fd >= 0 && write(fd, data, len) == (ssize_t)len && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return whole;
}

static int put_config(struct pd_ctx *ctx, size_t i)
{
	const char *to = pd_format(ctx, STICK "%s", configs[i]);
	size_t len = 0;
	const char *text = pd_read_file(ctx, saved_config(ctx, i), TEXT_MAX, &len);

	if (text ? put(to, O_CREAT | O_TRUNC, text, len) : unlink(to) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return pd_fail(ctx, PD_FAILED, "cannot put %s of the stick back: %s", configs[i], strerror(errno));
}

static int put_code(struct pd_ctx *ctx, const char *device, const char *name)
{
	size_t len = 0;
	const char *code = pd_read_file(ctx, saved(ctx, name), STICK_OWN_CODE, &len);

	return code && put(device, 0, code, len) ? 0 :
	       pd_fail(ctx, PD_FAILED, "cannot put the boot code of %s back: %s", device, strerror(errno));
}

/* extlinux makes what it starts from immutable. */
static void unlock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), flags = 0;

	if (fd < 0)
		return;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags &= ~FS_IMMUTABLE_FL;
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

int stick_put_back(struct pd_ctx *ctx, const struct device *d, const char *folder)
{
	const char *before = pd_recall(ctx, "before");
	const char *host = pd_format(ctx, STICK "%.*s", (int)(strrchr(folder, '/') - folder), folder);

	if (!before || remove_folder(ctx, pd_format(ctx, STICK "%s", folder)) < 0)
		return before ? PD_FAILED : 0;
	for (size_t i = 0; i < CONFIGS; i++)
		if (put_config(ctx, i) < 0)
			return PD_FAILED;
	(void)(rmdir(host) == 0 && rmdir(STICK "/rear") == 0); /* others' stay */
	if (strcmp(before, "boots") == 0)
		return 0;
	unlock(STICK "/boot/syslinux/ldlinux.sys");
	return remove_folder(ctx, STICK "/boot") < 0 || put_code(ctx, d->disk, "disk") < 0 || put_code(ctx, d->path, "own") < 0 ?
	       PD_FAILED : 0;
}
