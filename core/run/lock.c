/* SPDX-License-Identifier: MIT */
/* The lock of a server's state folder: flock(2), so that it ends with its
 * owner whatever happens; the text in it is for people only. */
#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static char *owner_text(const char *path)
{
	char *text = pd_file_read(path, 4096, NULL, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

int pd_lock_take(const char *state, const char *run, struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/lock", state);
	pd_auto_free char *text = pd_print("%ld %s\n", (long)getpid(), run);
	int fd;

	if (!pd_make_folders(state, err))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		pd_error_errno(err, "file-write", errno, "cannot open %s", path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		pd_auto_free char *owner = owner_text(path);
		const char *id = owner ? strchr(owner, ' ') : NULL;

		close(fd);
		pd_error_set(err, "run-locked", "process %.*s is working on run%s",
			     owner ? (int)strcspn(owner, " ") : 1,
			     owner ? owner : "?", id ? id : " ?");
		return -1;
	}
	if (ftruncate(fd, 0) < 0 || !pd_write_all(fd, text, strlen(text))) {
		pd_error_errno(err, "file-write", errno, "cannot write %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

pid_t pd_lock_owner(const char *state, char **run)
{
	pd_auto_free char *path = pd_print("%s/lock", state);
	pd_auto_free char *text = NULL;
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *id;

	*run = NULL;
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	text = owner_text(path);
	id = text ? strchr(text, ' ') : NULL;
	if (!id)
		return 0;
	*run = pd_strdup(id + 1);
	return (pid_t)strtol(text, NULL, 10);
}
