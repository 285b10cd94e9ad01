/* SPDX-License-Identifier: MIT */
/* Processes that run code from files which were deleted or replaced, by /proc. */
#include "needrestart.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#define FILES_SHOWN 4

static const char gone[] = " (deleted)";

/* -------------------------------------------------------- one process */

static bool is_below(const char *path, const struct pd_list *folders)
{
	for (size_t i = 0; i < folders->len; i++) {
		size_t n = strlen(folders->items[i]);

		if (strncmp(path, folders->items[i], n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

/* The file of one line of maps, if it is code, and no longer there. */
static char *old_file(char *line, const struct pd_list *folders)
{
	char rights[5] = "";
	size_t n, end = sizeof(gone) - 1;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*x-%*x %4s %*x %*x:%*x %*u %n", rights, &at) < 1 || !at ||
	    rights[2] != 'x')
		return NULL;
	line += at;
	n = strlen(line);
	if (n <= end || strcmp(line + n - end, gone) != 0)
		return NULL;
	line[n - end] = '\0';
	return is_below(line, folders) ? line : NULL;
}

/* What it still uses; NULL: nothing, or it has ended meanwhile. */
static const char *old_files(struct pd_ctx *ctx, const char *pid, const struct pd_list *folders)
{
	FILE *maps = fopen(pd_format(ctx, "/proc/%s/maps", pid), "re");
	const char *files = NULL, *file;
	char *line = NULL;
	size_t size = 0, n = 0;

	while (maps && n <= FILES_SHOWN && getline(&line, &size, maps) > 0) {
		file = old_file(line, folders);
		if (!file || (files && strstr(files, file)))
			continue;
		n++;
		files = !files ? pd_format(ctx, "%s", file) :
			pd_format(ctx, "%s, %s", files, n <= FILES_SHOWN ? file : "...");
	}
	free(line);
	if (maps)
		fclose(maps);
	return files;
}

/* A container has files of its own, which are updated there.  What is only
 * locked up in a folder (chroot) has loaded its libraries before. */
static bool is_elsewhere(struct pd_ctx *ctx, const char *pid)
{
	char here[64] = "", there[64] = "";
	struct stat own = { 0 }, its = { 0 };

	if (stat("/", &own) < 0 || stat(pd_format(ctx, "/proc/%s/root/", pid), &its) < 0)
		return true;
	return (own.st_dev != its.st_dev || own.st_ino != its.st_ino) &&
	       (readlink("/proc/self/ns/mnt", here, sizeof(here) - 1) < 0 ||
		readlink(pd_format(ctx, "/proc/%s/ns/mnt", pid), there, sizeof(there) - 1) < 0 ||
		strcmp(here, there) != 0);
}

static const char *program_of(struct pd_ctx *ctx, const char *pid)
{
	const char *comm = pd_read_file(ctx, pd_format(ctx, "/proc/%s/comm", pid), 4096, NULL);

	return comm ? pd_format(ctx, "%.*s", (int)strcspn(comm, "\n"), comm) : "?";
}

/* ------------------------------------------------------------ whose it is */

/* With KillMode=process a restart ends the main process and no other one: the
 * sessions of an sshd without logind, for example. */
static bool outlives_restart(struct pd_ctx *ctx, sd_bus *bus, const char *name, const char *pid)
{
	struct unit *unit = NULL;
	const char *mode;
	uint32_t main_pid = 0;

	if (!bus || unit_load(ctx, bus, name, &unit) < 0)
		return false;
	mode = unit_string(ctx, bus, unit->path, SERVICE_INTERFACE, "KillMode");
	sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", unit->path,
				    SERVICE_INTERFACE, "MainPID", NULL, 'u', &main_pid);
	return (strcmp(mode, "process") == 0 || strcmp(mode, "none") == 0) &&
	       strtoul(pid, NULL, 10) != main_pid;
}

static const char *user_name(struct pd_ctx *ctx, uid_t uid)
{
	const struct passwd *p = getpwuid(uid);

	return p ? pd_format(ctx, "%s", p->pw_name) : pd_format(ctx, "%lu", (unsigned long)uid);
}

static void whose(struct pd_ctx *ctx, sd_bus *bus, struct stale *s)
{
	pid_t pid = (pid_t)strtol(s->pid, NULL, 10);
	char *session = NULL, *unit = NULL;
	const char *dot;
	uid_t uid = 0;

	s->owner = OWNER_NONE;
	s->name = pd_format(ctx, "%s (%s)", s->pid, s->program);
	if (pid == 1) {
		s->owner = OWNER_SYSTEMD;
		s->name = "systemd";
	} else if (sd_pid_get_owner_uid(pid, &uid) >= 0) {
		s->owner = OWNER_SESSION;
		s->name = pd_format(ctx, "%s (%s)", sd_pid_get_session(pid, &session) >= 0 ?
				    session : "user manager", user_name(ctx, uid));
	} else if (sd_pid_get_unit(pid, &unit) >= 0 && (dot = strrchr(unit, '.')) &&
		   strcmp(dot, ".service") == 0 && !outlives_restart(ctx, bus, unit, s->pid)) {
		s->owner = OWNER_SERVICE;
		s->name = pd_format(ctx, "%s", unit);
	}
	free(session);
	free(unit);
}

/* --------------------------------------------------------- all of them */

static struct stale *add(struct pd_ctx *ctx, struct stales *all)
{
	if (all->len == all->room) {
		size_t room = all->room ? 2 * all->room : 16;
		struct stale *items = pd_alloc_for(ctx, room * sizeof(*items));

		if (all->len)
			memcpy(items, all->items, all->len * sizeof(*items));
		all->items = items;
		all->room = room;
	}
	return &all->items[all->len++];
}

static int by_name(const void *a, const void *b)
{
	const struct stale *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strverscmp(x->pid, y->pid);
}

int stale_find(struct pd_ctx *ctx, sd_bus *bus, const struct pd_list *folders,
	       struct stales *out)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	if (!proc)
		return pd_fail(ctx, PD_FAILED, "cannot list the processes: %s", strerror(errno));
	while ((e = readdir(proc)) && !pd_canceled(ctx)) {
		const char *files = isdigit((unsigned char)e->d_name[0]) ?
				    old_files(ctx, e->d_name, folders) : NULL;
		struct stale *s;

		if (!files || is_elsewhere(ctx, e->d_name))
			continue;
		s = add(ctx, out);
		s->pid = pd_format(ctx, "%s", e->d_name);
		s->program = program_of(ctx, s->pid);
		s->files = files;
		whose(ctx, bus, s);
	}
	closedir(proc);
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), by_name);
	return pd_canceled(ctx) ? pd_fail(ctx, PD_CANCELED, "stopped while looking at the "
					  "processes") : 0;
}

const struct stale *stale_of(const struct stales *all, enum owner owner, const char *name)
{
	for (size_t i = 0; i < all->len; i++)
		if (all->items[i].owner == owner &&
		    (!name || strcmp(all->items[i].name, name) == 0))
			return &all->items[i];
	return NULL;
}

int stale_output(struct pd_ctx *ctx, const struct stales *all, enum owner owner,
		 const char *output)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct stale *s = &all->items[i];

		if (s->owner == owner && stale_of(all, owner, s->name) == s &&
		    pd_output_item(ctx, output, s->name) < 0)
			return PD_FAILED;
	}
	return 0;
}

int stale_evidence(struct pd_ctx *ctx, const struct stales *all, const char *file,
		   const char *title)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, file);
	const char *table = pd_format(ctx, "%-40s %8s %-16s %s\n", "whose", "process", "program",
				      "files that are no longer there");

	for (size_t i = 0; i < all->len; i++)
		table = pd_format(ctx, "%s%-40s %8s %-16s %s\n", table, all->items[i].name,
				  all->items[i].pid, all->items[i].program, all->items[i].files);
	return pd_write_file(ctx, path, 0600, table, strlen(table)) < 0 ? PD_FAILED :
	       pd_evidence(ctx, path, title);
}
