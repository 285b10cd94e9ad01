/* SPDX-License-Identifier: MIT */
/* What is mounted where, and what a boot would mount. */
#include "snapshot.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../shared/path.h"

static int octal(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return -1;
	return (s[0] - '0') * 64 + (s[1] - '0') * 8 + s[2] - '0';
}

/* The next word of a line of mountinfo, where a blank is written \040. */
static const char *word(struct pd_ctx *ctx, const char **at)
{
	size_t len = strcspn(*at, " \n"), n = 0;
	char *out = pd_alloc_for(ctx, len + 1);

	for (size_t i = 0; i < len; i++) {
		int code = (*at)[i] == '\\' && len - i > 3 ? octal(*at + i + 1) : -1;

		out[n++] = (char)(code < 0 ? (*at)[i] : code);
		i += code < 0 ? 0 : 3;
	}
	*at += len + ((*at)[len] == ' ');
	return out;
}

int mounts_read(struct pd_ctx *ctx, struct mounts *out)
{
	const char *line = pd_read_file(ctx, "/proc/self/mountinfo", 16 << 20, NULL);

	if (!line)
		return pd_fail(ctx, PD_FAILED, "cannot read /proc/self/mountinfo: %s", strerror(errno));
	*out = (struct mounts){ 0 };
	for (; *line; line = next_line(line)) {
		const char *at = line;
		struct mounted m = { 0 };

		for (int i = 0; i < 3; i++)
			word(ctx, &at);
		m.root = word(ctx, &at);
		m.target = word(ctx, &at);
		m.flags = word(ctx, &at);
		while (*at && *at != '\n' && strcmp(word(ctx, &at), "-") != 0)
			;
		m.type = word(ctx, &at);
		m.source = word(ctx, &at);
		m.options = word(ctx, &at);
		out->items = path_room(ctx, out->items, out->len, &out->cap, sizeof(m));
		out->items[out->len++] = m;
	}
	return 0;
}

const struct mounted *mounts_of(const struct mounts *all, const char *path)
{
	const struct mounted *best = NULL;

	for (size_t i = 0; i < all->len; i++) {
		const char *target = all->items[i].target;
		size_t len = strcmp(target, "/") == 0 ? 0 : strlen(target);

		if (strncmp(target, path, len) == 0 && (path[len] == '/' || !path[len]) &&
		    (!best || strlen(target) >= strlen(best->target)))
			best = &all->items[i];
	}
	return best;
}

const struct mounted *mounts_below(const struct mounts *all, const char *root, size_t *n)
{
	const struct mounted *found = NULL;
	size_t len = strlen(root);

	*n = 0;
	for (size_t i = 0; i < all->len; i++) {
		const struct mounted *m = &all->items[i];

		if (strcmp(m->type, "btrfs") != 0 || strncmp(m->root, root, len) != 0 ||
		    (m->root[len] != '/' && m->root[len]))
			continue;
		found = m;
		(*n)++;
	}
	return found;
}

const char *there(struct pd_ctx *ctx, const char *path)
{
	char *copy = (char *)(uintptr_t)pd_format(ctx, "%s", path);

	while (access(copy, F_OK) < 0 && strrchr(copy, '/') > copy)
		*strrchr(copy, '/') = '\0';
	return access(copy, F_OK) == 0 ? copy : "/";
}

/* Of "rootflags=..." among the words of the kernel's command line. */
static const char *root_flags(struct pd_ctx *ctx)
{
	const char *line = pd_read_file(ctx, "/proc/cmdline", 65536, NULL);

	for (const char *at = line; at && *at && *at != '\n';) {
		const char *w = word(ctx, &at);

		if (strncmp(w, "rootflags=", 10) == 0)
			return w + 10;
	}
	return "";
}

const char *mounts_boot_option(struct pd_ctx *ctx, const char *target, const char *option)
{
	struct mntent as = { .mnt_opts = (char *)(uintptr_t)root_flags(ctx) };
	FILE *table = setmntent("/etc/fstab", "re");
	const struct mntent *m;
	const char *found = NULL;

	if (strcmp(target, "/") == 0 && option && hasmntopt(&as, option))
		found = pd_format(ctx, "the kernel's command line (rootflags=%s)", as.mnt_opts);
	while (table && !found && (m = getmntent(table)))
		if (strcmp(m->mnt_dir, target) == 0 && (!option || hasmntopt(m, option)))
			found = pd_format(ctx, "/etc/fstab (%s)", m->mnt_opts);
	if (table)
		endmntent(table);
	return found;
}

const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

const char *field(struct pd_ctx *ctx, const char *line, int n)
{
	while (n-- > 0) {
		line += strcspn(line, "\t\n");
		if (*line != '\t')
			return "";
		line++;
	}
	return pd_format(ctx, "%.*s", (int)strcspn(line, "\t\n"), line);
}

const char *run_name(struct pd_ctx *ctx)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm = { 0 };

	if (*ctx->run && strspn(ctx->run, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
				 strlen(ctx->run) && strlen(ctx->run) < 64)
		return ctx->run;
	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	return pd_format(ctx, "%s", text);
}

int evidence_file(struct pd_ctx *ctx, const char *name, const char *title, const char *text)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, name);

	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ? PD_FAILED :
	       pd_evidence(ctx, path, title);
}
