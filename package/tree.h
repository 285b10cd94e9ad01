/* SPDX-License-Identifier: MIT */
/** Files as they are on this server. */
#ifndef PD_PACKAGE_TREE_H
#define PD_PACKAGE_TREE_H

#include "base/json.h"

/** The files of @p roots, { from, to } each: a file, or a folder with all that is
 * in it.  { path, from, bytes, mode, sha256 } of each, in order of their paths
 * in the package.  A link, a device, a hidden file: { id, message } is added to
 * @p faults, and the rest is listed; without faults (NULL): NULL with *err set. */
json_t *tree_list(const json_t *roots, json_t *faults, struct pd_error **err);

/** In place of one root: all in @p folder but the names in @p but. */
json_t *tree_folder(const char *folder, const char *const *but, size_t n, struct pd_error **err);

#endif
