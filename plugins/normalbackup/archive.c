/* SPDX-License-Identifier: MIT */
/* archive - a backup that is an archive, or one compressed file, read to its end: only
 * what is whole can be. */
#include "normalbackup.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 18, TAR_BLOCK = 512, TAR_RECORD = 1 << 20 /* the largest that is usual */ };

/** Two readers, one behind the other: libarchive stops where an archive says that it ends, and what
 * it is packed with has its check sum behind that. */
struct reading {
	struct pd_ctx *ctx;
	const char *path;
	int fd;
	int64_t size;
	gzFile gzip;            /**< since libarchive does not look at the check sum of gzip */
	struct archive *packed; /**< any other compression; neither: the file is not compressed */
	struct archive *in;     /**< what was packed */
	struct contents *out;
	int64_t end;            /**< of the last entry's data */
	int64_t unpacked;       /**< bytes that have come of what was packed */
	char name[256];         /**< of the last entry */
	char *data;             /**< CHUNK bytes of what was unpacked */
};

static int alive(struct reading *r)
{
	int64_t at = r->gzip ? gzoffset(r->gzip) : archive_filter_bytes(r->packed ? r->packed : r->in, -1);

	pd_progress(r->ctx, at, r->size, "reading the backup");
	return pd_canceled(r->ctx) ? pd_fail(r->ctx, PD_CANCELED, "stopped while %s was read", r->path) : 0;
}

static int broken(struct reading *r, const char *where, const char *why)
{
	int64_t at = archive_filter_bytes(r->in, 0);
	const char *entry = r->out->entries ? pd_format(r->ctx, " %s entry %" PRId64 ", %s,", where, r->out->entries,
							r->name) : "";

	return against(r->ctx, pd_format(r->ctx, "%s is damaged or cut short: it breaks%s at byte %" PRId64 " of %s: %s",
					 r->path, entry, at > 0 ? at : 0,
					 r->gzip || r->packed ? "what it unpacks to" : "it", why ? why : "nothing more comes"),
		       "let the backup run again, and look at the volume that it is on");
}

/* ------------------------------------------------------------- unpacking */

/* libarchive's: so many bytes more; 0: all have come. */
static la_ssize_t more(struct archive *in, void *user, const void **data)
{
	struct reading *r = user;
	la_ssize_t n = r->gzip ? gzread(r->gzip, r->data, CHUNK) : archive_read_data(r->packed, r->data, CHUNK);
	int wrong = Z_OK;
	const char *why = r->gzip ? gzerror(r->gzip, &wrong) : archive_error_string(r->packed);
	const char *file = why ? strstr(why, ">: ") : NULL; /* zlib's name of it */

	*data = r->data;
	if (n > 0 || (n == 0 && wrong == Z_OK)) {
		r->unpacked += n;
		return n;
	}
	archive_set_error(in, EIO, "%s", file ? file + 3 : why ? why : "it can't be unpacked");
	return -1;
}

/* Those that have a check sum of their own, or an end. */
static void filters(struct archive *a)
{
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
}

/* Sets r->gzip, r->packed, or neither.  @return whether the file can be read */
static bool open_packed(struct reading *r)
{
	struct archive_entry *e;
	unsigned char head[2] = { 0 };

	if (pread(r->fd, head, sizeof(head), 0) < 0)
		return false;
	if (head[0] == 0x1f && head[1] == 0x8b) {
		r->gzip = gzdopen(dup(r->fd), "r");
		return r->gzip;
	}
	r->packed = archive_read_new();
	filters(r->packed);
	/* any file is raw data: what is wrong is what it is packed with, and is met when it is read */
	if (archive_read_open_fd(r->packed, r->fd, CHUNK) != ARCHIVE_OK || archive_filter_count(r->packed) > 1) {
		(void)archive_read_next_header(r->packed, &e);
		return true;
	}
	archive_read_free(r->packed);
	r->packed = NULL;
	return lseek(r->fd, 0, SEEK_SET) == 0;
}

