/* SPDX-License-Identifier: MIT */
/* Ends this process, or its journal, where a drill wants it to. */
#include "run/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SIGN "/run/patchday-fault"

/* The row at which @p kind is to happen; INT64_MAX: none. */
static int64_t at(const char *kind)
{
	const char *s = getenv("PATCHDAY_FAULT");
	size_t len = strlen(kind);

	return s && strncmp(s, kind, len) == 0 && s[len] == '@' ?
	       strtoll(s + len + 1, NULL, 10) : INT64_MAX;
}

bool pd_fault_full(int64_t n)
{
	return n >= at("enospc");
}

static void sign(void)
{
	close(open(SIGN, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

void pd_fault_written(int64_t n)
{
	struct timespec pause = { .tv_nsec = 5000000 };

	if (n == at("kill") || n == at("stop"))
		sign();
	if (n == at("kill"))
		raise(SIGKILL);
	while (n == at("stop") && access(SIGN, F_OK) == 0)
		nanosleep(&pause, NULL);
}

static struct {
	const int64_t *n;
	const char *path;
} watched;

/* The last page of the write-ahead log loses its second half, as when the
 * power goes while it is written: 32 bytes of head, then for each page one
 * head of 24 bytes (https://sqlite.org/fileformat2.html#walformat). */
static int on_commit(void *user, sqlite3 *db, const char *name, int pages)
{
	pd_auto_free char *wal = pd_print("%s-wal", watched.path);

	(void)user, (void)db, (void)name;
	if (*watched.n >= at("torn") &&
	    truncate(wal, 32 + (off_t)pages * (4096 + 24) - 2048) == 0) {
		sign();
		raise(SIGKILL);
	}
	return SQLITE_OK;
}

void pd_fault_watch(sqlite3 *db, const int64_t *n, const char *path)
{
	watched.n = n;
	watched.path = path;
	if (at("torn") != INT64_MAX)
		sqlite3_wal_hook(db, on_commit, NULL);
}
