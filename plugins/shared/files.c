/* SPDX-License-Identifier: MIT */
/* files - configuration files of a service in a saved set, and back again. */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void texts_add(struct pd_ctx *ctx, struct texts *texts, const char *text)
{
	*(const char **)saved_grow(ctx, &texts->item, &texts->len, sizeof(text)) = text;
}

bool texts_have(const struct texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->len; i++)
		if (strcmp(texts->item[i], text) == 0)
			return true;
	return false;
}

int texts_output(struct pd_ctx *ctx, const char *name, const struct texts *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		if (pd_output_item(ctx, name, texts->item[i]))
			return PD_FAILED;
	return 0;
}

/* "files/etc/x" is /etc/x; what people read has no path. */
static const char *target(const struct saved_row *row)
{
	return strncmp(row->name, SET_FILES "/", sizeof(SET_FILES)) == 0 ?
		row->name + strlen(SET_FILES) : NULL;
}

static bool is_in(struct pd_ctx *ctx, const struct saved_set *set, const char *path)
{
	return saved_find(set, pd_format(ctx, SET_FILES "%s", path));
}

void files_of_set(struct pd_ctx *ctx, const struct saved_set *set, struct texts *files)
{
	for (size_t i = 0; i < set->len; i++) {
		const char *path = target(&set->row[i]);

		if (path && !texts_have(files, path))
			texts_add(ctx, files, path);
	}
}

int files_save(struct saved *s, const struct texts *files)
{
	for (size_t i = 0; i < files->len; i++)
		if (saved_add_file(s, pd_format(s->ctx, SET_FILES "%s", files->item[i]),
				   files->item[i]) < 0)
			return PD_FAILED;
	return 0;
}

int64_t files_count(const struct saved_set *set)
{
	int64_t n = 0;

	for (size_t i = 0; i < set->len; i++)
		n += target(&set->row[i]) != NULL;
	return n;
}

int files_compare(struct pd_ctx *ctx, const struct saved_set *set, files_fn *now,
		  struct texts *out)
{
	struct texts found = { 0 };

	if (now(ctx, &found))
		return PD_FAILED;
	for (size_t i = 0; i < set->len; i++) {
		const char *path = target(&set->row[i]);

		if (path && !saved_same(ctx, &set->row[i], path))
			texts_add(ctx, out, pd_format(ctx, "changed: file %s", path));
	}
	for (size_t i = 0; i < found.len; i++)
		if (!is_in(ctx, set, found.item[i]))
			texts_add(ctx, out, pd_format(ctx, "new: file %s", found.item[i]));
	return 0;
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A link stays one: what it points to is replaced. */
static int put(struct pd_ctx *ctx, const struct saved_set *set, const struct saved_row *row,
	       const char *path)
{
	char *real = is_link(path) ? realpath(path, NULL) : NULL;
	int rc = saved_put(ctx, set, row, real ? real : path);

	free(real);
	return rc;
}

static int remove_file(struct pd_ctx *ctx, const char *path)
{
	return unlink(path) == 0 || errno == ENOENT ? 0 :
		pd_fail(ctx, PD_FAILED, "can't remove %s: %s", path, strerror(errno));
}

/* Once: what a second attempt finds there may be of the first one. */
int files_remember_made(struct pd_ctx *ctx, const struct saved_set *set)
{
	const char *made = "";

	if (pd_recall(ctx, "made"))
		return 0;
	for (size_t i = 0; i < set->len; i++) {
		const char *path = target(&set->row[i]);

		if (path && access(path, F_OK) != 0)
			made = pd_format(ctx, "%s%s\n", made, path);
	}
	return pd_remember(ctx, "made", made);
}

/* One by one: what only a file that goes now has named is not ours to remove. */
static int remove_new(struct pd_ctx *ctx, const struct saved_set *set, files_fn *now)
{
	for (;;) {
		struct texts found = { 0 };
		size_t i = 0;

		if (now(ctx, &found))
			return PD_FAILED;
		while (i < found.len && is_in(ctx, set, found.item[i]))
			i++;
		if (i == found.len)
			return 0;
		if (is_link(found.item[i]))
			return pd_fail(ctx, PD_FAILED, "%s was not there when %s was saved, and is "
				       "a link, which is not made again by undo: remove it by hand",
				       found.item[i], set->folder);
		if (remove_file(ctx, found.item[i]))
			return PD_FAILED;
	}
}

int files_put_back(struct pd_ctx *ctx, const struct saved_set *set, files_fn *now)
{
	for (size_t i = 0; i < set->len; i++) {
		const char *path = target(&set->row[i]);

		if (path && !saved_same(ctx, &set->row[i], path) &&
		    put(ctx, set, &set->row[i], path))
			return PD_FAILED;
	}
	return remove_new(ctx, set, now);
}

int files_remove_made(struct pd_ctx *ctx, const struct saved_set *before)
{
	const char *made = pd_recall(ctx, "made");

	for (const char *end = NULL; made && *made; made = end + 1) {
		const char *path = NULL;

		end = strchr(made, '\n');
		path = pd_format(ctx, "%.*s", (int)(end - made), made);
		if (!is_in(ctx, before, path) && remove_file(ctx, path))
			return PD_FAILED;
	}
	return 0;
}
