/* SPDX-License-Identifier: MIT */
/* The scanner modules: the streams of modules that dnf has enabled, which
 * feeds of Red Hat ask about. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oval.h"

#define FOLDER "/etc/dnf/modules.d"

enum { FILE_MAX = 65536 };

static int is_module(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 7 && strcmp(entry->d_name + len - 7, ".module") == 0;
}

/* The value of the first line "key = value"; "": there is none. */
static const char *value_of(struct pd_ctx *ctx, const char *text, const char *key)
{
	static const char blank[] = " \t\r";
	size_t len = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *s = line + strspn(line, blank), *end;

		if (strncmp(s, key, len) != 0)
			continue;
		s += len + strspn(s + len, blank);
		if (*s != '=')
			continue;
		s += 1 + strspn(s + 1, blank);
		end = s + strcspn(s, "\n");
		while (end > s && strchr(blank, end[-1]))
			end--;
		return pd_format(ctx, "%.*s", (int)(end - s), s);
	}
	return "";
}

static int module(struct pd_ctx *ctx, const char *file)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/%s", FOLDER, file), FILE_MAX, NULL);
	const char *state = text ? value_of(ctx, text, "state") : "";
	const char *stream = text ? value_of(ctx, text, "stream") : "";
	const char *name = pd_format(ctx, "%.*s", (int)strlen(file) - 7, file);

	if (!text)
		return PD_FAILED;
	if (strcmp(state, "disabled") == 0) /* and its default stream, too */
		stream = "";
	else if (!*stream || (strcmp(state, "enabled") != 0 && strcmp(state, "1") != 0 &&
			      strcmp(state, "true") != 0))
		return 0;
	return pd_fact(ctx, "x-modules", (const struct pd_fact_field[]){
			PD_TEXT("name", name), PD_TEXT("enabled", stream) }, 2);
}

static int scan(struct pd_ctx *ctx)
{
	struct dirent **entries = NULL;
	int n = scandir(FOLDER, &entries, is_module, alphasort), result = 0;

	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		result = pd_fail(ctx, PD_FAILED, "%s can't be read: %s", FOLDER, strerror(errno));
	for (int i = 0; i < n; i++) {
		result = result ? result : module(ctx, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static const char *const kinds[] = { "x-modules", NULL };

const struct pd_scanner oval_modules = {
	PD_SCANNER,
	.name = "modules",
	.help = "streams of modules that dnf has enabled",
	.kinds = kinds,
	.scan = scan,
};
