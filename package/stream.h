/* SPDX-License-Identifier: MIT */
/** Bytes of a file on their way: hashed, and handed on. */
#ifndef PD_PACKAGE_STREAM_H
#define PD_PACKAGE_STREAM_H

#include "base/file.h"

/** Takes the next bytes; false with errno or an error of its own. */
typedef bool stream_take(void *user, const void *data, size_t len);

/** @p bytes of a file from @p at on, each piece handed to @p take (NULL: to
 * nobody); their SHA-256.  False with errno, 0 if the file ends before. */
bool stream(int fd, off_t at, int64_t bytes, stream_take *take, void *user, pd_digest out) PD_MUST_USE;

#endif
