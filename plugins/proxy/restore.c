/* SPDX-License-Identifier: MIT */
/* Step proxy.restore: bring squid's files back, and undo it. */
#include "proxy.h"

#include <string.h>

struct restore_args {
	const char *from;
};

static const struct pd_param params[] = {
	PD_PARAM(struct restore_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder that proxy.save has made"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("differences", PD_T_LIST, "files that were not as they had been saved"),
	PD_OUTPUT_END
};

static const char *const units[] = { "squid.service", NULL };

static int differs(struct pd_ctx *ctx, const char *from, struct saved_set *set, struct texts *out)
{
	return saved_read(ctx, from, set) || files_compare(ctx, set, squid_files, out) ?
		PD_FAILED : 0;
}

/* A squid that runs takes its new configuration; clients stay connected. */
static int reconfigure(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "squid", "-k", "reconfigure", NULL };
	const char *state = units_ask(ctx, units);
	struct pd_command_result r = { 0 };

	if (!state)
		return PD_FAILED;
	if (!strchr(state, UNIT_RUNS))
		return 0;
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "squid -k reconfigure ends with %d: %s",
					   r.status, r.err);
}

static int check(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (!squid_is_here()) {
		pd_inhibit(ctx, "squid's configuration can't be restored",
			   "there is no squid on this server", "install the package squid first");
		return PD_REFUSED;
	}
	if (differs(ctx, args->from, &set, &differences) ||
	    texts_output(ctx, "differences", &differences))
		return PD_FAILED;
	return differences.len || restore_cut_short(ctx) ? PD_CHANGED : PD_UNCHANGED;
}

/* What will be replaced, too, if the configuration of now does not name it. */
static int take_before(struct pd_ctx *ctx, const char *folder)
{
	const struct restore_args *args = ctx->args;
	struct saved_set set = { 0 };

	return saved_read(ctx, args->from, &set) || proxy_take_with(ctx, folder, &set) ?
		PD_FAILED : 0;
}

static int apply(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };
	const char *before = NULL, *problem = NULL;
	int rc = 0;

	before = restore_begin(ctx, units, take_before, &rc);
	if (!before)
		return rc;
	if (pd_remember(ctx, "before", before) ||
	    differs(ctx, args->from, &set, &differences) ||
	    files_remember_made(ctx, &set) || files_put_back(ctx, &set, squid_files) ||
	    squid_parse(ctx, NULL, &problem))
		return PD_FAILED;
	if (problem)
		return pd_fail(ctx, PD_FAILED, "squid refuses what was saved in %s: %s", args->from,
			       problem);
	return reconfigure(ctx) || texts_output(ctx, "differences", &differences) ||
	       pd_remember(ctx, "done", "1") ? PD_FAILED : PD_CHANGED;
}

static int prove(struct pd_ctx *ctx, const char *from)
{
	struct texts left = { 0 };
	struct saved_set set = { 0 };

	if (differs(ctx, from, &set, &left))
		return PD_FAILED;
	return !left.len ? 0 : pd_fail(ctx, PD_FAILED, "squid's configuration is not as it was saved "
				       "in %s: %s", from, left.item[0]);
}

static int verify(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;

	return prove(ctx, args->from) ? PD_FAILED : PD_UNCHANGED;
}

/* A squid that ran on what it would refuse goes on with what it has. */
static int undo(struct pd_ctx *ctx)
{
	const char *before = pd_recall(ctx, "before"), *problem = NULL;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (!before)
		return PD_UNCHANGED; /* apply had not begun to change anything */
	if (differs(ctx, before, &set, &differences) || files_put_back(ctx, &set, squid_files) ||
	    files_remove_made(ctx, &set) || prove(ctx, before) ||
	    squid_parse(ctx, NULL, &problem))
		return PD_FAILED;
	if (problem)
		pd_log(ctx, PD_LOG_WARN, "squid refuses the configuration that was there before: %s",
		       problem);
	else if (reconfigure(ctx))
		return PD_FAILED;
	return differences.len ? PD_CHANGED : PD_UNCHANGED;
}

const struct pd_step step_restore = {
	RESTORE_STEP, .help = "bring squid's saved configuration back",
};
