/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin proxy share: squid and its configuration. */
#ifndef PATCHDAY_PROXY_H
#define PATCHDAY_PROXY_H

#include "../shared/files.h"

/* All strings and arrays belong to the callback. */

/** The configuration, as squid itself reads it. */
struct squid {
	const char *problem;     /**< why squid refuses it, or NULL */
	struct texts directives; /**< "http_port 3128"; may hold passwords */
	struct texts files;      /**< what it consists of and what it names */
	struct texts left_out;   /**< "FILE: WHY", what root does not follow of that */
};

bool squid_is_here(void);
/** Ask squid.  A configuration that it refuses is no failure. */
int squid_ask(struct pd_ctx *ctx, struct squid *out);
/** Have squid read @p path in place of its own.  *problem as above. */
int squid_parse(struct pd_ctx *ctx, const char *path, const char **problem);
/** The text of a line of squid, behind "2026/11/28 20:08:22 kid1| ". */
const char *squid_message(struct pd_ctx *ctx, const char *line, size_t len);
/** Where the word after @p name begins in a directive; NULL: it is another. */
const char *directive_value(const char *directive, const char *name);
/** The first word of @p text. */
const char *first_word(struct pd_ctx *ctx, const char *text);

/** The files alone, for files_compare() and its like. */
files_fn squid_files;

/** Save the files, and those that the set @p also has, as the set @p folder. */
int proxy_take_with(struct pd_ctx *ctx, const char *folder, const struct saved_set *also);

extern const struct pd_step step_restore, step_verify;

#endif /* PATCHDAY_PROXY_H */
