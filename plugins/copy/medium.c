/* SPDX-License-Identifier: MIT */
/* The step copy.medium: the second place is a medium that is taken out. */
#include "copy.h"
#include "../shared/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct medium_args {
	const char *from;
	struct pd_list also;
	const char *label;
	bool fixed;
	bool keep;
};

static const struct medium_args *arguments(struct pd_ctx *ctx) { return ctx->args; }

static const char *mount_point(struct pd_ctx *ctx) { return pd_format(ctx, "%s/medium", ctx->work_dir); }

static struct pass start(struct pd_ctx *ctx)
{
	return (struct pass){ .ctx = ctx, .from = copy_source(ctx, arguments(ctx)->from), .quiet = true,
			      .also = &arguments(ctx)->also,
			      .to = copy_target(ctx, ctx->work_dir ? mount_point(ctx) : "") };
}

/* ------------------------------------------------------------------ check */

/* total becomes the size of the largest one */
static int largest(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode) && st->st_size > p->total)
		p->total = st->st_size;
	return copy_count(p, path, name, st);
}

/* What is free is only known when it is mounted, which no check does. */
static bool large_enough(struct pass *p, const struct device *d, struct objection *why)
{
	if (access(p->from, F_OK) < 0) /* in a dry run nothing has been saved yet */
		return true;
	if (copy_each(p, largest) < 0)
		return false;
	if (p->bytes < d->bytes && (strcmp(d->type, "vfat") != 0 || p->total < (int64_t)UINT32_MAX))
		return true;
	why->cause = pd_format(p->ctx, "%s is too small: %" PRId64 " MiB, or 4 GiB a file on vfat, for %" PRId64
			       " MiB", d->path, d->bytes >> 20, p->bytes >> 20);
	why->remedy = "take a larger medium";
	return false;
}

static int check(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct objection why = { 0 };
	struct device d;
	int r;

	if (!*arguments(ctx)->label)
		return pd_fail(ctx, PD_BAD_ARGS, "the label is empty");
	r = device_find(ctx, arguments(ctx)->label, &d, &why);
	if (r > 0 && device_fits(ctx, &d, arguments(ctx)->fixed, &why) && large_enough(&p, &d, &why))
		return pd_output(ctx, "folder", p.to) < 0 ? PD_FAILED : PD_CHANGED;
	if (r < 0 || !why.cause)
		return PD_FAILED;
	pd_inhibit(ctx, "what the run saves would be on this server only", why.cause, why.remedy);
	return PD_REFUSED;
}

/* --------------------------------------------------------------- mounting */

/* The medium that it was, if it has been there already. */
static int open_medium(struct pd_ctx *ctx, struct device *d, bool read_only)
{
	const char *label = arguments(ctx)->label, *before = pd_recall(ctx, "medium");
	struct objection why = { 0 };
	int r = device_find(ctx, label, d, &why);

	if (r < 0)
		return PD_FAILED;
	if (r > 0 && before && strcmp(before, d->uuid) != 0) {
		why.cause = pd_format(ctx, "%s is another medium with the label %s: its id is %s and was %s",
				      d->path, label, d->uuid, before);
		why.remedy = "put that one in";
		r = 0;
	}
	if (r == 0 || !device_fits(ctx, d, arguments(ctx)->fixed, &why))
		return pd_fail(ctx, PD_FAILED, "%s: %s", why.cause, why.remedy);
	return device_mount(ctx, d, mount_point(ctx), read_only);
}

/* It is flushed and unmounted whatever has happened. */
static int close_medium(struct pd_ctx *ctx, const struct device *d, int r)
{
	int s = device_unmount(ctx, d, mount_point(ctx));

	return r < 0 ? r : s;
}

/* ------------------------------------------------------------------ apply */

static int missing_bytes(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	p->total += S_ISREG(st->st_mode) && copy_look(p, path, name, st) ? st->st_size : 0;
	return 0;
}

static int enough_room(struct pass *p)
{
	struct statvfs fs;
	int64_t room;

	p->total = 0;
	if (statvfs(mount_point(p->ctx), &fs) < 0)
		return pd_fail(p->ctx, PD_FAILED, "cannot ask for the medium's room: %s", strerror(errno));
	if (copy_each(p, missing_bytes) < 0)
		return PD_FAILED;
	room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return p->total <= room ? 0 :
		pd_fail(p->ctx, PD_FAILED, "the medium %s has %" PRId64 " bytes free, and %" PRId64
			" are to be copied: take another one, or make room", arguments(p->ctx)->label,
			room, p->total);
}

/* Below the medium, since where that is mounted is of no meaning later. */
static void note(struct pass *p, const char *path, bool folder)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		fprintf(p->user, "%s%s\n", path + strlen(mount_point(p->ctx)), folder ? "/" : "");
}

static int note_each(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	(void)path;
	note(p, *name ? pd_format(p->ctx, "%s/%s", p->to, name) : p->to, S_ISDIR(st->st_mode));
	return copy_plain_name(p->ctx, name);
}

