/* SPDX-License-Identifier: MIT */
/* needrestart - what still uses old files after an update, and its restart. */
#include "needrestart.h"

#include <string.h>
#include <unistd.h>

struct args {
	struct pd_list fail_on, folders;
};

static const char *const words[] = { "services", "sessions", "others", "systemd", "kernel" };

#define WORDS (sizeof(words) / sizeof(*words))

static int check_words(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	for (size_t i = 0; i < args->fail_on.len; i++) {
		const char *word = args->fail_on.items[i], *near;
		size_t k = 0;

		while (k < WORDS && strcmp(words[k], word) != 0)
			k++;
		if (k < WORDS)
			continue;
		near = pd_near(ctx, word, words, WORDS);
		return pd_fail(ctx, PD_BAD_ARGS, "fail_on has '%s'; there are services, "
			       "sessions, others, systemd and kernel%s%s%s", word,
			       near ? "; did you mean '" : "", near ? near : "",
			       near ? "'?" : "");
	}
	return 0;
}

/* Without systemd the processes are there all the same. */
static int look(struct pd_ctx *ctx, struct stales *all, struct kernel *kernel)
{
	const struct args *args = ctx->args;
	sd_bus *bus = NULL;
	int r = check_words(ctx);

	if (r == 0 && access("/run/systemd/private", F_OK) == 0)
		r = bus_open(ctx, &bus);
	if (r == 0)
		r = stale_find(ctx, bus, &args->folders, all);
	sd_bus_flush_close_unref(bus);
	if (r < 0)
		return r;
	kernel_look(ctx, kernel);
	return stale_output(ctx, all, OWNER_SERVICE, "services") < 0 ||
	       stale_output(ctx, all, OWNER_SESSION, "sessions") < 0 ||
	       stale_output(ctx, all, OWNER_NONE, "others") < 0 ||
	       pd_output(ctx, "systemd", stale_of(all, OWNER_SYSTEMD, NULL) ? "true" : "false") < 0 ||
	       pd_output(ctx, "kernel", kernel->state) < 0 ? PD_FAILED : 0;
}

static int judge(struct pd_ctx *ctx, const struct stales *all, const struct kernel *kernel)
{
	static const enum owner owners[] = { OWNER_SERVICE, OWNER_SESSION, OWNER_NONE,
					     OWNER_SYSTEMD }; /* of words */
	const struct args *args = ctx->args;

	for (size_t i = 0; i < args->fail_on.len; i++) {
		const char *word = args->fail_on.items[i];
		const struct stale *s = NULL;

		for (size_t k = 0; !s && k < WORDS - 1; k++)
			if (strcmp(words[k], word) == 0)
				s = stale_of(all, owners[k], NULL);
		if (s)
			return pd_fail(ctx, PD_FAILED, "%s still uses files that are no longer "
				       "there: process %s (%s), %s", s->name, s->pid, s->program,
				       s->files);
		if (strcmp(word, "kernel") == 0 && strcmp(kernel->state, "outdated") == 0)
			return pd_fail(ctx, PD_FAILED, "the kernel %s runs, and %s is installed: "
				       "reboot the server", kernel->running,
				       strcmp(kernel->running, kernel->newest) == 0 ?
				       "a newer one of the same name" : kernel->newest);
	}
	return 0;
}

static int check(struct pd_ctx *ctx)
{
	struct stales all = { 0 };
	struct kernel kernel;
	int r = look(ctx, &all, &kernel);

	return r < 0 ? r : PD_CHANGED;
}

static int apply(struct pd_ctx *ctx)
{
	struct stales all = { 0 };
	struct kernel kernel;
	int r = look(ctx, &all, &kernel);

	if (r == 0)
		r = stale_evidence(ctx, &all, "needrestart.txt", "Processes that use old files");
	if (r == 0)
		pd_log(ctx, PD_LOG_INFO, "%zu processes use old files; the kernel %s is %s", all.len,
		       kernel.running, kernel.state);
	if (r == 0)
		r = judge(ctx, &all, &kernel);
	return r < 0 ? r : PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct stales all = { 0 };
	struct kernel kernel;
	int r = look(ctx, &all, &kernel);

	return r < 0 ? r : judge(ctx, &all, &kernel);
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, fail_on, PD_T_LIST,
		 .help = "what fails the step: services, sessions, others, systemd, kernel"),
	PARAM_FOLDERS(struct args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("services", PD_T_LIST, "services that use old files"),
	PD_OUTPUT("sessions", PD_T_LIST, "sessions of users that do, such as \"3 (alice)\""),
	PD_OUTPUT("others", PD_T_LIST,
		  "processes of no service and no session that do, such as \"812 (tool)\""),
	PD_OUTPUT("systemd", PD_T_BOOL, "whether systemd itself does"),
	PD_OUTPUT("kernel", PD_T_STRING, "current, outdated, or unknown where none is installed"),
	PD_OUTPUT_END
};

static const struct pd_step probe_step = {
	PD_STEP, .name = "probe",
	.help = "find what still uses old files: services, sessions, the kernel",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs,
	.check = check, .apply = apply, .verify = verify
};

static const struct pd_step *const steps[] = { &probe_step, &restart_step, NULL };

PD_PLUGIN(.name = "needrestart", .version = "1.0",
	  .help = "services, sessions and kernel that still use old files after an update",
	  .steps = steps);
