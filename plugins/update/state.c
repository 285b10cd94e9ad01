/* SPDX-License-Identifier: MIT */
/* state - what must be as before: an interrupted dpkg finished, apt's marks,
 * holds and configuration files. */
#include "deb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int deb_repair(struct deb_txn *txn)
{
	struct deb_argv configure = { .ctx = txn->ctx }, fix = { 0 }, act = { 0 };
	struct pd_command_result result = { 0 };
	struct deb_changes changes = { 0 };
	const char *audit = deb_audit(txn->ctx);
	const char *why = NULL;
	int done = 0;

	if (!audit)
		return PD_FAILED;
	deb_arg(&configure, "dpkg");
	deb_arg(&configure, "--force-confdef");
	deb_arg(&configure, "--force-confold");
	deb_arg(&configure, "--configure");
	deb_arg(&configure, "-a");
	/* Without anything to do it is quick, and it also takes in what a
	 * dpkg that was cut short left in its journal. */
	if (*audit)
		pd_log(txn->ctx, PD_LOG_WARN, "dpkg was interrupted before; "
		       "repairing: %.400s", audit);
	if (deb_act(txn->ctx, &configure, &result) < 0)
		return PD_FAILED;
	if (result.status == 0 && (!*audit || !*(audit = deb_audit(txn->ctx))))
		return audit ? 0 : PD_FAILED;
	deb_apt(txn, &fix, true);
	deb_arg(&fix, "-f");
	deb_arg(&fix, "install");
	done = deb_simulate(txn, &fix, &changes, &why);
	if (done == PD_FAILED)
		return PD_FAILED;
	if (done < 0)
		return pd_fail(txn->ctx, PD_FAILED, "dpkg was interrupted and "
			       "apt can't repair it: %s; mend it by hand with "
			       "\"apt-get -f install\"", why);
	for (size_t i = 0; i < changes.n; i++)
		if (!changes.v[i].version)
			return pd_fail(txn->ctx, PD_FAILED, "dpkg was "
				       "interrupted, and to repair it apt "
				       "would remove %s; decide by hand with "
				       "\"apt-get -f install\"",
				       changes.v[i].name);
	deb_apt(txn, &act, true);
	deb_arg(&act, "--no-remove");
	deb_arg(&act, "-f");
	deb_arg(&act, "install");
	if (deb_act(txn->ctx, &act, &result) < 0)
		return PD_FAILED;
	if (result.status == 0 && (audit = deb_audit(txn->ctx)) && !*audit)
		return 0;
	return audit ? pd_fail(txn->ctx, PD_FAILED, "dpkg was interrupted and "
			       "can't be repaired: %s", result.status ?
			       deb_why(txn->ctx, &result) : audit) : PD_FAILED;
}

static int mark(struct pd_ctx *ctx, const char *verb, struct deb_argv *names)
{
	struct deb_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };

	if (names->n == 0)
		return 0;
	deb_arg(&argv, "apt-mark");
	deb_arg(&argv, verb);
	for (size_t i = 0; i < names->n; i++)
		deb_arg(&argv, names->v[i]);
	if (deb_run(ctx, &argv, NULL, NULL, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "apt-mark %s failed: %s", verb,
			       deb_why(ctx, &result));
	return 0;
}

static bool is_wanted(const struct deb_txn *txn, const char *name)
{
	for (size_t i = 0; i < txn->wanted_len; i++)
		if (strcmp(txn->wanted[i].name, name) == 0)
			return true;
	return false;
}

int deb_marks(struct deb_txn *txn, const struct deb_rows *before)
{
	struct deb_argv automatic = { .ctx = txn->ctx };
	struct deb_argv manual = { .ctx = txn->ctx };
	struct deb_argv hold = { .ctx = txn->ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];
		const struct deb_row *old = deb_find(before, c->name, c->arch);
		const struct deb_row *now = deb_find(&txn->now, c->name,
						     c->arch);
		bool was = deb_is_there(old) ? old->automatic :
					       !is_wanted(txn, c->name);

		if (!deb_is_there(now))
			continue;
		if (now->automatic != was)
			deb_arg(was ? &automatic : &manual,
				deb_spec(txn->ctx, c->name, c->arch, NULL));
		if (deb_is_there(old) && strcmp(old->want, "hold") == 0 &&
		    strcmp(now->want, "hold") != 0)
			deb_arg(&hold,
				deb_spec(txn->ctx, c->name, c->arch, NULL));
	}
	if (mark(txn->ctx, "auto", &automatic) < 0 ||
	    mark(txn->ctx, "manual", &manual) < 0 ||
	    mark(txn->ctx, "hold", &hold) < 0)
		return PD_FAILED;
	return 0;
}

/* Other names under which dpkg leaves a configuration file. */
static const char *const siblings[] = { "", ".dpkg-dist", ".dpkg-old",
					".dpkg-new" };

static bool listed(const char *manifest, const char *path)
{
	size_t len = strlen(path);

	for (const char *at = manifest; (at = strstr(at, path)); at += len)
		if (at > manifest && (at[-1] == '+' || at[-1] == '-') &&
		    at[len] == '\n' && (at - 1 == manifest || at[-2] == '\n'))
			return true;
	return false;
}

