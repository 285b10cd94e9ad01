/* SPDX-License-Identifier: MIT */
/* The step backup.restore: puts files back, and can take that back. */
#include "backup.h"
#include "../shared/store.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What undo needs lies in the step's own folder: a bundle of all that gets
 * replaced or removed, and two lists of names, each ended by NUL. */
struct store {
	struct bundle b;
	struct bundle_text created; /* was not there, parents first */
	struct bundle_text removed; /* has to go, children first; absolute */
	size_t removals;
};

/* The folder to restore to, without symbolic links; "" for the root. */
static const char *root_of(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	char real[PATH_MAX];

	if (!realpath(args->to, real))
		return args->to;
	return strcmp(real, "/") == 0 ? "" : pd_format(ctx, "%s", real);
}

static int enter(struct pd_ctx *ctx, const char *folder)
{
	if (chdir(folder) != 0)
		return pd_fail(ctx, PD_FAILED, "can't go to the folder %s: %s",
			       folder, strerror(errno));
	return 0;
}

/* ------------------------------------------------------- what exact removes */

typedef int extra_fn(struct pd_ctx *ctx, const FTSENT *f, void *user);

/* Everything below path, absolute, that the selection does not have; with
 * NULL for the selection, everything.  Calls fn for folders twice. */
static int walk_extra(struct pd_ctx *ctx, const char *path, size_t strip,
		      const struct selection *s, extra_fn *fn, void *user)
{
	char *const list[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *f = NULL;
	int status = 0;

	while (fts && status >= 0 && (f = fts_read(fts))) {
		if (pd_canceled(ctx))
			status = pd_fail(ctx, PD_CANCELED, "stopped at %s", f->fts_path);
		else if (f->fts_info != FTS_NS && f->fts_info != FTS_ERR &&
			 (!s || !selection_has(s, f->fts_path + strip)))
			status = fn(ctx, f, user);
	}
	if (fts)
		fts_close(fts);
	return status;
}

static int count_extra(struct pd_ctx *ctx, const FTSENT *f, void *user)
{
	(void)ctx;
	*(int64_t *)user += f->fts_info != FTS_D;
	return 0;
}

static int store_object(struct pd_ctx *ctx, const FTSENT *f, void *user)
{
	struct store *store = user;
	struct bundle_file file = { 0 };

	(void)ctx;
	if (f->fts_info != FTS_D) {
		bundle_text_add(&store->removed, f->fts_path, f->fts_pathlen + 1u);
		store->removals++;
	}
	if (f->fts_info == FTS_DP || S_ISSOCK(f->fts_statp->st_mode))
		return 0;
	return bundle_add_path(&store->b, f->fts_path, f->fts_statp, &file);
}

static int each_extra(struct pd_ctx *ctx, const struct restore_args *args,
		      const struct selection *s, extra_fn *fn, void *user)
{
	const char *to = root_of(ctx);
	int status = 0;

	for (size_t i = 0; args->exact && i < args->paths.len && status >= 0; i++)
		status = walk_extra(ctx, pd_format(ctx, "%s%s", to, args->paths.items[i]),
				    strlen(to) + 1, s, fn, user);
	return status;
}

/* ------------------------------------------------------------------- check */

static int compare_all(struct pd_ctx *ctx, const struct restore_args *args,
		       struct selection *s)
{
	const char *first = NULL;
	int64_t room = store_room(args->to);
	int64_t extra = 0;
	int64_t different = 0;

	if (each_extra(ctx, args, s, count_extra, &extra) < 0)
		return PD_FAILED;
	different = selection_compare(ctx, args->archive, s, &first);
	if (different < 0)
		return (int)different;
	if (pd_output(ctx, "files", pd_format(ctx, "%zu", s->count)) < 0 ||
	    pd_output(ctx, "removed", pd_format(ctx, "%" PRId64, extra)) < 0)
		return PD_FAILED;
	if (different == 0 && extra == 0)
		return PD_UNCHANGED;
	pd_log(ctx, PD_LOG_INFO, "%" PRId64 " of %zu members differ%s%s, %" PRId64
	       " are not in the backup", different, s->count,
	       first ? ", the first is " : "", first ? first : "", extra);
	if (store_can_take(ctx, args->to, "the files could not be put back") < 0)
		return PD_REFUSED;
	if (room >= s->bytes)
		return PD_CHANGED;
	pd_inhibit(ctx, "the files could not be put back",
		   pd_format(ctx, "%s has %" PRId64 " MiB free, %" PRId64 " MiB are "
			     "needed", args->to, room >> 20, s->bytes >> 20),
		   "make room there");
	return PD_REFUSED;
}

int restore_check(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct selection s = { 0 };
	struct stat st = { 0 };
	int status = bundle_check_paths(ctx, &args->paths, "paths");

	if (status < 0)
		return status;
	if (args->exact && args->paths.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "exact needs paths: name the folders "
			       "in which nothing else may stay");
	if (stat(args->archive, &st) != 0) {
		pd_log(ctx, PD_LOG_INFO, "%s is not there yet", args->archive);
		return PD_CHANGED;
	}
	pd_expect(ctx, 1 + 3 * st.st_size / ((int64_t)20 << 20));
	if (stat(args->to, &st) != 0)
		return PD_CHANGED;
	if (enter(ctx, args->to) < 0)
		return PD_FAILED;
	status = selection_make(ctx, args->archive, &args->paths, &s);
	if (status == 0)
		status = compare_all(ctx, args, &s);
	selection_free(&s);
	return status;
}

/* ------------------------------------------------------------------- apply */

/* A folder that becomes a file has to go with all that is in it. */
static int store_replaced(struct pd_ctx *ctx, const struct selection *s,
			  struct store *store)
{
	const char *to = root_of(ctx);
	const char *p = s->text.data;
	int status = 0;

	for (size_t i = 0; i < s->count && status >= 0; i++, p += strlen(p) + 1) {
		char path[PATH_MAX];
		struct bundle_file file = { 0 };
		struct stat st = { 0 };

		if (snprintf(path, sizeof(path), "%s/%s", to, p + 1) >= (int)sizeof(path))
			return pd_fail(ctx, PD_FAILED, "the path %s is too long", path);
		if (!look_at(path, &st))
			bundle_text_add(&store->created, p + 1, strlen(p + 1) + 1);
		else if (S_ISDIR(st.st_mode) && *p != 'd')
			status = walk_extra(ctx, path, 0, NULL, store_object, store);
		else if (!S_ISSOCK(st.st_mode))
			status = bundle_add_path(&store->b, path, &st, &file);
	}
	return status;
}

static int write_store(struct pd_ctx *ctx, const struct restore_args *args,
		       const struct selection *s, struct store *store)
{
	const char *created = pd_format(ctx, "%s/created", ctx->work_dir);
	const char *removed = pd_format(ctx, "%s/removed", ctx->work_dir);
	const char *bundle = pd_format(ctx, "%s/replaced.tar.zst", ctx->work_dir);
	int status = bundle_create(&store->b, ctx, bundle, BUNDLE_ZSTD);

	if (status == 0)
		status = store_replaced(ctx, s, store);
	if (status == 0)
		status = each_extra(ctx, args, s, store_object, store);
	if (status == 0)
		status = bundle_finish(&store->b);
	if (status < 0)
		return status;
	if (pd_write_file(ctx, created, 0600, store->created.data,
			  store->created.len) < 0 ||
	    pd_write_file(ctx, removed, 0600, store->removed.data,
			  store->removed.len) < 0)
		return PD_FAILED;
	if (pd_remember(ctx, "removals", pd_format(ctx, "%zu", store->removals)) < 0)
		return PD_FAILED;
	/* last: from here on the disk may be changed */
	return pd_remember(ctx, "store", bundle);
}

static int make_store(struct pd_ctx *ctx, const struct restore_args *args,
		      const struct selection *s)
{
	struct store store = { .b.fd = -1 };
	int status = 0;

	if (pd_recall(ctx, "store"))
		return 0;
	status = write_store(ctx, args, s, &store);
	bundle_free(&store.b);
	bundle_text_free(&store.created);
	bundle_text_free(&store.removed);
	return status;
}

static int remove_one(struct pd_ctx *ctx, const char *path, bool must)
{
	if (remove(path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (must)
		return pd_fail(ctx, PD_FAILED, "can't remove %s: %s", path,
			       strerror(errno));
	pd_log(ctx, PD_LOG_WARN, "%s stays: %s", path, strerror(errno));
	return 0;
}

static int remove_extra(struct pd_ctx *ctx)
{
	size_t len = 0;
	const char *list = pd_read_file(ctx, pd_format(ctx, "%s/removed", ctx->work_dir),
					(size_t)1 << 30, &len);
	int status = 0;

	if (!list)
		return pd_fail(ctx, PD_FAILED, "can't read the list of files to remove "
			       "in %s: %s", ctx->work_dir, strerror(errno));
	for (const char *p = list; p < list + len && status == 0; p += strlen(p) + 1)
		status = remove_one(ctx, p, true);
	return status;
}

static void sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	syncfs(fd);
	close(fd);
}

int restore_apply(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct bundle_report report = { 0 };
	struct selection s = { 0 };
	int status = bundle_verify(ctx, args->archive, NULL, &report);

	if (status < 0)
		return status;
	if (store_make_folder(ctx, pd_format(ctx, "%s/", args->to)) < 0 ||
	    enter(ctx, args->to) < 0)
		return PD_FAILED;
	status = selection_make(ctx, args->archive, &args->paths, &s);
	if (status == 0)
		status = make_store(ctx, args, &s);
	if (status == 0)
		status = remove_extra(ctx);
	if (status == 0)
		status = selection_extract(ctx, args->archive, &s);
	sync_folder(args->to);
	if (status == 0 &&
	    (pd_output(ctx, "files", pd_format(ctx, "%zu", s.count)) < 0 ||
	     pd_output(ctx, "removed", pd_recall(ctx, "removals")) < 0))
		status = PD_FAILED;
	selection_free(&s);
	return status < 0 ? status : PD_CHANGED;
}

/* Nothing of what was selected may differ from the archive. */
static int prove(struct pd_ctx *ctx, const char *archive, const struct selection *s)
{
	const char *first = NULL;
	int64_t different = selection_compare(ctx, archive, s, &first);

	if (different < 0)
		return (int)different;
	if (different == 0)
		return PD_UNCHANGED;
	return pd_fail(ctx, PD_FAILED, "%" PRId64 " of %zu members of %s are not on the "
		       "disk as in the archive; the first is %s", different, s->count,
		       archive, first);
}

int restore_verify(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct selection s = { 0 };
	int64_t extra = 0;
	int status = enter(ctx, args->to);

	if (status == 0)
		status = selection_make(ctx, args->archive, &args->paths, &s);
	if (status == 0)
		status = prove(ctx, args->archive, &s);
	if (status == 0)
		status = each_extra(ctx, args, &s, count_extra, &extra);
	if (status == 0 && extra > 0)
		status = pd_fail(ctx, PD_FAILED, "%" PRId64 " files or folders are still "
				 "there that are not in %s", extra, args->archive);
	selection_free(&s);
	return status;
}

/* -------------------------------------------------------------------- undo */

/* What restore made goes, children first; a folder that something else was
 * put in since stays, and that is said. */
static int remove_created(struct pd_ctx *ctx, const char *to)
{
	size_t len = 0;
	const char *list = pd_read_file(ctx, pd_format(ctx, "%s/created", ctx->work_dir),
					(size_t)1 << 30, &len);

	if (!list)
		return pd_fail(ctx, PD_FAILED, "can't read the list of new files in %s: "
			       "%s", ctx->work_dir, strerror(errno));
	if (enter(ctx, to) < 0)
		return PD_FAILED;
	for (size_t end = len; end > 0;) {
		size_t start = end - 1;

		while (start > 0 && list[start - 1] != '\0')
			start--;
		if (remove_one(ctx, list + start, false) < 0)
			return PD_FAILED;
		end = start;
	}
	return 0;
}

int restore_undo(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	const char *store = pd_recall(ctx, "store");
	const struct pd_list everything = { 0 };
	struct bundle_report report = { 0 };
	struct selection s = { 0 };
	int status = 0;

	if (!store)
		return PD_UNCHANGED;
	status = bundle_verify(ctx, store, NULL, &report);
	if (status == 0)
		status = remove_created(ctx, args->to);
	if (status == 0)
		status = enter(ctx, "/");
	if (status == 0)
		status = selection_make(ctx, store, &everything, &s);
	if (status == 0)
		status = selection_extract(ctx, store, &s);
	sync_folder(args->to);
	if (status == 0)
		status = prove(ctx, store, &s);
	selection_free(&s);
	return status < 0 ? status : PD_CHANGED;
}
