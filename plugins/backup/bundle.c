/* SPDX-License-Identifier: MIT */
/* Writes a bundle: a compressed tar archive with a SHA-256 manifest. */
#include "bundle.h"
#include "../shared/store.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const endings[] = { ".tar.zst", ".tar.xz", ".tar.gz", ".tar", ".tar.bz2" };

void bundle_text_add(struct bundle_text *text, const void *data, size_t len)
{
	if (text->len + len + 1 > text->size) {
		size_t size = (text->len + len + 1) * 2;
		char *grown = realloc(text->data, size);

		if (!grown)
			abort();
		text->data = grown;
		text->size = size;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void bundle_text_printf(struct bundle_text *text, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	bundle_text_add(text, line, (size_t)len);
	free(line);
}

void bundle_text_free(struct bundle_text *text)
{
	free(text->data);
	*text = (struct bundle_text){ 0 };
}

void bundle_line(struct bundle_text *text, const char *hex, const char *name)
{
	/* sha256sum(1) marks a line with escapes by a backslash in front */
	if (!strpbrk(name, "\\\n\r")) {
		bundle_text_printf(text, "%s  %s\n", hex, name);
		return;
	}
	bundle_text_printf(text, "\\%s  ", hex);
	for (; *name; name++) {
		if (*name == '\n')
			bundle_text_add(text, "\\n", 2);
		else if (*name == '\r')
			bundle_text_add(text, "\\r", 2);
		else if (*name == '\\')
			bundle_text_add(text, "\\\\", 2);
		else
			bundle_text_add(text, name, 1);
	}
	bundle_text_add(text, "\n", 1);
}

void bundle_hex(crypto_hash_sha256_state *sum, char hex[BUNDLE_HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(sum, digest);
	sodium_bin2hex(hex, BUNDLE_HEX, digest, sizeof(digest));
}

const char *bundle_place(struct pd_ctx *ctx, const char *to, const char *name,
			 int compression)
{
	const char *known = pd_recall(ctx, "archive");
	const char *run = *ctx->run ? ctx->run : "no-run";
	const char *end = endings[compression];
	const char *path = NULL;
	struct stat st = { 0 };

	if (known)
		return known;
	if (!*ctx->run && ctx->dry_run)
		return NULL;
	path = pd_format(ctx, "%s/%s/%s%s", to, run, name, end);
	for (int i = 2; lstat(path, &st) == 0; i++)
		path = pd_format(ctx, "%s/%s/%s-%d%s", to, run, name, i, end);
	return path;
}

static int write_failed(struct bundle *b, const char *name)
{
	return pd_fail(b->ctx, PD_FAILED, "can't write %s into %s: %s", name,
		       b->path, archive_error_string(b->out));
}

static la_ssize_t sink(struct archive *a, void *user, const void *data,
		       size_t len)
{
	struct bundle *b = user;
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(b->fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			archive_set_error(a, errno, "%s", strerror(errno));
			return -1;
		}
		done += (size_t)n;
	}
	crypto_hash_sha256_update(&b->sum, data, len);
	b->written += (int64_t)len;
	return (la_ssize_t)len;
}

static int set_format(struct bundle *b, int compression)
{
	static int (*const filters[])(struct archive *) = {
		archive_write_add_filter_zstd, archive_write_add_filter_xz,
		archive_write_add_filter_gzip, archive_write_add_filter_none
	};

	if (archive_write_set_format_pax(b->out) != ARCHIVE_OK ||
	    archive_write_set_options(b->out, "pax:xattrheader=SCHILY") != ARCHIVE_OK ||
	    filters[compression](b->out) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(b->out, 1) != ARCHIVE_OK ||
	    archive_write_open(b->out, b, NULL, sink, NULL) != ARCHIVE_OK)
		return write_failed(b, "the header");
	return 0;
}

static int add_info(struct bundle *b)
{
	struct bundle_text text = { 0 };
	int status = 0;

	bundle_text_printf(&text, "created=%lld\nserver=%s\nrun=%s\nstep=%s\n",
			   (long long)time(NULL), b->ctx->server, b->ctx->run,
			   b->ctx->step);
	status = bundle_add_memory(b, BUNDLE_INFO, text.data, text.len);
	bundle_text_free(&text);
	return status;
}

int bundle_create(struct bundle *b, struct pd_ctx *ctx, const char *path,
		  int compression)
{
	int status = 0;

	*b = (struct bundle){ .ctx = ctx, .path = path, .fd = -1 };
	b->temp = pd_format(ctx, "%s.part", path);
	crypto_hash_sha256_init(&b->sum);
	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive translates names */
	status = store_make_folder(ctx, path);
	if (status < 0)
		return status;
	unlink(b->temp); /* of an attempt that was cut short */
	b->fd = open(b->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	if (b->fd < 0)
		return pd_fail(ctx, PD_FAILED, "can't create %s: %s", b->temp,
			       strerror(errno));
	b->out = archive_write_new();
	b->disk = archive_read_disk_new();
	b->links = archive_entry_linkresolver_new();
	if (!b->out || !b->disk || !b->links)
		abort();
	archive_read_disk_set_symlink_physical(b->disk);
	archive_read_disk_set_standard_lookup(b->disk);
	archive_entry_linkresolver_set_strategy(b->links,
						ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
	status = set_format(b, compression);
	return status < 0 ? status : add_info(b);
}

static int write_content(struct bundle *b, const char *name, const void *data,
			 size_t len)
{
	if (archive_write_data(b->out, data, len) < 0)
		return write_failed(b, name);
	b->seen += (int64_t)len;
	pd_progress(b->ctx, b->seen, b->total > b->seen ? b->total : 0, name);
	return 0;
}

int bundle_add_memory(struct bundle *b, const char *name, const void *data,
		      size_t len)
{
	struct archive_entry *entry = archive_entry_new();
	crypto_hash_sha256_state sum;
	char hex[BUNDLE_HEX];
	int status = 0;

	archive_entry_copy_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_mtime(entry, time(NULL), 0);
	if (archive_write_header(b->out, entry) < ARCHIVE_WARN)
		status = write_failed(b, name);
	else if (len > 0)
		status = write_content(b, name, data, len);
	archive_entry_free(entry);
	crypto_hash_sha256_init(&sum);
	crypto_hash_sha256_update(&sum, data, len);
	bundle_hex(&sum, hex);
	if (strcmp(name, BUNDLE_MANIFEST) != 0)
		bundle_line(&b->manifest, hex, name);
	return status;
}

/* A samba database is copied between two of its transactions: tdb(7) takes
 * write locks from this offset on. */
static void lock_database(struct bundle *b, int fd, const char *path)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 168 };
	const struct timespec pause = { .tv_nsec = 20000000 };
	size_t len = strlen(path);

	if (len < 4 || strcmp(path + len - 4, ".tdb") != 0)
		return;
	for (int i = 0; i < 100; i++) {
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return;
		nanosleep(&pause, NULL);
	}
	pd_log(b->ctx, PD_LOG_WARN, "%s is being written all the time and was "
	       "copied without a lock", path);
}

/* Exactly the number of bytes that the header has promised; a file that
 * shrinks meanwhile ends with zeros, one that grows is cut. */
static int copy_content(struct bundle *b, int fd, const char *path,
			struct bundle_file *file)
{
	crypto_hash_sha256_state sum;
	static char buffer[1 << 17];
	bool short_read = false;
	int status = 0;

	crypto_hash_sha256_init(&sum);
	for (int64_t left = file->bytes; left > 0 && status == 0;) {
		size_t want = left < (int64_t)sizeof(buffer) ? (size_t)left
							     : sizeof(buffer);
		ssize_t n = short_read ? 0 : read(fd, buffer, want);

		if (pd_canceled(b->ctx))
			return pd_fail(b->ctx, PD_CANCELED,
				       "stopped while %s was read", path);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pd_fail(b->ctx, PD_FAILED, "can't read %s: %s",
				       path, strerror(errno));
		if (n == 0) {
			memset(buffer, 0, want);
			n = (ssize_t)want;
			short_read = true;
		}
		crypto_hash_sha256_update(&sum, (unsigned char *)buffer, (size_t)n);
		status = write_content(b, path, buffer, (size_t)n);
		left -= n;
	}
	if (short_read)
		pd_log(b->ctx, PD_LOG_WARN, "%s became shorter while it was read",
		       path);
	bundle_hex(&sum, file->sha256);
	bundle_line(&b->manifest, file->sha256, path + 1);
	b->files++;
	return status;
}

static int add_entry(struct bundle *b, struct archive_entry *entry, int fd,
		     const char *path, const struct stat *st,
		     struct bundle_file *file)
{
	struct archive_entry *spare = NULL;
	int status = 0;

	archive_entry_copy_pathname(entry, path + 1);
	archive_entry_copy_sourcepath(entry, path);
	if (archive_read_disk_entry_from_file(b->disk, entry, fd, st) < ARCHIVE_OK)
		pd_log(b->ctx, PD_LOG_WARN, "%s: not all could be read about it: %s",
		       path, archive_error_string(b->disk));
	if (!S_ISDIR(st->st_mode))
		archive_entry_linkify(b->links, &entry, &spare);
	file->link = archive_entry_hardlink(entry) != NULL;
	status = archive_write_header(b->out, entry);
	if (status == ARCHIVE_WARN) /* a name that is not UTF-8 stays bytes */
		pd_log(b->ctx, PD_LOG_DEBUG, "%s: %s", path,
		       archive_error_string(b->out));
	if (status < ARCHIVE_WARN)
		return write_failed(b, path);
	if (!S_ISREG(st->st_mode) || file->link)
		return 0;
	file->bytes = st->st_size;
	return copy_content(b, fd, path, file);
}

int bundle_add_path(struct bundle *b, const char *path, const struct stat *st,
		    struct bundle_file *file)
{
	struct archive_entry *entry = NULL;
	struct stat now = *st;
	int status = 0;
	int fd = -1;

	*file = (struct bundle_file){ 0 };
	if (S_ISREG(st->st_mode)) {
		const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

		fd = open(path, flags | O_NOATIME);
		if (fd < 0 && errno == EPERM)
			fd = open(path, flags);
		file->gone = fd < 0 && (errno == ENOENT || errno == ELOOP);
		if (file->gone)
			return 0;
		if (fd < 0 || fstat(fd, &now) != 0)
			return pd_fail(b->ctx, PD_FAILED, "can't open %s: %s",
				       path, strerror(errno));
		lock_database(b, fd, path);
		fstat(fd, &now);
	}
	entry = archive_entry_new();
	status = add_entry(b, entry, fd, path, &now, file);
	archive_entry_free(entry);
	if (fd >= 0)
		close(fd);
	return status;
}

/* Side files come first: where the archive is, they are too. */
static int write_side_files(struct bundle *b)
{
	const char *manifest = pd_format(b->ctx, "%s.manifest", b->path);
	const char *digests = pd_format(b->ctx, "%s.sha256", b->path);
	struct bundle_text text = { 0 };
	crypto_hash_sha256_state sum;
	char hex[BUNDLE_HEX];
	int status = 0;

	crypto_hash_sha256_init(&sum);
	crypto_hash_sha256_update(&sum, (unsigned char *)b->manifest.data,
				  b->manifest.len);
	bundle_hex(&sum, hex);
	bundle_line(&text, b->sha256, strrchr(b->path, '/') + 1);
	bundle_line(&text, hex, strrchr(manifest, '/') + 1);
	status = pd_write_file(b->ctx, manifest, 0600, b->manifest.data,
			       b->manifest.len);
	if (status >= 0)
		status = pd_write_file(b->ctx, digests, 0600, text.data, text.len);
	bundle_text_free(&text);
	return status;
}

static int move_in_place(struct bundle *b)
{
	const char *slash = strrchr(b->path, '/');
	const char *folder = pd_format(b->ctx, "%.*s", (int)(slash - b->path), b->path);
	int fd = -1;

	if (rename(b->temp, b->path) != 0)
		return pd_fail(b->ctx, PD_FAILED, "can't rename %s to %s: %s",
			       b->temp, b->path, strerror(errno));
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return 0;
}

int bundle_finish(struct bundle *b)
{
	int status = bundle_add_memory(b, BUNDLE_MANIFEST, b->manifest.data,
				       b->manifest.len);

	if (status < 0)
		return status;
	if (archive_write_close(b->out) != ARCHIVE_OK)
		return write_failed(b, "the end");
	bundle_hex(&b->sum, b->sha256);
	if (fsync(b->fd) != 0)
		return pd_fail(b->ctx, PD_FAILED, "can't write %s to the disk: %s",
			       b->temp, strerror(errno));
	status = write_side_files(b);
	return status < 0 ? status : move_in_place(b);
}

void bundle_free(struct bundle *b)
{
	archive_write_free(b->out);
	archive_read_free(b->disk);
	archive_entry_linkresolver_free(b->links);
	if (b->fd >= 0)
		close(b->fd);
	if (b->fd >= 0)
		unlink(b->temp); /* no longer there when it was finished */
	bundle_text_free(&b->manifest);
}
