/* SPDX-License-Identifier: MIT */
/** The plugins known to this process: found by name, loaded at first use. */
#ifndef PD_PLUGIN_REGISTRY_H
#define PD_PLUGIN_REGISTRY_H

#include "base/json.h"

struct pd_registry;

struct pd_registry *pd_registry_new(void);
void pd_registry_free(struct pd_registry *reg); /* code stays, descriptors go */
PD_AUTO_PTR(struct pd_registry *, pd_registry_cleanup, pd_registry_free)

/** Look for plugins in @p folder too; absolute, the first folder wins. */
bool pd_registry_add_folder(struct pd_registry *reg, const char *folder,
			    struct pd_error **err) PD_MUST_USE;
/** Names of all plugins in the folders, sorted; nothing is loaded. */
bool pd_registry_names(struct pd_registry *reg, struct pd_strings *names,
		       struct pd_error **err) PD_MUST_USE;
/**
 * A plugin, loaded and checked at first use; NULL with *err set (an unknown
 * name with the nearest known one).  Borrowed.  Descriptors are the core's
 * own copies, sized for this core: what an older plugin lacks is zero.
 */
const struct pd_plugin *pd_registry_find(struct pd_registry *reg,
					 const char *name, struct pd_error **err);
/** A step by "plugin.step"; @p plugin may be NULL. */
const struct pd_step *pd_registry_step(struct pd_registry *reg,
				       const char *name,
				       const struct pd_plugin **plugin,
				       struct pd_error **err);
/** One shared object, opened by libltdl and never unloaded, and what its entry
 * returned; NULL with *err set. */
const struct pd_plugin *pd_module_open(const char *path, struct pd_error **err);
/**
 * Check all that a plugin's descriptor says, row by row, and copy it with the
 * structs in this core's size; arrays that were NULL are empty ones.  What
 * the rows point at stays the plugin's.  @return the copy, or NULL with *err
 * set: plugin, step and row, what is wrong with it and how to mend it.
 */
struct pd_plugin *pd_descriptor_copy(const struct pd_plugin *theirs,
				     const char *name, struct pd_error **err);
void pd_descriptor_free(struct pd_plugin *copy);
/** The whole of what a plugin declares, as `patchday plugins --json` prints it;
 * new reference. */
json_t *pd_plugin_json(const struct pd_plugin *plugin, const char *path);
/** May code be loaded from there?  Owned by root or the caller, written by
 * nobody else, the folders above too; absolute, no symbolic link. */
bool pd_trusted_folder(const char *folder, struct pd_error **err) PD_MUST_USE;
/** $PATCHDAY_PATH, where steps look for programs: as root, each of its folders
 * has to be trusted. */
bool pd_trusted_path(struct pd_error **err) PD_MUST_USE;
bool pd_trusted_file(const char *path, struct pd_error **err) PD_MUST_USE;
/** Paths of shared objects that are no plugins by their names; borrowed. */
const struct pd_strings *pd_registry_ignored(const struct pd_registry *reg);
/** Paths of plugins' files that are not used, each followed by that of an earlier
 * folder, which is; borrowed. */
const struct pd_strings *pd_registry_shadowed(const struct pd_registry *reg);
/** Path of a loaded plugin's file; NULL if it is not loaded; borrowed. */
const char *pd_registry_path(struct pd_registry *reg, const char *name);

#endif
