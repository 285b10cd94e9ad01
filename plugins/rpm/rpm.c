/* SPDX-License-Identifier: MIT */
/* rpm - packages of servers with rpm: what is there, and its updates with the
 * way back. */
#include "rpm.h"
#include "../shared/rpmdb.h"

#include <string.h>
#include <unistd.h>

enum { HELD_REFUSE, HELD_SKIP };

static const char *const held_choices[] = { "refuse", "skip", NULL };

struct install_args {
	const struct pd_updates *updates;
	const char *source;
	struct pd_list old;
	const char *keep;
	bool unsigned_too;
	int32_t held;
	int64_t lock_timeout;
};

/* Everything that check, apply and verify start with. */
static int start(struct pd_ctx *ctx, struct rpm_txn *txn)
{
	/* what dnf and dnf5 themselves keep when keepcache is set */
	static const char *const caches[] = { "/var/cache/dnf",
					      "/var/cache/libdnf5" };
	const struct install_args *a = ctx->args;

	*txn = (struct rpm_txn){
		.ctx = ctx, .source = a->source, .old = a->old,
		.keep = pkg_keep_folder(ctx, a->keep),
		.unsigned_too = a->unsigned_too,
		.lock_timeout = a->lock_timeout
	};
	if (!rpmdb_is_here())
		return pd_fail(ctx, PD_REFUSED, "this server has no database of "
			       "rpm; rpm.install is for servers with rpm "
			       "packages");
	if (rpm_query(ctx, &txn->now) < 0 ||
	    rpm_folder_add(ctx, &txn->fresh, a->source) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < a->old.len; i++)
		if (rpm_folder_add(ctx, &txn->olds, a->old.items[i]) < 0)
			return PD_FAILED;
	for (size_t i = 0; i < sizeof(caches) / sizeof(*caches); i++)
		if (access(caches[i], R_OK) == 0 &&
		    rpm_folder_add(ctx, &txn->olds, caches[i]) < 0)
			return PD_FAILED;
	return 0;
}

static int refuse_unknown(struct pd_ctx *ctx, const char *fault)
{
	pd_inhibit(ctx, "a package that was locked on purpose would be changed",
		   fault, "mend that file, or have `dnf versionlock` write it");
	return pd_fail(ctx, PD_REFUSED, "what is locked is not known: %s", fault);
}

static int refuse_held(struct pd_ctx *ctx, const char *held)
{
	pd_inhibit(ctx, "a package that was locked on purpose would be left "
		   "out or changed", pd_format(ctx, "locked: %s", held),
		   "take the lock or exclusion out of dnf's configuration, take "
		   "their updates out, or set held = \"skip\"");
	return pd_fail(ctx, PD_REFUSED, "packages are locked: %s", held);
}

static void report_permanent(struct rpm_txn *txn)
{
	struct pkg_text names = { .ctx = txn->ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct rpm_change *c = &txn->changes.v[i];

		if (c->old && !rpm_old_file(txn, c))
			pkg_printf(&names, "%s%s %s", names.len ? ", " : "",
				   c->name, c->old);
		if (!c->evr)
			pd_log(txn->ctx, PD_LOG_INFO, "%s is replaced by "
			       "another package", c->name);
	}
	if (names.s)
		pd_irreversible(txn->ctx, pd_format(txn->ctx, "the installed "
				"packages of %s are neither in the package "
				"source nor in one of the folders of old, so "
				"there is no way back to them", names.s));
}

/* They are not this step's: the check of one that was cut off does not come here.
 * Without anything to install nothing is repaired either. */
static void report_duplicates(struct rpm_txn *txn)
{
	struct pkg_argv twice = { .ctx = txn->ctx };
	struct pkg_text names = { .ctx = txn->ctx };

	rpm_duplicates(&txn->now, &twice);
	for (size_t i = 0; i < twice.n; i++)
		pkg_printf(&names, "%s%s", names.len ? ", " : "", twice.v[i]);
	if (names.s && txn->changes.n > 0)
		pd_irreversible(txn->ctx, pd_format(txn->ctx, "%s is there beside "
				"a newer one, as an interrupted transaction of rpm "
				"leaves it, and is going to be removed, without a "
				"way back; if it is kept on purpose, name it in "
				"installonlypkgs of /etc/dnf/dnf.conf", names.s));
	else if (names.s)
		pd_log(txn->ctx, PD_LOG_WARN, "%s is there beside a newer one, as "
		       "an interrupted transaction of rpm leaves it", names.s);
}

