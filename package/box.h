/* SPDX-License-Identifier: MIT */
/** The one file that a package is: a signature of four lines in minisign's
 * format, the manifest that it signs as the fifth, then the payload, whose size
 * and digest the manifest has.  Nothing of it is parsed before it is proved. */
#ifndef PD_PACKAGE_BOX_H
#define PD_PACKAGE_BOX_H

#include "manifest.h"

/** One that was proved; cleared by the caller in any case. */
struct box {
	int fd;
	off_t at;         /* of the payload */
	struct manifest manifest;
	char *signature;
	char *comment;    /* that was signed with it */
	char key[17];     /* as minisign shows it */
};

/** Prove a file by the public key @p key, from its first byte to its last. */
bool box_open(struct box *b, const char *path, const char *key, struct pd_error **err) PD_MUST_USE;
void box_clear(struct box *b);
/** Prove a manifest by its signature. */
bool box_prove(struct box *b, const char *line, size_t len, const char *signature, const char *key,
	       struct pd_error **err) PD_MUST_USE;
/** Make the file @p out of files as tree_list() gives them; @p about is the rest
 * of the manifest, which is filled in. */
bool box_make(struct manifest *m, const json_t *about, const json_t *files, const char *key,
	      const char *out, struct pd_error **err) PD_MUST_USE;

#endif
