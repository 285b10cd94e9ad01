/* SPDX-License-Identifier: MIT */
/* How long a run takes: learned from a journal, hinted by a catalog, declared. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "run/estimate.h"

#include "unit.h"

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

static json_t *json(const char *text)
{
	pd_auto_free char *copy = pd_strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return pd_json_parse(copy, strlen(copy), "test", NULL);
}

/* A plan of workflow @p name: look (5 s declared), stop (10 s, can be undone),
 * install (120 s declared; the catalog says 40 + 60), reboot. */
static json_t *plan(const char *name)
{
	json_t *p = json(
	"{'format': 1, 'workflow': 'w', 'role': 'r', 'script': 'w.lua', 'script_digest': '00',"
	" 'server': 'alpha', 'params': {}, 'rounds': 1, 'catalogs': [],"
	" 'stages': [{'name': 'one', 'on_failure': 'stop'}],"
	" 'steps': ["
	"{'id': 'one/look', 'stage': 0, 'plugin': 'demo', 'step': 'look', 'where': 'w:1', 'args': {}},"
	"{'id': 'one/stop', 'stage': 0, 'plugin': 'demo', 'step': 'stop', 'where': 'w:2', 'args': {}},"
	"{'id': 'one/install', 'stage': 0, 'plugin': 'demo', 'step': 'install', 'where': 'w:3',"
	" 'args': {'updates': {'$updates': [{'id': 'a', 'expected': 40}, {'id': 'b', 'expected': 60}]}}},"
	"{'id': 'one/boot', 'stage': 0, 'plugin': 'demo', 'step': 'reboot', 'where': 'w:4', 'args': {}}"
	"]}");

	json_object_set_new(p, "workflow", json_string(name));
	return p;
}

static void add(struct pd_journal *j, const char *run, const char *kind, const char *step,
		json_t *data_take)
{
	pd_auto_json *data = data_take;
	pd_auto_free char *line = pd_json_line(data);
	struct pd_event e;

	CU_ASSERT_TRUE_FATAL(pd_journal_add(j, run, kind, step, line, false, &e, NULL));
}

static void begin(struct pd_journal *j, const char *run, const char *workflow)
{
	add(j, run, "run", "", json_pack("{s:s}", "server", "alpha"));
	add(j, run, "plan", "", json_pack("{s:i, s:o}", "round", 1, "plan", plan(workflow)));
}

static void took(struct pd_journal *j, const char *run, const char *kind, const char *step,
		 const char *result, double seconds)
{
	add(j, run, kind, step, json_pack("{s:s, s:f}", "result", result, "seconds", seconds));
}

/* A run of this plan, nothing done. */
static struct pd_record *record(json_t *plan_take)
{
	struct pd_record *r = pd_record_new("now");
	pd_auto_json *data = json_pack("{s:i, s:o}", "round", 1, "plan", plan_take);
	struct pd_event e = { .run = "now", .kind = "plan", .step = "", .data = data };

	CU_ASSERT_TRUE_FATAL(pd_record_apply(r, &e, NULL));
	return r;
}

/* What the steps of workflow w are expected to take by this journal. */
static struct pd_estimate ask(struct pd_journal *j, struct pd_registry *reg)
{
	struct pd_record *r = record(plan("w"));
	struct pd_estimate t = {0};

	CU_ASSERT_TRUE_FATAL(pd_estimate_make(&t, j, r, reg, NULL));
	CU_ASSERT_EQUAL(t.n, 4);
	pd_record_free(r);
	return t;
}

#define NEAR(a, b) CU_ASSERT_DOUBLE_EQUAL((a), (b), 0.001)

