/* SPDX-License-Identifier: MIT */
/* The steps recovery.stick and recovery.rescue_stick: rear makes a stick with a label, which is read back.  Each run has a
 * folder of its own on it: what older runs have made there is not touched. */
#include "stick.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LABEL_SIGNS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* rear's own names: /rear/SERVER/SUFFIX. */
static struct rear_job job_of(struct pd_ctx *ctx, const char *workflow)
{
	const struct stick_args *args = ctx->args;
	const char *run = *ctx->run ? ctx->run : "run";

	return (struct rear_job){
		.workflow = workflow, .label = args->label, .url = pd_format(ctx, "usb://" BY_LABEL "%s", args->label),
		.prefix = run, .folder = pd_format(ctx, "/rear/%s/%s", short_name(ctx), run),
		.temp = pd_format(ctx, "%s/rear", ctx->work_dir ? ctx->work_dir : "/var/tmp"),
		.limit = args->limit, .passphrase = args->passphrase
	};
}

/* --------------------------------------------------------------- check */

static int plain(struct pd_ctx *ctx)
{
	const char *label = stick_arguments(ctx)->label, *format = stick_arguments(ctx)->format;

	if (!*label || strlen(label) > STICK_LABEL_MAX || label[strspn(label, LABEL_SIGNS)])
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no label for a stick: up to %d letters, digits and ._- are possible",
			       label, STICK_LABEL_MAX);
	if (format && (strncmp(format, "/dev/", 5) != 0 || format[strspn(format, URL_SIGNS)]))
		return pd_fail(ctx, PD_BAD_ARGS, "format is no device: '%s'", format);
	return 0;
}

/* In a dry run without a run its folder is unknown. */
static int outputs(struct pd_ctx *ctx, const struct rear_job *job)
{
	return pd_output(ctx, "medium", pd_format(ctx, BY_LABEL "%s", job->label)) < 0 ||
	       (*ctx->run && pd_output(ctx, "folder", job->folder) < 0) ? PD_FAILED : 0;
}

/* The stick as it is. */
static int look(struct pd_ctx *ctx, const struct rear_job *job)
{
	struct objection why = { 0 };
	struct device d;
	int r = stick_open(ctx, &d, true);
	bool fits;

	if (r < 0)
		return r;
	fits = stick_content_fits(ctx, &d, job, &why);
	r = stick_close(ctx, &d, 0);
	return r < 0 || fits ? r : against(ctx, why.cause, why.remedy);
}

static int check(struct pd_ctx *ctx, const char *workflow)
{
	struct rear_job job = job_of(ctx, workflow);
	int r = plain(ctx);

	if (r == 0)
		r = outputs(ctx, &job);
	if (r == 0 && pd_recall(ctx, "made"))
		return PD_UNCHANGED;
	if (r == 0)
		r = rear_there(ctx);
	if (r == 0 && access("/sys/firmware/efi", F_OK) == 0)
		r = against(ctx, "this server is booted by UEFI, and undo can't take back what rear writes on a stick for that",
			    "use recovery.backup: its image is booted by UEFI, too, also from a stick that it was written to whole");
	if (r == 0)
		r = stick_to_be_made(ctx);
	if (r >= 0)
		r = r ? stick_empty_fits(ctx, &job) : look(ctx, &job);
	if (r == 0)
		r = rear_takes(ctx, &job);
	return r < 0 ? r : PD_CHANGED;
}

/* --------------------------------------------------------------- apply */

/* Whatever a call before has left half; then what rear changes is saved. */
static int prepare(struct pd_ctx *ctx, const struct rear_job *job)
{
	struct objection why = { 0 };
	struct device d;
	int r = stick_open(ctx, &d, false);

	if (r < 0)
		return r;
	if (pd_recall(ctx, "before"))
		r = stick_put_back(ctx, &d, job->folder);
	if (r == 0 && !stick_content_fits(ctx, &d, job, &why))
		r = against(ctx, why.cause, why.remedy);
	if (r == 0 && access(pd_format(ctx, STICK "%s", job->folder), F_OK) == 0)
		r = pd_fail(ctx, PD_FAILED, "%s has a folder of this run already, which was not made here: %s", d.path, job->folder);
	if (r == 0 && pd_remember(ctx, "stick", d.uuid) < 0)
		r = PD_FAILED;
	if (r == 0 && !pd_recall(ctx, "before"))
		r = stick_save(ctx, &d);
	return stick_close(ctx, &d, r);
}

