/* SPDX-License-Identifier: MIT */
/* pkg - what plugins that drive a package manager share: texts, arguments,
 * files with digests, and the logs that it wrote. */
#include "pkg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void *pkg_grow(struct pd_ctx *ctx, void *items, size_t n, size_t *cap,
	       size_t size)
{
	void *more = NULL;

	if (n < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 64;
	more = pd_alloc_for(ctx, *cap * size);
	if (items)
		memcpy(more, items, n * size);
	return more;
}

const char *pkg_copy(struct pd_ctx *ctx, const char *text, size_t len)
{
	char *copy = pd_alloc_for(ctx, len + 1);

	memcpy(copy, text, len);
	return copy;
}

void pkg_printf(struct pkg_text *text, const char *fmt, ...)
{
	va_list ap;
	int need = 0;

	va_start(ap, fmt);
	need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0)
		return;
	if (text->len + (size_t)need + 1 > text->cap) {
		size_t cap = (text->len + (size_t)need + 1) * 2;
		char *more = pd_alloc_for(text->ctx, cap);

		if (text->len > 0)
			memcpy(more, text->s, text->len);
		text->s = more;
		text->cap = cap;
	}
	va_start(ap, fmt);
	vsnprintf(text->s + text->len, text->cap - text->len, fmt, ap);
	va_end(ap);
	text->len += (size_t)need;
}

void pkg_arg(struct pkg_argv *argv, const char *arg)
{
	size_t slots = argv->n + 1;

	argv->v = pkg_grow(argv->ctx, argv->v, slots, &argv->cap,
			   sizeof(*argv->v));
	argv->v[argv->n++] = arg;
	argv->v[argv->n] = NULL;
}

char *pkg_field(char **rest, char by)
{
	char *field = *rest;
	char *end = strchr(field, by);

	if (end) {
		*end = '\0';
		*rest = end + 1;
	} else {
		*rest = field + strlen(field);
	}
	return field;
}

char *pkg_line(char **rest)
{
	return **rest ? pkg_field(rest, '\n') : NULL;
}

int pkg_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result)
{
	struct pd_command command = { .size = sizeof(command), .argv = argv->v,
				      .output_max = PKG_OUTPUT_MAX };

	return pd_command_run(ctx, &command, result) < 0 ? PD_FAILED : 0;
}

bool pkg_exists(const char *path)
{
	struct stat st = { 0 };

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int pkg_make_folder(struct pd_ctx *ctx, const char *path)
{
	char *copy = (char *)pkg_copy(ctx, path, strlen(path));
	struct stat st = { 0 };

	for (char *slash = strchr(copy + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			break;
		*slash = '/';
	}
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || stat(path, &st) < 0)
		return pd_fail(ctx, PD_FAILED, "folder %s can't be made: %s",
			       path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || (st.st_mode & 022))
		return pd_fail(ctx, PD_FAILED, "%s must be a folder that "
			       "nobody else may write to", path);
	return 0;
}

const char *pkg_read_only(struct pd_ctx *ctx)
{
	static const char *const folders[] = { "/usr", "/etc", "/var", "/var/lib",
					       "/var/cache", "/boot", "/boot/efi" };
	struct pkg_text found = { .ctx = ctx };
	struct statvfs fs = { 0 };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (statvfs(folders[i], &fs) == 0 && fs.f_flag & ST_RDONLY)
			pkg_printf(&found, "%s%s", found.len ? ", " : "", folders[i]);
	return found.s;
}

int pkg_refuse_read_only(struct pd_ctx *ctx, const char *folders)
{
	pd_inhibit(ctx, "the installation would stop half way",
		   pd_format(ctx, "mounted read-only: %s", folders),
		   "mount it for writing (mount -o remount,rw); if it became read-only by "
		   "itself, its disk or file system has an error: see dmesg");
	return pd_fail(ctx, PD_REFUSED, "packages can't be written: %s read-only",
		       pd_format(ctx, "%s %s", folders, strchr(folders, ',') ? "are" : "is"));
}

int pkg_sync(struct pd_ctx *ctx, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && syncfs(fd) == 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	return good ? 0 : pd_fail(ctx, PD_FAILED, "%s can't be written to the "
				  "disk: %s", folder, strerror(error));
}

int pkg_digests(struct pd_ctx *ctx, const char *const *paths, size_t n,
		const char **digests)
{
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;
	size_t next = 0;

	pkg_arg(&argv, "sha256sum");
	pkg_arg(&argv, "--");
	for (size_t i = 0; i < n; i++) {
		digests[i] = NULL;
		if (paths[i] && pkg_exists(paths[i]))
			pkg_arg(&argv, paths[i]);
	}
	if (argv.n == 2)
		return 0;
	if (pkg_run(ctx, &argv, &result) < 0)
		return PD_FAILED;
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	/* In the order of the arguments, without those that failed. */
	while ((line = pkg_line(&rest))) {
		if (strlen(line) < 67)
			continue;
		line[64] = '\0';
		for (size_t i = next; i < n; i++) {
			if (paths[i] && strcmp(paths[i], line + 66) == 0) {
				digests[i] = line;
				next = i + 1;
				break;
			}
		}
	}
	return 0;
}

const char *pkg_unsafe(struct pd_ctx *ctx, const char *path, mode_t type,
		       bool above)
{
	struct stat st = { 0 };

	if (lstat(path, &st) < 0)
		return pd_format(ctx, "%s: %s", path, strerror(errno));
	if ((st.st_mode & S_IFMT) != type)
		return pd_format(ctx, "%s is no %s", path,
				 type == S_IFDIR ? "folder" : "regular file");
	if (st.st_uid != 0)
		return pd_format(ctx, "%s belongs to user %u, not to root",
				 path, (unsigned)st.st_uid);
	if ((st.st_mode & 022) && !(above && (st.st_mode & S_ISVTX)))
		return pd_format(ctx, "%s can be written by others (mode %04o)",
				 path, (unsigned)st.st_mode & 07777);
	return NULL;
}

const char *pkg_folder_unsafe(struct pd_ctx *ctx, const char *folder)
{
	const char *why = pkg_unsafe(ctx, folder, S_IFDIR, false);
	char real[PATH_MAX] = "", *slash = NULL;

	if (!why && !realpath(folder, real))
		why = pd_format(ctx, "%s: %s", folder, strerror(errno));
	while (!why && (slash = strrchr(real, '/')) && slash != real) {
		*slash = '\0';
		why = pkg_unsafe(ctx, real, S_IFDIR, true);
	}
	return why;
}

int pkg_copy_file(struct pd_ctx *ctx, const char *from, const char *to)
{
	const char *argv[] = { "cp", "--reflink=auto", "-T", "--", from, to,
			       NULL };
	struct pd_command_result result = { 0 };

	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s can't be copied to %s: %s", from, to,
		       result.err);
}

