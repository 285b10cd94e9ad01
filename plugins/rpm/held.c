/* SPDX-License-Identifier: MIT */
/* held - packages that the administrator keeps: dnf's and dnf5's versionlock, and
 * what their configuration excludes. */
#include "rpm.h"

#include <fnmatch.h>
#include <string.h>

/* Only packages that fit a lock may be installed; none that is excluded. */
struct rpm_locks {
	struct pkg_argv locked, excluded;
	const struct rpm_versionlock *dnf5;
	const char *fault;
};

/* "name-epoch:version-release.arch", with wild cards; '!' excludes. */
static void read_versionlock(char *rest, struct rpm_locks *out)
{
	char *line = NULL;

	while ((line = pkg_line(&rest))) {
		line = rpm_trim(line);
		if (*line == '!')
			pkg_arg(&out->excluded, rpm_trim(line + 1));
		else if (*line && *line != '#')
			pkg_arg(&out->locked, line);
	}
}

const struct rpm_locks *rpm_locks_read(struct pd_ctx *ctx)
{
	struct rpm_locks *out = pd_alloc_for(ctx, sizeof(*out));

	*out = (struct rpm_locks){ .locked = { .ctx = ctx },
				   .excluded = { .ctx = ctx } };
	read_versionlock(rpm_config_text(ctx,
				"/etc/dnf/plugins/versionlock.list"), out);
	rpm_config_list(ctx, "/etc/dnf/dnf.conf", "excludepkgs", &out->excluded);
	rpm_config_list(ctx, "/etc/dnf/dnf.conf", "exclude", &out->excluded);
	out->dnf5 = rpm_versionlock_read(ctx, &out->fault);
	return out;
}

const char *rpm_locks_fault(const struct rpm_locks *locks)
{
	return locks->fault;
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
	return (about && !allowed) ||
	       rpm_versionlock_forbids(ctx, locks->dnf5, w);
}
