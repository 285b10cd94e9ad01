/* SPDX-License-Identifier: MIT */
/* @NAME@: steps for patchday.  The contract of each function, and all that the
 * core offers, stands in <patchday/plugin.h>. */
#define _POSIX_C_SOURCE 200809L
#include <patchday/plugin.h>

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arguments arrive checked, ranged and with their defaults. */
struct write_args {
	const char *path, *text;
};

static const struct pd_param write_params[] = {
	PD_PARAM(struct write_args, path, PD_T_PATH, .flags = PD_P_REQUIRED, .help = "file that is written"),
	PD_PARAM(struct write_args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "what it has to hold"),
	PD_PARAM_END
};

/* The text that is there, NULL: no file is, and its mode.  What undo could not bring
 * back as it was is not touched: links, files of others, large ones, no text. */
static int look(struct pd_ctx *ctx, const char *path, const char **text, unsigned *mode)
{
	struct stat st;
	size_t len = 0;

	*text = NULL;
	*mode = 0644;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : pd_fail(ctx, PD_FAILED, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_uid != geteuid() || st.st_gid != getegid())
		return pd_fail(ctx, PD_FAILED, "%s is no ordinary file of this user", path);
	*mode = (unsigned)st.st_mode & 07777;
	*text = pd_read_file(ctx, path, 65536, &len);
	if (!*text)
		return pd_fail(ctx, PD_FAILED, "%s can't be read: %s", path, strerror(errno));
	return strlen(*text) == len ? 0 : pd_fail(ctx, PD_FAILED, "%s is no text", path);
}

/* Looks, never touches: it also runs on a read-only system, with arguments that
 * are predictions. */
static int write_check(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *now;
	unsigned mode;

	if (look(ctx, a->path, &now, &mode) < 0)
		return PD_FAILED;
	return now && strcmp(now, a->text) == 0 ? PD_UNCHANGED : PD_CHANGED;
}

/* What undo needs is remembered, and on the disk, before anything is changed.
 * After a crash apply is called again: it must not remember its own work. */
static int write_apply(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *now;
	unsigned mode;

	if (look(ctx, a->path, &now, &mode) < 0)
		return PD_FAILED;
	if (!pd_recall(ctx, "begun") &&
	    (pd_remember(ctx, "before", now) < 0 ||
	     pd_remember(ctx, "mode", pd_format(ctx, "%o", mode)) < 0 ||
	     pd_remember(ctx, "begun", "yes") < 0))
		return PD_FAILED;
	if (pd_write_file(ctx, a->path, mode, a->text, strlen(a->text)) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

/* Also after a half done apply, and again after a half done undo. */
static int write_undo(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *before = pd_recall(ctx, "before"), *mode = pd_recall(ctx, "mode");

	if (!pd_recall(ctx, "begun"))
		return PD_UNCHANGED;
	if (!before && unlink(a->path) < 0 && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "%s can't be removed: %s", a->path, strerror(errno));
	if (!before)
		return PD_CHANGED;
	return pd_write_file(ctx, a->path, mode ? (unsigned)strtoul(mode, NULL, 8) : 0644, before,
			     strlen(before)) < 0 ? PD_FAILED : PD_CHANGED;
}

/* Without a verify of its own check is called again, and has to say unchanged. */
static const struct pd_step write_step = {
	PD_STEP,
	.name = "write",
	.help = "write a file",
	.params = write_params,
	.args_size = sizeof(struct write_args),
	.check = write_check,
	.apply = write_apply,
	.undo = write_undo,
	.reversibility = PD_REVERSIBLE,
};

static const struct pd_step *const steps[] = { &write_step, NULL };

PD_PLUGIN(.name = "@NAME@", .version = "0.1", .help = "say here what it is for", .steps = steps);
