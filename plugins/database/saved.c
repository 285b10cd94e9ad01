/* SPDX-License-Identifier: MIT */
/* A dump as database.dump has made it: read back, and restored. */
#include "database.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX ((size_t)64 << 20)

static int read_list(struct pd_ctx *ctx, struct dump *d)
{
	const char *path = pd_format(ctx, "%s/databases.txt", d->folder), *text = pd_read_file(ctx, path, ROWS_MAX, NULL);

	if (!text)
		return pd_fail(ctx, PD_FAILED, "can't read %s: %s", path, strerror(errno));
	d->list.items = pd_alloc_for(ctx, (strlen(text) + 2) * sizeof(*d->list.items));
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t name = strcspn(p, "\t"), file = strcspn(p + name + 1, "\n");

		d->list.items[d->list.len++] = pd_format(ctx, "%.*s", (int)name, p);
		d->list.items[d->list.len++] = pd_format(ctx, "%.*s", (int)file, p + name + 1);
	}
	return 0;
}

int dump_read(struct pd_ctx *ctx, const char *folder, struct dump *d)
{
	static const char *const argv[] = { "sha256sum", "--check", "--quiet", "--strict", DUMP_MANIFEST, NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv, .directory = folder };
	struct pd_command_result result = { 0 };

	*d = (struct dump){ .folder = folder };
	if (access(pd_format(ctx, "%s/" DUMP_MANIFEST, folder), R_OK) != 0)
		return pd_fail(ctx, PD_FAILED, "%s is no folder that database.dump has made: it has no manifest",
			       folder);
	if (pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "the dump in %s is not as it was written: %s%s", folder, result.out,
			       result.err);
	d->rows_text = pd_read_file(ctx, pd_format(ctx, "%s/rows.txt", folder), ROWS_MAX, NULL);
	return d->rows_text ? read_list(ctx, d) : pd_fail(ctx, PD_FAILED, "can't read %s/rows.txt", folder);
}

int dump_restore(const struct cluster *c, const struct dump *d, size_t i, const char *maintenance)
{
	const char *file = pd_format(c->ctx, "%s/%s", d->folder, d->list.items[i + 1]);
	const char *const argv[] = { "pg_restore", "-w", "--exit-on-error", "--create", "--dbname", maintenance,
				     file, NULL };
	struct pd_command_result result = { 0 };
	const char *why = NULL;
	int r = cluster_run(c, RUN_READS_ALL, maintenance, argv, NULL, &result, &why);

	return r <= 0 ? r : pd_fail(c->ctx, PD_FAILED, "database %s can't be restored: %s", d->list.items[i], why);
}

int dump_read_through(const struct cluster *c, const struct dump *d)
{
	for (size_t i = 0; i < d->list.len; i += 2) {
		const char *file = pd_format(c->ctx, "%s/%s", d->folder, d->list.items[i + 1]);
		const char *const argv[] = { pd_format(c->ctx, "%spg_restore", c->programs), "--file", "/dev/null", file,
					     NULL };
		struct pd_command_result result = { 0 };

		if (pd_run(c->ctx, argv, &result) < 0)
			return PD_FAILED;
		if (result.status != 0)
			return pd_fail(c->ctx, PD_FAILED, "pg_restore can't read %s: %s", file, result.err);
	}
	return 0;
}
