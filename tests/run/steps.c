/* SPDX-License-Identifier: MIT */
/* steps - a plugin for tests of the engine: steps whose every act is seen in
 * files, and that fail, hold, wait or kill the engine when they are told to. */
#include <patchday/plugin.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct write_args {
	const char *path, *text;
	int64_t milliseconds;
	int32_t fail;
	bool kill;
	const char *mark;
	bool evidence;
	const char *wall;
	bool again;
	const char *waits_for, *back_waits_for, *blank;
};

enum { FAIL_NOWHERE, FAIL_CHECK, FAIL_APPLY, FAIL_VERIFY, FAIL_UNDO, REFUSE_CHECK,
       RETRY_APPLY, REFUSE_PLAINLY, FAIL_BLANK };
static const char *const places[] = { "nowhere", "check", "apply", "verify", "undo",
				      "refuse", "retry", "plainly", "blank", NULL };

static const struct pd_param write_params[] = {
	PD_PARAM(struct write_args, path, PD_T_PATH, .flags = PD_P_REQUIRED, .help = "file"),
	PD_PARAM(struct write_args, text, PD_T_STRING, .help = "its content", .def = "x"),
	PD_PARAM(struct write_args, milliseconds, PD_T_INT, .help = "how long it takes",
		 .def = "0", .min = 0, .max = 60000),
	PD_PARAM(struct write_args, fail, PD_T_CHOICE, .help = "where it fails",
		 .def = "nowhere", .choices = places),
	PD_PARAM(struct write_args, kill, PD_T_BOOL,
		 .help = "kill the engine in apply, if mark does not exist yet"),
	PD_PARAM(struct write_args, mark, PD_T_PATH,
		 .help = "file that says it was killed; with retry, the other side is free; with verify, it is proved"),
	PD_PARAM(struct write_args, evidence, PD_T_BOOL, .help = "the file is evidence"),
	PD_PARAM(struct write_args, wall, PD_T_PATH,
		 .help = "when this file is there, it can't be undone"),
	PD_PARAM(struct write_args, again, PD_T_BOOL, .def = "true",
		 .help = "of reboot: once more when the run is taken back"),
	PD_PARAM(struct write_args, waits_for, PD_T_PATH, .help = "apply waits for this file"),
	PD_PARAM(struct write_args, back_waits_for, PD_T_PATH, .help = "undo waits for this file"),
	PD_PARAM(struct write_args, blank, PD_T_STRING, .help = "with blank: how apply fails", .def = ""),
	PD_PARAM_END
};

static const struct pd_output write_outputs[] = {
	PD_OUTPUT("path", PD_T_PATH, "the file"),
	PD_OUTPUT("count", PD_T_INT, "bytes written"),
	PD_OUTPUT("word", PD_T_STRING, "many if mark is there, else one"),
	PD_OUTPUT_END
};

/* One line behind PATH.log for each act: what really happened. */
static void note(struct pd_ctx *ctx, const char *what)
{
	const struct write_args *a = ctx->args;
	int fd = open(pd_format(ctx, "%s.log", a->path), O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd >= 0) {
		(void)!write(fd, what, strlen(what));
		close(fd);
	}
}

/* A minute is for a test that fails. */
static void wait_for(struct pd_ctx *ctx, const char *path)
{
	for (int i = 0; path && access(path, F_OK) < 0 && i < 6000 && !pd_canceled(ctx); i++)
		usleep(10000);
}

static int outputs(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return pd_output(ctx, "path", a->path) < 0 ||
	       pd_output(ctx, "word", a->mark && access(a->mark, F_OK) == 0 ? "many" : "one") < 0 ||
	       pd_output(ctx, "count", pd_format(ctx, "%zu", strlen(a->text))) < 0 ?
	       PD_FAILED : 0;
}

