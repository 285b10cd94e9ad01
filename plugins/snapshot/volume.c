/* SPDX-License-Identifier: MIT */
/* A subvolume: may it be taken, where are its snapshots? */
#include "btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../shared/path.h"

#define OTHERS "of ext4, XFS and others there are none: LVM's are taken by snapshot.lvm, for all else there " \
	       "is backup.system"

void volumes_add(struct pd_ctx *ctx, struct volumes *all, const struct volume *v)
{
	all->items = path_room(ctx, all->items, all->len, &all->cap, sizeof(*v));
	all->items[all->len++] = *v;
}

int volumes_remember(struct pd_ctx *ctx, const struct volumes *all)
{
	const char *text = "";

	for (size_t i = 0; i < all->len; i++) {
		const struct volume *v = &all->items[i];

		text = pd_format(ctx, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", text, v->path, v->fs, v->source, v->at,
				 v->id, v->uuid, v->name, v->flags, v->read_only ? "ro" : "rw", v->back ? v->back : "");
	}
	return pd_remember(ctx, TAKEN, text);
}

int volumes_recall(struct pd_ctx *ctx, struct volumes *out)
{
	const char *line = pd_recall(ctx, TAKEN);

	*out = (struct volumes){ 0 };
	if (!line)
		return 0;
	for (; *line; line = next_line(line)) {
		const struct volume v = { field(ctx, line, 0), field(ctx, line, 1), field(ctx, line, 2),
			field(ctx, line, 3), field(ctx, line, 4), field(ctx, line, 5), field(ctx, line, 6),
			field(ctx, line, 7), strcmp(field(ctx, line, 8), "ro") == 0, field(ctx, line, 9) };

		if (!*v.name || !*v.at || !*v.uuid || !*v.flags)
			return pd_fail(ctx, PD_FAILED, "what was remembered of the snapshots is damaged: '%.*s'",
				       (int)strcspn(line, "\n"), line);
		volumes_add(ctx, out, &v);
	}
	return 1;
}

/* ------------------------------------------------------- may it be taken? */

static bool lies_on(struct pd_ctx *ctx, const char *path, const struct stat *volume)
{
	struct stat st;

	return path && stat(there(ctx, path), &st) == 0 && st.st_dev == volume->st_dev;
}

/* What a boot mounts by its number would be the old one again. */
static int comes_back(struct pd_ctx *ctx, const char *path, const struct mounted *m, int fd)
{
	const char *by = strcmp(m->target, path) == 0 ? mounts_boot_option(ctx, path, "subvolid") : NULL;
	const char *nested = NULL;

	if (by)
		return pd_fail(ctx, PD_REFUSED, "%s is mounted by the number of its subvolume, in %s: what is put in "
			       "its place has another number; write subvol=%s there instead", path, by, m->root);
	if (subvol_nested(ctx, path, fd, &nested) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot list the subvolumes in %s: %s", path, strerror(errno));
	return !nested ? 0 : pd_fail(ctx, PD_REFUSED, "%s has other subvolumes in it, which no snapshot of it has: %s; "
		"move them beside it and mount each of them where it was", path, nested);
}

static int has_room(struct pd_ctx *ctx, const char *path, int fd, int64_t room)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot look for room on %s: %s", path, strerror(errno));
	return (int64_t)(fs.f_bavail * fs.f_frsize) >= room ? 0 :
	       pd_fail(ctx, PD_REFUSED, "the file system of %s has %" PRId64 " MiB free, and %" PRId64 " MiB are asked "
		       "for: all that is replaced or removed stays in the snapshot; make room, or lower room", path,
		       (int64_t)(fs.f_bavail * fs.f_frsize) >> 20, room >> 20);
}

