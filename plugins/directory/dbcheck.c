/* SPDX-License-Identifier: MIT */
/* The step directory.dbcheck: is the database of the directory sound? */
#include "directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dbcheck_args {
	int64_t errors;
};

static int dbcheck_check(struct pd_ctx *ctx)
{
	struct domain d;
	int r = domain_find(ctx, &d);

	return r < 0 ? r : PD_CHANGED;
}

/* "Checked 3644 objects (2 errors)", the last line that says so. */
static bool counts(const char *text, int64_t *objects, int64_t *errors)
{
	const char *at = NULL;
	char *end = NULL;

	for (const char *p = text; p && (p = strstr(p, "Checked ")); p++)
		at = p;
	if (!at)
		return false;
	*objects = strtoll(at + 8, &end, 10);
	if (strncmp(end, " objects (", 10) != 0)
		return false;
	*errors = strtoll(end + 10, &end, 10);
	return strncmp(end, " error", 6) == 0;
}

static int dbcheck_apply(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "samba-tool", "dbcheck", "--cross-ncs", NULL };
	const struct dbcheck_args *args = ctx->args;
	struct pd_command_result result = { 0 };
	int64_t objects = 0, errors = 0;
	const char *why = NULL;
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r == 0)
		r = domain_run(&d, argv, NULL, &result, &why);
	if (r < 0 || pd_remember(ctx, "passed", NULL) < 0)
		return r < 0 ? r : PD_FAILED;
	/* it ends with 1 when it has found errors, too */
	if (!counts(result.out, &objects, &errors))
		return pd_fail(ctx, PD_FAILED, "samba-tool dbcheck: %s", why ? why : "it does not say what it checked");
	if (evidence_text(ctx, "dbcheck.txt", result.out, "what samba-tool dbcheck found") < 0 ||
	    pd_output(ctx, "objects", pd_format(ctx, "%" PRId64, objects)) < 0 ||
	    pd_output(ctx, "errors", pd_format(ctx, "%" PRId64, errors)) < 0)
		return PD_FAILED;
	if (errors > args->errors)
		return pd_fail(ctx, PD_FAILED, "the database of the directory has %" PRId64 " errors, %" PRId64 " are allowed: "
			       "see dbcheck.txt; 'samba-tool dbcheck --cross-ncs --fix' asks about each", errors, args->errors);
	return pd_remember(ctx, "passed", "1") < 0 ? PD_FAILED : PD_CHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct dbcheck_args, errors, PD_T_INT, .def = "0", .min = 0, .max = INT64_C(1000000000),
		 .help = "so many errors are allowed, such as those that there were before"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("objects", PD_T_INT, "how many objects were looked at"),
	PD_OUTPUT("errors", PD_T_INT, "how many errors were found"),
	PD_OUTPUT_END
};

const struct pd_step directory_dbcheck = {
	PD_STEP, .name = "dbcheck", .help = "look through the database of the directory for errors, and mend nothing",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct dbcheck_args), .outputs = outputs, .time_limit = 14400, .expected = 10,
	.check = dbcheck_check, .apply = dbcheck_apply, .verify = probe_verify
};
