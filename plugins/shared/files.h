/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: configuration files of a service as the part
 * "files" of a saved set, and how they come back. */
#ifndef PD_PLUGIN_FILES_H
#define PD_PLUGIN_FILES_H

#include "../shares/steps.h"

#define SET_FILES "files" /**< set: files/etc/squid/squid.conf */

/** Strings, in the order they were added; all belongs to the callback. */
struct texts {
	const char **item;
	size_t len;
};

void texts_add(struct pd_ctx *ctx, struct texts *texts, const char *text);
bool texts_have(const struct texts *texts, const char *text);
/** Append all to an output that is a list. */
int texts_output(struct pd_ctx *ctx, const char *name, const struct texts *texts);

/** All files that the configuration has now, those first that may name
 * others.  0, or below zero, reported. */
typedef int files_fn(struct pd_ctx *ctx, struct texts *out);

/** Add the files that the set has. */
void files_of_set(struct pd_ctx *ctx, const struct saved_set *set, struct texts *files);
/** Save those that are there. */
int files_save(struct saved *s, const struct texts *files);
int64_t files_count(const struct saved_set *set);
/** Add "changed: file X" and "new: file X" for what is not as in the set. */
int files_compare(struct pd_ctx *ctx, const struct saved_set *set, files_fn *now,
		  struct texts *out);
/** For apply, before files_put_back(): the files that will be made. */
int files_remember_made(struct pd_ctx *ctx, const struct saved_set *set);
/** Put back what differs, behind a symbolic link too, and remove what the
 * configuration has found since then: a new file that a pattern includes.  A
 * new link fails. */
int files_put_back(struct pd_ctx *ctx, const struct saved_set *set, files_fn *now);
/** For undo, after files_put_back() of what was before. */
int files_remove_made(struct pd_ctx *ctx, const struct saved_set *before);

#endif