static struct pd_journal *open_journal(char folder[])
{
	struct pd_journal *j;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	j = pd_journal_open(folder, false, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static void close_journal(struct pd_journal *j, const char *folder)
{
	static const char *const names[] = { "journal.db", "journal.db-wal", "journal.db-shm",
		"journal.head" };

	pd_journal_close(j);
	for (size_t i = 0; i < 4; i++) {
		pd_auto_free char *path = pd_print("%s/%s", folder, names[i]);

		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void test_nothing_learned(void)
{
	struct pd_registry *reg = demo();
	struct pd_estimate t = ask(NULL, reg);

	NEAR(t.todo[0], 5);
	NEAR(t.todo[1], 10);
	NEAR(t.todo[2], 100); /* the catalog knows better than the plugin */
	NEAR(t.todo[3], 60);
	NEAR(t.back[1], 10);
	NEAR(t.back[0] + t.back[2] + t.back[3], 0); /* they can't be undone */
	pd_estimate_clear(&t);
	pd_registry_free(reg);
}

static void test_learned(void)
{
	char folder[] = "/tmp/pd-estimate-XXXXXX";
	struct pd_journal *j = open_journal(folder);
	struct pd_registry *reg = demo();
	struct pd_estimate t;

	/* 1 to 30 seconds: the last 20 are 11 to 30, their 95th percentile 29 */
	for (int i = 1; i <= 30; i++) {
		pd_auto_free char *run = pd_print("run%02d", i);

		begin(j, run, "w");
		took(j, run, "done", i == 30 ? "r2/one/stop" : "one/stop", "changed", i);
		took(j, run, "done", "one/install", "unchanged", 0.01);
		took(j, run, "done", "one/look", "unchanged", 0.25);
	}
	took(j, "run30", "undone", "one/stop", "changed", 3.5);
	t = ask(j, reg);
	NEAR(t.todo[0], 0.25); /* looking is all it does */
	NEAR(t.todo[1], 29);
	NEAR(t.todo[2], 100);  /* there was nothing to install: nothing learned */
	NEAR(t.back[1], 3.5);
	pd_estimate_clear(&t);
	pd_registry_free(reg);
	close_journal(j, folder);
}

static void test_verb_and_reboot(void)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	char folder[] = "/tmp/pd-estimate-XXXXXX";
	struct pd_journal *j = open_journal(folder);
	struct pd_registry *reg = demo();
	struct pd_estimate t;

	begin(j, "a", "other");
	took(j, "a", "done", "one/stop", "changed", 77);
	add(j, "a", "reboot", "one/boot", json_object());
	nanosleep(&pause, NULL);
	took(j, "a", "done", "one/boot", "changed", 0.001);
	t = ask(j, reg);
	NEAR(t.todo[1], 77); /* another workflow's, by the verb */
	CU_ASSERT(t.todo[3] >= 0.2 && t.todo[3] < 70); /* from the asking to the proof */
	pd_estimate_clear(&t);
	begin(j, "b", "w");
	took(j, "b", "done", "one/stop", "changed", 4);
	t = ask(j, reg);
	NEAR(t.todo[1], 4); /* its own counts more */
	pd_estimate_clear(&t);
	pd_registry_free(reg);
	close_journal(j, folder);
}

/* What is left from step @p from on, and to take back after that. */
#define LEFT(from, do_seconds, undo_seconds) do { \
	double todo = -1, undo = -1; \
	pd_estimate_rest(&t, r, (from), &todo, &undo); \
	NEAR(todo, (do_seconds)); \
	NEAR(undo, (undo_seconds)); \
} while (0)

static void test_what_is_left(void)
{
	struct pd_registry *reg = demo();
	struct pd_record *r = record(plan("w"));
	struct pd_estimate t = {0};

	CU_ASSERT_TRUE_FATAL(pd_estimate_make(&t, NULL, r, reg, NULL));
	LEFT(0, 175, 10);
	LEFT(2, 160, 0); /* nothing before it was done */
	r->steps[0].state = PD_STEP_DONE;
	r->steps[1].state = PD_STEP_DONE;
	r->steps[1].applied = true;
	LEFT(2, 160, 10);
	r->steps[1].state = PD_STEP_UNDONE;
	LEFT(2, 160, 0);
	r->steps[1].state = PD_STEP_FAILED; /* stage one stops at a failure: it is done again */
	LEFT(1, 170, 10);
	/* what a person or another plan has left out, and what was done before */
	r->steps[2].state = PD_STEP_SKIPPED;
	LEFT(1, 70, 10);
	r->steps[3].dropped = true;
	LEFT(1, 10, 10);
	r->steps[2].state = PD_STEP_DONE;
	r->steps[3].dropped = false;
	LEFT(1, 70, 10);
	pd_estimate_clear(&t);
	pd_record_free(r);
	pd_registry_free(reg);
}

/* look, stop holds install, reboot. */
static void test_holds(void)
{
	struct pd_registry *reg = demo();
	json_t *p = plan("w"), *steps = json_object_get(p, "steps");
	struct pd_estimate t = {0};
	struct pd_record *r;

	json_object_set_new(json_array_get(steps, 1), "hold", json_true());
	json_object_set_new(json_array_get(steps, 2), "inside", json_pack("[i]", 1));
	r = record(p);
	CU_ASSERT_TRUE_FATAL(pd_estimate_make(&t, NULL, r, reg, NULL));
	LEFT(0, 185, 0); /* given back on the way, not in an undo after that */
	r->steps[0].state = PD_STEP_DONE;
	r->steps[1].state = PD_STEP_DONE;
	r->steps[1].applied = true;
	LEFT(2, 170, 0); /* it is held */
	r->steps[1].state = PD_STEP_UNDONE;
	LEFT(2, 180, 0); /* while the run waited it was given back: once more */
	r->steps[1].state = PD_STEP_SKIPPED;
	r->steps[1].applied = false;
	LEFT(2, 160, 0);
	r->steps[1].state = PD_STEP_DONE;
	r->steps[1].applied = true;
	r->steps[2].state = PD_STEP_DONE;
	LEFT(3, 70, 0); /* the next step gives it back */
	r->steps[1].state = PD_STEP_UNDONE;
	LEFT(3, 60, 0);
	pd_estimate_clear(&t);
	pd_record_free(r);
	pd_registry_free(reg);
}

static struct CU_TestInfo tests[] = {
	{ "nothing learned yet", test_nothing_learned },
	{ "learned by step", test_learned },
	{ "learned by verb; reboots", test_verb_and_reboot },
	{ "what is left of a run", test_what_is_left },
	{ "holds are given back, and taken again", test_holds },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("estimate", tests);
