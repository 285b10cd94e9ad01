/* SPDX-License-Identifier: MIT */
/* A stick that is at hand, for recovery.medium: what the newest run of this server has left on it. */
#include "stick.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_AT 0x438 /* of ext2, ext3 and ext4, which rear's sticks have */
#define REMEDY "put the stick of this server in, or have one made by recovery.stick"

bool stick_is_one(const char *path)
{
	const unsigned char magic[] = { 0x53, 0xef };
	unsigned char there[sizeof(magic)];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) &&
		  pread(fd, there, sizeof(there), MAGIC_AT) == (ssize_t)sizeof(there) &&
		  memcmp(there, magic, sizeof(magic)) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

/* The folder with the youngest system of rear.  NULL: there is none. */
static const char *newest(struct pd_ctx *ctx, const char *pattern)
{
	const char *found = NULL;
	struct stat st;
	time_t when = 0;
	glob_t g = { 0 };

	if (glob(pd_format(ctx, STICK "/rear/%s", pattern), GLOB_NOSORT, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *path = g.gl_pathv[i] + strlen(STICK);

			if (stat(g.gl_pathv[i], &st) < 0 || !S_ISREG(st.st_mode) || (found && st.st_mtime <= when))
				continue;
			when = st.st_mtime;
			found = pd_format(ctx, "%.*s", (int)(strrchr(path, '/') - path), path);
		}
	globfree(&g);
	return found;
}

/* What a run of patchday has written down beside what it made; the rest of the stick belongs to all runs. */
static int whole(struct pd_ctx *ctx, const struct device *d, const char *folder)
{
	const char *list = pd_format(ctx, STICK "%s/" LIST, folder);

	if (access(list, F_OK) == 0)
		return stick_compare(ctx, d, list, folder);
	pd_log(ctx, PD_LOG_WARN, "%s has no digests in %s: it is read, but what was written there nobody has told", d->path, folder);
	return 0;
}

static int look(struct pd_ctx *ctx, const struct device *d, struct medium *m)
{
	const char *folder = newest(ctx, pd_format(ctx, "%s/*/initrd*", short_name(ctx))), *other;
	int r;

	if (!folder)
		folder = newest(ctx, pd_format(ctx, "%s/initrd*", short_name(ctx)));
	other = folder ? NULL : newest(ctx, "*/*/initrd*");
	if (!folder)
		return against(ctx, other ? pd_format(ctx, "%s is the medium of another server: it has %s, and nothing of %s", d->path,
						      other, short_name(ctx)) :
			       pd_format(ctx, "%s has no system of rear on it", d->path), REMEDY);
	r = stick_read(ctx, d, folder, m);
	if (r == 0 && ctx->phase == PD_PHASE_CHECK && whole(ctx, d, folder) < 0)
		r = against(ctx, pd_format(ctx, "%s is damaged, or was changed since it was made: see the log", d->path),
			    "have it made anew, on another stick");
	else if (r == 0 && ctx->phase != PD_PHASE_CHECK)
		r = whole(ctx, d, folder);
	if (r == 0 && ctx->phase == PD_PHASE_APPLY)
		r = stick_list(ctx, d, folder);
	return r;
}

int stick_confirm(struct pd_ctx *ctx, const char *path, struct medium *m)
{
	struct device d = { .path = path, .type = "ext4" };
	int fd, r;

	if (access(STICK, F_OK) < 0)
		return against(ctx, pd_format(ctx, "%s is no image but a stick, and " STICK ", where one is mounted while it is read, is not "
					      "there", path), "install rear: apt-get install rear, or dnf install rear");
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0 || !device_look(ctx, &d)) {
		r = errno;
		if (fd >= 0)
			close(fd);
		return against(ctx, pd_format(ctx, "%s can't be had alone: %s", path, strerror(r)),
			       "unmount it; findmnt tells where it is mounted");
	}
	close(fd);
	r = device_mount(ctx, &d, STICK, true);
	if (r < 0)
		return r;
	r = look(ctx, &d, m);
	return device_unmount(ctx, &d, STICK) < 0 && r == 0 ? PD_FAILED : r;
}
