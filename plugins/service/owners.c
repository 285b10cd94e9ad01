/* SPDX-License-Identifier: MIT */
/* Which package brought a unit or a file of cron: dpkg's own lists of files. */
#include "schedule.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS "/var/lib/dpkg/info"

struct owner {
	const char *path, *package;
};

/* Where /lib is a link to /usr/lib, the lists say either. */
static const char *plain(const char *path)
{
	return strncmp(path, "/usr/lib/", 9) == 0 ? path + 4 : path;
}

static bool wanted(const char *path)
{
	return strncmp(path, UNITS, strlen(UNITS)) == 0 ||
	       strncmp(path, "/etc/cron", 9) == 0 || strncmp(path, "/etc/init.d/", 12) == 0 ||
	       strcmp(path, "/etc/anacrontab") == 0;
}

static void add(struct pd_ctx *ctx, struct owners *all, const char *path, const char *package)
{
	if (all->len == all->room) {
		size_t room = all->room ? 2 * all->room : 256;
		struct owner *items = pd_alloc_for(ctx, room * sizeof(*items));

		if (all->len)
			memcpy(items, all->items, all->len * sizeof(*items));
		all->items = items;
		all->room = room;
	}
	all->items[all->len++] = (struct owner){ pd_format(ctx, "%s", path), package };
}

static void read_list(struct pd_ctx *ctx, struct owners *all, const char *name)
{
	FILE *file = fopen(pd_format(ctx, LISTS "/%s", name), "re");
	const char *package = pd_format(ctx, "%.*s", (int)strcspn(name, ":"), name);
	size_t end = strlen(package), size = 0;
	char *line = NULL;
	ssize_t n;

	if (end > 5 && strcmp(package + end - 5, ".list") == 0)
		package = pd_format(ctx, "%.*s", (int)end - 5, package);
	while (file && (n = getline(&line, &size, file)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		if (wanted(plain(line)))
			add(ctx, all, plain(line), package);
	}
	free(line);
	if (file)
		fclose(file);
}

void owners_read(struct pd_ctx *ctx, struct owners *out)
{
	DIR *dir = opendir(LISTS); /* without dpkg nobody knows */
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		size_t n = strlen(d->d_name);

		if (n > 5 && strcmp(d->d_name + n - 5, ".list") == 0)
			read_list(ctx, out, d->d_name);
	}
	if (dir)
		closedir(dir);
}

const char *owners_find(const struct owners *all, const char *path)
{
	for (size_t i = 0; i < all->len; i++)
		if (strcmp(all->items[i].path, plain(path)) == 0)
			return all->items[i].package;
	return NULL;
}
