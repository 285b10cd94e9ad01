/* SPDX-License-Identifier: MIT */
/* Text logs below /var/log: exports them, takes out exactly what was exported
 * while their writers go on writing, and puts it back. */
#include "eventlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/*
 * A log is cleared without a moment in which an appended line could be lost:
 * the file system cuts the exported blocks out of the front (COLLAPSE_RANGE,
 * atomic for those who append), and the rest of the exported text, less than
 * a block, is overwritten in place by one line that says where it went, the
 * pad.  Undo inserts the blocks again and fills all in from the archive.
 */
#define PAD_MIN 64

/* Databases, logs that later steps read, and what logrotate has put away. */
static const char *const never_cleared[] = {
	"*/wtmp*", "*/btmp*", "*/lastlog*", "*/faillog*", "*/tallylog*",
	"*/wtmpdb*", "*.journal", "*.journal~", "*.db", "*.tdb",
	"*/apt/*", "*/dpkg.log*", "*/alternatives.log*", "*/unattended-upgrades/*",
	"*/dnf*.log*", "*/yum.log*", "*/zypp/*", "*/installer/*", "*/patchday/*",
	"*.gz", "*.xz", "*.bz2", "*.zst", "*.[0-9]", "*.[0-9][0-9]",
	"*-20[0-9][0-9][0-9][0-9][0-9][0-9]", NULL
};

static bool may_clear(const char *path, const struct pd_list *keep)
{
	for (size_t i = 0; never_cleared[i]; i++)
		if (fnmatch(never_cleared[i], path, 0) == 0)
			return false;
	for (size_t i = 0; i < keep->len; i++)
		if (fnmatch(keep->items[i], path, 0) == 0)
			return false;
	return !strchr(path, '\n');
}

/* --------------------------------------------------------------- exporting */

bool log_hash(int fd, int64_t from, int64_t to, char hex[BUNDLE_HEX],
		       bool *binary)
{
	static unsigned char buffer[1 << 17];
	crypto_hash_sha256_state sum;

	crypto_hash_sha256_init(&sum);
	while (from < to) {
		size_t want = to - from < (int64_t)sizeof(buffer) ? (size_t)(to - from)
								  : sizeof(buffer);
		ssize_t n = pread(fd, buffer, want, from);

		if (n <= 0)
			return false;
		if (binary && memchr(buffer, '\0', (size_t)n))
			*binary = true;
		crypto_hash_sha256_update(&sum, buffer, (size_t)n);
		from += n;
	}
	bundle_hex(&sum, hex);
	return true;
}

/* How many of the exported bytes can't be cut out in whole blocks. */
static int64_t pad_size(int fd, int64_t bytes)
{
	struct statvfs fs = { 0 };
	int64_t block = fstatvfs(fd, &fs) == 0 ? (int64_t)fs.f_bsize : 4096;
	int64_t cut = (bytes - 1) / block * block;

	if (bytes - cut < PAD_MIN && cut > 0)
		cut -= block;
	return bytes - cut;
}

static void note_log(const char *path, const struct bundle_file *file,
		     struct bundle_text *list)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char start[BUNDLE_HEX];
	char tail[BUNDLE_HEX];
	struct stat st = { 0 };
	bool binary = false;
	int64_t pad = 0;
	int64_t head = file->bytes < 65536 ? file->bytes : 65536;

	if (fd < 0 || fstat(fd, &st) != 0)
		goto out;
	pad = pad_size(fd, file->bytes);
	if (log_hash(fd, 0, head, start, &binary) &&
	    log_hash(fd, file->bytes - pad, file->bytes, tail, &binary) && !binary)
		bundle_text_printf(list, "%" PRId64 " %" PRId64 " %llu %llu %s %s %s\n",
				   file->bytes, pad, (unsigned long long)st.st_dev,
				   (unsigned long long)st.st_ino, file->sha256, tail,
				   path);
out:
	if (fd >= 0)
		close(fd);
}

static bool passed_over(const FTSENT *f, const char *skip)
{
	if (f->fts_info == FTS_D && strcmp(f->fts_path, "/var/log/journal") == 0)
		return true;
	return f->fts_info == FTS_D && skip && strcmp(f->fts_path, skip) == 0;
}

