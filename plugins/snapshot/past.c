/* SPDX-License-Identifier: MIT */
/* What earlier runs have left of a volume. */
#include "past.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../shared/path.h"

#define DIGITS "0123456789"
#define BACK ".back"

void history_add(struct pd_ctx *ctx, struct history *all, const struct past *p)
{
	all->items = path_room(ctx, all->items, all->len, &all->cap, sizeof(*p));
	all->items[all->len++] = *p;
}

static int newer_first(const void *a, const void *b)
{
	const struct past *x = a, *y = b;

	return x->taken != y->taken ? (x->taken < y->taken ? 1 : -1) : strcmp(y->name, x->name);
}

void history_sort(struct history *all)
{
	if (all->len)
		qsort(all->items, all->len, sizeof(*all->items), newer_first);
}

/* "RUN-NUMBER" or "RUN-NUMBER-NUMBER" of btrfs, "RUN" or "RUN-NUMBER" of LVM. */
bool past_is_of(const struct past *p, const char *run)
{
	size_t len = strlen(run);

	return strncmp(p->run, run, len) == 0 && strspn(p->run + len, DIGITS "-") == strcspn(p->run + len, ".") &&
	       (!p->run[len] || p->run[len] == '-' || p->run[len] == '.');
}

const struct past *history_pick(struct pd_ctx *ctx, const struct history *all, const char *run)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct past *p = &all->items[i];

		if (!p->replaced && (run ? past_is_of(p, run) : !past_is_of(p, run_name(ctx))))
			return p;
	}
	return NULL;
}

/* Is it named as a logical volume, not by a path? */
static bool is_lvm_name(const char *volume) { return *volume != '/'; }

/* ----------------------------------------------------------------- btrfs */

/* The ids that a subvolume and its copies have had, one after the other. */
struct line {
	const char *ids;
};

static bool is_of(struct pd_ctx *ctx, const struct line *l, const unsigned char uuid[ID_SIZE])
{
	static const unsigned char none[ID_SIZE];

	return memcmp(uuid, none, ID_SIZE) != 0 && strstr(l->ids, subvol_uuid(ctx, uuid));
}

static bool join(struct pd_ctx *ctx, struct line *l, const unsigned char uuid[ID_SIZE])
{
	static const unsigned char none[ID_SIZE];

	if (memcmp(uuid, none, ID_SIZE) == 0 || is_of(ctx, l, uuid))
		return false;
	l->ids = pd_format(ctx, "%s%s ", l->ids, subvol_uuid(ctx, uuid));
	return true;
}

struct left {
	const char *name;
	struct subvol s;
	bool replaced; /* no snapshot: what had become of a subvolume that went back */
	bool shared;   /* a snapshot of one that is in another place now */
	bool follow;   /* what it was made of had its place before */
	const char *nested; /* what is in it, or in its BACK, that would have to be removed before; NULL: nothing */
};

