/* SPDX-License-Identifier: MIT */
/* driver - installs a vendor's driver where its hardware is; firmware, and the
 * state of the hardware, are in files of their own. */
#include "driver.h"
#include "fwupd.h"

#include <string.h>

static const char *const missing_choices[] = { "skip", "fail", NULL };

/* A path within an archive: no part of it is empty, "." or "..". */
static bool is_inside(const char *path)
{
	for (size_t len; ; path += len + 1) {
		len = strcspn(path, "/");
		if (len == 0 || (len <= 2 && strspn(path, ".") == len))
			return false;
		if (!path[len])
			return true;
	}
}

static int check_args(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;

	if (!a->package == !a->installer)
		return pd_fail(ctx, PD_BAD_ARGS, "give either package or "
			       "installer");
	if (a->package && (a->program || a->arguments.len || a->exit_codes.len ||
			   a->uninstall.len || a->creates))
		return pd_fail(ctx, PD_BAD_ARGS, "program, arguments, "
			       "exit_codes, creates and uninstall belong to an "
			       "installer, not to a package");
	if (a->program && !is_inside(a->program))
		return pd_fail(ctx, PD_BAD_ARGS, "program: \"%s\" must be a path "
			       "within the archive, without . and ..", a->program);
	return 0;
}

/* @return above zero: the hardware is there. */
static int hardware(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *devices = NULL;

	if (a->writes_hardware && driver_in_clone(ctx, a->installer ?
						  a->installer : a->package))
		return 0;
	if (a->match.len == 0)
		return 1;
	devices = driver_devices(ctx, &a->match);
	if (!devices)
		return PD_BAD_ARGS;
	if (*devices) {
		pd_log(ctx, PD_LOG_INFO, "for: %s", devices);
		return 1;
	}
	if (a->when_missing == MISSING_FAIL)
		return pd_fail(ctx, PD_REFUSED, "no device of this server "
			       "fits %s%s; take the driver out of the plan or "
			       "correct match", a->match.items[0],
			       a->match.len > 1 ? " or the other patterns" :
						  "");
	pd_log(ctx, PD_LOG_INFO, "no device of this server fits %s%s: no "
	       "driver is needed", a->match.items[0],
	       a->match.len > 1 ? " or the other patterns" : "");
	return 0;
}

static bool acted(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "before") || pd_recall(ctx, "started");
}

/* @return above zero: it is to be installed. */
static int begin(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	int done = check_args(ctx);

	if (done == 0)
		done = hardware(ctx);
	if (done >= 0 && driver_reboot(ctx, false, a->reboot_due) < 0)
		return PD_FAILED;
	return done;
}

static int install_check(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	int done = begin(ctx);

	return done <= 0 ? done : a->package ? driver_package_check(ctx) :
					       driver_installer_check(ctx);
}

static int install_apply(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	int done = begin(ctx);

	return done <= 0 ? done : a->package ? driver_package_apply(ctx) :
					       driver_installer_apply(ctx);
}

static int install_verify(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	/* A driver may change what its device calls itself. */
	int done = acted(ctx) ? 1 : hardware(ctx);

	if (done <= 0)
		return done;
	return a->package ? driver_package_verify(ctx) :
			    driver_installer_verify(ctx);
}

static int install_undo(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	int done = 0;

	if (!acted(ctx))
		return PD_UNCHANGED;
	done = a->package ? driver_package_undo(ctx) :
			    driver_installer_undo(ctx);
	if (done >= 0)
		driver_unexplain(ctx);
	if (done == PD_CHANGED && driver_evidence(ctx, "undone", NULL, "") < 0)
		return PD_FAILED;
	return done;
}

static const struct pd_param install_params[] = {
	PD_PARAM(struct driver_args, package, PD_T_STRING,
		 .help = "path of a .deb, or the name of a package of apt's "
			 "sources, possibly name=version"),
	PD_PARAM(struct driver_args, installer, PD_T_PATH,
		 .help = "the vendor's program, in place of package"),
	PD_PARAM(struct driver_args, program, PD_T_STRING,
		 .help = "path of the program within installer, which is an "
			 "archive: tar or zip"),
	PD_PARAM(struct driver_args, source, PD_T_PATH,
		 .help = "package source that the file is in; its list counts "
			 "where there is no digest"),
	PD_PARAM(struct driver_args, arguments, PD_T_LIST,
		 .help = "arguments of the installer"),
	PD_PARAM(struct driver_args, match, PD_T_LIST,
		 .help = "hardware it is for: pci:VVVV:DDDD, usb:VVVV:PPPP or "
			 "a pattern of a modalias, re: before a regular "
			 "expression; without it, always"),
	PD_PARAM(struct driver_args, exit_codes, PD_T_LIST,
		 .help = "what the installer's exit status means, "
			 "STATUS=MEANING; 0 is success, others are failures"),
	PD_PARAM(struct driver_args, digest, PD_T_STRING,
		 .help = "SHA-256 of the .deb or the installer; required for "
			 "both, or source"),
	PD_PARAM(struct driver_args, creates, PD_T_PATH,
		 .help = "file that is there once the installer was run"),
	PD_PARAM(struct driver_args, uninstall, PD_T_LIST,
		 .help = "command that takes the installer's work back"),
	PD_PARAM(struct driver_args, when_missing, PD_T_CHOICE, .def = "skip",
		 .choices = missing_choices,
		 .help = "what to do where no device fits"),
	PKG_LOCK_TIMEOUT(struct driver_args),
	PD_PARAM(struct driver_args, needs_reboot, PD_T_BOOL,
		 .help = "its vendor says that it takes effect at a boot"),
	PD_PARAM(struct driver_args, writes_hardware, PD_T_BOOL,
		 .help = "it writes to the hardware, such as firmware: not run "
			 "in a rehearsal"),
	PD_PARAM(struct driver_args, reboot_due, PD_T_BOOL,
		 .help = "a step before asked for a reboot: this one does too"),
	PD_PARAM_END
};

static const struct pd_output install_outputs[] = {
	PD_OUTPUT("reboot_required", PD_T_BOOL, "whether to reboot after it"),
	PD_OUTPUT_END
};

static const struct pd_step install_step = {
	PD_STEP, .name = "install",
	.help = "install a vendor's driver for the hardware that is there",
	.flags = PD_S_NEEDS_ROOT,
	.params = install_params, .args_size = sizeof(struct driver_args),
	.outputs = install_outputs,
	.check = install_check, .apply = install_apply,
	.verify = install_verify, .undo = install_undo,
	.reversibility = PD_REVERSIBLE,
	.time_limit = 3600, .grace = 60, .expected = 30, .retries = 2
};

static const struct pd_step *const steps[] = {
	&install_step, &driver_firmware, &driver_state, &driver_compare, NULL
};

static const char *const kinds[] = { "firmware", "x-fwupd-hardware", NULL };

static const struct pd_scanner firmware_scanner = {
	PD_SCANNER, .name = "firmware",
	.help = "devices whose firmware fwupd knows, and its ids of the machine",
	.kinds = kinds, .scan = fw_scan, .time_limit = 240
};

static const struct pd_scanner *const scanners[] = { &firmware_scanner, NULL };

PD_PLUGIN(.name = "driver", .version = "1.2",
	  .help = "vendors' drivers and firmware for the hardware that is there",
	  .steps = steps, .scanners = scanners);