/* The folder of all archives: <place>/<run>/<archive> without the last two. */
static const char *place_of(const struct bundle *b)
{
	const char *end = strrchr(b->path, '/');

	while (end > b->path && *--end != '/')
		;
	return pd_format(b->ctx, "%.*s", (int)(end - b->path), b->path);
}

int logs_add(struct bundle *b, const char *path, const struct pd_list *keep,
	     struct bundle_text *list)
{
	const char *skip = place_of(b);
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *f = NULL;
	int status = 0;

	while (fts && status == 0 && (f = fts_read(fts))) {
		struct bundle_file file = { 0 };

		if (passed_over(f, skip)) {
			fts_set(fts, f, FTS_SKIP);
			continue;
		}
		if (f->fts_info != FTS_D && f->fts_info != FTS_F)
			continue;
		status = bundle_add_path(b, f->fts_path, f->fts_statp, &file);
		if (status == 0 && list && !file.link && file.bytes >= PAD_MIN &&
		    may_clear(f->fts_path, keep))
			note_log(f->fts_path, &file, list);
	}
	if (fts)
		fts_close(fts);
	return status;
}

int64_t logs_size(struct pd_ctx *ctx, const char *path)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *f = NULL;
	int64_t bytes = 0;

	while (fts && (f = fts_read(fts))) {
		if (passed_over(f, NULL))
			fts_set(fts, f, FTS_SKIP);
		else if (f->fts_info == FTS_F)
			bytes += f->fts_statp->st_size + 1024;
		pd_progress(ctx, 0, 0, "looking at the logs");
	}
	if (fts)
		fts_close(fts);
	return bytes;
}

/* ---------------------------------------------------------------- clearing */

bool log_next(struct pd_ctx *ctx, const char **list, struct log_row *row)
{
	int at = 0;

	if (!**list)
		return false;
	if (sscanf(*list, "%" SCNd64 " %" SCNd64 " %llu %llu %64s %64s %n", &row->bytes,
		   &row->pad, &row->device, &row->inode, row->sha256, row->tail, &at) != 6)
		return false;
	*list += at;
	row->path = pd_format(ctx, "%.*s", (int)strcspn(*list, "\n"), *list);
	*list += strcspn(*list, "\n");
	*list += **list == '\n';
	return true;
}

char *log_pad(const struct log_row *row, const char *archive)
{
	char *pad = malloc((size_t)row->pad + 1);
	int len = 0;

	if (!pad)
		abort();
	memset(pad, ' ', (size_t)row->pad);
	len = snprintf(pad, (size_t)row->pad, "patchday: %" PRId64 " bytes of this log "
		       "are now in %s", row->bytes, archive);
	if (len < row->pad)
		pad[len] = ' ';
	pad[row->pad - 1] = '\n';
	pad[row->pad] = '\0';
	return pad;
}

static bool pad_at(int fd, const struct log_row *row, const char *pad, int64_t at)
{
	char *found = malloc((size_t)row->pad + 1);
	bool same = false;

	if (!found)
		abort();
	same = pread(fd, found, (size_t)row->pad, at) == row->pad &&
	       memcmp(found, pad, (size_t)row->pad) == 0;
	free(found);
	return same;
}

enum log_state log_look(int fd, const struct log_row *row, const char *pad)
{
	char hex[BUNDLE_HEX];

	if (pad_at(fd, row, pad, 0))
		return LOG_CLEARED;
	if (pad_at(fd, row, pad, row->bytes - row->pad))
		return LOG_INSERTED;
	if (log_hash(fd, 0, row->bytes, hex, NULL) && strcmp(hex, row->sha256) == 0)
		return LOG_UNTOUCHED;
	if (log_hash(fd, 0, row->pad, hex, NULL) && strcmp(hex, row->tail) == 0)
		return LOG_CUT;
	return LOG_OTHER;
}

/* Somebody who writes at a place of his own, not at the end, would leave a
 * hole in a file that gets shorter. */
