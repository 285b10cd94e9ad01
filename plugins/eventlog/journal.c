/* SPDX-License-Identifier: MIT */
/* Reads the systemd journal: export format, cursors, closed journal files. */
#include "eventlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A member holds whole entries; a reader keeps one member in memory. */
#define CHUNK ((size_t)8 << 20)

static const char *const journal_roots[] = { "/var/log/journal", "/run/log/journal" };

static int journal_failed(struct pd_ctx *ctx, const char *what, int error)
{
	return pd_fail(ctx, PD_FAILED, "can't %s the journal: %s", what,
		       strerror(-error));
}

sd_journal *journal_open(struct pd_ctx *ctx)
{
	sd_journal *j = NULL;
	int error = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	if (error < 0) {
		journal_failed(ctx, "open", error);
		return NULL;
	}
	sd_journal_set_data_threshold(j, 0); /* fields in full length */
	return j;
}

int journal_seek_after(struct pd_ctx *ctx, sd_journal *j, const char *cursor)
{
	int error = *cursor ? sd_journal_seek_cursor(j, cursor)
			    : sd_journal_seek_head(j);

	if (error >= 0 && *cursor)
		error = sd_journal_next(j);
	if (error < 0)
		return journal_failed(ctx, "go to the saved place in", error);
	/* the entry itself may have been cleared: then this is the next one */
	if (*cursor && error > 0 && sd_journal_test_cursor(j, cursor) <= 0)
		sd_journal_previous(j);
	return 0;
}

const char *journal_field(struct pd_ctx *ctx, sd_journal *j, const char *name)
{
	const void *data = NULL;
	size_t n = strlen(name) + 1;
	size_t len = 0;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < n)
		return NULL;
	return pd_format(ctx, "%.*s", (int)(len - n), (const char *)data + n);
}

/* Anything but plain lines is written with its length in front. */
static bool plain(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)data[i] < ' ' && data[i] != '\t')
			return false;
	return true;
}

static void put_field(struct bundle_text *text, const char *data, size_t len)
{
	const char *equals = memchr(data, '=', len);
	unsigned char size[8];
	size_t n = 0;

	if (!equals || strncmp(data, "_BOOT_ID=", 9) == 0)
		return;
	if (plain(data, len)) {
		bundle_text_add(text, data, len);
	} else {
		n = len - (size_t)(equals + 1 - data);
		for (int i = 0; i < 8; i++)
			size[i] = (unsigned char)((uint64_t)n >> (8 * i));
		bundle_text_add(text, data, (size_t)(equals - data));
		bundle_text_add(text, "\n", 1);
		bundle_text_add(text, size, sizeof(size));
		bundle_text_add(text, equals + 1, n);
	}
	bundle_text_add(text, "\n", 1);
}

static int put_entry(struct pd_ctx *ctx, sd_journal *j, struct bundle_text *text,
		     char **cursor)
{
	sd_id128_t boot = SD_ID128_NULL;
	uint64_t real = 0;
	uint64_t monotonic = 0;
	const void *data = NULL;
	size_t len = 0;
	char id[SD_ID128_STRING_MAX];
	int error = 0;

	free(*cursor);
	*cursor = NULL;
	error = sd_journal_get_cursor(j, cursor);
	if (error >= 0)
		error = sd_journal_get_realtime_usec(j, &real);
	if (error >= 0)
		error = sd_journal_get_monotonic_usec(j, &monotonic, &boot);
	if (error < 0)
		return journal_failed(ctx, "read", error);
	bundle_text_printf(text, "__CURSOR=%s\n__REALTIME_TIMESTAMP=%" PRIu64
			   "\n__MONOTONIC_TIMESTAMP=%" PRIu64 "\n_BOOT_ID=%s\n",
			   *cursor, real, monotonic, sd_id128_to_string(boot, id));
	SD_JOURNAL_FOREACH_DATA(j, data, len)
		put_field(text, data, len);
	bundle_text_add(text, "\n", 1);
	return 0;
}

