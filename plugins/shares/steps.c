/* SPDX-License-Identifier: MIT */
/* What saving and restoring have in common, whatever it is that is saved. */
#include "steps.h"
#include "../shared/store.h"

#include <unistd.h>

const struct pd_param save_params[] = {
	PD_PARAM(struct save_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder under which the copy is made"),
	PD_PARAM(struct save_args, copy, PD_T_PATH,
		 .help = "second place, off the server; empty: none"),
	PD_PARAM_END
};

int save_places(struct pd_ctx *ctx, const struct save_args *args, const char *what)
{
	const char *risk = pd_format(ctx, "%s could not be saved", what);

	return store_can_take(ctx, args->to, risk) < 0 ||
	       (args->copy && *args->copy && store_can_take(ctx, args->copy, risk) < 0) ? PD_REFUSED : 0;
}

const char *save_set(struct pd_ctx *ctx, const char *name, take_fn *take,
		     const char *list, const char *what, int *rc)
{
	const struct save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder");

	*rc = 0;
	if (!folder) {
		folder = saved_name(ctx, args->to, name);
		*rc = pd_remember(ctx, "folder", folder);
	}
	if (*rc == 0 && access(folder, F_OK) != 0)
		*rc = take(ctx, folder);
	if (*rc == 0 &&
	    (saved_second(ctx, folder, args->copy) ||
	     pd_evidence(ctx, pd_format(ctx, "%s/" SAVED_MANIFEST, folder),
			 pd_format(ctx, "digests of the saved %s", what)) ||
	     pd_evidence(ctx, pd_format(ctx, "%s/%s", folder, list),
			 pd_format(ctx, "the saved %s", what))))
		*rc = PD_FAILED;
	return *rc ? NULL : folder;
}

int save_outputs(struct pd_ctx *ctx, const char *folder, const char *name, int64_t count)
{
	if (folder && pd_output(ctx, "folder", folder))
		return PD_FAILED;
	return pd_output(ctx, name, pd_format(ctx, "%lld", (long long)count));
}

const char *restore_begin(struct pd_ctx *ctx, const char *const units[], take_fn *take,
			  int *rc)
{
	const char *before = pd_format(ctx, "%s/before", ctx->work_dir);

	*rc = 0;
	if (!pd_recall(ctx, "units")) {
		const char *state = units_ask(ctx, units);

		*rc = state ? pd_remember(ctx, "units", state) : PD_FAILED;
	}
	if (*rc == 0 && access(before, F_OK) != 0)
		*rc = take(ctx, before);
	return *rc ? NULL : before;
}

bool restore_cut_short(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "units") && !pd_recall(ctx, "done");
}
