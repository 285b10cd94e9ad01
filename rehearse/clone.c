/* SPDX-License-Identifier: MIT */
/* Life of a clone: made, started, looked at, gone. */
#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CGROUP "patchday-rehearse-"

static const char *const parts[] = { "root", "lower", "upper", "saved", "empty", "packages",
	"kmsg" };

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* The cgroups of a clone, the innermost first; they are empty by then, or
 * the kernel is just taking the last ones away. */
static void remove_cgroup(const char *path)
{
	pd_auto_free char *kill_file = pd_print("%s/cgroup.kill", path);
	char *const paths[] = { (char *)path, NULL };
	int fd = open(kill_file, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		close(fd);
	}
	for (int tries = 0; tries < 100 && access(path, F_OK) == 0; tries++) {
		FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
		FTSENT *e;

		while (tree && (e = fts_read(tree)))
			if (e->fts_info == FTS_DP)
				rmdir(e->fts_accpath);
		if (tree)
			fts_close(tree);
		if (access(path, F_OK) == 0)
			pause_ms(20);
	}
}

/* What one that was killed has left: the kernel ended its processes, and its
 * mounts with them. */
static void clean_up(const struct clone *c)
{
	pd_auto_free char *groups = pd_print("%s/cgroup", c->o->work);
	pd_auto_free char *mine = pd_print("%s/name", c->o->work);
	pd_auto_free char *name = pd_file_read(mine, 256, NULL, NULL);

	if (name && strncmp(name, CGROUP, strlen(CGROUP)) == 0 && !strchr(name, '/')) {
		pd_auto_free char *old = pd_print("%s/%s", groups, name);

		remove_cgroup(old);
	}
	unlink(mine);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		pd_auto_free char *path = pd_print("%s/%s", c->o->work, parts[i]);

		clone_remove_tree(path);
	}
}

static bool take_lock(struct clone *c, struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/lock", c->o->work);

	c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->lock < 0)
		return pd_error_errno(err, "file-write", errno, "%s", path);
	return flock(c->lock, LOCK_EX | LOCK_NB) == 0 ||
	       pd_error_set(err, "clone-busy", "another rehearsal or drill works in %s",
			    c->o->work);
}

/* The unified hierarchy, wherever (and whether) the server mounts it. */
static bool find_cgroup(struct clone *c, struct pd_error **err)
{
	pd_auto_free char *at = pd_print("%s/cgroup", c->o->work);
	pd_auto_free char *file = pd_print("%s/name", c->o->work);
	pd_auto_free char *name = pd_print(CGROUP "%ld", (long)getpid());
	pd_auto_free char *kmsg = pd_print("%s/kmsg", c->o->work);

	if (!pd_make_folders(at, err))
		return false;
	if (mount("cgroup2", at, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return pd_error_errno(err, "clone-mount", errno, "the clone can't have cgroups");
	clean_up(c);
	c->cgroup = pd_print("%s/%s", at, name);
	if (mkfifo(kmsg, 0600) < 0 || (c->kmsg = open(kmsg, O_RDWR | O_CLOEXEC)) < 0)
		return pd_error_errno(err, "file-write", errno, "%s", kmsg);
	return pd_file_write(file, 0600, name, strlen(name), err);
}

bool clone_open(struct clone *c, const struct clone_options *o, struct pd_error **err)
{
	*c = (struct clone){ .o = o, .lock = -1, .kmsg = -1, .pidfd = -1, .last = CLONE_OFF };
	c->root = pd_print("%s/root", o->work);
	clone_place(c, 0);
	if (!pd_make_folders(o->work, err) || !take_lock(c, err))
		return false;
	/* all mounts are this process's own: they go with it; and what loses its
	 * parent in the clone is its init's to reap, not this process's, which
	 * patchday was before */
	if (prctl(PR_SET_CHILD_SUBREAPER, 0) < 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return pd_error_errno(err, "clone-mount", errno,
				      "no mount namespace of its own");
	/* the lower file systems are the server's as they are without this */
	return clone_find_layers(c, err) && (o->first || find_cgroup(c, err)) && clone_mount(c, err);
}

bool clone_renew(struct clone *c, struct pd_error **err)
{
	clone_cut(c);
	clone_unmount(c);
	clone_remove_tree(c->upper);
	c->memory = false;
	return clone_mount(c, err);
}

bool clone_part(struct clone *c, unsigned n, struct pd_error **err)
{
	char *group = pd_print("%s/%u", c->cgroup, n);

	free(c->cgroup);
	c->cgroup = group;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWNS) < 0)
		return pd_error_errno(err, "clone-mount", errno,
				      "no mount namespace of its own");
	clone_unmount(c); /* its maker's go on in there */
	clone_place(c, n);
	return true;
}

void clone_part_close(struct clone *c)
{
	clone_cut(c);
	clone_unmount(c);
	clone_remove_tree(c->upper);
}

void clone_note(struct clone *c, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	if (!pd_strings_has(&c->notes, text))
		pd_strings_add(&c->notes, text);
}

json_t *clone_notes(const struct clone *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->notes.len; i++)
		json_array_append_new(all, json_string(c->notes.items[i]));
	return all;
}

