/* SPDX-License-Identifier: MIT */
/* A package as one file: made, and proved. */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payload.h"
#include "report/seal.h"
#include "stream.h"

enum { SIGNATURE_MAX = 1024 };

#define COMMENT "untrusted comment: "

void box_clear(struct box *b)
{
	pd_close_p(&b->fd);
	manifest_clear(&b->manifest);
	free(b->signature);
	free(b->comment);
	b->signature = b->comment = NULL;
}

/* ------------------------------------------------------------------- prove */

bool box_prove(struct box *b, const char *line, size_t len, const char *signature, const char *key,
	       struct pd_error **err)
{
	pd_auto(pd_seal_key) k = {0};
	pd_auto_error *why = NULL;

	if (!pd_seal_read_public(key, &k, err))
		return false;
	if (!pd_seal_check(&k, line, len, signature, &b->comment, &why))
		return pd_error_set(err, "package-signature", "%s", why->message);
	memcpy(b->key, k.name, sizeof(b->key));
	return manifest_read(&b->manifest, line, len, err);
}

static bool no_package(struct pd_error **err, const char *why)
{
	return pd_error_set(err, "package-file", "it is no package: %s", why);
}

/* Length of the first @p n lines, newlines included; 0: there are not so many. */
static size_t lines(const char *text, size_t len, unsigned n)
{
	const char *end = text;

	for (; n && end; n--) {
		end = memchr(end, '\n', len - (size_t)(end - text));
		end = end ? end + 1 : NULL;
	}
	return end ? (size_t)(end - text) : 0;
}

/* As much as the head can have, or all that there is. */
static bool read_head(int fd, struct pd_buffer *head, struct pd_error **err)
{
	char piece[1 << 14];
	ssize_t n;

	while (head->len < MANIFEST_MAX + SIGNATURE_MAX &&
	       (n = pread(fd, piece, sizeof(piece), (off_t)head->len)) != 0) {
		if (n < 0 && errno != EINTR)
			return pd_error_errno(err, "file-read", errno, "it can't be read");
		if (n > 0)
			pd_buffer_add(head, piece, (size_t)n);
		if (lines(head->data, head->len, 5))
			break;
	}
	return head->data || no_package(err, "it is empty");
}

static bool prove_head(struct box *b, const char *key, struct pd_error **err)
{
	pd_auto(pd_buffer) head = {0};
	size_t first, all;

	if (!read_head(b->fd, &head, err))
		return false;
	first = lines(head.data, head.len, 4);
	all = lines(head.data, head.len, 5);
	if (first == 0 || first > SIGNATURE_MAX || memchr(head.data, '\0', first) ||
	    strncmp(head.data, COMMENT, strlen(COMMENT)) != 0)
		return no_package(err, "its first four lines are no signature");
	if (all == 0 || all - first > MANIFEST_MAX)
		return no_package(err, "its fifth line is no manifest, or has more than 4 MiB");
	b->at = (off_t)all;
	b->signature = pd_strndup(head.data, first);
	return box_prove(b, head.data + first, all - first, b->signature, key, err);
}

static bool damaged(const struct box *b, off_t bytes, struct pd_error **err)
{
	return pd_error_set(err, "package-damaged", "it has %" PRId64 " bytes, the manifest says %" PRId64,
			    (int64_t)bytes, (int64_t)b->at + b->manifest.bytes);
}

static bool prove_payload(const struct box *b, struct pd_error **err)
{
	struct stat st = {0};
	pd_digest sha256;

	if (fstat(b->fd, &st) < 0 || st.st_size != b->at + b->manifest.bytes)
		return damaged(b, st.st_size, err);
	if (!stream(b->fd, b->at, b->manifest.bytes, NULL, NULL, sha256))
		return pd_error_errno(err, "file-read", errno, "it can't be read");
	return strcmp(sha256, b->manifest.payload) == 0 ||
	       pd_error_set(err, "package-damaged", "its payload has another SHA-256 than the manifest says");
}

bool box_open(struct box *b, const char *path, const char *key, struct pd_error **err)
{
	struct stat st = {0};

	*b = (struct box){ .fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) };
	if (b->fd < 0 || fstat(b->fd, &st) < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return pd_error_set(err, "file-read", "cannot read %s: not a regular file", path);
	return (prove_head(b, key, err) && prove_payload(b, err) &&
		payload_read(b->fd, b->at, &b->manifest, -1, err)) || pd_error_prefix(err, "%s", path);
}

/* -------------------------------------------------------------------- make */

/* The rows as the manifest has them: where a file was is nobody's business. */
static json_t *rows_of(const json_t *files)
{
	json_t *rows = json_deep_copy(files), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		json_object_del(row, "from");
	return rows;
}

static bool write_box(int fd, const struct manifest *m, const json_t *files, const char *signature,
		      const char *out, struct pd_error **err)
{
	pd_digest again;

	if (fchmod(fd, 0644) < 0 || !pd_write_all(fd, signature, strlen(signature)) ||
	    !pd_write_all(fd, m->line, strlen(m->line)))
		return pd_error_errno(err, "file-write", errno, "cannot write %s", out);
	if (!payload_write(files, fd, again, err))
		return false;
	if (strcmp(again, m->payload) != 0)
		return pd_error_set(err, "package-source", "a file has changed while it was packed");
	return fsync(fd) == 0 || pd_error_errno(err, "file-write", errno, "cannot write %s", out);
}

/* A part of it never has its name. */
static bool put(const struct manifest *m, const json_t *files, const char *signature, const char *out,
		struct pd_error **err)
{
	pd_auto_free char *fresh = pd_print("%s.patchday-new", out);
	pd_auto_close int fd = -1;
	bool ok;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return pd_error_errno(err, "file-write", errno, "cannot write %s", out);
	ok = write_box(fd, m, files, signature, out, err);
	if (ok && rename(fresh, out) < 0)
		ok = pd_error_errno(err, "file-write", errno, "cannot write %s", out);
	if (!ok)
		unlink(fresh);
	return ok;
}

bool box_make(struct manifest *m, const json_t *about, const json_t *files, const char *key, const char *out,
	      struct pd_error **err)
{
	pd_auto(pd_seal_key) k = {0};
	pd_auto_free char *comment = NULL, *signature = NULL;
	json_t *json = json_deep_copy(about);
	pd_digest payload = "";

	json_object_set_new(json, "files", rows_of(files));
	if (!pd_seal_read(key, &k, err) || !payload_write(files, -1, payload, err)) {
		json_decref(json);
		return false;
	}
	json_object_set_new(json, "payload", json_pack("{s:s, s:I}", "sha256", payload, "bytes",
		(json_int_t)manifest_payload(files)));
	if (!manifest_take(m, json, err))
		return false;
	comment = pd_print("package %s %s", m->name, m->version);
	signature = pd_seal_sign(&k, m->line, strlen(m->line), comment);
	return put(m, files, signature, out, err);
}
