/* SPDX-License-Identifier: MIT */
/* host - room on the disks, reboots, a way to recover, facts of the server. */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

sd_bus *host_bus(void)
{
	sd_bus *bus = NULL;

	int r = sd_bus_open_system(&bus);

	errno = r < 0 ? -r : 0;
	return r < 0 ? NULL : bus;
}

const char *first_line(struct pd_ctx *ctx, const char *path)
{
	const char *text = pd_read_file(ctx, path, 65536, NULL);

	return text ? pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text) :
		      NULL;
}

/* -------------------------------------------------------------- space */

struct space_args {
	const char *path;
	int64_t bytes;
	int64_t inodes;
};

static const struct pd_param space_params[] = {
	PD_PARAM(struct space_args, path, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "file or folder, may not exist yet"),
	PD_PARAM(struct space_args, bytes, PD_T_BYTES, .flags = PD_P_REQUIRED,
		 .max = INT64_MAX, .help = "room that must be free there"),
	PD_PARAM(struct space_args, inodes, PD_T_INT, .def = "0",
		 .max = INT64_MAX,
		 .help = "number of files that must have room there"),
	PD_PARAM_END
};

static const struct pd_output space_outputs[] = {
	PD_OUTPUT("mount", PD_T_PATH, "mount point that the path is on"),
	PD_OUTPUT("free_bytes", PD_T_BYTES, "room that is free there"),
	PD_OUTPUT_END
};

/* The part of the path that exists already. */
static char *existing_part(struct pd_ctx *ctx, const char *path,
			   struct stat *st)
{
	size_t n = strlen(path);
	char *part = pd_alloc_for(ctx, n + 1);

	memcpy(part, path, n);
	while (stat(part, st) < 0) {
		char *slash = strrchr(part, '/');

		if ((errno != ENOENT && errno != ENOTDIR) || !slash ||
		    strcmp(part, "/") == 0)
			return NULL;
		slash[slash == part] = '\0';
	}
	return part;
}

/* Up from an existing path, as long as it is the same file system. */
static const char *mount_of(struct pd_ctx *ctx, const char *path, dev_t dev)
{
	char *real = realpath(path, NULL);
	char *mount = pd_alloc_for(ctx, real ? strlen(real) + 1 : 2);
	struct stat st;

	memcpy(mount, real ? real : "/", real ? strlen(real) : 1);
	free(real);
	while (strcmp(mount, "/") != 0) {
		const char *parent;
		char *slash = strrchr(mount, '/');

		parent = slash == mount ? "/" :
			pd_format(ctx, "%.*s", (int)(slash - mount), mount);
		if (stat(parent, &st) < 0 || st.st_dev != dev)
			break;
		slash[slash == mount] = '\0';
	}
	return mount;
}

static const char *human(struct pd_ctx *ctx, int64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1024 && i < 4; i++)
		value /= 1024;
	return pd_format(ctx, i ? "%.1f %s" : "%.0f %s", value, units[i]);
}

static int too_little(struct pd_ctx *ctx, const char *mount, const char *has,
		      const char *needs)
{
	const struct space_args *args = ctx->args;

	pd_inhibit(ctx, "the run would fill a file system and fail half way",
		   pd_format(ctx, "%s on %s has %s free, %s needed", args->path,
			     mount, has, needs),
		   pd_format(ctx, "make room on %s, enlarge it, or choose "
			     "another path", mount));
	return pd_fail(ctx, PD_REFUSED, "too little room for %s: file system %s "
		       "has %s free, %s needed", args->path, mount, has, needs);
}