static void free_clone(struct clone *c)
{
	for (size_t i = 0; i < c->n_layers; i++) {
		free(c->layers[i].at);
		free(c->layers[i].upper);
		free(c->layers[i].upper_work);
		free(c->layers[i].lower);
		pd_strings_clear(&c->layers[i].saved);
	}
	free(c->layers);
	free(c->root);
	free(c->upper);
	free(c->cgroup);
	pd_strings_clear(&c->hidden);
	pd_strings_clear(&c->notes);
}

void clone_close(struct clone *c)
{
	pd_auto_free char *groups = pd_print("%s/cgroup", c->o->work);
	pd_auto_free char *lock = pd_print("%s/lock", c->o->work);

	clone_cut(c);
	if (c->n_layers) { /* past the lock */
		clone_unmount(c);
		clone_unmount_saved(c);
		clean_up(c);
		umount2(groups, MNT_DETACH);
		rmdir(groups);
	}
	if (c->kmsg >= 0)
		close(c->kmsg);
	if (c->lock >= 0) {
		if (c->n_layers)
			unlink(lock);
		close(c->lock);
		rmdir(c->o->work);
	}
	free_clone(c);
}

/* In the child; the parent's end of @p gate closes when it is killed. */
static _Noreturn void child(const struct clone *c, int gate, int errors)
{
	pd_auto_free char *text = NULL;
	const char *what = "a life no longer than its maker's";
	int null = open("/dev/null", O_RDWR);
	char go;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && read(gate, &go, 1) == 1 && null >= 0) {
		setsid();
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		close(null);
		if (clone_inside(c, &what)) {
			close(errors);
			c->o->first(c->o->user);
			_exit(0);
		}
	}
	text = pd_print("the clone can't have %s: %s", what, strerror(errno));
	(void)!write(errors, text, strlen(text));
	_exit(1);
}

static bool start_init(struct clone *c, struct pd_error **err)
{
	struct clone_args a = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
				CLONE_NEWIPC | CLONE_PIDFD, .exit_signal = SIGCHLD,
				.pidfd = (uint64_t)(uintptr_t)&c->pidfd };
	int gate[2], errors[2];
	char text[512];
	ssize_t n;

	if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		return pd_error_errno(err, "clone-start", errno, "no pipe");
	fflush(NULL);
	c->init = (int)syscall(SYS_clone3, &a, sizeof(a));
	if (c->init == 0) {
		close(gate[1]);
		child(c, gate[0], errors[1]);
	}
	close(errors[1]);
	close(gate[0]);
	n = c->init > 0 && write(gate[1], "g", 1) == 1 ? read(errors[0], text, sizeof(text)) : -1;
	close(gate[1]);
	close(errors[0]);
	if (c->init < 0) {
		c->init = 0;
		return pd_error_errno(err, "clone-start", errno, "no namespaces for the clone");
	}
	return n == 0 || pd_error_set(err, "clone-start", "%.*s", n > 0 ? (int)n : 0, text);
}

bool clone_boot(struct clone *c, int seconds, struct pd_error **err)
{
	if (c->cgroup)
		remove_cgroup(c->cgroup);
	if ((c->cgroup && !pd_make_folders(c->cgroup, err)) || !start_init(c, err)) {
		clone_cut(c);
		return false;
	}
	if (c->o->first)
		return true;
	c->boots++;
	c->last = CLONE_OFF;
	return clone_settle(c, seconds) || c->last == CLONE_REBOOT ||
	       pd_error_set(err, "clone-start", "the clone's init did not come up within %d s",
			    seconds);
}

enum clone_state clone_poll(struct clone *c)
{
	int status = 0;

	if (!c->init)
		return c->last;
	if (waitpid(c->init, &status, WNOHANG) == 0)
		return CLONE_ON;
	c->init = 0;
	close(c->pidfd);
	c->pidfd = -1;
	/* pid_namespaces(7), reboot(2): a restart is a SIGHUP to the parent's eye */
	c->last = WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP ? CLONE_REBOOT : CLONE_OFF;
	return c->last;
}

void clone_cut(struct clone *c)
{
	c->last = CLONE_OFF;
	if (c->init) {
		kill(c->init, SIGKILL);
		waitpid(c->init, NULL, 0);
		close(c->pidfd);
		c->pidfd = -1;
		c->init = 0;
	}
	if (c->cgroup)
		remove_cgroup(c->cgroup);
}

/* systemctl's words for a start that is over, whether or not all went well */
static bool is_up(const char *state)
{
	return strncmp(state, "running", 7) == 0 || strncmp(state, "degraded", 8) == 0;
}

bool clone_works(const struct clone *c, const char *unit)
{
	pd_auto_free char *events = pd_print("%s/system.slice/%s/cgroup.events", c->cgroup, unit);
	pd_auto_free char *text = pd_file_read(events, 4096, NULL, NULL);

	return text && strstr(text, "populated 1");
}

bool clone_settle(struct clone *c, int seconds)
{
	pd_auto_free char *limit = pd_print("%d", seconds);
	const char *const ask[] = { "timeout", limit, "systemctl", "--wait", "is-system-running",
		NULL };
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end && clone_poll(c) == CLONE_ON) {
		pd_auto_free char *there = pd_print("/proc/%d/root/run/systemd/private", c->init);
		pd_auto_free char *state = access(there, F_OK) == 0 ?
			clone_output(c, ask, NULL) : NULL;

		if (state && is_up(state))
			return true;
		pause_ms(20);
	}
	return false;
}
