/* SPDX-License-Identifier: MIT */
/* Private to the update plugin: a selection of updates against a server. */
#ifndef SELECT_H
#define SELECT_H

#include "deb.h"

/* The selection against the server. */
struct deb_selection {
	struct deb_wanted *wanted; /* not there yet */
	size_t n;
	size_t total;              /* packages of the selection that are here */
	const char *held;          /* names of those on hold; NULL: none */
	bool reboots, unknown;     /* by the catalog */
};

/** @param keep_held take packages on hold too; out->held names them anyway.
 * @return 0, or PD_BAD_ARGS, reported. */
int deb_select(struct pd_ctx *ctx, const struct pd_updates *updates,
	       const struct deb_rows *now, bool keep_held,
	       struct deb_selection *out);

#endif /* SELECT_H */
