/* SPDX-License-Identifier: MIT */
/* The step backup.state: walks through the system's state and archives it. */
#include "backup.h"
#include "../shared/rpmdb.h"
#include "../shared/store.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* backup.system: all of the server; a worker runs one callback of one step. */
static bool whole;

/* Kept free beside what a backup may need. */
#define SPARE_BYTES ((int64_t)16 << 20)

static bool excluded(const struct state_args *args, const char *path)
{
	for (size_t i = 0; i < args->exclude.len; i++)
		if (fnmatch(args->exclude.items[i], path, 0) == 0)
			return true;
	return false;
}

/* What to call for each object of the disk, content of folders after them. */
typedef int walk_fn(struct pd_ctx *ctx, const FTSENT *f, void *user);

static int visit(struct pd_ctx *ctx, FTS *fts, FTSENT *f, const struct stat *to,
		 walk_fn *fn, void *user)
{
	const struct state_args *args = ctx->args;

	if (f->fts_info == FTS_DP || (f->fts_level == 0 && strcmp(f->fts_path, "/") == 0))
		return 0;
	if (f->fts_info == FTS_NS || f->fts_info == FTS_ERR || f->fts_info == FTS_DNR) {
		if (f->fts_errno == ENOENT)
			return 0;
		return pd_fail(ctx, PD_FAILED, "can't read %s: %s", f->fts_path,
			       strerror(f->fts_errno));
	}
	if (excluded(args, f->fts_path) ||
	    (to->st_ino != 0 && f->fts_statp->st_ino == to->st_ino &&
	     f->fts_statp->st_dev == to->st_dev)) {
		fts_set(fts, f, FTS_SKIP);
		return 0;
	}
	/* of a foreign volume the folder that it is mounted on stays */
	if (whole && f->fts_info == FTS_D && f->fts_level > 0 &&
	    f->fts_statp->st_dev != f->fts_parent->fts_statp->st_dev &&
	    foreign_volume(f->fts_path))
		fts_set(fts, f, FTS_SKIP);
	return S_ISSOCK(f->fts_statp->st_mode) ? 0 : fn(ctx, f, user);
}

/* A path without symbolic links on the way to its last part: the archive is
 * to hold names that a restore may write to.  NULL: it is not there. */
static char *straight(struct pd_ctx *ctx, const char *path)
{
	char folder[PATH_MAX];
	char real[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st = { 0 };

	if (lstat(path, &st) != 0)
		return NULL;
	snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - path), path);
	if (!realpath(folder, real))
		return NULL;
	return (char *)(uintptr_t)pd_format(ctx, "%s/%s",
					    strcmp(real, "/") == 0 ? "" : real,
					    slash + 1);
}

