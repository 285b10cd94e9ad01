/* SPDX-License-Identifier: MIT */
/* record - what the steps of this plugin have changed in this run: each leaves
 * a file in its own folder, and driver.compare reads those of all. */
#include "driver.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RECORD "changed.txt"

int driver_explain(struct pd_ctx *ctx, const char *lines)
{
	return pd_write_file(ctx, pd_format(ctx, "%s/" RECORD, ctx->work_dir),
			     0600, lines, strlen(lines));
}

void driver_unexplain(struct pd_ctx *ctx)
{
	const char *path = pd_format(ctx, "%s/" RECORD, ctx->work_dir);

	if (unlink(path) < 0 && errno != ENOENT)
		pd_log(ctx, PD_LOG_WARN, "%s can't be removed: %s", path,
		       strerror(errno));
}

static void read_one(struct pd_ctx *ctx, const char *run, const char *step,
		     struct driver_reasons *out)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/%s/" RECORD,
						       run, step),
					(size_t)1 << 20, NULL);
	char *rest = text ? (char *)pkg_copy(ctx, text, strlen(text)) : NULL;
	char *line = NULL;

	while (rest && (line = pkg_line(&rest))) {
		struct driver_reason reason = {
			.what = pkg_field(&line, ' '), .name = line,
			.step = pd_format(ctx, "%s", step) };

		out->v = pkg_grow(ctx, out->v, out->n, &out->cap,
				  sizeof(*out->v));
		out->v[out->n++] = reason;
	}
}

void driver_reasons(struct pd_ctx *ctx, struct driver_reasons *out)
{
	const char *slash = strrchr(ctx->work_dir, '/');
	const char *run = pd_format(ctx, "%.*s", (int)(slash - ctx->work_dir),
				    ctx->work_dir);
	const struct dirent *entry = NULL;
	DIR *dir = opendir(run);

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			read_one(ctx, run, entry->d_name, out);
	if (dir)
		closedir(dir);
}
