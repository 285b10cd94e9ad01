/* SPDX-License-Identifier: MIT */
/* update - installs the selected updates of a Debian server, and goes back. */
#include "select.h"

#include <string.h>
#include <sys/stat.h>

enum { HELD_REFUSE, HELD_SKIP };

static const char *const held_choices[] = { "refuse", "skip", NULL };

struct install_args {
	const struct pd_updates *updates;
	const char *keep;
	const char *from;
	const char *source;
	bool download_only;
	bool repack;
	int32_t held;
	struct pd_list allow_remove;
	struct pd_list dpkg_options;
	int64_t lock_timeout;
};

struct fetch_args {
	const struct pd_updates *updates;
	const char *to;
};

static int check_options(struct pd_ctx *ctx, const struct install_args *a)
{
	for (size_t i = 0; i < a->dpkg_options.len; i++)
		if (strncmp(a->dpkg_options.items[i], "--", 2) != 0)
			return pd_fail(ctx, PD_BAD_ARGS, "dpkg_options: \"%s\" "
				       "is no option; write --force-...",
				       a->dpkg_options.items[i]);
	if (a->source && a->download_only)
		return pd_fail(ctx, PD_BAD_ARGS, "download_only: what is in "
			       "the package source %s needs no download",
			       a->source);
	if (!pkg_exists("/usr/bin/dpkg") || !pkg_exists("/usr/bin/apt-get"))
		return pd_fail(ctx, PD_REFUSED, "this server has no apt and "
			       "dpkg; update.install is for Debian servers");
	return 0;
}

/* Everything that all callbacks start with. */
static int start(struct pd_ctx *ctx, struct deb_txn *txn,
		 struct deb_selection *selection)
{
	const struct install_args *a = ctx->args;
	int done = check_options(ctx, a);

	*txn = (struct deb_txn){
		.ctx = ctx, .only_upgrade = true, .repack = a->repack,
		.download_only = a->download_only,
		.keep = pkg_keep_folder(ctx, a->keep), .from = a->from,
		.source = a->source,
		.dpkg_options = a->dpkg_options,
		.allow_remove = a->allow_remove,
		.lock_timeout = a->lock_timeout
	};
	if (done == 0)
		done = deb_query(ctx, &txn->now);
	if (done == 0)
		done = deb_select(ctx, a->updates, &txn->now,
				       a->held == HELD_REFUSE, selection);
	txn->wanted = selection->wanted;
	txn->wanted_len = selection->n;
	if (done == 0 && txn->source && txn->wanted_len > 0 &&
	    ctx->phase != PD_PHASE_VERIFY)
		done = deb_offers_read(txn);
	return done;
}

static bool in_archives(struct pd_ctx *ctx, const struct deb_changes *changes)
{
	const char **paths = pd_alloc_for(ctx, (changes->n + 1) *
					  sizeof(*paths));
	const char **digests = pd_alloc_for(ctx, (changes->n + 1) *
					    sizeof(*digests));

	for (size_t i = 0; i < changes->n; i++)
		if (changes->v[i].version)
			paths[i] = pd_format(ctx, "%s/%s", DEB_ARCHIVES,
				deb_file_name(ctx, changes->v[i].name,
					      changes->v[i].arch,
					      changes->v[i].version));
	if (pkg_digests(ctx, paths, changes->n, digests) < 0)
		return false;
	for (size_t i = 0; i < changes->n; i++)
		if (paths[i] && (!digests[i] || !changes->v[i].sha256 ||
				 strcmp(digests[i], changes->v[i].sha256) != 0))
			return false;
	return true;
}

/* apt can be told to remount /usr for writing while it works. */
static int check_writable(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "apt-config", "dump", "DPkg::Pre-Invoke", NULL };
	const char *folders = pkg_read_only(ctx);
	struct pd_command_result r = { 0 };

	if (!folders)
		return 0;
	if (pd_run(ctx, argv, &r) == 0 && r.status == 0 && strstr(r.out, "remount")) {
		pd_log(ctx, PD_LOG_WARN, "mounted read-only: %s; apt's DPkg::Pre-Invoke is "
		       "trusted to remount it", folders);
		return 0;
	}
	return pkg_refuse_read_only(ctx, folders);
}

