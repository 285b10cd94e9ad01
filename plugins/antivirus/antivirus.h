/* SPDX-License-Identifier: MIT */
/* What the steps of the antivirus plugin share: private. */
#ifndef PD_PLUGIN_ANTIVIRUS_H
#define PD_PLUGIN_ANTIVIRUS_H

#include <patchday/plugin.h>

extern const struct pd_step antivirus_hold, antivirus_update;

/** What a folder of definitions holds, by its files. */
struct definitions {
	const char *table;   /**< a line for each file; never NULL */
	const char *version; /**< "daily 27500, main 62", or names without one */
	int64_t newest;      /**< seconds since 1970; 0: there are none */
};

/** @return 0, or below zero, reported. */
int definitions_look(struct pd_ctx *ctx, const char *folder, struct definitions *out);
/** Copy them to the step's own folder, once.  @return 0, or below zero, reported. */
int definitions_save(struct pd_ctx *ctx, const char *folder);
/** Put back what was saved.  @return enum pd_result. */
int definitions_restore(struct pd_ctx *ctx, const char *folder);

#endif
