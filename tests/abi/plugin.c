/* SPDX-License-Identifier: MIT */
/* A plugin that uses most of ABI 1.0; valid as C11, C17 and C++17.  Built
 * with each frozen header, and loaded by tests/cli/abi.sh. */
#include <patchday/plugin.h>

#include <string.h>

static const char *const modes[] = { "first", "second", NULL };

struct args {
	bool flag;
	int32_t mode;
	int64_t number, bytes, seconds;
	const char *text, *path;
	struct pd_list items;
	const struct pd_secret *secret;
	const struct pd_updates *updates;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, flag, PD_T_BOOL, .help = "a flag", .def = "true"),
	PD_PARAM(struct args, mode, PD_T_CHOICE, .help = "a mode", .def = "second",
		 .choices = modes),
	PD_PARAM(struct args, number, PD_T_INT, .help = "a number", .def = "3", .min = 1,
		 .max = 9),
	PD_PARAM(struct args, bytes, PD_T_BYTES, .help = "a size", .def = "4k"),
	PD_PARAM(struct args, seconds, PD_T_SECONDS, .help = "a duration", .def = "2m"),
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "a text"),
	PD_PARAM(struct args, path, PD_T_PATH, .help = "a path", .def = "/etc"),
	PD_PARAM(struct args, items, PD_T_LIST, .help = "a list", .def = "a,b,c"),
	PD_PARAM(struct args, secret, PD_T_SECRET, .help = "a secret"),
	PD_PARAM(struct args, updates, PD_T_UPDATES, .help = "a selection"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("summary", PD_T_STRING, "all arguments in one line"),
	PD_OUTPUT("said", PD_T_LIST, "what the command said"),
	PD_OUTPUT_END
};

static void heard(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	int *bad = (int *)user;

	*bad += stream != 1 || pd_output_item(ctx, "said", line) < 0;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = (const struct args *)ctx->args;
	const char *text = pd_format(ctx, "%d %d %d %d %d %s %s %d %s", a->flag, (int)a->mode,
				     (int)a->number, (int)a->bytes, (int)a->seconds, a->text,
				     a->path, (int)a->items.len, a->items.items[2]);

	pd_expect(ctx, 2);
	if (pd_output(ctx, "summary", text) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int apply(struct pd_ctx *ctx)
{
	const struct args *a = (const struct args *)ctx->args;
	const char *const argv[] = { "echo", a->text, NULL };
	struct pd_command_result result;
	struct pd_command command;
	struct pd_update update;
	int bad = 0;

	memset(&command, 0, sizeof(command));
	command.size = sizeof(command);
	command.argv = argv;
	command.line = heard;
	command.user = &bad;
	if (pd_update_at(ctx, a->updates, 0, &update))
		return pd_fail(ctx, PD_FAILED, "there is an update %s", update.id);
	if (pd_secret(ctx, a->secret, NULL))
		return pd_fail(ctx, PD_FAILED, "there is a secret");
	if (pd_remember(ctx, "text", a->text) < 0 ||
	    pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	if (bad || result.status != 0)
		return pd_fail(ctx, PD_FAILED, "echo: %d %d %s", bad, result.status, result.err);
	pd_progress(ctx, 1, 1, NULL);
	return PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct args *a = (const struct args *)ctx->args;
	const char *text = pd_recall(ctx, "text");

	if (!text || strcmp(text, a->text) != 0)
		return pd_fail(ctx, PD_FAILED, "'%s' is remembered", text ? text : "nothing");
	return PD_UNCHANGED;
}

static int undo(struct pd_ctx *ctx)
{
	pd_log(ctx, PD_LOG_INFO, "undone: %s", pd_recall(ctx, "text"));
	return PD_CHANGED;
}

static const struct pd_step step = {
	PD_STEP, .flags = 0, .name = "step", .help = "use most of the ABI", .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .check = check, .apply = apply,
	.verify = verify, .undo = undo, .reversibility = PD_REVERSIBLE, .time_limit = 60
};

static int scan(struct pd_ctx *ctx)
{
	const struct pd_fact_field row[] = { PD_TEXT("name", "a thing"), PD_NUMBER("count", 2),
					     PD_FLAG("good", 1) };

	return pd_fact(ctx, "x-thing", row, sizeof(row) / sizeof(*row)) < 0 ? PD_FAILED : 0;
}

static const char *const kinds[] = { "x-thing", NULL };
static const struct pd_scanner scanner = {
	PD_SCANNER, .flags = 0, .name = "things", .help = "find things", .kinds = kinds,
	.scan = scan
};

static int read_catalog(struct pd_ctx *ctx)
{
	struct pd_update_head head;
	struct pd_package_row package;

#if PD_ABI_MINOR >= 2
	int order = 0;

	if (!pd_compare_versions(ctx, PD_SCHEME_RPM, "1.0~rc1-1", "1.0-1", &order) || order >= 0 ||
	    !pd_compare_versions(ctx, PD_SCHEME_QUAD, "0x01020304", "1.2.3.4", &order) || order != 0 ||
	    pd_compare_versions(ctx, PD_SCHEME_NONE, "1", "2", &order) ||
	    pd_compare_versions(ctx, PD_SCHEME_HEX, "1 2", "1", &order) ||
	    pd_compare_versions(ctx, PD_SCHEME_DEB, NULL, "1", &order) || order != 0)
		return pd_fail(ctx, PD_FAILED, "versions compare wrong: %d", order);
#endif
	memset(&head, 0, sizeof(head));
	head.size = sizeof(head);
	head.id = "one";
	head.severity = PD_SEVERITY_CRITICAL;
	memset(&package, 0, sizeof(package));
	package.size = sizeof(package);
	package.name = "a";
	package.version = "1.0";
	if (pd_update_begin(ctx, &head) < 0 || pd_update_package(ctx, &package) < 0 ||
	    pd_update_end(ctx) < 0)
		return PD_FAILED;
	return 0;
}

static const struct pd_reader reader = {
	PD_READER, .flags = PD_R_SERVER, .name = "updates", .help = "give one update",
	.recognize = NULL, .read = read_catalog
};

static const struct pd_step *const steps[] = { &step, NULL };
static const struct pd_reader *const readers[] = { &reader, NULL };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = PLUGIN_NAME, .version = "1.0", .help = "built with a frozen header",
	  .steps = steps, .readers = readers, .scanners = scanners);
