/* SPDX-License-Identifier: MIT */
/* command - a step in any language: runs a program that speaks JSON lines. */
#include "command.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *phase_name(const struct pd_ctx *ctx)
{
	switch (ctx->phase) {
	case PD_PHASE_APPLY:
		return "apply";
	case PD_PHASE_VERIFY:
		return "verify";
	case PD_PHASE_UNDO:
		return "undo";
	default:
		return "check";
	}
}

/* "key=value" items as an object; NULL with a bad one reported. */
static json_t *parameters(struct pd_ctx *ctx, const struct pd_list *list)
{
	json_t *object = json_object();

	for (size_t i = 0; i < list->len; i++) {
		const char *item = list->items[i];
		const char *equals = strchr(item, '=');

		if (!equals || equals == item ||
		    json_object_getn(object, item, (size_t)(equals - item))) {
			pd_fail(ctx, PD_BAD_ARGS, "parameters: \"%s\" must be "
				"key=value, each key once", item);
			json_decref(object);
			return NULL;
		}
		json_object_setn_new(object, item, (size_t)(equals - item),
				     json_string(equals + 1));
	}
	return object;
}

static json_t *remembered(struct pd_ctx *ctx)
{
	const char *text = pd_recall(ctx, "remembered");
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;

	return object ? object : json_object();
}

static int make_request(struct pd_ctx *ctx, struct command_talk *talk)
{
	const struct command_args *a = ctx->args;
	json_t *given = parameters(ctx, &a->parameters);
	json_t *request = NULL;
	char *text = NULL;

	if (!given)
		return PD_BAD_ARGS;
	request = json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:o, s:s?, s:O}",
			    "api", COMMAND_API, "phase", talk->phase, "server",
			    ctx->server, "run", ctx->run, "step", ctx->step,
			    "dry_run", (int)ctx->dry_run, "parameters", given,
			    "work_dir", ctx->work_dir, "remembered",
			    talk->remembered);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (!text)
		return pd_fail(ctx, PD_BAD_ARGS, "the parameters can't be "
			       "written as JSON; are they UTF-8?");
	command_send(talk, text, strlen(text));
	command_send(talk, "\n", 1);
	free(text);
	return 0;
}

static int make_environment(struct pd_ctx *ctx, struct command_talk *talk)
{
	const struct command_args *a = ctx->args;
	const char **env = NULL;
	size_t n = 0;

	while (environ[n])
		n++;
	env = pd_alloc_for(ctx, (n + a->environment.len + 4) * sizeof(*env));
	memcpy(env, environ, n * sizeof(*env));
	env[n++] = pd_format(ctx, "PATCHDAY_API=%d", COMMAND_API);
	env[n++] = pd_format(ctx, "PATCHDAY_PHASE=%s", talk->phase);
	env[n++] = pd_format(ctx, "PATCHDAY_WORK_DIR=%s",
			     ctx->work_dir ? ctx->work_dir : "");
	for (size_t i = 0; i < a->environment.len; i++) {
		const char *item = a->environment.items[i];
		const char *equals = strchr(item, '=');

		if (!equals || equals == item)
			return pd_fail(ctx, PD_BAD_ARGS, "environment: \"%s\" "
				       "must be NAME=value", item);
		env[n++] = item;
	}
	talk->env = (char *const *)(uintptr_t)env;
	return 0;
}

static int make_argv(struct pd_ctx *ctx, struct command_talk *talk)
{
	const struct command_args *a = ctx->args;
	const char **argv = NULL;
	const char *why = NULL;

	if (a->argv.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "argv is empty");
	if (a->reversible && a->readonly)
		return pd_fail(ctx, PD_BAD_ARGS, "a program that is readonly "
			       "has nothing to undo; leave out reversible");
	why = program_unfit(ctx, a->argv.items[0]);
	if (why)
		return pd_fail(ctx, ctx->phase == PD_PHASE_CHECK ? PD_REFUSED :
			       PD_FAILED, "the program must not be run: %s",
			       why);
	argv = pd_alloc_for(ctx, (a->argv.len + 1) * sizeof(*argv));
	memcpy(argv, a->argv.items, a->argv.len * sizeof(*argv));
	talk->argv = argv;
	return 0;
}

