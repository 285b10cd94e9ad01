/* SPDX-License-Identifier: MIT */
/* Which kernel runs, and what boots it: the step running, and the facts. */
#include "kernel.h"

#include <string.h>

#include "../shared/clone.h"

struct running_args {
	const char *release;
};

int must_run(struct pd_ctx *ctx, const char *release)
{
	if (strcmp(release, running(ctx)) == 0)
		return 0;
	if (ctx->dry_run || clone_here(ctx)) {
		pd_log(ctx, PD_LOG_INFO, "whether the kernel %s comes up is not known: %s", release,
		       ctx->dry_run ? "a dry run boots none" : "a clone boots none");
		return 0;
	}
	return pd_fail(ctx, PD_FAILED, "the server runs the kernel %s, not %s: that did not come up, and the boot loader fell back, or "
		       "it was never booted; journalctl --list-boots and the console tell more", running(ctx), release);
}

static int running_check(struct pd_ctx *ctx)
{
	const struct running_args *args = ctx->args;
	int r = must_run(ctx, args->release);

	return r < 0 ? r : PD_UNCHANGED;
}

static const struct pd_param running_params[] = {
	PD_PARAM(struct running_args, release, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "the kernel that has to run, as kernel.once gives it"),
	PD_PARAM_END
};

const struct pd_step running_step = {
	PD_STEP, .name = "running", .help = "fail at once if the new kernel did not come up", .reversibility = PD_READONLY,
	.params = running_params, .args_size = sizeof(struct running_args), .check = running_check
};

/* --------------------------------------------------------------- facts */

/* Nobody is told off for a loader of another kind: it is a fact like others. */
static int scan(struct pd_ctx *ctx)
{
	const struct entry *e;
	struct loader l;
	const char *why = loader_keeps_why_not(ctx, &l, running(ctx), &e);
	const struct pd_fact_field fields[] = { PD_TEXT("loader", l.name), PD_TEXT("no_fallback", why ? why : "") };

	return pd_fact(ctx, "boot", fields, sizeof(fields) / sizeof(*fields));
}

static const char *const kinds[] = { "boot", NULL };

const struct pd_scanner loader_scanner = {
	PD_SCANNER, .name = "loader", .help = "the boot loader, and whether a new kernel can be booted once", .kinds = kinds,
	.scan = scan
};
