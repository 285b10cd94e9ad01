/* SPDX-License-Identifier: MIT */
/* The step snapshot.prune: snapshots of earlier runs go, by their age and their number. */
#include "past.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW "now"

enum { DAY = 24 * 60 * 60 };

struct args {
	struct pd_list volumes;
	int64_t keep;
	int64_t age;
};

struct tally {
	struct history gone;
	const char *kept; /* a line for each */
	int64_t now;
};

/* Why it stays; NULL: it goes. */
static const char *why_kept(struct pd_ctx *ctx, const struct past *p, int64_t newer, int64_t now)
{
	const struct args *args = ctx->args;

	return past_is_of(p, run_name(ctx)) ? "this run has taken it, and may go back to it" :
	       !p->replaced && newer < args->keep ? "one of the newest" :
	       now - p->taken < args->age ? "not old enough" : p->busy;
}

static void sort_out(struct pd_ctx *ctx, const struct history *all, struct tally *t)
{
	int64_t newer = 0; /* of earlier runs: what this one has taken does not count */

	for (size_t i = 0; i < all->len; i++) {
		const struct past *p = &all->items[i];
		const char *why = why_kept(ctx, p, newer, t->now);

		newer += !p->replaced && !p->lost && !past_is_of(p, run_name(ctx));
		if (why)
			t->kept = pd_format(ctx, "%s%s     %s: %s\n", t->kept, "kept", p->output, why);
		else
			history_add(ctx, &t->gone, p);
	}
}

static int look_subvolume(struct pd_ctx *ctx, const char *path, void *tally)
{
	struct history all = { 0 };
	struct volume v;
	int r = volume_find(ctx, path, &v);

	if (r == 0)
		r = btrfs_history(ctx, &v, &all);
	if (r == 0)
		sort_out(ctx, &all, tally);
	return r;
}

static int look_volume(struct pd_ctx *ctx, const struct lvs *lvs, const char *name, void *tally)
{
	struct history all = { 0 };
	const struct lv *lv;
	int r = lv_named(ctx, lvs, name, &lv);

	if (r == 0)
		r = lvm_history(ctx, lvs, lv, &all);
	if (r == 0)
		sort_out(ctx, &all, tally);
	return r;
}

static int look(struct pd_ctx *ctx, int64_t now, struct tally *t)
{
	const struct args *args = ctx->args;
	const struct each_volume each = { look_subvolume, look_volume, t };

	*t = (struct tally){ .kept = "", .now = now };
	return each_volume(ctx, &args->volumes, &each);
}

static int tell(struct pd_ctx *ctx, const struct tally *t)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->gone.len; i++)
		r = pd_output_item(ctx, "removed", t->gone.items[i].output);
	return r;
}

static int check(struct pd_ctx *ctx)
{
	struct tally t = { 0 };
	int r = look(ctx, (int64_t)time(NULL), &t);

	if (r < 0 || tell(ctx, &t) < 0)
		return r < 0 ? r : PD_FAILED;
	pd_irreversible(ctx, "without the snapshots there is no way back to them");
	return t.gone.len ? PD_CHANGED : PD_UNCHANGED;
}

static int apply(struct pd_ctx *ctx)
{
	const char *text = "";
	int64_t now = (int64_t)time(NULL);
	struct tally t = { 0 };
	int r = look(ctx, now, &t);

	if (r < 0 || tell(ctx, &t) < 0 || pd_remember(ctx, NOW, pd_format(ctx, "%" PRId64, now)) < 0)
		return r < 0 ? r : PD_FAILED;
	for (size_t i = 0; i < t.gone.len; i++) {
		const struct past *p = &t.gone.items[i];

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s was removed", p->output);
		pd_progress(ctx, (int64_t)i, (int64_t)t.gone.len, p->output);
		r = snapshot_remove(ctx, p->output);
		if (r < 0)
			return r;
		text = pd_format(ctx, "%sremoved  %s, %" PRId64 " days old\n", text, p->output, (t.now - p->taken) / DAY);
	}
	if (!*text)
		return PD_UNCHANGED;
	return evidence_file(ctx, "pruned.txt", "Snapshots of earlier runs, removed and kept", pd_format(ctx, "%s%s", text, t.kept)) < 0 ?
	       PD_FAILED : PD_CHANGED;
}

/* What was too old then is gone; others get too old meanwhile. */
static int verify(struct pd_ctx *ctx)
{
	const char *now = pd_recall(ctx, NOW);
	struct tally t = { 0 };
	int r = now ? look(ctx, strtoll(now, NULL, 10), &t) : 0;

	return r < 0 ? r : t.gone.len ? pd_fail(ctx, PD_FAILED, "%s is still there", t.gone.items[0].output) : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, volumes, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "whose snapshots: where subvolumes are mounted, or logical volumes as VG/LV"),
	PD_PARAM(struct args, keep, PD_T_INT, .def = "2", .min = 0, .max = 1000,
		 .help = "so many of each, the newest, stay however old they are"),
	PD_PARAM(struct args, age, PD_T_SECONDS, .def = "14d", .help = "of the others those go that are older than this"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("removed", PD_T_LIST, "the snapshots that were removed"),
	PD_OUTPUT_END
};

const struct pd_step prune_step = {
	PD_STEP, .name = "prune", .help = "remove old snapshots of earlier runs, but for the newest",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_IRREVERSIBLE, .params = params, .args_size = sizeof(struct args),
	.outputs = outputs, .check = check, .apply = apply, .verify = verify
};