static int space_check(struct pd_ctx *ctx)
{
	const struct space_args *args = ctx->args;
	struct stat st = { 0 };
	struct statvfs fs = { 0 };
	const char *part = existing_part(ctx, args->path, &st);
	const char *mount;
	int64_t free_bytes;
	int result = PD_UNCHANGED;

	if (!part || statvfs(part, &fs) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot tell the room at %s: %s",
			       args->path, strerror(errno));
	mount = mount_of(ctx, part, st.st_dev);
	free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	/* what will be free then nobody can foretell */
	if (pd_output(ctx, "mount", mount) < 0 ||
	    (!ctx->dry_run && pd_output(ctx, "free_bytes",
		      pd_format(ctx, "%" PRId64, free_bytes)) < 0))
		return PD_FAILED;
	if (fs.f_flag & ST_RDONLY)
		result = too_little(ctx, mount, "read-only room", "writable room");
	if (free_bytes < args->bytes)
		result = too_little(ctx, mount, human(ctx, free_bytes),
				    human(ctx, args->bytes));
	/* btrfs and others make inodes as they need them: files is 0 */
	if (fs.f_files > 0 && (int64_t)fs.f_favail < args->inodes)
		result = too_little(ctx, mount,
			pd_format(ctx, "%" PRId64 " inodes", (int64_t)fs.f_favail),
			pd_format(ctx, "%" PRId64 " inodes", args->inodes));
	if (result == PD_UNCHANGED)
		pd_log(ctx, PD_LOG_INFO, "%s on %s has %s free, %s needed",
		       args->path, mount, human(ctx, free_bytes),
		       human(ctx, args->bytes));
	return result;
}

static const struct pd_step space = {
	PD_STEP, .name = "space",
	.help = "refuse to start when a file system has too little room",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = space_params,
	.args_size = sizeof(struct space_args), .outputs = space_outputs,
	.check = space_check
};

/* ----------------------------------------------------------- recovery */

struct recovery_args {
	const char *how;
	bool confirmed;
};

static const struct pd_param recovery_params[] = {
	PD_PARAM(struct recovery_args, confirmed, PD_T_BOOL, .def = "false",
		 .help = "somebody has made sure that there is a way"),
	PD_PARAM(struct recovery_args, how, PD_T_STRING,
		 .help = "which way: rescue medium, console, snapshot"),
	PD_PARAM_END
};

static int recovery_check(struct pd_ctx *ctx)
{
	const struct recovery_args *args = ctx->args;

	if (!args->confirmed) {
		pd_inhibit(ctx, "a server that does not boot after the update "
			   "could not be recovered",
			   "nobody has confirmed a way to boot for recovery",
			   "try the rescue medium, the remote console or the "
			   "snapshot, then give confirmed = true");
		return pd_fail(ctx, PD_REFUSED, "a way to boot %s for recovery is "
			       "not confirmed", ctx->server);
	}
	pd_log(ctx, PD_LOG_INFO, "a way to boot for recovery is confirmed%s%s",
	       args->how ? ": " : "", args->how ? args->how : "");
	return PD_UNCHANGED;
}

static const struct pd_step recovery = {
	PD_STEP, .name = "recovery",
	.help = "refuse to start until a way to boot for recovery is confirmed",
	.reversibility = PD_READONLY, .params = recovery_params,
	.args_size = sizeof(struct recovery_args), .check = recovery_check
};

/* ------------------------------------------------------------ scanner */

static int scan(struct pd_ctx *ctx)
{
	if (scan_machine(ctx) < 0 || scan_disks(ctx) < 0 ||
	    scan_sessions(ctx) < 0 || scan_network(ctx) < 0 ||
	    scan_devices(ctx) < 0)
		return PD_FAILED;
	return 0;
}

static const char *const kinds[] = {
	"os", "kernel", "boot", "hardware", "disks", "sessions", "interfaces",
	"addresses", "routes", "resolvers", "devices", NULL
};
static const struct pd_scanner host = {
	PD_SCANNER, .name = "host", .kinds = kinds, .scan = scan,
	.help = "operating system, boot, hardware, disks, sessions, network"
};

static const struct pd_step *const steps[] = {
	&space, &host_reboot, &recovery, NULL
};
static const struct pd_scanner *const scanners[] = { &host, NULL };

PD_PLUGIN(.name = "host", .version = "1.0",
	  .help = "the server itself: room, reboots, recovery, facts",
	  .steps = steps, .scanners = scanners);
