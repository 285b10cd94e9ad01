/* SPDX-License-Identifier: MIT */
/* A plugin that keeps the contract; and, built with -DTRY_RULE, one that breaks
 * one rule of it.  NAME is what the file is called. */
#include <patchday/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define TEXT_OF(x) #x
#define QUOTED(x) TEXT_OF(x)

struct write_args {
	const char *path, *text;
	const struct pd_secret *password;
};

static const struct pd_param write_params[] = {
	PD_PARAM(struct write_args, path, PD_T_PATH, .flags = PD_P_REQUIRED,
#ifdef TRY_ROWS
		 .help = "file that is written."),
#else
		 .help = "file that is written"),
#endif
	PD_PARAM(struct write_args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "what it has to hold"),
	PD_PARAM(struct write_args, password, PD_T_SECRET, .help = "what opens it"),
	PD_PARAM_END
};

static const struct pd_output write_outputs[] = {
	PD_OUTPUT("written", PD_T_PATH, "the file"),
	PD_OUTPUT_END
};

#if defined TRY_SYMBOL
PD_EXPORT int helper(void);
PD_EXPORT int helper(void)
{
	return 0;
}
#endif

#if defined TRY_UNLOADABLE
int nowhere(void);
#endif

static int write_check(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *now = pd_read_file(ctx, a->path, 65536, NULL);

#if defined TRY_TOUCH
	close(open("/etc/touched", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
#elif defined TRY_TMP
	close(open("/tmp/touched", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
#elif defined TRY_SIGNAL
	static const char *const argv[] = { "touch", "/etc/touched", NULL };
	struct pd_command_result r;

	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
#elif defined TRY_CRASH
	*(volatile int *)ctx->reserved[0] = 1;
#elif defined TRY_UNLOADABLE
	if (nowhere())
		return PD_FAILED;
#elif defined TRY_UNPROVEN
	now = NULL;
#elif defined TRY_REFUSE
	return pd_fail(ctx, PD_REFUSED, "not today");
#endif
	if (pd_output(ctx, "written", a->path) < 0)
		return PD_FAILED;
	return now && strcmp(now, a->text) == 0 ? PD_UNCHANGED : PD_CHANGED;
}

#if defined TRY_XATTR
/* What no mode and no owner tells: a file may do more, and a folder gives others more. */
static bool add_attributes(void)
{
	static const unsigned char may[20] = { 1, 0, 0, 2, 0, 4 };
	static const unsigned char others[] = {
		2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 12, 0, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255,
		16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255
	};

	return setxattr("/etc/passwd", "security.capability", may, sizeof(may), 0) == 0 &&
	       setxattr("/etc/group", "trusted.b\xe4" "d", "x", 1, 0) == 0 &&
	       setxattr("/etc", "system.posix_acl_default", others, sizeof(others), 0) == 0;
}
#endif

static int act(struct pd_ctx *ctx, const struct write_args *a)
{
#if defined TRY_DEAF
	for (;;)
		sleep(1);
#elif defined TRY_LATE
	struct timespec left = { .tv_sec = strcmp(a->text, "two") == 0 ? 3 : 0 };

	if (pd_canceled(ctx))
		return pd_fail(ctx, PD_CANCELED, "it is asked once, and never again");
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
#elif defined TRY_CLAIM
	if (pd_canceled(ctx))
		return PD_CHANGED;
#elif defined TRY_XATTR
	if (!add_attributes())
		return pd_fail(ctx, PD_FAILED, "no attributes: %s", strerror(errno));
#elif defined TRY_TWICE
	int fd = pd_recall(ctx, "before") ? -1 :
		 open(pd_format(ctx, "%s.log", a->path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd >= 0 && (write(fd, "x", 1) != 1 || close(fd) < 0))
		return PD_FAILED;
#elif defined TRY_DESCRIPTOR
	(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
#elif defined TRY_PROCESS
	if (fork() == 0) {
		setsid();
		pause();
	}
#elif defined TRY_ORPHAN
	pid_t child = fork();

	if (child == 0)
		_exit(fork() < 0);
	if (waitpid(child, NULL, 0) != child)
		return PD_FAILED;
#elif defined TRY_ARGUMENT
	const char *argv[] = { "true", pd_secret(ctx, a->password, NULL), NULL };
	struct pd_command_result r;

	if (argv[1] && pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
#elif defined TRY_STORE
	if (a->password && pd_remember(ctx, "password", pd_secret(ctx, a->password, NULL)) < 0)
		return PD_FAILED;
#elif defined TRY_SHOW
	if (a->password && pd_write_file(ctx, pd_format(ctx, "%s.password", a->path), 0644, pd_secret(ctx, a->password, NULL),
					 strlen(pd_secret(ctx, a->password, NULL))) < 0)
		return PD_FAILED;
#endif
	if (pd_output(ctx, "written", a->path) < 0 ||
	    pd_write_file(ctx, a->path, 0644, a->text, strlen(a->text)) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int write_apply(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
#if defined TRY_KILL
	const char *begun = "done"; /* all is begun anew unless it was done */
#else
	const char *begun = "begun";
#endif

	if (!pd_recall(ctx, begun) &&
	    (pd_remember(ctx, "before", pd_read_file(ctx, a->path, 65536, NULL)) < 0 ||
	     pd_remember(ctx, "begun", "yes") < 0))
		return PD_FAILED;
	if (act(ctx, a) < 0 || pd_remember(ctx, "half", "yes") < 0 || pd_remember(ctx, "done", "yes") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int write_undo(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *before = pd_recall(ctx, "before");

#if defined TRY_FORGET
	return a && before ? PD_CHANGED : PD_UNCHANGED;
#elif defined TRY_NOTHING
	if (!pd_recall(ctx, "begun"))
		return pd_fail(ctx, PD_FAILED, "nothing is known of %s", a->path);
#endif
	if (!pd_recall(ctx, "begun"))
		return PD_UNCHANGED;
#if defined TRY_TWICE || defined TRY_SHOW
	if (!before && ((unlink(pd_format(ctx, "%s.log", a->path)) < 0 && errno != ENOENT) ||
			(unlink(pd_format(ctx, "%s.password", a->path)) < 0 && errno != ENOENT)))
		return pd_fail(ctx, PD_FAILED, "%s is not alone: %s", a->path, strerror(errno));
#endif
	if (!before && unlink(a->path) < 0 && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "%s can't be removed: %s", a->path, strerror(errno));
	if (!before)
		return PD_CHANGED;
	return pd_write_file(ctx, a->path, 0644, before, strlen(before)) < 0 ? PD_FAILED : PD_CHANGED;
}

static const struct pd_step write_step = {
	PD_STEP,
	.name = "write",
	.help = "write a file",
	.params = write_params,
	.args_size = sizeof(struct write_args),
	.outputs = write_outputs,
	.check = write_check,
	.apply = write_apply,
	.undo = write_undo,
	.reversibility = PD_REVERSIBLE,
	.grace = 1,
};

static int look_check(struct pd_ctx *ctx)
{
	return pd_read_file(ctx, "/etc/passwd", 1 << 20, NULL) ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "there is no /etc/passwd");
}

/* It has no parameters, and is tried without a case. */
static const struct pd_step look_step = {
	PD_STEP, .name = "look", .help = "look at the users", .check = look_check,
	.reversibility = PD_READONLY,
};

static int scan(struct pd_ctx *ctx)
{
#if defined TRY_SCAN
	close(open("/etc/scanned", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
#endif
	return pd_fact(ctx, "x-try", (const struct pd_fact_field[]){ PD_TEXT("name", "one") }, 1);
}

static const char *const kinds[] = { "x-try", NULL };
static const struct pd_scanner scanner = { PD_SCANNER, .name = "tries", .help = "what was tried",
					   .kinds = kinds, .scan = scan };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };
static const struct pd_step *const steps[] = { &write_step, &look_step, NULL };

PD_PLUGIN(.name = QUOTED(NAME), .version = "1", .help = "a try", .steps = steps, .scanners = scanners);
