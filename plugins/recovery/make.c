/* SPDX-License-Identifier: MIT */
/* The steps recovery.backup and recovery.rescue: rear makes a medium, and what it
 * has made is read back.  Each run has a folder of its own: what older runs have
 * made is not touched, and a half made one is removed. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../shared/volume.h"

struct make_args {
	const char *to, *url;
	int64_t limit, room, percent;
	bool keep;
	const struct pd_secret *passphrase;
};

static const struct make_args *arguments(struct pd_ctx *ctx) { return ctx->args; }

/* ------------------------------------------------------------ where to */

/* SERVER/RUN, numbered when it is taken; once it is remembered it stays.  NULL in
 * a dry run without a run: unknown. */
static const char *prefix_of(struct pd_ctx *ctx)
{
	const char *prefix = pd_recall(ctx, "prefix");

	if (prefix || !*ctx->run)
		return prefix;
	prefix = pd_format(ctx, "%s/%s", short_name(ctx), ctx->run);
	for (int i = 2; access(pd_format(ctx, "%s/%s", arguments(ctx)->to, prefix), F_OK) == 0; i++)
		prefix = pd_format(ctx, "%s/%s-%d", short_name(ctx), ctx->run, i);
	return prefix;
}

static struct rear_job job_of(struct pd_ctx *ctx, const char *workflow, const char *prefix)
{
	const struct make_args *args = ctx->args;

	return (struct rear_job){
		.workflow = workflow, .url = args->url ? args->url : pd_format(ctx, "file://%s", args->to),
		.prefix = prefix, .folder = pd_format(ctx, "%s/%s", args->to, prefix),
		.name = pd_format(ctx, "rear-%s", short_name(ctx)),
		.temp = pd_format(ctx, "%s/rear", ctx->work_dir ? ctx->work_dir : "/var/tmp"),
		.limit = args->limit, .passphrase = args->passphrase
	};
}

static const char *image_of(struct pd_ctx *ctx, const struct rear_job *job)
{
	return pd_format(ctx, "%s/%s.iso", job->folder, job->name);
}

/* --------------------------------------------------------------- check */

static int plain(struct pd_ctx *ctx)
{
	const struct make_args *args = ctx->args;

	if (args->to[strspn(args->to, URL_SIGNS)] || ctx->server[strspn(ctx->server, URL_SIGNS)])
		return pd_fail(ctx, PD_BAD_ARGS, "to has a sign that rear can't have in its configuration: '%s'; "
			       "letters, digits and :/._-@ are possible", args->to);
	if (args->url && (!strstr(args->url, "://") || args->url[strspn(args->url, URL_SIGNS)]))
		return pd_fail(ctx, PD_BAD_ARGS, "url is no address as rear has it: '%s'; write one such as "
			       "nfs://HOST/PATH, without signs but letters, digits and :/._-@", args->url);
	return 0;
}

/* The innermost folder on the way to @p path that is there. */
static const char *existing(struct pd_ctx *ctx, const char *path)
{
	char *way = memcpy(pd_alloc_for(ctx, strlen(path) + 2), path, strlen(path) + 1);

	while (access(way, F_OK) < 0 && strrchr(way, '/') != way)
		*strrchr(way, '/') = '\0';
	return access(way, F_OK) < 0 ? "/" : way;
}

/* All that is saved passes through, by name: others must not lead it elsewhere. */
static int place_private(struct pd_ctx *ctx)
{
	const char *const folders[] = { arguments(ctx)->to,
					pd_format(ctx, "%s/%s", arguments(ctx)->to, short_name(ctx)) };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (!roots_alone(folders[i]))
			return against(ctx, pd_format(ctx, "others than root may write in %s", folders[i]),
				       pd_format(ctx, "chown root:root %s, chmod go-w %s", folders[i], folders[i]));
	return 0;
}

