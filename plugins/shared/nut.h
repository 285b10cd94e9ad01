/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: UPS as NUT's upsc tells of them. */
#ifndef PD_PLUGIN_NUT_H
#define PD_PLUGIN_NUT_H

#include <patchday/plugin.h>

#define NUT_HIDDEN __attribute__((visibility("hidden")))

struct nut {
	const char *name;   /**< as given or listed: NAME, or NAME@HOST */
	const char *status; /**< words of NUT: OL on line, OB on battery, LB low ... */
	const char *model;  /**< maker and model; NULL: not told */
	const char *text;   /**< all that it tells, a line for each variable */
	int64_t charge;     /**< percent; -1: not told */
	int64_t runtime;    /**< seconds that the battery lasts; -1: not told */
	int64_t load;       /**< percent; -1: not told */
};

struct nuts {
	struct nut *items;
	size_t len;
};

/** Ask those of @p given, or without any all that this server knows: what
 * `upsc -l` lists and what upsmon watches.  None where there is no NUT,
 * nor in a clone.
 * @return 0, or below zero, reported: one does not tell its status. */
NUT_HIDDEN int PD_MUST_USE nut_ask(struct pd_ctx *ctx, const struct pd_list *given,
				   struct nuts *out);
/** Why the power it gives is not to be relied on, "is on battery"; NULL: it is. */
NUT_HIDDEN const char *nut_unsafe(const struct nut *ups);

#endif
