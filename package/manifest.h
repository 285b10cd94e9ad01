/* SPDX-License-Identifier: MIT */
/** The manifest: what a package is, and each of its files.  One line of JSON,
 * which is what is signed. */
#ifndef PD_PACKAGE_MANIFEST_H
#define PD_PACKAGE_MANIFEST_H

#include "base/json.h"

enum { MANIFEST_MAX = 4 << 20 }; /* bytes */

struct manifest {
	json_t *json;
	char *line;       /* its newline included */
	pd_digest digest; /* of the line: by which a package is known */
	/* borrowed from json */
	const char *name, *version, *payload;
	const json_t *files; /* { path, bytes, mode, sha256 }, in order */
	int64_t bytes;       /* of the payload, whose SHA-256 is payload */
};

/** Path of a file in a package; sets "package-path" if it is none. */
bool manifest_path(const char *path, struct pd_error **err) PD_MUST_USE;
/** As manifest_path(), but of a folder or a file, wherever it is. */
bool manifest_path_safe(const char *path, struct pd_error **err) PD_MUST_USE;
/** Bytes that the payload of such files has. */
int64_t manifest_payload(const json_t *files);
/** Fill one in; every row of it is judged.  Cleared by the caller in any case. */
bool manifest_take(struct manifest *m, json_t *json_take, struct pd_error **err) PD_MUST_USE;
bool manifest_read(struct manifest *m, const char *line, size_t len, struct pd_error **err) PD_MUST_USE;
void manifest_clear(struct manifest *m);

/** The mode of a file, by its row. */
mode_t manifest_mode(const json_t *file);

#endif