static int put_chunk(struct bundle *b, struct bundle_text *text, int *chunk)
{
	char name[64];
	int status = 0;

	if (text->len == 0)
		return 0;
	snprintf(name, sizeof(name), JOURNAL_META "%06d.export", ++*chunk);
	status = bundle_add_memory(b, name, text->data, text->len);
	text->len = 0;
	return status;
}

static int put_info(struct bundle *b, const struct journal_info *info)
{
	struct bundle_text text = { 0 };
	char id[SD_ID128_STRING_MAX] = "";
	sd_id128_t boot = SD_ID128_NULL;
	int status = 0;

	if (sd_id128_get_boot(&boot) >= 0)
		sd_id128_to_string(boot, id);
	bundle_text_printf(&text, "cursor=%s\nboot=%s\nentries=%" PRId64 "\n",
			   info->cursor, id, info->entries);
	status = bundle_add_memory(b, JOURNAL_INFO, text.data, text.len);
	bundle_text_free(&text);
	return status;
}

/* The last entry as of now: what comes while we read belongs to the next. */
static char *last_cursor(const struct pd_ctx *ctx)
{
	sd_journal *j = NULL;
	char *cursor = NULL;

	(void)ctx;
	if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
		return NULL;
	if (sd_journal_seek_tail(j) >= 0 && sd_journal_previous(j) > 0)
		sd_journal_get_cursor(j, &cursor);
	sd_journal_close(j);
	return cursor;
}

int journal_export(struct bundle *b, sd_journal *j, struct journal_info *info)
{
	struct bundle_text text = { 0 };
	char *end = last_cursor(b->ctx);
	char *cursor = NULL;
	int chunk = 0;
	int status = 0;
	int more = 0;

	*info = (struct journal_info){ .cursor = "" };
	while (end && status == 0 && (more = sd_journal_next(j)) > 0) {
		status = put_entry(b->ctx, j, &text, &cursor);
		info->entries++;
		if (status == 0 && text.len >= CHUNK)
			status = put_chunk(b, &text, &chunk);
		if (status == 0 && pd_canceled(b->ctx))
			status = pd_fail(b->ctx, PD_CANCELED, "stopped while the "
					 "journal was read");
		if (sd_journal_test_cursor(j, end) > 0)
			break;
	}
	if (status == 0 && more < 0)
		status = journal_failed(b->ctx, "read", more);
	if (status == 0)
		status = put_chunk(b, &text, &chunk);
	if (cursor)
		info->cursor = pd_format(b->ctx, "%s", cursor);
	else if (end) /* nothing since the place where it began */
		info->cursor = pd_format(b->ctx, "%s", end);
	if (status == 0)
		status = put_info(b, info);
	bundle_text_free(&text);
	free(cursor);
	free(end);
	return status;
}

int64_t journal_usage(struct pd_ctx *ctx)
{
	sd_journal *j = journal_open(ctx);
	uint64_t bytes = 0;

	if (!j || sd_journal_get_usage(j, &bytes) < 0)
		bytes = 0;
	if (j)
		sd_journal_close(j);
	return (int64_t)bytes;
}

int journal_rotate(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "journalctl", "--rotate", NULL };
	struct pd_command_result result = { 0 };

	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "journalctl --rotate ends with status "
			       "%d: %s", result.status, result.err);
	return 0;
}

/* Closed files have the sequence number of their first entry in their name;
 * a file that ends with ~ was closed after a crash. */
static bool closed_name(const char *name)
{
	size_t len = strlen(name);

	if (len > 9 && strcmp(name + len - 9, ".journal~") == 0)
		return true;
	return len > 8 && strcmp(name + len - 8, ".journal") == 0 && strchr(name, '@');
}

/* journald closes a rotated file a moment later, in a thread: byte 16 of its
 * header then says 2, archived.  A file that is still open is not for us. */
static bool wait_closed(struct pd_ctx *ctx, const char *path)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	size_t len = strlen(path);
	char header[17] = "";

	if (path[len - 1] == '~')
		return true;
	for (int i = 0; i < 200 && !pd_canceled(ctx); i++) {
		FILE *file = fopen(path, "re");
		bool whole = file && fread(header, sizeof(header), 1, file) == 1;

		if (file)
			fclose(file);
		if (whole && header[16] == 2)
			return true;
		nanosleep(&pause, NULL);
	}
	pd_log(ctx, PD_LOG_WARN, "%s is still open after its rotation and is not "
	       "cleared", path);
	return false;
}

