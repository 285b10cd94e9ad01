/* SPDX-License-Identifier: MIT */
/** Module: one shared object opened by libltdl. */
#ifndef PD_PLUGIN_MODULE_H
#define PD_PLUGIN_MODULE_H

#include "base/error.h"

/** Open the file and call its entry.  It is never unloaded, since descriptors
 * and code are used until the process ends.  NULL with *err set. */
const struct pd_plugin *pd_module_open(const char *path, struct pd_error **err);

#endif
