/* SPDX-License-Identifier: MIT */
/* The step notify.wall: a message on the terminal of everybody who is logged in. */
#include "notify.h"

#include <string.h>
#include <utmpx.h>

struct args {
	const char *text;
};

/* Those whom wall(1) writes to, by the same list. */
static int told(struct pd_ctx *ctx, const char **all)
{
	const struct utmpx *u;
	int r = 0;

	setutxent();
	while (r == 0 && (u = getutxent())) {
		const char *who;

		if (u->ut_type != USER_PROCESS || !*u->ut_user || *u->ut_line == ':')
			continue;
		who = pd_format(ctx, "%.*s (%.*s)", (int)sizeof(u->ut_user), u->ut_user,
				(int)sizeof(u->ut_line), u->ut_line);
		*all = pd_format(ctx, "%s%s\n", *all, who);
		r = pd_output_item(ctx, "told", who);
	}
	endutxent();
	return r;
}

static int check(struct pd_ctx *ctx)
{
	const char *all = "";

	return told(ctx, &all) < 0 ? PD_FAILED : notify_due(ctx);
}

static int send_it(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = ctx->args;
	const char *argv[] = { "wall", NULL }, *all = "";
	const char *text = pd_format(ctx, "%s\n", args->text);
	const struct pd_command command = { .size = sizeof(command), .argv = argv, .input = text,
					    .input_len = strlen(text), .time_limit = 60 };
	struct pd_command_result result;
	int r = told(ctx, &all);

	(void)key;
	if (r == 0)
		r = pd_command_run(ctx, &command, &result);
	if (r == 0 && result.status != 0)
		r = pd_fail(ctx, PD_FAILED, "wall ended with status %d: %.500s", result.status,
			    result.err);
	if (r == 0 && !notify_evidence(ctx, "wall.txt", pd_format(ctx, "%s\n%s", all, text),
				       "Who was told, and what"))
		r = PD_FAILED;
	return r;
}

static int apply(struct pd_ctx *ctx) { return notify_once(ctx, send_it); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "the message"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("told", PD_T_LIST, "who was logged in on a terminal, such as \"alice (pts/0)\""),
	PD_OUTPUT_END
};

const struct pd_step wall_step = {
	PD_STEP, .name = "wall", .help = "write a message to every terminal", .flags = PD_S_NEEDS_ROOT,
	.reversibility = PD_READONLY, .params = params, .args_size = sizeof(struct args),
	.outputs = outputs, .check = check, .apply = apply, .verify = notify_was_sent
};