static int write_check(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *now = pd_read_file(ctx, a->path, 4096, NULL);

	if (a->fail == FAIL_CHECK)
		return pd_fail(ctx, PD_FAILED, "told to fail in check");
	if (a->fail == REFUSE_PLAINLY)
		return pd_fail(ctx, PD_REFUSED, "it will not");
	if (a->fail == REFUSE_CHECK) {
		pd_inhibit(ctx, "the test would break", "told to refuse", "tell it not to");
		return PD_REFUSED;
	}
	if (outputs(ctx) < 0)
		return PD_FAILED;
	if (a->wall && access(a->wall, F_OK) == 0)
		pd_irreversible(ctx, "the wall is there");
	return now && strcmp(now, a->text) == 0 ? PD_UNCHANGED : PD_CHANGED;
}

static int write_apply(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *before = pd_read_file(ctx, a->path, 4096, NULL);

	if (!pd_recall(ctx, "begun") &&
	    (pd_remember(ctx, "before", before) < 0 || pd_remember(ctx, "begun", "yes") < 0))
		return PD_FAILED;
	pd_progress(ctx, 0, 7, "about to write");
	if (a->milliseconds)
		usleep((useconds_t)a->milliseconds * 1000);
	wait_for(ctx, a->waits_for);
	if (a->kill && a->mark && access(a->mark, F_OK) < 0) {
		close(open(a->mark, O_CREAT | O_WRONLY, 0600));
		kill(getppid(), SIGKILL);
		pause();
	}
	if (a->fail == RETRY_APPLY) {
		const char *tried = pd_read_file(ctx, pd_format(ctx, "%s.log", a->path), 4096, NULL);

		note(ctx, "try\n");
		if (a->mark ? access(a->mark, F_OK) < 0 : !tried || strlen(tried) < 2 * strlen("try\n"))
			return pd_fail(ctx, PD_RETRY, "the other side is busy");
	}
	pd_progress(ctx, 1, 7, "writing");
	if (a->fail == FAIL_BLANK)
		return pd_fail(ctx, PD_FAILED, "%s", a->blank);
	if (a->fail == FAIL_APPLY)
		return pd_fail(ctx, PD_FAILED, "told to fail in apply");
	if (pd_write_file(ctx, a->path, 0600, a->text, strlen(a->text)) < 0)
		return PD_FAILED;
	note(ctx, "apply\n");
	if (a->evidence && pd_evidence(ctx, a->path, "what was written") < 0)
		return PD_FAILED;
	return outputs(ctx) < 0 ? PD_FAILED : PD_CHANGED;
}

static int write_verify(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *now = pd_read_file(ctx, a->path, 4096, NULL);

	if (a->fail == FAIL_VERIFY && !(a->mark && access(a->mark, F_OK) == 0))
		return pd_fail(ctx, PD_FAILED, "told to fail in verify");
	if (!now || strcmp(now, a->text) != 0)
		return pd_fail(ctx, PD_FAILED, "%s does not hold what was written", a->path);
	return PD_UNCHANGED;
}

static int write_undo(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;
	const char *before = pd_recall(ctx, "before");

	if (!pd_recall(ctx, "begun"))
		return PD_UNCHANGED;
	if (a->fail == FAIL_UNDO)
		return pd_fail(ctx, PD_FAILED, "told to fail in undo");
	if (a->milliseconds)
		usleep((useconds_t)a->milliseconds * 1000);
	wait_for(ctx, a->back_waits_for);
	if (pd_canceled(ctx))
		return pd_fail(ctx, PD_CANCELED, "asked to stop in undo");
	if (before && pd_write_file(ctx, a->path, 0600, before, strlen(before)) < 0)
		return PD_FAILED;
	if (!before && unlink(a->path) < 0 && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "cannot remove %s", a->path);
	note(ctx, "undo\n");
	return PD_CHANGED;
}

static const struct pd_step step_write = {
	PD_STEP, .name = "write", .help = "write a file", .params = write_params,
	.args_size = sizeof(struct write_args), .outputs = write_outputs,
	.check = write_check, .apply = write_apply, .verify = write_verify,
	.undo = write_undo, .reversibility = PD_REVERSIBLE, .retries = 6,
};

static const struct pd_step step_burn = {
	PD_STEP, .name = "burn", .help = "write a file for good", .params = write_params,
	.args_size = sizeof(struct write_args), .outputs = write_outputs,
	.check = write_check, .apply = write_apply, .verify = write_verify,
	.reversibility = PD_IRREVERSIBLE,
};

