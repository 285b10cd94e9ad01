/* SPDX-License-Identifier: MIT */
/* undo - back to exactly the packages that were there, and the logs of it. */
#include "deb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const logs[] = { "/var/log/apt/history.log",
				    "/var/log/apt/term.log",
				    "/var/log/dpkg.log" };

#define LOGS (sizeof(logs) / sizeof(*logs))

const char *deb_log_marks(struct pd_ctx *ctx)
{
	struct deb_text text = { .ctx = ctx };

	for (size_t i = 0; i < LOGS; i++) {
		struct stat st = { 0 };

		if (stat(logs[i], &st) == 0)
			deb_printf(&text, "%s\t%llu\t%lld\n", logs[i],
				   (unsigned long long)st.st_ino,
				   (long long)st.st_size);
	}
	return text.s ? text.s : "";
}

/* Where the part since @p marks starts: 0 when the log was turned over. */
static size_t start_of(struct pd_ctx *ctx, const char *marks, const char *log)
{
	char *rest = (char *)deb_copy(ctx, marks, strlen(marks));
	char *line = NULL;
	struct stat st = { 0 };

	while ((line = deb_line(&rest))) {
		const char *path = deb_field(&line, '\t');
		unsigned long long inode = strtoull(line, &line, 10);
		long long size = strtoll(line, NULL, 10);

		if (strcmp(path, log) == 0 && stat(log, &st) == 0 &&
		    st.st_ino == inode && st.st_size >= size && size > 0)
			return (size_t)size;
	}
	return 0;
}

const char *deb_collect_logs(struct pd_ctx *ctx, const char *marks,
			     const char *name)
{
	struct deb_text text = { .ctx = ctx };
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, name);

	for (size_t i = 0; i < LOGS; i++) {
		size_t len = 0;
		const char *log = pd_read_file(ctx, logs[i], DEB_OUTPUT_MAX,
					       &len);
		size_t start = start_of(ctx, marks ? marks : "", logs[i]);

		deb_printf(&text, "== %s\n%s\n", logs[i],
			   log && start < len ? log + start : "");
	}
	if (pd_write_file(ctx, path, 0600, text.s, text.len) < 0 ||
	    pd_evidence(ctx, path, "logs of the package manager") < 0)
		return NULL;
	return path;
}

/* What has to be done to go back. */
struct way {
	struct deb_argv files; /* old packages to install */
	struct deb_argv gone;  /* new packages to purge */
	struct deb_argv rest;  /* new packages whose configuration stays */
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
	struct deb_text missing = { .ctx = ctx };

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

