/* SPDX-License-Identifier: MIT */
/* Plugin eventlog: exports, clears, compares and collects event logs. */
#include "eventlog.h"
#include "../shared/store.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Kept free beside what an archive may need. */
#define SPARE_BYTES ((int64_t)16 << 20)
#define LIST_MAX ((size_t)64 << 20)

static const char *number(struct pd_ctx *ctx, int64_t value)
{
	return pd_format(ctx, "%" PRId64, value);
}

/* ------------------------------------------------------------------ export */

static int64_t needed(struct pd_ctx *ctx, const struct export_args *args)
{
	int64_t journal = journal_usage(ctx);
	int64_t bytes = args->clear ? 2 * journal : journal;

	for (size_t i = 0; i < args->logs.len; i++)
		bytes += logs_size(ctx, args->logs.items[i]);
	return bytes + SPARE_BYTES;
}

/* The first place with enough room; NULL: none, told as an inhibitor. */
static const char *choose_place(struct pd_ctx *ctx, const struct export_args *args)
{
	int64_t need = needed(ctx, args);
	const char *tried = "";

	for (size_t i = args->to ? 0 : 1; i <= args->places.len; i++) {
		const char *place = i == 0 ? args->to : args->places.items[i - 1];
		const char *fault = store_fault(ctx, place);
		int64_t room = store_room(place);

		if (!fault && room >= need)
			return place;
		if (!fault)
			fault = pd_format(ctx, "%s has %" PRId64 " MiB free", place, room >> 20);
		tried = pd_format(ctx, "%s%s%s", tried, *tried ? ", " : "", fault);
	}
	pd_inhibit(ctx, "the event logs could not be saved before they are cleared",
		   pd_format(ctx, "%s; the export may need %" PRId64 " MiB", tried,
			     need >> 20),
		   "make room there, or add a folder on a volume with room to the "
		   "parameter places");
	return NULL;
}

static int export_check(struct pd_ctx *ctx)
{
	const struct export_args *args = ctx->args;
	const char *place = NULL;
	const char *path = NULL;

	if (store_check_name(ctx, args->name) < 0 ||
	    bundle_check_paths(ctx, &args->places, "places") < 0 ||
	    bundle_check_paths(ctx, &args->logs, "logs") < 0)
		return PD_BAD_ARGS;
	if (!args->to && args->places.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "give the parameter to or places: where "
			       "the event logs are to be saved");
	place = pd_recall(ctx, "archive") ? "" : choose_place(ctx, args);
	if (!place)
		return PD_REFUSED;
	path = bundle_place(ctx, place, args->name, BUNDLE_ZSTD);
	pd_expect(ctx, 2 + needed(ctx, args) / ((int64_t)20 << 20));
	if (path && pd_output(ctx, "archive", path) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int save_journal(struct pd_ctx *ctx, struct bundle *b, const char *after,
			int64_t last, struct journal_info *info)
{
	sd_journal *j = journal_open(ctx);
	int status = 0;

	if (!j)
		return PD_FAILED;
	if (after)
		status = journal_seek_after(ctx, j, after);
	else if (last > 0)
		sd_journal_seek_realtime_usec(j, (uint64_t)(time(NULL) - last) * 1000000);
	else
		sd_journal_seek_head(j);
	if (status == 0)
		status = journal_export(b, j, info);
	sd_journal_close(j);
	return status;
}

/* What clearing may touch is fixed before the archive is called finished. */
static int write_lists(struct pd_ctx *ctx, const struct bundle_text *texts,
		       const struct bundle_text *journals)
{
	if (pd_write_file(ctx, pd_format(ctx, "%s/texts", ctx->work_dir), 0600,
			  texts->data ? texts->data : "", texts->len) < 0 ||
	    pd_write_file(ctx, pd_format(ctx, "%s/journals", ctx->work_dir), 0600,
			  journals->data ? journals->data : "", journals->len) < 0)
		return PD_FAILED;
	return 0;
}

static int fill_export(struct pd_ctx *ctx, struct bundle *b, struct bundle_text *texts,
		       struct bundle_text *journals, struct journal_info *info)
{
	const struct export_args *args = ctx->args;
	int status = 0;

	if (args->clear) {
		status = journal_rotate(ctx);
		if (status == 0)
			status = journal_add_files(b, journals);
	}
	if (status == 0)
		status = save_journal(ctx, b, NULL, 0, info);
	for (size_t i = 0; i < args->logs.len && status == 0; i++)
		status = logs_add(b, args->logs.items[i], &args->keep, texts);
	if (status == 0)
		status = bundle_finish(b);
	return status == 0 ? write_lists(ctx, texts, journals) : status;
}

static int export_archive(struct pd_ctx *ctx, const char *path)
{
	const struct export_args *args = ctx->args;
	struct bundle_text texts = { 0 };
	struct bundle_text journals = { 0 };
	struct journal_info info = { 0 };
	struct bundle b = { .fd = -1 };
	int status = bundle_create(&b, ctx, path, BUNDLE_ZSTD);

	b.total = needed(ctx, args);
	if (status == 0)
		status = fill_export(ctx, &b, &texts, &journals, &info);
	if (status == 0 &&
	    (pd_remember(ctx, "cursor", info.cursor) < 0 ||
	     pd_remember(ctx, "entries", number(ctx, info.entries)) < 0 ||
	     pd_remember(ctx, "bytes", number(ctx, b.written)) < 0 ||
	     pd_remember(ctx, "exported", b.sha256) < 0))
		status = PD_FAILED;
	bundle_free(&b);
	bundle_text_free(&texts);
	bundle_text_free(&journals);
	return status;
}

static const char *read_list(struct pd_ctx *ctx, const char *name)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, name);
	const char *list = pd_read_file(ctx, path, LIST_MAX, NULL);

	if (!list)
		pd_fail(ctx, PD_FAILED, "can't read %s, the list of what was exported: "
			"%s", path, strerror(errno));
	return list;
}

