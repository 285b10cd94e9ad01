/* SPDX-License-Identifier: MIT */
/* installer - a driver that comes with a program of its vendor. */
#include "driver.h"
#include "../command/program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const meanings[] = {
	[PD_EXIT_FAILED] = "failed",
	[PD_EXIT_SUCCESS] = "success",
	[PD_EXIT_SUCCESS_REBOOT] = "success-reboot",
	[PD_EXIT_FAILED_REBOOT] = "failed-reboot",
	[PD_EXIT_ALREADY_INSTALLED] = "already-installed",
	[PD_EXIT_NOT_APPLICABLE] = "not-applicable",
	[PD_EXIT_RETRY_LATER] = "retry-later",
	[PD_EXIT_NEEDS_OPERATOR] = "needs-operator"
};

#define MEANINGS (sizeof(meanings) / sizeof(*meanings))

/* One "STATUS=MEANING"; false when it makes no sense. */
static bool read_row(const char *row, long *status, size_t *meaning)
{
	char *end = NULL;

	*status = strtol(row, &end, 10);
	if (end == row || *end != '=' || *status < 0 || *status > 65535)
		return false;
	for (*meaning = 0; *meaning < MEANINGS; (*meaning)++)
		if (strcmp(meanings[*meaning], end + 1) == 0)
			return true;
	return false;
}

static int check_rows(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	size_t meaning = 0;
	long status = 0;

	for (size_t i = 0; i < a->exit_codes.len; i++)
		if (!read_row(a->exit_codes.items[i], &status, &meaning))
			return pd_fail(ctx, PD_BAD_ARGS, "exit_codes: \"%s\" "
				"must be STATUS=MEANING, with a meaning of "
				"success, success-reboot, failed, "
				"failed-reboot, already-installed, "
				"not-applicable, retry-later, needs-operator",
				a->exit_codes.items[i]);
	return 0;
}

/*
 * Vendors document statuses of 16 bits (3010); a program of this system can
 * only give the lower 8 (194), so either is understood.
 */
static size_t meaning_of(const struct driver_args *a, int status)
{
	size_t meaning = 0;
	long row = 0;

	for (int whole = 1; whole >= 0; whole--)
		for (size_t i = 0; i < a->exit_codes.len; i++)
			if (read_row(a->exit_codes.items[i], &row, &meaning) &&
			    (whole ? row : row > 255 ? row & 255 : -1) ==
				    status)
				return meaning;
	return status == 0 ? PD_EXIT_SUCCESS : PD_EXIT_FAILED;
}

/* In the package source it is a file as any other: a copy is run, or what it has in
 * it. */
static bool is_plain(const struct driver_args *a)
{
	return a->program || (pkg_exists(a->installer) && access(a->installer, X_OK) < 0);
}

/* Is the program that uninstalls within the archive, too? */
static bool is_inside(const struct driver_args *a, const char *program)
{
	return a->program && *program != '/';
}

static int check_program(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *why = is_plain(a) ? NULL :
			  program_unfit(ctx, a->installer);
	int done = 0;

	if (why)
		return pd_fail(ctx, PD_REFUSED, "the installer must not be "
			       "run: %s", why);
	done = driver_prove(ctx, a->installer, a->digest, a->source);
	if (done == 0 && a->program)
		done = driver_look_inside(ctx, a->installer, a->program);
	if (done == 0 && a->uninstall.len > 0 && is_inside(a, a->uninstall.items[0]))
		done = driver_look_inside(ctx, a->installer, a->uninstall.items[0]);
	if (done < 0)
		return done;
	if (a->uninstall.len > 0 && !is_inside(a, a->uninstall.items[0]) &&
	    strcmp(a->uninstall.items[0], a->installer) != 0)
		why = program_unfit(ctx, a->uninstall.items[0]);
	/* It may come with the driver. */
	if (why && !strstr(why, ": No such file"))
		return pd_fail(ctx, PD_REFUSED, "the uninstall program must "
			       "not be run: %s", why);
	return 0;
}

/* Of an archive: @p program of what was in it. */
static const char *unpacked(struct pd_ctx *ctx, const char *copy, const char *program)
{
	const char *folder = pd_format(ctx, "%s/unpacked", ctx->work_dir);

	if (driver_unpack(ctx, copy, program, folder) < 0)
		return NULL;
	unlink(copy);
	return pd_format(ctx, "%s/%s", folder, program);
}

/* What is run: the installer itself, or a copy that is proved again, or @p program of
 * the archive that the copy is. */