			deb_arg(stays ? &way->rest : &way->gone,
				deb_spec(ctx, c->name, c->arch, NULL));
			continue;
		}
		if (c->kept && deb_digests(ctx, &c->kept, 1, &digest) < 0)
			return PD_FAILED;
		if (!digest || !c->old_sha256 ||
		    strcmp(digest, c->old_sha256) != 0) {
			deb_printf(&missing, "%s%s %s (%s)",
				   missing.len ? ", " : "", c->name, c->old,
				   !c->kept ? "was not kept" : !digest ?
				   "its file is gone" : "its file was changed");
			continue;
		}
		deb_arg(&way->files, c->kept);
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
	struct deb_argv look = { 0 }, act = { 0 };
	struct pd_command_result result = { 0 };
	struct deb_changes what = { 0 };
	const char *why = NULL;
	int looked = 0;

	deb_apt(txn, &look, true);
	deb_apt(txn, &act, true);
	deb_arg(&act, "-o");
	deb_arg(&act, "APT::Status-Fd=1");
	for (int i = 0; i < 2; i++) {
		struct deb_argv *argv = i ? &act : &look;

		deb_arg(argv, "--allow-downgrades");
		deb_arg(argv, "install");
		for (size_t j = 0; j < way->files.n; j++)
			deb_arg(argv, way->files.v[j]);
		for (size_t j = 0; j < way->gone.n; j++)
			deb_arg(argv, pd_format(txn->ctx, "%s-",
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
		const struct deb_argv *what, bool must)
{
	/* No --status-fd 1: dpkg closes that descriptor in the scripts of
	 * packages, and those that print something fail. */
	static const char *const fixed[] = {
		"dpkg", "--force-confdef", "--force-confold",
		"--force-downgrade", "--auto-deconfigure",
		/* a new package that was cut off while it was unpacked */
		"--force-remove-reinstreq"
	};
	struct deb_argv argv = { .ctx = txn->ctx };
	struct pd_command_result result = { 0 };

	if (what->n == 0)
		return 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		deb_arg(&argv, fixed[i]);
	for (size_t i = 0; i < txn->dpkg_options.len; i++)
		deb_arg(&argv, txn->dpkg_options.items[i]);
	deb_arg(&argv, verb);
	for (size_t i = 0; i < what->n; i++)
		deb_arg(&argv, what->v[i]);
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
static void still_there(struct deb_txn *txn, const struct deb_argv *names,
			bool configuration, struct deb_argv *out)
{
	for (size_t i = 0; i < names->n; i++) {
		char *rest = (char *)deb_copy(txn->ctx, names->v[i],
					      strlen(names->v[i]));
		const char *name = deb_field(&rest, ':');
		const struct deb_row *row = deb_find(&txn->now, name, rest);

		if (deb_is_there(row) ||
		    (configuration && row &&
		     strcmp(row->status, "config-files") == 0))
			deb_arg(out, names->v[i]);
	}
}

static int go_back(struct deb_txn *txn, const struct way *way)
{
	struct deb_argv all = { .ctx = txn->ctx };
	struct deb_argv purge = { .ctx = txn->ctx };
	struct deb_argv remove = { .ctx = txn->ctx };
	bool done = false;

	deb_arg(&all, "-a");
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
	struct deb_text wrong = { .ctx = ctx };

	if (deb_query(ctx, &txn->now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];
		const struct deb_row *now = deb_find(&txn->now, c->name,
						     c->arch);
		const struct deb_row *was = deb_find(before, c->name, c->arch);

		if (!as_before(c, now))
			deb_printf(&wrong, "%s%s is %s %s, was %s",
				   wrong.len ? "; " : "", c->name,
				   now ? now->status : "not installed",
				   now ? now->version : "",
				   c->old ? c->old : "not installed");
		else if (c->old && was && (was->automatic != now->automatic ||
					   strcmp(was->want, now->want) != 0))
			deb_printf(&wrong, "%s%s is marked %s and %s, was %s "
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
	    deb_etc_begin(txn->ctx) < 0 ||
	    (way.files.n + way.gone.n + way.rest.n > 0 &&
	     go_back(txn, &way) < 0) ||
	    deb_etc_end(txn->ctx) < 0 ||
	    deb_query(txn->ctx, &txn->now) < 0 ||
	    deb_marks(txn, before) < 0 || prove(txn, before) < 0)
		return PD_FAILED;
	pd_log(txn->ctx, PD_LOG_INFO, "%zu packages are as they were",
	       txn->changes.n);
	return 0;
}

int deb_txn_undo(struct deb_txn *txn)
{
	static const char *const keys[] = { "changes", "etc", "others_etc",
					    "etc_saved", "done", "logs",
					    "before" };
	struct pd_ctx *ctx = txn->ctx;
	const char *rows = pd_recall(ctx, "before");
	const char *changes = pd_recall(ctx, "changes");
	const char *marks = deb_log_marks(ctx);
	struct deb_rows before = { 0 };
	int done = 0;

	if (rows && changes) {
		deb_unpack_rows(ctx, rows, &before);
		deb_unpack_changes(ctx, changes, &txn->changes);
		done = deb_lock(ctx, txn->lock_timeout);
		if (done < 0)
			return done;
		done = take_back(txn, &before);
		(void)deb_collect_logs(ctx, marks, "undo.log");
		if (done < 0)
			return done;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (pd_recall(ctx, keys[i]) &&
		    pd_remember(ctx, keys[i], NULL) < 0)
			return PD_FAILED;
	return rows && changes ? PD_CHANGED : PD_UNCHANGED;
}