/* A crash came after the last package and before the end of the work. */
static bool was_cut_off(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "began") && !pd_recall(ctx, "done");
}

static int install_check(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	const char *why = NULL, *remedy = NULL;
	struct rpm_selection s = { 0 };
	struct rpm_txn txn = { 0 };
	int done = start(ctx, &txn);

	if (done == 0)
		done = rpm_select(&txn, a->updates, a->held == HELD_REFUSE, &s);
	if (done < 0)
		return done;
	if (s.fault)
		return refuse_unknown(ctx, s.fault);
	if (s.held && a->held == HELD_REFUSE)
		return refuse_held(ctx, s.held);
	if (s.held)
		pd_log(ctx, PD_LOG_WARN, "locked and left out: %s", s.held);
	if (was_cut_off(ctx))
		return PD_CHANGED;
	done = rpm_plan(&txn, &s, &why, &remedy);
	if (done == PD_REFUSED) {
		pd_inhibit(ctx, "something else than what was approved, or "
			   "nothing, would be installed", why, remedy);
		return pd_fail(ctx, PD_REFUSED, "%s", why);
	}
	if (done < 0)
		return done;
	why = txn.changes.n > 0 ? pkg_read_only(ctx) : NULL;
	if (why)
		return pkg_refuse_read_only(ctx, why);
	report_duplicates(&txn);
	report_permanent(&txn);
	pd_expect(ctx, 10 + (int64_t)txn.changes.n);
	s.reboots |= rpm_reboot_due(ctx, &txn.changes);
	return pkg_outputs(ctx, txn.changes.n, s.reboots || !s.unknown,
			   s.reboots) < 0 ? PD_FAILED :
	       txn.changes.n > 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int write_list(struct pd_ctx *ctx, const struct rpm_changes *changes)
{
	struct pkg_text list = { .ctx = ctx };

	for (size_t i = 0; i < changes->n; i++)
		pkg_changed(&list, changes->v[i].name, changes->v[i].arch,
			    changes->v[i].old, changes->v[i].evr);
	return pkg_write_changed(&list);
}

/* Also, and above all, when it failed. */
static const char *collect(struct pd_ctx *ctx)
{
	const char *output = pd_format(ctx, "%s/output.txt", ctx->work_dir);

	if (!pd_recall(ctx, "logs"))
		return NULL;
	if (pkg_exists(output) &&
	    pd_evidence(ctx, output, "what rpm and dnf said") < 0)
		return NULL;
	return pkg_collect_logs(ctx, rpm_logs, pd_recall(ctx, "logs"),
				"install.log");
}

static int install_apply(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct rpm_selection s = { 0 };
	struct rpm_txn txn = { 0 };
	const char *log = NULL;
	int done = start(ctx, &txn);

	if (done == 0)
		done = rpm_select(&txn, a->updates, a->held == HELD_REFUSE, &s);
	if (done < 0)
		return done;
	if (s.fault)
		return pd_fail(ctx, PD_FAILED, "what is locked is not known: %s; "
			       "nothing was installed", s.fault);
	done = rpm_txn_apply(&txn, a->updates, a->held == HELD_REFUSE);
	log = collect(ctx);
	if (done < 0)
		return done;
	if ((log && pd_output(ctx, "log", log) < 0) ||
	    write_list(ctx, &txn.changes) < 0 ||
	    pkg_outputs(ctx, txn.changes.n, true, s.reboots ||
			rpm_reboot_due(ctx, &txn.changes)) < 0 ||
	    pd_remember(ctx, "done", "1") < 0)
		return PD_FAILED;
	return done;
}

/* What do the packages of the step need that is not there? */
static int verify_needs(struct pd_ctx *ctx)
{
	const char *changes = pd_recall(ctx, "changes");
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	struct rpm_changes all = { 0 };

	if (!changes)
		return 0;
	rpm_unpack_changes(ctx, changes, &all);
	pkg_arg(&argv, "rpm");
	pkg_arg(&argv, "-V");
	pkg_arg(&argv, "--nofiles");
	pkg_arg(&argv, "--noscripts");
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].evr)
			pkg_arg(&argv, rpm_nvra(ctx, all.v[i].name,
						all.v[i].evr, all.v[i].arch));
	if (argv.n == 4)
		return 0;
	if (rpm_run(ctx, &argv, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "rpm -V: %s%s", result.out, result.err);
}

