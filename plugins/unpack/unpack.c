/* SPDX-License-Identifier: MIT */
/* Plugin unpack: reads compressed catalogs, known by their first bytes. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <patchday/plugin.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 65536, OUT = 1 << 18 };
enum { ZIP_END = 22 }; /* bytes of its last record, before a comment of up to 65,535 */

static int starts(const unsigned char *head, size_t len, const char *magic, size_t n)
{
	return len >= n && memcmp(head, magic, n) == 0 ? 100 : 0;
}

/* ------------------------------------------------------------------- gzip */

/* By zlib, since libarchive does not look at the check sum of gzip. */
struct gzip {
	z_stream z;
	unsigned char in[CHUNK], out[OUT];
};

static int recognize_gzip(const unsigned char *head, size_t len)
{
	return starts(head, len, "\x1f\x8b\x08", 3);
}

static int inflate_more(struct pd_ctx *ctx, struct gzip *g, bool *ended)
{
	int result;

	g->z.next_out = g->out;
	g->z.avail_out = OUT;
	result = inflate(&g->z, Z_NO_FLUSH);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return pd_fail(ctx, PD_FAILED, "the gzip data are damaged: %s",
			       g->z.msg ? g->z.msg : zError(result));
	*ended = result == Z_STREAM_END;
	return pd_unpacked(ctx, g->out, OUT - g->z.avail_out);
}

/* Members may follow each other; each has its own check sum. */
static int inflate_all(struct pd_ctx *ctx, struct gzip *g)
{
	bool ended = false;
	int64_t n;

	while ((n = pd_source_read(ctx, g->in, CHUNK)) > 0) {
		g->z.next_in = g->in;
		g->z.avail_in = (unsigned)n;
		do {
			if (ended && g->z.avail_in)
				inflateReset(&g->z);
			if (inflate_more(ctx, g, &ended) < 0)
				return PD_FAILED;
		} while (g->z.avail_in || (!g->z.avail_out && !ended));
	}
	if (n == 0 && !ended)
		return pd_fail(ctx, PD_FAILED, "the gzip data are cut short");
	return n < 0 ? PD_FAILED : 0;
}

static int unpack_gzip(struct pd_ctx *ctx)
{
	struct gzip *g = pd_alloc_for(ctx, sizeof(*g));
	int result;

	if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK)
		return pd_fail(ctx, PD_FAILED, "zlib does not start");
	result = inflate_all(ctx, g);
	inflateEnd(&g->z);
	return result;
}

/* --------------------------------------------------------- by libarchive */

struct source {
	struct pd_ctx *ctx;
	char data[CHUNK];
	unsigned char tail[2 * CHUNK + ZIP_END]; /* the last that was read, of zip */
	size_t kept;
	bool zip;
};

/* At least as much of the end as the last record of a zip archive may take. */
static void keep_tail(struct source *s, size_t len)
{
	if (s->kept + len > sizeof(s->tail)) {
		size_t drop = s->kept + len - sizeof(s->tail);

		s->kept -= drop;
		memmove(s->tail, s->tail + drop, s->kept);
	}
	memcpy(s->tail + s->kept, s->data, len);
	s->kept += len;
}

static la_ssize_t more(struct archive *a, void *user, const void **data)
{
	struct source *s = user;
	int64_t n = pd_source_read(s->ctx, s->data, CHUNK);

	*data = s->data;
	if (n < 0)
		archive_set_error(a, EIO, "the source can't be read");
	if (n > 0 && s->zip)
		keep_tail(s, (size_t)n);
	return (la_ssize_t)n;
}

/* What is behind the file in a zip archive is only its list, which nobody here reads;
 * but without its end, something of it did not come. */
static int zip_ends(struct source *s, struct archive *a)
{
	const void *data;
	la_ssize_t n;

	while ((n = more(a, s, &data)) > 0)
		continue;
	for (size_t i = 0; n == 0 && i + ZIP_END <= s->kept; i++)
		if (memcmp(s->tail + i, "PK\5\6", 4) == 0 &&
		    i + ZIP_END + s->tail[i + 20] + 256 * s->tail[i + 21] == s->kept)
			return 0;
	return pd_fail(s->ctx, PD_FAILED, "the zip data are damaged or cut short: their end is missing");
}

static int damaged(struct pd_ctx *ctx, struct archive *a, const char *what)
{
	return pd_fail(ctx, PD_FAILED, "the %s data are damaged or cut short: %s", what,
		       archive_error_string(a) ? archive_error_string(a) : "nothing is in them");
}

