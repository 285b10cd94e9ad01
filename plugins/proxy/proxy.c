/* SPDX-License-Identifier: MIT */
/* Plugin proxy: save the configuration of squid; restore.c brings it back,
 * health.c proves that squid is well. */
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONFIG "/etc/squid/squid.conf"

static int take(struct pd_ctx *ctx, const char *folder)
{
	return proxy_take_with(ctx, folder, &(struct saved_set){ 0 });
}

int proxy_take_with(struct pd_ctx *ctx, const char *folder, const struct saved_set *also)
{
	struct texts files = { 0 };
	struct saved s = { 0 };
	int rc = squid_files(ctx, &files);

	files_of_set(ctx, also, &files);
	if (rc == 0)
		rc = saved_open(&s, ctx, folder);
	if (rc == 0)
		rc = files_save(&s, &files);
	if (rc == 0)
		rc = saved_close(&s);
	if (s.manifest)
		fclose(s.manifest);
	return rc;
}

/* What is not saved is said, and goes into the evidence. */
static int tell_left_out(struct pd_ctx *ctx, const struct texts *left, bool evidence)
{
	const char *path = pd_format(ctx, "%s/left-out.txt", evidence ? ctx->work_dir : "");
	FILE *f = NULL;
	bool written = true;

	for (size_t i = 0; i < left->len; i++)
		pd_log(ctx, PD_LOG_INFO, "not saved: %s", left->item[i]);
	if (texts_output(ctx, "left_out", left))
		return PD_FAILED;
	if (!evidence || left->len == 0)
		return 0;
	f = fopen(path, "we");
	for (size_t i = 0; f && i < left->len; i++)
		written = fprintf(f, "%s\n", left->item[i]) > 0 && written;
	if (!f || fclose(f) != 0 || !written)
		return pd_fail(ctx, PD_FAILED, "%s can't be written: %s", path, strerror(errno));
	return pd_evidence(ctx, path, "files of squid that were not saved") < 0 ? PD_FAILED : 0;
}

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the copy is, for proxy.restore and proxy.verify"),
	PD_OUTPUT("files", PD_T_INT, "how many files are in it"),
	PD_OUTPUT("left_out", PD_T_LIST, "files that are not, and why: symbolic links, and what is in a folder that is not root's alone"),
	PD_OUTPUT_END
};

static int save_check(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	struct squid squid = { 0 };

	if (!squid_is_here()) {
		pd_log(ctx, PD_LOG_WARN, "squid is not installed here: nothing to save");
		return save_outputs(ctx, NULL, "files", 0) ? PD_FAILED : PD_UNCHANGED;
	}
	if (squid_ask(ctx, &squid))
		return PD_FAILED;
	if (squid.problem) {
		pd_inhibit(ctx, "squid would not start any more",
			   pd_format(ctx, "squid refuses its configuration: %s", squid.problem),
			   "mend it until squid -k parse accepts it");
		return PD_REFUSED;
	}
	if (save_places(ctx, args, "the configuration of squid") < 0)
		return PD_REFUSED;
	return tell_left_out(ctx, &squid.left_out, false) ||
	       save_outputs(ctx, saved_name(ctx, args->to, "proxy.save"), "files",
			    (int64_t)squid.files.len) ? PD_FAILED : PD_CHANGED;
}

static int save_apply(struct pd_ctx *ctx)
{
	struct saved_set set = { 0 };
	struct squid squid = { 0 };
	int rc = 0;
	const char *folder = save_set(ctx, "proxy.save", take, SAVED_MANIFEST,
				      "files of squid", &rc);

	if (!folder)
		return rc;
	return squid_ask(ctx, &squid) || tell_left_out(ctx, &squid.left_out, true) ||
	       saved_read(ctx, folder, &set) ||
	       save_outputs(ctx, folder, "files", (int64_t)set.len) ? PD_FAILED : PD_CHANGED;
}

static int save_verify(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder"), *problem = NULL;
	struct saved_set set = { 0 };

	if (!folder)
		return !squid_is_here() ? PD_UNCHANGED :
		       pd_fail(ctx, PD_FAILED, "no files of squid were saved");
	if (saved_read(ctx, folder, &set))
		return PD_FAILED;
	if (!saved_find(&set, SET_FILES CONFIG))
		return pd_fail(ctx, PD_FAILED, "%s lacks " CONFIG, folder);
	if (squid_parse(ctx, pd_format(ctx, "%s/" SET_FILES CONFIG, folder), &problem))
		return PD_FAILED;
	if (problem)
		return pd_fail(ctx, PD_FAILED, "squid refuses the copy of " CONFIG " in %s: %s",
			       folder, problem);
	return saved_second(ctx, folder, args->copy) ||
	       save_outputs(ctx, folder, "files", (int64_t)set.len) ? PD_FAILED : PD_UNCHANGED;
}

static const struct pd_step step_save = {
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "save",
	.help = "save squid's configuration, its lists and certificates",
	.params = save_params, .args_size = sizeof(struct save_args), .outputs = outputs,
	.check = save_check, .apply = save_apply, .verify = save_verify,
	.reversibility = PD_READONLY, .time_limit = 600
};

static const struct pd_step *const steps[] = { &step_save, &step_restore, &step_verify, NULL };

PD_PLUGIN(.name = "proxy", .version = "1.0",
	  .help = "save, restore and prove the web proxy squid", .steps = steps);
