/* SPDX-License-Identifier: MIT */
/* The lock of a server's state folder: flock(2), so that it ends with its
 * owner whatever happens; the text in it is for people only. */
#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What the owner is at, as far as the journal tells. */
static void say_who(const char *state, struct pd_journal *j, struct pd_error **err)
{
	pd_auto_free char *run = NULL;
	pid_t pid = pd_lock_owner(state, &run);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		run ? pd_record_read(j, run, NULL) : NULL;
	const char *at = NULL;

	for (size_t i = 0; r && i < r->n_steps; i++)
		if (r->steps[i].state == PD_STEP_BEGUN || r->steps[i].state == PD_STEP_UNDOING)
			at = r->steps[i].key;
	pd_error_set(err, "run-locked", "process %ld is working on run %s, %s%s", (long)pid,
		     run ? run : "?", at ? "at step " : "between its steps", at ? at : "");
	pd_error_remedy(err, "`patchday status --follow` watches it. `kill -INT %ld` stops it as Ctrl-C does;"
			" then `patchday resume` goes on and `patchday undo` takes it back. While it"
			" waits for guards, `resume --emergency NAME,... --why TEXT` and `undo` reach"
			" it as it is.", (long)pid);
}

/* When the owner was killed, a worker that it has just forked may hold the lock
 * for the moment until it closes what it inherited: that passes. */
static bool take(int fd, const char *path)
{
	struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		pd_auto_free char *text = pd_file_read(path, 4096, NULL, NULL);
		long pid = text ? strtol(text, NULL, 10) : 0;

		if (i == 100 || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

int pd_lock_take(const char *state, struct pd_journal *j, const char *run,
		 struct pd_error **err)
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
	if (!take(fd, path)) {
		close(fd);
		say_who(state, j, err);
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
	text = pd_file_read(path, 4096, NULL, NULL);
	id = text ? strchr(text, ' ') : NULL;
	if (!id)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	*run = pd_strdup(id + 1);
	return (pid_t)strtol(text, NULL, 10);
}

bool pd_lock_private(const char *state, struct pd_error **err)
{
	struct stat st = {0};

	if (stat(state, &st) < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", state);
	return (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0) ||
	       pd_error_set(err, "state-not-private", "the state folder %s is no folder of this"
			    " user, or others can write in it", state);
}