/* What the exit status and the result say must be the same. */
static int judge(struct pd_ctx *ctx, struct command_talk *talk, int status)
{
	const char *program = talk->argv[0];
	const char *end = NULL;

	if (status >= 0 && WIFSIGNALED(status))
		end = pd_format(ctx, "was ended by signal %d",
				WTERMSIG(status));
	else if (status >= 0)
		end = pd_format(ctx, "ended with status %d",
				WEXITSTATUS(status));
	if (talk->broken)
		return pd_fail(ctx, talk->broken_result, "%s: %s", program,
			       talk->broken);
	if (!talk->answered)
		return pd_fail(ctx, PD_FAILED, "%s %s without a result line%s%s",
			       program, end, *talk->last ? ": " : "",
			       talk->last);
	if (WIFSIGNALED(status) ||
	    (talk->result >= 0 && WEXITSTATUS(status) != 0))
		return pd_fail(ctx, PD_FAILED, "%s gave a result and %s: a "
			       "contradiction, so it counts as failed",
			       program, end);
	if (talk->inhibited && talk->result != PD_REFUSED)
		return pd_fail(ctx, PD_FAILED, "%s wrote an inhibit line and "
			       "another result than \"refused\"", program);
	if (talk->result < 0)
		return pd_fail(ctx, talk->result, "%s: %s", program,
			       talk->message);
	if (talk->message)
		pd_log(ctx, PD_LOG_INFO, "%s", talk->message);
	return talk->result;
}

static int give_outputs(struct pd_ctx *ctx, const struct command_talk *talk)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach(talk->outputs, key, value)
		if (pd_output_item(ctx, "values",
				   pd_format(ctx, "%s=%s", key,
					     json_string_value(value))) < 0)
			return PD_FAILED;
	return 0;
}

static int run_program(struct pd_ctx *ctx)
{
	const struct command_args *a = ctx->args;
	struct command_talk talk = {
		.ctx = ctx, .phase = phase_name(ctx), .timeout = a->timeout,
		.in = -1, .out = -1, .err = -1
	};
	int done = make_argv(ctx, &talk);

	if (done < 0)
		return done;
	talk.remembered = remembered(ctx);
	talk.outputs = json_object();
	done = make_request(ctx, &talk);
	if (done == 0)
		done = make_environment(ctx, &talk);
	if (done == 0)
		done = judge(ctx, &talk, command_talk(&talk));
	if (done >= 0 && give_outputs(ctx, &talk) < 0)
		done = PD_FAILED;
	json_decref(talk.remembered);
	json_decref(talk.outputs);
	return done;
}

static int run_check(struct pd_ctx *ctx)
{
	const struct command_args *a = ctx->args;

	if (!a->reversible && !a->readonly)
		pd_irreversible(ctx, "the program does not promise to undo "
				"what it does (reversible = true)");
	return run_program(ctx);
}

static int run_undo(struct pd_ctx *ctx)
{
	const struct command_args *a = ctx->args;

	if (a->readonly)
		return PD_UNCHANGED;
	if (!a->reversible)
		return pd_fail(ctx, PD_FAILED, "%s does not promise to undo "
			       "what it does; put it right by hand",
			       a->argv.len ? a->argv.items[0] : "the program");
	return run_program(ctx);
}

static const struct pd_param run_params[] = {
	PD_PARAM(struct command_args, argv, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "absolute path of the program, and its arguments"),
	PD_PARAM(struct command_args, parameters, PD_T_LIST,
		 .help = "key=value pairs that the program is given"),
	PD_PARAM(struct command_args, environment, PD_T_LIST,
		 .help = "NAME=value pairs added to its environment"),
	PD_PARAM(struct command_args, timeout, PD_T_SECONDS,
		 .help = "end it after so long; 0: after the step's limit"),
	PD_PARAM(struct command_args, reversible, PD_T_BOOL,
		 .help = "the program undoes what it did when asked to"),
	PD_PARAM(struct command_args, readonly, PD_T_BOOL,
		 .help = "the program leaves nothing behind to be undone"),
	PD_PARAM_END
};

static const struct pd_output run_outputs[] = {
	PD_OUTPUT("values", PD_T_LIST, "key=value pairs that the program gave"),
	PD_OUTPUT_END
};

static const struct pd_step run_step = {
	PD_STEP, .name = "run",
	.help = "run a program that speaks the command protocol",
	.params = run_params, .args_size = sizeof(struct command_args),
	.outputs = run_outputs,
	.check = run_check, .apply = run_program, .verify = run_program,
	.undo = run_undo, .reversibility = PD_REVERSIBLE,
	.time_limit = 3600, .grace = 10, .expected = 10, .retries = 2
};

static const struct pd_step *const steps[] = { &run_step, NULL };

PD_PLUGIN(.name = "command", .version = "1.0",
	  .help = "steps in any language", .steps = steps);
