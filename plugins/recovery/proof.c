/* SPDX-License-Identifier: MIT */
/* The steps recovery.recent and recovery.medium: a medium that is there already. */
#include "recovery.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CLOCKS_DIFFER 300 /* seconds that the clock of who made it may be ahead */

/* ------------------------------------------------------------- recent */

struct recent_args {
	const char *path;
	int64_t age, percent;
	const struct pd_secret *passphrase;
};

/* nftw(3) hands nothing on */
static char *newest;
static time_t newest_time;

static int look(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	size_t len = strlen(path);

	(void)walk;
	if (kind == FTW_F && S_ISREG(st->st_mode) && len > 4 && strcmp(path + len - 4, ".iso") == 0 &&
	    (!newest || st->st_mtime > newest_time)) {
		free(newest);
		newest = strdup(path);
		newest_time = st->st_mtime;
	}
	return 0;
}

static int find(struct pd_ctx *ctx, const char **out)
{
	const struct recent_args *args = ctx->args;

	if (nftw(args->path, look, 16, FTW_PHYS) != 0)
		return against(ctx, pd_format(ctx, "%s, where the media are, can't be looked through: %s",
					      args->path, strerror(errno)), "mount it, or name the right folder");
	if (!newest)
		return against(ctx, pd_format(ctx, "there is no medium for recovery below %s", args->path),
			       "have one made by recovery.backup, or by 'rear mkbackup'");
	*out = pd_format(ctx, "%s", newest);
	return 0;
}

static int young_enough(struct pd_ctx *ctx, const struct medium *m, int64_t allowed)
{
	int64_t age = (int64_t)time(NULL) - m->made;

	if (age > allowed)
		return against(ctx, pd_format(ctx, "the newest medium, %s, is %s old (%s), and only %s are allowed",
					      m->path, span(ctx, age), time_text(ctx, m->made), span(ctx, allowed)),
			       "have a new one made by recovery.backup, or raise the parameter age");
	return age >= -CLOCKS_DIFFER ? 0 :
	       against(ctx, pd_format(ctx, "the newest medium, %s, is of the future (%s)", m->path,
				      time_text(ctx, m->made)), "set this server's clock right");
}

static int recent_read(struct pd_ctx *ctx, struct medium *m)
{
	const struct recent_args *args = ctx->args;
	const char *path = NULL;
	int r = rear_there(ctx);

	if (r == 0)
		r = find(ctx, &path);
	if (r == 0)
		r = medium_read(ctx, path, m);
	if (r == 0)
		r = medium_mine(ctx, m);
	if (r == 0)
		r = young_enough(ctx, m, args->age);
	return r == 0 ? rear_compare(ctx, m) : r;
}

static int outputs(struct pd_ctx *ctx, const struct medium *m)
{
	return pd_output(ctx, "medium", m->path) < 0 ||
	       pd_output(ctx, "time", time_text(ctx, m->made)) < 0 ? PD_FAILED : 0;
}

static int predicted(struct pd_ctx *ctx, const struct medium *m)
{
	const char *proved = pd_recall(ctx, "proved");

	if (outputs(ctx, m) < 0)
		return PD_FAILED;
	return proved && strcmp(proved, m->path) == 0 ? PD_UNCHANGED : PD_CHANGED;
}

static int recent_check(struct pd_ctx *ctx)
{
	struct medium m = { .path = "" };
	int r = recent_read(ctx, &m);

	return r < 0 ? r : predicted(ctx, &m);
}

/* A medium alone is no backup: who made it with an archive beside has to have it. */
static int recent_apply(struct pd_ctx *ctx)
{
	const struct recent_args *args = ctx->args;
	struct archive_report report = { 0 };
	const char *archive, *kind;
	struct medium m = { .path = "" };
	int r = recent_read(ctx, &m);

	if (r < 0)
		return r;
	archive = archive_beside(ctx, pd_format(ctx, "%.*s", (int)(strrchr(m.path, '/') - m.path), m.path));
	kind = m.record ? line_value(ctx, m.record, "kind") : NULL;
	if (!archive && kind && strcmp(kind, "mkbackup") == 0)
		return pd_fail(ctx, PD_FAILED, "beside %s lies no archive of files; have a new one made by "
			       "recovery.backup", m.path);
	if (archive)
		r = archive_check(ctx, archive, args->percent, args->passphrase, &report);
	else
		pd_log(ctx, PD_LOG_INFO, "no archive of files lies beside %s", m.path);
	if (r < 0 || tell(ctx, &m, archive, &report) < 0 || pd_remember(ctx, "proved", m.path) < 0)
		return r < 0 ? r : PD_FAILED;
	return outputs(ctx, &m) < 0 ? PD_FAILED : PD_CHANGED;
}

