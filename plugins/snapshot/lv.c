/* SPDX-License-Identifier: MIT */
/* Logical volumes: what lvs(8) and sysfs say of them. */
#include "lv.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../shared/path.h"

enum { NAME_MAX_LV = 100, DEEPEST = 8 }; /* layers of devices, one upon the other */

bool lvm_installed(void)
{
	return (access("/usr/sbin/lvs", X_OK) == 0 || access("/sbin/lvs", X_OK) == 0) &&
	       access("/dev/mapper/control", F_OK) == 0;
}

int lvm_do(struct pd_ctx *ctx, const char *const argv[], const char *what, const char *on)
{
	struct pd_command_result r = { 0 };

	if (pd_run(ctx, argv, &r) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot %s %s", what, on);
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "cannot %s %s: %s says: %s", what, on, argv[0], r.err);
}

/* The value up to the next bar; *at goes behind it. */
static const char *column(struct pd_ctx *ctx, const char **at)
{
	size_t len = strcspn(*at, "|\n");
	const char *from = *at;

	*at += len + ((*at)[len] == '|');
	return path_words(ctx, pd_format(ctx, "%.*s", (int)len, from));
}

static double percent(const char *text) { return *text ? strtod(text, NULL) : -1; }

static struct lv parse(struct pd_ctx *ctx, const char *line)
{
	struct lv lv = { .vg = column(ctx, &line) };
	const char *name = column(ctx, &line);
	size_t hidden = *name == '[';

	lv.full = pd_format(ctx, "%s/%.*s", lv.vg, (int)(strlen(name) - 2 * hidden), name + hidden);
	lv.path = column(ctx, &line);
	lv.attr = column(ctx, &line);
	if (strlen(lv.attr) < 9)
		lv.attr = "----------";
	lv.size = strtoll(column(ctx, &line), NULL, 10);
	lv.type = column(ctx, &line);
	lv.pool = column(ctx, &line);
	lv.origin = column(ctx, &line);
	lv.data = percent(column(ctx, &line));
	lv.metadata = percent(column(ctx, &line));
	lv.tags = column(ctx, &line);
	lv.vg_free = strtoll(column(ctx, &line), NULL, 10);
	lv.taken = strtoll(column(ctx, &line), NULL, 10);
	return lv;
}

/* Without a lock, for a check writes nothing. */
int lvs_read(struct pd_ctx *ctx, struct lvs *out)
{
	static const char *const argv[] = { "lvs", "--nolocking", "--config", "devices/hints=\"none\" report/time_format=\"%s\"", "--all",
		"--noheadings", "--separator", "|", "--units", "b", "--nosuffix", "-o", "vg_name,lv_name,lv_path,lv_attr,"
		"lv_size,segtype,pool_lv,origin,data_percent,metadata_percent,lv_tags,vg_free,lv_time", NULL };
	struct pd_command_result r = { 0 };

	*out = (struct lvs){ 0 };
	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "cannot list the logical volumes: lvs says: %s", r.err);
	for (const char *line = r.out; *line; line = next_line(line)) {
		struct lv lv = parse(ctx, line);

		out->items = path_room(ctx, out->items, out->len, &out->cap, sizeof(lv));
		out->items[out->len++] = lv;
	}
	return 0;
}

const struct lv *lvs_find(const struct lvs *all, const char *full)
{
	for (size_t i = 0; i < all->len; i++)
		if (strcmp(all->items[i].full, full) == 0)
			return &all->items[i];
	return NULL;
}

bool lv_tagged(const struct lv *lv)
{
	for (const char *t = lv->tags; *t; t += strcspn(t, ","), t += *t == ',')
		if (strcspn(t, ",") == strlen(TAG) && strncmp(t, TAG, strlen(TAG)) == 0)
			return true;
	return false;
}

bool lv_is_thin(const struct lv *lv) { return strcmp(lv->type, "thin") == 0; }
bool lv_is_lost(const struct lv *lv) { return lv->attr[4] == 'I' || lv->attr[4] == 'S'; }
bool lv_is_merging(const struct lv *lv) { return lv->attr[0] == 'S' || lv->attr[0] == 'O'; }

/* ------------------------------------------------------- what lies on it */

/* Is @p device this one, or made of it? */
static bool rests_on(struct pd_ctx *ctx, dev_t device, dev_t what, int depth)
{
	const char *folder = pd_format(ctx, "/sys/dev/block/%u:%u/slaves", major(device), minor(device));
	DIR *all = device == what || depth == DEEPEST ? NULL : opendir(folder);
	const struct dirent *e;
	bool found = device == what;

	while (all && !found && (e = readdir(all))) {
		const char *text = *e->d_name == '.' ? NULL :
				   pd_read_file(ctx, pd_format(ctx, "%s/%s/dev", folder, e->d_name), 64, NULL);
		unsigned ma, mi;

		if (text && sscanf(text, "%u:%u", &ma, &mi) == 2)
			found = rests_on(ctx, makedev(ma, mi), what, depth + 1);
	}
	if (all)
		closedir(all);
	return found;
}