static int add_files_of(struct bundle *b, const char *folder, struct bundle_text *list)
{
	DIR *dir = opendir(folder);
	const struct dirent *d = NULL;
	int status = 0;

	while (dir && status == 0 && (d = readdir(dir))) {
		const char *path = pd_format(b->ctx, "%s/%s", folder, d->d_name);
		struct bundle_file file = { 0 };
		struct stat st = { 0 };

		if (!closed_name(d->d_name) || lstat(path, &st) != 0 ||
		    !S_ISREG(st.st_mode) || !wait_closed(b->ctx, path))
			continue;
		status = bundle_add_path(b, path, &st, &file);
		if (status == 0 && !file.gone && !file.link)
			bundle_text_printf(list, "%s %lld %s\n", file.sha256,
					   (long long)file.bytes, path);
	}
	if (dir)
		closedir(dir);
	return status;
}

int journal_add_files(struct bundle *b, struct bundle_text *list)
{
	char id[SD_ID128_STRING_MAX];
	sd_id128_t machine = SD_ID128_NULL;
	int error = sd_id128_get_machine(&machine);
	int status = 0;

	if (error < 0)
		return journal_failed(b->ctx, "find the folder of", error);
	sd_id128_to_string(machine, id);
	for (size_t i = 0; i < 2 && status == 0; i++)
		status = add_files_of(b, pd_format(b->ctx, "%s/%s", journal_roots[i], id),
				      list);
	return status;
}

/* Is the file still what was exported, to the last byte? */
static bool unchanged(const char *path, long long bytes, const char *sha256)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char hex[BUNDLE_HEX] = "";
	struct stat st = { 0 };
	bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_size == bytes &&
		    log_hash(fd, 0, bytes, hex, NULL) && strcmp(hex, sha256) == 0;

	if (fd >= 0)
		close(fd);
	return same;
}

int journal_remove_files(struct pd_ctx *ctx, const char *list)
{
	char sha256[BUNDLE_HEX];
	long long bytes = 0;
	int at = 0;

	for (const char *p = list; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *path = NULL;
		struct stat st = { 0 };

		if (sscanf(p, "%64s %lld %n", sha256, &bytes, &at) != 2)
			return pd_fail(ctx, PD_FAILED, "the list of journal files in %s "
				       "can't be read", ctx->work_dir);
		path = pd_format(ctx, "%.*s", (int)strcspn(p + at, "\n"), p + at);
		if (lstat(path, &st) != 0)
			continue;
		if (!unchanged(path, bytes, sha256))
			pd_log(ctx, PD_LOG_WARN, "%s was written after it had been "
			       "exported and stays", path);
		else if (unlink(path) != 0)
			return pd_fail(ctx, PD_FAILED, "can't remove %s: %s", path,
				       strerror(errno));
	}
	return 0;
}

static int cursor_member(struct pd_ctx *ctx, struct archive *a,
			 struct archive_entry *e, void *user)
{
	struct bundle_text text = { 0 };
	char hex[BUNDLE_HEX];
	int status = 0;

	if (strcmp(archive_entry_pathname(e), JOURNAL_INFO) != 0)
		return 0;
	status = bundle_digest(ctx, a, hex, &text);
	if (status == 0)
		*(const char **)user = bundle_info(ctx, text.data, "cursor");
	bundle_text_free(&text);
	return status;
}

int export_cursor(struct pd_ctx *ctx, const char *archive, const char **cursor)
{
	int status = 0;

	*cursor = NULL;
	status = bundle_each(ctx, archive, cursor_member, cursor, NULL, NULL);
	if (status < 0 || *cursor)
		return status;
	return pd_fail(ctx, PD_FAILED, "%s is no archive of eventlog.export: it holds "
		       "no place in the journal", archive);
}
