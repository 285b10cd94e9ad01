/* SPDX-License-Identifier: MIT */
/* snapshot - snapshots of the file systems before what is risky, and the way
 * back to them: btrfs and LVM; their room, and their end. */
#include "snapshot.h"

#include <string.h>

struct args {
	struct pd_list snapshots;
};

struct room_args {
	int64_t free;
	int64_t percent;
};

/* ---------------------------------------------------------------- discard */

static bool is_kind(const char *name, const char *kind) { return strncmp(name, kind, strlen(kind)) == 0; }

static int there_is(struct pd_ctx *ctx, const char *name)
{
	return is_kind(name, "btrfs:") ? btrfs_there(ctx, name) : is_kind(name, "lvm:") ? lvm_there(ctx, name) :
	       pd_fail(ctx, PD_BAD_ARGS, "'%s' is no snapshot: they are named in the output snapshots of snapshot.btrfs and "
		       "snapshot.lvm", name);
}

static int check_discard(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	int n = 0;

	pd_irreversible(ctx, "without the snapshots there is no way back to them");
	for (size_t i = 0; i < args->snapshots.len; i++) {
		int r = there_is(ctx, args->snapshots.items[i]);

		if (r < 0)
			return r;
		n += r;
	}
	return n ? PD_CHANGED : PD_UNCHANGED;
}

int snapshot_remove(struct pd_ctx *ctx, const char *name)
{
	return is_kind(name, "btrfs:") ? btrfs_discard(ctx, name) : lvm_discard(ctx, name);
}

static int discard(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const char *text = "";

	for (size_t i = 0; i < args->snapshots.len; i++) {
		const char *name = args->snapshots.items[i];
		int r = there_is(ctx, name);

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before %s was removed", name);
		if (r > 0) {
			r = snapshot_remove(ctx, name);
			text = pd_format(ctx, "%s%s\n", text, name);
		}
		if (r < 0)
			return r;
	}
	if (!*text)
		return PD_UNCHANGED;
	return evidence_file(ctx, "discarded.txt", "Snapshots that were removed", text) < 0 ? PD_FAILED : PD_CHANGED;
}

static int verify_discard(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	for (size_t i = 0; i < args->snapshots.len; i++) {
		int r = there_is(ctx, args->snapshots.items[i]);

		if (r)
			return r < 0 ? r : pd_fail(ctx, PD_FAILED, "%s is still there", args->snapshots.items[i]);
	}
	return PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, snapshots, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "what to remove, as in the output snapshots of snapshot.btrfs and snapshot.lvm"),
	PD_PARAM_END
};

const struct pd_step discard_step = {
	PD_STEP, .name = "discard", .help = "remove snapshots that nobody needs any more",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_IRREVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .check = check_discard, .apply = discard,
	.verify = verify_discard
};

/* ------------------------------------------------------------------- room */

static int room(struct pd_ctx *ctx)
{
	const struct room_args *args = ctx->args;
	int subvolumes = btrfs_room(ctx, args->free), volumes = subvolumes < 0 ? 0 : lvm_room(ctx, args->percent);

	if (subvolumes < 0 || volumes < 0)
		return PD_FAILED;
	return subvolumes || volumes ? pd_fail(ctx, PD_REFUSED, "snapshots run out of room") : PD_UNCHANGED;
}

static const struct pd_param room_params[] = {
	PD_PARAM(struct room_args, free, PD_T_BYTES, .def = "512 MiB",
		 .help = "room there has to be on a btrfs that has snapshots"),
	PD_PARAM(struct room_args, percent, PD_T_INT, .def = "80", .min = 1, .max = 100,
		 .help = "how full snapshots of LVM, and pools with snapshots, may be"),
	PD_PARAM_END
};

const struct pd_step room_step = {
	PD_STEP, .name = "room", .help = "wait while snapshots run out of room",
	.flags = PD_S_NEEDS_ROOT | PD_S_GUARD, .reversibility = PD_READONLY, .params = room_params,
	.args_size = sizeof(struct room_args), .check = room
};

static const struct pd_step *const steps[] = {
	&btrfs_step, &lvm_step, &restore_step, &prune_step, &discard_step, &room_step, NULL
};

PD_PLUGIN(.name = "snapshot", .version = "1.0", .help = "snapshots of btrfs and LVM before what is risky, and back to them",
	  .steps = steps);