/* Nothing is taken away before the archive has been read back. */
static int clear_exported(struct pd_ctx *ctx, const char *archive)
{
	const char *texts = read_list(ctx, "texts");
	const char *journals = read_list(ctx, "journals");
	struct bundle_report report = { 0 };
	int64_t left = 0;
	int status = 0;

	if (!texts || !journals)
		return PD_FAILED;
	status = bundle_verify(ctx, archive, pd_recall(ctx, "exported"), &report);
	if (status == 0)
		status = pd_remember(ctx, "clearing", "1");
	if (status == 0)
		status = journal_remove_files(ctx, journals);
	if (status == 0)
		status = logs_clear(ctx, texts, archive, &left);
	return status == 0 ? pd_remember(ctx, "left", number(ctx, left)) : status;
}

static int export_apply(struct pd_ctx *ctx)
{
	const struct export_args *args = ctx->args;
	const char *path = pd_recall(ctx, "archive");
	const char *place = path ? "" : choose_place(ctx, args);
	int status = 0;

	if (!place)
		return pd_fail(ctx, PD_FAILED, "no place has room for the event logs");
	path = bundle_place(ctx, place, args->name, BUNDLE_ZSTD);
	if (pd_remember(ctx, "archive", path) < 0)
		return PD_FAILED;
	if (!pd_recall(ctx, "exported"))
		status = export_archive(ctx, path);
	if (status == 0 && args->clear)
		status = clear_exported(ctx, path);
	if (status < 0)
		return status;
	if (pd_output(ctx, "archive", path) < 0 ||
	    pd_output(ctx, "cursor", pd_recall(ctx, "cursor")) < 0 ||
	    pd_output(ctx, "entries", pd_recall(ctx, "entries")) < 0 ||
	    pd_output(ctx, "bytes", pd_recall(ctx, "bytes")) < 0 ||
	    pd_evidence(ctx, path, "event logs before the change") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int export_verify(struct pd_ctx *ctx)
{
	const struct export_args *args = ctx->args;
	const char *path = pd_recall(ctx, "archive");
	const char *left = pd_recall(ctx, "left");
	struct bundle_report report = { 0 };
	const char *texts = NULL;
	int64_t now = 0;
	int status = 0;

	if (!path || !pd_recall(ctx, "exported"))
		return pd_fail(ctx, PD_FAILED, "no event logs were exported in this run");
	status = bundle_verify(ctx, path, pd_recall(ctx, "exported"), &report);
	if (status < 0 || !args->clear)
		return status;
	texts = read_list(ctx, "texts");
	if (!texts)
		return PD_FAILED;
	now = logs_uncleared(ctx, texts, path);
	if (!left || strcmp(number(ctx, now), left) != 0)
		return pd_fail(ctx, PD_FAILED, "%" PRId64 " logs still hold what was "
			       "exported, expected were %s", now, left ? left : "none");
	return PD_UNCHANGED;
}

static int export_undo(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "archive");
	const char *texts = NULL;
	const char *journals = NULL;
	int status = 0;

	if (!path || !pd_recall(ctx, "clearing"))
		return PD_UNCHANGED; /* the archive is kept, and nothing was cleared */
	texts = read_list(ctx, "texts");
	journals = read_list(ctx, "journals");
	if (!texts || !journals)
		return PD_FAILED;
	status = logs_undo(ctx, texts, journals, path);
	return status < 0 ? status : PD_CHANGED;
}

/* ----------------------------------------------------------------- collect */

static int collect_check(struct pd_ctx *ctx)
{
	const struct collect_args *args = ctx->args;
	int64_t room = store_room(args->to);
	int64_t need = journal_usage(ctx) + SPARE_BYTES;
	const char *path = NULL;

	if (store_check_name(ctx, args->name) < 0 ||
	    bundle_check_paths(ctx, &args->logs, "logs") < 0)
		return PD_BAD_ARGS;
	if (store_can_take(ctx, args->to, "the logs of the installation could not be collected") < 0)
		return PD_REFUSED;
	path = bundle_place(ctx, args->to, args->name, BUNDLE_ZSTD);
	for (size_t i = 0; i < args->logs.len; i++)
		need += logs_size(ctx, args->logs.items[i]);
	if (path && pd_output(ctx, "archive", path) < 0)
		return PD_FAILED;
	if (room >= need)
		return PD_CHANGED;
	pd_inhibit(ctx, "the logs of the installation could not be collected",
		   pd_format(ctx, "%s has %" PRId64 " MiB free, %" PRId64 " MiB may be "
			     "needed", args->to, room >> 20, need >> 20),
		   "make room there, or set the parameter to to a folder on a volume "
		   "with room");
	return PD_REFUSED;
}

static int collect_logs(struct pd_ctx *ctx, struct bundle *b, struct journal_info *info)
{
	const struct collect_args *args = ctx->args;
	const struct pd_list none = { 0 };
	const char *cursor = NULL;
	int status = 0;

	if (args->before)
		status = export_cursor(ctx, args->before, &cursor);
	if (status == 0)
		status = save_journal(ctx, b, cursor, args->last, info);
	for (size_t i = 0; i < args->logs.len && status == 0; i++)
		status = logs_add(b, args->logs.items[i], &none, NULL);
	return status == 0 ? bundle_finish(b) : status;
}

static int collect_apply(struct pd_ctx *ctx)
{
	const struct collect_args *args = ctx->args;
	const char *path = bundle_place(ctx, args->to, args->name, BUNDLE_ZSTD);
	struct journal_info info = { 0 };
	struct bundle b = { .fd = -1 };
	int status = pd_remember(ctx, "archive", path);

	if (status == 0)
		status = bundle_create(&b, ctx, path, BUNDLE_ZSTD);
	if (status == 0)
		status = collect_logs(ctx, &b, &info);
	if (status == 0 &&
	    (pd_remember(ctx, "sha256", b.sha256) < 0 ||
	     pd_output(ctx, "archive", path) < 0 ||
	     pd_output(ctx, "entries", number(ctx, info.entries)) < 0 ||
	     pd_output(ctx, "bytes", number(ctx, b.written)) < 0 ||
	     pd_evidence(ctx, path, "logs of the installation") < 0))
		status = PD_FAILED;
	bundle_free(&b);
	return status < 0 ? status : PD_CHANGED;
}

static int collect_verify(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "archive");
	const char *sha256 = pd_recall(ctx, "sha256");
	struct bundle_report report = { 0 };

	if (!path || !sha256)
		return pd_fail(ctx, PD_FAILED, "no logs were collected in this run");
	return bundle_verify(ctx, path, sha256, &report);
}

