/* SPDX-License-Identifier: MIT */
/* manager - runs rpm and dnf: the lock, one transaction, why it failed. */
#include "rpm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DNF "/usr/bin/dnf"
#define DNF_LOCK "/var/lib/dnf/rpmdb_lock.pid"

static const char *const environment[] = { "LC_ALL=C.UTF-8", "TERM=dumb",
					   NULL };

int rpm_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result)
{
	struct pd_command command = {
		.size = sizeof(command), .argv = argv->v, .env = environment,
		.output_max = PKG_OUTPUT_MAX
	};

	return pd_command_run(ctx, &command, result) < 0 ? PD_FAILED : 0;
}

void rpm_begin(struct rpm_txn *txn, struct pkg_argv *argv, const char *verb)
{
	argv->ctx = txn->ctx;
	pkg_arg(argv, "rpm");
	pkg_arg(argv, verb);
	pkg_arg(argv, "--define");
	pkg_arg(argv, txn->unsigned_too ? "_pkgverify_level digest" :
					  "_pkgverify_level all");
}

static void why_from(struct pkg_text *text, const char *output, bool all)
{
	char *rest = output ? (char *)pkg_copy(text->ctx, output,
					       strlen(output)) : NULL;
	char *line = NULL;

	while (rest && text->len < 1500 && (line = pkg_line(&rest))) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (*line && strncmp(line, "warning: ", 9) != 0 &&
		    (all || strncmp(line, "Error", 5) == 0 ||
		     strstr(line, " is needed by ") ||
		     strstr(line, "conflict") || strstr(line, "nothing provides")))
			pkg_printf(text, "%s%s", text->len ? "; " : "", line);
	}
}

const char *rpm_why(struct pd_ctx *ctx, const struct pd_command_result *r)
{
	struct pkg_text text = { .ctx = ctx };

	why_from(&text, r->err, true);
	if (text.len == 0)
		why_from(&text, r->out, false);
	return text.s ? text.s :
	       pd_format(ctx, "exit status %d without a message", r->status);
}

/* The process that has rpm's lock; 0 none. */
static long rpm_holder(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool held = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 &&
		    lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return held ? (long)lock.l_pid : 0;
}

/* The dnf that is in the middle of a transaction; 0 none. */
static long dnf_holder(struct pd_ctx *ctx)
{
	const char *text = pkg_exists(DNF_LOCK) ?
			   pd_read_file(ctx, DNF_LOCK, 64, NULL) : NULL;
	long pid = text ? strtol(text, NULL, 10) : 0;

	return pid > 0 && access(pd_format(ctx, "/proc/%ld", pid), F_OK) == 0 ?
	       pid : 0;
}

static const char *lock_file(struct pd_ctx *ctx)
{
	const char *const argv[] = { "rpm", "--eval", "%{_dbpath}", NULL };
	struct pd_command_result result = { 0 };
	char *rest = NULL;

	if (pd_run(ctx, argv, &result) < 0 || result.status != 0)
		return NULL;
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	return pd_format(ctx, "%s/.rpm.lock", pkg_field(&rest, '\n'));
}

/*
 * rpm and dnf take their locks themselves, and wait for them without an end
 * and without a word.  So it is waited here, where it can be said for whom.
 */
int rpm_wait(struct pd_ctx *ctx, int64_t timeout)
{
	const char *path = lock_file(ctx);

	if (!path)
		return pd_fail(ctx, PD_FAILED, "rpm does not tell where its "
			       "database is");
	for (int64_t waited = 0;; waited++) {
		struct timespec second = { .tv_sec = 1 };
		long pid = rpm_holder(path);
		const char *holder = NULL;

		if (pid == 0)
			pid = dnf_holder(ctx);
		if (pid == 0)
			return 0;
		holder = pd_format(ctx, "process %ld (%s)", pid,
				   pkg_holder(ctx, pid));
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "canceled while "
				       "waiting for %s, which has the lock of "
				       "the package manager", holder);
		if (waited >= timeout)
			return pd_fail(ctx, PD_FAILED, "the package manager's "
				       "lock %s is still held by %s after %lld "
				       "seconds; let it finish or end it, then "
				       "run again", path, holder,
				       (long long)timeout);
		if (waited % 30 == 0)
			pd_log(ctx, PD_LOG_INFO, "waiting for the package "
			       "manager's lock, held by %s", holder);
		pd_progress(ctx, waited, timeout, "waiting for the lock");
		nanosleep(&second, NULL);
	}
}

