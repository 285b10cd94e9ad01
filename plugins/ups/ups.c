/* SPDX-License-Identifier: MIT */
/* ups - uninterruptible power supplies by NUT: facts, a guard, and the hold
 * of what would shut the server down. */
#include "../shared/nut.h"
#include "../shared/units.h"

#include <inttypes.h>
#include <string.h>

static const char *const risk = "the power could fail in the middle of an update";
static const char *const remedy = "see to the power supply, and wait until it is back";

/* One reason against it; the result of a check after its last reason. */
static int against(struct pd_ctx *ctx, const char *cause)
{
	pd_inhibit(ctx, risk, cause, remedy);
	return pd_fail(ctx, PD_REFUSED, "%s", cause);
}

static int refuse_unsafe(struct pd_ctx *ctx, const struct nuts *all)
{
	int result = 0;

	for (size_t i = 0; i < all->len; i++) {
		const char *why = nut_unsafe(&all->items[i]);

		if (why)
			result = against(ctx, pd_format(ctx, "UPS %s %s (%s)", all->items[i].name, why,
							all->items[i].status));
	}
	return result;
}

/* ------------------------------------------------------------------ line */

struct line_args {
	struct pd_list ups;
	int64_t charge, runtime;
};

static int too_little(struct pd_ctx *ctx, const struct nut *ups)
{
	const struct line_args *args = ctx->args;
	int result = 0;

	if (ups->charge >= 0 && ups->charge < args->charge)
		result = against(ctx, pd_format(ctx, "the battery of UPS %s has %" PRId64 " %%, %" PRId64
						" %% are asked for", ups->name, ups->charge, args->charge));
	if (args->runtime && ups->runtime < args->runtime)
		result = against(ctx, ups->runtime < 0 ?
			pd_format(ctx, "UPS %s does not tell how long its battery lasts", ups->name) :
			pd_format(ctx, "the battery of UPS %s lasts %" PRId64 " s, %" PRId64 " s are asked for",
				  ups->name, ups->runtime, args->runtime));
	return result;
}

static int line_check(struct pd_ctx *ctx)
{
	const struct line_args *args = ctx->args;
	struct nuts all;
	int result, r = nut_ask(ctx, &args->ups, &all);

	if (r < 0)
		return r;
	result = refuse_unsafe(ctx, &all);
	for (size_t i = 0; i < all.len; i++) {
		r = too_little(ctx, &all.items[i]);
		result = r ? r : result;
	}
	return result;
}

#define PARAM_UPS(s) \
	PD_PARAM(s, ups, PD_T_LIST, \
		 .help = "UPS to ask, NAME or NAME@HOST; left out: all that this server knows")

static const struct pd_param line_params[] = {
	PARAM_UPS(struct line_args),
	PD_PARAM(struct line_args, charge, PD_T_INT, .def = "50", .max = 100,
		 .help = "percent that each battery must have; 0: any"),
	PD_PARAM(struct line_args, runtime, PD_T_SECONDS, .def = "0", .max = 86400,
		 .help = "how long each battery must last; 0: any time"),
	PD_PARAM_END
};

static const struct pd_step line = {
	PD_STEP, .name = "line", .help = "go on only while each UPS is on line and charged",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = line_params,
	.args_size = sizeof(struct line_args), .check = line_check
};

/* ------------------------------------------------------------------ hold */

struct hold_args {
	struct pd_list units, ups;
	int64_t timeout;
};

static int with_hold(struct pd_ctx *ctx, hold_fn *work)
{
	const struct hold_args *args = ctx->args;

	return hold_with(ctx, &(struct hold){ args->units, args->timeout, MISSING_IGNORE }, work);
}

static int tell(struct pd_ctx *ctx, const struct nuts *all)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->len; i++)
		r = pd_output_item(ctx, "power", pd_format(ctx, "%s: %s", all->items[i].name,
							   all->items[i].status));
	return r;
}

static int hold_check(struct pd_ctx *ctx)
{
	const struct hold_args *args = ctx->args;
	struct nuts all;
	int r = nut_ask(ctx, &args->ups, &all);

	if (r == 0)
		r = tell(ctx, &all);
	if (r == 0)
		r = refuse_unsafe(ctx, &all);
	return r < 0 ? r : with_hold(ctx, hold_look);
}