static const char *runnable(struct pd_ctx *ctx, const char *program)
{
	const struct driver_args *a = ctx->args;
	const char *name = strrchr(a->installer, '/') + 1;
	const char *copy = pd_format(ctx, "%s/program/%s", ctx->work_dir, name);
	const char *digests[2] = { NULL, NULL };
	const char *paths[2] = { a->installer, copy };

	if (!is_plain(a))
		return a->installer;
	if (pkg_make_folder(ctx, pd_format(ctx, "%s/program",
					   ctx->work_dir)) < 0 ||
	    pkg_copy_file(ctx, a->installer, copy) < 0 ||
	    pkg_digests(ctx, paths, 2, digests) < 0)
		return NULL;
	if (!digests[0] || !digests[1] || strcmp(digests[0], digests[1]) != 0 ||
	    chmod(copy, 0700) < 0) {
		pd_fail(ctx, PD_FAILED, "%s can't be copied to %s as it is",
			a->installer, copy);
		return NULL;
	}
	return a->program ? unpacked(ctx, copy, program) : copy;
}

int driver_installer_check(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	int done = check_rows(ctx);

	if (done == 0)
		done = check_program(ctx);
	if (done < 0)
		return done;
	if (a->creates && pkg_exists(a->creates)) {
		pd_log(ctx, PD_LOG_INFO, "%s is there: already installed",
		       a->creates);
		return pd_recall(ctx, "started") && !pd_recall(ctx, "outcome") ?
		       PD_CHANGED : PD_UNCHANGED;
	}
	if (a->uninstall.len == 0)
		pd_irreversible(ctx, "the vendor's installer comes without a "
				"command to uninstall (uninstall)");
	return PD_CHANGED;
}

static int run(struct pd_ctx *ctx, const char *program,
	       const struct pd_list *arguments, size_t skip,
	       struct pd_command_result *result)
{
	const struct driver_args *a = ctx->args;
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command command = { .size = sizeof(command),
				      .flags = PD_RUN_LOG,
				      .output_max = (size_t)8 << 20 };

	pkg_arg(&argv, program);
	for (size_t i = skip; i < arguments->len; i++)
		pkg_arg(&argv, arguments->items[i]);
	command.argv = argv.v;
	if (a->program) /* its files are beside it */
		command.directory = pd_format(ctx, "%.*s", (int)(strrchr(program, '/') - program), program);
	return pd_command_run(ctx, &command, result) < 0 ? PD_FAILED : 0;
}

static int write_output(struct pd_ctx *ctx, const char *name,
			const struct pd_command_result *result)
{
	const char *path = pd_format(ctx, "%s/%s.log", ctx->work_dir, name);
	struct pkg_text text = { .ctx = ctx };

	pkg_printf(&text, "status %d\n== standard output\n%s\n"
		   "== standard error\n%s\n", result->status, result->out,
		   result->err);
	if (pd_write_file(ctx, path, 0600, text.s, text.len) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, pd_format(ctx, "output of the vendor's "
						"%s", name));
}

/* What the exit status means for the step. */
static int outcome(struct pd_ctx *ctx, size_t meaning, int status,
		   const char *err)
{
	const struct driver_args *a = ctx->args;

	switch (meaning) {
	case PD_EXIT_SUCCESS:
	case PD_EXIT_SUCCESS_REBOOT:
		return PD_CHANGED;
	case PD_EXIT_ALREADY_INSTALLED:
	case PD_EXIT_NOT_APPLICABLE:
		pd_log(ctx, PD_LOG_INFO, "%s says %s (status %d)", a->installer,
		       meanings[meaning], status);
		return PD_UNCHANGED;
	case PD_EXIT_RETRY_LATER:
		return pd_fail(ctx, PD_RETRY, "%s asks to be run again later "
			       "(status %d)", a->installer, status);
	case PD_EXIT_NEEDS_OPERATOR:
		return pd_fail(ctx, PD_FAILED, "%s needs a person (status %d); "
			       "run it by hand, then resume", a->installer,
			       status);
	case PD_EXIT_FAILED_REBOOT:
		return pd_fail(ctx, PD_FAILED, "%s failed (status %d) and "
			       "needs a reboot before it can be tried again",
			       a->installer, status);
	default:
		return pd_fail(ctx, PD_FAILED, "%s failed with status %d: %s",
			       a->installer, status, err);
	}
}

