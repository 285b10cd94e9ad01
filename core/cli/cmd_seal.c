/* SPDX-License-Identifier: MIT */
/* final and verify: the seal of a run, and whether all is as it was written. */
#include "cli/commands.h"

#include "report/final.h"
#include "report/seal.h"
#include "report/verify.h"

static int make_key(struct pd_cli *cli, const char *path, struct pd_error **err)
{
	pd_auto_free char *public_path = NULL;

	path = path ? path : PD_SEAL_KEY;
	if (!pd_seal_make(path, &public_path, err))
		return PD_END_INVALID;
	if (cli->json) {
		pd_auto_json *made = json_pack("{s:s, s:s}", "key", path, "public", public_path);

		pd_cli_json(made);
	} else {
		pd_cli_print(cli, "%s\n%s: give this one to those who verify\n", path, public_path);
	}
	return 0;
}

static int run_final(struct pd_cli *cli, struct pd_error **err)
{
	struct pd_run_options o = { .state = cli->state, .registry = cli->registry };
	struct pd_final f = { cli->library, pd_cli_option(cli, "key"), pd_cli_option(cli, "to") };
	enum pd_run_end end = PD_END_INVALID;
	pd_auto_free char *run = NULL;
	pd_auto_json *done = NULL;
	json_t *path;
	size_t i;

	if (pd_cli_option(cli, "make-key"))
		return make_key(cli, f.key, err);
	run = pd_cli_run_id(cli, 0, err);
	done = run ? pd_final(&o, &f, run, &end, err) : NULL;
	if (!done)
		return (int)end;
	if (cli->json) {
		pd_cli_json(done);
		return 0;
	}
	pd_cli_print(cli, "run %s is sealed with the key %s\n", run,
		     pd_json_text(done, "key", ""));
	json_array_foreach(json_object_get(done, "files"), i, path)
		pd_cli_print(cli, "%s\n", json_string_value(path));
	json_array_foreach(json_object_get(done, "copies"), i, path)
		pd_cli_print(cli, "copy: %s\n", json_string_value(path));
	return 0;
}

static int run_verify(struct pd_cli *cli, struct pd_error **err)
{
	struct pd_verify v = { .state = cli->state, .library = cli->library,
			       .key = pd_cli_option(cli, "key") };
	pd_auto_json *all = pd_verify(&v, pd_cli_operand(cli, 0), err);
	bool ok = pd_json_true(all, "ok");
	json_t *item;
	size_t i;

	if (!all)
		return PD_END_INVALID;
	if (cli->json) {
		pd_cli_json(all);
		return ok ? 0 : PD_END_INCONSISTENT;
	}
	json_array_foreach(json_object_get(all, "checked"), i, item) {
		const char *state = pd_json_text(item, "state", "");
		const char *text = pd_json_text(item, "text", NULL);

		pd_cli_print(cli, "%s%-8s%s %-9s %s%s%s\n", pd_cli_color(cli,
			     strcmp(state, "intact") == 0 ? "\033[32m" : "\033[31m"), state,
			     pd_cli_color(cli, "\033[0m"), pd_json_text(item, "kind", ""),
			     pd_json_text(item, "name", ""), text ? ": " : "", text ? text : "");
	}
	pd_cli_print(cli, ok ? "all is as it was written\n" : "not proven to be as it was written\n");
	return ok ? 0 : PD_END_INCONSISTENT;
}

static const struct pd_option final_options[] = {
	{ "key", "FILE", "secret key (default " PD_SEAL_KEY ")" },
	{ "make-key", NULL, "make that key, with the public half beside it, and end" },
	{ "to", "DIR", "copy the certificate there (default: the workflow's parameter central)" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_final = {
	"final", "[RUN]", "seal a run that is done and signed by every party",
	"Writes the final certificate, signs it in minisign's format and copies it to the\n"
	"central place. Nothing of the run can change after.\n",
	0, 1, final_options, run_final
};

static const struct pd_option verify_options[] = {
	{ "key", "FILE", "public key of the seal (default " PD_SEAL_PUBLIC ")" },
	PD_OPTION_END
};

const struct pd_verb pd_verb_verify = {
	"verify", "[RUN|FILE]", "tell whether journal, certificate and evidence are as written",
	"Without FILE: the journal, the evidence of a run (the newest, or RUN) and its\n"
	"certificate. FILE is a certificate; its path has a / or a dot. Exit status 3:\n"
	"something is changed, missing or not proven.\n",
	0, 1, verify_options, run_verify
};
