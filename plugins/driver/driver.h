/* SPDX-License-Identifier: MIT */
/* Private to the driver plugin. */
#ifndef DRIVER_H
#define DRIVER_H

#include "../update/deb.h"

enum { MISSING_SKIP, MISSING_FAIL };

struct driver_args {
	const char *package;
	const char *installer;
	struct pd_list arguments;
	struct pd_list match;
	struct pd_list exit_codes;
	const char *digest;
	const char *creates;
	struct pd_list uninstall;
	int32_t when_missing;
	int64_t lock_timeout;
};

/* hardware.c */
/** The devices that fit one of the patterns, one line each; "" when none
 * does, NULL when a pattern makes no sense, reported. */
const char *driver_devices(struct pd_ctx *ctx, const struct pd_list *match);
/** Write the state of drivers as evidence: @p when is "before", "after" or
 * "undone". */
int driver_evidence(struct pd_ctx *ctx, const char *when, const char *package,
		    const char *devices);

/* package.c: a Debian package */
int driver_package_check(struct pd_ctx *ctx);
int driver_package_apply(struct pd_ctx *ctx);
int driver_package_verify(struct pd_ctx *ctx);
int driver_package_undo(struct pd_ctx *ctx);

/* installer.c: a vendor's program */
int driver_installer_check(struct pd_ctx *ctx);
int driver_installer_apply(struct pd_ctx *ctx);
int driver_installer_verify(struct pd_ctx *ctx);
int driver_installer_undo(struct pd_ctx *ctx);

#endif /* DRIVER_H */