static int settle(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *folder = pd_format(ctx, STICK "%s", job->folder);
	struct device d;
	int r = stick_open(ctx, &d, false);

	if (r < 0)
		return r;
	if (access(folder, F_OK) < 0)
		r = pd_fail(ctx, PD_FAILED, "rear says that all went well, but %s has no %s", d.path, job->folder);
	else if (with_archive(job) && !archive_beside(ctx, folder))
		r = pd_fail(ctx, PD_FAILED, "rear says that all went well, but there is no archive of files in %s of %s",
			    job->folder, d.path);
	if (r == 0)
		r = hide_folder(ctx, folder);
	if (r == 0)
		r = stick_list(ctx, &d, job->folder);
	if (r == 0)
		r = stick_leave_list(ctx, job->folder);
	return stick_close(ctx, &d, r);
}

/* Half a backup is none, and takes the room of the next one. */
static int take_away(struct pd_ctx *ctx, const struct rear_job *job)
{
	struct device d;
	int r = stick_open(ctx, &d, false);

	return r < 0 ? r : stick_close(ctx, &d, stick_put_back(ctx, &d, job->folder));
}

static int apply(struct pd_ctx *ctx, const char *workflow)
{
	struct rear_job job = job_of(ctx, workflow);
	int r;

	if (pd_recall(ctx, "made"))
		return outputs(ctx, &job) < 0 ? PD_FAILED : PD_UNCHANGED;
	r = stick_make_anew(ctx, &job);
	if (r == 0)
		r = prepare(ctx, &job);
	if (r < 0)
		return r;
	r = rear_run(ctx, &job);
	if (r == 0)
		r = settle(ctx, &job);
	if (r < 0 && take_away(ctx, &job) < 0)
		pd_log(ctx, PD_LOG_WARN, "what rear has made half on the stick stays there until the next try, or undo");
	if (remove_folder(ctx, job.temp) < 0 || r < 0)
		return r < 0 ? r : PD_FAILED;
	return pd_remember(ctx, "made", job.folder) < 0 || outputs(ctx, &job) < 0 ? PD_FAILED : PD_CHANGED;
}

/* -------------------------------------------------------------- verify */

static int read_back(struct pd_ctx *ctx, const struct device *d, const struct rear_job *job, struct medium *m,
		     const char **archive, struct archive_report *report)
{
	int r = stick_compare(ctx, d, NULL, NULL);

	if (r == 0)
		r = stick_read(ctx, d, job->folder, m);
	if (r == 0)
		r = medium_mine(ctx, m);
	*archive = with_archive(job) ? archive_beside(ctx, pd_format(ctx, STICK "%s", job->folder)) : NULL;
	if (r == 0 && *archive)
		r = archive_check(ctx, *archive, stick_arguments(ctx)->percent, job->passphrase, report);
	return r;
}

static int prove(struct pd_ctx *ctx, const struct rear_job *job)
{
	struct archive_report report = { 0 };
	const char *archive = NULL;
	struct medium m = { 0 };
	struct device d;
	int r = stick_open(ctx, &d, true);

	if (r == 0)
		r = stick_close(ctx, &d, read_back(ctx, &d, job, &m, &archive, &report));
	if (r == 0)
		r = rear_compare(ctx, &m);
	if (r < 0 || tell(ctx, &m, archive ? archive + strlen(STICK) : NULL, &report) < 0)
		return r < 0 ? r : PD_FAILED;
	return pd_evidence(ctx, pd_format(ctx, "%s/" LIST, ctx->work_dir), "Digests of what is on the stick");
}

/* What could not be proved is made anew when the step is called again. */
static int verify(struct pd_ctx *ctx, const char *workflow)
{
	struct rear_job job = job_of(ctx, workflow);
	int r;

	if (!pd_recall(ctx, "made"))
		return pd_fail(ctx, PD_FAILED, "no stick was made");
	r = prove(ctx, &job);
	if (r < 0 && pd_remember(ctx, "made", NULL) < 0)
		return PD_FAILED;
	return r < 0 ? r : outputs(ctx, &job) < 0 ? PD_FAILED : PD_UNCHANGED;
}

