/* SPDX-License-Identifier: MIT */
/* Step proxy.verify: squid runs, on a sound cache and a sound configuration. */
#include "proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG "/var/log/squid/cache.log"
#define LOG_MAX ((off_t)64 << 20) /* of a longer one its end is read */
#define REGEX (REG_EXTENDED | REG_NOSUB | REG_ICASE)
#define SWAP_LOG_VERSION 3 /* squid, enum _swap_log_op: how swap.state begins */

struct verify_args {
	const char *from;
	struct pd_list ignore;
	int64_t timeout;
};

static const struct pd_param params[] = {
	PD_PARAM(struct verify_args, from, PD_T_PATH,
		 .help = "folder that proxy.save has made: the files have to be the same; empty: any"),
	PD_PARAM(struct verify_args, ignore, PD_T_LIST,
		 .help = "errors in cache.log that are no news, extended regular expressions"),
	PD_PARAM(struct verify_args, timeout, PD_T_SECONDS, .def = "60", .min = 1, .max = 86400,
		 .help = "how long squid may take to start and to read its cache"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("caches", PD_T_INT, "how many cache folders were looked at"),
	PD_OUTPUT("errors", PD_T_LIST, "errors in cache.log since squid started"),
	PD_OUTPUT_END
};

/* ------------------------------------------------------------------- cache */

/* cache_dir ufs /var/spool/squid 100 16 256: the index that squid starts with.
 * Not there yet: squid rebuilds it from the objects, or has just begun. */
static const char *sound_cache(struct pd_ctx *ctx, const char *value)
{
	const char *kind = first_word(ctx, value);
	const char *folder = value + strlen(kind), *path = NULL;
	bool rock = strcmp(kind, "rock") == 0;
	unsigned char first = 0;
	ssize_t n = 0;
	int fd = -1;

	folder = first_word(ctx, folder + strspn(folder, " \t"));
	path = pd_format(ctx, "%s/%s", folder, rock ? "rock" : "swap.state");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pd_format(ctx, "can't read %s: %s", path, strerror(errno));
	n = read(fd, &first, 1);
	close(fd);
	return rock || (n == 1 && first == SWAP_LOG_VERSION) ? NULL :
		pd_format(ctx, "%s does not begin as an index of squid", path);
}

/* What is wrong with a cache, or NULL.  *caches counts them; *indexed is set
 * if squid reads an index when it starts. */
static const char *caches_problem(struct pd_ctx *ctx, const struct squid *squid, int64_t *caches,
				  bool *indexed)
{
	const char *problem = NULL;

	*caches = 0;
	for (size_t i = 0; i < squid->directives.len; i++) {
		const char *value = directive_value(squid->directives.item[i], "cache_dir");

		if (!value || strncmp(value, "null", 4) == 0)
			continue;
		++*caches;
		*indexed = *indexed || strncmp(value, "rock", 4) != 0;
		problem = problem ? problem : sound_cache(ctx, value);
	}
	return problem;
}

/* --------------------------------------------------------------- cache.log */

/* NULL: none, or the system's log. */
static const char *log_path(struct pd_ctx *ctx, const struct squid *squid)
{
	const char *path = LOG;

	for (size_t i = 0; i < squid->directives.len; i++) {
		const char *value = directive_value(squid->directives.item[i], "cache_log");

		path = value ? first_word(ctx, value) : path;
	}
	return *path == '/' ? path : NULL;
}

/** cache.log: read again and again while it grows, and not short. */
struct log {
	const char *path;  /**< NULL: squid writes none */
	ino_t file;
	off_t start;       /**< where squid started last */
	char *text;        /**< from there; of the last look alone, to be freed */
	const char *since; /**< in text: what was logged since squid started last */
	bool started;      /**< it says so; not after a rotation of logs: since that */
};

static char *read_from(int fd, off_t at, size_t len)
{
	char *text = malloc(len + 1);
	size_t got = 0;
	ssize_t n = 0;

	while (text && got < len && (n = pread(fd, text + got, len - got, at + (off_t)got)) > 0)
		got += (size_t)n;
	if (text)
		text[got] = '\0';
	if (n < 0) {
		free(text);
		text = NULL;
	}
	return text;
}

static void find_start(struct log *log)
{
	static const char start[] = "Starting Squid Cache version";
	const char *last = NULL;

	for (const char *at = log->text; (at = strstr(at, start)); at += strlen(start))
		last = at;
	log->start += last ? last - log->text : 0;
	log->since = last ? last : log->text;
	log->started = last;
}

static int read_log(struct pd_ctx *ctx, struct log *log)
{
	int fd = open(log->path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	free(log->text);
	log->text = NULL;
	if (fd >= 0 && fstat(fd, &st) == 0) {
		if (st.st_ino != log->file || st.st_size < log->start) /* another one */
			log->start = 0;
		if (st.st_size - log->start > LOG_MAX)
			log->start = st.st_size - LOG_MAX;
		log->file = st.st_ino;
		log->text = read_from(fd, log->start, (size_t)(st.st_size - log->start));
	}
	if (!log->text)
		pd_fail(ctx, PD_FAILED, "can't read %s: %s", log->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!log->text)
		return PD_FAILED;
	find_start(log);
	return 0;
}

/* As eventlog.compare does it, so that one list serves both. */
static bool ignored(struct pd_ctx *ctx, const char *line)
{
	const struct verify_args *args = ctx->args;
	const char *text = pd_format(ctx, "squid: %s", squid_message(ctx, line, strlen(line)));

	for (size_t i = 0; i < args->ignore.len; i++) {
		regex_t re;
		bool hit = regcomp(&re, args->ignore.items[i], REGEX) == 0;

		if (hit) {
			hit = regexec(&re, text, 0, NULL, 0) == 0;
			regfree(&re);
		}
		if (hit)
			return true;
	}
	return false;
}

static bool is_error(const char *line, size_t len)
{
	static const char *const words[] = { "FATAL: ", "ERROR: ", "assertion failed" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(line, len, words[i], strlen(words[i])))
			return true;
	return false;
}

static void find_errors(struct pd_ctx *ctx, const char *log, struct texts *out)
{
	while (*log) {
		size_t len = strcspn(log, "\n");

		if (is_error(log, len)) {
			const char *line = pd_format(ctx, "%.*s", (int)len, log);

			if (!ignored(ctx, line))
				texts_add(ctx, out, line);
		}
		log += len;
		log += *log == '\n';
	}
}

/* ------------------------------------------------------------------- steps */

/** What one look has found. */
struct look {
	const char *problem; /**< may pass by itself; NULL: none */
	bool runs;
	int64_t caches;
	struct texts errors;
};

/* What `squid -z` makes before the start has a process id in squid's file, too, and so
 * has a squid that ends: of either `squid -k check` says that squid runs. */
static bool is_between(const char *state)
{
	return strncmp(state, "activating", 10) == 0 || strncmp(state, "deactivating", 12) == 0;
}

static int running(struct pd_ctx *ctx, struct look *look)
{
	static const char *const check[] = { "squid", "-k", "check", NULL };
	static const char *const state[] = { "systemctl", "is-active", "squid.service", NULL };
	struct pd_command_result r = { 0 }, unit = { 0 };

	if (pd_run(ctx, state, &unit) || pd_run(ctx, check, &r))
		return PD_FAILED;
	look->runs = r.status == 0 && !is_between(unit.out);
	if (is_between(unit.out))
		look->problem = pd_format(ctx, "squid.service is %.*s", (int)strcspn(unit.out, "\n"), unit.out);
	else if (!look->runs)
		look->problem = pd_format(ctx, "squid does not run: %.*s",
					  (int)strcspn(r.err, "\n"), r.err);
	return 0;
}

static int look_once(struct pd_ctx *ctx, const struct squid *squid, struct log *log,
		     struct look *look)
{
	bool indexed = false;

	*look = (struct look){ 0 };
	look->problem = caches_problem(ctx, squid, &look->caches, &indexed);
	if (running(ctx, look))
		return PD_FAILED;
	if (!log->path)
		return 0;
	if (read_log(ctx, log))
		return PD_FAILED;
	if (look->runs) /* else the log may be that of the start before */
		find_errors(ctx, log->since, &look->errors);
	if (!look->problem && indexed && log->started &&
	    !strstr(log->since, "Finished rebuilding storage from disk"))
		look->problem = "squid still reads its cache";
	return 0;
}

/* Until nothing is left to wait for; an error in the log ends it at once. */
static int look_until(struct pd_ctx *ctx, const struct squid *squid, struct log *log,
		      struct look *look)
{
	const struct verify_args *args = ctx->args;
	time_t end = time(NULL) + args->timeout;

	for (;;) {
		if (look_once(ctx, squid, log, look))
			return PD_FAILED;
		if (!look->problem || look->errors.len || time(NULL) >= end)
			return 0;
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "canceled; last: %s", look->problem);
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
}

static int same_files(struct pd_ctx *ctx)
{
	const struct verify_args *args = ctx->args;
	struct texts differences = { 0 };
	struct saved_set set = { 0 };

	if (!args->from)
		return 0;
	if (saved_read(ctx, args->from, &set) ||
	    files_compare(ctx, &set, squid_files, &differences))
		return PD_FAILED;
	return !differences.len ? 0 :
		pd_fail(ctx, PD_FAILED, "squid's configuration is not as it was saved in %s, %zu "
			"differences, first: %s", args->from, differences.len, differences.item[0]);
}

static int evidence(struct pd_ctx *ctx, const struct log *log)
{
	const char *path = pd_format(ctx, "%s/cache.log", ctx->work_dir);

	return log->path && (pd_write_file(ctx, path, 0600, log->since, strlen(log->since)) ||
			     pd_evidence(ctx, path, "cache.log since squid started")) ?
		PD_FAILED : 0;
}

static int conclude(struct pd_ctx *ctx, const struct look *look)
{
	if (texts_output(ctx, "errors", &look->errors) ||
	    pd_output(ctx, "caches", pd_format(ctx, "%lld", (long long)look->caches)))
		return PD_FAILED;
	if (look->errors.len)
		return pd_fail(ctx, PD_FAILED, "squid has logged %zu errors since it started, first: "
			       "%s", look->errors.len, look->errors.item[0]);
	if (look->problem)
		return pd_fail(ctx, PD_FAILED, "%s; see " LOG, look->problem);
	return same_files(ctx) || pd_remember(ctx, "well", "1") ? PD_FAILED : PD_CHANGED;
}

static int check(struct pd_ctx *ctx)
{
	const struct verify_args *args = ctx->args;

	for (size_t i = 0; i < args->ignore.len; i++) {
		regex_t re;
		char why[200] = "";
		int rc = regcomp(&re, args->ignore.items[i], REGEX);

		if (rc) {
			regerror(rc, &re, why, sizeof(why));
			return pd_fail(ctx, PD_BAD_ARGS, "ignore: \"%s\" is no regular expression: "
				       "%s", args->ignore.items[i], why);
		}
		regfree(&re);
	}
	return PD_CHANGED; /* how squid will be by then is unknown */
}

static int apply(struct pd_ctx *ctx)
{
	struct squid squid = { 0 };
	struct look look = { 0 };
	struct log log = { 0 };
	int rc = pd_remember(ctx, "well", NULL);

	if (rc || squid_ask(ctx, &squid))
		return PD_FAILED;
	if (squid.problem)
		return pd_fail(ctx, PD_FAILED, "squid refuses its configuration: %s", squid.problem);
	log.path = log_path(ctx, &squid);
	rc = look_until(ctx, &squid, &log, &look);
	if (rc == 0)
		rc = evidence(ctx, &log);
	free(log.text);
	return rc ? rc : conclude(ctx, &look);
}

static int verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "well") ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "squid was not found well");
}

const struct pd_step step_verify = {
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "verify",
	.help = "squid runs on a sound cache, and has logged no error since it started",
	.params = params, .args_size = sizeof(struct verify_args), .outputs = outputs,
	.check = check, .apply = apply, .verify = verify,
	.reversibility = PD_READONLY, .time_limit = 90000
};