/* Which one it is. */
static int look_at(struct pd_ctx *ctx, const char *path, int fd, struct volume *v)
{
	struct mounts mounts;
	const struct mounted *m;
	struct subvol s;
	char fs[TEXT_ID];

	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	m = mounts_of(&mounts, path);
	if (!m || !is_btrfs(fd))
		return pd_fail(ctx, PD_REFUSED, "%s is no btrfs, it is %s: " OTHERS, path, m ? m->type : "not known");
	if (!subvol_is_root(fd))
		return pd_fail(ctx, PD_REFUSED, "%s is a folder, no subvolume: name the one that it is in, such as %s, or "
			       "make it one", path, m->target);
	if (subvol_info(fd, &s) < 0 || subvol_file_system(fd, fs) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot ask btrfs about %s: %s", path, strerror(errno));
	if (s.id == TOP)
		return pd_fail(ctx, PD_REFUSED, "%s is the top of its file system, which can't be exchanged for a snapshot: "
			       "make a subvolume, move what is in it there, and mount that with subvol=", path);
	*v = (struct volume){ .path = path, .fs = pd_format(ctx, "%s", fs), .source = m->source,
		.at = pd_format(ctx, "%s%s%s", strcmp(m->root, "/") == 0 ? "" : m->root + 1,
				strcmp(m->root, "/") == 0 || strcmp(m->target, path) == 0 ? "" : "/",
				strcmp(m->target, path) == 0 ? "" : path + strlen(m->target) + (m->target[1] != '\0')),
		.id = pd_format(ctx, "%" PRIu64, s.id), .uuid = subvol_uuid(ctx, s.uuid), .read_only = s.read_only,
		.flags = strcmp(m->target, path) == 0 ? pd_format(ctx, "%lu", subvol_flags(path)) : "-" };
	return 0;
}

static int may_be_taken(struct pd_ctx *ctx, const char *path, int fd, const char *state, int64_t room)
{
	struct mounts mounts;
	struct stat st;
	int r;

	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	if (fstat(fd, &st) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot look at %s: %s", path, strerror(errno));
	if (lies_on(ctx, state, &st) || lies_on(ctx, ctx->work_dir, &st))
		return pd_fail(ctx, PD_REFUSED, "%s has the state of patchday itself (%s): the journal of this run would go "
			       "back with it; give that a subvolume of its own beside it, mounted there", path,
			       ctx->work_dir && lies_on(ctx, ctx->work_dir, &st) ? ctx->work_dir : state);
	r = comes_back(ctx, path, mounts_of(&mounts, path), fd);
	return r < 0 ? r : has_room(ctx, path, fd, room);
}

/* Its descriptor; below zero, reported. */
static int find(struct pd_ctx *ctx, const char *path, struct volume *out, int *fd)
{
	char *real = realpath(path, NULL);
	bool same = real && strcmp(real, path) == 0;

	free(real);
	*fd = -1;
	if (*path != '/' || strpbrk(path, "\t\n"))
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no absolute path of a subvolume", path);
	if (real && !same)
		return pd_fail(ctx, PD_REFUSED, "%s is not the path of a subvolume itself, but by way of a link, or with a "
			       "slash too many", path);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 ? look_at(ctx, path, *fd, out) :
	       pd_fail(ctx, PD_REFUSED, "cannot open %s: %s; name the folder where the subvolume is mounted", path,
		       strerror(errno));
}

int volume_find(struct pd_ctx *ctx, const char *path, struct volume *out)
{
	int fd, r = find(ctx, path, out, &fd);

	if (fd >= 0)
		close(fd);
	return r;
}

int volume_look(struct pd_ctx *ctx, const char *path, const char *state, int64_t room, struct volume *out)
{
	int fd, r = find(ctx, path, out, &fd);

	if (r == 0)
		r = may_be_taken(ctx, path, fd, state, room);
	if (fd >= 0)
		close(fd);
	return r;
}

/* ---------------------------------------------------------- the snapshots */

/* After a boot a device may have another name. */
static const char *source_of(struct pd_ctx *ctx, const struct volume *v)
{
	const char *by_id = pd_format(ctx, "/dev/disk/by-uuid/%s", v->fs);
	struct mounts mounts;

	if (mounts_read(ctx, &mounts) < 0)
		return v->source;
	for (size_t i = 0; i < mounts.len; i++) {
		int fd = strcmp(mounts.items[i].type, "btrfs") == 0 ?
			 open(mounts.items[i].target, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		char id[TEXT_ID];
		bool same = fd >= 0 && is_btrfs(fd) && subvol_file_system(fd, id) == 0 && strcmp(id, v->fs) == 0;

		if (fd >= 0)
			close(fd);
		if (same)
			return mounts.items[i].source;
	}
	return access(by_id, F_OK) == 0 ? by_id : v->source;
}

int place_open(struct pd_ctx *ctx, struct volume *v, struct place *out)
{
	int mount = subvol_mount(v->source = source_of(ctx, v), "/", 0);
	char id[TEXT_ID];
	struct stat st;

	*out = (struct place){ -1, -1 };
	if (mount < 0)
		return pd_fail(ctx, PD_FAILED, "cannot reach the top of the file system of %s (%s): %s", v->path, v->fs,
			       strerror(errno));
	out->top = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(mount);
	if (out->top < 0 || subvol_file_system(out->top, id) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot open the top of the file system of %s: %s", v->path, strerror(errno));
	if (strcmp(id, v->fs) != 0)
		return pd_fail(ctx, PD_FAILED, "%s is now on another file system, %s, than %s: mount that one first",
			       v->path, id, v->fs);
	out->folder = openat(out->top, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out->folder < 0)
		return errno == ENOENT ? 0 : pd_fail(ctx, PD_FAILED, "cannot open the folder " FOLDER " of %s: %s", v->path,
						     strerror(errno));
	return fstat(out->folder, &st) == 0 && st.st_uid == 0 && !(st.st_mode & 022) ? 0 :
	       pd_fail(ctx, PD_FAILED, "the folder " FOLDER " at the top of the file system of %s is not root's alone: "
		       "somebody else has made it", v->path);
}

void place_close(struct place *p)
{
	if (p->folder >= 0)
		close(p->folder);
	if (p->top >= 0)
		close(p->top);
}

int place_nested(struct pd_ctx *ctx, const struct place *p, const char *name, const char **out)
{
	const char *path = pd_format(ctx, FOLDER "/%s", name);
	int fd = openat(p->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || subvol_nested(ctx, path, fd, out) < 0 ?
		pd_fail(ctx, PD_FAILED, "cannot list the subvolumes in %s: %s", path, strerror(errno)) : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

int place_sub(int folder, const char *name, struct subvol *out)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r, why;

	if (fd < 0)
		return -1;
	if (subvol_is_root(fd)) {
		r = subvol_info(fd, out);
		why = errno;
	} else {
		r = -1;
		why = ENOTDIR;
	}
	close(fd);
	errno = why;
	return r;
}
