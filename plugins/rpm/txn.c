/* SPDX-License-Identifier: MIT */
/* txn - the installation, with all that is needed to go back kept before. */
#include "rpm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const rpm_logs[] = { "/var/log/dnf.log", "/var/log/dnf.rpm.log",
				 "/var/log/dnf5.log", NULL };

/* Its versions stand side by side, and it is no package to build modules from. */
static bool is_kernel(const struct rpm_change *c)
{
	static const char *const others[] = { "-devel", "-source", "-headers", "-syms" };
	size_t len = strlen(c->name);

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (len > strlen(others[i]) && strcmp(c->name + len - strlen(others[i]), others[i]) == 0)
			return false;
	return c->parallel;
}

bool rpm_reboot_due(struct pd_ctx *ctx, const struct rpm_changes *changes)
{
	/* as needs-restarting -r of dnf, with what SUSE's zypper adds; a
	 * kernel of any other name says that it stands beside others */
	static const char *const always[] = {
		"kernel", "kernel-core", "kernel-rt", "kernel-default",
		"glibc", "libc6", "linux-firmware", "systemd", "udev", "dbus",
		"dbus-broker", "dbus-daemon", "microcode_ctl", "ucode-intel",
		"ucode-amd"
	};

	if (access("/run/reboot-needed", F_OK) == 0)
		return true;
	for (size_t i = 0; i < changes->n; i++)
		for (size_t j = 0; j < sizeof(always) / sizeof(*always); j++)
			if (changes->v[i].evr && (is_kernel(&changes->v[i]) ||
			    strcmp(changes->v[i].name, always[j]) == 0))
				return true;
	return pkg_init_is_stale(ctx);
}

/*
 * A transaction that was cut off leaves the old package beside the new one,
 * with files that only the old one had: it is finished by removing the old.
 */
static int repair(struct rpm_txn *txn)
{
	struct pkg_argv twice = { .ctx = txn->ctx }, argv = { 0 };
	const char *why = NULL;
	int done = 0;

	rpm_duplicates(&txn->now, &twice);
	if (twice.n == 0)
		return 0;
	rpm_begin(txn, &argv, "-e");
	pkg_arg(&argv, "--nodeps");
	for (size_t i = 0; i < twice.n; i++) {
		pd_log(txn->ctx, PD_LOG_WARN, "a transaction of rpm was "
		       "interrupted before: %s is there beside a newer one; "
		       "it is removed", twice.v[i]);
		pkg_arg(&argv, twice.v[i]);
	}
	done = rpm_act(txn, &argv, &why);
	if (done == PD_REFUSED)
		return pd_fail(txn->ctx, PD_FAILED, "an interrupted transaction "
			       "of rpm can't be finished: %s", why);
	return done < 0 ? done : rpm_query(txn->ctx, &txn->now);
}

/* Have the old packages in @p folder, with their digests. */
static int keep_old(struct rpm_txn *txn, const char *folder)
{
	struct pd_ctx *ctx = txn->ctx;

	for (size_t i = 0; i < txn->changes.n; i++) {
		struct rpm_change *c = &txn->changes.v[i];
		const char *from = c->old ? rpm_old_file(txn, c) : NULL;

		if (!c->old)
			continue;
		if (!from) {
			pd_log(ctx, PD_LOG_WARN, "%s %s is in no folder and "
			       "can't be kept: no way back from its update",
			       c->name, c->old);
			continue;
		}
		c->kept = pd_format(ctx, "%s/%s", folder,
				    strrchr(from, '/') + 1);
		if (pkg_copy_file(ctx, from, c->kept) < 0 ||
		    pkg_digests(ctx, &c->kept, 1, &c->old_sha256) < 0)
			return PD_FAILED;
	}
	return pkg_sync(ctx, folder);
}

/* What was kept must be what is installed, by a key that is trusted. */
static int check_kept(struct rpm_txn *txn)
{
	struct pkg_argv kept = { .ctx = txn->ctx };
	const char *why = NULL;
	int done = 0;

	for (size_t i = 0; i < txn->changes.n; i++)
		if (txn->changes.v[i].kept)
			pkg_arg(&kept, txn->changes.v[i].kept);
	done = rpm_check_files(txn, kept.v, kept.n, &why);
	return done == PD_REFUSED ?
	       pd_fail(txn->ctx, PD_FAILED, "old packages that were to be kept "
		       "are not whole or not signed by a key that this server "
		       "trusts: %s; nothing was installed", why) : done;
}

/* Everything that undo needs is on the disk before anything changes. */
static int prepare(struct rpm_txn *txn)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *keep = txn->keep ? txn->keep :
			   pd_format(ctx, "%s/packages", ctx->work_dir);

	pd_progress(ctx, 0, 0, "keeping the old packages");
	return pkg_make_folder(ctx, keep) < 0 || keep_old(txn, keep) < 0 ||
	       check_kept(txn) < 0 || pkg_etc_save(ctx) < 0 ||
	       pd_remember(ctx, "logs", pkg_log_marks(ctx, rpm_logs)) < 0 ||
	       pd_remember(ctx, "changes",
			   rpm_pack_changes(ctx, &txn->changes)) < 0 ?
	       PD_FAILED : 0;
}

