/* SPDX-License-Identifier: MIT */
/** The payload: a tar archive (ustar) of the files, the same bytes for the same
 * files wherever it is made. */
#ifndef PD_PACKAGE_PAYLOAD_H
#define PD_PACKAGE_PAYLOAD_H

#include "manifest.h"

/** Write it to @p fd (-1: nowhere), and its SHA-256.  Each of @p files has its
 * place as "from", and is refused if it is not as its row says. */
bool payload_write(const json_t *files, int fd, pd_digest sha256, struct pd_error **err) PD_MUST_USE;
/** Read the one at @p at: each file is the next of the manifest, byte for byte,
 * and there is nothing else.  They are written into @p folder; -1: nowhere. */
bool payload_read(int fd, off_t at, const struct manifest *m, int folder, struct pd_error **err) PD_MUST_USE;

#endif
