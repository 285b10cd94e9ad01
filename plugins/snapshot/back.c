/* SPDX-License-Identifier: MIT */
/* The way back: what the subvolume has become is exchanged, in one action of the
 * kernel, for a copy of its snapshot. */
#include "btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Of what is in the place of the subvolume: what it is, below the top. */
enum { AS_IT_WAS, BACK_ALREADY, ANOTHER };

static const char *back_name(struct pd_ctx *ctx, const struct volume *v)
{
	return v->back && *v->back ? v->back : pd_format(ctx, "%s.back", v->name);
}

static int what_is_there(struct pd_ctx *ctx, const struct volume *v, const struct place *p,
			 const char *snapshot, struct subvol *now)
{
	if (place_sub(p->top, v->at, now) < 0)
		return ANOTHER;
	/* who goes back a second time to the same snapshot is a copy of it as it was */
	return strcmp(subvol_uuid(ctx, now->uuid), v->uuid) == 0 ? AS_IT_WAS :
	       strcmp(subvol_uuid(ctx, now->parent), snapshot) == 0 ? BACK_ALREADY : ANOTHER;
}

/* A copy of the snapshot that can be written, unless a crash has left one. */
static int make_copy(struct pd_ctx *ctx, const struct volume *v, const struct place *p, const char *snapshot)
{
	struct subvol copy;
	int of, r;

	if (place_sub(p->folder, back_name(ctx, v), &copy) == 0)
		return strcmp(subvol_uuid(ctx, copy.parent), snapshot) == 0 ? 0 :
		       pd_fail(ctx, PD_FAILED, FOLDER "/%s of %s is no copy of its snapshot: remove it", back_name(ctx, v),
			       v->path);
	of = openat(p->folder, v->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = of < 0 ? -1 : subvol_snapshot(of, p->folder, back_name(ctx, v), false);
	if (r < 0)
		pd_fail(ctx, PD_FAILED, "cannot copy the snapshot %s of %s: %s", v->name, v->path, strerror(errno));
	if (of >= 0)
		close(of);
	return r < 0 ? PD_FAILED : 0;
}

/* One that is booted or mounted without a name. */
static int default_follows(struct pd_ctx *ctx, const struct volume *v, const struct place *p, const struct subvol *now)
{
	int mount = subvol_mount(v->source, NULL, 0);
	struct subvol first;
	int r = mount < 0 ? -1 : place_sub(mount, ".", &first);

	if (r == 0 && strtoull(v->id, NULL, 10) == first.id)
		r = subvol_set_default(p->top, now->id);
	if (r < 0)
		pd_fail(ctx, PD_FAILED, "cannot make %s the default subvolume again: %s", v->path, strerror(errno));
	if (mount >= 0)
		close(mount);
	return r < 0 ? PD_FAILED : 0;
}

/* ------------------------------------------------------ what is mounted */

/* Where nothing uses it, at once.  @return 1: done, 0: the next boot does it. */
static int remount(struct pd_ctx *ctx, const struct volume *v, const struct subvol *now)
{
	struct mounts all;
	struct subvol seen;
	size_t n;
	int mount, r;

	if (place_sub(AT_FDCWD, v->path, &seen) == 0 && memcmp(seen.uuid, now->uuid, ID_SIZE) == 0)
		return 1;
	if (*v->flags == '-' || strcmp(v->path, "/") == 0)
		return 0;
	if (mounts_read(ctx, &all) < 0)
		return PD_FAILED;
	mount = subvol_mount(v->source, pd_format(ctx, "/%s", v->at), strtoul(v->flags, NULL, 10));
	if (mount < 0)
		return pd_fail(ctx, PD_FAILED, "cannot mount what is in the place of %s: %s", v->path, strerror(errno));
	mounts_below(&all, pd_format(ctx, "/" FOLDER "/%s", back_name(ctx, v)), &n);
	r = n <= 1 &&
	    (strcmp(mounts_of(&all, v->path)->target, v->path) != 0 || umount2(v->path, UMOUNT_NOFOLLOW) == 0);
	if (r && subvol_attach(mount, v->path) < 0)
		r = pd_fail(ctx, PD_FAILED, "%s is unmounted, and can't be mounted again: %s; try mount %s", v->path,
			    strerror(errno), v->path);
	close(mount);
	return r;
}

/* One that is read-only can't be moved. */
static int set_read_only(struct pd_ctx *ctx, const struct volume *v, int folder, const char *name, bool read_only)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || subvol_set_read_only(fd, read_only) < 0 ?
		pd_fail(ctx, PD_FAILED, "cannot make %s %s: %s", v->path, read_only ? "read-only again" : "writable",
			strerror(errno)) : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int put_in_place(struct pd_ctx *ctx, const struct volume *v, const struct place *p, const char *what)
{
	return subvol_exchange(p->top, v->at, pd_format(ctx, FOLDER "/%s", back_name(ctx, v))) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "cannot put %s in the place of %s: %s", what, v->path, strerror(errno));
}