static int install_verify(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct pkg_text wrong = { .ctx = ctx };
	struct pkg_argv twice = { .ctx = ctx };
	struct rpm_selection s = { 0 };
	struct rpm_txn txn = { .ctx = ctx };

	if (rpm_query(ctx, &txn.now) < 0 ||
	    rpm_select(&txn, a->updates, a->held == HELD_REFUSE, &s) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < s.n; i++)
		pkg_printf(&wrong, "%s%s is older than %s",
			   wrong.len ? "; " : "", s.v[i].name, s.v[i].evr);
	rpm_duplicates(&txn.now, &twice);
	for (size_t i = 0; i < twice.n; i++)
		pkg_printf(&wrong, "%s%s is there beside a newer one",
			   wrong.len ? "; " : "", twice.v[i]);
	if (wrong.s)
		return pd_fail(ctx, PD_FAILED, "not installed as selected: %s",
			       wrong.s);
	if (verify_needs(ctx) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%zu packages are at the version selected",
	       s.total);
	return PD_UNCHANGED;
}

static int install_undo(struct pd_ctx *ctx)
{
	const struct install_args *a = ctx->args;
	struct rpm_txn txn = { .ctx = ctx, .unsigned_too = a->unsigned_too,
			       .lock_timeout = a->lock_timeout };

	return rpm_txn_undo(&txn);
}

static int scan_packages(struct pd_ctx *ctx)
{
	const struct rpm_locks *locks = rpm_locks_read(ctx);
	struct rpm_rows rows = { 0 };

	/* A server of another kind has no such packages. */
	if (!rpmdb_is_here())
		return 0;
	if (rpm_locks_fault(locks))
		pd_log(ctx, PD_LOG_WARN, "what is locked is not known: %s",
		       rpm_locks_fault(locks));
	if (rpm_query(ctx, &rows) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < rows.n; i++) {
		const struct rpm_row *r = &rows.v[i];
		/* no version that there is: only what fits any of them */
		const struct rpm_wanted other = { .name = r->name,
			.arch = r->arch, .evr = "other-other" };
		const struct pd_fact_field row[] = {
			PD_TEXT("name", r->name), PD_TEXT("version", r->evr),
			PD_TEXT("arch", r->arch), PD_TEXT("scheme", "rpm"),
			PD_TEXT("status", "installed"),
			PD_TEXT("signature", *r->signature ? r->signature : NULL),
			PD_FLAG("held", rpm_is_locked(ctx, locks, &other))
		};

		if (pd_fact(ctx, "packages", row, sizeof(row) / sizeof(*row)) < 0)
			return PD_FAILED;
	}
	return 0;
}

static const struct pd_param install_params[] = {
	PD_PARAM(struct install_args, updates, PD_T_UPDATES,
		 .flags = PD_P_REQUIRED, .help = "the updates to install"),
	PD_PARAM(struct install_args, source, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "package source: folder with the new packages, and "
			 "what they may need"),
	PD_PARAM(struct install_args, old, PD_T_LIST,
		 .help = "further folders with packages of the versions "
			 "installed now"),
	PD_PARAM(struct install_args, keep, PD_T_PATH,
		 .help = "folder with room for the old packages; without it "
			 "they are kept with the run"),
	{ .name = "unsigned", .type = PD_T_BOOL,
	  .offset = (uint32_t)offsetof(struct install_args, unsigned_too),
	  .help = "take packages too that nobody has signed" },
	PD_PARAM(struct install_args, held, PD_T_CHOICE, .def = "refuse",
		 .choices = held_choices,
		 .help = "what to do with packages that are locked"),
	PKG_LOCK_TIMEOUT(struct install_args),
	PD_PARAM_END
};

static const struct pd_output install_outputs[] = {
	PKG_OUTPUTS,
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
	.time_limit = 7200, .grace = 60, .expected = 60
};

static const char *const kinds[] = { "packages", NULL };

static const struct pd_scanner packages = {
	PD_SCANNER, .name = "packages",
	.help = "installed rpm packages, with who signed them and what is locked",
	.kinds = kinds, .scan = scan_packages
};

static const struct pd_step *const steps[] = { &install_step, NULL };
static const struct pd_scanner *const scanners[] = { &packages, NULL };

PD_PLUGIN(.name = "rpm", .version = "1.0",
	  .help = "packages of servers with rpm: facts, and updates with the "
		  "way back",
	  .steps = steps, .scanners = scanners);
