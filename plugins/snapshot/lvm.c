/* SPDX-License-Identifier: MIT */
/* The step snapshot.lvm: snapshots of logical volumes, thin and classic ones,
 * and back to them by merging. */
#include "lv.h"

#include <inttypes.h>
#include <string.h>

enum { DEFAULT_PART = 5 };

struct args {
	struct pd_list volumes;
	int64_t size;
	int64_t percent;
	const char *state;
};

/* ---------------------------------------------------------- may it be taken? */

static int64_t room_for(const struct args *args, const struct lv *lv)
{
	return lv_is_thin(lv) ? 0 : args->size ? args->size : lv->size / DEFAULT_PART;
}

static int is_fit(struct pd_ctx *ctx, const struct lv *lv)
{
	static const char *const types[] = { "linear", "striped", "thin", "mirror" };
	bool known = strncmp(lv->type, "raid", 4) == 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		known = known || strcmp(lv->type, types[i]) == 0;
	if (!known || lv->attr[0] == 's')
		return pd_fail(ctx, PD_REFUSED, "%s is a %s: there are snapshots of linear, striped, thin, mirrored and raid "
			       "volumes only", lv->full, lv->attr[0] == 's' ? "snapshot" : lv->type);
	if (lv_is_merging(lv))
		return pd_fail(ctx, PD_REFUSED, "%s is going back to a snapshot: reboot, or wait until lvs shows none", lv->full);
	return lv->attr[4] == 'a' ? 0 : pd_fail(ctx, PD_REFUSED, "%s is not active: lvchange -ay %s", lv->full, lv->full);
}

static int has_room(struct pd_ctx *ctx, const struct lvs *all, const struct lv *lv, int64_t asked)
{
	const struct args *args = ctx->args;
	const char *pool = pd_format(ctx, "%s/%s", lv->vg, lv->pool);
	const struct lv *p = lv_is_thin(lv) ? lvs_find(all, pool) : NULL;

	if (p && (p->data > (double)args->percent || p->metadata > (double)args->percent))
		return pd_fail(ctx, PD_REFUSED, "the pool %s is full to %.1f %%, its metadata to %.1f %%, and %" PRId64 " %% are "
			       "the limit: a pool that is full stops all that is in it; extend it (lvextend), or raise percent",
			       pool, p->data, p->metadata, args->percent);
	return asked <= lv->vg_free ? 0 :
	       pd_fail(ctx, PD_REFUSED, "the volume group %s has %" PRId64 " MiB free, and snapshots of %" PRId64 " MiB are "
		       "asked for: extend it (vgextend), or lower size", lv->vg, lv->vg_free >> 20, asked >> 20);
}

static int look_at(struct pd_ctx *ctx, const struct lvs *all, const char *name, const struct lv **out)
{
	const struct args *args = ctx->args;
	const struct lv *lv = lv_is_name(name) ? lvs_find(all, name) : NULL;
	int r;

	if (!lv_is_name(name))
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no logical volume: write VG/LV, as lvs shows them", name);
	if (!lv)
		return pd_fail(ctx, PD_REFUSED, "there is no logical volume %s: lvs shows what there is", name);
	*out = lv;
	r = is_fit(ctx, lv);
	return r < 0 ? r : lv_has_no_state(ctx, lv, args->state);
}

