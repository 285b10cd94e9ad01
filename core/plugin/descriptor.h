/* SPDX-License-Identifier: MIT */
/** Descriptor: what a plugin declares, checked and copied. */
#ifndef PD_PLUGIN_DESCRIPTOR_H
#define PD_PLUGIN_DESCRIPTOR_H

#include "base/error.h"

/**
 * Check all that a plugin's descriptor says, row by row, and copy it with the
 * structs in this core's size; arrays that were NULL are empty ones.  What
 * the rows point at stays the plugin's.  @return the copy, or NULL with *err
 * set: plugin, step and row, what is wrong with it and how to mend it.
 */
struct pd_plugin *pd_descriptor_copy(const struct pd_plugin *theirs,
				     const char *name, struct pd_error **err);
void pd_descriptor_free(struct pd_plugin *copy);

#endif
