/* SPDX-License-Identifier: MIT */
/* Plugin shares: save and restore what samba shares; facts about it. */
#include "shares.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ save */

/* A copy that is consistent although smbd writes: tdbbackup makes it in one
 * transaction, beside the database; from there it goes into the set. */
static int take_database(struct saved *s, const char *path)
{
	const char *const argv[] = { "tdbbackup", "-s", SAMBA_SUFFIX, path,
				     NULL };
	const char *copy = pd_format(s->ctx, "%s" SAMBA_SUFFIX, path);
	struct pd_command_result r = { 0 };
	const char *data = NULL;
	size_t len = 0;

	unlink(copy);
	if (pd_run(s->ctx, argv, &r)) {
		unlink(copy);
		return PD_FAILED;
	}
	data = r.status == 0 ? pd_read_file(s->ctx, copy, 256u << 20, &len) :
			       NULL;
	unlink(copy);
	if (!data)
		return pd_fail(s->ctx, PD_FAILED, "tdbbackup can't copy %s "
			       "(status %d): %s", path, r.status, r.err);
	return saved_add(s, pd_format(s->ctx, SET_DATABASES "%s", path), path,
			 data, len);
}

static int take_databases(struct saved *s, const struct samba *samba)
{
	struct paths databases = { 0 };

	samba_databases(s->ctx, samba, &databases);
	for (size_t i = 0; i < databases.len; i++) {
		pd_progress(s->ctx, (int64_t)i, (int64_t)databases.len,
			    databases.path[i]);
		if (pd_canceled(s->ctx))
			return pd_fail(s->ctx, PD_CANCELED, "canceled at %s",
				       databases.path[i]);
		if (take_database(s, databases.path[i]))
			return PD_FAILED;
	}
	return 0;
}

static int take_paths(struct saved *s, const struct paths *paths)
{
	for (size_t i = 0; i < paths->len; i++)
		if (saved_add_file(s, pd_format(s->ctx, SET_FILES "%s",
						paths->path[i]),
				   paths->path[i]) < 0)
			return PD_FAILED;
	return 0;
}

/* What people read; a tool that can't tell is noted, and no failure. */
static int take_texts(struct saved *s)
{
	static const struct { const char *name, *argv[6]; } texts[] = {
		{ SET_EFFECTIVE, { "testparm", "-s", SAMBA_CONFIG } },
		{ "text/accounts", { "pdbedit", "--list", "--verbose" } },
		{ "text/group-mapping", { "net", "groupmap", "list" } },
		{ "text/share-permissions", { "sharesec", "--view-all" } },
		{ "text/usershares", { "net", "usershare", "info", "--long" } },
		{ "text/registry", { "net", "conf", "list" } },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int status = 0;
		const char *out = output_of(s->ctx, texts[i].argv, &status);

		if (!out && status < 0)
			return PD_FAILED;
		if (!out) {
			pd_log(s->ctx, PD_LOG_WARN, "%s %s ends with %d: %s is "
			       "left out", texts[i].argv[0], texts[i].argv[1],
			       status, texts[i].name);
			continue;
		}
		if (saved_add(s, texts[i].name, NULL, out, strlen(out)))
			return PD_FAILED;
	}
	return 0;
}

static int take_list(struct saved *s, const struct samba *samba)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc = 0;

	for (size_t i = 1; i < samba->len; i++)
		fprintf(out, "%s\t%s\t%s\n", samba->section[i].name,
			section_value(&samba->section[i], "path", "-"),
			section_value(&samba->section[i], "comment", ""));
	fclose(out);
	rc = saved_add(s, "text/shares", NULL, text, len);
	free(text);
	return rc;
}

static const char *elsewhere(struct pd_ctx *ctx, const struct samba *samba)
{
	const char *backend = samba_accounts_elsewhere(samba);

	return backend ? pd_format(ctx, "the accounts are not in a file of this "
				   "server (passdb backend = %s): they are not in "
				   "this copy, and no restore brings them back; save "
				   "them where they are kept", backend) : NULL;
}

