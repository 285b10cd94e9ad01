/* SPDX-License-Identifier: MIT */
/* What a callback leaves behind and hands out, seen from inside its worker. */
#include "lens.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "plugin/child.h"
#include "plugin/worker.h"
#include "still.h"

/* One callback at a time, and its worker inherits what stands here. */
static struct {
	struct lens *lens;
	struct pd_step step;
	struct pd_scanner scanner;
	struct pd_reader reader;
	struct pd_filter filter;
	struct pd_host host;
	const struct pd_host *real;
} now;

struct lens *lens_new(void)
{
	void *at = mmap(NULL, sizeof(struct lens), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void lens_note(char lines[LENS_FOUND][LENS_LINE], size_t *n, const char *line)
{
	if (*n < LENS_FOUND)
		snprintf(lines[(*n)++], LENS_LINE, "%s", line);
}

/* ------------------------------------------------- what it leaves behind */

/* Names in a folder; of one of /proc the numbers alone: descriptors, but for our
 * own, or processes. */
static void names(const char *path, struct pd_strings *out)
{
	bool all = strncmp(path, "/proc", 5) != 0, open_here = strcmp(path, "/proc/self/fd") == 0;
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (all || (isdigit((unsigned char)d->d_name[0]) &&
			    !(open_here && atoi(d->d_name) == dirfd(dir))))
			pd_strings_add(out, d->d_name);
	if (dir)
		closedir(dir);
}

/* The one place that may be written by who only looks, if it is cleared up. */
static void compare_tmp(struct lens *l, const struct pd_strings *before)
{
	pd_auto(pd_strings) after = {0};

	names("/tmp", &after);
	for (size_t i = 0; i < after.len; i++) {
		pd_auto_free char *line = pd_print("/tmp/%s is left", after.items[i]);

		if (!pd_strings_has(before, after.items[i]))
			lens_note(l->touches, &l->n_touched, line);
	}
}

static void compare_descriptors(struct lens *l, const struct pd_strings *before)
{
	pd_auto(pd_strings) after = {0};

	names("/proc/self/fd", &after);
	for (size_t i = 0; i < after.len; i++) {
		pd_auto_free char *link = pd_print("/proc/self/fd/%s", after.items[i]), *line = NULL;
		char to[128] = "";

		if (pd_strings_has(before, after.items[i]))
			continue;
		(void)!readlink(link, to, sizeof(to) - 1);
		line = pd_print("descriptor %s is left open: %s", after.items[i], to);
		lens_note(l->left, &l->n_left, line);
	}
}

/* Of this callback: of its session, or with its mark in the environment. */
static bool is_ours(const struct lens *l, const char *pid)
{
	pd_auto_free char *path = pd_print("/proc/%s/environ", pid), *env = NULL;
	size_t len = 0;

	if (atoi(pid) == getpid())
		return false;
	if (l->alone || getsid(atoi(pid)) == getsid(0))
		return true;
	env = pd_file_read(path, (size_t)1 << 20, &len, NULL);
	return env && memmem(env, len, PD_WORKER_MARK "=conform", strlen(PD_WORKER_MARK) + 8);
}

/* Nobody has asked yet how it ended: its parent went first. */
static bool has_ended(const char *pid)
{
	pd_auto_free char *path = pd_print("/proc/%s/stat", pid), *stat = pd_file_read(path, 4096, NULL, NULL);
	const char *name_end = stat ? strrchr(stat, ')') : NULL;

	return !name_end || strncmp(name_end, ") Z", 3) == 0;
}

static size_t processes_left(struct lens *l, const struct pd_strings *before, bool note)
{
	pd_auto(pd_strings) after = {0};
	size_t n = 0;

	names("/proc", &after);
	for (size_t i = 0; i < after.len; i++) {
		pd_auto_free char *path = pd_print("/proc/%s/comm", after.items[i]), *name = NULL, *line = NULL;

		if (pd_strings_has(before, after.items[i]) || !is_ours(l, after.items[i]) ||
		    has_ended(after.items[i]))
			continue;
		name = pd_file_read(path, 256, NULL, NULL);
		line = pd_print("process %s is left: %.*s", after.items[i],
				name ? (int)strcspn(name, "\n") : 1, name ? name : "?");
		if (note)
			lens_note(l->left, &l->n_left, line);
		n++;
	}
	return n;
}

/* What is just ending is given a second. */
static void compare_processes(struct lens *l, const struct pd_strings *before)
{
	struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; i < (l->hasty ? 2 : 100) && processes_left(l, before, false); i++)
		nanosleep(&pause, NULL);
	processes_left(l, before, true);
}

/* -------------------------------------------------------- what it hands out */

static bool has_secret(const struct lens *l, const char *word)
{
	for (size_t i = 0; i < sizeof(l->secrets) / sizeof(*l->secrets); i++)
		if (*l->secrets[i] && strstr(word, l->secrets[i]))
			return true;
	return false;
}

static int run(struct pd_ctx *ctx, const struct pd_command *command, struct pd_command_result *result)
{
	const char *const *lists[] = { command->argv, command->env };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; lists[k] && lists[k][i]; i++) {
			pd_auto_free char *line = pd_print("a secret is given to %s in its %s, where "
				"others see it", command->argv[0], k ? "environment" : "arguments");

			if (has_secret(now.lens, lists[k][i]))
				lens_note(now.lens->shown, &now.lens->n_shown, line);
		}
	return now.real->run(ctx, command, result);
}

/* It is at work: a little later it is asked to stop, by the agent; in the midst of
 * what comes next, since at once it may ask a last time before it begins. */
