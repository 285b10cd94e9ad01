/* SPDX-License-Identifier: MIT */
/* command - any other product, asked by a program of the server's own that
 * answers in JSON: which backup is the newest, and of what time. */
#include "normalbackup.h"
#include "../command/program.h"

#include <inttypes.h>
#include <string.h>

struct args {
	struct pd_list ask, proof;
	const struct pd_secret *password;
	int64_t age;
};

static const char *source(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	return args->ask.items[0];
}

/* With one more word, if there is one.  @return 0, or below zero, reported. */
static int run(struct pd_ctx *ctx, const struct pd_list *words, const char *last, const char *what,
	       struct pd_command_result *r)
{
	const struct args *args = ctx->args;
	const char **argv = pd_alloc_for(ctx, (words->len + 2) * sizeof(*argv));
	const struct pd_command command = { .size = sizeof(command), .argv = argv,
					    .input_secret = args->password, .output_max = OUTPUT_MAX };
	const char *why = program_unfit(ctx, words->items[0]);

	if (why)
		return against(ctx, pd_format(ctx, "what tells of the backups must not be run: %s", why),
			       "name a program in a folder that is root's alone");
	memcpy(argv, words->items, words->len * sizeof(*argv));
	argv[words->len] = last;
	return ask(ctx, &command, 0, what, r);
}

/* Seconds since 1970, or RFC 3339. */
static bool time_of(struct pd_ctx *ctx, const json_t *backup, int64_t *when)
{
	const json_t *given = json_object_get(backup, "time");

	if (!json_is_integer(given))
		return pd_parse(ctx, PD_T_TIME, member(backup, "time"), when);
	*when = json_integer_value(given);
	return true;
}

/* The newest of what it tells; 0, or below zero, reported. */
static int newest(struct pd_ctx *ctx, const json_t *all, struct found *out)
{
	size_t n = json_is_array(all) ? json_array_size(all) : json_object_size(all) > 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *b = json_is_array(all) ? json_array_get(all, i) : all;
		const char *id = member(b, "id"), *what = member(b, "what");
		int64_t when = 0;

		if (!*id || !time_of(ctx, b, &when))
			return pd_fail(ctx, PD_FAILED, "%s tells of a backup without \"id\" or without \"time\", "
				       "which is RFC 3339 or seconds since 1970 (see the manual of normalbackup)",
				       source(ctx));
		if (!out->id || when > out->when)
			*out = (struct found){ .id = pd_format(ctx, "%s", id), .when = when,
					       .what = pd_format(ctx, "%s", *what ? what : id),
					       .has = pd_format(ctx, "%s", member(b, "has")) };
	}
	return out->id ? 0 : against(ctx, pd_format(ctx, "%s tells of no backup", source(ctx)),
				     "let the backup run; see what the same command prints");
}

static int find(struct pd_ctx *ctx, struct found *out)
{
	const struct args *args = ctx->args;
	struct pd_command_result r = { 0 };
	json_error_t error;
	json_t *all;
	int result = run(ctx, &args->ask, NULL, source(ctx), &r);

	if (result < 0)
		return result;
	all = json_loadb(r.out, r.out_len, 0, &error);
	result = all ? newest(ctx, all, out) :
		       pd_fail(ctx, PD_FAILED, "%s answers with what is no JSON (line %d: %s)", source(ctx),
			       error.line, error.text);
	json_decref(all);
	return result;
}

static int prove(struct pd_ctx *ctx, const struct found *found, const char **how)
{
	const struct args *args = ctx->args;
	struct pd_command_result r = { 0 };

	*how = pd_format(ctx, "nothing was read back; %s says that it is there", source(ctx));
	if (!args->proof.len)
		return 0;
	*how = pd_format(ctx, "%s has read it back", args->proof.items[0]);
	return run(ctx, &args->proof, found->id, pd_format(ctx, "%s can't be read back", found->what), &r);
}

static int with(struct pd_ctx *ctx, product_fn *work)
{
	const struct args *args = ctx->args;

	if (!args->ask.len)
		return pd_fail(ctx, PD_BAD_ARGS, "ask is empty: name the program that tells of the backups");
	return work(ctx, &(struct product){ find, prove, source(ctx), args->age });
}

static int check(struct pd_ctx *ctx) { return with(ctx, product_check); }
static int apply(struct pd_ctx *ctx) { return with(ctx, product_apply); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, ask, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "program with its arguments that tells of the backups, in JSON"),
	PD_PARAM(struct args, proof, PD_T_LIST,
		 .help = "program with its arguments that reads the backup back, whose id is its last argument; "
			 "left out: nothing is read back"),
	PD_PARAM(struct args, password, PD_T_SECRET, .help = "what both get on standard input"),
	PARAM_AGE(struct args),
	PD_PARAM_END
};

const struct pd_step command_step = {
	PD_STEP, .name = "command",
	.help = "the newest backup of any other product is recent; a program reads it back if one is named",
	.reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = product_outputs,
	.check = check, .apply = apply, .verify = product_verify,
	.time_limit = 6 * 3600, .expected = 300
};
