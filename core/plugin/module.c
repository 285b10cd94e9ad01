/* SPDX-License-Identifier: MIT */
/* The only file that knows libltdl. */
#include "plugin/registry.h"

#include <dlfcn.h>
#include <ltdl.h>

/* All symbols bound now, none of them seen by other plugins.  libltdl binds
 * lazily and says "file not found" for every cause, so the linker is asked
 * first: a plugin that lacks a symbol is refused here and not in the middle
 * of a run.  dlerror() is read before anything else can overwrite it. */
static bool links(const char *path, struct pd_error **err)
{
	const char *why;

	if (dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
		return true;
	why = dlerror();
	return pd_error_set(err, "plugin-load", "cannot load %s: %s", path,
			    why ? why : "unknown cause");
}

static lt_dlhandle open_local(const char *path)
{
	lt_dladvise advise;
	lt_dlhandle handle = NULL;

	if (lt_dlinit() != 0 || lt_dladvise_init(&advise) != 0)
		return NULL;
	if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
		handle = lt_dlopenadvise(path, advise);
	lt_dladvise_destroy(&advise);
	return handle;
}

const struct pd_plugin *pd_module_open(const char *path, struct pd_error **err)
{
	const struct pd_plugin *plugin;
	pd_plugin_entry_fn *entry;
	lt_dlhandle handle;

	if (!links(path, err))
		return NULL;
	handle = open_local(path);
	if (!handle) {
		pd_error_set(err, "plugin-load", "cannot load %s: %s", path, lt_dlerror());
		return NULL;
	}
	/* ISO C has no cast from an object pointer to a function's */
	*(void **)&entry = lt_dlsym(handle, "pd_plugin_entry");
	if (!entry) {
		pd_error_set(err, "plugin-no-entry",
			     "%s exports no pd_plugin_entry", path);
		return NULL;
	}
	plugin = entry();
	if (!plugin)
		pd_error_set(err, "plugin-no-entry",
			     "pd_plugin_entry of %s returned NULL", path);
	return plugin;
}
