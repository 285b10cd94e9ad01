/* SPDX-License-Identifier: MIT */
/* Bacula - what its director has on record, asked with bconsole(8); the
 * password of the console is in bconsole's own configuration. */
#include "normalbackup.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct args {
	const char *client, *job, *config, *verify_job;
	int64_t age;
};

/* A job, as `llist jobs` tells of it. */
struct job {
	int64_t id, ended;
	const char *name, *client, *status, *type, *level, *files, *bytes;
};

static const char *source(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	return pd_format(ctx, "Bacula's jobs of client %s", args->client);
}

static int bconsole(struct pd_ctx *ctx, const char *commands, struct pd_command_result *r)
{
	const struct args *args = ctx->args;
	const char *const argv[] = { "bconsole", "-n", "-c", args->config, NULL };
	const struct pd_command command = { .size = sizeof(command), .argv = argv, .input = commands,
					    .input_len = strlen(commands), .output_max = OUTPUT_MAX };

	return ask(ctx, &command, 0, source(ctx), r);
}

/* The value of "      JobId: 17" in a block of lines; "": there is none. */
static const char *value(struct pd_ctx *ctx, const char *block, const char *end, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = block; p < end; p += strcspn(p, "\n") + 1) {
		p += strspn(p, " ");
		if (strncmp(p, name, n) == 0 && strncmp(p + n, ": ", 2) == 0)
			return pd_format(ctx, "%.*s", (int)strcspn(p + n + 2, "\r\n"), p + n + 2);
	}
	return "";
}

/* Some versions write 1,795,896,733. */
static int64_t number(const char *text)
{
	int64_t n = 0;

	for (; isdigit((unsigned char)*text) || *text == ','; text++)
		if (*text != ',' && n < INT64_MAX / 100)
			n = 10 * n + (*text - '0');
	return n;
}

static struct job job_of(struct pd_ctx *ctx, const char *p, const char *end)
{
	return (struct job){
		.id = number(value(ctx, p, end, "JobId")), .ended = number(value(ctx, p, end, "JobTDate")),
		.name = value(ctx, p, end, "Name"), .client = value(ctx, p, end, "ClientName"),
		.status = value(ctx, p, end, "JobStatus"), .type = value(ctx, p, end, "Type"),
		.level = value(ctx, p, end, "Level"), .files = value(ctx, p, end, "JobFiles"),
		.bytes = value(ctx, p, end, "JobBytes")
	};
}

/* One that is at work, or waits, is no backup yet. */
static bool has_ended(const struct job *job)
{
	return *job->status && strchr("TWEefAI", *job->status);
}

/* The last backup that has ended, well or not; .id 0: none.  A client that the
 * director doesn't know is no error to it: it takes another one. */
static struct job last_of(struct pd_ctx *ctx, const char *text)
{
	const struct args *args = ctx->args;
	struct job last = { 0 };

	while (*text) {
		const char *end = strstr(text, "\n\n");
		struct job job;

		end = end ? end + 2 : text + strlen(text);
		job = job_of(ctx, text, end);
		text = end;
		if (job.id && strcmp(job.type, "B") == 0 && strcmp(job.client, args->client) == 0 &&
		    (!args->job || strcmp(job.name, args->job) == 0) && has_ended(&job) &&
		    job.ended >= last.ended)
			last = job;
	}
	return last;
}

static bool is_plain(const char *word)
{
	for (; word && *word; word++)
		if (*word == '"' || *word == '\\' || iscntrl((unsigned char)*word))
			return false;
	return true;
}

static bool went_well(const struct job *job)
{
	return strcmp(job->status, "T") == 0 || strcmp(job->status, "W") == 0;
}

