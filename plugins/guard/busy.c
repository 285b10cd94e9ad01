/* SPDX-License-Identifier: MIT */
/* The step guard.busy: does a backup or a package manager run? */
#include "guard.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct args {
	struct pd_list processes, locks;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, processes, PD_T_LIST,
		 .def = "restic,borg,rsnapshot,duplicity,apt,apt-get,dpkg,dnf,yum,zypper,"
			"unattended-upgrade", .help = "names of programs that must not run"),
	PD_PARAM(struct args, locks, PD_T_LIST,
		 .def = "/var/lib/dpkg/lock-frontend,/var/lib/dpkg/lock,/var/lib/apt/lists/lock,"
			"/var/cache/apt/archives/lock", .help = "files that nobody must hold locked"),
	PD_PARAM_END
};

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A script is known by the name of its file, behind the interpreter's. */
static bool interprets(const char *name)
{
	static const char *const all[] = { "python", "perl", "ruby", "sh", "bash", "dash" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strncmp(name, all[i], strlen(all[i])) == 0 &&
		    strspn(name + strlen(all[i]), "0123456789.") == strlen(name + strlen(all[i])))
			return true;
	return false;
}

/* What of the list a process is; NULL: none. */
static const char *listed(struct pd_ctx *ctx, const char *pid)
{
	const struct args *a = ctx->args;
	size_t len = 0;
	const char *line = pd_read_file(ctx, pd_format(ctx, "/proc/%s/cmdline", pid), 1 << 20, &len);
	const char *comm = guard_line(ctx, pd_format(ctx, "/proc/%s/comm", pid));
	const char *word = line;

	if (!line || !len) /* a kernel thread, or gone */
		return NULL;
	if (guard_has(&a->processes, base(line)))
		return base(line);
	if (interprets(base(line))) {
		do
			word += strlen(word) + 1;
		while (word < line + len && *word == '-');
		if (word < line + len && guard_has(&a->processes, base(word)))
			return base(word);
	}
	return comm && guard_has(&a->processes, comm) ? comm : NULL;
}

static int processes(struct pd_ctx *ctx)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	int result = PD_UNCHANGED;

	if (!proc)
		return pd_fail(ctx, PD_FAILED, "cannot list the processes: %s", strerror(errno));
	while ((e = readdir(proc))) {
		const char *name = isdigit((unsigned char)e->d_name[0]) ?
				   listed(ctx, e->d_name) : NULL;

		if (name)
			result = guard_refuse(ctx, "it would get in the way of other work",
				pd_format(ctx, "%s runs as process %s", name, e->d_name),
				"wait until it has ended, or end it in good order");
	}
	closedir(proc);
	return result;
}

/* Locks as dpkg and apt take them: fcntl(2), F_SETLK. */
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
			    pd_format(ctx, "process %ld holds %s", (long)lock.l_pid, path),
			    "wait until it has ended, or end it in good order");
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = processes(ctx), r;

	for (size_t i = 0; i < a->locks.len && result != PD_FAILED; i++) {
		r = one_lock(ctx, a->locks.items[i]);
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
