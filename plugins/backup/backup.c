/* SPDX-License-Identifier: MIT */
/* Plugin backup: saves the system's state, proves and restores it. */
#include "backup.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define STATE_PATHS \
	"/etc,/boot,/root/.ssh,/usr/local/etc,/usr/local/bin,/usr/local/sbin," \
	"/var/lib/dpkg,/var/lib/apt/extended_states,/var/lib/rpm,/usr/lib/sysimage/rpm," \
	"/var/lib/dnf,/var/lib/samba,/var/lib/systemd,/var/spool/cron"

struct verify_args {
	const char *archive;
	const char *sha256;
	int64_t age;
};

static const char *const compressions[] = { "zstd", "xz", "gzip", "none", NULL };

/* ----------------------------------------------------------------- verify */

static int verify_check(struct pd_ctx *ctx)
{
	const struct verify_args *args = ctx->args;
	struct stat st = { 0 };

	/* an earlier step of the run may still have to write it */
	if (stat(args->archive, &st) == 0)
		pd_expect(ctx, 1 + st.st_size / ((int64_t)30 << 20));
	else
		pd_log(ctx, PD_LOG_INFO, "%s is not there yet", args->archive);
	return PD_CHANGED;
}

static int verify_apply(struct pd_ctx *ctx)
{
	const struct verify_args *args = ctx->args;
	struct bundle_report report = { 0 };
	int64_t age = 0;
	int status = bundle_verify(ctx, args->archive, args->sha256, &report);

	if (status < 0)
		return status;
	age = (int64_t)time(NULL) - report.created;
	if (age > args->age)
		return pd_fail(ctx, PD_FAILED, "%s is %" PRId64 " hours old, and only "
			       "%" PRId64 " are allowed; take a new backup, or set the "
			       "parameter age", args->archive, age / 3600,
			       args->age / 3600);
	if (pd_output(ctx, "sha256", report.sha256) < 0 ||
	    pd_output(ctx, "files", pd_format(ctx, "%" PRId64, report.files)) < 0 ||
	    pd_output(ctx, "bytes", pd_format(ctx, "%" PRId64, report.bytes)) < 0 ||
	    pd_remember(ctx, "sha256", report.sha256) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%" PRId64 " files of %s read back, all as in the "
	       "manifest", report.files, args->archive);
	return PD_CHANGED;
}

/* The work is the proof; what is left to see is that nobody took it away. */
static int verify_verify(struct pd_ctx *ctx)
{
	const struct verify_args *args = ctx->args;
	struct stat st = { 0 };

	if (!pd_recall(ctx, "sha256"))
		return pd_fail(ctx, PD_FAILED, "%s was not read back", args->archive);
	if (stat(args->archive, &st) != 0)
		return pd_fail(ctx, PD_FAILED, "the archive %s is gone: %s",
			       args->archive, strerror(errno));
	return PD_UNCHANGED;
}

/* ------------------------------------------------------------ declarations */

