/* SPDX-License-Identifier: MIT */
/** Where packages are installed: below a folder, NAME/VERSION has the files, the
 * manifest, its signature, and the public key that proved it. */
#ifndef PD_PACKAGE_STORE_H
#define PD_PACKAGE_STORE_H

#include "box.h"

/** Unpack a proved package below @p folder, whole or not at all; no such version
 * is there yet.  @p key: the file of the public key that proved it. */
bool store_put(const struct box *b, const char *folder, const char *key, struct pd_error **err) PD_MUST_USE;
/** Prove what is installed in the folder of a version: the manifest by the key
 * that is there, each file by the manifest, and that there is no other. */
bool store_prove(struct box *b, const char *folder, struct pd_error **err) PD_MUST_USE;

#endif
