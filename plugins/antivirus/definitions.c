/* SPDX-License-Identifier: MIT */
/* Definitions as files in one folder: what is there, a copy, and the way back. */
#include "antivirus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER 512 /* of ClamAV's files .cvd and .cld */
#define BESIDE ".patchday-new"

static const char *copy_of(struct pd_ctx *ctx) { return pd_format(ctx, "%s/definitions", ctx->work_dir); }

static bool has_end(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* freshclam's own notes are no definitions. */
static int is_definition(const struct dirent *e)
{
	return *e->d_name != '.' && !has_end(e->d_name, ".dat") && !has_end(e->d_name, BESIDE);
}

/* @return how many of *names, which free_list() takes; below zero reported. */
static int list(struct pd_ctx *ctx, const char *folder, struct dirent ***names)
{
	int n = scandir(folder, names, is_definition, alphasort);

	return n >= 0 ? n : pd_fail(ctx, PD_FAILED, "folder %s with the definitions can't be read: %s",
				    folder, strerror(errno));
}

static void free_list(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* "ClamAV-VDB:build time:version:signatures:level:MD5:signature:builder:seconds"
 * in the first 512 bytes.  Others have no version, and the time of their file. */
static const char *header_version(struct pd_ctx *ctx, const char *path, int64_t *built)
{
	char head[HEADER + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, head, HEADER);
	char *field = head, *part[9] = { NULL };

	if (fd >= 0)
		close(fd);
	if (n != HEADER || strncmp(head, "ClamAV-VDB:", 11) != 0)
		return NULL;
	for (size_t i = 0; i < 9 && field; i++) {
		part[i] = field;
		field = strchr(field, ':');
		if (field)
			*field++ = '\0';
	}
	if (!part[8] || strspn(part[2], "0123456789") != strlen(part[2]))
		return NULL;
	*built = strtoll(part[8], NULL, 10);
	return pd_format(ctx, "%s", part[2]);
}

static const char *date(struct pd_ctx *ctx, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm = { 0 };
	char text[32] = "";

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
	return pd_format(ctx, "%s", text);
}

static void look_at(struct pd_ctx *ctx, const char *folder, const char *name, struct definitions *out)
{
	const char *path = pd_format(ctx, "%s/%s", folder, name), *version;
	const char *dot = strrchr(name, '.');
	struct stat st = { 0 };
	int64_t built;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	built = st.st_mtim.tv_sec;
	version = header_version(ctx, path, &built);
	out->table = pd_format(ctx, "%s%-32s %12" PRId64 "  %s  %s\n", out->table, name,
			       (int64_t)st.st_size, date(ctx, built), version ? version : "-");
	out->version = pd_format(ctx, "%s%s%.*s%s%s", out->version, *out->version ? ", " : "",
				 version ? (int)(dot - name) : (int)strlen(name), name,
				 version ? " " : "", version ? version : "");
	if (built > out->newest)
		out->newest = built;
}

int definitions_look(struct pd_ctx *ctx, const char *folder, struct definitions *out)
{
	struct dirent **names = NULL;
	int n = list(ctx, folder, &names);

	*out = (struct definitions){ "", "", 0 };
	for (int i = 0; i < n; i++)
		look_at(ctx, folder, names[i]->d_name, out);
	free_list(names, n);
	return n < 0 ? n : 0;
}

static int run(struct pd_ctx *ctx, const char *const argv[], const char *what)
{
	struct pd_command_result r = { 0 };

	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "%s: %s", what, r.err);
}

int definitions_save(struct pd_ctx *ctx, const char *folder)
{
	const char *copy = copy_of(ctx);
	const char *const away[] = { "rm", "-rf", "--", copy, NULL };
	const char *const make[] = { "cp", "-a", "--reflink=auto", "-T", "--", folder, copy, NULL };
	const char *const sync[] = { "sync", "-f", "--", copy, NULL };

	if (pd_recall(ctx, "saved"))
		return 0;
	if (run(ctx, away, "an older copy of the definitions can't be removed") < 0 ||
	    run(ctx, make, pd_format(ctx, "the definitions in %s can't be copied", folder)) < 0 ||
	    run(ctx, sync, "the copy of the definitions can't be written to the disk") < 0)
		return PD_FAILED;
	return pd_remember(ctx, "saved", "1");
}

/* Beside it and renamed, so that no scanner reads half of it. */
static int put_back(struct pd_ctx *ctx, const char *folder, const char *name)
{
	const char *path = pd_format(ctx, "%s/%s", folder, name);
	const char *beside = pd_format(ctx, "%s" BESIDE, path);
	const char *saved = pd_format(ctx, "%s/%s", copy_of(ctx), name);
	const char *const cp[] = { "cp", "-a", "--reflink=auto", "--remove-destination", "-T", "--",
				   saved, beside, NULL };

	if (run(ctx, cp, pd_format(ctx, "%s can't be restored", path)) < 0)
		return PD_FAILED;
	return rename(beside, path) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s can't be restored: %s", path, strerror(errno));
}

/* Those of @p from that are plain files: @p each of them. */
static int each(struct pd_ctx *ctx, const char *from, const char *folder,
		int (*fn)(struct pd_ctx *, const char *folder, const char *name))
{
	struct dirent **names = NULL;
	int n = list(ctx, from, &names), r = n < 0 ? n : 0;
	struct stat st = { 0 };

	for (int i = 0; r == 0 && i < n; i++)
		if (lstat(pd_format(ctx, "%s/%s", from, names[i]->d_name), &st) == 0 && S_ISREG(st.st_mode))
			r = fn(ctx, folder, names[i]->d_name);
	free_list(names, n);
	return r;
}

static int drop_new(struct pd_ctx *ctx, const char *folder, const char *name)
{
	const char *path = pd_format(ctx, "%s/%s", folder, name);

	if (access(pd_format(ctx, "%s/%s", copy_of(ctx), name), F_OK) == 0 || unlink(path) == 0 ||
	    errno == ENOENT)
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s, which was not there before, can't be removed: %s", path,
		       strerror(errno));
}

int definitions_restore(struct pd_ctx *ctx, const char *folder)
{
	struct definitions before, now;

	if (!pd_recall(ctx, "saved"))
		return PD_UNCHANGED;
	if (each(ctx, copy_of(ctx), folder, put_back) < 0 || each(ctx, folder, folder, drop_new) < 0 ||
	    definitions_look(ctx, copy_of(ctx), &before) < 0 || definitions_look(ctx, folder, &now) < 0)
		return PD_FAILED;
	return strcmp(before.table, now.table) == 0 ? PD_CHANGED :
	       pd_fail(ctx, PD_FAILED, "the definitions in %s are not as they were: they are\n%sthey were\n%s"
		       "does something else update them? see that it is held", folder, now.table,
		       before.table);
}
