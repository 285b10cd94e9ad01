/* SPDX-License-Identifier: MIT */
/* Reading and writing files so that a crash leaves the old or the new one. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

void pd_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

char *pd_file_read(const char *path, size_t max, size_t *len,
		   struct pd_error **err)
{
	/* a fifo in its place must not hang us */
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	pd_auto(pd_buffer) b = {0};
	struct stat st = {0};
	char chunk[65536];
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		pd_error_errno(err, "file-read", errno, "cannot read %s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		pd_error_set(err, "file-read", "cannot read %s: not a regular file", path);
		return NULL;
	}
	pd_buffer_text(&b, "");
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			pd_error_errno(err, "file-read", errno, "cannot read %s", path);
			return NULL;
		}
		if (b.len + (size_t)n > max) {
			pd_error_set(err, "file-too-large",
				     "%s is larger than %zu bytes", path, max);
			return NULL;
		}
		pd_buffer_add(&b, chunk, (size_t)n);
	}
	if (len)
		*len = b.len;
	return pd_buffer_take(&b);
}

bool pd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

#define TEMPORARY "%s.patchday-new"

/* The rename is on the disk only when the folder is. */
static bool sync_folder_of(const char *path)
{
	pd_auto_free char *copy = pd_strdup(path);
	pd_auto_close int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

/* A file without a name, so that a crash leaves nothing behind; where the file
 * system has none, one with the temporary name. */
static int open_new(const char *folder, const char *temporary)
{
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	unlink(temporary);
	return fd >= 0 ? fd : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Give it its name, if it has none yet, and then the right one. */
static bool put_in_place(int fd, const char *temporary, const char *path)
{
	pd_auto_free char *self = pd_print("/proc/self/fd/%d", fd);
	struct stat st;

	/* a name that is there by then is somebody else's */
	if (fstat(fd, &st) < 0 || (st.st_nlink == 0 &&
	    linkat(AT_FDCWD, self, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) < 0))
		return false;
	return rename(temporary, path) == 0;
}

int pd_file_begin(const char *path, struct pd_error **err)
{
	pd_auto_free char *temporary = pd_print(TEMPORARY, path), *copy = pd_strdup(path);
	int fd = open_new(dirname(copy), temporary);

	if (fd < 0)
		pd_error_errno(err, "file-write", errno, "cannot write %s", path);
	return fd;
}

static bool end_file(int fd, const char *path, mode_t mode, int failed, bool lasting, struct pd_error **err)
{
	pd_auto_free char *temporary = pd_print(TEMPORARY, path);

	if (!failed && (fchmod(fd, mode) < 0 || (lasting && fsync(fd) < 0) || !put_in_place(fd, temporary, path)))
		failed = errno;
	if (failed) {
		unlink(temporary);
		return pd_error_errno(err, "file-write", failed, "cannot write %s", path);
	}
	if (lasting && !sync_folder_of(path))
		return pd_error_errno(err, "file-write", errno,
				      "cannot write the folder of %s", path);
	return true;
}

bool pd_file_end(int fd, const char *path, mode_t mode, int failed, struct pd_error **err)
{
	return end_file(fd, path, mode, failed, true, err);
}

static bool write_file(const char *path, mode_t mode, const void *data, size_t len, bool lasting,
		       struct pd_error **err)
{
	pd_auto_close int fd = pd_file_begin(path, err);

	return fd >= 0 && end_file(fd, path, mode, pd_write_all(fd, data, len) ? 0 : errno, lasting, err);
}

bool pd_file_write(const char *path, mode_t mode, const void *data, size_t len,
		   struct pd_error **err)
{
	return write_file(path, mode, data, len, true, err);
}

bool pd_file_put(const char *path, mode_t mode, const void *data, size_t len)
{
	return write_file(path, mode, data, len, false, NULL);
}

bool pd_make_folders(const char *path, struct pd_error **err)
{
	pd_auto_free char *copy = pd_strdup(path);

	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return pd_error_errno(err, "file-write", errno,
					      "cannot make the folder %s", copy);
		*p = c;
		if (!c)
			return true;
	}
}

static void hex(const unsigned char *hash, pd_digest out)
{
	sodium_bin2hex(out, sizeof(pd_digest), hash, crypto_hash_sha256_BYTES);
}

void pd_digest_data(const void *data, size_t len, pd_digest out)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, data, len);
	hex(hash, out);
}

bool pd_digest_file(const char *path, pd_digest out, int64_t *bytes,
		    struct pd_error **err)
{
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char hash[crypto_hash_sha256_BYTES], chunk[65536];
	crypto_hash_sha256_state state;
	int64_t total = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	crypto_hash_sha256_init(&state);
	while (n > 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		crypto_hash_sha256_update(&state, chunk, (unsigned long long)n);
		total += n;
	}
	if (n < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", path);
	crypto_hash_sha256_final(&state, hash);
	hex(hash, out);
	if (bytes)
		*bytes = total;
	return true;
}