/* The paths that are there, without those that lie in another one. */
static char **roots(struct pd_ctx *ctx, const struct state_args *args)
{
	size_t n = args->paths.len;
	char **list = pd_alloc_for(ctx, (n + 1) * sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		list[i] = straight(ctx, args->paths.items[i]);
	for (size_t i = 0; i < n; i++) {
		bool inside = !list[i];

		for (size_t j = 0; j < n && !inside; j++) {
			size_t len = list[j] ? strlen(list[j]) : 0;

			inside = j != i && len > 0 &&
				 strncmp(list[i], list[j], len) == 0 &&
				 (list[i][len] == '/' || (!list[i][len] && j < i));
		}
		if (inside)
			list[i] = NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (list[i])
			list[kept++] = list[i];
	list[kept] = NULL;
	return list;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct pd_ctx *ctx, walk_fn *fn, void *user)
{
	const struct state_args *args = ctx->args;
	char **list = roots(ctx, args);
	struct stat to = { 0 };
	FTSENT *f = NULL;
	FTS *fts = NULL;
	int status = 0;

	if (!list[0])
		return pd_fail(ctx, PD_FAILED, "none of the paths to back up exists "
			       "on this server; set the parameter paths");
	if (stat(args->to, &to) != 0)
		to.st_ino = 0;
	fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!fts)
		return pd_fail(ctx, PD_FAILED, "can't walk through %s: %s", list[0],
			       strerror(errno));
	errno = 0;
	while (status >= 0 && (f = fts_read(fts))) {
		if (pd_canceled(ctx))
			status = pd_fail(ctx, PD_CANCELED, "stopped at %s", f->fts_path);
		else
			status = visit(ctx, fts, f, &to, fn, user);
	}
	fts_close(fts);
	return status;
}

struct estimate {
	int64_t bytes;
	int64_t files;
};

static int count_object(struct pd_ctx *ctx, const FTSENT *f, void *user)
{
	struct estimate *sum = user;
	int64_t used = (int64_t)f->fts_statp->st_blocks * 512;
	int64_t size = S_ISREG(f->fts_statp->st_mode) ? f->fts_statp->st_size : 0;

	(void)ctx;
	sum->files += S_ISREG(f->fts_statp->st_mode);
	sum->bytes += (size < used ? size : used) + 1024;
	pd_progress(ctx, 0, 0, "looking at what there is to save");
	return 0;
}

int state_check(struct pd_ctx *ctx)
{
	const struct state_args *args = ctx->args;
	bool root = whole && args->paths.len == 1 && strcmp(args->paths.items[0], "/") == 0;
	int status = root ? 0 : bundle_check_paths(ctx, &args->paths, "paths");
	const char *risk = whole ? "the backup of the whole system could not be written" :
				   "the backup of the system's state could not be written";
	struct estimate sum = { 0 };
	int64_t room = store_room(args->to);
	const char *path = NULL;

	if (status == 0)
		status = store_check_name(ctx, args->name);
	if (status == 0)
		status = store_can_take(ctx, args->to, risk);
	if (status == 0)
		path = bundle_place(ctx, args->to, args->name, args->compression);
	if (status == 0)
		status = walk(ctx, count_object, &sum);
	if (status < 0)
		return status;
	if (path && (pd_output(ctx, "archive", path) < 0 ||
		     pd_output(ctx, "manifest",
			       pd_format(ctx, "%s.manifest", path)) < 0))
		return PD_FAILED;
	/* how many files there will be then nobody can foretell */
	pd_expect(ctx, 2 + sum.bytes / ((int64_t)40 << 20));
	if (room < sum.bytes + SPARE_BYTES) {
		pd_inhibit(ctx, risk,
			   pd_format(ctx, "%s has %" PRId64 " MiB free, the backup may "
				     "need %" PRId64 " MiB", args->to, room >> 20,
				     (sum.bytes + SPARE_BYTES) >> 20),
			   "make room there, or set the parameter to to a folder on a "
			   "volume with room");
		return PD_REFUSED;
	}
	return PD_CHANGED;
}

static int save_object(struct pd_ctx *ctx, const FTSENT *f, void *user)
{
	struct bundle_file file = { 0 };
	int status = bundle_add_path(user, f->fts_path, f->fts_statp, &file);

	if (status == 0 && file.gone)
		pd_log(ctx, PD_LOG_WARN, "%s vanished while the backup was taken and "
		       "is not in it", f->fts_path);
	return status;
}

/* The folders above the paths, so that a restore makes them as they were. */
static int save_parents(struct pd_ctx *ctx, struct bundle *b)
{
	char **list = roots(ctx, ctx->args);
	struct bundle_text done = { 0 };
	int status = 0;

	bundle_text_add(&done, "\n", 1);
	for (; *list && status == 0; list++) {
		for (char *p = *list + 1; status == 0 && (p = strchr(p, '/')); p++) {
			const char *path = pd_format(ctx, "%.*s", (int)(p - *list), *list);
			const char *line = pd_format(ctx, "\n%s\n", path);
			struct bundle_file file = { 0 };
			struct stat st = { 0 };

			if (strstr(done.data, line) || lstat(path, &st) != 0)
				continue;
			bundle_text_add(&done, line + 1, strlen(line) - 1);
			status = bundle_add_path(b, path, &st, &file);
		}
	}
	bundle_text_free(&done);
	return status;
}

/* The package manager's own words, to be read or fed back by a person; of the
 * other family's there may be programs, too, and no packages. */
static int save_packages(struct pd_ctx *ctx, struct bundle *b)
{
	static const char *const selections[] = { "dpkg", "--get-selections", NULL };
	static const char *const manual[] = { "apt-mark", "showmanual", NULL };
	static const char *const held[] = { "apt-mark", "showhold", NULL };
	static const char *const rpms[] = { "rpm", "-qa", NULL };
	const bool dpkg = access("/var/lib/dpkg/status", F_OK) == 0, rpm = rpmdb_is_here();
	const struct {
		bool here;
		const char *tool, *name;
		const char *const *argv;
	} lists[] = {
		{ dpkg, "/usr/bin/dpkg", BUNDLE_META "packages/selections", selections },
		{ dpkg, "/usr/bin/apt-mark", BUNDLE_META "packages/manual", manual },
		{ dpkg, "/usr/bin/apt-mark", BUNDLE_META "packages/held", held },
		{ rpm, "/usr/bin/rpm", BUNDLE_META "packages/rpm", rpms },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct pd_command command = { .size = sizeof(command),
			.argv = lists[i].argv, .output_max = (size_t)64 << 20 };
		struct pd_command_result result = { 0 };

		if (!lists[i].here || access(lists[i].tool, F_OK) < 0)
			continue;
		if (pd_command_run(ctx, &command, &result) < 0)
			return PD_FAILED;
		if (result.status != 0)
			return pd_fail(ctx, PD_FAILED, "%s %s ends with status %d: %s",
				       lists[i].argv[0], lists[i].argv[1],
				       result.status, result.err);
		if (bundle_add_memory(b, lists[i].name, result.out,
				      result.out_len) < 0)
			return PD_FAILED;
	}
	return 0;
}

static int report_state(struct pd_ctx *ctx, const struct bundle *b)
{
	const char *manifest = pd_format(ctx, "%s.manifest", b->path);

	const char *title = whole ? "backup of the whole system" : "backup of the system's state";

	if (pd_output(ctx, "archive", b->path) < 0 ||
	    pd_output(ctx, "manifest", manifest) < 0 ||
	    pd_output(ctx, "sha256", b->sha256) < 0 ||
	    pd_output(ctx, "files", pd_format(ctx, "%" PRId64, b->files)) < 0 ||
	    pd_output(ctx, "bytes", pd_format(ctx, "%" PRId64, b->written)) < 0 ||
	    pd_evidence(ctx, b->path, title) < 0 ||
	    pd_evidence(ctx, manifest, "digests of the files in the backup") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

int state_apply(struct pd_ctx *ctx)
{
	const struct state_args *args = ctx->args;
	const char *path = bundle_place(ctx, args->to, args->name, args->compression);
	struct estimate sum = { 0 };
	struct bundle b = { .fd = -1 };
	int status = 0;

	if (pd_remember(ctx, "archive", path) < 0)
		return PD_FAILED;
	status = walk(ctx, count_object, &sum);
	if (status < 0)
		return status;
	status = bundle_create(&b, ctx, path, args->compression);
	b.total = sum.bytes;
	if (status == 0)
		status = save_packages(ctx, &b);
	if (status == 0 && whole)
		status = layout_save(ctx, &b);
	if (status == 0)
		status = save_parents(ctx, &b);
	if (status == 0)
		status = walk(ctx, save_object, &b);
	if (status == 0)
		status = bundle_finish(&b);
	if (status == 0)
		status = pd_remember(ctx, "sha256", b.sha256);
	if (status == 0)
		status = report_state(ctx, &b);
	bundle_free(&b);
	return status;
}

int state_verify(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "archive");
	const char *sha256 = pd_recall(ctx, "sha256");
	struct bundle_report report = { 0 };
	int status = 0;

	if (!path || !sha256)
		return pd_fail(ctx, PD_FAILED, "no backup was written in this run");
	status = bundle_verify(ctx, path, sha256, &report);
	return status < 0 ? status : PD_UNCHANGED;
}

int system_check(struct pd_ctx *ctx)
{
	whole = true;
	return state_check(ctx);
}

int system_apply(struct pd_ctx *ctx)
{
	whole = true;
	return state_apply(ctx);
}