static int install_check(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct deb_selection s = { 0 };
	struct deb_txn txn = { 0 };
	int done = start(ctx, &txn, &s);
	enum deb_init init;
	int64_t bytes = 0;

	if (done < 0)
		return done;
	if (s.held && a->held == HELD_REFUSE) {
		pd_inhibit(ctx, "a package that was held back on purpose would "
			   "be left out or changed",
			   pd_format(ctx, "on hold: %s", s.held),
			   "apt-mark unhold them, take their updates out, or "
			   "set held = \"skip\"");
		return pd_fail(ctx, PD_REFUSED, "packages are on hold: %s",
			       s.held);
	}
	if (s.held)
		pd_log(ctx, PD_LOG_WARN, "on hold and left out: %s", s.held);
	/* A crash came after the last package and before the end of the work. */
	if (s.n == 0 && pd_recall(ctx, "before") && !pd_recall(ctx, "done"))
		return PD_CHANGED;
	if (s.n == 0)
		return pkg_outputs(ctx, 0, true,
				   deb_reboot_due(ctx, &txn.changes)) < 0 ?
		       PD_FAILED : PD_UNCHANGED;
	done = deb_txn_check(&txn);
	if (done >= 0 && !a->download_only)
		done = check_writable(ctx);
	if (done < 0)
		return done;
	for (size_t i = 0; i < txn.changes.n; i++)
		bytes += txn.changes.v[i].bytes + txn.changes.v[i].old_bytes;
	pd_expect(ctx, 10 + (int64_t)txn.changes.n / 2 + bytes / (4 << 20));
	if (a->download_only)
		return pkg_outputs(ctx, txn.changes.n, true, false) < 0 ?
		       PD_FAILED : in_archives(ctx, &txn.changes) ?
		       PD_UNCHANGED : PD_CHANGED;
	init = deb_init_uses(ctx, &txn.changes);
	s.reboots |= deb_reboot_due(ctx, &txn.changes) || init == DEB_INIT_USES;
	return pkg_outputs(ctx, txn.changes.n,
			   s.reboots || (!s.unknown && init == DEB_INIT_NO),
			   s.reboots) < 0 ? PD_FAILED : PD_CHANGED;
}

static int write_list(struct pd_ctx *ctx, const struct deb_changes *changes)
{
	struct pkg_text list = { .ctx = ctx };

	for (size_t i = 0; i < changes->n; i++)
		pkg_changed(&list, changes->v[i].name, changes->v[i].arch,
			    changes->v[i].old, changes->v[i].version);
	return pkg_write_changed(&list);
}

static int install_apply(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct deb_selection s = { 0 };
	struct deb_txn txn = { 0 };
	const char *log = NULL;
	int done = start(ctx, &txn, &s);

	if (done < 0)
		return done;
	done = deb_txn_apply(&txn);
	if (a->download_only)
		return done < 0 ? done :
		       pkg_outputs(ctx, txn.changes.n, true, false) < 0 ?
		       PD_FAILED : done;
	/* Also, and above all, when it failed. */
	if (pd_recall(ctx, "before"))
		log = pkg_collect_logs(ctx, deb_logs, pd_recall(ctx, "logs"),
				       "install.log");
	if (done < 0)
		return done;
	if (!log || pd_output(ctx, "log", log) < 0 ||
	    write_list(ctx, &txn.changes) < 0 ||
	    pkg_outputs(ctx, txn.changes.n, true,
			deb_reboot_due(ctx, &txn.changes)) < 0 ||
	    pd_remember(ctx, "done", "1") < 0)
		return PD_FAILED;
	return done;
}

