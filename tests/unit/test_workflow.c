/* SPDX-License-Identifier: MIT */
/* The plan model and its validation, with plans as they could come from a
 * journal or another machine; scripts are tested in tests/plans/. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workflow/plan.h"

#include "unit.h"

/* A plan with two stages, a hold and a reference; the tests change it. */
static json_t *good(void)
{
	static const char text[] =
	"{'format': 1, 'workflow': 'w', 'role': 'r', 'script': 'w.lua',"
	" 'script_digest': '00', 'server': 'alpha', 'params': {}, 'rounds': 1,"
	" 'catalogs': [],"
	" 'stages': [{'name': 'one', 'on_failure': 'stop'},"
	"            {'name': 'two', 'on_failure': 'undo'}],"
	" 'steps': [{'id': 'one/a', 'stage': 0, 'plugin': 'demo', 'step': 'save',"
	"            'where': 'w.lua:1', 'args': {}},"
	"           {'id': 'one/b', 'stage': 0, 'plugin': 'demo', 'step': 'stop',"
	"            'where': 'w.lua:2', 'args': {'units': ['cron']}, 'hold': true},"
	"           {'id': 'two/c', 'stage': 1, 'plugin': 'demo', 'step': 'look',"
	"            'where': 'w.lua:3', 'inside': [1],"
	"            'args': {'text': {'$ref': 'one/a', 'out': 'word'}}},"
	"           {'id': 'two/d', 'stage': 1, 'plugin': '', 'step': 'signoff',"
	"            'where': 'w.lua:4', 'args': {'parties': ['ops']}}]}";
	pd_auto_free char *json = pd_strdup(text);

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return pd_json_parse(json, strlen(json), "good", NULL);
}

static json_t *at(json_t *plan, const char *list, size_t i)
{
	return json_array_get(json_object_get(plan, list), i);
}

static struct pd_registry *demo(void)
{
	const char *build = getenv("PD_BUILDDIR");
	pd_auto_free char *path = pd_print("%s/tests/plans/plugins/.libs", build ? build : ".");
	pd_auto_free char *real = realpath(path, NULL);
	struct pd_registry *reg = pd_registry_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(real);
	CU_ASSERT_TRUE_FATAL(pd_registry_add_folder(reg, real, NULL));
	return reg;
}

/* Takes @p json; true if the model refuses it with @p words in the message. */
static bool refused(json_t *json, const char *words)
{
	pd_auto_error *err = NULL;
	pd_auto(pd_plan) *plan = pd_plan_new_take(json, &err);
	bool ok = !plan && err && strcmp(err->id, "plan-invalid") == 0 &&
		  strstr(err->message, words);

	if (!ok)
		printf("wanted \"%s\", got %s\n", words, err ? err->message : "a plan");
	return ok;
}

/* The same for validation, at the script's line. */
static bool invalid(json_t *json, const char *where, const char *words)
{
	pd_auto_error *err = NULL;
	pd_auto(pd_registry) *reg = demo();
	pd_auto(pd_plan) *plan = pd_plan_new_take(json, &err);
	bool ok = plan && !pd_plan_validate(plan, reg, &err) && err->where &&
		  strcmp(err->where, where) == 0 && strstr(err->message, words);

	if (!ok)
		printf("wanted %s \"%s\", got %s %s\n", where, words,
		       err && err->where ? err->where : "", err ? err->message : "no error");
	return ok;
}

