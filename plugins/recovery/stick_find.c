/* SPDX-License-Identifier: MIT */
/* Which stick is meant, whether it may be written to, and an empty one made anew. */
#include "stick.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* rear, and the system on the stick, find it by udev's link. */
static bool linked(const struct device *d, const char *label)
{
	char link[sizeof(BY_LABEL) + STICK_LABEL_MAX];
	struct stat one, other;

	memcpy(mempcpy(link, BY_LABEL, strlen(BY_LABEL)), label, strlen(label) + 1);
	return stat(link, &one) == 0 && stat(d->path, &other) == 0 && one.st_rdev == other.st_rdev;
}

static bool object(struct objection *why, const char *cause, const char *remedy)
{
	*why = (struct objection){ .cause = cause, .remedy = remedy };
	return false;
}

static bool fits(struct pd_ctx *ctx, const struct device *d, struct objection *why)
{
	const struct stick_args *args = ctx->args;
	const char *before = pd_recall(ctx, "stick");

	if (before && strcmp(before, d->uuid) != 0)
		return object(why, pd_format(ctx, "%s is another stick with the label %s: its id is %s and was %s", d->path,
					     args->label, d->uuid, before), "put that one in");
	if (strncmp(d->type, "ext", 3) != 0)
		return object(why, pd_format(ctx, "%s has the file system '%s', and rear's sticks have ext2, ext3 or ext4",
					     d->path, d->type), "take another stick, or have an empty one made by format");
	if (d->start == 0)
		return object(why, pd_format(ctx, "%s is not a partition, so that it can't be booted", d->path),
			      "take another stick, or have an empty one made by format");
	if (!linked(d, args->label))
		return object(why, pd_format(ctx, BY_LABEL "%s is not %s, and rear looks for the stick there", args->label, d->path),
			      "udevadm trigger, or take the stick out and put it in again");
	return device_fits(ctx, d, args->fixed, why);
}

/* What is not rear's, which has /rear/SERVER, and without OUTPUT_PREFIX /SERVER beside; a stick may have more than one
 * server's.  NULL: nothing. */
static const char *foreign(struct pd_ctx *ctx, const char *folder, const char *const names[])
{
	const char *found = NULL;
	struct dirent *entry;
	DIR *dir = opendir(pd_format(ctx, STICK "%s", folder));

	while (dir && !found && (entry = readdir(dir))) {
		bool known = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;

		for (size_t i = 0; names[i]; i++)
			known = known || strcmp(entry->d_name, names[i]) == 0;
		if (!known && access(pd_format(ctx, STICK "/rear/%s", entry->d_name), F_OK) < 0)
			found = pd_format(ctx, "%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool stick_content_fits(struct pd_ctx *ctx, const struct device *d, const struct rear_job *job, struct objection *why)
{
	static const char *const top[] = { "boot", "lost+found", "rear", NULL };
	static const char *const boot[] = { "grub", "grub2", "syslinux", NULL };
	const char *other = foreign(ctx, "", top);
	struct statvfs fs;
	struct stat st;
	int64_t room, needed;

	if (!other)
		other = foreign(ctx, "/boot", boot);
	if (other)
		return object(why, pd_format(ctx, "%s carries what is not Relax-and-Recover's: %s", d->path, other),
			      "take another stick, or bring that away from it");
	if (statvfs(STICK, &fs) < 0 || stat(STICK, &st) < 0)
		return object(why, pd_format(ctx, "cannot look at %s: %s", d->path, strerror(errno)), "see the kernel's messages");
	needed = room_needed(ctx, job, stick_arguments(ctx)->room, st.st_dev);
	room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return room >= needed ||
	       object(why, pd_format(ctx, "the stick %s has %" PRId64 " MiB free, and up to %" PRId64 " MiB may be needed", d->path,
				     room >> 20, needed >> 20),
		      "remove what is older in /rear on it, take a larger one, or set the parameter room");
}

int stick_open(struct pd_ctx *ctx, struct device *d, bool read_only)
{
	struct objection why = { 0 };
	int r = device_find(ctx, stick_arguments(ctx)->label, d, &why);

	if (r < 0)
		return PD_FAILED;
	if (r == 0 || !fits(ctx, d, &why))
		return against(ctx, why.cause, why.remedy);
	return device_mount(ctx, d, STICK, read_only);
}

int stick_close(struct pd_ctx *ctx, const struct device *d, int r)
{
	int s = device_unmount(ctx, d, STICK);

	return r < 0 ? r : s;
}

/* ---------------------------------------------------- one that is empty */

static bool is_empty(struct pd_ctx *ctx, const struct device *d, int *failed)
{
	const char *const argv[] = { "blkid", "-p", "-o", "export", d->path, NULL };
	struct pd_command_result r = { 0 };

	*failed = pd_run(ctx, argv, &r);
	return *failed == 0 && r.status == 2;
}

int stick_empty_fits(struct pd_ctx *ctx, const struct rear_job *job)
{
	const struct stick_args *args = ctx->args;
	const char *begun = pd_recall(ctx, "formatted");
	struct device d = { .path = args->format };
	int failed, fd;
	int64_t needed;

	if (!device_look(ctx, &d))
		return against(ctx, pd_format(ctx, "%s, which format names, is no device", d.path), "put the stick in");
	if (d.start)
		return against(ctx, pd_format(ctx, "%s is a partition", d.path), "name its disk");
	if (!d.removable && !args->fixed)
		return against(ctx, pd_format(ctx, "%s is no medium that can be taken out", d.path),
			       "put the right stick in, or set fixed if a built-in disk is meant");
	if (d.read_only)
		return against(ctx, pd_format(ctx, "%s is write-protected", d.path), "take its write protection off");
	fd = open(d.path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return against(ctx, pd_format(ctx, "%s can't be had alone: %s", d.path, strerror(errno)), "unmount what is on it");
	close(fd);
	if (!is_empty(ctx, &d, &failed) && failed == 0 && !(begun && strcmp(begun, d.path) == 0))
		return against(ctx, pd_format(ctx, "%s is not empty, and what is on it would be lost", d.path),
			       pd_format(ctx, "take another stick, or empty this one yourself: wipefs -a %s", d.path));
	needed = failed ? 0 : room_needed(ctx, job, args->room, 0);
	return failed ? PD_FAILED : d.bytes >= needed ? 0 :
	       against(ctx, pd_format(ctx, "%s has %" PRId64 " MiB, and up to %" PRId64 " MiB may be needed", d.path, d.bytes >> 20,
				      needed >> 20), "take a larger stick, or set the parameter room");
}

int stick_to_be_made(struct pd_ctx *ctx)
{
	struct objection why = { 0 };
	struct device d;
	int r = stick_arguments(ctx)->format ? device_find(ctx, stick_arguments(ctx)->label, &d, &why) : 1;

	return r < 0 ? PD_FAILED : r == 0 && !d.path;
}

int stick_make_anew(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *disk = stick_arguments(ctx)->format;
	struct objection why = { 0 };
	struct device d;
	int r = stick_to_be_made(ctx);

	if (r <= 0)
		return r;
	if (stick_empty_fits(ctx, job) < 0 || pd_remember(ctx, "formatted", disk) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%s is empty, and is made anew", disk);
	if (rear_format(ctx, job, disk) < 0)
		return PD_FAILED;
	for (int i = 0; i < 50; i++) { /* udev has to see it, too */
		r = device_find(ctx, stick_arguments(ctx)->label, &d, &why);
		if (r < 0 || (r > 0 && linked(&d, stick_arguments(ctx)->label)))
			return r < 0 ? r : 0;
		usleep(200000);
	}
	return 0;
}
