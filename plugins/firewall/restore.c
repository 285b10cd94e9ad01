/* SPDX-License-Identifier: MIT */
/* Step firewall.restore: bring rules and files back, and undo it. */
#include "firewall.h"

static const struct pd_param params[] = { PARAMS_BACK, PD_PARAM_END };

static const struct pd_output outputs[] = {
	PD_OUTPUT("differences", PD_T_LIST, "what was not as it had been saved"),
	PD_OUTPUT_END
};

/* One transaction: nft takes all of it or nothing. */
static int put_rules(struct pd_ctx *ctx, const char *from, bool look)
{
	const struct back_args *args = ctx->args;
	const char *then = firewall_saved(ctx, from, SET_RULES);
	const char *problem = NULL;

	if (!then || firewall_load(ctx, then, &args->others, look, &problem))
		return PD_FAILED;
	return !problem ? 0 :
		pd_fail(ctx, PD_FAILED, "nft does not load %s/" SET_RULES ": %s; the rules are as "
			"they were before", from, problem);
}

static int differs(struct pd_ctx *ctx, const char *from, struct saved_set *set, struct texts *out)
{
	const struct back_args *args = ctx->args;

	*out = (struct texts){ 0 };
	return firewall_differs(ctx, from, &args->others, set, out);
}

static int prove(struct pd_ctx *ctx, const char *from)
{
	struct texts left = { 0 };
	struct saved_set set = { 0 };

	if (differs(ctx, from, &set, &left))
		return PD_FAILED;
	return !left.len ? 0 : pd_fail(ctx, PD_FAILED, "the firewall is not as it was saved in %s: "
				       "%s", from, left.item[0]);
}

static int check(struct pd_ctx *ctx)
{
	const struct back_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (!nft_is_here()) {
		pd_inhibit(ctx, "the rules can't be restored", "nft is not installed on this server",
			   "install the package nftables first");
		return PD_REFUSED;
	}
	if (differs(ctx, args->from, &set, &differences) || texts_output(ctx, "differences", &differences) ||
	    put_rules(ctx, args->from, true))
		return PD_FAILED;
	return differences.len ? PD_CHANGED : PD_UNCHANGED;
}

static int put_back(struct pd_ctx *ctx, const char *from, const struct saved_set *set)
{
	return files_put_back(ctx, set, nft_files) || put_rules(ctx, from, false) ? PD_FAILED : 0;
}

/* What will be replaced, too, if the configuration of now does not name it. */
static int take_before(struct pd_ctx *ctx, const char *folder)
{
	const struct back_args *args = ctx->args;
	struct saved_set set = { 0 };

	return saved_read(ctx, args->from, &set) || firewall_take_with(ctx, folder, &set) ?
		PD_FAILED : 0;
}

static int apply(struct pd_ctx *ctx)
{
	static const char *const none[] = { NULL };
	const struct back_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };
	int rc = 0;
	const char *before = restore_begin(ctx, none, take_before, &rc);

	if (!before)
		return rc;
	if (pd_remember(ctx, "before", before) || differs(ctx, args->from, &set, &differences) ||
	    files_remember_made(ctx, &set) || put_back(ctx, args->from, &set) ||
	    texts_output(ctx, "differences", &differences))
		return PD_FAILED;
	return PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct back_args *args = ctx->args;

	return prove(ctx, args->from) ? PD_FAILED : PD_UNCHANGED;
}

static int undo(struct pd_ctx *ctx)
{
	const char *before = pd_recall(ctx, "before");
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (!before)
		return PD_UNCHANGED; /* apply had not begun to change anything */
	if (differs(ctx, before, &set, &differences) || put_back(ctx, before, &set) ||
	    files_remove_made(ctx, &set) || prove(ctx, before))
		return PD_FAILED;
	return differences.len ? PD_CHANGED : PD_UNCHANGED;
}

const struct pd_step step_restore = {
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "restore",
	.help = "bring the saved rules back, in one transaction", .params = params,
	.args_size = sizeof(struct back_args), .outputs = outputs, .check = check, .apply = apply,
	.verify = verify, .undo = undo, .reversibility = PD_REVERSIBLE, .time_limit = 300
};
