/* SPDX-License-Identifier: MIT */
/* The payload, by libarchive: without compression, so that another version of a
 * library makes the same bytes, and nothing grows when it is unpacked. */
#include "payload.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream.h"

enum { PIECE = 1 << 16 };

/* ------------------------------------------------------------------- write */

struct sink {
	int fd;
	crypto_hash_sha256_state hash;
};

static la_ssize_t to_sink(struct archive *a, void *user, const void *data, size_t len)
{
	struct sink *s = user;

	if (s->fd >= 0 && !pd_write_all(s->fd, data, len)) {
		archive_set_error(a, errno, "it can't be written");
		return -1;
	}
	crypto_hash_sha256_update(&s->hash, data, len);
	return (la_ssize_t)len;
}

static bool to_archive(void *user, const void *data, size_t len)
{
	return archive_write_data(user, data, len) == (la_ssize_t)len;
}

static bool failed(struct archive *a, const char *path, struct pd_error **err)
{
	const char *why = archive_error_string(a);

	return pd_error_set(err, "package-content", "%s: %s", path, why ? why : "it can't be packed");
}

/* Nothing of a file but what the manifest has goes into its header. */
static bool write_file(struct archive *a, const json_t *file, struct pd_error **err)
{
	const char *path = pd_json_text(file, "path", ""), *from = pd_json_text(file, "from", "");
	int64_t bytes = pd_json_number(file, "bytes", 0);
	pd_auto_close int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct archive_entry *entry;
	pd_digest sha256 = "";
	bool ok;

	if (fd < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", from);
	entry = archive_entry_new();
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, manifest_mode(file));
	archive_entry_set_size(entry, bytes);
	archive_entry_set_mtime(entry, 0, 0);
	ok = archive_write_header(a, entry) == ARCHIVE_OK || failed(a, path, err);
	archive_entry_free(entry);
	if (!ok)
		return false;
	ok = stream(fd, 0, bytes, to_archive, a, sha256) && lseek(fd, 0, SEEK_END) == bytes;
	if (!ok && archive_errno(a))
		return failed(a, path, err);
	return (ok && strcmp(sha256, pd_json_text(file, "sha256", "")) == 0) ||
	       pd_error_set(err, "package-source", "%s has changed while it was packed", from);
}

bool payload_write(const json_t *files, int fd, pd_digest sha256, struct pd_error **err)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	struct archive *a = archive_write_new();
	struct sink s = { .fd = fd };
	bool ok = true;
	json_t *file;
	size_t i;

	crypto_hash_sha256_init(&s.hash);
	archive_write_set_format_ustar(a);
	archive_write_set_bytes_in_last_block(a, 1);
	if (archive_write_open(a, &s, NULL, to_sink, NULL) != ARCHIVE_OK)
		ok = failed(a, "the payload", err);
	json_array_foreach(files, i, file)
		ok = ok && write_file(a, file, err);
	if (ok && archive_write_close(a) != ARCHIVE_OK)
		ok = failed(a, "the payload", err);
	archive_write_fail(a); /* of what went wrong nothing more is written */
	archive_write_free(a);
	crypto_hash_sha256_final(&s.hash, hash);
	sodium_bin2hex(sha256, sizeof(pd_digest), hash, sizeof(hash));
	return ok;
}

/* -------------------------------------------------------------------- read */

struct source {
	int fd;
	off_t at;
	int64_t left;
	char piece[PIECE];
};

static la_ssize_t from_source(struct archive *a, void *user, const void **data)
{
	struct source *s = user;
	ssize_t n;

	do
		n = pread(s->fd, s->piece, s->left < PIECE ? (size_t)s->left : PIECE, s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(a, errno, "it can't be read");
		return -1;
	}
	*data = s->piece;
	s->at += n;
	s->left -= n;
	return n;
}

static bool other(const char *path, const char *why, struct pd_error **err)
{
	return pd_error_set(err, "package-content", "the archive's %s %s", path, why);
}

static bool check_header(struct archive_entry *entry, const json_t *file, struct pd_error **err)
{
	const char *path = archive_entry_pathname(entry), *wanted = pd_json_text(file, "path", "");

	if (!path || strcmp(path, wanted) != 0)
		return other(path ? path : "next file", "is not the next file of the manifest", err);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
	    archive_entry_symlink(entry))
		return other(path, "is a link, a folder or a device; a package has files alone", err);
	if ((archive_entry_mode(entry) & 07777) != manifest_mode(file))
		return other(path, "has another mode than the manifest says", err);
	return archive_entry_size(entry) == pd_json_number(file, "bytes", -1) ||
	       other(path, "has another size than the manifest says", err);
}

static bool copy_data(struct archive *a, const json_t *file, int to, struct pd_error **err)
{
	const char *path = pd_json_text(file, "path", "");
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	char piece[PIECE];
	pd_digest sha256;
	la_ssize_t n;

	crypto_hash_sha256_init(&state);
	while ((n = archive_read_data(a, piece, sizeof(piece))) > 0) {
		if (to >= 0 && !pd_write_all(to, piece, (size_t)n))
			return pd_error_errno(err, "file-write", errno, "cannot write %s", path);
		crypto_hash_sha256_update(&state, (unsigned char *)piece, (unsigned long long)n);
	}
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(sha256, sizeof(sha256), hash, sizeof(hash));
	return (n == 0 && strcmp(sha256, pd_json_text(file, "sha256", "")) == 0) ||
	       other(path, "has another SHA-256 than the manifest says", err);
}

/* The folders above a path of the manifest, below an open one. */
static bool make_above(int folder, const char *path, struct pd_error **err)
{
	pd_auto_free char *copy = pd_strdup(path);

	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(folder, copy, 0700) < 0 && errno != EEXIST)
			return pd_error_errno(err, "file-write", errno, "cannot make the folder %s", copy);
		*slash = '/';
	}
	return true;
}

static bool read_file(struct archive *a, const json_t *file, int folder, struct pd_error **err)
{
	const char *path = pd_json_text(file, "path", "");
	pd_auto_close int to = -1;

	if (folder < 0)
		return copy_data(a, file, -1, err);
	if (!make_above(folder, path, err))
		return false;
	to = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return pd_error_errno(err, "file-write", errno, "cannot write %s", path);
	return copy_data(a, file, to, err) && ((fchmod(to, manifest_mode(file)) == 0 && fsync(to) == 0) ||
		pd_error_errno(err, "file-write", errno, "cannot write %s", path));
}

static bool read_all(struct archive *a, const struct manifest *m, int folder, struct pd_error **err)
{
	struct archive_entry *entry;
	json_t *file;
	size_t i;

	json_array_foreach(m->files, i, file) {
		if (archive_read_next_header(a, &entry) != ARCHIVE_OK)
			return other(pd_json_text(file, "path", ""), "is missing, or can't be read", err);
		if (!check_header(entry, file, err) || !read_file(a, file, folder, err))
			return false;
	}
	return archive_read_next_header(a, &entry) == ARCHIVE_EOF ||
	       other("end", "is not where the manifest ends", err);
}

bool payload_read(int fd, off_t at, const struct manifest *m, int folder, struct pd_error **err)
{
	struct source s = { .fd = fd, .at = at, .left = m->bytes };
	struct archive *a = archive_read_new();
	bool ok;

	archive_read_support_format_tar(a);
	ok = archive_read_open(a, &s, NULL, from_source, NULL) == ARCHIVE_OK ?
		read_all(a, m, folder, err) : other("beginning", "is none of a tar archive", err);
	archive_read_free(a);
	return ok;
}
