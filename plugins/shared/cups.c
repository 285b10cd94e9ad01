/* SPDX-License-Identifier: MIT */
/* libcups, loaded when it is needed first. */
#include "cups.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcups.so.2"

struct cups cups;

bool cups_load(struct pd_ctx *ctx)
{
	static void *library;
	static const char *const names[] = {
#define NAME(name) #name,
		CUPS_FUNCTIONS(NAME)
	};
	static const size_t places[] = {
#define PLACE(name) offsetof(struct cups, name),
		CUPS_FUNCTIONS(PLACE)
	};

	if (library)
		return true;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < sizeof(names) / sizeof(*names); i++) {
		void *function = dlsym(library, names[i]);

		if (!function)
			library = NULL;
		memcpy((char *)&cups + places[i], &function, sizeof(function));
	}
	return library || (pd_fail(ctx, PD_FAILED, "CUPS can't be asked: %s; install the package"
				   " that has " LIBRARY ", such as libcups2", dlerror()), false);
}
