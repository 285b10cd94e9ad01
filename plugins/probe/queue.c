/* SPDX-License-Identifier: MIT */
/* Step probe.queue: does the queue of the mail server go down again? */
#include "probe.h"

#include <string.h>

struct queue_args {
	int64_t before;
	int64_t more;
	int64_t timeout;
};

static const struct pd_param params[] = {
	PD_PARAM(struct queue_args, before, PD_T_INT, .def = "-1", .min = -1, .max = INT32_MAX,
		 .help = "messages that it had before; -1: they are only counted"),
	PD_PARAM(struct queue_args, more, PD_T_INT, .def = "0", .min = 0, .max = INT32_MAX,
		 .help = "so many more are no fault"),
	PROBE_TIMEOUT(queue_args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PROBE_MILLISECONDS,
	PD_OUTPUT("messages", PD_T_INT, "how many messages the queue has"),
	PD_OUTPUT_END
};

struct queue {
	const struct queue_args *args;
	int64_t messages;
	char reason[256]; /* why one of them is deferred */
};

/* A message, as postqueue -j writes it: { "queue_name": "deferred", ... } */
static void on_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	static const char key[] = "\"delay_reason\": \"";
	struct queue *queue = user;
	const char *reason = strstr(line, key);

	(void)ctx;
	if (stream != 1 || *line != '{')
		return;
	queue->messages++;
	if (reason && !*queue->reason) {
		size_t n = strcspn(reason += sizeof(key) - 1, "\"");

		n = n < sizeof(queue->reason) ? n : sizeof(queue->reason) - 1;
		memcpy(queue->reason, reason, n);
	}
}

static enum outcome attempt(struct probe *probe, void *user)
{
	static const char *const argv[] = { "postqueue", "-j", NULL };
	struct queue *queue = user;
	const struct queue_args *args = queue->args;
	struct pd_command command = { .size = sizeof(command), .argv = argv, .output_max = 4096,
				      .time_limit = probe_left(probe), .line = on_line,
				      .user = queue };
	struct pd_command_result r = { 0 };

	*queue = (struct queue){ .args = args };
	if (pd_command_run(probe->ctx, &command, &r))
		return probe_why(probe, NEVER, "postqueue did not end in time");
	if (r.status != 0)
		return probe_why(probe, NOT_YET, "postqueue ended with %d: %.400s", r.status, r.err);
	probe_note(probe, "%lld messages in the queue", (long long)queue->messages);
	if (pd_output(probe->ctx, "messages", pd_format(probe->ctx, "%lld",
							(long long)queue->messages)))
		return probe_why(probe, NEVER, "no output");
	if (args->before < 0 || queue->messages <= args->before + args->more)
		return PASSED;
	return probe_why(probe, NOT_YET, "the queue has %lld messages, before it had %lld; "
			 "postqueue -p tells why%s%s", (long long)queue->messages,
			 (long long)args->before, *queue->reason ? ", such as: " : "",
			 queue->reason);
}

static int check(struct pd_ctx *ctx)
{
	return probe_tool(ctx, "postqueue", "install postfix, or leave this test out");
}

static int apply(struct pd_ctx *ctx)
{
	struct queue queue = { .args = ctx->args };

	return probe_run(ctx, queue.args->timeout, attempt, &queue);
}

const struct pd_step step_queue = {
	PD_STEP,
	.name = "queue",
	.help = "count the messages in the queue of Postfix, and wait until they are no more than before",
	.params = params,
	.args_size = sizeof(struct queue_args),
	.outputs = outputs,
	.check = check,
	.apply = apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
};