static void test_good(void)
{
	pd_auto_error *err = NULL;
	pd_auto(pd_registry) *reg = demo();
	pd_auto(pd_plan) *plan = pd_plan_new_take(good(), &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
	CU_ASSERT_TRUE(pd_plan_validate(plan, reg, &err));
	CU_ASSERT_EQUAL(plan->n_stages, 2);
	CU_ASSERT_EQUAL(plan->n_steps, 4);
	CU_ASSERT_EQUAL(plan->stages[1].on_failure, PD_ON_FAILURE_UNDO);
	CU_ASSERT_TRUE(plan->steps[1].hold);
	CU_ASSERT_EQUAL(plan->steps[2].n_inside, 1);
	CU_ASSERT_EQUAL(plan->steps[2].inside[0], 1);
	CU_ASSERT_PTR_NULL(plan->nothing);
	CU_ASSERT_STRING_EQUAL(plan->steps[3].plugin, "");
}

static bool same(const struct pd_plan *a, const struct pd_plan *b)
{
	pd_digest one = "", two = "";

	pd_json_digest(a->json, one);
	pd_json_digest(b->json, two);
	return strcmp(one, two) == 0;
}

static void test_digest(void)
{
	json_t *other = good();
	pd_auto(pd_plan) *a = pd_plan_new_take(good(), NULL);
	pd_auto(pd_plan) *b = pd_plan_new_take(good(), NULL);
	pd_auto(pd_plan) *c = NULL;

	json_object_set_new(at(other, "steps", 1), "args",
			    json_pack("{s:[s]}", "units", "anacron"));
	c = pd_plan_new_take(other, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT(same(a, b));
	CU_ASSERT_FALSE(same(a, c));
}

/* Each field of the head and of the lists, missing and of a wrong type. */
static void test_fields(void)
{
	static const char *const head[] = { "format", "workflow", "role", "script",
		"script_digest", "server", "params", "rounds", "catalogs", "stages",
		"steps" };
	static const char *const step[] = { "id", "stage", "plugin", "step", "where",
		"args" };

	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++) {
		json_t *missing = good(), *wrong = good();

		json_object_del(missing, head[i]);
		json_object_set_new(wrong, head[i], json_true());
		CU_ASSERT_TRUE(refused(missing, head[i]));
		CU_ASSERT_TRUE(refused(wrong, head[i]));
	}
	for (size_t i = 0; i < sizeof(step) / sizeof(*step); i++) {
		json_t *missing = good(), *wrong = good();

		json_object_del(at(missing, "steps", 2), step[i]);
		json_object_set_new(at(wrong, "steps", 2), step[i], json_true());
		CU_ASSERT_TRUE(refused(missing, "step 3"));
		CU_ASSERT_TRUE(refused(wrong, "step 3"));
	}
	CU_ASSERT_TRUE(refused(json_null(), "format"));
	CU_ASSERT_TRUE(refused(json_array(), "format"));
}

static json_t *with(const char *list, size_t i, const char *key, json_t *value_take)
{
	json_t *plan = good();

	json_object_set_new(at(plan, list, i), key, value_take);
	return plan;
}

static json_t *with_top(const char *key, json_t *value_take)
{
	json_t *plan = good();

	json_object_set_new(plan, key, value_take);
	return plan;
}

static void test_contradictions(void)
{
	json_t *nothing = good();

	json_object_set_new(nothing, "nothing", json_string("why"));
	CU_ASSERT_TRUE(refused(nothing, "nothing to do"));
	CU_ASSERT_TRUE(refused(with("stages", 1, "on_failure", json_string("maybe")),
			       "on_failure"));
	CU_ASSERT_TRUE(refused(with("stages", 1, "name", json_string("one")), "twice"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "id", json_string("one/a")), "twice"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "id", json_string("")), "empty"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "stage", json_integer(2)), "order"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "stage", json_integer(-1)), "order"));
	CU_ASSERT_TRUE(refused(with("steps", 0, "stage", json_integer(1)), "order"));
	CU_ASSERT_TRUE(refused(with_top("notes", json_string("a")), "no list"));
	CU_ASSERT_TRUE(refused(with_top("notes", json_pack("[s, i]", "a", 1)), "texts"));
	/* inside: of no hold, of itself, of a later one, reopened, not in order */
	CU_ASSERT_TRUE(refused(with("steps", 2, "inside", json_pack("[i]", 0)), "open hold"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "inside", json_pack("[i]", 2)), "open hold"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "inside", json_pack("[i]", -1)), "open hold"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "inside", json_pack("[i,i]", 1, 1)), "open hold"));
	CU_ASSERT_TRUE(refused(with("steps", 2, "inside", json_pack("[s]", "1")), "open hold"));
	nothing = with("steps", 2, "inside", json_array());
	json_object_set_new(at(nothing, "steps", 3), "inside", json_pack("[i]", 1));
	CU_ASSERT_TRUE(refused(nothing, "open hold"));
}

