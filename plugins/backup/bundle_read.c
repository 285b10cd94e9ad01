/* SPDX-License-Identifier: MIT */
/* Reads a bundle back and proves that it is what was written. */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A larger side file or manifest is not one of ours. */
#define SIDE_FILE_MAX ((size_t)1 << 30)

struct source {
	struct pd_ctx *ctx;
	crypto_hash_sha256_state sum;
	int fd;
	int64_t done;
	int64_t total;
	const char *text;
	char buffer[1 << 17];
};

static la_ssize_t source_read(struct archive *a, void *user, const void **data)
{
	struct source *s = user;
	ssize_t n = 0;

	do
		n = read(s->fd, s->buffer, sizeof(s->buffer));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(a, errno, "%s", strerror(errno));
		return -1;
	}
	crypto_hash_sha256_update(&s->sum, (unsigned char *)s->buffer, (size_t)n);
	s->done += n;
	if (s->text)
		pd_progress(s->ctx, s->done, s->total, s->text);
	*data = s->buffer;
	return n;
}

static int each_member(struct pd_ctx *ctx, struct archive *a, const char *path,
		       bundle_fn *fn, void *user)
{
	struct archive_entry *entry = NULL;
	int status = ARCHIVE_OK;

	while ((status = archive_read_next_header(a, &entry)) >= ARCHIVE_WARN &&
	       status != ARCHIVE_EOF) {
		int result = 0;

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while %s was read",
				       path);
		if (!archive_entry_pathname(entry))
			return pd_fail(ctx, PD_FAILED, "%s has a member without a "
				       "name; it is damaged", path);
		result = fn(ctx, a, entry, user);
		if (result < 0)
			return result;
	}
	if (status != ARCHIVE_EOF)
		return pd_fail(ctx, PD_FAILED, "%s is damaged or cut off: %s; use "
			       "another backup", path, archive_error_string(a));
	return 0;
}

static void open_formats(struct archive *a)
{
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_format_tar(a);
}

int bundle_each(struct pd_ctx *ctx, const char *path, bundle_fn *fn, void *user,
		char hex[BUNDLE_HEX], const char *text)
{
	struct source *s = pd_alloc_for(ctx, sizeof(*s));
	struct archive *a = archive_read_new();
	const void *rest = NULL;
	struct stat st = { 0 };
	int status = 0;

	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive translates names */
	s->ctx = ctx;
	s->text = text;
	crypto_hash_sha256_init(&s->sum);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) != 0) {
		status = pd_fail(ctx, PD_FAILED, "can't open the archive %s: %s",
				 path, strerror(errno));
		goto out;
	}
	s->total = st.st_size;
	open_formats(a);
	if (archive_read_open(a, s, NULL, source_read, NULL) != ARCHIVE_OK)
		status = pd_fail(ctx, PD_FAILED, "%s is no archive, or damaged or cut "
				 "off: %s", path, archive_error_string(a));
	else
		status = each_member(ctx, a, path, fn, user);
	/* what lies behind the last member belongs to the digest, too */
	while (status == 0 && hex && source_read(a, s, &rest) > 0)
		;
	if (hex)
		bundle_hex(&s->sum, hex);
out:
	archive_read_free(a);
	if (s->fd >= 0)
		close(s->fd);
	return status;
}

int bundle_check_paths(struct pd_ctx *ctx, const struct pd_list *list,
		       const char *parameter)
{
	for (size_t i = 0; i < list->len; i++) {
		const char *path = list->items[i];
		size_t len = strlen(path);

		if (*path != '/' || len < 2 || path[len - 1] == '/' ||
		    strstr(pd_format(ctx, "%s/", path), "/../"))
			return pd_fail(ctx, PD_BAD_ARGS, "%s holds \"%s\"; write an "
				       "absolute path below the root, without .. and "
				       "without a slash at the end", parameter, path);
	}
	return 0;
}

bool bundle_has_content(struct archive_entry *e)
{
	return archive_entry_filetype(e) == AE_IFREG && !archive_entry_hardlink(e);
}

static void feed_zeros(crypto_hash_sha256_state *sum, int64_t count)
{
	static const unsigned char zeros[1 << 16];

	for (; count > 0; count -= (int64_t)sizeof(zeros))
		crypto_hash_sha256_update(sum, zeros,
					  count < (int64_t)sizeof(zeros)
						  ? (size_t)count : sizeof(zeros));
}

int bundle_digest(struct pd_ctx *ctx, struct archive *a, char hex[BUNDLE_HEX],
		  struct bundle_text *content)
{
	crypto_hash_sha256_state sum;
	const void *data = NULL;
	la_int64_t offset = 0;
	int64_t at = 0;
	size_t len = 0;
	int status = 0;

	crypto_hash_sha256_init(&sum);
	while ((status = archive_read_data_block(a, &data, &len, &offset)) ==
	       ARCHIVE_OK) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while an archive "
				       "was read");
		feed_zeros(&sum, offset - at);
		crypto_hash_sha256_update(&sum, data, len);
		if (content)
			bundle_text_add(content, data, len);
		at = offset + (int64_t)len;
	}
	/* at the end the offset tells the size, with the hole that ends it */
	if (status == ARCHIVE_EOF)
		feed_zeros(&sum, offset - at);
	else
		return pd_fail(ctx, PD_FAILED, "an archive is damaged: %s; use "
			       "another backup", archive_error_string(a));
	bundle_hex(&sum, hex);
	return 0;
}