bool lv_carries(struct pd_ctx *ctx, const struct lv *lv, const struct mounts *mounts, const char *path)
{
	const struct mounted *m = path ? mounts_of(mounts, there(ctx, path)) : NULL;
	struct stat volume, source;

	return m && stat(lv->path, &volume) == 0 && stat(m->source, &source) == 0 && S_ISBLK(source.st_mode) &&
	       rests_on(ctx, source.st_rdev, volume.st_rdev, 0);
}

const struct mounted *lv_mount(const struct lv *lv, const struct mounts *all, size_t *n)
{
	const struct mounted *found = NULL;
	struct stat volume, source;

	*n = 0;
	for (size_t i = 0; i < all->len && stat(lv->path, &volume) == 0; i++)
		if (stat(all->items[i].source, &source) == 0 && S_ISBLK(source.st_mode) &&
		    source.st_rdev == volume.st_rdev) {
			found = &all->items[i];
			(*n)++;
		}
	return found;
}

/* ------------------------------------------------------- what was taken */

bool lv_is_name(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && slash != text && slash[1] && !strchr(slash + 1, '/') && *text != '-' && slash[1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-/") == strlen(text);
}

int lvs_list(struct pd_ctx *ctx, struct lvs *out)
{
	return lvm_installed() ? lvs_read(ctx, out) :
	       pd_fail(ctx, PD_REFUSED, "there are no logical volumes here: the package lvm2 is not installed, or the kernel "
		       "has no device mapper");
}

const char *lv_stem(struct pd_ctx *ctx, const struct lv *lv)
{
	return pd_format(ctx, "%.*s", NAME_MAX_LV - 70, strchr(lv->full, '/') + 1);
}

int lv_has_no_state(struct pd_ctx *ctx, const struct lv *lv, const char *state)
{
	struct mounts mounts;

	if (mounts_read(ctx, &mounts) < 0)
		return PD_FAILED;
	if (lv_carries(ctx, lv, &mounts, state) || lv_carries(ctx, lv, &mounts, ctx->work_dir))
		return pd_fail(ctx, PD_REFUSED, "%s has the state of patchday itself (%s): the journal of this run would go back "
			       "with it; give that a volume of its own, mounted there", lv->full,
			       lv_carries(ctx, lv, &mounts, state) ? state : ctx->work_dir);
	return 0;
}

int taken_recall(struct pd_ctx *ctx, const char *key, struct taken **out)
{
	const char *text = pd_recall(ctx, key);
	int n = 0;

	for (const char *line = text; line && *line; line = next_line(line))
		n++;
	*out = pd_alloc_for(ctx, ((size_t)n + 1) * sizeof(**out));
	for (int i = 0; i < n; i++, text = next_line(text)) {
		(*out)[i] = (struct taken){ field(ctx, text, 0), field(ctx, text, 1) };
		if (!lv_is_name((*out)[i].volume) || !lv_is_name((*out)[i].snapshot))
			return pd_fail(ctx, PD_FAILED, "what was remembered of the snapshots is damaged: '%.*s'",
				       (int)strcspn(text, "\n"), text);
	}
	return n;
}

int taken_is_there(struct pd_ctx *ctx, const struct lvs *all, const struct taken *t)
{
	const struct lv *lv = lvs_find(all, t->snapshot);

	if (!lv)
		return 0;
	if (lv_tagged(lv) && lv_is_thin(lv) && !*lv->origin)
		return pd_fail(ctx, PD_FAILED, "LVM can't merge the snapshot %s any more, since %s has gone back to another one: put it in "
			       "its place by hand, with lvrename and lvchange -kn, while nothing uses that", t->snapshot, t->volume);
	if (!lv_tagged(lv) || strcmp(lv->origin, strchr(t->volume, '/') + 1) != 0)
		return pd_fail(ctx, PD_FAILED, "%s is no snapshot of %s that patchday has taken", t->snapshot, t->volume);
	return !lv_is_lost(lv) ? 1 : pd_fail(ctx, PD_FAILED, "the snapshot %s of %s is lost: its room was used up; take a larger "
					     "one next time (size)", t->snapshot, t->volume);
}

static const char *table(struct pd_ctx *ctx, const struct lvs *all)
{
	const char *text = "";

	for (size_t i = 0; i < all->len; i++) {
		const struct lv *lv = &all->items[i];

		text = pd_format(ctx, "%s%-40s %-10s %-10s %14" PRId64 " bytes  data %5.1f %%  metadata %5.1f %%  %s%s\n", text,
				 lv->full, lv->attr, lv->type, lv->size, lv->data < 0 ? 0 : lv->data,
				 lv->metadata < 0 ? 0 : lv->metadata, *lv->origin ? "of " : "", lv->origin);
	}
	return text;
}

int lvs_evidence(struct pd_ctx *ctx, const char *file, const char *title)
{
	struct lvs all;

	return lvs_read(ctx, &all) < 0 ? PD_FAILED : evidence_file(ctx, file, title, table(ctx, &all));
}
