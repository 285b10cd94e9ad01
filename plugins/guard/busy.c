/* SPDX-License-Identifier: MIT */
/* The step guard.busy: does a backup or a package manager run? */
#include "guard.h"
#include "../shared/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct args {
	struct pd_list processes, daemons, locks;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, processes, PD_T_LIST,
		 .def = "restic,borg,rsnapshot,duplicity,apt,apt-get,aptitude,dpkg,dnf,dnf5,"
			"dnf-automatic,microdnf,yum,zypper,unattended-upgrade",
		 .help = "names of programs that must not run"),
	PD_PARAM(struct args, daemons, PD_T_LIST, .def = "bacula-fd,bareos-fd",
		 .help = "programs that wait for a backup server's call, and have no connection open unless a"
			 " job runs; leave out one that keeps a connection to its server"),
	PD_PARAM(struct args, locks, PD_T_LIST,
		 .def = "/var/lib/dpkg/lock-frontend,/var/lib/dpkg/lock,/var/lib/apt/lists/lock,"
			"/var/cache/apt/archives/lock,/var/lib/rpm/.rpm.lock,"
			"/usr/lib/sysimage/rpm/.rpm.lock,/run/dnf/rpmtransaction.lock",
		 .help = "files that nobody must hold locked"),
	PD_PARAM_END
};

static int runs(struct pd_ctx *ctx, const char *pid, const char *name, void *result)
{
	*(int *)result = guard_refuse(ctx, "it would get in the way of other work",
				      pd_format(ctx, "%s runs as process %s", name, pid),
				      "wait until it has ended, or end it in good order");
	return 0;
}

static int works(struct pd_ctx *ctx, const char *pid, const char *name, void *result)
{
	if (guard_connected(ctx, pid))
		*(int *)result = guard_refuse(ctx, "it would get in the way of other work",
			pd_format(ctx, "%s, process %s, is at work: it has a connection open", name, pid),
			"wait until its job has ended, or end it in good order");
	return 0;
}

static int processes(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = PD_UNCHANGED;
	int r = process_each(ctx, &a->processes, runs, &result);

	r = r < 0 ? r : process_each(ctx, &a->daemons, works, &result);
	return r < 0 ? r : result;
}

/* Is it another name of a file before it?  /var/lib/rpm may be a link. */
static bool is_alias(const struct pd_list *locks, size_t i)
{
	struct stat it = { 0 }, other = { 0 };

	for (size_t k = 0; k < i && stat(locks->items[i], &it) == 0; k++)
		if (stat(locks->items[k], &other) == 0 && other.st_dev == it.st_dev &&
		    other.st_ino == it.st_ino)
			return true;
	return false;
}

/* Locks as dpkg, apt, rpm and dnf 5 take them: fcntl(2), F_SETLK. */
static int one_lock(struct pd_ctx *ctx, const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -1 : fcntl(fd, F_GETLK, &lock);
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (fd < 0 && (why == ENOENT || why == ENOTDIR))
		return PD_UNCHANGED;
	if (r < 0)
		return pd_fail(ctx, PD_FAILED, "cannot look at the lock %s: %s", path, strerror(why));
	return lock.l_type == F_UNLCK ? PD_UNCHANGED :
	       guard_refuse(ctx, "packages could not be installed",
			    pd_format(ctx, "%s holds %s", lock.l_pid > 0 ?
				      pd_format(ctx, "process %ld", (long)lock.l_pid) :
				      "another process", path),
			    "wait until it has ended, or end it in good order");
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = processes(ctx), r;

	for (size_t i = 0; i < a->locks.len && result != PD_FAILED; i++) {
		r = is_alias(&a->locks, i) ? PD_UNCHANGED : one_lock(ctx, a->locks.items[i]);
		result = r == PD_UNCHANGED ? result : r;
	}
	return result;
}

const struct pd_step guard_busy = {
	PD_STEP, .name = "busy",
	.help = "go on only while no backup and no package manager runs",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .check = check
};