/* All that are asked for; in *found, in their order. */
static int look_at_all(struct pd_ctx *ctx, const struct lvs *all, const struct lv **found)
{
	const struct args *args = ctx->args;

	if (args->volumes.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "volumes is empty: name logical volumes, as VG/LV");
	for (size_t i = 0; i < args->volumes.len; i++) {
		int64_t asked = 0;
		int r = look_at(ctx, all, args->volumes.items[i], &found[i]);

		for (size_t k = 0; r == 0 && k <= i; k++) {
			asked += strcmp(found[k]->vg, found[i]->vg) == 0 ? room_for(args, found[k]) : 0;
			if (k < i && found[k] == found[i])
				r = pd_fail(ctx, PD_BAD_ARGS, "%s is named twice", found[i]->full);
		}
		if (r == 0)
			r = has_room(ctx, all, found[i], asked);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ------------------------------------------------------------ remembered */

/* One that was not there before. */
static const char *give_name(struct pd_ctx *ctx, const struct lvs *all, const struct lv *lv)
{
	const char *stem = pd_format(ctx, "%s-%s", lv_stem(ctx, lv), run_name(ctx)), *name;
	int n = 1;

	do
		name = n == 1 ? pd_format(ctx, "%s/%s", lv->vg, stem) : pd_format(ctx, "%s/%s-%d", lv->vg, stem, n);
	while (n++, lvs_find(all, name));
	return name;
}

static int begin(struct pd_ctx *ctx, const struct lvs *all, struct taken **out)
{
	const struct args *args = ctx->args;
	const struct lv **found = pd_alloc_for(ctx, (args->volumes.len + 1) * sizeof(*found));
	const char *text = "";
	int n = taken_recall(ctx, TAKEN, out), r;

	if (n != 0)
		return n;
	r = look_at_all(ctx, all, found);
	for (size_t i = 0; r == 0 && i < args->volumes.len; i++)
		text = pd_format(ctx, "%s%s\t%s\n", text, found[i]->full, give_name(ctx, all, found[i]));
	if (r < 0 || pd_remember(ctx, TAKEN, text) < 0)
		return r < 0 ? r : PD_FAILED;
	return taken_recall(ctx, TAKEN, out);
}

static int tell(struct pd_ctx *ctx, const struct taken *all, int n)
{
	int r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = pd_output_item(ctx, "snapshots", pd_format(ctx, KIND "%s", all[i].snapshot));
	return r;
}

/* ----------------------------------------------------------------- taking */

static int all_taken(struct pd_ctx *ctx, const struct taken *taken, int n, const char **missing)
{
	struct lvs all;
	int r = lvs_list(ctx, &all);

	*missing = NULL;
	for (int i = 0; r >= 0 && i < n; i++) {
		r = taken_is_there(ctx, &all, &taken[i]);
		if (r == 0 && !*missing)
			*missing = taken[i].volume;
	}
	return r < 0 ? r : !*missing;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const struct lv **found = pd_alloc_for(ctx, (args->volumes.len + 1) * sizeof(*found));
	struct taken *taken;
	struct lvs all;
	const char *missing;
	int n = taken_recall(ctx, TAKEN, &taken), r = n > 0 ? all_taken(ctx, taken, n, &missing) : n;

	if (r != 0)
		return r < 0 || tell(ctx, taken, n) < 0 ? PD_FAILED : PD_UNCHANGED;
	r = lvs_list(ctx, &all);
	if (r == 0)
		r = look_at_all(ctx, &all, found);
	return r < 0 ? r : PD_CHANGED;
}

static int take(struct pd_ctx *ctx, const struct lvs *all, const struct taken *t)
{
	const struct lv *lv = lvs_find(all, t->volume);
	const char *name = strchr(t->snapshot, '/') + 1;
	const char *const thin[] = { "lvcreate", "-y", "-s", "--addtag", TAG, "-n", name, t->volume, NULL };
	const char *classic[] = { "lvcreate", "-y", "-s", "--addtag", TAG, "-n", name, "-L", "", t->volume, NULL };

	if (!lv)
		return pd_fail(ctx, PD_FAILED, "the logical volume %s is gone", t->volume);
	classic[8] = pd_format(ctx, "%" PRId64 "b", room_for(ctx->args, lv));
	return lvm_do(ctx, lv_is_thin(lv) ? thin : classic, "take a snapshot of", t->volume);
}

static int apply(struct pd_ctx *ctx)
{
	struct taken *taken = NULL;
	struct lvs all;
	bool done = false;
	int r = lvs_list(ctx, &all), n = r < 0 ? r : begin(ctx, &all, &taken);

	for (int i = 0; i < n; i++) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before the snapshot of %s", taken[i].volume);
		pd_progress(ctx, i, n, taken[i].volume);
		r = taken_is_there(ctx, &all, &taken[i]);
		done = done || r == 0;
		if (r < 0 || (r == 0 && take(ctx, &all, &taken[i]) < 0))
			return PD_FAILED;
	}
	if (n < 0 || tell(ctx, taken, n) < 0)
		return n < 0 ? n : PD_FAILED;
	if (!done)
		return PD_UNCHANGED;
	return lvs_evidence(ctx, "volumes.txt", "Logical volumes with their snapshots") < 0 ||
	       pd_remember(ctx, MADE, "yes") < 0 ? PD_FAILED : PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct taken *taken;
	const char *missing = "anything";
	int n = taken_recall(ctx, TAKEN, &taken), r = n > 0 ? all_taken(ctx, taken, n, &missing) : n;

	return r < 0 ? r : r == 0 ? pd_fail(ctx, PD_FAILED, "there is no snapshot of %s", missing) :
	       tell(ctx, taken, n) < 0 ? PD_FAILED : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, volumes, PD_T_LIST, .flags = PD_P_REQUIRED, .help = "logical volumes, as VG/LV"),
	PD_PARAM(struct args, size, PD_T_BYTES, .def = "0",
		 .help = "room for all that changes in a volume that is not thin; 0: a fifth of it"),
	PD_PARAM(struct args, percent, PD_T_INT, .def = "80", .min = 1, .max = 100,
		 .help = "how full, in data or metadata, the pool of a thin volume may be"),
	PD_PARAM(struct args, state, PD_T_PATH, .def = "/var/lib/patchday",
		 .help = "folder of patchday's own state, which may be on none of them"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("snapshots", PD_T_LIST, "the snapshots, for snapshot.discard"),
	PD_OUTPUT_END
};

const struct pd_step lvm_step = {
	PD_STEP, .name = "lvm", .help = "take snapshots of logical volumes; its undo goes back to them",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params, .args_size = sizeof(struct args),
	.outputs = outputs, .check = check, .apply = apply, .verify = verify, .undo = lvm_undo
};