/* Its check knows too much: one byte more than is written. */
static int lie_check(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return pd_output(ctx, "path", a->path) < 0 || pd_output(ctx, "count", "2") < 0 ?
	       PD_FAILED : PD_CHANGED;
}

static const struct pd_step step_lie = {
	PD_STEP, .name = "lie", .help = "predict what will not be", .params = write_params,
	.args_size = sizeof(struct write_args), .outputs = write_outputs,
	.check = lie_check, .apply = write_apply, .verify = write_verify,
	.undo = write_undo, .reversibility = PD_REVERSIBLE,
};

/* What it puts out is known only afterwards. */
static int mint_check(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return access(a->path, F_OK) < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int mint_apply(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return pd_remember(ctx, "begun", "yes") < 0 || pd_write_file(ctx, a->path, 0600, "x", 1) < 0 ||
	       pd_output(ctx, "token", pd_format(ctx, "%s+", a->path)) < 0 ?
	       PD_FAILED : PD_CHANGED;
}

static int forget(struct pd_ctx *ctx, const char *path)
{
	if (unlink(path) == 0)
		return PD_CHANGED;
	return errno == ENOENT ? PD_UNCHANGED : pd_fail(ctx, PD_FAILED, "cannot remove %s", path);
}

static int mint_undo(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return pd_recall(ctx, "begun") ? forget(ctx, a->path) : PD_UNCHANGED;
}

static const struct pd_output mint_outputs[] = {
	PD_OUTPUT("token", PD_T_PATH, "what nobody can know before"),
	PD_OUTPUT_END
};

static const struct pd_step step_mint = {
	PD_STEP, .name = "mint", .help = "make a token", .params = write_params,
	.args_size = sizeof(struct write_args), .outputs = mint_outputs,
	.check = mint_check, .apply = mint_apply, .undo = mint_undo,
	.reversibility = PD_REVERSIBLE,
};

/* Everything that a careless step could do with a secret. */
struct leak_args {
	const struct pd_secret *value;
	const char *path;
	int32_t how;
};

enum { LEAK_NOT, LEAK_FAIL, LEAK_CRASH, LEAK_HANG, LEAK_OUTPUT, LEAK_REMEMBER, LEAK_TITLE,
       LEAK_ARGV, LEAK_ENV, LEAK_NAME, LEAK_HALF };
static const char *const leaks[] = { "not", "fail", "crash", "hang", "output", "remember",
				     "title", "argv", "env", "name", "half", NULL };

static const struct pd_param leak_params[] = {
	PD_PARAM(struct leak_args, value, PD_T_SECRET, .flags = PD_P_REQUIRED, .help = "canary"),
	PD_PARAM(struct leak_args, path, PD_T_PATH, .flags = PD_P_REQUIRED, .help = "folder"),
	PD_PARAM(struct leak_args, how, PD_T_CHOICE, .def = "not", .choices = leaks, .help = "how"),
	PD_PARAM_END
};

static const struct pd_output leak_outputs[] = {
	PD_OUTPUT("text", PD_T_STRING, "what leaks"),
	PD_OUTPUT_END
};

/* RFC 4648, as a web client would send it with a user's name before it. */
static const char *base64(struct pd_ctx *ctx, const char *s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = pd_alloc_for(ctx, strlen(s) * 2 + 8);
	size_t n = 0, len = strlen(s);

	for (size_t i = 0; i < len; i += 3) {
		unsigned a = (unsigned char)s[i], b = i + 1 < len ? (unsigned char)s[i + 1] : 0;
		unsigned c = i + 2 < len ? (unsigned char)s[i + 2] : 0;

		out[n++] = digits[a >> 2];
		out[n++] = digits[(a << 4 | b >> 4) & 63];
		out[n++] = i + 1 < len ? digits[(b << 2 | c >> 6) & 63] : '=';
		out[n++] = i + 2 < len ? digits[c & 63] : '=';
	}
	return out;
}

/* As programs print it: each byte that this says by this form, the others as they are. */
static const char *escaped(struct pd_ctx *ctx, const char *s, const char *which, const char *form)
{
	char *out = pd_alloc_for(ctx, strlen(s) * 6 + 8);
	size_t n = 0;

	for (; *s; s++)
		if (!*which || strchr(which, *s) || (*form == '%' && (unsigned char)*s > 126))
			n += (size_t)snprintf(out + n, 8, form, (unsigned)(unsigned char)*s);
		else
			out[n++] = *s;
	return out;
}

static void leak_escaped(struct pd_ctx *ctx, const char *v)
{
	const char *json = escaped(ctx, v, "\"\\\n", "\\u%04x"), *xml = escaped(ctx, v, "\"&<\n", "&#%u;");
	const char *url = escaped(ctx, v, "\"\\&<%\n ", "%%%02X"), *hex = escaped(ctx, v, "", "%02x");

	pd_log(ctx, PD_LOG_WARN, "{\"password\":\"%s\"} <p>%s</p> ?p=%s&q %s", json, xml, url, hex);
	printf("{\"password\":\"%s\"}\n<p>%s</p>\n?p=%s&q\n%s\n", json, xml, url, hex);
}

static int leak_talk(struct pd_ctx *ctx, const char *v)
{
	size_t half = strlen(v) / 2;

	printf("out %s\n", v);
	fprintf(stderr, "err %s %s\n", v, base64(ctx, v));
	leak_escaped(ctx, v);
	fflush(stdout);
	pd_log(ctx, PD_LOG_INFO, "log %s, halves %.*s and %s.", v, (int)half, v, v + half);
	pd_log(ctx, PD_LOG_WARN, "Authorization: %s %s %s", base64(ctx, v),
	       base64(ctx, pd_format(ctx, "u:%s", v)), base64(ctx, pd_format(ctx, "a%s", v)));
	pd_progress(ctx, 1, 2, v);
	return 0;
}

static int leak_check(struct pd_ctx *ctx)
{
	const struct leak_args *a = ctx->args;

	leak_talk(ctx, pd_secret(ctx, a->value, NULL));
	return access(pd_format(ctx, "%s/done", a->path), F_OK) < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int leak_apply(struct pd_ctx *ctx)
{
	const struct leak_args *a = ctx->args;
	const char *v = pd_secret(ctx, a->value, NULL), *file = pd_format(ctx, "%s/done", a->path);
	const char *half = pd_format(ctx, "%.*s", (int)strlen(v) / 2, v);
	const char *const argv[] = { "/bin/echo", v, NULL }, *const quiet[] = { "/bin/true", NULL };
	const char *const env[] = { pd_format(ctx, "PASSWD=%s", v), NULL };
	const char *const show[] = { "/bin/sh", "-c", "env >\"$0\"; cat /proc/$$/environ /proc/$PPID/environ >\"$0.proc\"",
				     pd_format(ctx, "%s/environment", a->path), NULL };
	const struct pd_command shown = { .size = sizeof(shown), .argv = show };
	const struct pd_command with_argv = { .size = sizeof(with_argv), .argv = argv };
	const struct pd_command with_env = { .size = sizeof(with_env), .argv = quiet, .env = env };
	struct pd_command_result r = { 0 };

	leak_talk(ctx, v);
	if (a->how == LEAK_NOT && pd_command_run(ctx, &shown, &r) < 0) /* what it has, and ps sees */
		return PD_FAILED;
	switch (a->how) {
	case LEAK_FAIL: return pd_fail(ctx, PD_FAILED, "failed with %s %s", v, base64(ctx, v));
	case LEAK_CRASH: raise(SIGSEGV); break;
	case LEAK_HANG: for (;;) pause();
	case LEAK_OUTPUT: return pd_output(ctx, "text", v) < 0 ? PD_FAILED : PD_CHANGED;
	case LEAK_HALF: return pd_output(ctx, "text", half) < 0 ? PD_FAILED : PD_CHANGED;
	case LEAK_REMEMBER: return pd_remember(ctx, "text", base64(ctx, v)) < 0 ? PD_FAILED : PD_CHANGED;
	case LEAK_ARGV: return pd_command_run(ctx, &with_argv, &r) < 0 ? PD_FAILED : PD_CHANGED;
	case LEAK_ENV: return pd_command_run(ctx, &with_env, &r) < 0 ? PD_FAILED : PD_CHANGED;
	case LEAK_NAME: file = pd_format(ctx, "%s/%s", a->path, v); break;
	default: break;
	}
	if (pd_write_file(ctx, file, 0600, "x", 1) < 0 ||
	    (a->how == LEAK_TITLE && pd_evidence(ctx, file, v) < 0))
		return PD_FAILED;
	return PD_CHANGED;
}

static int leak_undo(struct pd_ctx *ctx)
{
	const struct leak_args *a = ctx->args;

	leak_talk(ctx, pd_secret(ctx, a->value, NULL));
	return forget(ctx, pd_format(ctx, "%s/done", a->path));
}

static const struct pd_step step_leak = {
	PD_STEP, .name = "leak", .help = "leak a secret", .params = leak_params,
	.args_size = sizeof(struct leak_args), .outputs = leak_outputs, .check = leak_check,
	.apply = leak_apply, .undo = leak_undo, .reversibility = PD_REVERSIBLE,
	.time_limit = 1, .grace = 1,
};

static int always(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	return a->fail == FAIL_CHECK ? pd_fail(ctx, PD_FAILED, "told to fail in check") : PD_CHANGED;
}

static const struct pd_step step_backup = {
	PD_STEP, .name = "backup", .help = "write a file that counts as a backup",
	.params = write_params, .args_size = sizeof(struct write_args), .outputs = write_outputs,
	.check = always, .apply = write_apply, .verify = write_verify,
	.reversibility = PD_READONLY, .flags = PD_S_BACKUP,
};

/* A server that goes down has nobody any more to ask for it: PATH.check, PATH.apply. */
static bool goes_down(struct pd_ctx *ctx, const char *phase)
{
	const struct write_args *a = ctx->args;

	return access(pd_format(ctx, "%s.%s", a->path, phase), F_OK) == 0;
}

static int reboot_check(struct pd_ctx *ctx)
{
	return goes_down(ctx, "check") ? pd_fail(ctx, PD_FAILED, "nobody is there to ask") :
					 always(ctx);
}

/* The reboot itself is the test's matter: it gives the server another boot id. */
static int reboot_apply(struct pd_ctx *ctx)
{
	const struct write_args *a = ctx->args;

	if (ctx->phase == PD_PHASE_UNDO && !a->again)
		return PD_UNCHANGED;
	if (goes_down(ctx, "apply"))
		return pd_fail(ctx, PD_FAILED, "nobody is there any more to ask");
	if (a->waits_for)
		note(ctx, "waits\n");
	wait_for(ctx, a->waits_for);
	if (pd_canceled(ctx))
		return pd_fail(ctx, PD_CANCELED, "asked to stop before the reboot");
	note(ctx, ctx->phase == PD_PHASE_UNDO ? "reboot back\n" : "reboot\n");
	return PD_CHANGED;
}

static int noop_check(struct pd_ctx *ctx);

static const struct pd_step step_reboot = {
	PD_STEP, .name = "reboot", .help = "ask for a reboot",
	.params = write_params, .args_size = sizeof(struct write_args),
	.check = reboot_check, .apply = reboot_apply, .verify = noop_check, .undo = reboot_apply,
	.reversibility = PD_REVERSIBLE, .flags = PD_S_REBOOTS,
};

static int noop_check(struct pd_ctx *ctx)
{
	(void)ctx;
	return PD_UNCHANGED;
}

static const struct pd_step step_noop = {
	PD_STEP, .name = "noop", .help = "nothing to do", .check = noop_check,
	.reversibility = PD_READONLY,
};

/* A guard that speaks against it while a file is there, with each line of it
 * as a reason, and writes the times that the engine gives it to FILE.times. */
struct gate_args {
	const char *path;
	int64_t expected_do, expected_undo;
};

static const struct pd_param gate_params[] = {
	PD_PARAM(struct gate_args, path, PD_T_PATH, .flags = PD_P_REQUIRED, .help = "file"),
	PD_PARAM(struct gate_args, expected_do, PD_T_SECONDS, .flags = PD_P_ENGINE, .help = "to do"),
	PD_PARAM(struct gate_args, expected_undo, PD_T_SECONDS, .flags = PD_P_ENGINE,
		 .help = "to take back"),
	PD_PARAM_END
};

static int gate_check(struct pd_ctx *ctx)
{
	const struct gate_args *a = ctx->args;
	const char *text = pd_read_file(ctx, a->path, 4096, NULL), *line;
	int fd = open(pd_format(ctx, "%s.times", a->path), O_WRONLY | O_CREAT | O_APPEND, 0600);

	line = pd_format(ctx, "%lld %lld\n", (long long)a->expected_do, (long long)a->expected_undo);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot write the times");
	close(fd);
	if (text && strstr(text, "nonsense"))
		return pd_fail(ctx, PD_BAD_ARGS, "such a gate makes no sense");
	for (line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
		pd_inhibit(ctx, "the gate is shut",
			   pd_format(ctx, "%.*s", (int)strcspn(line, "\n"), line), "open it");
	if (text && strstr(text, "crash"))
		raise(SIGSEGV);
	return text ? PD_REFUSED : PD_UNCHANGED;
}

static const struct pd_step step_gate = {
	PD_STEP, .name = "gate", .help = "go on while a file is not there",
	.params = gate_params, .args_size = sizeof(struct gate_args), .check = gate_check,
	.reversibility = PD_READONLY, .flags = PD_S_GUARD,
};

/* One fact: "KIND KEY=VALUE ...", the numbers by their names. */
static int tell_fact(struct pd_ctx *ctx, char *line)
{
	struct pd_fact_field row[8] = { { .key = NULL } };
	const char *kind = strsep(&line, " ");
	char *value = line;
	size_t n = 0;

	while (n < 8 && (value = strsep(&line, " "))) {
		const char *key = strsep(&value, "=");

		row[n++] = strcmp(key, "port") == 0 || strcmp(key, "count") == 0 ?
			(struct pd_fact_field)PD_NUMBER(key, atol(value)) :
			(struct pd_fact_field)PD_TEXT(key, value);
	}
	return n ? pd_fact(ctx, kind, row, n) : 0;
}

/* What the server has is in the file `server` beside the folder of plugins;
 * once there is a `server.flip`, in `server.after`.  "fail": the scan fails. */
static int scan_file(struct pd_ctx *ctx)
{
	const char *folder, *text;
	char *rest = NULL;
	Dl_info self;

	if (!dladdr((const void *)&step_noop, &self))
		return pd_fail(ctx, PD_FAILED, "not found by dladdr");
	folder = pd_format(ctx, "%.*s/../server",
			   (int)(strrchr(self.dli_fname, '/') - self.dli_fname), self.dli_fname);
	if (access(pd_format(ctx, "%s.flip", folder), F_OK) == 0)
		folder = pd_format(ctx, "%s.after", folder);
	text = pd_read_file(ctx, folder, 65536, NULL);
	rest = (char *)(uintptr_t)pd_format(ctx, "%s", text ? text : "");
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strcmp(line, "fail") == 0)
			return pd_fail(ctx, PD_FAILED, "told to fail in scan");
		if (tell_fact(ctx, line) < 0)
			return PD_FAILED;
	}
	return 0;
}

static const char *const scanned[] = { "packages", "services", "listeners", "printers",
				       "shares", "jobs", "errors", NULL };
static const struct pd_scanner scanner = {
	PD_SCANNER, .name = "file", .kinds = scanned, .scan = scan_file,
	.help = "facts out of a file",
};
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

static const struct pd_step *const steps[] = { &step_write, &step_burn, &step_backup,
					       &step_reboot, &step_noop, &step_gate,
	&step_lie, &step_mint, &step_leak, NULL };

PD_PLUGIN(.name = "steps", .version = "1.steps", .help = "steps for tests of the engine",
	  .steps = steps, .scanners = scanners);