const char *pkg_log_marks(struct pd_ctx *ctx, const char *const *logs)
{
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; logs[i]; i++) {
		struct stat st = { 0 };

		if (stat(logs[i], &st) == 0)
			pkg_printf(&text, "%s\t%llu\t%lld\n", logs[i],
				   (unsigned long long)st.st_ino,
				   (long long)st.st_size);
	}
	return text.s ? text.s : "";
}

/* Where the part since @p marks starts: 0 when the log was turned over. */
static size_t start_of(struct pd_ctx *ctx, const char *marks, const char *log)
{
	char *rest = (char *)pkg_copy(ctx, marks, strlen(marks));
	char *line = NULL;
	struct stat st = { 0 };

	while ((line = pkg_line(&rest))) {
		const char *path = pkg_field(&line, '\t');
		unsigned long long inode = strtoull(line, &line, 10);
		long long size = strtoll(line, NULL, 10);

		if (strcmp(path, log) == 0 && stat(log, &st) == 0 &&
		    st.st_ino == inode && st.st_size >= size && size > 0)
			return (size_t)size;
	}
	return 0;
}

const char *pkg_collect_logs(struct pd_ctx *ctx, const char *const *logs,
			     const char *marks, const char *name)
{
	struct pkg_text text = { .ctx = ctx };
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, name);

	for (size_t i = 0; logs[i]; i++) {
		size_t len = 0;
		const char *log = pd_read_file(ctx, logs[i], PKG_OUTPUT_MAX,
					       &len);
		size_t start = start_of(ctx, marks ? marks : "", logs[i]);

		pkg_printf(&text, "== %s\n%s\n", logs[i],
			   log && start < len ? log + start : "");
	}
	if (pd_write_file(ctx, path, 0600, text.s, text.len) < 0 ||
	    pd_evidence(ctx, path, "logs of the package manager") < 0)
		return NULL;
	return path;
}

bool pkg_init_is_stale(struct pd_ctx *ctx)
{
	const char *maps = pd_read_file(ctx, "/proc/1/maps", (size_t)4 << 20,
					NULL);

	for (const char *at = maps; at && (at = strstr(at, " (deleted)"));
	     at++) {
		const char *line = at;

		while (line > maps && line[-1] != '\n')
			line--;
		line = strchr(line, '/');
		if (line && line < at && (strncmp(line, "/usr/", 5) == 0 ||
					  strncmp(line, "/lib", 4) == 0))
			return true;
	}
	return false;
}

const char *pkg_holder(struct pd_ctx *ctx, long pid)
{
	size_t len = 0;
	const char *text = pd_read_file(
		ctx, pd_format(ctx, "/proc/%ld/cmdline", pid), 4096, &len);
	char *name = NULL;

	if (!text || len == 0)
		return "a program that is gone";
	name = (char *)pkg_copy(ctx, text, len);
	for (size_t i = 0; i + 1 < len; i++)
		if (name[i] == '\0')
			name[i] = ' ';
	return name;
}

const char *pkg_keep_folder(struct pd_ctx *ctx, const char *keep)
{
	const char *last = ctx->work_dir ? strrchr(ctx->work_dir, '/') : NULL;

	if (!keep || !last)
		return keep;
	return pd_format(ctx, "%s/%s/%s", keep, *ctx->run ? ctx->run : "run",
			 last + 1);
}

int pkg_forget(struct pd_ctx *ctx, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pd_recall(ctx, keys[i]) &&
		    pd_remember(ctx, keys[i], NULL) < 0)
			return PD_FAILED;
	return 0;
}

int pkg_outputs(struct pd_ctx *ctx, size_t packages, bool known, bool reboot)
{
	if (pd_output(ctx, "packages", pd_format(ctx, "%zu", packages)) < 0)
		return PD_FAILED;
	if (known && pd_output(ctx, "reboot_required",
			       reboot ? "true" : "false") < 0)
		return PD_FAILED;
	return 0;
}

void pkg_changed(struct pkg_text *list, const char *name, const char *arch,
		 const char *old, const char *now)
{
	pkg_printf(list, "%s %s %s -> %s\n", name, arch, old ? old : "(none)",
		   now ? now : "(removed)");
}

int pkg_write_changed(struct pkg_text *list)
{
	const char *path = pd_format(list->ctx, "%s/packages.txt",
				     list->ctx->work_dir);

	if (pd_write_file(list->ctx, path, 0600, list->s ? list->s : "",
			  list->len) < 0)
		return PD_FAILED;
	return pd_evidence(list->ctx, path, "packages changed");
}
