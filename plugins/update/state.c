/* SPDX-License-Identifier: MIT */
/* state - an interrupted dpkg is finished; apt's marks and dpkg's holds. */
#include "deb.h"

#include <string.h>

/* Of the packages that this step changes, those that were cut off while
 * dpkg unpacked them: it wants their files again. */
static int half_unpacked(struct deb_txn *txn, struct deb_changes *out)
{
	struct pkg_argv argv = { .ctx = txn->ctx };
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;

	pkg_arg(&argv, "dpkg-query");
	pkg_arg(&argv, "-W");
	pkg_arg(&argv, "-f=${Package}\\t${Architecture}\\t"
		       "${db:Status-Eflag}\\n");
	if (deb_run(txn->ctx, &argv, NULL, NULL, &result) < 0)
		return PD_FAILED;
	rest = (char *)pkg_copy(txn->ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest))) {
		const char *name = pkg_field(&line, '\t');
		const char *arch = pkg_field(&line, '\t');
		const struct deb_change *c =
			deb_change_find(&txn->changes, name, arch);

		if (c && c->version && strcmp(line, "reinstreq") == 0)
			*deb_change_add(txn->ctx, out) = *c;
	}
	return 0;
}

static int unpack_again(struct deb_txn *txn)
{
	static const char *const fixed[] = { "dpkg", "--force-confdef",
					     "--force-confold", "--unpack" };
	struct pkg_argv argv = { .ctx = txn->ctx };
	struct pd_command_result result = { 0 };
	struct deb_changes half = { 0 };
	int done = half_unpacked(txn, &half);

	if (done < 0 || half.n == 0)
		return done;
	done = deb_show(txn, &half);
	if (done == 0)
		done = deb_fetch_new(txn, &half, DEB_ARCHIVES);
	if (done < 0)
		return done;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		pkg_arg(&argv, fixed[i]);
	for (size_t i = 0; i < half.n; i++)
		pkg_arg(&argv, half.v[i].file);
	if (deb_act(txn->ctx, &argv, &result) < 0)
		return PD_FAILED;
	/* what is left to do is left to apt */
	if (result.status != 0)
		pd_log(txn->ctx, PD_LOG_WARN, "dpkg --unpack failed: %s",
		       deb_why(txn->ctx, &result));
	return 0;
}

int deb_repair(struct deb_txn *txn)
{
	struct pkg_argv configure = { .ctx = txn->ctx }, fix = { 0 }, act = { 0 };
	struct pd_command_result result = { 0 };
	struct deb_changes changes = { 0 };
	const char *audit = deb_audit(txn->ctx);
	const char *why = NULL;
	int done = 0;

	if (!audit)
		return PD_FAILED;
	pkg_arg(&configure, "dpkg");
	pkg_arg(&configure, "--force-confdef");
	pkg_arg(&configure, "--force-confold");
	pkg_arg(&configure, "--configure");
	pkg_arg(&configure, "-a");
	/* Without anything to do it is quick, and it also takes in what a
	 * dpkg that was cut short left in its journal. */
	if (*audit)
		pd_log(txn->ctx, PD_LOG_WARN, "dpkg was interrupted before; "
		       "repairing: %.400s", audit);
	if (*audit)
		done = unpack_again(txn);
	if (done < 0)
		return done;
	if (deb_act(txn->ctx, &configure, &result) < 0)
		return PD_FAILED;
	if (result.status == 0 && (!*audit || !*(audit = deb_audit(txn->ctx))))
		return audit ? 0 : PD_FAILED;
	deb_apt(txn, &fix, true);
	pkg_arg(&fix, "-f");
	pkg_arg(&fix, "install");
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
	pkg_arg(&act, "--no-remove");
	pkg_arg(&act, "-f");
	pkg_arg(&act, "install");
	if (deb_act(txn->ctx, &act, &result) < 0)
		return PD_FAILED;
	if (result.status == 0 && (audit = deb_audit(txn->ctx)) && !*audit)
		return 0;
	return audit ? pd_fail(txn->ctx, PD_FAILED, "dpkg was interrupted and "
			       "can't be repaired: %s", result.status ?
			       deb_why(txn->ctx, &result) : audit) : PD_FAILED;
}

static int mark(struct pd_ctx *ctx, const char *verb, struct pkg_argv *names)
{
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };

	if (names->n == 0)
		return 0;
	pkg_arg(&argv, "apt-mark");
	pkg_arg(&argv, verb);
	for (size_t i = 0; i < names->n; i++)
		pkg_arg(&argv, names->v[i]);
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
	struct pkg_argv automatic = { .ctx = txn->ctx };
	struct pkg_argv manual = { .ctx = txn->ctx };
	struct pkg_argv hold = { .ctx = txn->ctx };

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
			pkg_arg(was ? &automatic : &manual,
				deb_spec(txn->ctx, c->name, c->arch, NULL));
		if (deb_is_there(old) && strcmp(old->want, "hold") == 0 &&
		    strcmp(now->want, "hold") != 0)
			pkg_arg(&hold,
				deb_spec(txn->ctx, c->name, c->arch, NULL));
	}
	if (mark(txn->ctx, "auto", &automatic) < 0 ||
	    mark(txn->ctx, "manual", &manual) < 0 ||
	    mark(txn->ctx, "hold", &hold) < 0)
		return PD_FAILED;
	return 0;
}
