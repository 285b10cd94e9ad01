/* SPDX-License-Identifier: MIT */
/* Mounts of its own: what is mounted in them goes with them, also when all is killed. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

bool space_cover(const char *folder)
{
	return mount("none", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") == 0;
}

/* What rear changes by the way: what it knows, its log, /etc/rear/os.conf, and a
 * line in the syslog. */
static bool cover_all(void)
{
	return space_cover(OWN) && space_cover("/var/log") && mkdir(OWN "/tmp", 0700) == 0 &&
	       mount(CONFIG, CONFIG, NULL, MS_BIND, NULL) == 0 &&
	       mount("none", CONFIG, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0 &&
	       (mount("/dev/null", "/dev/log", NULL, MS_BIND, NULL) == 0 || errno == ENOENT);
}

int space_leave(struct pd_ctx *ctx, const struct space *back, int result)
{
	bool done = setns(back->space, CLONE_NEWNS) == 0 && fchdir(back->root) == 0 && chroot(".") == 0;
	int error = errno;

	close(back->space);
	close(back->root);
	return done ? result : pd_fail(ctx, PD_FAILED, "cannot go back to the server's mounts: %s", strerror(error));
}

int space_enter(struct pd_ctx *ctx, bool untouched, struct space *back)
{
	int error;

	back->space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	back->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back->space < 0 || back->root < 0 || unshare(CLONE_NEWNS) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot have mounts of its own: %s", strerror(errno));
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && (!untouched || cover_all()))
		return 0;
	error = errno;
	return space_leave(ctx, back, pd_fail(ctx, PD_FAILED, "cannot have mounts of its own: %s", strerror(error)));
}
