/* SPDX-License-Identifier: MIT */
/* Runs plan tests: each file has the inputs of a plan and the text expected.
 *
 *   plan-test [--show] LIBRARY PLUGINS[:PLUGINS...] FILE...
 *
 * Sections of a file: @CATALOG (native XML, any number), @FACTS (JSON),
 * @WORKFLOW (Lua; it runs as w.lua) or @SCRIPT (path below LIBRARY), @PARAMS
 * (name=value lines), @ANSWERS (an answers file), @EXPECT (text of the plan, or "error: ...").  What comes
 * before the first section is a comment.  --show prints what came out. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
	SECONDS_MAX = 70,       /* for one case */
	CHILD_KIB_MAX = 400 << 10 /* of the worker, sanitizers included */
};

struct test {
	struct pd_strings catalogs;
	char *facts, *workflow, *script, *params, *answers, *round, *expect;
};

static struct pd_cli cli; /* prints the plans */

static void fatal(const char *what)
{
	fprintf(stderr, "plan-test: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void keep(struct test *t, const char *name, char *text_take)
{
	char **to = strcmp(name, "FACTS") == 0 ? &t->facts :
		    strcmp(name, "WORKFLOW") == 0 ? &t->workflow :
		    strcmp(name, "SCRIPT") == 0 ? &t->script :
		    strcmp(name, "PARAMS") == 0 ? &t->params :
		    strcmp(name, "ANSWERS") == 0 ? &t->answers :
		    strcmp(name, "ROUND") == 0 ? &t->round :
		    strcmp(name, "EXPECT") == 0 ? &t->expect : NULL;

	if (strcmp(name, "CATALOG") == 0) {
		pd_strings_add_take(&t->catalogs, text_take);
		return;
	}
	if (!to || *to)
		errno = EINVAL, fatal(name);
	*to = text_take;
}

/* Each section reaches to the next line that starts with "@". */
static void split(const char *text, struct test *t)
{
	const char *at = text[0] == '@' ? text : strstr(text, "\n@");

	while (at) {
		const char *name = at + (*at == '\n') + 1, *line = strchr(name, '\n');
		pd_auto_free char *word = NULL;

		if (!line)
			errno = EINVAL, fatal("a section without a line");
		word = pd_strndup(name, (size_t)(line - name));
		at = strstr(line, "\n@");
		keep(t, word, at ? pd_strndup(line + 1, (size_t)(at - line)) :
				   pd_strdup(line + 1));
	}
	if (!t->workflow == !t->script || !t->expect)
		errno = EINVAL, fatal("one of @WORKFLOW and @SCRIPT, and @EXPECT");
}

static void clear(struct test *t)
{
	pd_strings_clear(&t->catalogs);
	free(t->facts);
	free(t->workflow);
	free(t->script);
	free(t->params);
	free(t->answers);
	free(t->round);
	free(t->expect);
}

static bool write_input(const char *name, const char *text, struct pd_error **err)
{
	return pd_file_write(name, 0600, text, strlen(text), err);
}

static json_t *read_params(const char *text)
{
	json_t *params = json_object();

	while (text && *text) {
		size_t len = strcspn(text, "\n");
		pd_auto_free char *line = pd_strndup(text, len);
		char *equals = strchr(line, '=');

		if (equals) {
			*equals = '\0';
			json_object_set_new(params, line, json_string(equals + 1));
		}
		text += len + (text[len] == '\n');
	}
	return params;
}

/* What differs from machine to machine becomes "...": the digest (it covers
 * the library's defaults), the folder of plugins. */
static char *without(const char *text, const char *before, const char *after)
{
	const char *at = strstr(text, before), *end = NULL;

	if (!at)
		return pd_strdup(text);
	at += strlen(before);
	end = at + strcspn(at, after);
	return pd_print("%.*s...%s", (int)(at - text), text, end);
}

/* The plan as the command line prints it. */
static char *plan_text(const struct pd_plan *plan)
{
	lua_State *L = cli.lua;
	pd_digest digest = "";
	char *text = NULL;

	pd_json_digest(plan->json, digest);
	lua_settop(L, 0);
	lua_getglobal(L, "require");             /* +1 */
	lua_pushliteral(L, "cli.plan_text");     /* +1 */
	if (lua_pcall(L, 1, 1, 0) == LUA_OK) {   /* -1: a table */
		lua_getfield(L, -1, "plan");         /* +1 */
		pd_lua_push_json(L, plan->json);     /* +1 */
		lua_pushstring(L, digest);           /* +1 */
		lua_pcall(L, 2, 1, 0);               /* -2: a text */
	}
	text = pd_strdup(lua_tostring(L, -1));
	return text ? text : pd_strdup("no text");
}

static char *outcome(struct pd_plan *plan, struct pd_error *err)
{
	pd_auto(pd_buffer) out = {0};
	pd_auto_free char *line = NULL;

	if (plan) {
		line = plan_text(plan);
		return without(line, ", plan ", "\n");
	}
	line = pd_error_text(err);
	pd_buffer_print(&out, "error: %s\n", line);
	return without(out.data, "' in /", ";\n");
}

/* The script's own text, or that of a file of the library. */
static bool write_script(const struct test *t, const char *library, struct pd_error **err)
{
	pd_auto_free char *path = NULL, *text = NULL;

	if (t->workflow)
		return write_input("w.lua", t->workflow, err);
	path = pd_print("%s/%.*s", library, (int)strcspn(t->script, "\n"), t->script);
	text = pd_file_read(path, 1 << 20, NULL, err);
	return text && write_input("w.lua", text, err);
}

static char *plan_case(const struct test *t, const char *library,
		       struct pd_registry *reg)
{
	pd_auto(pd_facts) facts = {0};
	pd_auto(pd_catalogs) catalogs = {0};
	pd_auto_json *params = read_params(t->params), *answers = json_object();
	pd_auto_error *err = NULL;
	pd_auto(pd_plan) *plan = NULL;
	struct pd_workflow_input in = {
		.script = "w.lua", .library = library, .server = "alpha",
		.params = params, .answers = answers, .facts = &facts, .catalogs = &catalogs,
		.registry = reg, .round = t->round ? atoi(t->round) : 1
	};

	if (!write_script(t, library, &err) ||
	    (t->answers && (!write_input("answers.json", t->answers, &err) ||
			    !pd_answers_read("answers.json", "ann", answers, &err))) ||
	    !write_input("facts.json", t->facts ? t->facts : "{}", &err) ||
	    !pd_facts_read("facts.json", &facts, &err))
		return outcome(NULL, err);
	for (size_t i = 0; i < t->catalogs.len; i++) {
		pd_auto_free char *name = pd_print("catalog%zu.xml", i + 1);
		struct pd_catalog *c = NULL;

		if (!write_input(name, t->catalogs.items[i], &err) ||
		    !(c = pd_catalog_read(reg, name, NULL, &err)))
			return outcome(NULL, err);
		pd_grow(catalogs.items, catalogs.len, catalogs.cap);
		catalogs.items[catalogs.len++] = c;
	}
	plan = pd_workflow_plan(&in, &err);
	return outcome(plan, err);
}

/* Line by line, without blanks at the ends. */
static bool same(const char *a, const char *b)
{
	while (*a && *b) {
		size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n"), ta = la, tb = lb;

		while (ta > 0 && a[ta - 1] == ' ')
			ta--;
		while (tb > 0 && b[tb - 1] == ' ')
			tb--;
		if (ta != tb || memcmp(a, b, ta) != 0)
			return false;
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
	return a[strspn(a, "\n ")] == '\0' && b[strspn(b, "\n ")] == '\0';
}

static bool run_file(const char *text, const char *name, const char *library,
		     struct pd_registry *reg, bool show)
{
	struct test t = {0};
	struct timespec from, to;
	pd_auto_free char *got = NULL;
	bool ok = false;

	split(text, &t);
	clock_gettime(CLOCK_MONOTONIC, &from);
	got = plan_case(&t, library, reg);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ok = same(got, t.expect) && to.tv_sec - from.tv_sec <= SECONDS_MAX;
	if (show)
		printf("%s", got);
	else
		printf("%s %s (%lld s)\n", ok ? "ok    " : "FAILED", name,
		       (long long)(to.tv_sec - from.tv_sec));
	if (!ok && !show)
		printf("--- expected\n%s--- got\n%s---\n", t.expect, got);
	clear(&t);
	return ok || show;
}

static char *absolute(const char *path)
{
	char *real = realpath(path, NULL);

	if (!real)
		fatal(path);
	return real;
}

static struct pd_registry *open_plugins(char *folders)
{
	struct pd_registry *reg = pd_registry_new();
	pd_auto_error *err = NULL;
	char *rest = NULL;

	for (char *f = strtok_r(folders, ":", &rest); f; f = strtok_r(NULL, ":", &rest)) {
		pd_auto_free char *folder = absolute(f);

		if (!pd_registry_add_folder(reg, folder, &err)) {
			fprintf(stderr, "plan-test: %s\n", err->message);
			exit(2);
		}
	}
	return reg;
}

int main(int argc, char **argv)
{
	bool show = argc > 1 && strcmp(argv[1], "--show") == 0;
	int first = 3 + show, failed = 0;
	char folder[] = "/tmp/plan-test.XXXXXX";
	struct rusage use;

	if (argc <= first) {
		fprintf(stderr, "usage: plan-test [--show] LIBRARY PLUGINS FILE...\n");
		return 2;
	}
	cli.scripts = absolute(argv[first - 2]);
	cli.registry = open_plugins(argv[first - 1]);
	if (!pd_cli_open(&cli))
		fatal("Lua");
	for (int i = first; i < argc; i++)
		argv[i] = absolute(argv[i]);
	if (!mkdtemp(folder) || chdir(folder) != 0)
		fatal(folder);
	for (int i = first; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/');
		pd_auto_free char *text = pd_file_read(argv[i], 1 << 20, NULL, NULL);

		if (!text)
			fatal(argv[i]);
		failed += !run_file(text, slash + 1, cli.scripts, cli.registry, show);
		free(argv[i]);
	}
	for (const char *const *f = (const char *const[]){ "w.lua", "facts.json",
	     "answers.json", "catalog1.xml", "catalog2.xml", NULL }; *f; f++)
		unlink(*f);
	if (chdir("/") != 0 || rmdir(folder) != 0)
		fatal(folder);
	pd_cli_close(&cli);
	getrusage(RUSAGE_CHILDREN, &use);
	if (use.ru_maxrss > CHILD_KIB_MAX) {
		printf("FAILED a worker used %ld KiB\n", use.ru_maxrss);
		failed++;
	}
	if (!show)
		printf("%d plan tests, %d failed\n", argc - first, failed);
	return failed ? 1 : 0;
}