static void speak(struct lens *l)
{
	if (l->late >= LENS_QUICK && !l->spoken) {
		l->spoken = true;
		l->ask_at = pd_now_ms() + l->late / 10;
	}
}

static void log_line(struct pd_ctx *ctx, int level, const char *fmt, va_list ap)
{
	now.real->log(ctx, level, fmt, ap);
	speak(now.lens);
}

static void progress(struct pd_ctx *ctx, int64_t done, int64_t total, const char *text)
{
	now.real->progress(ctx, done, total, text);
	speak(now.lens);
}

static int remember(struct pd_ctx *ctx, const char *key, const char *value)
{
	struct lens *l = now.lens;
	int result = now.real->remember(ctx, key, value);

	if (result == 0 && ++l->remembered == l->kill_at)
		raise(SIGKILL);
	speak(l);
	if (l->late && l->late < LENS_QUICK && l->remembered == 1) {
		l->ask_at = pd_now_ms();
		raise(SIGTERM);
	}
	return result;
}

static int unpacked(struct pd_ctx *ctx, const void *data, size_t len)
{
	if (len > now.lens->piece)
		now.lens->piece = len;
	return now.real->unpacked(ctx, data, len);
}

/* ------------------------------------------------------------ the callback */

static long memory(void)
{
	struct rusage used = {0};

	return getrusage(RUSAGE_SELF, &used) == 0 ? used.ru_maxrss : 0;
}

/* On top of what is there already, which may be a sanitizer's. */
static void limit_memory(void)
{
	enum { MORE = 1 << 30 };
	pd_auto_free char *pages = pd_file_read("/proc/self/statm", 4096, NULL, NULL);
	rlim_t most = (pages ? strtoul(pages, NULL, 10) : 0) * (rlim_t)sysconf(_SC_PAGESIZE) + MORE;

	setrlimit(RLIMIT_AS, &(struct rlimit){ most, most });
}

/* mount_setattr(2), of Linux 5.12 and newer than many a C library: of all mounts
 * below, or of one no more. */
static bool set_read_only(const char *at, bool all)
{
	enum { CALL = 442, READ_ONLY = 1, RECURSIVE = 0x8000 };
	struct {
		uint64_t set, clear, propagation, userns;
	} a = { all ? READ_ONLY : 0, all ? 0 : READ_ONLY, 0, 0 };

	return syscall(CALL, AT_FDCWD, at, all ? RECURSIVE : 0, &a, sizeof(a)) == 0;
}

/* The filter; and no file system that can be written, but /tmp. */
static bool make_still(struct lens *l)
{
	int channel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), listener;

	if (channel < 0 || connect(channel, (struct sockaddr *)&l->judge, sizeof(l->judge)) < 0 ||
	    (l->shut && (unshare(CLONE_NEWNS) < 0 ||
			 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			 !set_read_only("/", true) || !set_read_only("/tmp", false))))
		return false;
	listener = still_hold();
	return listener >= 0 && still_pass(channel, listener) && close(listener) == 0 &&
	       close(channel) == 0;
}

static int look(struct pd_ctx *ctx, int (*callback)(struct pd_ctx *ctx))
{
	pd_auto(pd_strings) open_before = {0}, running_before = {0}, tmp_before = {0};
	struct lens *l = now.lens;
	long before = memory();
	int result;

	now.real = ctx->host;
	now.host = *ctx->host;
	now.host.run = run;
	now.host.log = log_line;
	now.host.progress = progress;
	now.host.remember = remember;
	now.host.unpacked = unpacked;
	ctx->host = &now.host;
	names("/proc", &running_before);
	names("/tmp", &tmp_before);
	if (l->still && !make_still(l))
		return pd_fail(ctx, PD_FAILED, "the system can't be made read-only for the"
			       " check: %s", strerror(errno));
	names("/proc/self/fd", &open_before);
	if (l->tight)
		limit_memory();
	if (l->stop)
		raise(SIGTERM);
	l->group = getpid();
	if (l->late >= LENS_QUICK)
		l->ask_at = pd_now_ms() + l->late / 2; /* if it says nothing */
	alarm(l->patience);
	result = callback(ctx);
	alarm(0);
	l->ask_at = 0;
	l->peak = memory() - before;
	compare_descriptors(l, &open_before);
	compare_processes(l, &running_before);
	if (ctx->phase != PD_PHASE_APPLY && ctx->phase != PD_PHASE_VERIFY && ctx->phase != PD_PHASE_UNDO)
		compare_tmp(l, &tmp_before);
	return result;
}

#define THROUGH(kind, name) \
	static int kind##_##name(struct pd_ctx *ctx) { return look(ctx, now.kind.name); }
THROUGH(step, check)
THROUGH(step, apply)
THROUGH(step, verify)
THROUGH(step, undo)
THROUGH(scanner, scan)
THROUGH(reader, read)
THROUGH(filter, unpack)

const struct pd_step *lens_step(struct lens *l, const struct pd_step *s)
{
	static struct pd_step copy;

	now.lens = l;
	now.step = copy = *s;
	copy.check = step_check;
	copy.apply = s->apply ? step_apply : NULL;
	copy.verify = s->verify ? step_verify : NULL;
	copy.undo = s->undo ? step_undo : NULL;
	return &copy;
}

#define LENS(kind, callback)                                                                 \
	const struct pd_##kind *lens_##kind(struct lens *l, const struct pd_##kind *of)      \
	{                                                                                    \
		static struct pd_##kind copy;                                                \
                                                                                             \
		now.lens = l;                                                                \
		now.kind = copy = *of;                                                       \
		copy.callback = kind##_##callback;                                           \
		return &copy;                                                                \
	}
LENS(scanner, scan)
LENS(reader, read)
LENS(filter, unpack)
