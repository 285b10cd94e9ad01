/* SPDX-License-Identifier: MIT */
/* package - a driver that comes as a Debian package. */
#include "driver.h"

#include <string.h>

/* "name", "name=version", or the control fields of a file. */
static int read_wanted(struct pd_ctx *ctx, struct deb_wanted *w)
{
	const struct driver_args *a = ctx->args;
	const char *argv[] = { "dpkg-deb", "--show",
			       "--showformat=${Package}\\t${Architecture}\\t"
			       "${Version}\\n", a->package, NULL };
	struct pd_command_result result = { 0 };
	char *rest = NULL;
	int done = 0;

	*w = (struct deb_wanted){ .arch = "", .version = "", .sha256 = "" };
	if (a->package[0] != '/') {
		rest = (char *)pkg_copy(ctx, a->package, strlen(a->package));
		w->name = pkg_field(&rest, '=');
		w->version = rest;
		w->sha256 = a->digest ? a->digest : "";
		return 0;
	}
	done = driver_prove(ctx, a->package, a->digest, a->source);
	if (done < 0)
		return done;
	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_REFUSED, "%s is no Debian package: %s",
			       a->package, result.err);
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	rest = pkg_line(&rest);
	w->name = pkg_field(&rest, '\t');
	w->arch = pkg_field(&rest, '\t');
	w->version = rest;
	w->sha256 = a->digest ? a->digest :
		    driver_listed(ctx, a->source, strrchr(a->package, '/') + 1);
	if (strncmp(w->sha256, "sha256:", 7) == 0)
		w->sha256 += 7;
	w->path = a->package;
	return 0;
}

static int start(struct pd_ctx *ctx, struct deb_txn *txn, struct deb_wanted *w)
{
	const struct driver_args *a = ctx->args;
	int done = 0;

	*txn = (struct deb_txn){ .ctx = ctx, .wanted = w, .wanted_len = 1,
				 .lock_timeout = a->lock_timeout };
	if (!pkg_exists("/usr/bin/dpkg") || !pkg_exists("/usr/bin/apt-get"))
		return pd_fail(ctx, PD_REFUSED, "this server has no apt and "
			       "dpkg, which the package %s needs", a->package);
	done = read_wanted(ctx, w);
	return done == 0 ? deb_query(ctx, &txn->now) : done;
}

static bool installed(const struct deb_txn *txn, const struct deb_wanted *w)
{
	const struct deb_row *row = deb_find(&txn->now, w->name, w->arch);

	return deb_is_there(row) && strcmp(row->status, "installed") == 0 &&
	       (!*w->version || deb_compare(row->version, w->version) >= 0);
}

int driver_package_check(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	struct deb_txn txn = { 0 };
	struct deb_wanted w = { 0 };
	int done = start(ctx, &txn, &w);

	if (done < 0)
		return done;
	if (installed(&txn, &w))
		return pd_recall(ctx, "before") && !pd_recall(ctx, "done") ?
		       PD_CHANGED : PD_UNCHANGED;
	done = deb_txn_check(&txn);
	if (done < 0)
		return done;
	if (driver_reboot(ctx, a->needs_reboot ||
			  deb_reboot_due(ctx, &txn.changes),
			  a->reboot_due) < 0)
		return PD_FAILED;
	pd_expect(ctx, 10 + (int64_t)txn.changes.n);
	return done;
}

int driver_package_apply(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	const char *devices = driver_devices(ctx, &a->match);
	const char *log = NULL;
	struct deb_txn txn = { 0 };
	struct deb_wanted w = { 0 };
	int done = start(ctx, &txn, &w);

	if (done < 0 || !devices)
		return done < 0 ? done : PD_BAD_ARGS;
	if (!pd_recall(ctx, "before") &&
	    driver_evidence(ctx, "before", w.name, devices) < 0)
		return PD_FAILED;
	done = deb_txn_apply(&txn);
	if (pd_recall(ctx, "before"))
		log = pkg_collect_logs(ctx, deb_logs, pd_recall(ctx, "logs"),
				       "install.log");
	if (done < 0)
		return done;
	if (!log || driver_evidence(ctx, "after", w.name, devices) < 0 ||
	    (done == PD_CHANGED &&
	     driver_explain_devices(ctx, devices, w.name) < 0) ||
	    driver_reboot(ctx, a->needs_reboot ||
			  deb_reboot_due(ctx, &txn.changes),
			  a->reboot_due) < 0 ||
	    pd_remember(ctx, "done", "1") < 0)
		return PD_FAILED;
	return done;
}

int driver_package_verify(struct pd_ctx *ctx)
{
	struct deb_txn txn = { 0 };
	struct deb_wanted w = { 0 };
	const char *audit = NULL;
	int done = start(ctx, &txn, &w);

	if (done < 0)
		return done;
	if (!installed(&txn, &w))
		return pd_fail(ctx, PD_FAILED, "%s %s is not installed",
			       w.name, w.version);
	audit = deb_audit(ctx);
	if (!audit)
		return PD_FAILED;
	return *audit ? pd_fail(ctx, PD_FAILED, "dpkg --audit: %s", audit) :
			PD_UNCHANGED;
}

int driver_package_undo(struct pd_ctx *ctx)
{
	const struct driver_args *a = ctx->args;
	struct deb_txn txn = { .ctx = ctx, .lock_timeout = a->lock_timeout };

	return deb_txn_undo(&txn);
}
