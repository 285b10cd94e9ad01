/* SPDX-License-Identifier: MIT */
/* What a step has made in the second place, in its work folder. */
#include "copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)1 << 30)

static const char *path(struct pd_ctx *ctx) { return pd_format(ctx, "%s/made", ctx->work_dir); }

int made_add(struct pd_ctx *ctx, const char *lines)
{
	const char *before, *all;

	if (!*lines)
		return 0;
	before = pd_read_file(ctx, path(ctx), MOST, NULL);
	if (!before && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "cannot read %s: %s", path(ctx), strerror(errno));
	all = pd_format(ctx, "%s%s", before ? before : "", lines);
	return pd_write_file(ctx, path(ctx), 0600, all, strlen(all));
}

static int backwards(const void *a, const void *b)
{
	return -strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *made_all(struct pd_ctx *ctx, size_t *n)
{
	const char *text = pd_read_file(ctx, path(ctx), MOST, NULL), *end;
	const char **all;
	size_t lines = 0;

	for (const char *c = text; c && (c = strchr(c, '\n')); c++)
		lines++;
	all = pd_alloc_for(ctx, (lines + 1) * sizeof(*all));
	for (*n = 0; *n < lines; text = end + 1) {
		end = strchr(text, '\n');
		all[(*n)++] = pd_format(ctx, "%.*s", (int)(end - text), text);
	}
	qsort(all, lines, sizeof(*all), backwards);
	return all;
}