struct leftovers {
	struct left *items;
	size_t len, cap;
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

static int list(struct pd_ctx *ctx, const struct place *p, const char *path, struct leftovers *out)
{
	int fd = p->folder < 0 ? -1 : openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (p->folder >= 0 && !all) {
		if (fd >= 0)
			close(fd);
		return pd_fail(ctx, PD_FAILED, "cannot list " FOLDER " of the file system of %s: %s", path, strerror(errno));
	}
	while (all && (e = readdir(all))) {
		struct left left = { .name = pd_format(ctx, "%s", e->d_name), .replaced = ends_with(e->d_name, BACK) };

		const char *back = left.replaced ? left.name : pd_format(ctx, "%s" BACK, left.name);
		struct subvol s;

		if (*e->d_name == '.' || place_sub(p->folder, e->d_name, &left.s) < 0)
			continue;
		if (place_sub(p->folder, back, &s) == 0 && place_nested(ctx, p, back, &left.nested) < 0) {
			closedir(all);
			return PD_FAILED;
		}
		out->items = path_room(ctx, out->items, out->len, &out->cap, sizeof(left));
		out->items[out->len++] = left;
	}
	if (all)
		closedir(all);
	return 0;
}

static const struct left *find_left(const struct leftovers *all, const unsigned char uuid[ID_SIZE])
{
	for (size_t i = 0; i < all->len; i++)
		if (memcmp(all->items[i].s.uuid, uuid, ID_SIZE) == 0)
			return &all->items[i];
	return NULL;
}

static bool is_snapshot(const struct leftovers *all, const unsigned char uuid[ID_SIZE])
{
	const struct left *left = find_left(all, uuid);

	return left && !left->replaced;
}

/* Somebody may have made a subvolume as a snapshot of another one, whose snapshots are not its own.  So what has, or
 * had, the place leads on to nothing but the snapshot that it is a copy of; and a snapshot to what it was taken
 * of, unless that is in another place: it was replaced, or is removed. */
static int find_parents(struct pd_ctx *ctx, const struct volume *v, int top, const struct subvol *now,
			struct leftovers *all)
{
	for (size_t i = 0; i < all->len; i++) {
		struct left *left = &all->items[i];
		bool known = memcmp(left->s.parent, now->uuid, ID_SIZE) == 0 || find_left(all, left->s.parent);
		int lives = known ? 0 : subvol_lives(top, left->s.parent);

		if (lives < 0)
			return pd_fail(ctx, PD_FAILED, "cannot ask btrfs what " FOLDER "/%s of the file system of %s was made of: %s",
				       left->name, v->path, strerror(errno));
		left->shared = !left->replaced && lives > 0;
		left->follow = left->replaced ? is_snapshot(all, left->s.parent) : !lives;
	}
	return 0;
}

/* Another one that is in a place and a copy of a snapshot of this line: which of both has gone back, and which was made
 * as a copy by somebody, cannot be seen; nor whose the .back of such a copy is.  NULL: there is one place alone. */
static const struct subvol *twin_of(struct pd_ctx *ctx, const struct subvol *now, const struct line *l,
				    const struct leftovers *all, const struct subvols *copies)
{
	const struct subvol *other = NULL;
	int places = find_left(all, now->uuid) ? 0 : 1; /* one that was replaced has it until the next boot */

	for (size_t i = 0; i < copies->len; i++) {
		const struct subvol *s = &copies->items[i];

		if (s->id != now->id && is_of(ctx, l, s->parent) && is_snapshot(all, s->parent) && !find_left(all, s->uuid)) {
			other = s;
			places++;
		}
	}
	return places > 1 ? other : NULL;
}

/* It, and the snapshot that it is a copy of. */
static struct line begin_line(struct pd_ctx *ctx, const struct subvol *now, const struct leftovers *all)
{
	struct line l = { "" };

	join(ctx, &l, now->uuid);
	if (is_snapshot(all, now->parent))
		join(ctx, &l, now->parent);
	return l;
}

/* What is its own whoever had its place before: what was taken of it; and what it is a copy of, which the other one is, too. */
static struct line certain_line(struct pd_ctx *ctx, const struct subvol *now, struct leftovers *all)
{
	struct line l = begin_line(ctx, now, all);

	for (size_t i = 0; i < all->len; i++) {
		struct left *left = &all->items[i];

		left->shared = left->shared || memcmp(left->s.uuid, now->parent, ID_SIZE) == 0;
		if (memcmp(left->s.parent, now->uuid, ID_SIZE) == 0)
			join(ctx, &l, left->s.uuid);
	}
	return l;
}

/* Who went back is a copy of a snapshot of another one: that one's snapshots are its own, too. */
static struct line line_of(struct pd_ctx *ctx, const struct subvol *now, const struct leftovers *all)
{
	struct line l = begin_line(ctx, now, all);
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < all->len; i++) {
			const struct left *left = &all->items[i];
			const struct left *of = find_left(all, left->s.parent);
			/* what was replaced may be made of another one, or of a snapshot that another one goes back to, too */
			bool own = !left->replaced || (of && !of->replaced && !of->shared);

			if ((own && is_of(ctx, &l, left->s.parent)) || is_of(ctx, &l, left->s.uuid)) {
				more = join(ctx, &l, left->s.uuid) || more;
				more = (left->follow && join(ctx, &l, left->s.parent)) || more;
			}
		}
	}
	return l;
}

static void add_left(struct pd_ctx *ctx, const struct volume *v, const struct left *left, const struct mounts *mounts,
		    struct history *out)
{
	size_t n;
	const struct mounted *self = mounts_below(mounts, pd_format(ctx, "/" FOLDER "/%s", left->name), &n);
	/* which is removed with it */
	const struct mounted *m = self ? self : mounts_below(mounts, pd_format(ctx, "/" FOLDER "/%s" BACK, left->name), &n);
	const struct past p = { .output = pd_format(ctx, "btrfs:%s/%s", v->fs, left->name), .name = left->name, .run = left->name,
		.taken = left->replaced ? left->s.changed : left->s.taken, .replaced = left->replaced,
		.busy = m ? pd_format(ctx, "mounted at %s", m->target) :
			left->nested ? pd_format(ctx, "other subvolumes are in it: %s", left->nested) :
			left->shared ? "another subvolume may go back to it" : NULL };

