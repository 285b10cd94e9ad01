/* SPDX-License-Identifier: MIT */
/* program - is a program fit to be run as root? */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each part of the path as it is written, links not followed. */
static const char *walk(struct pd_ctx *ctx, const char *path)
{
	char part[PATH_MAX] = "/";
	size_t len = strlen(path);
	struct stat st = { 0 };

	for (size_t i = 1; i <= len; i++) {
		bool folder = i < len;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (lstat(part, &st) < 0)
			return pd_format(ctx, "%s: %s", part, strerror(errno));
		if (st.st_uid != 0 && st.st_uid != geteuid())
			return pd_format(ctx, "%s belongs to user %u, not to "
					 "root", part, (unsigned)st.st_uid);
		if (!S_ISLNK(st.st_mode) && (st.st_mode & 022) &&
		    !(folder && (st.st_mode & S_ISVTX)))
			return pd_format(ctx, "%s can be written by others "
					 "(mode %04o)", part,
					 (unsigned)st.st_mode & 07777);
	}
	return NULL;
}

const char *program_unfit(struct pd_ctx *ctx, const char *path)
{
	char real[PATH_MAX] = "";
	struct stat st = { 0 };
	const char *why = NULL;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return pd_format(ctx, "%s is not an absolute path", path);
	if (!realpath(path, real))
		return pd_format(ctx, "%s: %s", path, strerror(errno));
	why = walk(ctx, path);
	if (!why)
		why = walk(ctx, real);
	if (why)
		return why;
	if (stat(real, &st) < 0 || !S_ISREG(st.st_mode))
		return pd_format(ctx, "%s is no regular file", path);
	if (access(real, X_OK) < 0)
		return pd_format(ctx, "%s is not executable", path);
	return NULL;
}
