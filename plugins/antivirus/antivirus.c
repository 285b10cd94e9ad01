/* SPDX-License-Identifier: MIT */
/* antivirus - hold virus scanners, give them back, update their definitions. */
#include "antivirus.h"
#include "../shared/process.h"
#include "../shared/units.h"

struct args {
	struct pd_list units, scans;
	int64_t timeout;
	int32_t missing;
};

static int first(struct pd_ctx *ctx, const char *pid, const char *name, void *user)
{
	*(const char **)user = pd_format(ctx, "%s, process %s", name, pid);
	return 1;
}

static int find_scan(struct pd_ctx *ctx, void *user, const char **scan)
{
	const struct args *args = ctx->args;
	int r = process_each(ctx, &args->scans, first, scan);

	(void)user;
	return r < 0 ? r : 0;
}

static int with_hold(struct pd_ctx *ctx, hold_fn *work)
{
	const struct args *args = ctx->args;

	return hold_with(ctx, &(struct hold){ args->units, args->timeout, args->missing }, work);
}

/* A scan that loses its daemon half way looks as if it had found nothing. */
static int apply(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	int r = process_wait(ctx, find_scan, NULL, args->timeout, "a scan", "end it");

	return r < 0 ? r : with_hold(ctx, hold_act);
}

static int check(struct pd_ctx *ctx) { return with_hold(ctx, hold_look); }
static int verify(struct pd_ctx *ctx) { return with_hold(ctx, hold_prove); }
static int undo(struct pd_ctx *ctx) { return with_hold(ctx, hold_give_back); }

static const char *const missing_choices[] = { "ignore", "fail", NULL };

static const struct pd_param params[] = {
	PD_PARAM(struct args, units, PD_T_LIST,
		 .def = "clamav-daemon,clamav-clamonacc,clamav-freshclam,clamd@scan,clamonacc",
		 .help = "units of the scanners and of what updates them; without a kind, services"),
	PD_PARAM(struct args, scans, PD_T_LIST, .def = "clamscan,clamdscan",
		 .help = "programs whose scan is let come to its end first"),
	PD_PARAM(struct args, timeout, PD_T_SECONDS, .def = "10m", .min = 1, .max = 3000,
		 .help = "how long a scan, and then the stop of the units, may take"),
	PD_PARAM(struct args, missing, PD_T_CHOICE, .def = "ignore", .choices = missing_choices,
		 .help = "what to do when a unit is not installed here"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = { HOLD_OUTPUTS, PD_OUTPUT_END };

const struct pd_step antivirus_hold = {
	PD_STEP, .name = "hold", .help = "hold virus scanners, over a reboot too, until undo",
	.flags = PD_S_NEEDS_ROOT | PD_S_HOLD, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .time_limit = 7200, .expected = 5,
	.check = check, .apply = apply, .verify = verify, .undo = undo
};

static const struct pd_step *const steps[] = { &antivirus_hold, &antivirus_update, NULL };

PD_PLUGIN(.name = "antivirus", .version = "1.0",
	  .help = "virus scanners: held, given back, their definitions updated", .steps = steps);
