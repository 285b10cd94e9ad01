/* SPDX-License-Identifier: MIT */
/* etc - /etc as it was: configuration files, and what scripts of packages
 * make there.  A copy is the record; what differs from it is put back. */
#include "pkg.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ETC "/etc"
#define HOLD "zz-patchday-hold.conf" /* hold.c */
#define RESUME "patchday-resume.service" /* of the run itself */

/*
 * A difference is one line: '+' a file to put back, '-' one to remove,
 * 'D' a folder to put back, 'd' one to remove if it is empty; then its path.
 *
 * Remembered: "etc_saved", there is a copy; "etc", what this step changed, as
 * far as it could say; "etc_between", what others changed while the step was
 * not running; "others_etc", what undo leaves alone.
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

/* What a run holds down comes and goes with the run: it is nobody's change. */
static bool of_the_run(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && (strcmp(name + 1, HOLD) == 0 || strcmp(name + 1, RESUME) == 0);
}

/* A folder that was there for a hold only. */
static bool for_a_hold(const char *folder)
{
	DIR *dir = opendir(folder);
	bool hold = false, more = false;

	if (!dir)
		return false;
	for (struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, HOLD) == 0)
			hold = true;
		else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			more = true;
	closedir(dir);
	return hold && !more;
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

static bool same_bytes(const char *one, const char *other)
{
	FILE *a = fopen(one, "rbe"), *b = fopen(other, "rbe");
	char in_a[4096], in_b[4096];
	size_t n = 1;
	bool same = a && b;

	while (same && n > 0) {
		n = fread(in_a, 1, sizeof(in_a), a);
		same = fread(in_b, 1, sizeof(in_b), b) == n && memcmp(in_a, in_b, n) == 0;
	}
	if (a)
		fclose(a);
	if (b)
		fclose(b);
	return same;
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* Packages built in one second can have files of one size and time: what was
 * written after the copy is compared by its bytes, too. */
static bool same(const FTSENT *copy, const char *path, const struct stat *st)
{
	const struct stat *was = copy->fts_statp;

	if (was->st_mode != st->st_mode || was->st_uid != st->st_uid ||
	    was->st_gid != st->st_gid)
		return false;
	if (S_ISDIR(was->st_mode))
		return true;
	return was->st_size == st->st_size &&
	       was->st_mtim.tv_sec == st->st_mtim.tv_sec &&
	       was->st_mtim.tv_nsec == st->st_mtim.tv_nsec &&
	       (!S_ISREG(st->st_mode) || !later(st->st_ctim, was->st_ctim) ||
		same_bytes(copy->fts_path, path));
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
	if (folder ? !there && for_a_hold(entry->fts_path) : of_the_run(path))
		return;
	if (live && !there)
		pkg_printf(out, "%c%s\n", folder ? 'd' : '-', path);
	else if (!live && (!there || !same(entry, path, &st)))
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

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static const char *recalled(struct pd_ctx *ctx, const char *key)
{
	const char *text = pd_recall(ctx, key);

	return text ? text : "";
}

/* Append the lines of @p text that are not in @p without. */
static void lines_without(struct pd_ctx *ctx, const char *text, const char *without,
			  struct pkg_text *out)
{
	char *rest = (char *)pkg_copy(ctx, text, strlen(text));
	char *line = NULL;

	while ((line = pkg_line(&rest)))
		if (!has_line(without, line))
			pkg_printf(out, "%s\n", line);
}

/* The differences but for those that others made between two tries. */
static const char *own_differences(struct pd_ctx *ctx)
{
	struct pkg_text own = { .ctx = ctx };
	const char *now = differences(ctx);

	if (!now)
		return NULL;
	lines_without(ctx, now, recalled(ctx, "etc_between"), &own);
	return own.s ? own.s : "";
}

int pkg_etc_again(struct pd_ctx *ctx)
{
	static const char *const noted[] = { "etc" };
	struct pkg_text between = { .ctx = ctx };
	const char *etc = pd_recall(ctx, "etc");
	const char *own = NULL;

	/* cut short, it could not say what it changed: then all is taken for its own */
	if (!etc)
		return 0;
	own = own_differences(ctx);
	if (!own)
		return PD_FAILED;
	pkg_printf(&between, "%s", recalled(ctx, "etc_between"));
	lines_without(ctx, own, etc, &between);
	return between.len > 0 && pd_remember(ctx, "etc_between", between.s) < 0 ?
	       PD_FAILED : pkg_forget(ctx, noted, 1);
}

int pkg_etc_note(struct pd_ctx *ctx)
{
	const char *own = NULL;

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	own = own_differences(ctx);
	return own && pd_remember(ctx, "etc", own) == 0 ? 0 : PD_FAILED;
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

/* Somebody may have removed the folder since. */
static int put_back_above(struct pd_ctx *ctx, const char *path)
{
	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		const char *folder = pkg_copy(ctx, path, (size_t)(slash - path));

		if (access(folder, F_OK) < 0 && put_back_folder(ctx, folder) < 0)
			return PD_FAILED;
	}
	return 0;
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
	if (put_back_above(ctx, path) < 0 ||
	    run(ctx, &argv, pd_format(ctx, "%s can't be restored", path)) < 0)
		return PD_FAILED;
	return rename(beside, path) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s can't be restored: %s", path,
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

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	now = differences(ctx);
	/* Cut short, apply could not say what it changed: then all of it. */
	if (now && !noted)
		noted = own_differences(ctx);
	if (!now || !noted)
		return PD_FAILED;
	/* Not again after an undo that was cut short: dpkg has been at it. */
	if (!pd_recall(ctx, "others_etc")) {
		lines_without(ctx, now, noted, &others);
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
	const char *now = NULL;

	if (!pd_recall(ctx, "etc_saved"))
		return 0;
	now = differences(ctx);
	return now ? settle_lines(ctx, now, NULL, recalled(ctx, "others_etc")) : PD_FAILED;
}
