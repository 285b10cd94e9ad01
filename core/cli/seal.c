/* SPDX-License-Identifier: MIT */
/* Functions of the command line: the seal of a run, and what it proves. */
#include "cli/cli.h"
#include "report/final.h"
#include "report/seal.h"
#include "report/verify.h"

/* make_key(path or nil): {key, public}. */
PD_CORE(make_key)
{
	const char *path = pd_core_text(args, 0) ? pd_core_text(args, 0) : PD_SEAL_KEY;
	pd_auto_free char *public_path = NULL;

	return pd_seal_make(path, &public_path, err) ?
	       json_pack("{s:s, s:s}", "key", path, "public", public_path) : NULL;
}

/* final(run, key, to, site): {run, key, files, copies}, or {status, error}. */
PD_CORE(final)
{
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry };
	struct pd_final f = { .library = cli->scripts, .key = pd_core_text(args, 1),
			      .to = pd_core_text(args, 2), .site = pd_core_text(args, 3) };
	enum pd_run_end end = PD_END_INVALID;
	pd_auto_error *why = NULL;
	json_t *done;

	pd_cli_listen(cli, &o);
	done = pd_final(&o, &f, pd_core_text(args, 0), &end, &why);
	return done ? done : json_pack("{s:i, s:o*}", "status", (int)end, "error",
				       why ? pd_cli_error_json(why) : NULL);
}

/* verify(run or file, public key): {ok, checked}. */
PD_CORE(verify)
{
	struct pd_verify v = { .state = cli->state, .library = cli->scripts,
			       .key = pd_core_text(args, 1) };

	return pd_verify(&v, pd_core_text(args, 0), err);
}

const struct pd_core_row pd_core_seal[] = {
	{ "final", final }, { "make_key", make_key }, { "verify", verify }, { NULL, NULL }
};