static json_t *ref(const char *id, const char *out)
{
	return json_pack("{s:s, s:s}", "$ref", id, "out", out);
}

static json_t *with_ref(size_t i, const char *param, json_t *ref_take)
{
	json_t *plan = good();

	json_object_set_new(json_object_get(at(plan, "steps", i), "args"), param, ref_take);
	return plan;
}

static void test_references(void)
{
	json_t *cycle = good(), *first = at(cycle, "steps", 0);

	CU_ASSERT_TRUE(invalid(with_ref(2, "text", ref("one/a", "nme")), "w.lua:3",
			       "no output 'nme'"));
	CU_ASSERT_TRUE(invalid(with_ref(2, "text", ref("one/x", "word")), "w.lua:3",
			       "'one/x', which is not in the plan"));
	CU_ASSERT_TRUE(invalid(with_ref(2, "count", ref("one/a", "word")), "w.lua:3",
			       "'count' takes a number, but output 'word' of one/a is a string"));
	CU_ASSERT_TRUE(invalid(with_ref(2, "text", ref("two/c", "word")), "w.lua:3",
			       "its own output"));
	CU_ASSERT_TRUE(invalid(with_ref(1, "units", ref("two/c", "names")), "w.lua:2",
			       "two/c (w.lua:3), which comes later"));
	/* one/a waits for two/c, which waits for one/a */
	json_object_set_new(first, "step", json_string("look"));
	json_object_set_new(first, "args", json_pack("{s:o}", "text", ref("two/c", "word")));
	CU_ASSERT_TRUE(invalid(cycle, "w.lua:1", "one/a and two/c wait for each other"));
}

static void test_steps(void)
{
	CU_ASSERT_TRUE(invalid(with("steps", 0, "plugin", json_string("demi")), "w.lua:1",
			       "demi"));
	CU_ASSERT_TRUE(invalid(with("steps", 0, "step", json_string("safe")), "w.lua:1",
			       "safe"));
	CU_ASSERT_TRUE(invalid(with("steps", 2, "args", json_object()), "w.lua:3", "text"));
	CU_ASSERT_TRUE(invalid(with("steps", 1, "args", json_pack("{s:s}", "unit", "x")),
			       "w.lua:2", "unit"));
	CU_ASSERT_TRUE(invalid(with("steps", 0, "hold", json_true()), "w.lua:1",
			       "can't be held"));
	CU_ASSERT_TRUE(invalid(with("steps", 3, "step", json_string("sign")), "w.lua:4",
			       "without a plugin"));
	CU_ASSERT_TRUE(invalid(with("steps", 3, "args", json_object()), "w.lua:4",
			       "nobody"));
	CU_ASSERT_TRUE(invalid(with("steps", 3, "args", json_pack("{s:[s]}", "parties", "")),
			       "w.lua:4", "no name"));
}

/* ------------------------------------------------------------- scripts */

static char folder[] = "/tmp/test-workflow.XXXXXX";

static struct pd_plan *plan_of(const char *script, const json_t *params,
			       struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/w.lua", folder);
	const char *src = getenv("PD_SRCDIR");
	pd_auto_free char *library = pd_print("%s/scripts", src ? src : ".");
	pd_auto(pd_registry) *reg = demo();
	struct pd_workflow_input in = { .script = path, .library = library,
		.server = "alpha", .params = params, .registry = reg, .round = 1 };

	CU_ASSERT_TRUE_FATAL(pd_file_write(path, 0600, script, strlen(script), NULL));
	return pd_workflow_plan(&in, err);
}

static const char script[] =
	"local pd = require 'patchday'\n"
	"local demo = pd.use 'demo'\n"
	"return pd.workflow { api = 1, name = 'w', help = 'a test', rounds = 2,\n"
	"  params = { word = pd.string { required = true, help = 'a word' } },\n"
	"  plan = function(t)\n"
	"    local list = { zeta = 1, alpha = 2, mid = 3, beta = 4 }\n"
	"    local words = {}\n"
	"    for k in pairs(list) do words[#words + 1] = k end\n"
	"    return { demo.stop { units = words }, demo.look { text = t.params.word } }\n"
	"  end }\n";

