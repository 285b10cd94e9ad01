/* SPDX-License-Identifier: MIT */
/* Plugin firewall: save the rules of nftables, compare them afterwards; they
 * are brought back in restore.c. */
#include "firewall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -------------------------------------------------------------------- save */

static int take_listing(struct saved *s, const char *option, const char *name)
{
	const char *text = nft_list(s->ctx, option);

	return text ? saved_add(s, name, NULL, text, strlen(text)) : PD_FAILED;
}

static int take(struct pd_ctx *ctx, const char *folder)
{
	return firewall_take_with(ctx, folder, &(struct saved_set){ 0 });
}

int firewall_take_with(struct pd_ctx *ctx, const char *folder, const struct saved_set *also)
{
	struct texts files = { 0 };
	struct saved s = { 0 };
	int rc = nft_files(ctx, &files);

	files_of_set(ctx, also, &files);
	if (rc == 0)
		rc = saved_open(&s, ctx, folder);
	if (rc == 0)
		rc = take_listing(&s, "-y", SET_RULES);
	if (rc == 0)
		rc = take_listing(&s, "-sy", SET_COMPARED);
	if (rc == 0)
		rc = take_listing(&s, "-j", SET_JSON);
	if (rc == 0)
		rc = files_save(&s, &files);
	if (rc == 0)
		rc = saved_close(&s);
	if (s.manifest)
		fclose(s.manifest);
	return rc;
}

const char *firewall_saved(struct pd_ctx *ctx, const char *from, const char *name)
{
	const char *path = pd_format(ctx, "%s/%s", from, name);
	const char *text = pd_read_file(ctx, path, (size_t)64 << 20, NULL);

	if (!text)
		pd_fail(ctx, PD_FAILED, "can't read %s: %s; name a folder that firewall.save has "
			"made", path, strerror(errno));
	return text;
}

struct firewall_save_args {
	struct save_args save; /* first: what save_set() looks for */
	struct pd_list others;
};

static const struct pd_param firewall_save_params[] = {
	{ .name = "to", .offset = offsetof(struct firewall_save_args, save.to), .type = PD_T_PATH,
	  .flags = PD_P_REQUIRED, .help = "folder under which the copy is made" },
	{ .name = "copy", .offset = offsetof(struct firewall_save_args, save.copy), .type = PD_T_PATH,
	  .help = "second place, off the server; empty: none" },
	PD_PARAM(struct firewall_save_args, others, PD_T_LIST,
		 .help = "tables of other programs, left alone: NAME or FAMILY NAME, with * and ?"),
	PD_PARAM_END
};

static const struct pd_output save_out[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the copy is, for firewall.compare and restore"),
	PD_OUTPUT("files", PD_T_INT, "how many files of configuration are in it"),
	PD_OUTPUT_END
};

static int refuse(struct pd_ctx *ctx, const char *risk, const char *cause, const char *remedy)
{
	pd_inhibit(ctx, risk, cause, remedy);
	return PD_REFUSED;
}

int firewall_load(struct pd_ctx *ctx, const char *then, const struct pd_list *others, bool look,
		  const char **problem)
{
	const char *now = nft_list(ctx, "-y"), *line = NULL;

	if (!now)
		return PD_FAILED;
	line = rules_untranslated(ctx, then, others);
	if (line) {
		*problem = pd_format(ctx, "it has no words for a rule of iptables, %s", line);
		return 0;
	}
	return nft_load(ctx, rules_transaction(ctx, then, now, others), look, problem);
}

/* Would nft take these rules back?  PD_CHANGED, PD_REFUSED, or PD_FAILED. */
static int judge(struct pd_ctx *ctx, const char *rules, const struct pd_list *others)
{
	const char *problem = NULL;

	if (firewall_load(ctx, rules, others, true, &problem))
		return PD_FAILED;
	return !problem ? PD_CHANGED :
		refuse(ctx, "the rules could not be brought back",
		       pd_format(ctx, "nft does not load the rules that are in force: %s", problem),
		       "name the tables that another program makes by iptables in others, for that "
		       "program to bring back");
}

static int save_check(struct pd_ctx *ctx)
{
	const struct firewall_save_args *args = ctx->args;
	const char *rules = NULL, *problem = NULL;
	struct texts files = { 0 };

	if (!nft_is_here()) {
		pd_log(ctx, PD_LOG_WARN, "nft is not installed here: no rules to save");
		return save_outputs(ctx, NULL, "files", 0) ? PD_FAILED : PD_UNCHANGED;
	}
	rules = nft_list(ctx, "-y");
	if (!rules || nft_files(ctx, &files))
		return PD_FAILED;
	if (files.len && nft_look_at(ctx, files.item[0], &problem))
		return PD_FAILED;
	if (problem)
		return refuse(ctx, "after a reboot there would be no rules",
			      pd_format(ctx, "nft does not load %s: %s", files.item[0], problem),
			      pd_format(ctx, "mend it until nft -c -f %s accepts it", files.item[0]));
	if (save_places(ctx, &args->save, "the firewall") < 0)
		return PD_REFUSED;
	if (save_outputs(ctx, saved_name(ctx, args->save.to, "firewall.save"), "files",
			 (int64_t)files.len))
		return PD_FAILED;
	return judge(ctx, rules, &args->others);
}

