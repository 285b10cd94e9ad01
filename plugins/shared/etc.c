/* SPDX-License-Identifier: MIT */
/* etc - /etc as it was: configuration files, and what scripts of packages
 * make there.  A copy is the record; what differs from it is put back. */
#include "pkg.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ETC "/etc"

/*
 * A difference is one line: '+' a file to put back, '-' one to remove,
 * 'D' a folder to put back, 'd' one to remove if it is empty; then its path.
 */

static const char *copy_of(struct pd_ctx *ctx, const char *path)
{
	return pd_format(ctx, "%s/before%s", ctx->work_dir, path);
}

static int run(struct pd_ctx *ctx, struct pkg_argv *argv, const char *what)
{
	struct pd_command_result result = { 0 };

	if (pkg_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s: %s", what, result.err);
}

int pkg_etc_save(struct pd_ctx *ctx)
{
	const char *copy = copy_of(ctx, ETC);
	struct pkg_argv away = { .ctx = ctx }, make = { .ctx = ctx };
	const char *const rm[] = { "rm", "-rf", "--", copy };
	const char *const cp[] = { "cp", "-ax", "--reflink=auto", "-T", "--",
				   ETC, copy };

	if (pd_recall(ctx, "etc_saved"))
		return 0;
	for (size_t i = 0; i < sizeof(rm) / sizeof(*rm); i++)
		pkg_arg(&away, rm[i]);
	for (size_t i = 0; i < sizeof(cp) / sizeof(*cp); i++)
		pkg_arg(&make, cp[i]);
	if (pkg_make_folder(ctx, copy_of(ctx, "")) < 0 ||
	    run(ctx, &away, "an older copy of /etc can't be removed") < 0 ||
	    run(ctx, &make, "/etc can't be copied") < 0)
		return PD_FAILED;
	return pkg_sync(ctx, ctx->work_dir) < 0 ||
	       pd_remember(ctx, "etc_saved", "1") < 0 ? PD_FAILED : 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid ||
	    a->st_gid != b->st_gid)
		return false;
	return S_ISDIR(a->st_mode) ||
	       (a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
}

static void compare(struct pd_ctx *ctx, const FTSENT *entry, bool live,
		    size_t skip, struct pkg_text *out)
{
	const char *path = live ? entry->fts_path : entry->fts_path + skip;
	const char *other = live ? copy_of(ctx, path) : path;
	bool folder = S_ISDIR(entry->fts_statp->st_mode);
	struct stat st = { 0 };
	bool there = lstat(other, &st) == 0;

	if (strchr(path, '\n') || (!folder && !S_ISREG(entry->fts_statp->st_mode)
				   && !S_ISLNK(entry->fts_statp->st_mode)))
		return;
	if (live && !there)
		pkg_printf(out, "%c%s\n", folder ? 'd' : '-', path);
	else if (!live && (!there || !same(entry->fts_statp, &st)))
		pkg_printf(out, "%c%s\n", folder ? 'D' : '+', path);
}

/* Folders come before what is in them where they are put back, and after it
 * where they are removed. */
static int walk(struct pd_ctx *ctx, bool live, struct pkg_text *out)
{
	const char *copy = copy_of(ctx, "");
	char *root = (char *)pkg_copy(ctx, live ? ETC : copy_of(ctx, ETC),
				      strlen(live ? ETC : copy_of(ctx, ETC)));
	char *const roots[] = { root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry = NULL;

	if (!fts)
		return pd_fail(ctx, PD_FAILED, "%s can't be read: %s", root,
			       strerror(errno));
	while ((entry = fts_read(fts)))
		if (entry->fts_info != (live ? FTS_D : FTS_DP) &&
		    entry->fts_info != FTS_ERR && entry->fts_info != FTS_NS)
			compare(ctx, entry, live, strlen(copy), out);
	fts_close(fts);
	return 0;
}

/* @return NULL, reported, or the differences; "" none. */
static const char *differences(struct pd_ctx *ctx)
{
	struct pkg_text out = { .ctx = ctx };

	if (walk(ctx, false, &out) < 0 || walk(ctx, true, &out) < 0)
		return NULL;
	return out.s ? out.s : "";
}

int pkg_etc_note(struct pd_ctx *ctx)
{
	const char *text = NULL;

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	text = differences(ctx);
	return text && pd_remember(ctx, "etc", text) == 0 ? 0 : PD_FAILED;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

/* Put it beside and rename, so that nobody sees half of it. */
static int put_back(struct pd_ctx *ctx, const char *path)
{
	const char *beside = pd_format(ctx, "%s.patchday-new", path);
	const char *const cp[] = { "cp", "-a", "--remove-destination", "-T",
				   "--", copy_of(ctx, path), beside };
	struct pkg_argv argv = { .ctx = ctx };

	for (size_t i = 0; i < sizeof(cp) / sizeof(*cp); i++)
		pkg_arg(&argv, cp[i]);
	if (run(ctx, &argv, pd_format(ctx, "%s can't be restored", path)) < 0)
		return PD_FAILED;
	return rename(beside, path) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s can't be restored: %s", path,
		       strerror(errno));
}

static int put_back_folder(struct pd_ctx *ctx, const char *path)
{
	struct stat st = { 0 };

	if (lstat(copy_of(ctx, path), &st) == 0 &&
	    (mkdir(path, 0700) == 0 || errno == EEXIST) &&
	    lchown(path, st.st_uid, st.st_gid) == 0 &&
	    chmod(path, st.st_mode & 07777) == 0)
		return 0;
	return pd_fail(ctx, PD_FAILED, "folder %s can't be restored: %s", path,
		       strerror(errno));
}

static int settle(struct pd_ctx *ctx, const char *line)
{
	const char *path = line + 1;

	if (*line == '+')
		return put_back(ctx, path);
	if (*line == 'D')
		return put_back_folder(ctx, path);
	if ((*line == '-' ? unlink(path) : rmdir(path)) == 0 ||
	    errno == ENOENT || (*line == 'd' && errno == ENOTEMPTY))
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s, which was not there before, can't "
		       "be removed: %s", path, strerror(errno));
}

/* Lines of @p now that are in @p in (NULL: any) and not in @p out. */
static int settle_lines(struct pd_ctx *ctx, const char *now, const char *in,
			const char *out)
{
	char *rest = (char *)pkg_copy(ctx, now, strlen(now));
	char *line = NULL;

	while ((line = pkg_line(&rest)))
		if ((!in || has_line(in, line)) && !has_line(out, line) &&
		    settle(ctx, line) < 0)
			return PD_FAILED;
	return 0;
}

/* Nothing that somebody wrote after the update must get lost by undo. */
static int set_aside(struct pd_ctx *ctx, const char *lines)
{
	const char *folder = pd_format(ctx, "%s/replaced", ctx->work_dir);
	const char *const cp[] = { "cp", "-a", "--parents", "-t", folder,
				   "--" };
	struct pkg_argv argv = { .ctx = ctx };
	char *rest = (char *)pkg_copy(ctx, lines, strlen(lines));
	char *line = NULL;
	struct stat st = { 0 };

	for (size_t i = 0; i < sizeof(cp) / sizeof(*cp); i++)
		pkg_arg(&argv, cp[i]);
	while ((line = pkg_line(&rest)))
		if ((*line == '+' || *line == '-') && lstat(line + 1, &st) == 0)
			pkg_arg(&argv, line + 1);
	if (argv.n == sizeof(cp) / sizeof(*cp))
		return 0;
	return pkg_make_folder(ctx, folder) < 0 ||
	       run(ctx, &argv, "files of /etc can't be set aside") < 0 ?
	       PD_FAILED : 0;
}

int pkg_etc_begin(struct pd_ctx *ctx)
{
	const char *noted = pd_recall(ctx, "etc");
	const char *now = NULL;
	struct pkg_text others = { .ctx = ctx };
	char *rest = NULL, *line = NULL;

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	now = differences(ctx);
	if (!now)
		return PD_FAILED;
	/* Cut short, apply could not say what it changed: then all of it. */
	if (!noted)
		noted = now;
	/* Not again after an undo that was cut short: dpkg has been at it. */
	if (!pd_recall(ctx, "others_etc")) {
		rest = (char *)pkg_copy(ctx, now, strlen(now));
		while ((line = pkg_line(&rest)))
			if (!has_line(noted, line))
				pkg_printf(&others, "%s\n", line);
		if (set_aside(ctx, noted) < 0 ||
		    pd_remember(ctx, "etc", noted) < 0 ||
		    pd_remember(ctx, "others_etc",
				others.s ? others.s : "") < 0)
			return PD_FAILED;
	}
	return settle_lines(ctx, now, noted, "");
}

int pkg_etc_end(struct pd_ctx *ctx)
{
	const char *others = pd_recall(ctx, "others_etc");
	const char *now = NULL;

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	now = differences(ctx);
	return now ? settle_lines(ctx, now, NULL, others ? others : "") :
		     PD_FAILED;
}