/* ------------------------------------------------------------ declarations */

static const struct pd_param export_params[] = {
	PD_PARAM(struct export_args, to, PD_T_PATH,
		 .help = "folder for the archive; each run gets a folder in it"),
	PD_PARAM(struct export_args, places, PD_T_LIST,
		 .help = "folders to choose from: the first with enough room, after to"),
	PD_PARAM(struct export_args, name, PD_T_STRING, .def = "eventlog",
		 .help = "name of the archive, without its ending"),
	PD_PARAM(struct export_args, logs, PD_T_LIST, .def = "/var/log",
		 .help = "files and folders of text logs"),
	PD_PARAM(struct export_args, keep, PD_T_LIST,
		 .help = "patterns of logs that are exported but never cleared"),
	PD_PARAM(struct export_args, clear, PD_T_BOOL, .def = "false",
		 .help = "clear what was exported"),
	PD_PARAM_END
};

static const struct pd_output export_outputs[] = {
	PD_OUTPUT("archive", PD_T_PATH, "the exported event logs"),
	PD_OUTPUT("cursor", PD_T_STRING, "place of the last exported journal entry"),
	PD_OUTPUT("entries", PD_T_INT, "journal entries exported"),
	PD_OUTPUT("bytes", PD_T_BYTES, "size of the archive"),
	PD_OUTPUT_END
};

