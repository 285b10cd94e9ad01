/* SPDX-License-Identifier: MIT */
/* The step antivirus.update: definitions as new as the vendor has them. */
#include "antivirus.h"
#include "../shared/process.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct args {
	struct pd_list command;
	const char *definitions;
	int64_t max_age, timeout;
};

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_here(struct pd_ctx *ctx, const char *program)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (access(pd_format(ctx, "%s/%s", folders[i], program), X_OK) == 0)
			return true;
	return false;
}

static int64_t age(const struct definitions *d)
{
	int64_t seconds = (int64_t)time(NULL) - d->newest;

	return seconds > 0 ? seconds : 0;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	struct definitions now;

	if (args->command.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "command is empty: name the program that updates the "
			       "definitions");
	if (!is_here(ctx, args->command.items[0]))
		return pd_fail(ctx, PD_REFUSED, "there is no program %s on this server: install it, or "
			       "name the scanner's own with command", args->command.items[0]);
	if (definitions_look(ctx, args->definitions, &now) < 0 ||
	    pd_output(ctx, "before", now.version) < 0)
		return PD_FAILED;
	if (ctx->dry_run && now.newest)
		pd_log(ctx, PD_LOG_INFO, "the newest definitions are %" PRId64 " h old", age(&now) / 3600);
	return pd_recall(ctx, "updated") ? PD_UNCHANGED : PD_CHANGED;
}

static int in_the_way(struct pd_ctx *ctx, const char *pid, const char *name, void *user)
{
	(void)user;
	return pd_fail(ctx, PD_FAILED, "%s runs as process %s and would get in the way: put this step "
		       "inside of antivirus.hold, or stop it", name, pid);
}

static int run(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const char **argv = pd_alloc_for(ctx, (args->command.len + 1) * sizeof(*argv));
	struct pd_command command = { .size = sizeof(command), .flags = PD_RUN_LOG, .argv = argv,
				      .time_limit = args->timeout };
	struct pd_command_result r = { 0 };
	const char *program = base(args->command.items[0]), *said, *end;

	for (size_t i = 0; i < args->command.len; i++)
		argv[i] = args->command.items[i];
	if (process_each(ctx, &(struct pd_list){ 1, &program }, in_the_way, NULL) < 0 ||
	    pd_command_run(ctx, &command, &r) < 0)
		return PD_FAILED;
	if (r.status == 0)
		return 0;
	said = *r.err ? r.err : r.out;
	end = said + strlen(said);
	while (end > said && end[-1] == '\n')
		end--;
	return pd_fail(ctx, PD_FAILED, "%s ended with status %d: %.*s", argv[0], r.status,
		       (int)(end - said), said);
}

static int tell(struct pd_ctx *ctx, const struct definitions *before, const struct definitions *after)
{
	const char *path = pd_format(ctx, "%s/definitions.txt", ctx->work_dir);
	const char *text = pd_format(ctx, "before\n%s\nafter\n%s", before->table, after->table);

	return pd_output(ctx, "before", before->version) < 0 ||
	       pd_output(ctx, "after", after->version) < 0 ||
	       pd_output(ctx, "age", pd_format(ctx, "%" PRId64, age(after))) < 0 ||
	       pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ||
	       pd_evidence(ctx, path, "Definitions before and after") < 0 ? PD_FAILED : 0;
}

/* Is what is there new enough?  The program's word alone proves nothing. */
static int judge(struct pd_ctx *ctx, const struct definitions *d)
{
	const struct args *args = ctx->args;

	if (!d->newest)
		return pd_fail(ctx, PD_FAILED, "there are no definitions in %s", args->definitions);
	if (age(d) <= args->max_age)
		return 0;
	return pd_fail(ctx, PD_FAILED, "the newest definitions in %s are %" PRId64 " h old, %" PRId64
		       " h are allowed (max_age): see where %s gets them from", args->definitions,
		       age(d) / 3600, args->max_age / 3600, args->command.items[0]);
}

static int apply(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	struct definitions before, after;

	if (pd_recall(ctx, "updated"))
		return PD_UNCHANGED;
	if (definitions_save(ctx, args->definitions) < 0 ||
	    definitions_look(ctx, pd_format(ctx, "%s/definitions", ctx->work_dir), &before) < 0 ||
	    run(ctx) < 0 || definitions_look(ctx, args->definitions, &after) < 0 ||
	    tell(ctx, &before, &after) < 0 || judge(ctx, &after) < 0)
		return PD_FAILED;
	return pd_remember(ctx, "updated", "1") < 0 ? PD_FAILED : PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	struct definitions now;

	return definitions_look(ctx, args->definitions, &now) < 0 || judge(ctx, &now) < 0 ?
	       PD_FAILED : PD_UNCHANGED;
}

static int undo(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	int r = definitions_restore(ctx, args->definitions);

	return r < 0 || pd_remember(ctx, "updated", NULL) < 0 ? PD_FAILED : r;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, command, PD_T_LIST, .def = "freshclam",
		 .help = "program that updates the definitions, and its arguments"),
	PD_PARAM(struct args, definitions, PD_T_PATH, .def = "/var/lib/clamav",
		 .help = "folder with the definitions"),
	PD_PARAM(struct args, max_age, PD_T_SECONDS, .def = "7d", .min = 60, .max = 31536000,
		 .help = "how old the newest definitions may be after that"),
	PD_PARAM(struct args, timeout, PD_T_SECONDS, .def = "10m", .min = 1, .max = 3000,
		 .help = "how long the program may take"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("before", PD_T_STRING, "definitions as they were: names and versions"),
	PD_OUTPUT("after", PD_T_STRING, "definitions as they are now"),
	PD_OUTPUT("age", PD_T_SECONDS, "age of the newest ones"),
	PD_OUTPUT_END
};

const struct pd_step antivirus_update = {
	PD_STEP, .name = "update", .help = "update the scanner's definitions and prove that they are new",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .expected = 60,
	.check = check, .apply = apply, .verify = verify, .undo = undo
};
