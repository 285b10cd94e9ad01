/* SPDX-License-Identifier: MIT */
/* The step snapshot.btrfs: snapshots of subvolumes, and back to them. */
#include "btrfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../shared/path.h"

#define MADE "made"
#define KIND "btrfs:"

struct args {
	struct pd_list subvolumes;
	int64_t room;
	const char *state;
};

/* -------------------------------------------------------- what to take */

static int look_at_all(struct pd_ctx *ctx, struct volumes *all)
{
	const struct args *args = ctx->args;

	*all = (struct volumes){ 0 };
	if (args->subvolumes.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "subvolumes is empty: name where each of them is mounted");
	for (size_t i = 0; i < args->subvolumes.len; i++) {
		struct volume v;
		int r = volume_look(ctx, args->subvolumes.items[i], args->state, args->room, &v);

		for (size_t k = 0; r == 0 && k < all->len; k++)
			if (strcmp(all->items[k].uuid, v.uuid) == 0)
				r = pd_fail(ctx, PD_BAD_ARGS, "%s and %s are the same subvolume", all->items[k].path, v.path);
		if (r < 0)
			return r;
		volumes_add(ctx, all, &v);
	}
	return 0;
}

/* A name that no snapshot has, and none of those that are to be taken. */
static int give_name(struct pd_ctx *ctx, struct volume *v)
{
	const char *name = pd_format(ctx, "%s-%s", run_name(ctx), v->id);
	struct place p;
	struct subvol s;
	int r = place_open(ctx, v, &p);

	v->name = name;
	for (int n = 2; r == 0 && p.folder >= 0 && (place_sub(p.folder, v->name, &s) == 0 || errno != ENOENT); n++)
		v->name = pd_format(ctx, "%s-%d", name, n);
	place_close(&p);
	return r;
}

static int tell(struct pd_ctx *ctx, const struct volumes *all)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->len; i++)
		r = pd_output_item(ctx, "snapshots", pd_format(ctx, KIND "%s/%s", all->items[i].fs, all->items[i].name));
	return r;
}

/* 1: it is there, 0: not, below zero, reported. */
static int is_taken(struct pd_ctx *ctx, const struct volume *v, const struct place *p)
{
	struct subvol s;

	if (p->folder < 0 || place_sub(p->folder, v->name, &s) < 0)
		return 0;
	return s.read_only && strcmp(subvol_uuid(ctx, s.parent), v->uuid) == 0 ? 1 :
	       pd_fail(ctx, PD_FAILED, FOLDER "/%s is no read-only snapshot of %s: somebody has changed it", v->name,
		       v->path);
}

static int all_taken(struct pd_ctx *ctx, struct volumes *all, const char **missing)
{
	int r = 1;

	for (size_t i = 0; r >= 0 && i < all->len; i++) {
		struct place p;

		r = place_open(ctx, &all->items[i], &p);
		if (r == 0)
			r = is_taken(ctx, &all->items[i], &p);
		place_close(&p);
		if (r == 0 && !*missing)
			*missing = all->items[i].path;
	}
	return r < 0 ? r : !*missing;
}

static int check(struct pd_ctx *ctx)
{
	struct volumes all;
	const char *missing = NULL;
	int r = volumes_recall(ctx, &all);

	if (r > 0)
		r = all_taken(ctx, &all, &missing);
	if (r != 0)
		return r < 0 || tell(ctx, &all) < 0 ? PD_FAILED : PD_UNCHANGED;
	r = look_at_all(ctx, &all);
	return r < 0 ? r : PD_CHANGED;
}

/* ---------------------------------------------------------------- taking */

static int make_folder(struct pd_ctx *ctx, struct volume *v, struct place *p)
{
	if (p->folder >= 0)
		return 0;
	if (mkdirat(p->top, FOLDER, 0700) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot make the folder " FOLDER " at the top of the file system of %s: %s",
			       v->path, strerror(errno));
	place_close(p);
	return place_open(ctx, v, p);
}