static int install_verify(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct deb_selection s = { 0 };
	struct deb_txn txn = { 0 };
	struct pkg_text wrong = { .ctx = ctx };
	const char *audit = NULL, *why = NULL;
	int done = start(ctx, &txn, &s);

	if (done < 0)
		return done;
	if (a->download_only) {
		done = deb_simulate_wanted(&txn, &txn.changes, &why);
		if (done < 0)
			return done == PD_FAILED ? done :
			       pd_fail(ctx, PD_FAILED, "apt refuses: %s", why);
		if (deb_show(&txn, &txn.changes) < 0)
			return PD_FAILED;
		return in_archives(ctx, &txn.changes) ? PD_UNCHANGED :
		       pd_fail(ctx, PD_FAILED, "not all packages are in %s "
			       "with the right digest", DEB_ARCHIVES);
	}
	for (size_t i = 0; i < s.n; i++) {
		const struct deb_row *row =
			deb_find(&txn.now, s.wanted[i].name, s.wanted[i].arch);

		pkg_printf(&wrong, "%s%s is %s %s, wanted %s",
			   i ? "; " : "", s.wanted[i].name, row->status,
			   row->version, s.wanted[i].version);
	}
	if (wrong.s)
		return pd_fail(ctx, PD_FAILED, "not installed as selected: %s",
			       wrong.s);
	audit = deb_audit(ctx);
	if (!audit)
		return PD_FAILED;
	if (*audit)
		return pd_fail(ctx, PD_FAILED, "dpkg --audit: %s", audit);
	pd_log(ctx, PD_LOG_INFO, "%zu packages are at the version selected",
	       s.total);
	return PD_UNCHANGED;
}

static int install_undo(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct deb_txn txn = {
		.ctx = ctx, .dpkg_options = a->dpkg_options,
		.lock_timeout = a->lock_timeout
	};

	return deb_txn_undo(&txn);
}

static int fetch_plan(struct pd_ctx *ctx, struct deb_txn *txn)
{
	const struct fetch_args *a = ctx->args;
	struct deb_selection s = { 0 };
	const char *why = NULL;
	int done = 0;

	*txn = (struct deb_txn){ .ctx = ctx, .only_upgrade = true };
	if (deb_query(ctx, &txn->now) < 0)
		return PD_FAILED;
	done = deb_select(ctx, a->updates, &txn->now, false, &s);
	if (done < 0)
		return done;
	txn->wanted = s.wanted;
	txn->wanted_len = s.n;
	if (s.n == 0)
		return 0;
	done = deb_simulate_wanted(txn, &txn->changes, &why);
	if (done == PD_REFUSED)
		return pd_fail(ctx, PD_FAILED, "apt refuses: %s", why);
	return done < 0 ? done : deb_show(txn, &txn->changes);
}

static int fetch_outputs(struct pd_ctx *ctx, const struct deb_txn *txn)
{
	const struct fetch_args *a = ctx->args;

	return pd_output(ctx, "folder", a->to) < 0 ||
	       pd_output(ctx, "packages", pd_format(ctx, "%zu",
						    txn->changes.n)) < 0 ?
	       PD_FAILED : 0;
}