static int place_fits(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *to = arguments(ctx)->to, *there = existing(ctx, to), *whose;
	struct volume volume;
	struct statvfs fs;
	int64_t room, needed;

	if (!volume_of(ctx, there, &volume) || statvfs(there, &fs) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot look at %s: %s", there, strerror(errno));
	whose = volume.memory ? NULL : volume_is_own(ctx, &volume);
	if (volume.memory || whose)
		return against(ctx, volume.memory ? pd_format(ctx, "%s is in memory, which the next boot empties", to) :
			       pd_format(ctx, "%s is on the volume of %s, which is what would have to be recovered", to, whose),
			       "mount another volume, or a share of another server, there");
	needed = room_needed(ctx, job, arguments(ctx)->room, volume.device);
	room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return room >= needed ? 0 :
	       against(ctx, pd_format(ctx, "%s has %" PRId64 " MiB free, and up to %" PRId64 " MiB may be needed", to,
				      room >> 20, needed >> 20),
		       "make room there, take another place, or set the parameter room");
}

static int predict(struct pd_ctx *ctx, const struct rear_job *job)
{
	return pd_output(ctx, "folder", job->folder) < 0 || pd_output(ctx, "medium", image_of(ctx, job)) < 0 ?
		PD_FAILED : 0;
}

static int check(struct pd_ctx *ctx, const char *workflow)
{
	const char *prefix = prefix_of(ctx);
	struct rear_job job = job_of(ctx, workflow, prefix ? prefix : short_name(ctx));
	int r = plain(ctx);

	if (r == 0 && prefix)
		r = predict(ctx, &job);
	if (r == 0 && pd_recall(ctx, "made") && access(image_of(ctx, &job), F_OK) == 0)
		return PD_UNCHANGED;
	if (r == 0)
		r = rear_there(ctx);
	if (r == 0)
		r = place_private(ctx);
	if (r == 0)
		r = place_fits(ctx, &job);
	if (r == 0)
		r = rear_takes(ctx, &job);
	return r < 0 ? r : PD_CHANGED;
}

/* --------------------------------------------------------------- apply */

/* Folders that are missing on the way are made; which is the outermost is
 * remembered, for undo. */
static int make_folders(struct pd_ctx *ctx, const char *folder)
{
	size_t len = strlen(folder), at = strlen(existing(ctx, folder));

	if (at < len && !pd_recall(ctx, "top") &&
	    pd_remember(ctx, "top", pd_format(ctx, "%.*s", (int)(at + 1 + strcspn(folder + at + 1, "/")), folder)) < 0)
		return PD_FAILED;
	while (at < len) {
		const char *path;

		at += 1 + strcspn(folder + at + 1, "/");
		path = pd_format(ctx, "%.*s", (int)at, folder);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return pd_fail(ctx, PD_FAILED, "cannot make the folder %s: %s", path, strerror(errno));
	}
	return 0;
}

static int settle(struct pd_ctx *ctx, const struct rear_job *job)
{
	int fd, r;

	if (access(image_of(ctx, job), F_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "rear says that all went well, but %s is not there: do to and url name "
			       "the same place?", image_of(ctx, job));
	if (with_archive(job) && !archive_beside(ctx, job->folder))
		return pd_fail(ctx, PD_FAILED, "rear says that all went well, but there is no archive of files in %s",
			       job->folder);
	if (hide_folder(ctx, job->folder) < 0)
		return PD_FAILED;
	fd = open(job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -1 : syncfs(fd);
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : pd_fail(ctx, PD_FAILED, "cannot write all to %s: %s", job->folder, strerror(errno));
}

static int outputs(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *archive = with_archive(job) ? archive_beside(ctx, job->folder) : NULL;

	if (archive && pd_output(ctx, "archive", archive) < 0)
		return PD_FAILED;
	return predict(ctx, job);
}

/* Half a backup is none, and takes the room of the next one. */
static int clear_away(struct pd_ctx *ctx, const struct rear_job *job, int r)
{
	if (remove_folder(ctx, job->temp) < 0 || (r < 0 && remove_folder(ctx, job->folder) < 0))
		return PD_FAILED;
	return r;
}

static int apply(struct pd_ctx *ctx, const char *workflow)
{
	bool begun = pd_recall(ctx, "prefix");
	const char *prefix = prefix_of(ctx);
	struct rear_job job = job_of(ctx, workflow, prefix);
	int r;

	if (pd_recall(ctx, "made") && access(image_of(ctx, &job), F_OK) == 0)
		return outputs(ctx, &job) < 0 ? PD_FAILED : PD_UNCHANGED;
	if ((!begun && pd_remember(ctx, "prefix", prefix) < 0) || remove_folder(ctx, job.folder) < 0 ||
	    place_private(ctx) < 0 || place_fits(ctx, &job) < 0 || make_folders(ctx, job.folder) < 0)
		return PD_FAILED;
	r = rear_run(ctx, &job);
	if (r == 0)
		r = settle(ctx, &job);
	r = clear_away(ctx, &job, r);
	if (r < 0)
		return r;
	return pd_remember(ctx, "made", image_of(ctx, &job)) < 0 || outputs(ctx, &job) < 0 ? PD_FAILED : PD_CHANGED;
}

/* -------------------------------------------------------------- verify */

static int prove(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *archive = with_archive(job) ? archive_beside(ctx, job->folder) : NULL;
	struct archive_report report = { 0 };
	struct medium m = { 0 };
	int r = medium_read(ctx, image_of(ctx, job), &m);

	if (r == 0)
		r = medium_mine(ctx, &m);
	if (r == 0)
		r = rear_compare(ctx, &m);
	if (r == 0 && with_archive(job) && !archive)
		r = pd_fail(ctx, PD_FAILED, "the archive of files in %s is gone", job->folder);
	if (r == 0 && archive)
		r = archive_check(ctx, archive, arguments(ctx)->percent, job->passphrase, &report);
	if (r < 0 || tell(ctx, &m, archive, &report) < 0 || pd_evidence(ctx, m.path, "The boot medium") < 0)
		return r < 0 ? r : PD_FAILED;
	return archive ? pd_evidence(ctx, archive, "The archive of files") : 0;
}

/* What could not be proved is made anew when the step is called again. */
static int verify(struct pd_ctx *ctx, const char *workflow)
{
	const char *prefix = pd_recall(ctx, "prefix");
	struct rear_job job;
	int r;

	if (!prefix || !pd_recall(ctx, "made"))
		return pd_fail(ctx, PD_FAILED, "no medium was made");
	job = job_of(ctx, workflow, prefix);
	r = prove(ctx, &job);
	if (r < 0 && pd_remember(ctx, "made", NULL) < 0)
		return PD_FAILED;
	return r < 0 ? r : outputs(ctx, &job) < 0 ? PD_FAILED : PD_UNCHANGED;
}

/* ---------------------------------------------------------------- undo */

/* The folders that apply has made, unless others have put something there. */
static bool remove_way(struct pd_ctx *ctx, const char *folder)
{
	const char *top = pd_recall(ctx, "top");
	char *way = memcpy(pd_alloc_for(ctx, strlen(folder) + 1), folder, strlen(folder) + 1);
	bool removed = false;

	while (top && strlen(way) >= strlen(top)) {
		if (rmdir(way) == 0)
			removed = true;
		else if (errno != ENOENT)
			break;
		*strrchr(way, '/') = '\0';
	}
	return removed;
}

static int undo(struct pd_ctx *ctx)
{
	const char *prefix = pd_recall(ctx, "prefix");
	struct rear_job job;
	bool there;

	if (!prefix)
		return PD_UNCHANGED;
	job = job_of(ctx, "mkbackup", prefix);
	if (remove_folder(ctx, job.temp) < 0)
		return PD_FAILED;
	if (pd_recall(ctx, "made") && arguments(ctx)->keep) {
		pd_log(ctx, PD_LOG_INFO, "%s is a whole backup, and stays", job.folder);
		return PD_UNCHANGED;
	}
	there = access(job.folder, F_OK) == 0;
	return remove_folder(ctx, job.folder) < 0 ? PD_FAILED :
	       remove_way(ctx, job.folder) || there ? PD_CHANGED : PD_UNCHANGED;
}

/* -------------------------------------------------------- declarations */

static int backup_check(struct pd_ctx *ctx) { return check(ctx, "mkbackup"); }
static int backup_apply(struct pd_ctx *ctx) { return apply(ctx, "mkbackup"); }
static int backup_verify(struct pd_ctx *ctx) { return verify(ctx, "mkbackup"); }
static int rescue_check(struct pd_ctx *ctx) { return check(ctx, "mkrescue"); }
static int rescue_apply(struct pd_ctx *ctx) { return apply(ctx, "mkrescue"); }
static int rescue_verify(struct pd_ctx *ctx) { return verify(ctx, "mkrescue"); }

#define PARAMS_MAKE \
	PD_PARAM(struct make_args, to, PD_T_PATH, .flags = PD_P_REQUIRED, \
		 .help = "folder on another volume than the root; each run gets SERVER/RUN in it"), \
	PD_PARAM(struct make_args, url, PD_T_STRING, \
		 .help = "the same place as rear reaches it, such as nfs://HOST/PATH; left out: file://TO"), \
	PD_PARAM(struct make_args, limit, PD_T_SECONDS, .def = "4h", .min = 1, .max = 86400, \
		 .help = "how long rear may take"), \
	PD_PARAM(struct make_args, room, PD_T_BYTES, .min = 0, .max = INT64_MAX, \
		 .help = "room that must be free; left out: what is saved takes so much, and 512 MiB"), \
	PD_PARAM(struct make_args, keep, PD_T_BOOL, .def = "true", \
		 .help = "a whole backup stays when the run is taken back")

static const struct pd_param backup_params[] = {
	PARAMS_MAKE,
	PARAM_PERCENT(struct make_args),
	PARAM_PASSPHRASE(struct make_args),
	PD_PARAM_END
};

static const struct pd_param rescue_params[] = {
	PARAMS_MAKE,
	PD_PARAM_END
};

#define OUTPUTS_MAKE \
	PD_OUTPUT("medium", PD_T_PATH, "the image of the boot medium"), \
	PD_OUTPUT("folder", PD_T_PATH, "folder of this run")

static const struct pd_output backup_outputs[] = {
	OUTPUTS_MAKE,
	PD_OUTPUT("archive", PD_T_PATH, "the archive of files"),
	PD_OUTPUT_END
};

static const struct pd_output rescue_outputs[] = {
	OUTPUTS_MAKE,
	PD_OUTPUT_END
};

const struct pd_step backup_step = {
	PD_STEP, .name = "backup", .help = "boot medium and archive of the whole server by Relax-and-Recover",
	.flags = PD_S_NEEDS_ROOT | PD_S_BACKUP, .reversibility = PD_REVERSIBLE, .params = backup_params,
	.args_size = sizeof(struct make_args), .outputs = backup_outputs,
	.check = backup_check, .apply = backup_apply, .verify = backup_verify, .undo = undo,
	.time_limit = 25 * 3600, .expected = 600
};

const struct pd_step rescue_step = {
	PD_STEP, .name = "rescue", .help = "boot medium alone by Relax-and-Recover, beside another backup",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = rescue_params,
	.args_size = sizeof(struct make_args), .outputs = rescue_outputs,
	.check = rescue_check, .apply = rescue_apply, .verify = rescue_verify, .undo = undo,
	.time_limit = 25 * 3600, .expected = 180
};