/* ------------------------------------------------------------- proving it */

struct reading {
	struct bundle_text made;   /* the manifest as the members give it */
	struct bundle_text inside; /* the manifest that is the last member */
	struct bundle_text info;
	struct bundle_report *report;
};

static int read_member(struct pd_ctx *ctx, struct archive *a,
		       struct archive_entry *e, void *user)
{
	const char *name = archive_entry_pathname(e);
	struct reading *r = user;
	char hex[BUNDLE_HEX];
	int status = 0;

	if (!bundle_has_content(e))
		return 0;
	if (strcmp(name, BUNDLE_MANIFEST) == 0)
		return bundle_digest(ctx, a, hex, &r->inside);
	status = bundle_digest(ctx, a, hex,
			       strcmp(name, BUNDLE_INFO) == 0 ? &r->info : NULL);
	if (status < 0)
		return status;
	bundle_line(&r->made, hex, name);
	r->report->files++;
	r->report->bytes += archive_entry_size(e);
	return 0;
}

/* The first line in which two manifests differ, without its digest. */
static const char *first_difference(struct pd_ctx *ctx, const char *a, const char *b)
{
	while (*a && *b) {
		size_t m = strcspn(a, "\n");
		size_t n = strcspn(b, "\n");

		if (m != n || memcmp(a, b, n) != 0)
			return pd_format(ctx, "%.*s", n > 66 ? (int)n - 66 : (int)n,
					 n > 66 ? b + 66 : b);
		a += m + (a[m] == '\n');
		b += n + (b[n] == '\n');
	}
	return *a || *b ? "the last lines" : NULL;
}

static int same_manifest(struct pd_ctx *ctx, const char *path, const char *made,
			 const char *other, const char *which)
{
	const char *where = first_difference(ctx, other ? other : "",
					     made ? made : "");

	if (!where)
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s does not fit the manifest %s: it "
		       "differs at %s; do not rely on this archive, make a new one",
		       path, which, where);
}

/* NAME.sha256 has to be exactly what the digests found here give. */
static int check_digests(struct pd_ctx *ctx, const char *path, const char *hex,
			 const char *manifest, size_t len)
{
	const char *side = pd_format(ctx, "%s.sha256", path);
	const char *found = pd_read_file(ctx, side, SIDE_FILE_MAX, NULL);
	struct bundle_text want = { 0 };
	crypto_hash_sha256_state sum;
	char digest[BUNDLE_HEX];
	bool same = false;

	if (!found)
		return pd_fail(ctx, PD_FAILED, "can't read %s, which holds the "
			       "digest of the archive: %s", side, strerror(errno));
	crypto_hash_sha256_init(&sum);
	crypto_hash_sha256_update(&sum, (const unsigned char *)manifest, len);
	bundle_hex(&sum, digest);
	bundle_line(&want, hex, strrchr(path, '/') + 1);
	bundle_line(&want, digest,
		    strrchr(pd_format(ctx, "%s.manifest", path), '/') + 1);
	same = strcmp(found, want.data) == 0;
	bundle_text_free(&want);
	if (same)
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s or its manifest was changed after it was "
		       "written: %s holds other digests; do not rely on this "
		       "archive, make a new one", path, side);
}

const char *bundle_info(struct pd_ctx *ctx, const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p && *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		if (n > len && strncmp(p, key, len) == 0 && p[len] == '=')
			return pd_format(ctx, "%.*s", (int)(n - len - 1), p + len + 1);
		p += n;
	}
	return NULL;
}

static int check_reading(struct pd_ctx *ctx, const char *path, const char *sha256,
			 struct reading *r)
{
	const char *side = pd_format(ctx, "%s.manifest", path);
	const char *created = bundle_info(ctx, r->info.data, "created");
	const char *beside = NULL;
	size_t len = 0;
	int status = 0;

	if (!r->inside.data)
		return pd_fail(ctx, PD_FAILED, "%s has no manifest in it, so it was "
			       "not finished or not made by this plugin", path);
	status = same_manifest(ctx, path, r->made.data, r->inside.data, "in it");
	if (status < 0)
		return status;
	beside = pd_read_file(ctx, side, SIDE_FILE_MAX, &len);
	if (!beside)
		return pd_fail(ctx, PD_FAILED, "can't read the manifest %s: %s",
			       side, strerror(errno));
	status = same_manifest(ctx, path, r->made.data, beside, "beside it");
	if (status < 0)
		return status;
	if (sha256 && *sha256 && strcasecmp(sha256, r->report->sha256) != 0)
		return pd_fail(ctx, PD_FAILED, "%s has the digest %s, but %s was "
			       "expected; it is another archive", path,
			       r->report->sha256, sha256);
	if (created)
		r->report->created = strtoll(created, NULL, 10);
	return check_digests(ctx, path, r->report->sha256, beside, len);
}

int bundle_verify(struct pd_ctx *ctx, const char *path, const char *sha256,
		  struct bundle_report *report)
{
	struct reading r = { .report = report };
	int status = 0;

	*report = (struct bundle_report){ 0 };
	status = bundle_each(ctx, path, read_member, &r, report->sha256,
			     "reading the archive back");
	if (status == 0)
		status = check_reading(ctx, path, sha256, &r);
	bundle_text_free(&r.made);
	bundle_text_free(&r.inside);
	bundle_text_free(&r.info);
	return status;
}