/* ---------------------------------------------------------------- undo */

static int undo(struct pd_ctx *ctx)
{
	struct rear_job job = job_of(ctx, "mkbackup");

	if (pd_recall(ctx, "formatted"))
		pd_log(ctx, PD_LOG_INFO, "%s was empty, and stays a stick of rear's with the label %s", pd_recall(ctx, "formatted"),
		       job.label);
	if (!pd_recall(ctx, "before"))
		return PD_UNCHANGED;
	if (pd_recall(ctx, "made") && stick_arguments(ctx)->keep) {
		pd_log(ctx, PD_LOG_INFO, "%s on the stick is whole, and stays", job.folder);
		return PD_UNCHANGED;
	}
	if (remove_folder(ctx, job.temp) < 0 || take_away(ctx, &job) < 0)
		return PD_FAILED;
	return pd_remember(ctx, "before", NULL) < 0 || pd_remember(ctx, "made", NULL) < 0 ? PD_FAILED : PD_CHANGED;
}

/* -------------------------------------------------------- declarations */

static int stick_check(struct pd_ctx *ctx) { return check(ctx, "mkbackup"); }
static int stick_apply(struct pd_ctx *ctx) { return apply(ctx, "mkbackup"); }
static int stick_verify(struct pd_ctx *ctx) { return verify(ctx, "mkbackup"); }
static int rescue_check(struct pd_ctx *ctx) { return check(ctx, "mkrescue"); }
static int rescue_apply(struct pd_ctx *ctx) { return apply(ctx, "mkrescue"); }
static int rescue_verify(struct pd_ctx *ctx) { return verify(ctx, "mkrescue"); }

#define PARAMS_STICK \
	PD_PARAM(struct stick_args, label, PD_T_STRING, .def = "REAR-000", .help = "label of the stick's file system"), \
	PD_PARAM(struct stick_args, format, PD_T_PATH, \
		 .help = "an empty disk, /dev/..., that becomes a stick with the label when there is none; left out: none does"), \
	PD_PARAM(struct stick_args, fixed, PD_T_BOOL, .def = "false", .help = "allow a disk that can't be taken out"), \
	PD_PARAM(struct stick_args, limit, PD_T_SECONDS, .def = "4h", .min = 1, .max = 86400, \
		 .help = "how long rear may take"), \
	PD_PARAM(struct stick_args, room, PD_T_BYTES, .min = 0, .max = INT64_MAX, \
		 .help = "room that must be free; left out: what is saved takes so much, and 512 MiB"), \
	PD_PARAM(struct stick_args, keep, PD_T_BOOL, .def = "true", \
		 .help = "what is whole stays when the run is taken back; false: undo removes it, and needs the stick")

static const struct pd_param stick_params[] = {
	PARAMS_STICK,
	PARAM_PERCENT(struct stick_args),
	PARAM_PASSPHRASE(struct stick_args),
	PD_PARAM_END
};

static const struct pd_param rescue_params[] = {
	PARAMS_STICK,
	PD_PARAM_END
};

static const struct pd_output stick_outputs[] = {
	PD_OUTPUT("medium", PD_T_PATH, "the stick's partition, by its label"),
	PD_OUTPUT("folder", PD_T_PATH, "folder of this run on it"),
	PD_OUTPUT_END
};

const struct pd_step stick_step = {
	PD_STEP, .name = "stick", .help = "a USB stick that boots and has the archive of the whole server, by Relax-and-Recover",
	.flags = PD_S_NEEDS_ROOT | PD_S_BACKUP, .reversibility = PD_REVERSIBLE, .params = stick_params,
	.args_size = sizeof(struct stick_args), .outputs = stick_outputs,
	.check = stick_check, .apply = stick_apply, .verify = stick_verify, .undo = undo,
	.time_limit = 25 * 3600, .expected = 900
};

const struct pd_step rescue_stick_step = {
	PD_STEP, .name = "rescue_stick", .help = "a USB stick that boots alone, by Relax-and-Recover, beside another backup",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = rescue_params,
	.args_size = sizeof(struct stick_args), .outputs = stick_outputs,
	.check = rescue_check, .apply = rescue_apply, .verify = rescue_verify, .undo = undo,
	.time_limit = 25 * 3600, .expected = 240
};