static int exchange(struct pd_ctx *ctx, const struct volume *v, const struct place *p, const char *snapshot,
		    const struct subvol *now)
{
	if (now->read_only && set_read_only(ctx, v, p->top, v->at, false) < 0)
		return PD_FAILED;
	if (make_copy(ctx, v, p, snapshot) < 0)
		return PD_FAILED;
	return put_in_place(ctx, v, p, "the copy of its snapshot");
}

/* Of what is in its place now. */
static int settle(struct pd_ctx *ctx, const struct volume *v, const struct place *p, const struct subvol *now, bool *later)
{
	int r;

	if (default_follows(ctx, v, p, now) < 0 ||
	    (v->read_only && !now->read_only && set_read_only(ctx, v, p->top, v->at, true) < 0))
		return PD_FAILED;
	if (subvol_sync(p->top) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot write %s to the disk: %s", v->path, strerror(errno));
	r = remount(ctx, v, now);
	*later = r == 0;
	return r < 0 ? r : 0;
}

static int go_back(struct pd_ctx *ctx, const struct volume *v, const struct place *p, bool made, bool *done,
		   bool *later)
{
	struct subvol taken, was, now = { 0 };
	const char *snapshot;
	int is;

	if (p->folder < 0 || place_sub(p->folder, v->name, &taken) < 0)
		return !made ? 0 : pd_fail(ctx, PD_FAILED, "the snapshot %s of %s is gone: somebody has removed it", v->name,
					   v->path);
	snapshot = subvol_uuid(ctx, taken.uuid);
	is = what_is_there(ctx, v, p, snapshot, &now);
	if (is == ANOTHER)
		return pd_fail(ctx, PD_FAILED, "in the place of %s is another subvolume than the one whose snapshot was "
			       "taken: somebody has exchanged it; the snapshot is " FOLDER "/%s", v->path, v->name);
	if (is == AS_IT_WAS && exchange(ctx, v, p, snapshot, &now) < 0)
		return PD_FAILED;
	/* nobody shall write to what was received: btrfs receive would go on from it */
	if (v->read_only && place_sub(p->folder, back_name(ctx, v), &was) == 0 && !was.read_only &&
	    set_read_only(ctx, v, p->folder, back_name(ctx, v), true) < 0)
		return PD_FAILED;
	*done = *done || is == AS_IT_WAS;
	if (what_is_there(ctx, v, p, snapshot, &now) != BACK_ALREADY)
		return pd_fail(ctx, PD_FAILED, "%s was exchanged, and is not what its snapshot has", v->path);
	return settle(ctx, v, p, &now, later);
}

int volume_go_back(struct pd_ctx *ctx, struct volume *v, bool made, bool *done, bool *later)
{
	struct place p;
	int r = place_open(ctx, v, &p);

	*later = false;
	if (r == 0)
		r = go_back(ctx, v, &p, made, done, later);
	place_close(&p);
	if (r == 0 && *later)
		pd_log(ctx, PD_LOG_WARN, "%s is in use: the next boot mounts what its snapshot has; until then all that is "
		       "written there is lost", v->path);
	return r;
}

/* ---------------------------------------------------------- and forward again */

static int go_forward(struct pd_ctx *ctx, const struct volume *v, const struct place *p, bool *done, bool *later)
{
	struct subvol was, now = { 0 };
	bool there = p->folder >= 0 && place_sub(p->folder, back_name(ctx, v), &was) == 0;

	if (place_sub(p->top, v->at, &now) < 0)
		return pd_fail(ctx, PD_FAILED, "in the place of %s is no subvolume: somebody has removed it", v->path);
	if (strcmp(subvol_uuid(ctx, now.uuid), v->uuid) == 0)
		return settle(ctx, v, p, &now, later);
	if (!there || strcmp(subvol_uuid(ctx, was.uuid), v->uuid) != 0)
		return pd_fail(ctx, PD_FAILED, "what was in the place of %s is not in " FOLDER "/%s any more: somebody has removed it",
			       v->path, back_name(ctx, v));
	if ((now.read_only && set_read_only(ctx, v, p->top, v->at, false) < 0) ||
	    (was.read_only && set_read_only(ctx, v, p->folder, back_name(ctx, v), false) < 0) || put_in_place(ctx, v, p, "what was there") < 0)
		return PD_FAILED;
	*done = true;
	return place_sub(p->top, v->at, &now) < 0 ? PD_FAILED : settle(ctx, v, p, &now, later);
}

int volume_return(struct pd_ctx *ctx, struct volume *v, bool *done, bool *later)
{
	struct place p;
	int r = place_open(ctx, v, &p);

	*later = false;
	if (r == 0)
		r = go_forward(ctx, v, &p, done, later);
	place_close(&p);
	if (r == 0 && *later)
		pd_log(ctx, PD_LOG_WARN, "%s is in use: the next boot mounts what was there before", v->path);
	return r;
}

int volume_is_back(struct pd_ctx *ctx, struct volume *v)
{
	struct subvol taken, now;
	struct place p;
	int r = place_open(ctx, v, &p);

	if (r == 0)
		r = p.folder >= 0 && place_sub(p.folder, v->name, &taken) == 0 &&
		    what_is_there(ctx, v, &p, subvol_uuid(ctx, taken.uuid), &now) == BACK_ALREADY;
	place_close(&p);
	return r;
}
