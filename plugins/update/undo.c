/* SPDX-License-Identifier: MIT */
/* undo - back to exactly the packages that were there, and the logs of it. */
#include "deb.h"

#include <string.h>
#include <unistd.h>

const char *const deb_logs[] = { "/var/log/apt/history.log",
				 "/var/log/apt/term.log",
				 "/var/log/dpkg.log", NULL };

/* What has to be done to go back. */
struct way {
	struct pkg_argv files; /* old packages to install */
	struct pkg_argv gone;  /* new packages to purge */
	struct pkg_argv rest;  /* new packages whose configuration stays */
	struct deb_changes back; /* those of files */
};

static bool as_before(const struct deb_change *c, const struct deb_row *now)
{
	if (!c->old)
		return !deb_is_there(now);
	return deb_is_there(now) && strcmp(now->status, "installed") == 0 &&
	       strcmp(now->version, c->old) == 0 &&
	       strcmp(now->arch, c->old_arch) == 0;
}

static int find_way(struct deb_txn *txn, const struct deb_rows *before,
		    struct way *way)
{
	struct pd_ctx *ctx = txn->ctx;
	struct pkg_text missing = { .ctx = ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];
		const struct deb_row *now = deb_find(&txn->now, c->name,
						     c->arch);
		const struct deb_row *was = deb_find(before, c->name, c->arch);
		const char *digest = NULL;

		if (as_before(c, now))
			continue;
		if (!c->old) {
			bool stays = was &&
				     strcmp(was->status, "config-files") == 0;

			pkg_arg(stays ? &way->rest : &way->gone,
				deb_spec(ctx, c->name, c->arch, NULL));
			continue;
		}
		if (c->kept && pkg_digests(ctx, &c->kept, 1, &digest) < 0)
			return PD_FAILED;
		if (!digest || !c->old_sha256 ||
		    strcmp(digest, c->old_sha256) != 0) {
			pkg_printf(&missing, "%s%s %s (%s)",
				   missing.len ? ", " : "", c->name, c->old,
				   !c->kept ? "was not kept" : !digest ?
				   "its file is gone" : "its file was changed");
			continue;
		}
		pkg_arg(&way->files, c->kept);
		*deb_change_add(ctx, &way->back) = *c;
	}
	return missing.s ? pd_fail(ctx, PD_FAILED, "there is no way back to "
				   "%s; restore these from a backup",
				   missing.s) : 0;
}

/* apt knows the right order; but it must do nothing beside. */
static bool apt_agrees(struct deb_txn *txn, const struct way *way,
		       const struct deb_changes *what)
{
	size_t installs = 0;

	for (size_t i = 0; i < what->n; i++) {
		const struct deb_change *c = &what->v[i];
		const struct deb_change *ours =
			deb_change_find(c->version ? &way->back :
						     &txn->changes,
					c->name, c->arch);

		if (!ours || (c->version ? strcmp(c->version, ours->old) != 0 :
					   ours->old != NULL))
			return false;
		installs += c->version != NULL;
	}
	return installs == way->files.n;
}

static int back_by_apt(struct deb_txn *txn, const struct way *way, bool *done)
{
	struct pkg_argv look = { 0 }, act = { 0 };
	struct pd_command_result result = { 0 };
	struct deb_changes what = { 0 };
	const char *why = NULL;
	int looked = 0;

	deb_apt(txn, &look, true);
	deb_apt(txn, &act, true);
	pkg_arg(&act, "-o");
	pkg_arg(&act, "APT::Status-Fd=1");
	for (int i = 0; i < 2; i++) {
		struct pkg_argv *argv = i ? &act : &look;

		pkg_arg(argv, "--allow-downgrades");
		pkg_arg(argv, "install");
		for (size_t j = 0; j < way->files.n; j++)
			pkg_arg(argv, way->files.v[j]);
		for (size_t j = 0; j < way->gone.n; j++)
			pkg_arg(argv, pd_format(txn->ctx, "%s-",
						way->gone.v[j]));
	}
	looked = deb_simulate(txn, &look, &what, &why);
	if (looked == PD_FAILED)
		return PD_FAILED;
	if (looked < 0 || !apt_agrees(txn, way, &what)) {
		pd_log(txn->ctx, PD_LOG_INFO, "apt does not find the way back "
		       "(%s); dpkg takes it", why ? why : "it would do more");
		return 0;
	}
	if (deb_act(txn->ctx, &act, &result) < 0)
		return PD_FAILED;
	*done = result.status == 0;
	if (!*done)
		pd_log(txn->ctx, PD_LOG_WARN, "apt did not go the whole way "
		       "back (%s); dpkg goes on", deb_why(txn->ctx, &result));
	return 0;
}

static int dpkg(struct deb_txn *txn, const char *verb,
		const struct pkg_argv *what, bool must)
{
	/* No --status-fd 1: dpkg closes that descriptor in the scripts of
	 * packages, and those that print something fail. */
	static const char *const fixed[] = {
		"dpkg", "--force-confdef", "--force-confold",
		"--force-downgrade", "--auto-deconfigure",
		/* a new package that was cut off while it was unpacked */
		"--force-remove-reinstreq"
	};
	struct pkg_argv argv = { .ctx = txn->ctx };
	struct pd_command_result result = { 0 };

	if (what->n == 0)
		return 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		pkg_arg(&argv, fixed[i]);
	for (size_t i = 0; i < txn->dpkg_options.len; i++)
		pkg_arg(&argv, txn->dpkg_options.items[i]);
	pkg_arg(&argv, verb);
	for (size_t i = 0; i < what->n; i++)
		pkg_arg(&argv, what->v[i]);
	if (deb_act(txn->ctx, &argv, &result) < 0)
		return PD_FAILED;
	if (result.status == 0)
		return 0;
	if (must)
		return pd_fail(txn->ctx, PD_FAILED, "dpkg %s failed: %s", verb,
			       deb_why(txn->ctx, &result));
	pd_log(txn->ctx, PD_LOG_WARN, "dpkg %s failed: %s", verb,
	       deb_why(txn->ctx, &result));
	return 0;
}