static int fetch_check(struct pd_ctx *ctx)
{
	struct deb_txn txn = { 0 };
	int done = fetch_plan(ctx, &txn);

	if (done < 0 || fetch_outputs(ctx, &txn) < 0)
		return done < 0 ? done : PD_FAILED;
	return txn.changes.n > 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int fetch_apply(struct pd_ctx *ctx)
{
	const struct fetch_args *a = ctx->args;
	struct pkg_text sums = { .ctx = ctx };
	struct deb_txn txn = { 0 };
	const char *path = pd_format(ctx, "%s/SHA256SUMS", a->to);
	int done = fetch_plan(ctx, &txn);

	if (done == 0)
		done = pkg_make_folder(ctx, a->to);
	if (done == 0)
		done = deb_fetch_new(&txn, &txn.changes, a->to);
	if (done < 0 || fetch_outputs(ctx, &txn) < 0)
		return done < 0 ? done : PD_FAILED;
	for (size_t i = 0; i < txn.changes.n; i++)
		if (txn.changes.v[i].file)
			pkg_printf(&sums, "%s  %s\n", txn.changes.v[i].sha256,
				   strrchr(txn.changes.v[i].file, '/') + 1);
	if (pkg_sync(ctx, a->to) < 0 ||
	    pd_write_file(ctx, path, 0600, sums.s ? sums.s : "", sums.len) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, "digests of the fetched packages") < 0 ?
	       PD_FAILED : PD_CHANGED;
}

static int fetch_verify(struct pd_ctx *ctx)
{
	const struct fetch_args *a = ctx->args;
	const char *argv[] = { "sha256sum", "--check", "--quiet", "SHA256SUMS",
			       NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .directory = a->to };
	struct pd_command_result result = { 0 };
	struct stat st = { 0 };

	if (stat(pd_format(ctx, "%s/SHA256SUMS", a->to), &st) == 0 &&
	    st.st_size == 0)
		return PD_UNCHANGED;
	if (pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "packages in %s are not as fetched: %s%s",
		       a->to, result.out, result.err);
}

static const struct pd_param install_params[] = {
	PD_PARAM(struct install_args, updates, PD_T_UPDATES,
		 .flags = PD_P_REQUIRED, .help = "the updates to install"),
	PD_PARAM(struct install_args, keep, PD_T_PATH,
		 .help = "folder with room for the old packages; without it "
			 "they are kept with the run"),
	PD_PARAM(struct install_args, from, PD_T_PATH,
		 .help = "folder with packages fetched before"),
	PD_PARAM(struct install_args, source, PD_T_PATH,
		 .help = "package source: install from this folder alone"),
	PD_PARAM(struct install_args, download_only, PD_T_BOOL,
		 .help = "fetch and check the new packages, install nothing"),
	PD_PARAM(struct install_args, repack, PD_T_BOOL,
		 .help = "pack an old package that no source has from its "
			 "installed files; needs dpkg-repack"),
	PD_PARAM(struct install_args, held, PD_T_CHOICE, .def = "refuse",
		 .choices = held_choices,
		 .help = "what to do with packages on hold"),
	PD_PARAM(struct install_args, allow_remove, PD_T_LIST,
		 .help = "packages that may be removed for the updates"),
	PD_PARAM(struct install_args, dpkg_options, PD_T_LIST,
		 .help = "further options for dpkg, such as --force-unsafe-io"),
	PKG_LOCK_TIMEOUT(struct install_args),
	PD_PARAM_END
};

static const struct pd_output install_outputs[] = {
	PKG_OUTPUTS,
	PD_OUTPUT_END
};

static const struct pd_param fetch_params[] = {
	PD_PARAM(struct fetch_args, updates, PD_T_UPDATES,
		 .flags = PD_P_REQUIRED, .help = "the updates to fetch"),
	PD_PARAM(struct fetch_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the packages and their digests"),
	PD_PARAM_END
};

static const struct pd_output fetch_outputs_rows[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the packages are"),
	PD_OUTPUT("packages", PD_T_INT, "how many packages there are"),
	PD_OUTPUT_END
};

static const struct pd_step install_step = {
	PD_STEP, .name = "install",
	.help = "install the selected updates and keep what they replace",
	.flags = PD_S_NEEDS_ROOT,
	.params = install_params, .args_size = sizeof(struct install_args),
	.outputs = install_outputs,
	.check = install_check, .apply = install_apply,
	.verify = install_verify, .undo = install_undo,
	.reversibility = PD_REVERSIBLE,
	.time_limit = 7200, .grace = 60, .expected = 60, .retries = 2
};

static const struct pd_step fetch_step = {
	PD_STEP, .name = "fetch",
	.help = "fetch the packages of the selected updates ahead of time",
	.params = fetch_params, .args_size = sizeof(struct fetch_args),
	.outputs = fetch_outputs_rows,
	.check = fetch_check, .apply = fetch_apply, .verify = fetch_verify,
	.reversibility = PD_READONLY,
	.time_limit = 7200, .expected = 30, .retries = 2
};

static const struct pd_step *const steps[] = { &install_step, &fetch_step,
					       NULL };

PD_PLUGIN(.name = "update", .version = "1.0",
	  .help = "updates of Debian servers, with the way back",
	  .steps = steps);
