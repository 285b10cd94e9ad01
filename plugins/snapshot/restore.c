/* SPDX-License-Identifier: MIT */
/* The step snapshot.restore: in a run of its own, back to what an earlier run has taken. */
#include "past.h"

#include <string.h>

struct args {
	struct pd_list volumes;
	const char *run;
	const char *state;
};

/* What is to go back, of both kinds. */
struct work {
	struct volumes subvolumes;
	struct taken *volumes;
	int n;
};

static const struct past *pick(struct pd_ctx *ctx, const struct history *all, const char *volume)
{
	const struct args *args = ctx->args;
	const struct past *p = history_pick(ctx, all, args->run);
	const char *names = "";

	for (size_t i = 0; !p && i < all->len; i++)
		if (!all->items[i].replaced)
			names = pd_format(ctx, "%s%s%s", names, *names ? ", " : "", all->items[i].name);
	if (!p)
		pd_fail(ctx, PD_REFUSED, "there is no snapshot of %s%s%s; %s%s%s%s", volume, args->run ? " that was taken by the run " :
			" from an earlier run", args->run ? args->run : "", *names ? "there is " : "none at all is left", names,
			all->twin ? "; " : "", all->twin ? all->twin : "");
	return p;
}

static int look_subvolume(struct pd_ctx *ctx, const char *path, void *work)
{
	struct work *out = work;
	const struct args *args = ctx->args;
	const struct past *p = NULL;
	struct history all;
	struct volume v;
	int r = volume_look(ctx, path, args->state, 0, &v);

	for (size_t k = 0; r == 0 && k < out->subvolumes.len; k++)
		if (strcmp(out->subvolumes.items[k].uuid, v.uuid) == 0)
			r = pd_fail(ctx, PD_BAD_ARGS, "%s and %s are the same subvolume", out->subvolumes.items[k].path, path);
	if (r == 0)
		r = btrfs_history(ctx, &v, &all);
	if (r < 0)
		return r;
	p = pick(ctx, &all, path);
	if (!p)
		return PD_REFUSED;
	v.name = p->name;
	v.back = pd_format(ctx, "%s-%s.back", run_name(ctx), v.id);
	volumes_add(ctx, &out->subvolumes, &v);
	return 0;
}

static int look_volume(struct pd_ctx *ctx, const struct lvs *lvs, const char *name, void *work)
{
	struct work *out = work;
	const struct args *args = ctx->args;
	const struct past *p;
	struct taken t = { .volume = name };
	struct history all;
	const struct lv *lv;
	int r = lv_named(ctx, lvs, name, &lv);

	for (int k = 0; r == 0 && k < out->n; k++)
		if (strcmp(out->volumes[k].volume, name) == 0)
			r = pd_fail(ctx, PD_BAD_ARGS, "%s is named twice", name);
	if (r == 0 && lv_is_merging(lv))
		r = pd_fail(ctx, PD_REFUSED, "%s is going back to a snapshot already: reboot, or wait until lvs shows none", name);
	if (r == 0)
		r = lv_has_no_state(ctx, lv, args->state);
	if (r == 0)
		r = lvm_history(ctx, lvs, lv, &all);
	if (r < 0)
		return r;
	p = pick(ctx, &all, name);
	if (!p)
		return PD_REFUSED;
	t.snapshot = p->name;
	out->volumes[out->n++] = t;
	return taken_is_there(ctx, lvs, &t) < 0 ? PD_REFUSED : 0;
}

static int look_at_all(struct pd_ctx *ctx, struct work *out)
{
	const struct args *args = ctx->args;
	const struct each_volume each = { look_subvolume, look_volume, out };

	*out = (struct work){ .volumes = pd_alloc_for(ctx, (args->volumes.len + 1) * sizeof(*out->volumes)) };
	return each_volume(ctx, &args->volumes, &each);
}

/* @return 1: remembered, 0: nothing is, or below zero, reported. */
static int recall(struct pd_ctx *ctx, struct work *out)
{
	int r = volumes_recall(ctx, &out->subvolumes);

	if (r > 0)
		out->n = taken_recall(ctx, MERGED, &out->volumes);
	return r > 0 && out->n < 0 ? out->n : r;
}

static int remember(struct pd_ctx *ctx, const struct work *w)
{
	const char *text = "";

	for (int i = 0; i < w->n; i++)
		text = pd_format(ctx, "%s%s\t%s\n", text, w->volumes[i].volume, w->volumes[i].snapshot);
	return pd_remember(ctx, MERGED, text) < 0 ? PD_FAILED : volumes_remember(ctx, &w->subvolumes);
}

static int tell(struct pd_ctx *ctx, const struct work *w)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->subvolumes.len; i++)
		r = pd_output_item(ctx, "snapshots", pd_format(ctx, "btrfs:%s/%s", w->subvolumes.items[i].fs,
							       w->subvolumes.items[i].name));
	for (size_t i = 0; r == 0 && i < w->subvolumes.len; i++)
		r = pd_output_item(ctx, "replaced", pd_format(ctx, "btrfs:%s/%s", w->subvolumes.items[i].fs,
							      w->subvolumes.items[i].back));
	for (int i = 0; r == 0 && i < w->n; i++)
		r = pd_output_item(ctx, "snapshots", pd_format(ctx, "lvm:%s", w->volumes[i].snapshot));
	return r;
}

