/* SPDX-License-Identifier: MIT */
/* Private to the driver plugin. */
#ifndef DRIVER_H
#define DRIVER_H

#include "../update/deb.h"

enum { MISSING_SKIP, MISSING_FAIL };

struct driver_args {
	const char *package;
	const char *installer;
	const char *program;
	const char *source;
	struct pd_list arguments;
	struct pd_list match;
	struct pd_list exit_codes;
	const char *digest;
	const char *creates;
	struct pd_list uninstall;
	int32_t when_missing;
	int64_t lock_timeout;
	bool needs_reboot;
	bool writes_hardware;
	bool reboot_due;
};

extern const struct pd_step driver_firmware, driver_state, driver_compare;

/* hardware.c */
/** The devices that fit one of the patterns, one line each; "" when none
 * does, NULL when a pattern makes no sense, reported. */
const char *driver_devices(struct pd_ctx *ctx, const struct pd_list *match);
/** Does one of the patterns fit this name? */
bool driver_fits(const char *name, const struct pd_list *patterns);
/** What the devices @p devices (as driver_devices() has them) and the package
 * account for, for driver.compare. */
int driver_explain_devices(struct pd_ctx *ctx, const char *devices,
			   const char *package);
/** Write the state of drivers as evidence: @p when is "before", "after" or
 * "undone". */
int driver_evidence(struct pd_ctx *ctx, const char *when, const char *package,
		    const char *devices);

/* payload.c: what is installed, proved */
/** Is this the file that was meant?  By @p digest (64 hexadecimal digits, maybe
 * with "sha256:" before), else by the list of the package source that it is in:
 * the folder and the file are root's alone.
 * @return 0, PD_BAD_ARGS, PD_REFUSED or PD_FAILED, reported. */
int driver_prove(struct pd_ctx *ctx, const char *path, const char *digest,
		 const char *source);
/** The SHA-256 that the list of a package source has of a file; NULL: none. */
const char *driver_listed(struct pd_ctx *ctx, const char *source,
			  const char *name);
/** The output reboot_required; true too if a step before asked for one. */
int driver_reboot(struct pd_ctx *ctx, bool due, bool asked_before);

/** Is this a clone, in which hardware must not be written to, since it is the
 * server's own?  Then it is said. */
bool driver_in_clone(struct pd_ctx *ctx, const char *what);

/* record.c: what a step of this run has changed, for driver.compare */
/** Keep it, in place of what was kept before; text of lines "WHAT NAME". */
int driver_explain(struct pd_ctx *ctx, const char *lines);
/** Nothing any more. */
void driver_unexplain(struct pd_ctx *ctx);
/** A thing that a step of this run says that it changed. */
struct driver_reason {
	const char *what, *name; /**< "device", "firmware" ... */
	const char *step;        /**< its key, as a folder's name */
};
struct driver_reasons {
	struct driver_reason *v;
	size_t n, cap;
};
/** Of all steps of this run. */
void driver_reasons(struct pd_ctx *ctx, struct driver_reasons *out);

/* rows.c: the state of the hardware, as rows */
struct driver_row {
	const char *kind, *key, *field, *value;
};
struct driver_rows {
	struct driver_row *v;
	size_t n, cap;
};
/** What there is now, sorted.  @return 0 or below, reported. */
int driver_rows_now(struct pd_ctx *ctx, struct driver_rows *out);
const char *driver_rows_text(struct pd_ctx *ctx,
			     const struct driver_rows *rows);
/** From a text; false: it is none of this kind. */
bool driver_rows_read(struct pd_ctx *ctx, const char *text,
		      struct driver_rows *out);
/** NULL: there is none. */
const char *driver_row_value(const struct driver_rows *rows, const char *kind,
			     const char *key, const char *field);

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

/* unpack.c: one that comes inside an archive, a tar of any compression or a zip */
/** Can the archive be read to its end, and is @p program in it?  0, or below zero,
 * reported. */
int driver_look_inside(struct pd_ctx *ctx, const char *path, const char *program);
/** Unpack it below @p folder, as root's files and without setuid, over what was left
 * there by an attempt that was cut short; @p program may be executed then. */
int driver_unpack(struct pd_ctx *ctx, const char *path, const char *program, const char *folder);

#endif /* DRIVER_H */