	if (left->replaced || left->s.read_only)
		history_add(ctx, out, &p);
}

int btrfs_history(struct pd_ctx *ctx, struct volume *v, struct history *out)
{
	struct leftovers all = { 0 };
	struct subvols copies = { 0 };
	struct mounts mounts;
	struct subvol now;
	struct place p;
	int r = place_open(ctx, v, &p);

	*out = (struct history){ 0 };
	if (r == 0 && place_sub(p.top, v->at, &now) < 0)
		r = pd_fail(ctx, PD_FAILED, "cannot open the subvolume %s of %s: %s", v->at, v->path, strerror(errno));
	if (r == 0)
		r = list(ctx, &p, v->path, &all);
	if (r == 0)
		r = find_parents(ctx, v, p.top, &now, &all);
	if (r == 0 && subvol_copies(ctx, p.top, &copies) < 0)
		r = pd_fail(ctx, PD_FAILED, "cannot list the subvolumes of the file system of %s: %s", v->path, strerror(errno));
	place_close(&p);
	if (r == 0)
		r = mounts_read(ctx, &mounts);
	if (r == 0) {
		struct line l = line_of(ctx, &now, &all);
		const struct subvol *twin = twin_of(ctx, &now, &l, &all, &copies);

		if (twin) {
			l = certain_line(ctx, &now, &all);
			out->twin = pd_format(ctx, "subvolume number %" PRIu64 " is a copy of one of its snapshots, too, so that nobody "
					      "knows whose others there are", twin->id);
		}
		for (size_t i = 0; i < all.len; i++)
			if (is_of(ctx, &l, all.items[i].s.uuid))
				add_left(ctx, v, &all.items[i], &mounts, out);
	}
	history_sort(out);
	return r;
}

/* ------------------------------------------------------------------- LVM */

int lv_named(struct pd_ctx *ctx, const struct lvs *all, const char *name, const struct lv **out)
{
	*out = lv_is_name(name) ? lvs_find(all, name) : NULL;
	if (!lv_is_name(name))
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is neither the path of a subvolume nor a logical volume: write /PATH or "
			       "VG/LV", name);
	return *out ? 0 : pd_fail(ctx, PD_REFUSED, "there is no logical volume %s: lvs shows what there is", name);
}

int lvm_history(struct pd_ctx *ctx, const struct lvs *all, const struct lv *lv, struct history *out)
{
	const char *stem = pd_format(ctx, "%s-", lv_stem(ctx, lv));

	*out = (struct history){ 0 };
	for (size_t i = 0; i < all->len; i++) {
		const struct lv *s = &all->items[i];
		const char *name = strchr(s->full, '/') + 1;
		const struct past p = { .output = pd_format(ctx, "lvm:%s", s->full), .name = s->full, .run = name + strlen(stem),
			.taken = s->taken, .lost = lv_is_lost(s), .busy = lv_is_merging(s) ? "its volume goes back to it" : NULL };

		/* its volume has gone back to another thin one: then it has no origin any more */
		if (strcmp(s->vg, lv->vg) == 0 && lv_tagged(s) && strncmp(name, stem, strlen(stem)) == 0 &&
		    (strcmp(s->origin, strchr(lv->full, '/') + 1) == 0 || (lv_is_thin(s) && !*s->origin)))
			history_add(ctx, out, &p);
	}
	history_sort(out);
	return 0;
}

int each_volume(struct pd_ctx *ctx, const struct pd_list *volumes, const struct each_volume *each)
{
	struct lvs lvs = { 0 };
	bool listed = false;
	int r = 0;

	if (volumes->len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "volumes is empty: name where subvolumes are mounted, or logical volumes as VG/LV");
	for (size_t i = 0; r == 0 && i < volumes->len; i++) {
		const char *name = volumes->items[i];

		if (!is_lvm_name(name)) {
			r = each->subvolume(ctx, name, each->user);
			continue;
		}
		r = listed ? 0 : lvs_list(ctx, &lvs);
		listed = true;
		if (r == 0)
			r = each->lv(ctx, &lvs, name, each->user);
	}
	return r;
}