/* Only those that dpkg still knows: purging others is an error. */
static void still_there(struct deb_txn *txn, const struct pkg_argv *names,
			bool configuration, struct pkg_argv *out)
{
	for (size_t i = 0; i < names->n; i++) {
		char *rest = (char *)pkg_copy(txn->ctx, names->v[i],
					      strlen(names->v[i]));
		const char *name = pkg_field(&rest, ':');
		const struct deb_row *row = deb_find(&txn->now, name, rest);

		if (deb_is_there(row) ||
		    (configuration && row &&
		     strcmp(row->status, "config-files") == 0))
			pkg_arg(out, names->v[i]);
	}
}

static int go_back(struct deb_txn *txn, const struct way *way)
{
	struct pkg_argv all = { .ctx = txn->ctx };
	struct pkg_argv purge = { .ctx = txn->ctx };
	struct pkg_argv remove = { .ctx = txn->ctx };
	bool done = false;

	pkg_arg(&all, "-a");
	if (way->files.n + way->gone.n > 0 && back_by_apt(txn, way, &done) < 0)
		return PD_FAILED;
	/* dpkg does not put packages in order: what fails at first, because
	 * another one is in the way, finds it gone the second time. */
	for (int i = 0; !done && i < 2; i++)
		if (dpkg(txn, "--install", &way->files, false) < 0 ||
		    dpkg(txn, "--configure", &all, false) < 0)
			return PD_FAILED;
	if (deb_query(txn->ctx, &txn->now) < 0)
		return PD_FAILED;
	still_there(txn, &way->gone, true, &purge);
	still_there(txn, &way->rest, false, &remove);
	if (dpkg(txn, "--purge", &purge, true) < 0 ||
	    dpkg(txn, "--remove", &remove, true) < 0)
		return PD_FAILED;
	return dpkg(txn, "--configure", &all, true);
}

static int prove(struct deb_txn *txn, const struct deb_rows *before)
{
	struct pd_ctx *ctx = txn->ctx;
	struct pkg_text wrong = { .ctx = ctx };

	if (deb_query(ctx, &txn->now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];
		const struct deb_row *now = deb_find(&txn->now, c->name,
						     c->arch);
		const struct deb_row *was = deb_find(before, c->name, c->arch);

		if (!as_before(c, now))
			pkg_printf(&wrong, "%s%s is %s %s, was %s",
				   wrong.len ? "; " : "", c->name,
				   now ? now->status : "not installed",
				   now ? now->version : "",
				   c->old ? c->old : "not installed");
		else if (c->old && was && (was->automatic != now->automatic ||
					   strcmp(was->want, now->want) != 0))
			pkg_printf(&wrong, "%s%s is marked %s and %s, was %s "
				   "and %s", wrong.len ? "; " : "", c->name,
				   now->want,
				   now->automatic ? "automatic" : "manual",
				   was->want,
				   was->automatic ? "automatic" : "manual");
	}
	return wrong.s ? pd_fail(ctx, PD_FAILED, "not all packages are as they "
				 "were: %s", wrong.s) : 0;
}

static int take_back(struct deb_txn *txn, const struct deb_rows *before)
{
	struct way way = { .files = { .ctx = txn->ctx },
			   .gone = { .ctx = txn->ctx },
			   .rest = { .ctx = txn->ctx } };

	if (deb_query(txn->ctx, &txn->now) < 0 ||
	    find_way(txn, before, &way) < 0 ||
	    pkg_etc_begin(txn->ctx) < 0 ||
	    (way.files.n + way.gone.n + way.rest.n > 0 &&
	     go_back(txn, &way) < 0) ||
	    pkg_etc_end(txn->ctx) < 0 ||
	    deb_query(txn->ctx, &txn->now) < 0 ||
	    deb_marks(txn, before) < 0 || prove(txn, before) < 0)
		return PD_FAILED;
	pd_log(txn->ctx, PD_LOG_INFO, "%zu packages are as they were",
	       txn->changes.n);
	return 0;
}

int deb_txn_undo(struct deb_txn *txn)
{
	static const char *const keys[] = { "changes", "etc", "others_etc", "etc_between",
					    "etc_saved", "done", "logs",
					    "before" };
	struct pd_ctx *ctx = txn->ctx;
	const char *rows = pd_recall(ctx, "before");
	const char *changes = pd_recall(ctx, "changes");
	const char *marks = pkg_log_marks(ctx, deb_logs);
	struct deb_rows before = { 0 };
	int done = 0, lock;

	if (rows && changes) {
		deb_unpack_rows(ctx, rows, &before);
		deb_unpack_changes(ctx, changes, &txn->changes);
		lock = deb_lock(ctx, txn->lock_timeout);
		if (lock < 0)
			return lock;
		done = take_back(txn, &before);
		(void)pkg_collect_logs(ctx, deb_logs, marks, "undo.log");
		close(lock);
		if (done < 0)
			return done;
	}
	if (pkg_forget(ctx, keys, sizeof(keys) / sizeof(*keys)) < 0)
		return PD_FAILED;
	return rows && changes ? PD_CHANGED : PD_UNCHANGED;
}