static const struct pd_step export_step = {
	PD_STEP, .name = "export", .help = "save the event logs, and clear them if asked",
	.params = export_params, .args_size = sizeof(struct export_args),
	.outputs = export_outputs, .flags = PD_S_NEEDS_ROOT,
	.check = export_check, .apply = export_apply,
	.verify = export_verify, .undo = export_undo,
	.reversibility = PD_REVERSIBLE, .expected = 10
};

static const char *const since_choices[] = { "export", "boot", NULL };
static const char *const fail_choices[] = { "none", "critical", "error", "warning", NULL };

static const struct pd_param compare_params[] = {
	PD_PARAM(struct compare_args, before, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "archive of eventlog.export from before the change"),
	PD_PARAM(struct compare_args, also, PD_T_LIST,
		 .help = "more archives whose messages count as known"),
	PD_PARAM(struct compare_args, since, PD_T_CHOICE, .def = "export",
		 .choices = since_choices,
		 .help = "what is looked at: all since the export, or this boot"),
	PD_PARAM(struct compare_args, fail_on, PD_T_CHOICE, .def = "error",
		 .choices = fail_choices,
		 .help = "lowest level of new messages that fails the step"),
	PD_PARAM(struct compare_args, ignore, PD_T_LIST,
		 .help = "extended regular expressions, matched with UNIT: MESSAGE"),
	PD_PARAM(struct compare_args, defaults, PD_T_BOOL, .def = "true",
		 .help = "also ignore what every healthy server says when it boots"),
	PD_PARAM_END
};

static const struct pd_output compare_outputs[] = {
	PD_OUTPUT("new_errors", PD_T_INT, "different new messages of the level or worse"),
	PD_OUTPUT("report", PD_T_PATH, "the new messages as text"),
	PD_OUTPUT_END
};

static const struct pd_step compare_step = {
	PD_STEP, .name = "compare", .help = "find error messages that are new",
	.params = compare_params, .args_size = sizeof(struct compare_args),
	.outputs = compare_outputs, .flags = PD_S_NEEDS_ROOT,
	.check = compare_check, .apply = compare_apply, .verify = compare_verify,
	.reversibility = PD_READONLY, .expected = 5
};

static const struct pd_param collect_params[] = {
	PD_PARAM(struct collect_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the archive; each run gets a folder in it"),
	PD_PARAM(struct collect_args, name, PD_T_STRING, .def = "installation-logs",
		 .help = "name of the archive, without its ending"),
	PD_PARAM(struct collect_args, logs, PD_T_LIST,
		 .def = "/var/log/apt,/var/log/dpkg.log,/var/log/unattended-upgrades,"
			"/var/log/alternatives.log,/var/log/dnf.log,/var/log/dnf.rpm.log",
		 .help = "logs to collect; what is not there is passed over"),
	PD_PARAM(struct collect_args, before, PD_T_PATH,
		 .help = "archive of eventlog.export: collect the journal since then"),
	PD_PARAM(struct collect_args, last, PD_T_SECONDS, .def = "1d", .min = 1,
		 .max = INT64_MAX / 1000000,
		 .help = "without before: how far back the journal is collected"),
	PD_PARAM_END
};

static const struct pd_output collect_outputs[] = {
	PD_OUTPUT("archive", PD_T_PATH, "the collected logs"),
	PD_OUTPUT("entries", PD_T_INT, "journal entries in it"),
	PD_OUTPUT("bytes", PD_T_BYTES, "size of the archive"),
	PD_OUTPUT_END
};

static const struct pd_step collect_step = {
	PD_STEP, .name = "collect", .help = "collect the logs of an installation",
	.params = collect_params, .args_size = sizeof(struct collect_args),
	.outputs = collect_outputs, .flags = PD_S_NEEDS_ROOT,
	.check = collect_check, .apply = collect_apply, .verify = collect_verify,
	.reversibility = PD_READONLY, .expected = 5
};

static const struct pd_step *const steps[] = { &export_step, &compare_step,
					       &collect_step, NULL };
static const struct pd_scanner *const scanners[] = { &errors_scanner, NULL };

PD_PLUGIN(.name = "eventlog", .version = "1.0",
	  .help = "event logs: export, clear, compare, collect", .steps = steps,
	  .scanners = scanners);