static bool writes_in_place(const char *process, const char *fd)
{
	char path[300];
	char line[64];
	unsigned long flags = 0;
	FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", process, fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "flags: %lo", &flags) == 1)
			break;
	if (file)
		fclose(file);
	return (flags & O_ACCMODE) != O_RDONLY && !(flags & O_APPEND);
}

static bool process_writes(const char *process, const struct log_row *row)
{
	char path[300];
	const struct dirent *d = NULL;
	bool found = false;
	DIR *dir = NULL;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		struct stat st = { 0 };

		if (fstatat(dirfd(dir), d->d_name, &st, 0) == 0 &&
		    st.st_ino == row->inode && st.st_dev == row->device)
			found = writes_in_place(process, d->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The process that writes the log other than by appending; NULL: none. */
static const char *find_writer(struct pd_ctx *ctx, const struct log_row *row)
{
	const struct dirent *d = NULL;
	const char *found = NULL;
	DIR *dir = opendir("/proc");

	while (dir && !found && (d = readdir(dir)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
		    strtol(d->d_name, NULL, 10) != getpid() &&
		    process_writes(d->d_name, row))
			found = pd_format(ctx, "%s", d->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* 0 done, 1 the log stays as it is. */
static int clear_open_log(struct pd_ctx *ctx, int fd, const struct log_row *row,
			  const char *pad)
{
	enum log_state state = log_look(fd, row, pad);
	const char *writer = NULL;

	if (state == LOG_CLEARED)
		return 0;
	if (state == LOG_OTHER || state == LOG_INSERTED) {
		pd_log(ctx, PD_LOG_WARN, "%s was rewritten after it had been exported "
		       "and stays as it is", row->path);
		return 1;
	}
	writer = state == LOG_UNTOUCHED ? find_writer(ctx, row) : NULL;
	if (writer) {
		pd_log(ctx, PD_LOG_WARN, "%s stays as it is: process %s writes it "
		       "without appending", row->path, writer);
		return 1;
	}
	if (state == LOG_UNTOUCHED && row->bytes > row->pad &&
	    fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, row->bytes - row->pad) != 0) {
		pd_log(ctx, PD_LOG_WARN, "%s stays as it is: the file system can't cut "
		       "off its front: %s", row->path, strerror(errno));
		return 1;
	}
	if (pwrite(fd, pad, (size_t)row->pad, 0) != row->pad || fsync(fd) != 0)
		return pd_fail(ctx, PD_FAILED, "can't write to %s: %s", row->path,
			       strerror(errno));
	return 0;
}

/* Opened for what it was when it was exported; -1: it is another file now. */
int log_open(const char *path, const struct log_row *row, int flags)
{
	int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_ino == row->inode && st.st_dev == row->device)
		return fd;
	close(fd);
	return -1;
}

int logs_clear(struct pd_ctx *ctx, const char *list, const char *archive,
	       int64_t *left)
{
	struct log_row row = { 0 };
	int status = 0;

	*left = 0;
	while (status >= 0 && log_next(ctx, &list, &row)) {
		int fd = log_open(row.path, &row, O_RDWR);
		char *pad = log_pad(&row, archive);

		if (fd >= 0)
			status = clear_open_log(ctx, fd, &row, pad);
		else
			pd_log(ctx, PD_LOG_INFO, "%s was rotated or removed after it "
			       "had been exported", row.path);
		*left += status == 1;
		free(pad);
		if (fd >= 0)
			close(fd);
		if (status >= 0 && pd_canceled(ctx))
			status = pd_fail(ctx, PD_CANCELED, "stopped at %s", row.path);
	}
	return status < 0 ? status : 0;
}

int64_t logs_uncleared(struct pd_ctx *ctx, const char *list, const char *archive)
{
	struct log_row row = { 0 };
	int64_t count = 0;

	while (log_next(ctx, &list, &row)) {
		int fd = log_open(row.path, &row, O_RDONLY);
		char *pad = log_pad(&row, archive);

		if (fd >= 0) {
			count += log_look(fd, &row, pad) != LOG_CLEARED;
			close(fd);
		}
		free(pad);
	}
	return count;
}
