/* SPDX-License-Identifier: MIT */
/** Digests "ALGORITHM:HEX" of files, with the algorithms that catalogs carry. */
#ifndef PD_TRANSFER_DIGEST_H
#define PD_TRANSFER_DIGEST_H

#include "base/error.h"

/** Is it md5, sha1, sha224, sha256, sha384 or sha512, and of the right length? */
bool digest_known(const char *digest);
/** The digest of an open file from its start, by the algorithm of @p like
 * ("sha256:..."); the caller frees.  NULL with errno set. */
char *digest_of(int fd, const char *like);

#endif