/* By a zip archive's list at its end, not by what comes first: without that list it is cut short. */
static int open_in(struct reading *r)
{
	archive_read_support_format_tar(r->in);
	archive_read_support_format_cpio(r->in);
	archive_read_support_format_zip_seekable(r->in);
	if (!r->gzip && !r->packed)
		return archive_read_open_fd(r->in, r->fd, CHUNK);
	archive_read_support_format_raw(r->in);
	return archive_read_open(r->in, r, NULL, more, NULL);
}

/* --------------------------------------------------------------- reading */

static int read_entry(struct reading *r)
{
	const void *data;
	la_int64_t offset;
	size_t len;
	int status;

	while ((status = archive_read_data_block(r->in, &data, &len, &offset)) == ARCHIVE_OK) {
		r->out->bytes += (int64_t)len;
		if (alive(r) < 0)
			return PD_CANCELED;
	}
	r->end = archive_filter_bytes(r->in, 0);
	return status == ARCHIVE_EOF ? 0 : broken(r, "in", archive_error_string(r->in));
}

static bool is_tar(const struct reading *r)
{
	return (archive_format(r->in) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

/* A tar archive that was never finished may stop between two entries. */
static bool is_unfinished(const struct reading *r)
{
	return is_tar(r) && archive_filter_bytes(r->in, 0) - r->end < TAR_BLOCK;
}

/* The mark of its end is nothing but zeros, and so is a hole that a power cut has left: behind the mark there is no more
 * than what fills the last record. */
static bool goes_on(const struct reading *r)
{
	int64_t all = r->gzip || r->packed ? r->unpacked : r->size;

	return is_tar(r) && all - archive_filter_bytes(r->in, 0) >= TAR_RECORD;
}

static int read_all(struct reading *r)
{
	struct archive_entry *e;
	const void *data;
	int status;

	/* a warning is about a name that has no place in this locale */
	while ((status = archive_read_next_header(r->in, &e)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
		const char *name = archive_entry_pathname(e);

		r->out->entries++;
		snprintf(r->name, sizeof(r->name), "%s", name ? name : "?");
		if (alive(r) < 0)
			return PD_CANCELED;
		if ((status = read_entry(r)) < 0)
			return status;
	}
	r->out->raw = archive_format(r->in) == ARCHIVE_FORMAT_RAW;
	if (status != ARCHIVE_EOF)
		return broken(r, "behind", archive_error_string(r->in));
	if (!r->out->entries)
		return broken(r, "", "nothing is in it");
	if (is_unfinished(r))
		return broken(r, "behind", "the mark of its end is missing");
	while ((r->gzip || r->packed) && (status = (int)more(r->in, r, &data)) != 0)
		if (status < 0 || alive(r) < 0)
			return status < 0 ? broken(r, "behind", archive_error_string(r->in)) : PD_CANCELED;
	return goes_on(r) ? broken(r, "behind", "there is the mark of its end, and much more behind it") : 0;
}

static int not_known(struct reading *r)
{
	return against(r->ctx, pd_format(r->ctx, "%s is neither compressed nor an archive of tar, cpio or zip, or its end is "
					 "missing: nobody can tell whether it is whole", r->path),
		       "let the backup run again, or leave out the parameter read");
}

static int open_and_read(struct reading *r)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0 || !open_packed(r))
		return pd_fail(r->ctx, PD_FAILED, "cannot read %s: %s", r->path, strerror(errno));
	r->size = st.st_size;
	if (open_in(r) == ARCHIVE_OK)
		return read_all(r);
	return r->gzip || r->packed ? broken(r, "", archive_error_string(r->in)) : not_known(r);
}

int archive_read_whole(struct pd_ctx *ctx, const char *path, struct contents *out)
{
	struct reading r = { .ctx = ctx, .path = path, .out = out, .data = pd_alloc_for(ctx, CHUNK),
			     .fd = open(path, O_RDONLY | O_CLOEXEC) };
	int result;

	*out = (struct contents){ 0 };
	if (r.fd < 0)
		return pd_fail(ctx, PD_FAILED, "cannot open %s: %s", path, strerror(errno));
	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive translates names */
	r.in = archive_read_new();
	result = open_and_read(&r);
	archive_read_free(r.in);
	archive_read_free(r.packed);
	if (r.gzip)
		gzclose(r.gzip);
	close(r.fd);
	return result;
}