bool rpm_has_dnf(void)
{
	return access(DNF, X_OK) == 0;
}

/* dnf's "  Upgrading  : NAME-VERSION  3/14" */
static void on_line(struct pd_ctx *ctx, void *user, int stream,
		    const char *line)
{
	struct pkg_text *text = user;
	const char *slash = strrchr(line, '/');
	const char *at = slash;
	long done = 0, total = slash ? strtol(slash + 1, NULL, 10) : 0;

	pkg_printf(text, "%s\n", line);
	while (at && at > line && isdigit((unsigned char)at[-1]))
		at--;
	if (stream != 1 || !slash || at == slash || total <= 0 ||
	    !strstr(line, " : "))
		return;
	done = strtol(at, NULL, 10);
	pd_progress(ctx, done, total, line + strspn(line, " "));
}

/* Run it with progress, and keep what it says. */
static int act(struct pd_ctx *ctx, const struct pkg_argv *argv,
	       const char **why)
{
	const char *path = pd_format(ctx, "%s/output.txt", ctx->work_dir);
	const char *before = pkg_exists(path) ?
			     pd_read_file(ctx, path, PKG_OUTPUT_MAX, NULL) : NULL;
	struct pd_command_result result = { 0 };
	struct pkg_text text = { .ctx = ctx };
	struct pd_command command = {
		.size = sizeof(command), .argv = argv->v, .env = environment,
		.output_max = PKG_OUTPUT_MAX, .line = on_line, .user = &text
	};

	pkg_printf(&text, "%s==", before ? before : "");
	for (size_t i = 0; i < argv->n; i++)
		pkg_printf(&text, " %s", argv->v[i]);
	pkg_printf(&text, "\n");
	if (pd_command_run(ctx, &command, &result) < 0 ||
	    pd_write_file(ctx, path, 0600, text.s, text.len) < 0)
		return PD_FAILED;
	if (result.status == 0)
		return 0;
	*why = rpm_why(ctx, &result);
	return PD_REFUSED;
}

int rpm_act(struct rpm_txn *txn, const struct pkg_argv *argv, const char **why)
{
	return act(txn->ctx, argv, why);
}

static void order(struct pkg_text *text, const char *verb,
		  const struct pkg_argv *what)
{
	if (what->n > 0)
		pkg_printf(text, "%s", verb);
	for (size_t i = 0; i < what->n; i++)
		pkg_printf(text, " %s", what->v[i]);
	pkg_printf(text, "\n");
}

int rpm_dnf(struct rpm_txn *txn, const struct pkg_argv *files,
	    const struct pkg_argv *gone, const char **why)
{
	/* no repository is asked, and nothing goes that was not named */
	static const char *const fixed[] = {
		DNF, "-y", "--disablerepo=*", "--disableplugin=*",
		"--setopt=installonly_limit=0", "--setopt=install_weak_deps=0",
		"--setopt=clean_requirements_on_remove=0",
		"--setopt=color=never"
	};
	struct pd_ctx *ctx = txn->ctx;
	const char *path = pd_format(ctx, "%s/orders", ctx->work_dir);
	struct pkg_argv argv = { .ctx = ctx };
	struct pkg_text text = { .ctx = ctx };

	/* its shell takes files in one command only, and that the first */
	order(&text, "install", files);
	order(&text, "remove", gone);
	pkg_printf(&text, "run\n");
	if (pd_write_file(ctx, path, 0600, text.s, text.len) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		pkg_arg(&argv, fixed[i]);
	pkg_arg(&argv, txn->unsigned_too ? "--setopt=localpkg_gpgcheck=0" :
					   "--setopt=localpkg_gpgcheck=1");
	pkg_arg(&argv, "shell");
	pkg_arg(&argv, path);
	return act(ctx, &argv, why);
}