static int take_elsewhere(struct saved *s, const struct samba *samba)
{
	const char *text = elsewhere(s->ctx, samba);

	text = text ? pd_format(s->ctx, "%s\n", text) : NULL;
	return text ? saved_add(s, SET_ELSEWHERE, NULL, text, strlen(text)) : 0;
}

int shares_take(struct pd_ctx *ctx, const char *folder, bool strict)
{
	struct samba samba = { 0 };
	struct paths files = { 0 }, usershares = { 0 };
	struct saved s = { 0 };
	int rc = samba_ask(ctx, &samba);

	if (rc == 0 && strict && !samba.loads)
		rc = pd_fail(ctx, PD_FAILED, "testparm refuses " SAMBA_CONFIG
			     ": %s", samba.problem);
	if (rc == 0)
		rc = samba_files(ctx, &samba, &files);
	if (rc == 0)
		rc = samba_usershares(ctx, &samba, &usershares);
	if (rc == 0)
		rc = saved_open(&s, ctx, folder);
	if (rc == 0)
		rc = take_paths(&s, &files);
	if (rc == 0)
		rc = take_paths(&s, &usershares);
	if (rc == 0)
		rc = take_databases(&s, &samba);
	if (rc == 0 && samba.loads)
		rc = take_texts(&s);
	if (rc == 0)
		rc = take_list(&s, &samba);
	if (rc == 0)
		rc = take_elsewhere(&s, &samba);
	if (rc == 0)
		rc = saved_close(&s);
	if (s.manifest)
		fclose(s.manifest);
	return rc;
}

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the copy is, for shares.restore"),
	PD_OUTPUT("shares", PD_T_INT, "how many shares are defined"),
	PD_OUTPUT_END
};

static int refuse(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	pd_inhibit(ctx, "shares and accounts could not be brought back", cause,
		   remedy);
	return PD_REFUSED;
}

static int save_check(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	struct samba samba = { 0 };

	if (!samba_is_here()) {
		pd_log(ctx, PD_LOG_WARN, "there is no samba server here (smbd, "
		       SAMBA_CONFIG "): no shares to save");
		return save_outputs(ctx, NULL, "shares", 0) ? PD_FAILED : PD_UNCHANGED;
	}
	if (access("/usr/bin/tdbbackup", X_OK) != 0)
		return refuse(ctx, "tdbbackup is not installed",
			      "install the package tdb-tools");
	if (samba_ask(ctx, &samba))
		return PD_FAILED;
	if (!samba.loads)
		return refuse(ctx, pd_format(ctx, "testparm refuses "
					     SAMBA_CONFIG ": %s", samba.problem),
			      "mend " SAMBA_CONFIG " until testparm accepts it");
	if (strstr(samba_global(&samba, "server role", ""), "domain controller"))
		return refuse(ctx, "this is a domain controller, its accounts "
			      "are not in files that this step saves",
			      "use `samba-tool domain backup` by command.run");
	if (save_places(ctx, args, "the shares") < 0)
		return PD_REFUSED;
	if (elsewhere(ctx, &samba))
		pd_log(ctx, PD_LOG_WARN, "%s", elsewhere(ctx, &samba));
	return save_outputs(ctx, saved_name(ctx, args->to, "shares.save"), "shares",
			    (int64_t)samba.len - 1) ? PD_FAILED : PD_CHANGED;
}

/* How many shares a set has: lines of its list. */
static int64_t count_shares(struct pd_ctx *ctx, const char *folder)
{
	const char *list = pd_read_file(ctx, pd_format(ctx, "%s/text/shares",
						       folder), 16u << 20, NULL);
	int64_t n = 0;

	while (list && (list = strchr(list, '\n'))) {
		list++;
		n++;
	}
	return n;
}

static int take(struct pd_ctx *ctx, const char *folder)
{
	return shares_take(ctx, folder, true);
}

static int save_apply(struct pd_ctx *ctx)
{
	int rc = 0;
	const char *folder = save_set(ctx, "shares.save", take, "text/shares", "shares", &rc);
	int64_t n = folder ? count_shares(ctx, folder) : 0;
	const char *note = pd_format(ctx, "%s/" SET_ELSEWHERE, folder ? folder : "");

	if (!folder)
		return rc;
	if (access(note, F_OK) == 0 &&
	    pd_evidence(ctx, note, "accounts that were not saved"))
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%lld shares saved in %s", (long long)n, folder);
	return save_outputs(ctx, folder, "shares", n) ? PD_FAILED : PD_CHANGED;
}