static const struct pd_param state_params[] = {
	PD_PARAM(struct state_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the backup; each run gets a folder in it"),
	PD_PARAM(struct state_args, name, PD_T_STRING, .def = "state",
		 .help = "name of the archive, without its ending"),
	PD_PARAM(struct state_args, paths, PD_T_LIST, .def = STATE_PATHS,
		 .help = "files and folders to save; what is not there is passed over"),
	PD_PARAM(struct state_args, exclude, PD_T_LIST,
		 .def = "/var/lib/systemd/coredump/*,/var/lib/systemd/random-seed",
		 .help = "patterns of paths to leave out, * also matches slashes"),
	PD_PARAM(struct state_args, compression, PD_T_CHOICE, .def = "zstd",
		 .choices = compressions, .help = "how the archive is compressed"),
	PD_PARAM_END
};

static const struct pd_output state_outputs[] = {
	PD_OUTPUT("archive", PD_T_PATH, "the backup"),
	PD_OUTPUT("manifest", PD_T_PATH, "SHA-256 of each file in it"),
	PD_OUTPUT("sha256", PD_T_STRING, "SHA-256 of the archive"),
	PD_OUTPUT("files", PD_T_INT, "regular files saved"),
	PD_OUTPUT("bytes", PD_T_BYTES, "size of the archive"),
	PD_OUTPUT_END
};

static const struct pd_step state_step = {
	PD_STEP, .name = "state", .help = "save the system's state to one archive",
	.params = state_params, .args_size = sizeof(struct state_args),
	.outputs = state_outputs, .flags = PD_S_NEEDS_ROOT,
	.check = state_check, .apply = state_apply, .verify = state_verify,
	.reversibility = PD_READONLY, .expected = 20
};

#define SYSTEM_EXCLUDE \
	"/dev/*,/proc/*,/sys/*,/run/*,/tmp/*,/var/tmp/*,/mnt/*,/media/*,/lost+found," \
	"/var/cache/apt/archives/*.deb,/var/cache/dnf/*,/var/lib/systemd/coredump/*," \
	"/var/lib/systemd/random-seed,/swapfile,/swap.img"

static const struct pd_param system_params[] = {
	PD_PARAM(struct state_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the backup; each run gets a folder in it, which is not saved itself"),
	PD_PARAM(struct state_args, name, PD_T_STRING, .def = "system",
		 .help = "name of the archive, without its ending"),
	PD_PARAM(struct state_args, paths, PD_T_LIST, .def = "/",
		 .help = "what to save: mounted volumes of this server are, foreign ones not"),
	PD_PARAM(struct state_args, exclude, PD_T_LIST, .def = SYSTEM_EXCLUDE,
		 .help = "patterns of paths to leave out, * also matches slashes"),
	PD_PARAM(struct state_args, compression, PD_T_CHOICE, .def = "zstd",
		 .choices = compressions, .help = "how the archive is compressed"),
	PD_PARAM_END
};

static const struct pd_step system_step = {
	PD_STEP, .name = "system",
	.help = "save the whole server and the layout of its disks, for bare metal",
	.params = system_params, .args_size = sizeof(struct state_args),
	.outputs = state_outputs, .flags = PD_S_NEEDS_ROOT, .time_limit = 6 * 3600,
	.check = system_check, .apply = system_apply, .verify = state_verify,
	.reversibility = PD_READONLY, .expected = 300
};

static const struct pd_param verify_params[] = {
	PD_PARAM(struct verify_args, archive, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "the backup to prove"),
	PD_PARAM(struct verify_args, sha256, PD_T_STRING,
		 .help = "SHA-256 that the archive must have, normally state.out.sha256"),
	PD_PARAM(struct verify_args, age, PD_T_SECONDS, .def = "1d", .min = 1,
		 .max = INT64_MAX, .help = "how old the backup may be"),
	PD_PARAM_END
};

static const struct pd_output verify_outputs[] = {
	PD_OUTPUT("sha256", PD_T_STRING, "SHA-256 of the archive"),
	PD_OUTPUT("files", PD_T_INT, "files read back"),
	PD_OUTPUT("bytes", PD_T_BYTES, "bytes read back"),
	PD_OUTPUT_END
};

static const struct pd_step verify_step = {
	PD_STEP, .name = "verify", .help = "read a backup back and prove it",
	.params = verify_params, .args_size = sizeof(struct verify_args),
	.outputs = verify_outputs, .flags = PD_S_BACKUP,
	.check = verify_check, .apply = verify_apply, .verify = verify_verify,
	.reversibility = PD_READONLY, .expected = 10
};

static const struct pd_param restore_params[] = {
	PD_PARAM(struct restore_args, archive, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "the backup to restore from"),
	PD_PARAM(struct restore_args, paths, PD_T_LIST,
		 .help = "files and folders to restore; empty: all that was saved"),
	PD_PARAM(struct restore_args, to, PD_T_PATH, .def = "/",
		 .help = "folder below which they are put"),
	PD_PARAM(struct restore_args, exact, PD_T_BOOL, .def = "false",
		 .help = "also take away what is in paths but not in the backup"),
	PD_PARAM_END
};

static const struct pd_output restore_outputs[] = {
	PD_OUTPUT("files", PD_T_INT, "members of the archive put back"),
	PD_OUTPUT("removed", PD_T_INT, "files and folders taken away by exact"),
	PD_OUTPUT_END
};

static const struct pd_step restore_step = {
	PD_STEP, .name = "restore", .help = "put files of a backup back",
	.params = restore_params, .args_size = sizeof(struct restore_args),
	.outputs = restore_outputs, .flags = PD_S_NEEDS_ROOT,
	.check = restore_check, .apply = restore_apply,
	.verify = restore_verify, .undo = restore_undo,
	.reversibility = PD_REVERSIBLE, .expected = 20
};

static const struct pd_step *const steps[] = { &state_step, &system_step, &verify_step,
					       &restore_step, NULL };

PD_PLUGIN(.name = "backup", .version = "1.0",
	  .help = "backups of the system's state: take, prove, restore",
	  .steps = steps);
