/* SPDX-License-Identifier: MIT */
/* Which device has the label, by blkid(8) and sysfs; mounted for this process alone. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ----------------------------------------------------------------- finding */

/* The value of NAME in lines of NAME=VALUE. */
static const char *value(struct pd_ctx *ctx, const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strncmp(text, name, len) == 0 && text[len] == '=')
			return pd_format(ctx, "%.*s", (int)strcspn(text + len + 1, "\n"), text + len + 1);
	return "";
}

/* An attribute of the disk: of the device itself, or if it is a partition of what that is on. */
static bool attribute(struct pd_ctx *ctx, const char *sys, const char *name, int64_t *number)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/%s", sys, name), 64, NULL);

	if (!text)
		text = pd_read_file(ctx, pd_format(ctx, "%s/../%s", sys, name), 64, NULL);
	return text && pd_parse(ctx, PD_T_INT, pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text), number);
}

/* Card readers and sticks say that they are removable, disks on USB do not. */
bool device_look(struct pd_ctx *ctx, struct device *d)
{
	struct stat st;
	const char *sys;
	int64_t removable = 0, read_only = 0, sectors = 0, start = 0;
	char *real;

	if (stat(d->path, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	sys = pd_format(ctx, "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	real = realpath(sys, NULL);
	if (!real || !attribute(ctx, real, "size", &sectors)) {
		free(real);
		return false;
	}
	attribute(ctx, real, "removable", &removable);
	attribute(ctx, real, "ro", &read_only);
	d->disk = d->path;
	if (access(pd_format(ctx, "%s/partition", real), F_OK) == 0 && attribute(ctx, real, "start", &start)) {
		*strrchr(real, '/') = '\0';
		d->disk = pd_format(ctx, "/dev/%s", strrchr(real, '/') + 1);
	}
	d->start = start * 512;
	d->bytes = sectors * 512;
	d->removable = removable || strstr(real, "/usb") || strstr(real, "/mmc_host/");
	d->read_only = read_only;
	free(real);
	return true;
}

int device_find(struct pd_ctx *ctx, const char *label, struct device *d, struct objection *why)
{
	const char *find[] = { "blkid", "-c", "/dev/null", "-o", "device",
			       "-t", pd_format(ctx, "LABEL=%s", label), NULL };
	const char *tell[] = { "blkid", "-c", "/dev/null", "-o", "export", NULL, NULL };
	struct pd_command_result result;
	size_t len;

	*d = (struct device){ 0 };
	if (pd_run(ctx, find, &result) < 0)
		return PD_FAILED;
	len = strcspn(result.out, "\n");
	if (result.status != 0 || len == 0) {
		why->cause = pd_format(ctx, "no medium with the label %s is in this server", label);
		why->remedy = pd_format(ctx, "put the medium %s in", label);
		return 0;
	}
	d->path = tell[5] = pd_format(ctx, "%.*s", (int)len, result.out);
	if (result.out[len] && result.out[len + 1]) {
		why->cause = pd_format(ctx, "more than one medium has the label %s: %s", label,
				       pd_format(ctx, "%.*s and %.*s", (int)len, result.out,
						 (int)strcspn(result.out + len + 1, "\n"),
						 result.out + len + 1));
		why->remedy = "take out those that are not meant";
		return 0;
	}
	if (pd_run(ctx, tell, &result) < 0)
		return PD_FAILED;
	d->type = value(ctx, result.out, "TYPE");
	d->uuid = value(ctx, result.out, "UUID");
	if (result.status == 0 && device_look(ctx, d))
		return 1;
	why->cause = pd_format(ctx, "nothing can be learnt about %s, which has the label %s", d->path, label);
	why->remedy = "take the medium out, and put it in again";
	return 0;
}

static bool object(struct objection *why, const char *cause, const char *remedy)
{
	why->cause = cause, why->remedy = remedy;
	return false;
}

/* O_EXCL: the kernel refuses what is mounted anywhere, or a part of something else. */
bool device_fits(struct pd_ctx *ctx, const struct device *d, bool fixed, struct objection *why)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "vfat", "exfat", "xfs", "btrfs", "f2fs" };
	bool known = false;
	int fd;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		known = known || strcmp(d->type, types[i]) == 0;
	if (!d->removable && !fixed)
		return object(why, pd_format(ctx, "%s is no medium that can be taken out", d->path),
			      "put the right medium in, or set fixed if a built-in disk is meant");
	if (!known)
		return object(why, pd_format(ctx, "%s has the file system '%s'", d->path, d->type),
			      "take a medium with ext4, exfat, vfat, xfs, btrfs or f2fs");
	if (d->read_only)
		return object(why, pd_format(ctx, "%s is write-protected", d->path),
			      "take its write protection off");
	fd = open(d->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return object(why, pd_format(ctx, "%s can't be had alone: %s", d->path, strerror(errno)),
			      errno == EBUSY ? "unmount it; findmnt tells where it is mounted" :
			      "see the kernel's messages");
	close(fd);
	return true;
}

/* ---------------------------------------------------------------- mounting */

int device_mount(struct pd_ctx *ctx, const struct device *d, const char *folder, bool read_only)
{
	bool fat = strcmp(d->type, "vfat") == 0 || strcmp(d->type, "exfat") == 0;
	bool journal = ctx->phase == PD_PHASE_CHECK && (strcmp(d->type, "ext3") == 0 || strcmp(d->type, "ext4") == 0);
	int fd = open(d->path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ioctl(fd, BLKFLSBUF, 0); /* what is read comes from the medium */
		close(fd);
	}
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return pd_fail(ctx, PD_FAILED, "cannot make the folder %s: %s", folder, strerror(errno));
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot have mounts of its own: %s", strerror(errno));
	if (mount(d->path, folder, d->type, MS_NOSUID | MS_NODEV | MS_NOEXEC | (read_only ? MS_RDONLY : 0),
		  fat ? "umask=0077" : journal ? "noload" : NULL) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot mount the %s of %s: %s", d->type, d->path,
			       errno == ENODEV ? "this kernel doesn't know it" : strerror(errno));
	return 0;
}

int device_unmount(struct pd_ctx *ctx, const struct device *d, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	r = fd < 0 ? -1 : syncfs(fd);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return pd_fail(ctx, PD_FAILED, "cannot write all to %s: %s", d->path, strerror(errno));
	if (umount2(folder, UMOUNT_NOFOLLOW) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot unmount %s: %s", d->path, strerror(errno));
	return 0;
}