static int evidence(struct pd_ctx *ctx, const struct nuts *all)
{
	const char *path = pd_format(ctx, "%s/ups.txt", ctx->work_dir);
	const char *text = "";

	for (size_t i = 0; i < all->len; i++)
		text = pd_format(ctx, "%s%s\n%s\n", text, all->items[i].name, all->items[i].text);
	if (!*text || pd_recall(ctx, "told"))
		return 0;
	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ||
	       pd_evidence(ctx, path, "UPS when the monitor was held") < 0 ?
	       PD_FAILED : pd_remember(ctx, "told", "1");
}

/* The power may have gone since the check, which may be hours ago. */
static int hold_apply(struct pd_ctx *ctx)
{
	const struct hold_args *args = ctx->args;
	struct nuts all;

	if (nut_ask(ctx, &args->ups, &all) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < all.len; i++)
		if (nut_unsafe(&all.items[i]))
			return pd_fail(ctx, PD_FAILED, "UPS %s %s (%s): what shuts the server down in good "
				       "order is not held now; %s", all.items[i].name,
				       nut_unsafe(&all.items[i]), all.items[i].status, remedy);
	return tell(ctx, &all) < 0 || evidence(ctx, &all) < 0 ? PD_FAILED : with_hold(ctx, hold_act);
}

static int hold_verify(struct pd_ctx *ctx) { return with_hold(ctx, hold_prove); }
static int hold_undo(struct pd_ctx *ctx) { return with_hold(ctx, hold_give_back); }

static const struct pd_param hold_params[] = {
	PD_PARAM(struct hold_args, units, PD_T_LIST, .def = "nut-monitor",
		 .help = "units that would shut the server down; without a kind, services"),
	PARAM_UPS(struct hold_args),
	PD_PARAM(struct hold_args, timeout, PD_T_SECONDS, .def = "90", .min = 1, .max = 3000,
		 .help = "how long to wait for the state to be reached"),
	PD_PARAM_END
};

static const struct pd_output hold_outputs[] = {
	HOLD_OUTPUTS,
	PD_OUTPUT("power", PD_T_LIST, "each UPS and its status, such as \"rack: OL CHRG\""),
	PD_OUTPUT_END
};

static const struct pd_step hold = {
	PD_STEP, .name = "hold", .help = "hold what would shut the server down, until undo",
	.flags = PD_S_NEEDS_ROOT | PD_S_HOLD, .reversibility = PD_REVERSIBLE, .params = hold_params,
	.args_size = sizeof(struct hold_args), .outputs = hold_outputs,
	.check = hold_check, .apply = hold_apply, .verify = hold_verify, .undo = hold_undo
};

/* ----------------------------------------------------------------- facts */

static int scan(struct pd_ctx *ctx)
{
	const struct pd_list none = { 0, NULL };
	struct nuts all;
	int r = nut_ask(ctx, &none, &all);

	for (size_t i = 0; r == 0 && i < all.len; i++) {
		const struct nut *u = &all.items[i];
		struct pd_fact_field row[7] = {
			PD_TEXT("name", u->name), PD_TEXT("model", u->model),
			PD_TEXT("status", u->status), PD_FLAG("safe", !nut_unsafe(u))
		};
		const struct pd_fact_field told[] = {
			PD_NUMBER("charge", u->charge), PD_NUMBER("runtime", u->runtime),
			PD_NUMBER("load", u->load)
		};
		size_t n = 4;

		for (size_t k = 0; k < 3; k++)
			if (told[k].number >= 0)
				row[n++] = told[k];
		r = pd_fact(ctx, "x-ups", row, n);
	}
	return r;
}

static const char *const kinds[] = { "x-ups", NULL };
static const struct pd_scanner scanner = {
	PD_SCANNER, .name = "ups", .kinds = kinds, .scan = scan, .time_limit = 120,
	.help = "uninterruptible power supplies that NUT knows, with their state"
};

static const struct pd_step *const steps[] = { &line, &hold, NULL };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = "ups", .version = "1.0",
	  .help = "uninterruptible power supplies: on line or not, shutdown monitor held",
	  .steps = steps, .scanners = scanners);