/* The work is the proof. */
static int proof_verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "proved") ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "no medium for recovery was proved");
}

static const struct pd_param recent_params[] = {
	PD_PARAM(struct recent_args, path, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder with media at any depth, of which the newest counts"),
	PD_PARAM(struct recent_args, age, PD_T_SECONDS, .def = "30d", .min = 1, .max = INT64_C(10) * 366 * 86400,
		 .help = "how old it may be"),
	PARAM_PERCENT(struct recent_args),
	PARAM_PASSPHRASE(struct recent_args),
	PD_PARAM_END
};

static const struct pd_output proof_outputs[] = {
	PD_OUTPUT("medium", PD_T_PATH, "the medium: a file or a device"),
	PD_OUTPUT("time", PD_T_STRING, "when it was made, RFC 3339"),
	PD_OUTPUT_END
};

const struct pd_step recent_step = {
	PD_STEP, .name = "recent", .help = "a recent medium for recovery describes this server, and can be read",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = recent_params,
	.args_size = sizeof(struct recent_args), .outputs = proof_outputs,
	.check = recent_check, .apply = recent_apply, .verify = proof_verify,
	.time_limit = 6 * 3600, .expected = 120
};

/* ------------------------------------------------------------- medium */

struct medium_args {
	const char *path, *label;
	int64_t age;
};

static int by_label(struct pd_ctx *ctx, const char *label, const char **out)
{
	const char *const argv[] = { "blkid", "-c", "/dev/null", "-o", "device", "-t",
				     pd_format(ctx, "LABEL=%s", label), NULL };
	struct pd_command_result r = { 0 };
	size_t len;

	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	len = strcspn(r.out, "\n");
	if (len == 0)
		return against(ctx, pd_format(ctx, "no medium with the label %s is in this server", label),
			       "put it in; rear's have the label RELAXRECOVER, sticks REAR-000");
	if (r.out[len] && r.out[len + 1])
		return against(ctx, pd_format(ctx, "more than one medium has the label %s", label),
			       "take out those that are not meant");
	*out = pd_format(ctx, "%.*s", (int)len, r.out);
	return 0;
}

static int medium_confirm(struct pd_ctx *ctx, struct medium *m)
{
	const struct medium_args *args = ctx->args;
	const char *path = args->path;
	int r = 0;

	if (!path == !args->label)
		return pd_fail(ctx, PD_BAD_ARGS, "either path or label is needed");
	if (args->label)
		r = by_label(ctx, args->label, &path);
	if (r == 0)
		r = stick_is_one(path) ? stick_confirm(ctx, path, m) : medium_read(ctx, path, m);
	if (r == 0)
		r = medium_mine(ctx, m);
	return r == 0 && args->age ? young_enough(ctx, m, args->age) : r;
}

static int medium_check(struct pd_ctx *ctx)
{
	struct medium m = { .path = "" };
	int r = medium_confirm(ctx, &m);

	return r < 0 ? r : predicted(ctx, &m);
}

static int medium_apply(struct pd_ctx *ctx)
{
	struct medium m = { .path = "" };
	int r = medium_confirm(ctx, &m);

	if (r < 0)
		return r;
	if (tell(ctx, &m, NULL, NULL) < 0 || pd_remember(ctx, "proved", m.path) < 0 || outputs(ctx, &m) < 0)
		return PD_FAILED;
	if (m.loader && pd_evidence(ctx, pd_format(ctx, "%s/" STICK_DIGESTS, ctx->work_dir), "Digests of what is on the stick") < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%s of %s can be booted, and is this server's", m.path, time_text(ctx, m.made));
	return PD_CHANGED;
}

static const struct pd_param medium_params[] = {
	PD_PARAM(struct medium_args, path, PD_T_PATH,
		 .help = "the medium: a device, of a stick that rear has made its partition, or the file of an image"),
	PD_PARAM(struct medium_args, label, PD_T_STRING,
		 .help = "label of the device that it is on, normally RELAXRECOVER, of a stick REAR-000"),
	PD_PARAM(struct medium_args, age, PD_T_SECONDS, .min = 1, .max = INT64_C(10) * 366 * 86400,
		 .help = "how old it may be; left out: as old as it is"),
	PD_PARAM_END
};

const struct pd_step medium_step = {
	PD_STEP, .name = "medium", .help = "a boot medium for recovery is at hand: it can be booted, and is this server's",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = medium_params,
	.args_size = sizeof(struct medium_args), .outputs = proof_outputs,
	.check = medium_check, .apply = medium_apply, .verify = proof_verify,
	.time_limit = 3600, .expected = 30
};
