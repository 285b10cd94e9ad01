/* SPDX-License-Identifier: MIT */
/* held - packages that the administrator keeps: dnf's versionlock, and what
 * its configuration excludes. */
#include "rpm.h"

#include <fnmatch.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

/* Only packages that fit a lock may be installed; none that is excluded. */
struct rpm_locks {
	struct pkg_argv locked, excluded;
};

static char *text_of(struct pd_ctx *ctx, const char *path)
{
	const char *text = pkg_exists(path) ?
			   pd_read_file(ctx, path, FILE_MAX, NULL) : NULL;

	return (char *)pkg_copy(ctx, text ? text : "", text ? strlen(text) : 0);
}

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
	return s;
}

/* "name-epoch:version-release.arch", with wild cards; '!' excludes. */
static void read_versionlock(char *rest, struct rpm_locks *out)
{
	char *line = NULL;

	while ((line = pkg_line(&rest))) {
		line = trim(line);
		if (*line == '!')
			pkg_arg(&out->excluded, trim(line + 1));
		else if (*line && *line != '#')
			pkg_arg(&out->locked, line);
	}
}

/* "excludepkgs=a b, c*" or "exclude=...", going on in lines that are
 * indented; those of [main] count, which is what a file without its own
 * repositories has. */
static void read_exclusions(char *rest, struct rpm_locks *out)
{
	bool ours = false;
	char *line = NULL, *word = NULL, *state = NULL;

	while ((line = pkg_line(&rest))) {
		char *value = strchr(line, '=');

		if (*line != ' ' && *line != '\t') {
			if (value)
				*value = '\0';
			line = trim(line);
			ours = value && (strcmp(line, "excludepkgs") == 0 ||
					 strcmp(line, "exclude") == 0);
			line = value ? value + 1 : line;
		}
		for (word = ours ? strtok_r(line, " ,\t\r", &state) : NULL;
		     word; word = strtok_r(NULL, " ,\t\r", &state))
			pkg_arg(&out->excluded, word);
	}
}

const struct rpm_locks *rpm_locks_read(struct pd_ctx *ctx)
{
	struct rpm_locks *out = pd_alloc_for(ctx, sizeof(*out));

	*out = (struct rpm_locks){ .locked = { .ctx = ctx },
				   .excluded = { .ctx = ctx } };
	read_versionlock(text_of(ctx, "/etc/dnf/plugins/versionlock.list"), out);
	read_exclusions(text_of(ctx, "/etc/dnf/dnf.conf"), out);
	return out;
}

static bool matches(struct pd_ctx *ctx, const char *pattern,
		    const struct rpm_wanted *w)
{
	const char *colon = strchr(w->evr, ':');
	const char *evr = colon ? colon + 1 : w->evr;
	const char *with_epoch = colon ? w->evr :
				 pd_format(ctx, "0:%s", w->evr);
	const char *const forms[] = {
		w->name, pd_format(ctx, "%s.%s", w->name, w->arch),
		pd_format(ctx, "%s-%s", w->name, evr),
		pd_format(ctx, "%s-%s.%s", w->name, evr, w->arch),
		pd_format(ctx, "%s-%s.%s", w->name, with_epoch, w->arch),
		pd_format(ctx, "%s-%s", w->name, with_epoch)
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (fnmatch(pattern, forms[i], 0) == 0)
			return true;
	return false;
}

/* Does this lock speak of the package, whatever its version? */
static bool is_about(struct pd_ctx *ctx, const char *lock, const char *name)
{
	char *copy = (char *)pkg_copy(ctx, lock, strlen(lock));

	for (int i = 0; i < 2 && strchr(copy, '-'); i++)
		*strrchr(copy, '-') = '\0';
	return fnmatch(copy, name, 0) == 0 || fnmatch(lock, name, 0) == 0;
}

bool rpm_is_locked(struct pd_ctx *ctx, const struct rpm_locks *locks,
		   const struct rpm_wanted *w)
{
	bool about = false, allowed = false;

	for (size_t i = 0; i < locks->excluded.n; i++)
		if (matches(ctx, locks->excluded.v[i], w))
			return true;
	for (size_t i = 0; i < locks->locked.n; i++) {
		about |= is_about(ctx, locks->locked.v[i], w->name);
		allowed |= matches(ctx, locks->locked.v[i], w);
	}
	return about && !allowed;
}
