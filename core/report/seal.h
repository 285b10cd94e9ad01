/* SPDX-License-Identifier: MIT */
/** Seals: detached signatures and keys in the format of minisign, prehashed
 * Ed25519, as https://jedisct1.github.io/minisign/ describes it, so that
 * `minisign -V` verifies them without us. */
#ifndef PD_REPORT_SEAL_H
#define PD_REPORT_SEAL_H

#include "base/file.h"

#define PD_SEAL_KEY "/etc/patchday/seal.key"
#define PD_SEAL_PUBLIC "/etc/patchday/seal.pub"

/** A key; wiped by its cleanup. */
struct pd_seal_key {
	unsigned char id[8], public_half[32];
	unsigned char secret[64]; /* zeros: only the public half is known */
	char name[17];            /* the id as minisign shows it */
};

void pd_seal_key_cleanup(struct pd_seal_key *k);

/** Make a key without a password at @p path, mode 0600, and its public half
 * beside it, ".pub" in place of ".key"; neither may exist.  The caller frees
 * *public_path. */
bool pd_seal_make(const char *path, char **public_path, struct pd_error **err) PD_MUST_USE;
/** A secret key; one with a password, or that others can read, is refused. */
bool pd_seal_read(const char *path, struct pd_seal_key *k, struct pd_error **err) PD_MUST_USE;
bool pd_seal_read_public(const char *path, struct pd_seal_key *k,
			 struct pd_error **err) PD_MUST_USE;
/** The signature file of @p data; @p comment is signed with it and has one
 * line.  The caller frees. */
char *pd_seal_sign(const struct pd_seal_key *k, const void *data, size_t len,
		   const char *comment);
/** Is @p text that, byte for byte?  *comment: the caller frees. */
bool pd_seal_check(const struct pd_seal_key *k, const void *data, size_t len,
		   const char *text, char **comment, struct pd_error **err) PD_MUST_USE;
/** The same of any that minisign makes, older ones too: its first line, which
 * nobody signs, says whatever it likes. */
bool pd_seal_check_any(const struct pd_seal_key *k, const void *data, size_t len,
		       const char *text, char **comment, struct pd_error **err) PD_MUST_USE;

#endif