static int by_dnf(struct rpm_txn *txn, const char **why)
{
	struct pkg_argv files = { .ctx = txn->ctx }, none = { .ctx = txn->ctx };

	for (size_t i = 0; i < txn->changes.n; i++)
		if (txn->changes.v[i].file)
			pkg_arg(&files, txn->changes.v[i].file);
	return rpm_dnf(txn, &files, &none, why);
}

/* --replacepkgs: after a crash all of them are installed once more, so that
 * files and scripts of one that was cut off are whole. */
static int by_rpm(struct rpm_txn *txn, const char **why)
{
	struct pkg_argv upgrade = { 0 }, install = { 0 };
	size_t upgrades = 0, installs = 0;
	int done = 0;

	rpm_begin(txn, &upgrade, "-Uv");
	rpm_begin(txn, &install, "-iv");
	pkg_arg(&upgrade, "--replacepkgs");
	pkg_arg(&install, "--replacepkgs");
	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct rpm_change *c = &txn->changes.v[i];

		if (!c->file)
			continue;
		pkg_arg(c->parallel ? &install : &upgrade, c->file);
		installs += c->parallel;
		upgrades += !c->parallel;
	}
	if (upgrades > 0)
		done = rpm_act(txn, &upgrade, why);
	if (done == 0 && installs > 0)
		done = rpm_act(txn, &install, why);
	return done;
}

/* Are all changes made, and is nothing there twice? */
static const char *missing(struct rpm_txn *txn)
{
	struct pkg_text text = { .ctx = txn->ctx };
	struct pkg_argv twice = { .ctx = txn->ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct rpm_change *c = &txn->changes.v[i];
		bool there = rpm_find_exactly(&txn->now, c->name, c->arch,
					      c->evr ? c->evr : c->old);

		if (there != (c->evr != NULL))
			pkg_printf(&text, "%s%s is%s there", text.len ? "; " : "",
				   rpm_nvra(txn->ctx, c->name,
					    c->evr ? c->evr : c->old, c->arch),
				   there ? "" : " not");
	}
	rpm_duplicates(&txn->now, &twice);
	for (size_t i = 0; i < twice.n; i++)
		pkg_printf(&text, "%s%s is there twice", text.len ? "; " : "",
			   twice.v[i]);
	return text.s;
}

/* dnf leaves a history; after a crash, or where dnf does not get to the end,
 * rpm does it. */
static int install(struct rpm_txn *txn, bool again)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *why = NULL, *lacks = NULL;
	int done = 0;

	if (pd_remember(ctx, "began", "1") < 0)
		return PD_FAILED;
	if (rpm_has_dnf() && !again) {
		done = by_dnf(txn, &why);
		if (done == PD_FAILED)
			return done;
		if (rpm_query(ctx, &txn->now) < 0)
			return PD_FAILED;
		lacks = missing(txn);
		if (!lacks)
			return 0;
		pd_log(ctx, PD_LOG_WARN, "dnf did not install all (%s); rpm "
		       "does it", why ? why : lacks);
	}
	done = by_rpm(txn, &why);
	if (done == PD_FAILED || rpm_query(ctx, &txn->now) < 0)
		return PD_FAILED;
	lacks = missing(txn);
	if (done == PD_REFUSED || lacks)
		return pd_fail(ctx, PD_FAILED, "the installation failed: %s",
			       why ? why : lacks);
	return 0;
}

/* What is to be done, found anew by the same rules as in check. */
static int plan(struct rpm_txn *txn, const struct pd_updates *updates,
		bool keep_held)
{
	struct rpm_selection s = { 0 };
	const char *why = NULL, *remedy = NULL;
	int done = rpm_select(txn, updates, keep_held, &s);

	if (done == 0)
		done = rpm_plan(txn, &s, &why, &remedy);
	return done == PD_REFUSED ?
	       pd_fail(txn->ctx, PD_FAILED, "%s; nothing was installed", why) :
	       done;
}

int rpm_txn_apply(struct rpm_txn *txn, const struct pd_updates *updates,
		  bool keep_held)
{
	struct pd_ctx *ctx = txn->ctx;
	bool again = pd_recall(ctx, "began") != NULL;
	const char *changes = pd_recall(ctx, "changes");
	int done = rpm_wait(ctx, txn->lock_timeout);

	if (done < 0)
		return done;
	done = pkg_etc_again(ctx);
	if (done < 0)
		return done;
	done = rpm_query(ctx, &txn->now);
	if (again && changes)
		rpm_unpack_changes(ctx, changes, &txn->changes);
	else if (done == 0) {
		done = repair(txn);
		if (done == 0)
			done = plan(txn, updates, keep_held);
		if (done == 0 && txn->changes.n > 0)
			done = prepare(txn);
	}
	if (done == 0 && txn->changes.n > 0)
		done = install(txn, again);
	if (again && done == 0)
		done = repair(txn);
	/* Also of what failed; the first failure stays the one that counts. */
	if (pkg_etc_note(ctx) < 0 && done == 0)
		done = PD_FAILED;
	return done == 0 ? PD_CHANGED : done;
}
