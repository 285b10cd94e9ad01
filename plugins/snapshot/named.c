/* SPDX-License-Identifier: MIT */
/* Snapshots of LVM by the name they have in outputs, and the room they have left. */
#include "lv.h"

#include <inttypes.h>
#include <string.h>

static int named(struct pd_ctx *ctx, const char *name, const struct lv **out)
{
	struct lvs all;
	int r;

	*out = NULL;
	if (!lv_is_name(name + strlen(KIND)))
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no snapshot as snapshot.lvm names it: " KIND "VG/NAME", name);
	r = lvs_list(ctx, &all);
	if (r < 0)
		return r;
	*out = lvs_find(&all, name + strlen(KIND));
	return !*out || lv_tagged(*out) ? 0 :
	       pd_fail(ctx, PD_REFUSED, "%s has not the tag " TAG ": it is no snapshot of patchday's, and stays", (*out)->full);
}

int lvm_there(struct pd_ctx *ctx, const char *name)
{
	const struct lv *lv;
	int r = named(ctx, name, &lv);

	return r < 0 ? r : lv != NULL;
}

int lvm_discard(struct pd_ctx *ctx, const char *name)
{
	const char *const argv[] = { "lvremove", "-y", name + strlen(KIND), NULL };

	return lvm_do(ctx, argv, "remove", argv[2]);
}

/* What gets full: the pool of a thin snapshot, a classic one itself; NULL: no snapshot of ours. */
static const struct lv *filled(struct pd_ctx *ctx, const struct lvs *all, const struct lv *lv)
{
	return !lv_tagged(lv) ? NULL : lv_is_thin(lv) ? lvs_find(all, pd_format(ctx, "%s/%s", lv->vg, lv->pool)) : lv;
}

int lvm_room(struct pd_ctx *ctx, int64_t percent)
{
	struct lvs all;
	int refused = 0;

	if (!lvm_installed())
		return 0;
	if (lvs_read(ctx, &all) < 0)
		return PD_FAILED;
	for (size_t i = 0; all.items && i < all.len; i++) {
		const struct lv *lv = &all.items[i];
		const struct lv *full = filled(ctx, &all, lv);

		if (!full || (!lv_is_lost(lv) && full->data <= (double)percent &&
			      full->metadata <= (double)percent))
			continue;
		pd_inhibit(ctx, lv == full ? "a snapshot that is full is lost, and with it the way back" :
			   "a pool that is full stops all volumes in it", pd_format(ctx, "more than %" PRId64 " %% of %s are used",
			   percent, full->full), pd_format(ctx, "extend it: lvextend %s", full->full));
		refused = 1;
	}
	return refused;
}
