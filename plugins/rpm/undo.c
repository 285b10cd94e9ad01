/* SPDX-License-Identifier: MIT */
/* undo - back to exactly the packages that were there. */
#include "rpm.h"

#include <string.h>

bool rpm_as_before(const struct rpm_change *c, const struct rpm_rows *now)
{
	bool old = c->old && rpm_find_exactly(now, c->name, c->old_arch, c->old);
	bool fresh = c->evr && rpm_find_exactly(now, c->name, c->arch, c->evr);

	return !fresh && old == (c->old != NULL);
}

/* What has to be done to go back. */
struct way {
	struct pkg_argv files; /* old packages */
	struct pkg_argv gone;  /* new packages that nothing was there of */
};

/* @param all Of a transaction that was cut off the database says too little:
 * files may be the new ones' although the old package is there. */
static int find_way(struct rpm_txn *txn, bool all, struct way *way)
{
	struct pd_ctx *ctx = txn->ctx;
	struct pkg_text missing = { .ctx = ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct rpm_change *c = &txn->changes.v[i];
		const char *digest = NULL;

		if (rpm_as_before(c, &txn->now) && !(all && c->old))
			continue;
		if (!c->old) {
			pkg_arg(&way->gone, rpm_nvra(ctx, c->name, c->evr, c->arch));
			continue;
		}
		if (c->kept && pkg_digests(ctx, &c->kept, 1, &digest) < 0)
			return PD_FAILED;
		if (digest && c->old_sha256 && strcmp(digest, c->old_sha256) == 0)
			pkg_arg(&way->files, c->kept);
		else
			pkg_printf(&missing, "%s%s %s (%s)",
				   missing.len ? ", " : "", c->name, c->old,
				   !c->kept ? "was not kept" : !digest ?
				   "its file is gone" : "its file was changed");
	}
	return missing.s ? pd_fail(ctx, PD_FAILED, "there is no way back to "
				   "%s; restore these from a backup",
				   missing.s) : 0;
}

static int erase(struct rpm_txn *txn, const struct pkg_argv *names,
		 const char **why)
{
	struct pkg_argv argv = { 0 };

	/* what needs them goes back with the next command */
	rpm_begin(txn, &argv, "-ev");
	pkg_arg(&argv, "--nodeps");
	for (size_t i = 0; i < names->n; i++)
		pkg_arg(&argv, names->v[i]);
	return names->n > 0 ? rpm_act(txn, &argv, why) : 0;
}

static int by_rpm(struct rpm_txn *txn, const struct way *way, const char **why)
{
	struct pkg_argv argv = { 0 };
	int done = erase(txn, &way->gone, why);

	if (done < 0 || way->files.n == 0)
		return done;
	rpm_begin(txn, &argv, "-Uv");
	pkg_arg(&argv, "--oldpackage");
	pkg_arg(&argv, "--replacepkgs");
	for (size_t i = 0; i < way->files.n; i++)
		pkg_arg(&argv, way->files.v[i]);
	return rpm_act(txn, &argv, why);
}

static const char *different(struct rpm_txn *txn)
{
	struct pkg_text wrong = { .ctx = txn->ctx };
	struct pkg_argv twice = { .ctx = txn->ctx };

	rpm_duplicates(&txn->now, &twice);
	for (size_t i = 0; i < twice.n; i++)
		pkg_printf(&wrong, "%s%s is there twice", wrong.len ? "; " : "",
			   twice.v[i]);
	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct rpm_change *c = &txn->changes.v[i];

		if (!rpm_as_before(c, &txn->now))
			pkg_printf(&wrong, "%s%s is not as before (%s)",
				   wrong.len ? "; " : "", c->name,
				   c->old ? c->old : "not installed");
	}
	return wrong.s;
}

static int go_back(struct rpm_txn *txn, bool all, const struct way *way)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *why = NULL, *wrong = NULL;
	struct way rest = { .files = { .ctx = ctx }, .gone = { .ctx = ctx } };
	int done = 0;

	if (way->gone.n + way->files.n == 0)
		return 0;
	if (rpm_has_dnf() && !all) {
		if (rpm_dnf(txn, &way->files, &way->gone, &why) == PD_FAILED ||
		    rpm_query(ctx, &txn->now) < 0)
			return PD_FAILED;
		wrong = different(txn);
		if (!wrong)
			return 0;
		pd_log(ctx, PD_LOG_INFO, "dnf does not find the way back (%s); "
		       "rpm takes it", why ? why : wrong);
	}
	if (find_way(txn, all, &rest) < 0)
		return PD_FAILED;
	done = by_rpm(txn, &rest, &why);
	return done == PD_REFUSED ?
	       pd_fail(ctx, PD_FAILED, "rpm does not go back: %s", why) : done;
}

static int take_back(struct rpm_txn *txn)
{
	struct pd_ctx *ctx = txn->ctx;
	struct way way = { .files = { .ctx = ctx }, .gone = { .ctx = ctx } };
	const char *wrong = NULL;
	bool all = !pd_recall(ctx, "done") || pd_recall(ctx, "undoing");

	if (pd_remember(ctx, "undoing", "1") < 0 ||
	    rpm_query(ctx, &txn->now) < 0 || find_way(txn, all, &way) < 0 ||
	    pkg_etc_begin(ctx) < 0 || go_back(txn, all, &way) < 0 ||
	    pkg_etc_end(ctx) < 0 || rpm_query(ctx, &txn->now) < 0)
		return PD_FAILED;
	wrong = different(txn);
	if (wrong)
		return pd_fail(ctx, PD_FAILED, "not all packages are as they "
			       "were: %s", wrong);
	pd_log(ctx, PD_LOG_INFO, "%zu packages are as they were",
	       txn->changes.n);
	return 0;
}

int rpm_txn_undo(struct rpm_txn *txn)
{
	static const char *const keys[] = { "changes", "began", "done", "etc",
					    "others_etc", "etc_between", "etc_saved", "logs",
					    "undoing" };
	struct pd_ctx *ctx = txn->ctx;
	const char *changes = pd_recall(ctx, "changes");
	const char *marks = pkg_log_marks(ctx, rpm_logs);
	int done = 0;

	if (changes) {
		rpm_unpack_changes(ctx, changes, &txn->changes);
		done = rpm_wait(ctx, txn->lock_timeout);
		if (done < 0)
			return done;
		done = take_back(txn);
		(void)pkg_collect_logs(ctx, rpm_logs, marks, "undo.log");
		if (done < 0)
			return done;
	}
	if (pkg_forget(ctx, keys, sizeof(keys) / sizeof(*keys)) < 0)
		return PD_FAILED;
	return changes ? PD_CHANGED : PD_UNCHANGED;
}
