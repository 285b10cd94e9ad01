/* SPDX-License-Identifier: MIT */
/* config - lists in dnf's and zypp's configuration; which packages stand beside
 * their own older versions. */
#include "rpm.h"

#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

char *rpm_config_text(struct pd_ctx *ctx, const char *path)
{
	const char *text = pkg_exists(path) ?
			   pd_read_file(ctx, path, FILE_MAX, NULL) : NULL;

	return (char *)pkg_copy(ctx, text ? text : "", text ? strlen(text) : 0);
}

char *rpm_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
	return s;
}

void rpm_config_list(struct pd_ctx *ctx, const char *path, const char *key,
		     struct pkg_argv *out)
{
	char *rest = rpm_config_text(ctx, path), *line = NULL, *state = NULL;
	bool ours = false;

	while ((line = pkg_line(&rest))) {
		char *value = strchr(line, '=');

		if (*line != ' ' && *line != '\t') {
			if (value)
				*value = '\0';
			ours = value && strcmp(rpm_trim(line), key) == 0;
			line = value ? value + 1 : line;
		}
		for (char *word = ours ? strtok_r(line, " ,\t\r", &state) : NULL;
		     word; word = strtok_r(NULL, " ,\t\r", &state))
			pkg_arg(out, word);
	}
}

void rpm_parallel_read(struct pd_ctx *ctx, struct rpm_parallel *out)
{
	static const char provides[] = "provides:";
	struct pkg_argv zypp = { .ctx = ctx };

	*out = (struct rpm_parallel){ .provides = { .ctx = ctx },
				      .names = { .ctx = ctx } };
	rpm_config_list(ctx, "/etc/dnf/dnf.conf", "installonlypkgs",
			&out->provides);
	rpm_config_list(ctx, "/etc/zypp/zypp.conf", "multiversion", &zypp);
	for (size_t i = 0; i < zypp.n; i++)
		if (strncmp(zypp.v[i], provides, sizeof(provides) - 1) == 0)
			pkg_arg(&out->provides,
				zypp.v[i] + sizeof(provides) - 1);
		else
			pkg_arg(&out->names, zypp.v[i]);
}

static bool has(const struct pkg_argv *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], word) == 0)
			return true;
	return false;
}

bool rpm_is_parallel(const struct rpm_parallel *parallel, const char *name,
		     const char *provided)
{
	return strncmp(provided, "installonlypkg(", 15) == 0 ||
	       strncmp(provided, "multiversion(", 13) == 0 ||
	       has(&parallel->provides, provided) ||
	       has(&parallel->names, name);
}