/* Enter one path and its siblings: '+' there and to copy, '-' not there. */
static void enter(struct deb_text *manifest, struct deb_argv *copy,
		  const char *path)
{
	if (*path != '/' || strstr(path, "/../") ||
	    (manifest->s && listed(manifest->s, path)))
		return;
	for (size_t i = 0; i < sizeof(siblings) / sizeof(*siblings); i++) {
		const char *name = pd_format(copy->ctx, "%s%s", path,
					     siblings[i]);
		struct stat st = { 0 };
		bool there = lstat(name, &st) == 0;

		if (there && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
			continue;
		deb_printf(manifest, "%c%s\n", there ? '+' : '-', name);
		if (there)
			deb_arg(copy, name);
	}
}

/* " /etc/file md5[ obsolete]" as dpkg-query writes it. */
static void enter_listed(struct deb_text *manifest, struct deb_argv *copy,
			 const char *output)
{
	char *rest = (char *)deb_copy(copy->ctx, output, strlen(output));
	char *line = NULL;

	while ((line = deb_line(&rest))) {
		char *end = NULL;

		if (line[0] != ' ' || line[1] != '/')
			continue;
		end = strstr(line, " obsolete");
		if (!end)
			end = strstr(line, " remove-on-upgrade");
		if (end)
			*end = '\0';
		end = strrchr(line, ' ');
		if (end > line)
			*end = '\0';
		enter(manifest, copy, line + 1);
	}
}

/* What the new package is going to bring: a plain list of paths, each
 * possibly with a flag in front. */
static int enter_new(struct deb_text *manifest, struct deb_argv *copy,
		     const char *file)
{
	const char *argv[] = { "dpkg-deb", "--info", file, "conffiles", NULL };
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;

	if (pd_run(copy->ctx, argv, &result) < 0)
		return PD_FAILED;
	rest = (char *)deb_copy(copy->ctx, result.out, result.out_len);
	while (result.status == 0 && (line = deb_line(&rest)))
		if (strchr(line, '/'))
			enter(manifest, copy, strchr(line, '/'));
	return 0;
}

int deb_save_conffiles(struct deb_txn *txn)
{
	struct pd_ctx *ctx = txn->ctx;
	struct deb_argv query = { .ctx = ctx }, copy = { .ctx = ctx };
	struct deb_text manifest = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	const char *folder = pd_format(ctx, "%s/conffiles", ctx->work_dir);
	const char *cp[] = { "cp", "-a", "--parents", "-t", folder, "--" };
	const char *recalled = pd_recall(ctx, "conffiles");
	size_t before = 0, fixed = 0;

	if (deb_make_folder(ctx, folder) < 0)
		return PD_FAILED;
	deb_printf(&manifest, "%s", recalled ? recalled : "");
	before = manifest.len;
	for (size_t i = 0; i < sizeof(cp) / sizeof(*cp); i++)
		deb_arg(&copy, cp[i]);
	fixed = copy.n;
	deb_arg(&query, "dpkg-query");
	deb_arg(&query, "-W");
	deb_arg(&query, "-f=${Conffiles}\\n");
	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];

		if (!c->saved && c->old)
			deb_arg(&query, deb_spec(ctx, c->name, c->old_arch,
						 NULL));
		if (!c->saved && c->file &&
		    enter_new(&manifest, &copy, c->file) < 0)
			return PD_FAILED;
	}
	if (query.n > 3) {
		if (deb_run(ctx, &query, NULL, NULL, &result) < 0)
			return PD_FAILED;
		if (result.status != 0)
			return pd_fail(ctx, PD_FAILED, "the configuration "
				       "files of packages can't be listed: %s",
				       deb_why(ctx, &result));
		enter_listed(&manifest, &copy, result.out);
	}
	if (copy.n > fixed) {
		if (deb_run(ctx, &copy, "/", NULL, &result) < 0)
			return PD_FAILED;
		if (result.status != 0)
			return pd_fail(ctx, PD_FAILED, "configuration files "
				       "can't be copied to %s: %s", folder,
				       result.err);
	}
	if (manifest.len == before)
		return 0;
	return deb_sync(ctx, folder) < 0 ||
	       pd_remember(ctx, "conffiles", manifest.s) < 0 ? PD_FAILED : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
	       a->st_gid == b->st_gid && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int restore_one(struct pd_ctx *ctx, const char *path, bool early)
{
	const char *saved = pd_format(ctx, "%s/conffiles%s", ctx->work_dir,
				      path);
	const char *argv[] = { "cp", "-a", "--remove-destination", "-T", "--",
			       saved, path, NULL };
	struct pd_command_result result = { 0 };
	struct stat then = { 0 }, now = { 0 };

	if (lstat(saved, &then) < 0)
		return pd_fail(ctx, PD_FAILED, "the saved copy %s of %s is "
			       "gone: %s", saved, path, strerror(errno));
	if (lstat(path, &now) == 0 && same_file(&then, &now))
		return 0;
	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	/* The folder of a package that is gone comes back with the package. */
	if (result.status == 0 || early)
		return 0;
	return pd_fail(ctx, PD_FAILED, "%s can't be restored from %s: %s", path,
		       saved, result.err);
}

int deb_restore_conffiles(struct pd_ctx *ctx, bool early)
{
	const char *manifest = pd_recall(ctx, "conffiles");
	char *rest = NULL, *line = NULL;

	if (!manifest)
		return 0;
	rest = (char *)deb_copy(ctx, manifest, strlen(manifest));
	while ((line = deb_line(&rest))) {
		struct stat st = { 0 };
		const char *path = line + 1;

		if (*line == '+' && restore_one(ctx, path, early) < 0)
			return PD_FAILED;
		if (*line == '+' || lstat(path, &st) < 0 ||
		    S_ISDIR(st.st_mode))
			continue;
		if (unlink(path) < 0)
			return pd_fail(ctx, PD_FAILED, "%s, which was not "
				       "there before, can't be removed: %s",
				       path, strerror(errno));
	}
	return 0;
}