static int read_back(struct pd_ctx *ctx, const char *folder,
		     const struct saved_row *row)
{
	const char *path = pd_format(ctx, "%s/%s", folder, row->name);
	const char *const argv[] = { "tdbbackup", "-v", path, NULL };
	struct pd_command_result r = { 0 };

	if (strncmp(row->name, SET_DATABASES "/", sizeof(SET_DATABASES)) != 0)
		return 0;
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "%s is no sound database: %s",
			       path, r.err);
	return database_records(ctx, path, NULL) ? 0 : PD_FAILED;
}

static int save_verify(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder");
	const char *config = pd_format(ctx, "%s/" SET_FILES SAMBA_CONFIG,
				       folder ? folder : "");
	const char *const argv[] = { "testparm", "-s", config, NULL };
	struct saved_set set = { 0 };
	struct pd_command_result r = { 0 };

	if (!folder)
		return !samba_is_here() ? PD_UNCHANGED :
		       pd_fail(ctx, PD_FAILED, "no shares were saved");
	if (saved_read(ctx, folder, &set))
		return PD_FAILED;
	for (size_t i = 0; i < set.len; i++)
		if (read_back(ctx, folder, &set.row[i]))
			return PD_FAILED;
	if (!saved_find(&set, SET_FILES SAMBA_CONFIG) ||
	    !saved_find(&set, SET_EFFECTIVE))
		return pd_fail(ctx, PD_FAILED, "%s lacks smb.conf or its "
			       "effective form", folder);
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "testparm refuses the copy %s: "
			       "%s", config, r.err);
	if (saved_second(ctx, folder, args->copy) ||
	    save_outputs(ctx, folder, "shares", count_shares(ctx, folder)))
		return PD_FAILED;
	return PD_UNCHANGED;
}

static const struct pd_step step_save = {
	PD_STEP,
	.flags = PD_S_NEEDS_ROOT,
	.name = "save",
	.help = "save samba's configuration, shares, permissions and accounts",
	.params = save_params,
	.args_size = sizeof(struct save_args),
	.outputs = outputs,
	.check = save_check,
	.apply = save_apply,
	.verify = save_verify,
	.reversibility = PD_READONLY,
	.time_limit = 900,
	.expected = 3,
};

/* ----------------------------------------------------------------- facts */

static bool yes(const struct section *s, const char *key)
{
	return strcasecmp(section_value(s, key, "No"), "Yes") == 0;
}

static int scan(struct pd_ctx *ctx)
{
	struct samba samba = { 0 };

	if (!samba_is_here())
		return 0;
	if (samba_ask(ctx, &samba))
		return PD_FAILED;
	if (!samba.loads)
		return pd_fail(ctx, PD_FAILED, "testparm refuses " SAMBA_CONFIG
			       ": %s", samba.problem);
	for (size_t i = 1; i < samba.len; i++) {
		const struct section *s = &samba.section[i];
		const struct pd_fact_field row[] = {
			PD_TEXT("name", s->name),
			PD_TEXT("kind", "smb"),
			PD_TEXT("path", section_value(s, "path", NULL)),
			PD_TEXT("comment", section_value(s, "comment", "")),
			PD_FLAG("guest", yes(s, "guest ok")),
			PD_FLAG("writable", !yes(s, "read only")),
		};

		if (pd_fact(ctx, "shares", row, sizeof(row) / sizeof(*row)))
			return PD_FAILED;
	}
	return 0;
}

static const char *const scan_kinds[] = { "shares", NULL };

static const struct pd_scanner scanner = {
	PD_SCANNER,
	.name = "shares",
	.help = "shares of samba",
	.kinds = scan_kinds,
	.scan = scan,
};

static const struct pd_step *const steps[] = { &step_save, &step_restore,
					       NULL };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = "shares", .version = "1.0",
	  .help = "save and restore the shares of samba", .steps = steps,
	  .scanners = scanners);