static int find(struct pd_ctx *ctx, struct found *out)
{
	const struct args *args = ctx->args;
	struct pd_command_result r = { 0 };
	struct job job;
	int result;

	if (!is_plain(args->client) || !is_plain(args->job) || !is_plain(args->verify_job))
		return pd_fail(ctx, PD_BAD_ARGS, "client, job and verify_job must be names as Bacula has them");
	result = bconsole(ctx, pd_format(ctx, "llist jobs client=\"%s\"\n", args->client), &r);
	if (result < 0)
		return result;
	job = last_of(ctx, r.out);
	if (!job.id)
		return against(ctx, pd_format(ctx, "the director has no backup of client %s%s%s on record",
					      args->client, args->job ? " by job " : "",
					      args->job ? args->job : ""),
			       "let the backup run; see 'list jobs' in bconsole for what is there");
	*out = (struct found){
		.id = pd_format(ctx, "%" PRId64, job.id), .when = job.ended,
		.what = pd_format(ctx, "job %" PRId64 " %s, level %s", job.id, job.name, job.level),
		.has = pd_format(ctx, "%s files, %s bytes", job.files, job.bytes)
	};
	return went_well(&job) ? 0 :
	       against(ctx, pd_format(ctx, "the last backup of client %s, %s, has failed: its status is %s",
				      args->client, out->what, job.status),
		       pd_format(ctx, "see 'list joblog jobid=%" PRId64 "' in bconsole, and let it run again",
				 job.id));
}

/* Its own Verify job reads the volume. */
static int prove(struct pd_ctx *ctx, const struct found *found, const char **how)
{
	const struct args *args = ctx->args;
	struct pd_command_result r = { 0 };
	const char *queued;
	struct job job;
	int result;

	*how = "nothing was read back; the director says that it went well";
	if (!args->verify_job)
		return 0;
	result = bconsole(ctx, pd_format(ctx, "run job=\"%s\" jobid=%s yes\n", args->verify_job, found->id), &r);
	if (result < 0)
		return result;
	queued = strstr(r.out, "Job queued. JobId=");
	if (!queued)
		return pd_fail(ctx, PD_FAILED, "the director does not start the job %s: %s", args->verify_job,
			       r.out);
	queued = pd_format(ctx, "%" PRId64, number(strchr(queued, '=') + 1));
	result = bconsole(ctx, pd_format(ctx, "wait jobid=%s\nllist jobid=%s\n", queued, queued), &r);
	if (result < 0)
		return result;
	job = job_of(ctx, r.out, r.out + r.out_len);
	*how = pd_format(ctx, "job %s %s has read it back", queued, args->verify_job);
	return went_well(&job) && strcmp(job.type, "V") == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "job %s %s, which reads %s back, has type '%s' and ended with status '%s'; "
		       "see 'list joblog jobid=%s' in bconsole", queued, args->verify_job, found->what,
		       job.type, job.status, queued);
}

static int with(struct pd_ctx *ctx, product_fn *work)
{
	const struct args *args = ctx->args;

	return work(ctx, &(struct product){ find, prove, source(ctx), args->age });
}

static int check(struct pd_ctx *ctx) { return with(ctx, product_check); }
static int apply(struct pd_ctx *ctx) { return with(ctx, product_apply); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, client, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "this server, as Bacula calls it, such as \"files-fd\""),
	PD_PARAM(struct args, job, PD_T_STRING, .help = "the job that makes the backup; left out: any"),
	PD_PARAM(struct args, verify_job, PD_T_STRING,
		 .help = "job of type Verify that reads it back; left out: nothing is read back"),
	PD_PARAM(struct args, config, PD_T_PATH, .def = "/etc/bacula/bconsole.conf",
		 .help = "configuration of bconsole"),
	PARAM_AGE(struct args),
	PD_PARAM_END
};

const struct pd_step bacula_step = {
	PD_STEP, .name = "bacula",
	.help = "the last backup of Bacula went well and is recent; a Verify job reads it back if one is named",
	.reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = product_outputs,
	.check = check, .apply = apply, .verify = product_verify,
	.time_limit = 6 * 3600, .expected = 300
};