static int copy_entry(struct pd_ctx *ctx, struct archive *a, const char *what)
{
	const void *data = NULL;
	la_int64_t offset = 0, at = 0;
	size_t len = 0;
	int result;

	while ((result = archive_read_data_block(a, &data, &len, &offset)) == ARCHIVE_OK) {
		if (offset != at)
			return pd_fail(ctx, PD_FAILED, "the %s data have a hole", what);
		at += (la_int64_t)len;
		if (pd_unpacked(ctx, data, len) < 0)
			return PD_FAILED;
	}
	return result == ARCHIVE_EOF ? 0 : damaged(ctx, a, what);
}

/* The only file among the entries; folders don't count. */
static int copy_all(struct pd_ctx *ctx, struct archive *a, const char *what)
{
	struct archive_entry *e = NULL;
	bool found = false;
	int result;

	while ((result = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(e);
		size_t len = name ? strlen(name) : 0;

		if (archive_entry_filetype(e) == AE_IFDIR || (len && name[len - 1] == '/'))
			continue;
		if (found)
			return pd_fail(ctx, PD_FAILED, "there is more than one file in it; unpack "
				       "it and give the file that is the catalog");
		found = true;
		if (archive_entry_is_encrypted(e))
			return pd_fail(ctx, PD_FAILED, "it has a password; unpack it");
		if (copy_entry(ctx, a, what) < 0)
			return PD_FAILED;
	}
	return result == ARCHIVE_EOF && found ? 0 : damaged(ctx, a, what);
}

/* One filter, or one format, and no other that libarchive might see in it. */
static int unpack(struct pd_ctx *ctx, int filter, const char *what)
{
	struct source *s = pd_alloc_for(ctx, sizeof(*s));
	struct archive *a = archive_read_new();
	int result;

	s->ctx = ctx;
	s->zip = !filter;
	if (filter)
		result = archive_read_append_filter(a, filter) == ARCHIVE_OK ?
			 archive_read_support_format_raw(a) : ARCHIVE_FATAL;
	else
		result = archive_read_support_format_zip_streamable(a);
	if (result == ARCHIVE_OK)
		result = archive_read_open(a, s, NULL, more, NULL);
	result = result == ARCHIVE_OK ? copy_all(ctx, a, what) : damaged(ctx, a, what);
	if (s->zip && result == 0)
		result = zip_ends(s, a);
	archive_read_free(a);
	return result;
}

static int recognize_bzip2(const unsigned char *head, size_t len)
{
	return starts(head, len, "BZh", 3) && len > 3 && head[3] >= '1' && head[3] <= '9' ?
	       starts(head + 4, len - 4, "1AY&SY", 6) + starts(head + 4, len - 4, "\x17rE8P\x90", 6) : 0;
}

static int unpack_bzip2(struct pd_ctx *ctx)
{
	return unpack(ctx, ARCHIVE_FILTER_BZIP2, "bzip2");
}

static int recognize_xz(const unsigned char *head, size_t len)
{
	return starts(head, len, "\xfd" "7zXZ\0", 6);
}

static int unpack_xz(struct pd_ctx *ctx)
{
	return unpack(ctx, ARCHIVE_FILTER_XZ, "xz");
}

/* Frames that are skipped may come first. */
static int recognize_zstd(const unsigned char *head, size_t len)
{
	return len > 3 && (head[0] & 0xf0) == 0x50 && starts(head + 1, len - 1, "\x2a\x4d\x18", 3) ?
	       100 : starts(head, len, "\x28\xb5\x2f\xfd", 4);
}

static int unpack_zstd(struct pd_ctx *ctx)
{
	return unpack(ctx, ARCHIVE_FILTER_ZSTD, "zstd");
}

static int recognize_zip(const unsigned char *head, size_t len)
{
	return starts(head, len, "PK\3\4", 4);
}

static int unpack_zip(struct pd_ctx *ctx)
{
	return unpack(ctx, 0, "zip");
}

#define FILTER(n, h) static const struct pd_filter n = { PD_FILTER, .name = #n, .help = h, \
	.recognize = recognize_##n, .unpack = unpack_##n }
FILTER(gzip, "gzip files (RFC 1952), also of several members");
FILTER(bzip2, "bzip2 files");
FILTER(xz, "xz files");
FILTER(zstd, "zstd files (RFC 8878)");
FILTER(zip, "zip archives with one file in them");

static const struct pd_filter *const filters[] = { &gzip, &bzip2, &xz, &zstd, &zip, NULL };

PD_PLUGIN(.name = "unpack", .version = "1.0", .help = "read compressed catalogs", .filters = filters);