/* What isn't there is written down before it is made. */
static int note_all(struct pass *p, const char *server)
{
	char *lines = NULL;
	size_t len;
	FILE *f = open_memstream(&lines, &len);
	int r;

	if (!f)
		return pd_fail(p->ctx, PD_FAILED, "no memory for the list of files");
	p->user = f;
	note(p, server, true);
	r = copy_each(p, note_each);
	note(p, pd_format(p->ctx, "%s/" MANIFEST, p->to), false);
	fclose(f);
	if (r == 0)
		r = made_add(p->ctx, lines);
	free(lines);
	return r;
}

/* The manifest is made here, and copied as the last file. */
static int copy_manifest(struct pass *p, const char *text)
{
	const char *path = pd_format(p->ctx, "%s/" MANIFEST, p->ctx->work_dir);
	struct stat st;

	p->manifest = NULL;
	if (pd_write_file(p->ctx, path, 0600, text, strlen(text)) < 0)
		return PD_FAILED;
	if (stat(path, &st) < 0)
		return pd_fail(p->ctx, PD_FAILED, "cannot look at %s: %s", path, strerror(errno));
	return copy_missing(p, path, MANIFEST, &st);
}

static int copy_all(struct pass *p)
{
	char *text = NULL;
	size_t len;
	int r;

	p->manifest = open_memstream(&text, &len);
	if (!p->manifest)
		return pd_fail(p->ctx, PD_FAILED, "no memory for the manifest");
	p->quiet = false;
	r = copy_each(p, copy_missing);
	fclose(p->manifest);
	if (r == 0)
		r = copy_manifest(p, text);
	free(text);
	return r;
}

static int fill(struct pass *p, const struct device *d)
{
	const char *server = pd_format(p->ctx, "%s/%s", mount_point(p->ctx), p->ctx->server);

	if (enough_room(p) < 0 || note_all(p, server) < 0 || pd_remember(p->ctx, "medium", d->uuid) < 0 ||
	    copy_make_folder(p->ctx, server) < 0)
		return PD_FAILED;
	return copy_all(p);
}

static int apply(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct device d;
	int r;

	if (access(p.from, F_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "no step of this run has saved anything below %s",
			       arguments(ctx)->from);
	r = open_medium(ctx, &d, false);
	if (r == 0)
		r = close_medium(ctx, &d, fill(&p, &d));
	if (r < 0 || copy_each(&p, copy_count) < 0)
		return r < 0 ? r : PD_FAILED;
	p.to = copy_target(ctx, "");
	return copy_report(&p) < 0 ||
	       pd_evidence(ctx, pd_format(ctx, "%s/" MANIFEST, ctx->work_dir),
			   "digests of the copy on the medium") < 0 ? PD_FAILED :
	       p.copied ? PD_CHANGED : PD_UNCHANGED;
}

/* ----------------------------------------------------------------- verify */

static int compare_all(struct pass *p)
{
	const char *path = pd_format(p->ctx, "%s/" MANIFEST, p->ctx->work_dir);
	int r = copy_each(p, copy_count);

	p->total = 2 * p->bytes;
	if (r == 0)
		r = copy_each(p, copy_compare);
	return r == 0 ? copy_compare(p, path, MANIFEST, &(struct stat){ .st_mode = S_IFREG }) : r;
}

static int verify(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct device d;
	int r = open_medium(ctx, &d, true);

	return r < 0 ? r : close_medium(ctx, &d, compare_all(&p));
}

/* ------------------------------------------------------------------- undo */

static int remove_all(struct pd_ctx *ctx, const char *const *made, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *path = pd_format(ctx, "%s%s", mount_point(ctx), made[i]);
		bool folder = path[strlen(path) - 1] == '/';

		if (!folder)
			unlink(pd_format(ctx, "%s.part", path));
		/* a folder with more in it than was made stays */
		if ((folder ? rmdir(path) : unlink(path)) < 0 && errno != ENOENT && (!folder || (errno != ENOTEMPTY && errno != EEXIST)))
			return pd_fail(ctx, PD_FAILED, "cannot remove %s: %s", path, strerror(errno));
	}
	return 0;
}

static int undo(struct pd_ctx *ctx)
{
	struct device d;
	size_t n;
	const char *const *made = made_all(ctx, &n);
	int r;

	if (n == 0 || arguments(ctx)->keep)
		return PD_UNCHANGED;
	r = open_medium(ctx, &d, false);
	if (r == 0)
		r = close_medium(ctx, &d, remove_all(ctx, made, n));
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------------ the step */

static const struct pd_param params[] = {
	PD_PARAM(struct medium_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder where the run's steps have saved: what is in its subfolder of this run is copied"),
	COPY_ALSO(struct medium_args),
	PD_PARAM(struct medium_args, label, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "label of the medium's file system"),
	PD_PARAM(struct medium_args, fixed, PD_T_BOOL, .def = "false",
		 .help = "allow a disk that can't be taken out"),
	PD_PARAM(struct medium_args, keep, PD_T_BOOL, .def = "true",
		 .help = "the copy stays when the run is rolled back; false: undo removes what was copied, and needs the medium"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = { COPY_OUTPUTS("where the copy is on the medium: /SERVER/RUN") };

const struct pd_step medium_step = {
	PD_STEP, .name = "medium",
	.help = "copy what this run has saved to a removable medium, and prove the copy",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = params, .args_size = sizeof(struct medium_args), .outputs = outputs,
	.check = check, .apply = apply, .verify = verify, .undo = undo,
	.time_limit = 4 * 3600, .expected = 30
};
