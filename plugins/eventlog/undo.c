/* SPDX-License-Identifier: MIT */
/* Takes the clearing of logs back: the exported text comes in front of what
 * was written since, and closed journal files come back to their folder. */
#include "eventlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define EXTRACT_FLAGS                                                        \
	(ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | \
	 ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_NO_OVERWRITE)

struct undo {
	const char *texts;
	const char *journals;
	const char *archive;
};

/* A new file with all that the archive knows about it. */
static int extract_as(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e,
		      const char *path)
{
	struct archive *disk = archive_write_disk_new();
	int status = 0;

	archive_write_disk_set_options(disk, EXTRACT_FLAGS);
	archive_entry_copy_pathname(e, path);
	if (archive_read_extract2(a, e, disk) < ARCHIVE_WARN)
		status = pd_fail(ctx, PD_FAILED, "can't put %s back: %s", path,
				 archive_error_string(a));
	else if (archive_entry_acl_count(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) == 0)
		removexattr(path, "system.posix_acl_access"); /* inherited */
	archive_write_free(disk);
	return status;
}

/* The file under its own name, or where logrotate has moved it. */
static int find_log(struct pd_ctx *ctx, struct log_row *row)
{
	const char *slash = strrchr(row->path, '/');
	const char *folder = pd_format(ctx, "%.*s", (int)(slash - row->path), row->path);
	const struct dirent *d = NULL;
	int fd = log_open(row->path, row, O_RDWR);
	DIR *dir = fd < 0 ? opendir(folder) : NULL;

	while (fd < 0 && dir && (d = readdir(dir))) {
		const char *path = NULL;

		if (d->d_ino != row->inode)
			continue;
		path = pd_format(ctx, "%s/%s", folder, d->d_name);
		fd = log_open(path, row, O_RDWR);
		if (fd >= 0)
			row->path = path;
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int write_failed(struct pd_ctx *ctx, const struct log_row *row)
{
	return pd_fail(ctx, PD_FAILED, "can't put the exported text back into %s: %s; "
		       "it is in the archive", row->path, strerror(errno));
}

/* In ascending order and the pad last, so that LOG_INSERTED is recognised
 * until all is there. */
static int fill(struct pd_ctx *ctx, struct archive *a, int fd, const struct log_row *row)
{
	static char buffer[1 << 16];
	int64_t at = 0;

	while (at < row->bytes) {
		int64_t end = at < row->bytes - row->pad ? row->bytes - row->pad
							 : row->bytes;
		size_t want = end - at < (int64_t)sizeof(buffer) ? (size_t)(end - at)
								 : sizeof(buffer);
		la_ssize_t n = archive_read_data(a, buffer, want);

		if (n <= 0)
			return pd_fail(ctx, PD_FAILED, "the archive does not give the "
				       "text of %s: %s", row->path,
				       archive_error_string(a));
		if (pwrite(fd, buffer, (size_t)n, at) != n)
			return write_failed(ctx, row);
		at += n;
		if (at == row->bytes - row->pad && fdatasync(fd) != 0)
			return write_failed(ctx, row);
	}
	return fsync(fd) == 0 ? 0 : write_failed(ctx, row);
}

static int put_back(struct pd_ctx *ctx, struct archive *a, int fd,
		    const struct log_row *row, const char *pad, enum log_state state)
{
	char hex[BUNDLE_HEX] = "";
	int64_t cut = row->bytes - row->pad;
	int status = 0;

	if (state == LOG_CUT && pwrite(fd, pad, (size_t)row->pad, 0) != row->pad)
		return write_failed(ctx, row);
	if (state != LOG_INSERTED && cut > 0 &&
	    fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, cut) != 0)
		return write_failed(ctx, row);
	status = fill(ctx, a, fd, row);
	if (status < 0)
		return status;
	if (log_hash(fd, 0, row->bytes, hex, NULL) && strcmp(hex, row->sha256) == 0)
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s does not start with the exported text after "
		       "it was put back; somebody else writes to it", row->path);
}

static int undo_text(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e,
		     struct log_row *row, const char *archive)
{
	const char *path = row->path;
	int fd = find_log(ctx, row);
	char *pad = log_pad(row, archive);
	enum log_state state = fd >= 0 ? log_look(fd, row, pad) : LOG_OTHER;
	struct stat st = { 0 };
	int status = 0;

	if (state == LOG_CUT || state == LOG_CLEARED || state == LOG_INSERTED)
		status = put_back(ctx, a, fd, row, pad, state);
	free(pad);
	if (fd >= 0)
		close(fd);
	if (state != LOG_OTHER)
		return status;
	if (lstat(path, &st) == 0)
		path = pd_format(ctx, "%s.exported", path);
	if (lstat(path, &st) == 0)
		return 0;
	pd_log(ctx, PD_LOG_WARN, "%s is another file now; its exported text is put "
	       "into %s", row->path, path);
	return extract_as(ctx, a, e, path);
}

static bool listed(struct pd_ctx *ctx, const char *list, const char *path)
{
	return strstr(list, pd_format(ctx, " %s\n", path)) != NULL;
}

static int undo_member(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e,
		       void *user)
{
	const struct undo *undo = user;
	const char *path = pd_format(ctx, "/%s", archive_entry_pathname(e));
	const char *list = undo->texts;
	struct log_row row = { 0 };
	struct stat st = { 0 };

	if (!bundle_has_content(e))
		return 0;
	while (listed(ctx, undo->texts, path) && log_next(ctx, &list, &row))
		if (strcmp(row.path, path) == 0)
			return undo_text(ctx, a, e, &row, undo->archive);
	if (listed(ctx, undo->journals, path) && lstat(path, &st) != 0)
		return extract_as(ctx, a, e, path);
	return 0;
}

int logs_undo(struct pd_ctx *ctx, const char *texts, const char *journals,
	      const char *archive)
{
	struct undo undo = { texts, journals, archive };
	struct bundle_report report = { 0 };
	int status = bundle_verify(ctx, archive, NULL, &report);

	if (status == 0)
		status = bundle_each(ctx, archive, undo_member, &undo, NULL,
				     "putting the logs back");
	sync();
	return status;
}
