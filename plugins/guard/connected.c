/* SPDX-License-Identifier: MIT */
/* Is a connection of a process open?  /proc/PID/fd and /proc/PID/net: proc(5). */
#include "guard.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ESTABLISHED = 1, MOST_BYTES = 64 << 20 }; /* include/net/tcp_states.h of Linux */

struct sockets {
	uint64_t *inodes;
	size_t n, cap;
};

static void add(struct sockets *s, uint64_t inode)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	uint64_t *grown = s->n == s->cap ? reallocarray(s->inodes, cap, sizeof(*grown)) : s->inodes;

	if (!grown)
		abort();
	s->cap = s->n == s->cap ? cap : s->cap;
	s->inodes = grown;
	s->inodes[s->n++] = inode;
}

/* Those that it has now; it may be gone by now, and has none then. */
static struct sockets sockets_of(struct pd_ctx *ctx, const char *pid)
{
	DIR *fds = opendir(pd_format(ctx, "/proc/%s/fd", pid));
	struct sockets s = { 0 };
	const struct dirent *e;

	while (fds && (e = readdir(fds))) {
		char to[64] = "";
		uint64_t inode;

		if (readlinkat(dirfd(fds), e->d_name, to, sizeof(to) - 1) > 0 &&
		    sscanf(to, "socket:[%" SCNu64 "]", &inode) == 1)
			add(&s, inode);
	}
	if (fds)
		closedir(fds);
	return s;
}

static bool has(const struct sockets *s, uint64_t inode)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->inodes[i] == inode)
			return true;
	return false;
}

/* A table of the kernel's: the fourth column is the state, the tenth the inode. */
static bool any_open(const struct sockets *s, const char *table)
{
	const char *line = table;
	unsigned state;
	uint64_t inode;

	while (line && *line) {
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %*s %*s %" SCNu64, &state, &inode) == 2 &&
		    state == ESTABLISHED && has(s, inode))
			return true;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return false;
}

bool guard_connected(struct pd_ctx *ctx, const char *pid)
{
	static const char *const tables[] = { "tcp", "tcp6" };
	struct sockets s = sockets_of(ctx, pid);
	bool open = false;

	for (size_t i = 0; i < 2 && s.n > 0 && !open; i++)
		open = any_open(&s, pd_read_file(ctx, pd_format(ctx, "/proc/%s/net/%s", pid, tables[i]),
						 MOST_BYTES, NULL));
	free(s.inodes);
	return open;
}