static int take(struct pd_ctx *ctx, const struct volume *v, const struct place *p)
{
	int fd = openat(p->top, v->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	struct subvol s;

	if (fd < 0 || subvol_info(fd, &s) < 0)
		r = pd_fail(ctx, PD_FAILED, "cannot open the subvolume %s of %s: %s", v->at, v->path, strerror(errno));
	else if (strcmp(subvol_uuid(ctx, s.uuid), v->uuid) != 0)
		r = pd_fail(ctx, PD_FAILED, "%s is another subvolume than before: somebody has exchanged it", v->path);
	else if (subvol_snapshot(fd, p->folder, v->name, true) < 0)
		r = pd_fail(ctx, PD_FAILED, "cannot take a snapshot of %s: %s", v->path, strerror(errno));
	else
		r = subvol_sync(p->top) == 0 ? 0 : pd_fail(ctx, PD_FAILED, "cannot write the snapshot of %s to the disk: %s",
							   v->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

static int take_one(struct pd_ctx *ctx, struct volume *v, bool *done)
{
	struct place p;
	int r = place_open(ctx, v, &p);

	if (r == 0)
		r = make_folder(ctx, v, &p);
	if (r == 0)
		r = is_taken(ctx, v, &p);
	if (r == 0) {
		r = take(ctx, v, &p);
		*done = true;
	}
	place_close(&p);
	return r < 0 ? r : 0;
}

static int evidence(struct pd_ctx *ctx, const struct volumes *all, const char *file, const char *title)
{
	const char *text = "";

	for (size_t i = 0; i < all->len; i++) {
		const struct volume *v = &all->items[i];

		text = pd_format(ctx, "%s%s\n  subvolume   %s, number %s, %s\n  file system %s on %s\n  snapshot    " FOLDER
				 "/%s\n", text, v->path, v->at, v->id, v->uuid, v->fs, v->source, v->name);
	}
	return evidence_file(ctx, file, title, text);
}

static int begin(struct pd_ctx *ctx, struct volumes *all)
{
	int r = volumes_recall(ctx, all);

	if (r != 0)
		return r;
	r = look_at_all(ctx, all);
	for (size_t i = 0; r == 0 && i < all->len; i++)
		r = give_name(ctx, &all->items[i]);
	return r == 0 ? volumes_remember(ctx, all) : r;
}

static int apply(struct pd_ctx *ctx)
{
	struct volumes all;
	bool done = false;
	int r = begin(ctx, &all);

	for (size_t i = 0; r >= 0 && i < all.len; i++) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before the snapshot of %s", all.items[i].path);
		pd_progress(ctx, (int64_t)i, (int64_t)all.len, all.items[i].path);
		r = take_one(ctx, &all.items[i], &done);
	}
	if (r < 0 || tell(ctx, &all) < 0)
		return r < 0 ? r : PD_FAILED;
	if (!done)
		return PD_UNCHANGED;
	return evidence(ctx, &all, "snapshots.txt", "Snapshots before the change") < 0 ||
	       pd_remember(ctx, MADE, "yes") < 0 ? PD_FAILED : PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct volumes all;
	const char *missing = NULL;
	int r = volumes_recall(ctx, &all);

	if (r > 0)
		r = all_taken(ctx, &all, &missing);
	return r < 0 ? r : r == 0 ? pd_fail(ctx, PD_FAILED, "there is no snapshot of %s", missing ? missing : "anything") :
	       tell(ctx, &all) < 0 ? PD_FAILED : PD_UNCHANGED;
}

/* With the others when one does not come back. */
static int undo(struct pd_ctx *ctx)
{
	struct volumes all;
	bool done = false, made = pd_recall(ctx, MADE) != NULL;
	int result = volumes_recall(ctx, &all);

	if (result <= 0)
		return result < 0 ? result : PD_UNCHANGED;
	result = 0;
	for (size_t i = all.len; i-- > 0;) {
		bool later;
		int r;

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s came back", all.items[i].path);
		r = volume_go_back(ctx, &all.items[i], made, &done, &later);
		result = r < 0 ? r : result;
	}
	if (result < 0)
		return result;
	if (done && evidence(ctx, &all, "back.txt", "What snapshots were gone back to") < 0)
		return PD_FAILED;
	return done ? PD_CHANGED : PD_UNCHANGED;
}

/* -------------------------------------------------- by the name in outputs */

static int named(struct pd_ctx *ctx, const char *name, struct volume *v, struct place *p)
{
	const char *fs = name + strlen(KIND), *slash = strchr(fs, '/');

	if (!slash || slash - fs != TEXT_ID - 1 || !slash[1] || strchr(slash + 1, '/') || slash[1] == '.')
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no snapshot as snapshot.btrfs names it: " KIND
			       "FILE-SYSTEM/NAME", name);
	*v = (struct volume){ .path = name, .fs = pd_format(ctx, "%.*s", (int)(slash - fs), fs), .name = slash + 1,
			      .source = "" };
	return place_open(ctx, v, p);
}

/* The kernel would remove it from under those who use it, be it the root; and none with others in it. */
static int is_free(struct pd_ctx *ctx, const struct place *p, const char *what)
{
	struct mounts mounts;
	const struct mounted *m;
	const char *nested = NULL;
	size_t n;

	if (mounts_read(ctx, &mounts) < 0 || place_nested(ctx, p, what, &nested) < 0)
		return PD_FAILED;
	if (nested)
		return pd_fail(ctx, PD_REFUSED, FOLDER "/%s has other subvolumes in it: %s; move them to where they belong, or remove "
			       "them", what, nested);
	m = mounts_below(&mounts, pd_format(ctx, "/" FOLDER "/%s", what), &n);
	return !m ? 0 : pd_fail(ctx, PD_REFUSED, FOLDER "/%s is mounted at %s: reboot first, which mounts what was gone back to", what,
				m->target);
}

int btrfs_there(struct pd_ctx *ctx, const char *name)
{
	struct volume v = { 0 };
	struct place p = { -1, -1 };
	int n = 0, r = named(ctx, name, &v, &p);

	for (int i = 0; r == 0 && p.folder >= 0 && i < 2; i++) {
		const char *what = i ? v.name : pd_format(ctx, "%s.back", v.name);
		struct subvol s;

		if (place_sub(p.folder, what, &s) == 0) {
			r = is_free(ctx, &p, what);
			n = 1;
		}
	}
	place_close(&p);
	return r < 0 ? r : n;
}

/* With what is empty in it, which no check minds: systemd makes such ones. */
static int discard_one(struct pd_ctx *ctx, const struct place *p, const char *what)
{
	int fd = openat(p->folder, what, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = is_free(ctx, p, what);

	if (r == 0 && (fd < 0 || subvol_delete_nested(ctx, fd) < 0 || subvol_delete(p->folder, what) < 0))
		r = pd_fail(ctx, PD_FAILED, "cannot remove the snapshot " FOLDER "/%s: %s", what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

int btrfs_discard(struct pd_ctx *ctx, const char *name)
{
	struct volume v = { 0 };
	struct place p = { -1, -1 };
	struct subvol s;
	int r = named(ctx, name, &v, &p);

	for (int i = 0; r == 0 && i < 2; i++) {
		const char *what = i ? v.name : pd_format(ctx, "%s.back", v.name);

		if (p.folder >= 0 && place_sub(p.folder, what, &s) == 0)
			r = discard_one(ctx, &p, what);
	}
	if (r == 0 && p.top >= 0 && subvol_sync(p.top) < 0)
		r = pd_fail(ctx, PD_FAILED, "cannot write to the disk that %s is gone: %s", name, strerror(errno));
	place_close(&p);
	return r;
}

/* ------------------------------------------------------------ for the guard */

static bool has_snapshots(int folder)
{
	int fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int n = 0;

	while (all && (e = readdir(all)))
		n += *e->d_name != '.';
	if (all)
		closedir(all);
	return n > 0;
}

int btrfs_room(struct pd_ctx *ctx, int64_t bytes)
{
	struct mounts mounts;
	const char *seen = "";
	int refused = 0;

	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < mounts.len; i++) {
		struct volume v = { .path = mounts.items[i].target, .source = mounts.items[i].source, .fs = "" };
		char id[TEXT_ID];
		struct place p;
		struct statvfs fs;
		int fd = strcmp(mounts.items[i].type, "btrfs") == 0 ?
			 open(v.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, r;

		if (fd < 0)
			continue;
		r = !is_btrfs(fd) || subvol_file_system(fd, id) < 0 || strstr(seen, id) || fstatvfs(fd, &fs) < 0;
		close(fd);
		if (r)
			continue;
		v.fs = id;
		seen = pd_format(ctx, "%s%s ", seen, id);
		r = place_open(ctx, &v, &p);
		if (r == 0 && has_snapshots(p.folder) && (int64_t)(fs.f_bavail * fs.f_frsize) < bytes) {
			pd_inhibit(ctx, "the file system gets full: what is replaced stays in its snapshots",
				   pd_format(ctx, "less than %" PRId64 " MiB are free on the file system of %s", bytes >> 20, v.path),
				   "make room, or discard snapshots of earlier runs");
			refused = 1;
		}
		place_close(&p);
		if (r < 0)
			return r;
	}
	return refused;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, subvolumes, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "where the subvolumes are mounted, such as \"/\" and \"/home\""),
	PD_PARAM(struct args, room, PD_T_BYTES, .def = "1 GiB", .help = "room there has to be on each of their file systems"),
	PD_PARAM(struct args, state, PD_T_PATH, .def = "/var/lib/patchday",
		 .help = "folder of patchday's own state, which may be on none of them"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("snapshots", PD_T_LIST, "the snapshots, for snapshot.discard"),
	PD_OUTPUT_END
};

const struct pd_step btrfs_step = {
	PD_STEP, .name = "btrfs", .help = "take snapshots of btrfs subvolumes; its undo goes back to them",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params, .args_size = sizeof(struct args),
	.outputs = outputs, .check = check, .apply = apply, .verify = verify, .undo = undo
};
