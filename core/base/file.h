/* SPDX-License-Identifier: MIT */
/** Files: read whole, write atomically and private, digests. */
#ifndef PD_BASE_FILE_H
#define PD_BASE_FILE_H

#include <sys/types.h>

#include "base/error.h"

/** The whole of a regular file with a NUL behind it; the caller frees.
 * NULL with *err set.  @param max bytes; a larger file is refused. */
char *pd_file_read(const char *path, size_t max, size_t *len,
		   struct pd_error **err);
/** Temporary file beside it, fsync, rename, fsync of the folder. */
bool pd_file_write(const char *path, mode_t mode, const void *data, size_t len,
		   struct pd_error **err) PD_MUST_USE;
/** Without fsync: after a power cut nobody knows what is in it. */
bool pd_file_put(const char *path, mode_t mode, const void *data, size_t len) PD_MUST_USE;
/** The same piece by piece with pd_write_all(), which may have @p failed with that errno;
 * until the end the file is as it was.  The caller closes what is begun; -1: *err is set. */
int pd_file_begin(const char *path, struct pd_error **err);
bool pd_file_end(int fd, const char *path, mode_t mode, int failed, struct pd_error **err) PD_MUST_USE;
/** Like mkdir -p; new folders get mode 0700. */
bool pd_make_folders(const char *path, struct pd_error **err) PD_MUST_USE;
bool pd_write_all(int fd, const void *data, size_t len) PD_MUST_USE; /* errno */
void pd_close_p(int *fd);
#define pd_auto_close __attribute__((cleanup(pd_close_p)))

/** SHA-256 in 64 hexadecimal digits and a NUL. */
typedef char pd_digest[65];
void pd_digest_data(const void *data, size_t len, pd_digest out);
bool pd_digest_file(const char *path, pd_digest out, int64_t *bytes,
		    struct pd_error **err) PD_MUST_USE;

#endif
