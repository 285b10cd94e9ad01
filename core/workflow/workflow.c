/* SPDX-License-Identifier: MIT */
/* Planning: a script in a worker of its own, and the plan that comes back. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/apart.h"
#include "workflow/sandbox.h"

enum {
	SCRIPT_MAX = 1 << 20,
	ANSWER_MAX = 64 << 20,
	PROCESSOR_SECONDS = 8, /* what hooks can't see: a pattern that explodes */
	WALL_SECONDS = 60
};

/* In the child: limits behind those of the sandbox, nothing inherited. */
static void confine(void)
{
	static const int normal[] = { SIGINT, SIGTERM, SIGALRM, SIGXCPU, SIGPIPE, SIGCHLD };
	struct rlimit cpu = { PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1 };
	struct rlimit none = { 0, 0 };
	sigset_t all;

	for (size_t i = 0; i < sizeof(normal) / sizeof(*normal); i++)
		signal(normal[i], SIG_DFL);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setlocale(LC_ALL, "C");
}

static bool answer(int fd, const struct pd_workflow_input *in, const json_t *text, bool describe)
{
	const char *slash = strrchr(in->script, '/');
	struct pd_sandbox sb = { .in = in, .name = slash ? slash + 1 : in->script };
	pd_auto_error *err = NULL;
	pd_auto_json *result = pd_sandbox_run(&sb, json_string_value(text),
					      json_string_length(text), describe, &err);
	pd_auto_free char *line = NULL;

	if (!result)
		result = sb.asks ? json_pack("{s:b}", "asks", true) : pd_apart_error(err);
	line = pd_json_line(result);
	return pd_write_all(fd, line, strlen(line));
}

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* All that the worker writes; what is wrong, or NULL. */
static const char *collect(int fd, struct pd_buffer *out)
{
	int64_t end = milliseconds() + WALL_SECONDS * 1000;
	char piece[65536];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - milliseconds();
		ssize_t n = 0;

		if (left <= 0)
			return "it was not done after 60 seconds";
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return "its answer could not be read";
		if (!p.revents)
			continue;
		n = read(fd, piece, sizeof(piece));
		if (n == 0)
			return NULL;
		if (n > 0)
			pd_buffer_add(out, piece, (size_t)n);
		else if (errno != EINTR)
			return "its answer could not be read";
		if (out->len > ANSWER_MAX)
			return "its plan is larger than 64 MiB";
	}
}

static json_t *understand(const struct pd_buffer *out, struct pd_error **err)
{
	return pd_apart_take(pd_json_parse(out->data ? out->data : "", out->len, "answer of the worker", err),
			     "workflow-script", err);
}

static json_t *in_worker(const struct pd_workflow_input *in, const json_t *text,
			 bool describe, struct pd_error **err)
{
	pd_auto(pd_buffer) out = {0};
	const char *wrong = NULL;
	int ends[2], status = 0;
	pid_t pid = 0;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		pd_error_errno(err, "workflow-worker", errno, "no process for %s", in->script);
		return NULL;
	}
	if (pid == 0) {
		close(ends[0]);
		confine();
		_exit(answer(ends[1], in, text, describe) ? 0 : 1);
	}
	close(ends[1]);
	wrong = collect(ends[0], &out);
	close(ends[0]);
	if (wrong)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!wrong && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		wrong = "it used 8 seconds of processor time, at a line that can't be told";
	if (wrong && !pd_error_at(err, "workflow-limit", in->script, 0, 0,
				  "the script was stopped: %s", wrong))
		pd_error_remedy(err, "Look for what takes long in one call: a pattern, string.rep, table.move, or a "
				"__close that calls itself.");
	else if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
		pd_error_at(err, "workflow-worker", in->script, 0, 0,
			    "the worker that runs the script ended with %s %d",
			    WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	else
		return understand(&out, err);
	return NULL;
}

/* The script's text; JSON strings carry their length. What a plan takes from it is UTF-8. */
static json_t *read_script(const char *path, struct pd_error **err)
{
	const char *slash = strrchr(path, '/'), *at, *end;
	size_t len = 0;
	pd_auto_free char *text = pd_file_read(path, SCRIPT_MAX, &len, err);
	unsigned line = 1;
	bool zero;

	for (at = text; text && at < text + len; at = end + 1, line++) {
		if (!(end = memchr(at, '\n', (size_t)(text + len - at))))
			end = text + len;
		zero = memchr(at, '\0', (size_t)(end - at));
		if (!zero && pd_utf8_valid(at, (size_t)(end - at)))
			continue;
		pd_error_at(err, "workflow-script", slash ? slash + 1 : path, line, 0, "the line %s",
			    zero ? "has a zero byte, as UTF-16 has" : "is not UTF-8");
		pd_error_remedy(err, "Save the script as UTF-8, such as with `iconv -f %s -t utf-8`.",
				zero ? "utf-16" : "latin1");
		return NULL;
	}
	return text ? json_stringn_nocheck(text, len) : NULL;
}

static json_t *catalog_list(const struct pd_catalogs *catalogs)
{
	json_t *list = json_array();

	for (size_t i = 0; catalogs && i < catalogs->len; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", catalogs->items[i]->name,
						      "digest", catalogs->items[i]->digest));
	return list;
}

struct pd_plan *pd_workflow_plan(const struct pd_workflow_input *in, struct pd_error **err)
{
	pd_auto_json *text = read_script(in->script, err);
	json_t *json = text ? in_worker(in, text, false, err) : NULL;
	struct pd_workflow_input ready = *in;
	struct pd_plan *plan = NULL;
	pd_digest digest;

	if (pd_json_true(json, "asks")) {
		json_decref(json);
		ready.read_catalogs = NULL;
		json = in->read_catalogs(in->user, err) ? in_worker(&ready, text, false, err) : NULL;
	}
	if (!json)
		return NULL;
	pd_digest_data(json_string_value(text), json_string_length(text), digest);
	json_object_set_new(json, "format", json_integer(1));
	json_object_set_new(json, "script", json_string(in->script));
	json_object_set_new(json, "script_digest", json_string(digest));
	json_object_set_new(json, "server", json_string(in->server));
	json_object_set_new(json, "catalogs", catalog_list(in->catalogs));
	plan = pd_plan_new_take(json, err);
	if (plan && !pd_plan_validate(plan, in->registry, err)) {
		pd_plan_free(plan);
		plan = NULL;
	}
	return plan;
}

json_t *pd_workflow_describe(const char *script, const char *library,
			     struct pd_registry *reg, struct pd_error **err)
{
	struct pd_workflow_input in = { .script = script, .library = library,
					.server = "", .registry = reg, .round = 1 };
	pd_auto_json *text = read_script(script, err);

	return text ? in_worker(&in, text, true, err) : NULL;
}