static int save_apply(struct pd_ctx *ctx)
{
	struct saved_set set = { 0 };
	int rc = 0;
	const char *folder = save_set(ctx, "firewall.save", take, SET_RULES, "rules", &rc);

	if (!folder)
		return rc;
	if (saved_read(ctx, folder, &set) ||
	    pd_evidence(ctx, pd_format(ctx, "%s/" SET_JSON, folder), "the saved rules, JSON") ||
	    save_outputs(ctx, folder, "files", files_count(&set)))
		return PD_FAILED;
	return PD_CHANGED;
}

/* What was saved can be read back, and loaded. */
static int save_verify(struct pd_ctx *ctx)
{
	const struct firewall_save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder");
	struct saved_set set = { 0 };
	const char *rules = NULL;
	int rc = 0;

	if (!folder)
		return !nft_is_here() ? PD_UNCHANGED :
		       pd_fail(ctx, PD_FAILED, "no rules were saved");
	if (saved_read(ctx, folder, &set))
		return PD_FAILED;
	rules = firewall_saved(ctx, folder, SET_RULES);
	rc = rules ? judge(ctx, rules, &args->others) : PD_FAILED;
	if (rc == PD_REFUSED)
		return pd_fail(ctx, PD_FAILED, "nft does not load the saved rules, %s/" SET_RULES,
			       folder);
	if (rc < 0 || saved_second(ctx, folder, args->save.copy) ||
	    save_outputs(ctx, folder, "files", files_count(&set)))
		return PD_FAILED;
	return PD_UNCHANGED;
}

static const struct pd_step step_save = {
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "save",
	.help = "save the rules of nftables and its configuration",
	.params = firewall_save_params, .args_size = sizeof(struct firewall_save_args),
	.outputs = save_out, .check = save_check, .apply = save_apply, .verify = save_verify,
	.reversibility = PD_READONLY, .time_limit = 300
};

/* ----------------------------------------------------------------- compare */

static const struct pd_param compare_params[] = {
	PARAMS_BACK,
	PD_PARAM(struct back_args, fail, PD_T_BOOL, .def = "true",
		 .help = "a difference fails the step; else it is only shown"),
	PD_PARAM_END
};

static const struct pd_output compare_out[] = {
	PD_OUTPUT("same", PD_T_BOOL, "rules and files are as they were saved"),
	PD_OUTPUT("differences", PD_T_LIST, "what is missing, new or moved"),
	PD_OUTPUT_END
};

int firewall_differs(struct pd_ctx *ctx, const char *from, const struct pd_list *others,
		     struct saved_set *set, struct texts *out)
{
	const char *then = NULL, *now = NULL;

	if (saved_read(ctx, from, set))
		return PD_FAILED;
	then = firewall_saved(ctx, from, SET_COMPARED);
	now = then ? nft_list(ctx, "-sy") : NULL;
	if (!now)
		return PD_FAILED;
	rules_compare(ctx, then, now, others, out);
	return files_compare(ctx, set, nft_files, out);
}

static int compare_check(struct pd_ctx *ctx)
{
	(void)ctx; /* what the rules will be by then is unknown */
	return PD_CHANGED;
}

static int evidence(struct pd_ctx *ctx, const struct texts *differences)
{
	const char *path = pd_format(ctx, "%s/differences.txt", ctx->work_dir);
	const char *after = pd_format(ctx, "%s/rules-after.txt", ctx->work_dir);
	const char *now = nft_list(ctx, "-sy");
	size_t len = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	int rc = now && out ? 0 : PD_FAILED;

	for (size_t i = 0; out && i < differences->len; i++)
		fprintf(out, "%s\n", differences->item[i]);
	if (out)
		fclose(out);
	if (rc == 0 && (pd_write_file(ctx, path, 0600, text, len) ||
			pd_evidence(ctx, path, "differences of the firewall") ||
			pd_write_file(ctx, after, 0600, now, strlen(now)) ||
			pd_evidence(ctx, after, "rules that were compared")))
		rc = PD_FAILED;
	free(text);
	return rc;
}

static int conclude(struct pd_ctx *ctx, const struct texts *differences)
{
	const struct back_args *args = ctx->args;
	size_t n = differences->len;

	if (pd_output(ctx, "same", n ? "false" : "true") ||
	    texts_output(ctx, "differences", differences))
		return PD_FAILED;
	for (size_t i = 0; i < n; i++)
		pd_log(ctx, PD_LOG_WARN, "%s", differences->item[i]);
	if (n && args->fail)
		return pd_fail(ctx, PD_FAILED, "the firewall is not as it was saved in %s, %zu %s: "
			       "%s", args->from, n, n == 1 ? "difference" : "differences, first",
			       differences->item[0]);
	return pd_remember(ctx, "compared", "1") ? PD_FAILED : PD_CHANGED;
}

static int compare_apply(struct pd_ctx *ctx)
{
	const struct back_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (pd_remember(ctx, "compared", NULL) ||
	    firewall_differs(ctx, args->from, &args->others, &set, &differences) ||
	    evidence(ctx, &differences))
		return PD_FAILED;
	return conclude(ctx, &differences);
}

static int compare_verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "compared") ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "the rules were not compared");
}

static const struct pd_step step_compare = {
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "compare",
	.help = "are the rules still those that were saved?",
	.params = compare_params, .args_size = sizeof(struct back_args), .outputs = compare_out,
	.check = compare_check, .apply = compare_apply, .verify = compare_verify,
	.reversibility = PD_READONLY, .time_limit = 300
};

static const struct pd_step *const steps[] = { &step_save, &step_compare, &step_restore, NULL };

PD_PLUGIN(.name = "firewall", .version = "1.0",
	  .help = "save, compare and restore the rules of nftables", .steps = steps);