/* @return 1: all of it has gone back, or the next boot does it; 0: not, or below zero, reported. */
static int is_done(struct pd_ctx *ctx, struct work *w)
{
	struct lvs lvs = { 0 };
	int r = 1;

	for (size_t i = 0; r > 0 && i < w->subvolumes.len; i++)
		r = volume_is_back(ctx, &w->subvolumes.items[i]);
	if (r > 0 && w->n > 0 && lvs_list(ctx, &lvs) < 0)
		return PD_FAILED;
	for (int i = 0; r > 0 && i < w->n; i++) {
		const struct lv *snapshot = lvs_find(&lvs, w->volumes[i].snapshot);
		const struct lv *volume = lvs_find(&lvs, w->volumes[i].volume);

		r = !snapshot || lv_is_merging(snapshot) || (volume && lv_is_merging(volume));
	}
	return r;
}

static int check(struct pd_ctx *ctx)
{
	struct work w = { 0 };
	int r = recall(ctx, &w), done = r > 0 ? is_done(ctx, &w) : 0;

	if (r == 0)
		r = look_at_all(ctx, &w);
	if (r < 0 || done < 0 || tell(ctx, &w) < 0)
		return r < 0 ? r : PD_FAILED;
	if (w.n)
		pd_irreversible(ctx, "what is on a logical volume now is lost when it goes back to its snapshot");
	if (done)
		return PD_UNCHANGED;
	for (size_t i = 0; i < w.subvolumes.len; i++)
		if (strcmp(w.subvolumes.items[i].path, "/") == 0 && pd_output(ctx, "reboot_required", "true") < 0)
			return PD_FAILED;
	return PD_CHANGED;
}

static const char *table(struct pd_ctx *ctx, const struct work *w)
{
	const char *text = "";

	for (size_t i = 0; i < w->subvolumes.len; i++) {
		const struct volume *v = &w->subvolumes.items[i];

		text = pd_format(ctx, "%s%s\n  went back to  " FOLDER "/%s of the file system %s\n  what it was   " FOLDER "/%s\n", text,
				 v->path, v->name, v->fs, v->back);
	}
	for (int i = 0; i < w->n; i++)
		text = pd_format(ctx, "%s%s\n  went back to  %s, which is used up\n", text, w->volumes[i].volume,
				 w->volumes[i].snapshot);
	return text;
}

/* Is one of them in use, the next boot has to have it. */
static int go_back(struct pd_ctx *ctx, struct work *w, bool *done, bool *boot)
{
	int result = 0;

	for (size_t i = 0; i < w->subvolumes.len; i++) {
		bool later = false;

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s went back", w->subvolumes.items[i].path);
		if (volume_go_back(ctx, &w->subvolumes.items[i], true, done, &later) < 0)
			result = PD_FAILED;
		*boot = *boot || later;
	}
	for (int i = 0; i < w->n; i++) {
		int r;

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s went back", w->volumes[i].volume);
		r = lv_go_back(ctx, &w->volumes[i], i, true, done);
		result = r < 0 ? r : result;
		*boot = *boot || r == 0;
	}
	return result;
}

static int apply(struct pd_ctx *ctx)
{
	bool done = false, boot = false;
	struct work w = { 0 };
	int r = recall(ctx, &w);

	if (r == 0) {
		r = look_at_all(ctx, &w);
		if (r == 0 && remember(ctx, &w) < 0)
			return PD_FAILED;
	}
	if (r < 0 || tell(ctx, &w) < 0)
		return r < 0 ? r : PD_FAILED;
	r = go_back(ctx, &w, &done, &boot);
	if (r < 0)
		return r;
	if (pd_output(ctx, "reboot_required", boot ? "true" : "false") < 0)
		return PD_FAILED;
	if (!done)
		return PD_UNCHANGED;
	return evidence_file(ctx, "restored.txt", "What went back to its snapshot", table(ctx, &w)) < 0 ? PD_FAILED : PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct work w = { 0 };
	int r = recall(ctx, &w);

	if (r > 0)
		r = is_done(ctx, &w);
	if (r < 0)
		return r;
	return r ? PD_UNCHANGED : pd_fail(ctx, PD_FAILED, "not all of it is what its snapshot has: somebody has exchanged it");
}

/* LVM's are not reached: for them the step can't be undone. */
static int undo(struct pd_ctx *ctx)
{
	bool done = false, later;
	struct work w = { 0 };
	int r = recall(ctx, &w), result = 0;

	if (r <= 0)
		return r < 0 ? r : PD_UNCHANGED;
	for (size_t i = w.subvolumes.len; i-- > 0;) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s was what it had been", w.subvolumes.items[i].path);
		if (volume_return(ctx, &w.subvolumes.items[i], &done, &later) < 0)
			result = PD_FAILED;
	}
	return result < 0 ? result : done ? PD_CHANGED : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, volumes, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "what goes back: where subvolumes are mounted, or logical volumes as VG/LV"),
	PD_PARAM(struct args, run, PD_T_STRING, .help = "the run that has taken the snapshots; left out: the newest of each"),
	PD_PARAM(struct args, state, PD_T_PATH, .def = "/var/lib/patchday",
		 .help = "folder of patchday's own state, which may be on none of them"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("snapshots", PD_T_LIST, "what was gone back to"),
	PD_OUTPUT("replaced", PD_T_LIST, "what subvolumes were before, for snapshot.discard"),
	PD_OUTPUT("reboot_required", PD_T_BOOL, "whether the next boot has to finish it, since something is in use"),
	PD_OUTPUT_END
};

const struct pd_step restore_step = {
	PD_STEP, .name = "restore", .help = "go back to the snapshots that an earlier run has taken", .flags = PD_S_NEEDS_ROOT,
	.reversibility = PD_REVERSIBLE, .params = params, .args_size = sizeof(struct args), .outputs = outputs, .check = check,
	.apply = apply, .verify = verify, .undo = undo
};