int driver_installer_apply(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *devices = driver_devices(ctx, &a->match);
	struct pd_command_result result = { 0 };
	const char *program = NULL;
	size_t meaning = 0;
	int done = check_rows(ctx);

	if (done == 0)
		done = check_program(ctx);
	if (done < 0 || !devices)
		return done == PD_REFUSED ? PD_FAILED : done < 0 ? done :
		       PD_BAD_ARGS;
	if ((!pd_recall(ctx, "started") &&
	     driver_evidence(ctx, "before", NULL, devices) < 0) ||
	    driver_explain_devices(ctx, devices, NULL) < 0 ||
	    !(program = runnable(ctx, a->program)) || pd_remember(ctx, "started", "1") < 0 ||
	    run(ctx, program, &a->arguments, 0, &result) < 0 ||
	    write_output(ctx, "installer", &result) < 0)
		return PD_FAILED;
	meaning = meaning_of(a, result.status);
	if (meaning == PD_EXIT_ALREADY_INSTALLED ||
	    meaning == PD_EXIT_NOT_APPLICABLE)
		driver_unexplain(ctx); /* it has changed nothing */
	if (pd_remember(ctx, "outcome", meanings[meaning]) < 0 ||
	    driver_reboot(ctx, meaning == PD_EXIT_SUCCESS_REBOOT ||
			  meaning == PD_EXIT_FAILED_REBOOT ||
			  (meaning == PD_EXIT_SUCCESS && a->needs_reboot),
			  a->reboot_due) < 0 ||
	    driver_evidence(ctx, "after", NULL, devices) < 0)
		return PD_FAILED;
	return outcome(ctx, meaning, result.status, result.err);
}

int driver_installer_verify(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *said = pd_recall(ctx, "outcome");

	if (said && strcmp(said, "not-applicable") == 0)
		return PD_UNCHANGED;
	if (a->creates && !pkg_exists(a->creates))
		return pd_fail(ctx, PD_FAILED, "the installer said \"%s\", but "
			       "%s is not there", said ? said : "nothing",
			       a->creates);
	if (a->creates ||
	    (said && (strncmp(said, "success", 7) == 0 ||
		      strcmp(said, "already-installed") == 0)))
		return PD_UNCHANGED;
	return pd_fail(ctx, PD_FAILED, "the installer did not say that it "
		       "succeeded (%s)", said ? said : "it was not run");
}

int driver_installer_undo(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *said = pd_recall(ctx, "outcome");
	struct pd_command_result result = { 0 };
	const char *why = NULL, *program = NULL;
	size_t meaning = 0;

	if (!pd_recall(ctx, "started"))
		return PD_UNCHANGED;
	if (said && (strcmp(said, "already-installed") == 0 ||
		     strcmp(said, "not-applicable") == 0 ||
		     strcmp(said, "uninstalled") == 0))
		return PD_UNCHANGED;
	if (a->uninstall.len == 0)
		return pd_fail(ctx, PD_FAILED, "%s left something behind and "
			       "there is no command to uninstall it; remove "
			       "it as its vendor says", a->installer);
	program = a->uninstall.items[0];
	if (strcmp(program, a->installer) == 0 || is_inside(a, program)) {
		if (check_program(ctx) < 0 || !(program = runnable(ctx, program)))
			return PD_FAILED;
	} else if ((why = program_unfit(ctx, program))) {
		return pd_fail(ctx, PD_FAILED, "the uninstall program must not "
			       "be run: %s", why);
	}
	if (run(ctx, program, &a->uninstall, 1, &result) < 0 ||
	    write_output(ctx, "uninstaller", &result) < 0)
		return PD_FAILED;
	meaning = meaning_of(a, result.status);
	if (meaning != PD_EXIT_SUCCESS && meaning != PD_EXIT_SUCCESS_REBOOT &&
	    meaning != PD_EXIT_NOT_APPLICABLE)
		return pd_fail(ctx, PD_FAILED, "%s failed with status %d: %s",
			       a->uninstall.items[0], result.status,
			       result.err);
	if (a->creates && pkg_exists(a->creates))
		return pd_fail(ctx, PD_FAILED, "%s succeeded, but %s is still "
			       "there", a->uninstall.items[0], a->creates);
	if (meaning == PD_EXIT_SUCCESS_REBOOT)
		pd_log(ctx, PD_LOG_WARN, "%s asks for a reboot",
		       a->uninstall.items[0]);
	return pd_remember(ctx, "outcome", "uninstalled") < 0 ? PD_FAILED :
	       PD_CHANGED;
}
