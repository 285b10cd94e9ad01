/* SPDX-License-Identifier: MIT */
/* Processes by the name of their program, from /proc. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define POLL_MS 500

static bool has(const struct pd_list *names, const char *word)
{
	for (size_t i = 0; i < names->len; i++)
		if (strcmp(names->items[i], word) == 0)
			return true;
	return false;
}

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

static const char *calls_itself(struct pd_ctx *ctx, const char *pid)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "/proc/%s/comm", pid), 4096, NULL);

	return text ? pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text) : "";
}

/* What of the names a process is; NULL: none. */
static const char *listed(struct pd_ctx *ctx, const char *pid, const struct pd_list *names)
{
	size_t len = 0;
	const char *line = pd_read_file(ctx, pd_format(ctx, "/proc/%s/cmdline", pid), 1 << 20, &len);
	const char *word = line;

	if (!line || !len) /* a kernel thread, or gone */
		return NULL;
	if (has(names, base(line)))
		return base(line);
	if (interprets(base(line))) {
		do
			word += strlen(word) + 1;
		while (word < line + len && *word == '-');
		if (word < line + len && has(names, base(word)))
			return base(word);
	}
	word = calls_itself(ctx, pid);
	return has(names, word) ? word : NULL;
}

int process_each(struct pd_ctx *ctx, const struct pd_list *names, process_fn *fn, void *user)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	int result = 0;

	if (!proc)
		return pd_fail(ctx, PD_FAILED, "cannot list the processes: %s", strerror(errno));
	while (result == 0 && (e = readdir(proc))) {
		const char *name = isdigit((unsigned char)e->d_name[0]) ?
				   listed(ctx, e->d_name, names) : NULL;

		if (name)
			result = fn(ctx, e->d_name, name, user);
	}
	closedir(proc);
	return result;
}

static int64_t now(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec;
}

int process_wait(struct pd_ctx *ctx, process_find_fn *find, void *user, int64_t timeout,
		 const char *kind, const char *remedy)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };
	int64_t end = now() + timeout;

	for (;;) {
		const char *what = NULL;
		int r = find(ctx, user, &what);

		if (r < 0 || !what)
			return r;
		if (now() >= end)
			return pd_fail(ctx, PD_FAILED, "%s is still at work after %" PRId64 " s: %s; wait "
				       "until it has ended, give more time with timeout, or %s", kind,
				       timeout, what, remedy);
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while waiting for %s", what);
		pd_progress(ctx, 0, 0, pd_format(ctx, "waiting for %s", what));
		nanosleep(&nap, NULL);
	}
}
