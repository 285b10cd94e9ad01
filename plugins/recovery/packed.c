/* SPDX-License-Identifier: MIT */
/* Reads archives that are packed, or lie in another one.  libarchive does not
 * look at the check sums of gzip, so that is unpacked by zlib. */
#include "recovery.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

/* The next raw bytes, ready for zlib.  @return how many, 0 at the end, or -1. */
static int64_t refill(struct packed *p)
{
	int64_t n = p->read(p, &p->why);

	p->z.next_in = (unsigned char *)p->raw;
	p->z.avail_in = n > 0 ? (uInt)n : 0;
	return n;
}

static bool begins_gzip(const struct packed *p)
{
	return p->z.avail_in >= 2 && memcmp(p->z.next_in, "\x1f\x8b", 2) == 0;
}

/* Behind the end of what gzip has packed there may be another such, or padding. */
static int64_t unzip(struct packed *p)
{
	p->z.next_out = (unsigned char *)p->out;
	p->z.avail_out = sizeof(p->out);
	while (p->z.avail_out == sizeof(p->out)) {
		int64_t n = p->z.avail_in ? p->z.avail_in : refill(p);
		int status;

		if (n < 0 || (n == 0 && !p->open))
			return n;
		if (n == 0) {
			p->why = "it is cut off";
			return -1;
		}
		if (!p->open && !begins_gzip(p)) {
			p->z.avail_in = 0;
			continue;
		}
		p->open = true;
		status = inflate(&p->z, Z_NO_FLUSH);
		if (status == Z_STREAM_END && inflateReset(&p->z) == Z_OK)
			p->open = false;
		else if (status != Z_OK && status != Z_BUF_ERROR) {
			p->why = p->z.msg ? p->z.msg : "gzip can't be unpacked";
			return -1;
		}
	}
	return (int64_t)(sizeof(p->out) - p->z.avail_out);
}

static la_ssize_t give(struct archive *a, void *user, const void **data)
{
	struct packed *p = user;
	int64_t n = 0;

	if (!p->begun) {
		n = refill(p);
		p->begun = true;
		p->gzip = n > 0 && begins_gzip(p) && inflateInit2(&p->z, 16 + MAX_WBITS) == Z_OK;
	} else if (!p->gzip) {
		n = refill(p);
	}
	*data = p->gzip ? p->out : p->raw;
	if (p->gzip)
		n = unzip(p);
	if (n < 0 && a)
		archive_set_error(a, EIO, "%s", p->why);
	return (la_ssize_t)n;
}

static void release(struct packed *p, struct archive *a)
{
	archive_read_free(a);
	if (p->gzip)
		inflateEnd(&p->z);
}

struct archive *packed_open(struct packed *p)
{
	struct archive *a = archive_read_new();

	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive translates names */
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_tar(a);
	if (archive_read_open(a, p, NULL, give, NULL) == ARCHIVE_OK)
		return a;
	(void)pd_fail(p->ctx, PD_FAILED, "%s is no archive, or damaged: %s", p->name,
		      archive_error_string(a));
	release(p, a);
	return NULL;
}

int packed_close(struct packed *p, struct archive *a, int result)
{
	const void *rest = NULL;
	la_ssize_t n = 1;

	while (result >= 0 && n > 0)
		n = give(NULL, p, &rest);
	if (n < 0)
		result = pd_fail(p->ctx, PD_FAILED, "%s is damaged: %s", p->name, p->why);
	release(p, a);
	return result;
}

static int unreadable(struct pd_ctx *ctx, const char *of, struct archive *a)
{
	return pd_fail(ctx, PD_FAILED, "%s is damaged or cut off: %s", of, archive_error_string(a));
}

int packed_each(struct packed *p, struct archive *a, packed_fn *fn, void *user)
{
	struct archive_entry *e = NULL;
	int status;

	while ((status = archive_read_next_header(a, &e)) >= ARCHIVE_WARN && status != ARCHIVE_EOF) {
		const char *name = archive_entry_pathname(e);
		int r;

		if (!name)
			return pd_fail(p->ctx, PD_FAILED, "%s has a member without a name", p->name);
		if (pd_canceled(p->ctx))
			return pd_fail(p->ctx, PD_CANCELED, "stopped while %s was read", p->name);
		while (*name == '/' || (name[0] == '.' && name[1] == '/'))
			name++;
		r = fn(p->ctx, a, e, name, user);
		if (r < 0)
			return r;
	}
	return status == ARCHIVE_EOF ? 0 : unreadable(p->ctx, p->name, a);
}

const char *packed_text(struct packed *p, struct archive *a, size_t max, size_t *len)
{
	size_t size = 0, cap = 4096;
	char *text = pd_alloc_for(p->ctx, cap + 1);
	la_ssize_t n;

	while ((n = archive_read_data(a, text + size, cap - size)) > 0) {
		size += (size_t)n;
		if (size > max) {
			(void)pd_fail(p->ctx, PD_FAILED, "%s has a file with more than %zu bytes that is small "
				      "as rear makes it", p->name, max);
			return NULL;
		}
		if (size == cap) {
			char *larger = pd_alloc_for(p->ctx, 2 * cap + 1);

			memcpy(larger, text, size);
			text = larger;
			cap *= 2;
		}
	}
	if (n < 0) {
		(void)unreadable(p->ctx, p->name, a);
		return NULL;
	}
	text[size] = '\0';
	*len = size;
	return text;
}

/* Of what is written, a hole is zeros. */
static void feed(crypto_hash_sha256_state *sum, const void *data, size_t len, int64_t zeros)
{
	static const unsigned char none[4096];

	for (; zeros > 0; zeros -= (int64_t)sizeof(none))
		crypto_hash_sha256_update(sum, none, zeros < (int64_t)sizeof(none) ? (size_t)zeros : sizeof(none));
	crypto_hash_sha256_update(sum, data, len);
}

int packed_data(struct pd_ctx *ctx, const char *of, struct archive *a, const char **hex)
{
	crypto_hash_sha256_state sum;
	unsigned char raw[crypto_hash_sha256_BYTES];
	la_int64_t offset = 0, at = 0;
	const void *data = NULL;
	size_t len = 0;
	char *text;
	int status;

	crypto_hash_sha256_init(&sum);
	while ((status = archive_read_data_block(a, &data, &len, &offset)) == ARCHIVE_OK) {
		if (hex)
			feed(&sum, data, len, offset - at);
		at = offset + (la_int64_t)len;
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while %s was read", of);
	}
	if (status != ARCHIVE_EOF)
		return unreadable(ctx, of, a);
	if (!hex)
		return 0;
	text = pd_alloc_for(ctx, HEX);
	crypto_hash_sha256_final(&sum, raw);
	sodium_bin2hex(text, HEX, raw, sizeof(raw));
	*hex = text;
	return 0;
}