/* The same plan each time, no process left behind. */
static void test_pure(void)
{
	pd_auto_json *params = json_pack("{s:s}", "word", "x");
	pd_auto_json *others = json_pack("{s:s}", "word", "y");
	pd_auto_error *err = NULL;
	pd_auto(pd_plan) *first = plan_of(script, params, &err);
	pd_auto(pd_plan) *other = plan_of(script, others, &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
	CU_ASSERT_FALSE(same(first, other));
	for (int i = 0; i < 10; i++) {
		pd_auto(pd_plan) *again = plan_of(script, params, &err);

		CU_ASSERT_PTR_NOT_NULL_FATAL(again);
		CU_ASSERT(same(first, again));
	}
	errno = 0;
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	CU_ASSERT_EQUAL(errno, ECHILD);
}

static void test_error(void)
{
	pd_auto_error *err = NULL;

	CU_ASSERT_PTR_NULL(plan_of(script, NULL, &err));
	CU_ASSERT_PTR_NOT_NULL_FATAL(err);
	CU_ASSERT_STRING_EQUAL(err->id, "workflow-parameter");
	CU_ASSERT_STRING_EQUAL(err->where, "w.lua:3");
	CU_ASSERT_PTR_NULL(plan_of("local x = \n", NULL, &err));
	CU_ASSERT_STRING_EQUAL(err->id, "workflow-script");
	CU_ASSERT_PTR_NULL(plan_of("local pd = require 'patchday'\nlocal x = pd.use 'dem'\n",
				   NULL, &err));
	CU_ASSERT_STRING_EQUAL(err->id, "plugin-unknown");
	CU_ASSERT_STRING_EQUAL(err->where, "w.lua:2");
	CU_ASSERT_PTR_NOT_NULL(strstr(err->message, "did you mean 'demo'?"));
	CU_ASSERT_PTR_NULL(plan_of("while true do end", NULL, &err));
	CU_ASSERT_STRING_EQUAL(err->id, "workflow-limit");
}

static void test_describe(void)
{
	pd_auto_error *err = NULL;
	pd_auto_json *d = NULL;
	pd_auto(pd_registry) *reg = demo();
	pd_auto_free char *path = pd_print("%s/w.lua", folder);
	const char *src = getenv("PD_SRCDIR");
	pd_auto_free char *library = pd_print("%s/scripts", src ? src : ".");
	const json_t *param = NULL;

	CU_ASSERT_TRUE_FATAL(pd_file_write(path, 0600, script, strlen(script), NULL));
	d = pd_workflow_describe(path, library, reg, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_STRING_EQUAL(pd_json_text(d, "workflow", ""), "w");
	CU_ASSERT_STRING_EQUAL(pd_json_text(d, "help", ""), "a test");
	param = json_array_get(json_object_get(d, "params"), 0);
	CU_ASSERT_STRING_EQUAL(pd_json_text(param, "name", ""), "word");
	CU_ASSERT_STRING_EQUAL(pd_json_text(param, "type", ""), "string");
	CU_ASSERT_TRUE(pd_json_true(param, "required"));
	CU_ASSERT_PTR_NULL(pd_workflow_describe("/nowhere.lua", library, reg, &err));
	CU_ASSERT_STRING_EQUAL(err->id, "file-read");
	unlink(path);
	rmdir(folder);
}

static void test_folder(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static CU_TestInfo tests[] = {
	{ "a good plan", test_good },
	{ "digest", test_digest },
	{ "fields", test_fields },
	{ "contradictions", test_contradictions },
	{ "references", test_references },
	{ "steps", test_steps },
	{ "folder for scripts", test_folder },
	{ "planning is pure", test_pure },
	{ "errors of scripts", test_error },
	{ "describe", test_describe },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("workflow", tests);
