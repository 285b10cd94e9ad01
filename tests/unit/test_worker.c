/* SPDX-License-Identifier: MIT */
/* The worker: whatever a callback does is one result, and nothing is left. */
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/apart.h"
#include "plugin/arguments.h"
#include "plugin/registry.h"
#include "plugin/spawner.h"
#include "plugin/worker.h"
#include "unit.h"

static struct pd_registry *registry;
static char *work;
static struct pd_spawner *spawner; /* NULL: workers are forked from here */

/* What came out of a worker, as text. */
struct heard {
	struct pd_buffer text;
	struct pd_worker_result r;
	size_t frames;
	const char *cancel_at; /* the run is stopped once it has heard this; NULL: never */
	bool full;            /* the journal takes nothing */
	bool kills;           /* the process that has read the first item, while it sends more */
};

static void on_log(void *user, int level, const char *text)
{
	struct heard *h = user;

	h->frames++;
	pd_buffer_print(&h->text, "log%d(%s)", level, text);
}

static void on_progress(void *user, int64_t done, int64_t total, const char *text)
{
	struct heard *h = user;

	h->frames++;
	pd_buffer_print(&h->text, "progress(%lld/%lld %s)", (long long)done, (long long)total,
			text ? text : "");
}

static bool on_remember(void *user, const char *key, const char *value)
{
	struct heard *h = user;

	pd_buffer_print(&h->text, "remember(%s=%s)", key, value ? value : "NULL");
	return !h->full;
}

static void on_output(void *user, const char *name, json_t *value)
{
	pd_auto_free char *line = pd_json_line(value);

	pd_buffer_print(&((struct heard *)user)->text, "output(%s=%s)", name, line);
}

static bool on_evidence(void *user, const char *path, const char *title, int64_t bytes,
			const char *sha256)
{
	pd_buffer_print(&((struct heard *)user)->text, "evidence(%s %s %lld %.8s)",
			strrchr(path, '/') + 1, title, (long long)bytes, sha256);
	return !((struct heard *)user)->full;
}

static void on_inhibit(void *user, const char *risk, const char *cause, const char *remedy)
{
	pd_buffer_print(&((struct heard *)user)->text, "inhibit(%s|%s|%s)", risk, cause, remedy);
}

static void on_fact(void *user, const char *kind, json_t *row)
{
	pd_auto_free char *line = pd_json_line(row);

	pd_buffer_print(&((struct heard *)user)->text, "fact(%s %s)", kind, line);
}

static void kill_reader(struct heard *h, const char *item)
{
	int pid;

	if (sscanf(item, "1 by %d", &pid) == 1) {
		h->kills = false;
		CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
	}
}

static bool on_emit(void *user, struct pd_emitted *e)
{
	struct heard *h = user;
	const struct pd_package_row *package = &e->part.package;

	if (h->kills && e->what == PD_EMIT_IGNORED)
		kill_reader(h, e->part.ignored.what);

	if (e->what == PD_EMIT_BEGIN)
		pd_buffer_print(&h->text, "begin(%s %u %u)", e->part.head.id, e->part.head.severity,
				e->line);
	else if (e->what == PD_EMIT_PACKAGE)
		pd_buffer_print(&h->text, "package(%s %s %u)", package->name, package->version,
				package->payload);
	else if (e->what == PD_EMIT_IGNORED)
		pd_buffer_print(&h->text, "ignored(%u %s)", e->part.ignored.line,
				e->part.ignored.what);
	else
		pd_buffer_print(&h->text, "part%d", e->what);
	return !h->full;
}

static bool on_tick(void *user)
{
	struct heard *h = user;

	return !h->cancel_at || !strstr(h->text.data, h->cancel_at);
}

static struct heard call_with(struct pd_worker_call call, const char *args, struct heard h)
{
	const struct pd_worker_sink sink = {
		.user = &h, .log = on_log, .progress = on_progress, .remember = on_remember,
		.output = on_output, .evidence = on_evidence, .inhibit = on_inhibit,
		.fact = on_fact, .emit = on_emit, .tick = on_tick,
	};
	struct pd_error *err = NULL;
	pd_auto_json *given = json_loads(args, 0, NULL);
	pd_auto_json *checked = NULL;

	pd_buffer_text(&h.text, "");
	call.plugin = pd_registry_find(registry, "act", &err);
	call.work_dir = work;
	call.spawner = spawner;
	if (call.step) {
		checked = pd_arguments_check(call.step, "act", given, &err);
		call.args = checked;
	}
	if ((call.step && !checked) || !pd_worker_run(&call, &sink, &h.r, &err)) {
		h.r.result = -99;
		h.r.message = pd_error_text(err);
		pd_error_free(err);
	}
	return h;
}

static struct heard act(enum pd_phase phase, const char *args)
{
	struct pd_worker_call call = { .phase = phase };

	call.step = pd_registry_step(registry, "act.act", NULL, NULL);
	return call_with(call, args, (struct heard){0});
}

/* Apply what BEHAVIOURS names. */
static struct heard apply(const char *how)
{
	pd_auto_free char *args = pd_print("{\"how\":\"%s\"}", how);

	return act(PD_PHASE_APPLY, args);
}

static void forget(struct heard *h)
{
	pd_buffer_clear(&h->text);
	pd_worker_result_clear(&h->r);
}

static bool has(const char *text, const char *part)
{
	bool yes = text && strstr(text, part);

	if (!yes)
		printf("\n    '%s'\n    is not in '%s'\n", part, text ? text : "NULL");
	return yes;
}

#define SAYS(h, want, part)                                     \
	do {                                                    \
		CU_ASSERT_EQUAL((h).r.result, (want));          \
		CU_ASSERT(has((h).r.message, (part)));          \
		forget(&(h));                                   \
	} while (0)

#define HEARD(h, want, part)                                    \
	do {                                                    \
		CU_ASSERT_EQUAL((h).r.result, (want));          \
		CU_ASSERT(has((h).text.data, (part)));          \
		if ((h).r.message)                              \
			printf("\n    %s\n", (h).r.message);    \
		forget(&(h));                                   \
	} while (0)

static void test_returns(void)
{
	struct pd_worker_call call = { .phase = PD_PHASE_CHECK };
	struct heard h = apply("fine");

	HEARD(h, PD_CHANGED, "log2(1 5 2048 60 - - 2a)");
	h = apply("silent");
	SAYS(h, PD_RETRY, "apply failed (-3) without saying why (a bug of plugin 'act')");
	h = apply("liar");
	SAYS(h, PD_FAILED, "said \"it is not done\" and then returned success");
	h = apply("odd");
	SAYS(h, PD_FAILED, "returned 42, which is no enum pd_result");
	h = act(PD_PHASE_VERIFY, "{\"how\":\"fine\"}");
	SAYS(h, PD_FAILED, "verify returned PD_CHANGED");
	h = apply("got_over");
	HEARD(h, PD_UNCHANGED, "log1(cannot run no-such-program-here");
	h = apply("count_up");
	CU_ASSERT_EQUAL(h.r.result, PD_CHANGED);
	forget(&h);
	h = apply("count_up");
	CU_ASSERT_EQUAL(h.r.result, PD_CHANGED);
	forget(&h);
	call.step = pd_registry_step(registry, "act.rooted", NULL, NULL);
	if (geteuid() != 0 || seteuid(65534) != 0)
		return;
	h = call_with(call, "{}", (struct heard){0});
	CU_ASSERT_EQUAL(seteuid(0), 0);
	SAYS(h, PD_REFUSED, "this step needs root, and is run by user 65534");
	h = call_with(call, "{}", (struct heard){0});
	CU_ASSERT_EQUAL(h.r.result, PD_UNCHANGED);
	forget(&h);
}

static void test_crashes(void)
{
	struct heard h = apply("crash");

	CU_ASSERT_EQUAL(h.r.signal, SIGSEGV);
	CU_ASSERT(has(h.r.detail, "backtrace:"));
	CU_ASSERT(has(h.r.detail, "act.so"));
	SAYS(h, PD_FAILED, "apply crashed: signal 11");
	h = apply("stack");
	CU_ASSERT(has(h.r.detail, "backtrace:"));
	SAYS(h, PD_FAILED, "apply crashed: signal 11");
	h = apply("jump");
	CU_ASSERT(has(h.r.detail, "backtrace:\n(none: it jumped"));
	SAYS(h, PD_FAILED, "apply crashed: signal 11");
	h = apply("give_up");
	CU_ASSERT(has(h.r.detail, "last words"));
	SAYS(h, PD_FAILED, "apply crashed: signal 6");
	h = apply("leave");
	SAYS(h, PD_FAILED, "apply called exit(0)");
	h = apply("scribble");
	SAYS(h, PD_FAILED, "wrote to the descriptor");
}

/* A worker is bounded, and the first that the kernel ends; what it starts is not. */
static void test_bounds(void)
{
	struct pd_worker_call call = { .phase = PD_PHASE_APPLY };
	struct heard h = {0};

	if (!getenv("PD_VALGRIND") && !SANITIZED) { /* whose malloc() is another */
		h = apply("eat");
		CU_ASSERT(has(h.r.detail, "backtrace:"));
		SAYS(h, PD_FAILED, "apply is out of memory: it wanted more than ");
	}
	call.step = pd_registry_step(registry, "act.act", NULL, NULL);
	h = call_with(call, "{\"how\":\"lines\",\"text\":\"cat /proc/$PPID/oom_score_adj\"}", (struct heard){0});
	CU_ASSERT(has(h.text.data, "1:1:500"));
	forget(&h);
	h = call_with(call, "{\"how\":\"lines\",\"text\":\"cat /proc/self/oom_score_adj; ulimit -d\"}",
		      (struct heard){0});
	CU_ASSERT(!strstr(h.text.data, ":500") && has(h.text.data, ":unlimited"));
	forget(&h);
}

static void test_time(void)
{
	struct pd_worker_call call = { .phase = PD_PHASE_APPLY, .time_limit = 1 };
	struct heard h;

	call.step = pd_registry_step(registry, "act.act", NULL, NULL);
	h = call_with(call, "{\"how\":\"spin\"}", (struct heard){0});
	CU_ASSERT(h.r.timed_out && h.r.seconds > 1.9);
	SAYS(h, PD_FAILED, "took longer than its limit of 1s, did not stop within 1s");
	h = call_with(call, "{\"how\":\"deaf\"}", (struct heard){0});
	SAYS(h, PD_FAILED, "and was killed");
	h = call_with(call, "{\"how\":\"shut\"}", (struct heard){0});
	SAYS(h, PD_FAILED, "limit of 1s");
	h = call_with(call, "{\"how\":\"freeze\"}", (struct heard){0});
	SAYS(h, PD_FAILED, "limit of 1s");
	h = call_with(call, "{\"how\":\"command\",\"text\":\"trap '' TERM; sleep 500 & sleep 500\"}",
		      (struct heard){0});
	CU_ASSERT(h.r.seconds < 400);
	SAYS(h, PD_FAILED, "limit of 1s");
	call.step = pd_registry_step(registry, "act.patient", NULL, NULL);
	h = call_with(call, "{\"how\":\"polite\"}", (struct heard){0});
	CU_ASSERT(h.r.timed_out);
	SAYS(h, PD_CANCELED, "stopped where it was safe");
	call.time_limit = 0;
	h = call_with(call, "{\"how\":\"polite\"}", (struct heard){ .cancel_at = "waiting" });
	CU_ASSERT(!h.r.timed_out);
	SAYS(h, PD_CANCELED, "stopped where it was safe");
	h = call_with(call, "{\"how\":\"lines\",\"text\":\"echo x; sleep 500\"}",
		      (struct heard){ .cancel_at = "1:1:x" });
	CU_ASSERT(h.r.seconds < 400);
	SAYS(h, PD_CANCELED, "sh was ended, since the step is being stopped");
}

/* Processes with the name of the pieces of our bomb. */
static size_t count_bombs(void)
{
	pd_auto_free char *ours = pd_print("bomb-%d\n", (int)getpid());
	DIR *dir = opendir("/proc");
	struct dirent *d;
	size_t n = 0;

	while (dir && (d = readdir(dir))) {
		pd_auto_free char *path = pd_print("/proc/%s/comm", d->d_name);
		pd_auto_free char *name = pd_file_read(path, 100, NULL, NULL);

		n += name && strcmp(name, ours) == 0;
	}
	if (dir)
		closedir(dir);
	return n;
}

static void test_nothing_left(void)
{
	struct heard h = apply("bomb");

	SAYS(h, PD_FAILED, "the bomb is laid");
	CU_ASSERT_EQUAL(count_bombs(), 0);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), spawner ? 0 : -1); /* no zombies of ours either */
	h = act(PD_PHASE_APPLY, "{\"how\":\"daemon\",\"text\":"
		"\"setsid sleep 1000 & echo started\"}");
	CU_ASSERT(h.r.seconds < 500); /* although it holds the output open */
	HEARD(h, PD_CHANGED, "log2(0|started");
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), spawner ? 0 : -1);
}

/* A child that the core had before must survive. */
static void test_other_children(void)
{
	pid_t mine = fork();
	struct heard h;

	if (mine == 0) {
		for (;;)
			pause();
	}
	h = apply("bomb");
	SAYS(h, PD_FAILED, "the bomb is laid");
	CU_ASSERT_EQUAL(count_bombs(), 0);
	CU_ASSERT_EQUAL(kill(mine, 0), 0);
	CU_ASSERT_EQUAL(waitpid(mine, NULL, WNOHANG), 0);
	kill(mine, SIGKILL);
	CU_ASSERT_EQUAL(waitpid(mine, NULL, 0), mine);
}

/* What is done in pd_apart(): the word says what. */
static json_t *part(void *user, struct pd_error **err)
{
	const char *how = user;
	json_t *value;
	struct heard h;

	if (strcmp(how, "bomb") == 0) {
		h = apply("bomb");
		value = json_pack("{s:s?, s:I}", "message", h.r.message, "left", (json_int_t)count_bombs());
		forget(&h);
		return value;
	}
	if (strcmp(how, "signal") == 0)
		raise(SIGKILL);
	if (strcmp(how, "exit") == 0)
		_exit(7);
	pd_error_at(err, "file-read", "/x", 3, 0, "no \xff");
	pd_error_remedy(err, "look there");
	return NULL;
}

static json_t *apart(const char *how, struct pd_error **err)
{
	return pd_apart(part, (void *)(uintptr_t)how, err);
}

/* A part of the work in a process of its own has workers, and leaves nothing either. */
static void test_apart(void)
{
	struct pd_error *err = NULL;
	json_t *value = apart("bomb", &err);

	CU_ASSERT_STRING_EQUAL(pd_json_text(value, "message", ""), "the bomb is laid");
	CU_ASSERT_EQUAL(pd_json_number(value, "left", -1), 0);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	json_decref(value);
	CU_ASSERT_PTR_NULL(apart("error", &err));
	CU_ASSERT_FATAL(err != NULL);
	CU_ASSERT_STRING_EQUAL(err->id, "file-read");
	CU_ASSERT_STRING_EQUAL(err->where, "/x:3");
	CU_ASSERT_STRING_EQUAL(err->message, "no \\xff");
	CU_ASSERT_STRING_EQUAL(err->remedy, "look there");
	pd_error_free(err);
	err = NULL;
	CU_ASSERT_PTR_NULL(apart("signal", &err));
	CU_ASSERT(err && strcmp(err->id, "apart") == 0 && has(err->message, "ended by signal 9"));
	pd_error_free(err);
	err = NULL;
	CU_ASSERT_PTR_NULL(apart("exit", &err));
	CU_ASSERT(err && has(err->message, "ended with status 7"));
	pd_error_free(err);
}

static void test_much_output(void)
{
	struct rusage use;
	struct heard h = apply("flood");

	getrusage(RUSAGE_SELF, &use);
	CU_ASSERT(use.ru_maxrss < 200 * 1024);
	CU_ASSERT(h.r.detail && strlen(h.r.detail) < 8192);
	CU_ASSERT(has(h.r.detail, "the last line"));
	SAYS(h, PD_FAILED, "flooded");
	h = apply("chatter");
	CU_ASSERT(h.text.len < (size_t)8 << 20);
	CU_ASSERT(h.frames > 1000 && h.frames < 200000);
	HEARD(h, PD_CHANGED, "too many log lines");
}

static void test_memory(void)
{
	struct pd_worker_call call = { .phase = PD_PHASE_UNDO };
	pd_auto_json *known = json_pack("{s:s}", "old", "before");
	struct heard h = apply("forget");

	HEARD(h, PD_CHANGED, "remember(a=1)remember(b=2)remember(a=NULL)");
	call.step = pd_registry_step(registry, "act.act", NULL, NULL);
	call.remembered = known;
	h = call_with(call, "{\"how\":\"learn\"}", (struct heard){0});
	HEARD(h, PD_CHANGED, "remember(old=new)log2(before then new)");
	CU_ASSERT_STRING_EQUAL(pd_json_text(known, "old", ""), "before");
	h = call_with(call, "{\"how\":\"learn\"}", (struct heard){ .full = true });
	SAYS(h, PD_FAILED, "nothing is known");
	h = act(PD_PHASE_CHECK, "{\"how\":\"forget\"}");
	SAYS(h, PD_FAILED, "pd_remember() is not allowed in check");
	h = apply("evidence");
	HEARD(h, PD_CHANGED, "evidence(proof a proof 3 ba7816bf)");
	h = act(PD_PHASE_CHECK, "{\"how\":\"touch\",\"path\":\"/nonexistent\"}");
	SAYS(h, PD_FAILED, "pd_write_file() is not allowed in check");
}

static void test_outputs(void)
{
	struct heard h = apply("put");

	CU_ASSERT(has(h.text.data, "output(flag=true)"));
	CU_ASSERT(has(h.text.data, "output(number=7)"));
	CU_ASSERT(has(h.text.data, "output(path=\"/a/b\")"));
	HEARD(h, PD_CHANGED, "output(items=[\"x,y\",\"z\"])");
	h = apply("undeclared");
	SAYS(h, PD_FAILED, "output 'nmber' is not declared");
	h = apply("mistyped");
	SAYS(h, PD_FAILED, "number must be a whole number, not 'seven'");
	h = act(PD_PHASE_CHECK, "{\"how\":\"inhibit\"}");
	CU_ASSERT(has(h.text.data, "inhibit(data is lost|the disk is full|free some)"));
	SAYS(h, PD_REFUSED, "the disk is full");
	h = apply("inhibit");
	SAYS(h, PD_FAILED, "pd_inhibit() is only allowed in check");
	h = apply("rubbish");
	HEARD(h, PD_CHANGED, "bad ?? bytes ?[31m and \303\244");
	h = act(PD_PHASE_APPLY, "{\"how\":\"updates\",\"updates\":{\"$updates\":[{\"id\":\"u1\","
		"\"severity\":\"important\",\"kind\":\"security\",\"restart\":\"reboot\",\"packages\":"
		"[{\"name\":\"p\",\"version\":\"1\",\"scheme\":\"deb\",\"bytes\":5},"
		"{\"name\":\"q\",\"version\":\"2\"}]}]}}");
	HEARD(h, PD_CHANGED, "log2(u1 4 1 4 p 1 1 5)log2(u1 4 1 4 q 2 0 -1)");
}

static void test_secrets(void)
{
	struct heard h;
	const char *secret = "hunter2-hunter2";

	setenv("PD_TEST_SECRET", secret, 1);
	h = act(PD_PHASE_APPLY, "{\"how\":\"tell_secret\",\"secret\":{\"$secret\":{\"env\":\"PD_TEST_SECRET\"}}}");
	CU_ASSERT_PTR_NULL(strstr(h.text.data, "hunter2"));
	CU_ASSERT(has(h.text.data, "it is ***, twice ***)"));
	CU_ASSERT(has(h.text.data, "progress(1/2 ***)log2(***)"));
	CU_ASSERT_PTR_NULL(strstr(h.r.detail, "hunter2"));
	CU_ASSERT(has(h.r.detail, "printed ***"));
	SAYS(h, PD_FAILED, "failed with ***");
	h = act(PD_PHASE_APPLY, "{\"how\":\"split_secret\",\"secret\":{\"$secret\":{\"env\":\"PD_TEST_SECRET\"}}}");
	HEARD(h, PD_CHANGED, "log2(***)log2(***)");
	h = act(PD_PHASE_APPLY, "{\"how\":\"store_secret\",\"secret\":{\"$secret\":{\"env\":\"PD_TEST_SECRET\"}}}");
	CU_ASSERT_PTR_NULL(strstr(h.text.data, "hunter2"));
	SAYS(h, PD_FAILED, "contains a secret, which is never stored");
	setenv("PD_TEST_SECRET", "first-part\nother-part", 1);
	h = act(PD_PHASE_APPLY, "{\"how\":\"tell_secret\",\"secret\":{\"$secret\":{\"env\":\"PD_TEST_SECRET\"}}}");
	CU_ASSERT_PTR_NULL(strstr(h.text.data, "part"));
	SAYS(h, PD_FAILED, "failed with ***");
}

static void test_command(void)
{
	struct heard h = act(PD_PHASE_APPLY,
		"{\"how\":\"command\",\"text\":\"echo out; echo err >&2; exit 3\"}");

	HEARD(h, PD_CHANGED, "log2(3|out\n|err\n)");
	h = act(PD_PHASE_APPLY, "{\"how\":\"signaled\",\"text\":\"kill -9 $$\"}");
	HEARD(h, PD_CHANGED, "log2(137||)");
	h = apply("missing");
	SAYS(h, PD_FAILED, "cannot run no-such-program-here: there is no such program in /usr/sbin:");
	h = act(PD_PHASE_APPLY, "{\"how\":\"big\",\"text\":\"head -c 300000000 /dev/zero\"}");
	HEARD(h, PD_CHANGED, "log2(0 1000 0)");
	h = act(PD_PHASE_APPLY,
		"{\"how\":\"lines\",\"text\":\"printf 'a\\\\nb\\\\n\\\\nc'; sleep 0.1; echo e >&2\"}");
	HEARD(h, PD_CHANGED, "1:1:a)log2(2:1:b)log2(3:1:)log2(4:2:e)log2(5:1:c)");
	h = act(PD_PHASE_APPLY, "{\"how\":\"late\",\"text\":"
		"\"sh -c 'trap : TERM; echo $$; while :; do sleep 9; done' & sleep 500\"}");
	CU_ASSERT(h.r.seconds < 400);
	SAYS(h, PD_FAILED, "sh took longer than its limit of 1 s and was ended");
	h = act(PD_PHASE_APPLY, "{\"how\":\"feed\",\"text\":\"wc -c\"}");
	HEARD(h, PD_CHANGED, "log2(3145728");
	h = act(PD_PHASE_APPLY, "{\"how\":\"feed\",\"text\":\"exec <&-; echo closed\"}");
	HEARD(h, PD_CHANGED, "log2(closed");
	setenv("PD_TEST_SECRET", "hunter2-hunter2", 1);
	h = act(PD_PHASE_APPLY, "{\"how\":\"feed_secret\",\"text\":\"md5sum\","
		"\"secret\":{\"$secret\":{\"env\":\"PD_TEST_SECRET\"}}}");
	HEARD(h, PD_CHANGED, "log2(848008384f4ebc615c194c1a85e34eb2");
}

static void test_surroundings(void)
{
	int leak = open("/dev/null", O_RDONLY); /* not O_CLOEXEC */
	struct heard h = apply("alone");

	HEARD(h, PD_CHANGED, "log2(own session, 0 1 2 3)");
	h = act(PD_PHASE_APPLY, "{\"how\":\"command\",\"text\":\"ls /proc/self/fd\"}");
	HEARD(h, PD_CHANGED, "log2(0|0\n1\n2\n3\n|)"); /* 3: the folder that ls reads */
	h = act(PD_PHASE_APPLY, "{\"how\":\"command\",\"text\":\"env -u PWD -u SHLVL -u _ | sort | tr '\\\\n' ' '\"}");
	CU_ASSERT_PTR_NULL(strstr(h.text.data, "PD_TEST_SECRET"));
	CU_ASSERT(has(h.text.data, "LANG=other LC_ALL=C.UTF-8 MORE=1"));
	HEARD(h, PD_CHANGED, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	h = act(PD_PHASE_APPLY, "{\"how\":\"command\",\"text\":\"umask; ulimit -c; pwd; cat; "
		"(: </dev/tty) 2>/dev/null || echo no terminal\"}");
	HEARD(h, PD_CHANGED, "log2(0|0022\n0\n/\nno terminal\n|");
	close(leak);
	if (spawner) /* has the environment that it was started in */
		return;
	setenv("PATCHDAY_PATH", work, 1);
	h = act(PD_PHASE_APPLY, "{\"how\":\"command\",\"text\":\"true\"}");
	SAYS(h, PD_FAILED, "there is no such program in /");
	unsetenv("PATCHDAY_PATH");
}

static struct heard read_with(struct pd_worker_call call, const char *name, const char *source,
			      struct heard h)
{
	const struct pd_plugin *p = pd_registry_find(registry, "act", NULL);
	pd_auto_free char *path = pd_print("%s/source", work);
	pd_auto_close int fd = -1;
	pd_auto_error *err = NULL;

	call.phase = PD_PHASE_READ;
	call.source_fd = -1;
	call.source_name = "test.xml";
	for (size_t i = 0; p->readers[i]; i++)
		if (strcmp(p->readers[i]->name, name) == 0)
			call.reader = p->readers[i];
	if (source && pd_file_write(path, 0600, source, strlen(source), &err))
		call.source_fd = fd = open(path, O_RDONLY | O_CLOEXEC);
	return call_with(call, "{}", h);
}

static struct heard read_by(const char *name, const char *source, bool full)
{
	return read_with((struct pd_worker_call){0}, name, source, (struct heard){ .full = full });
}

static void test_catalogs(void)
{
	struct heard h = read_by("rows", NULL, false);

	/* nothing is checked on this side; what an older plugin lacks is zero */
	HEARD(h, 0, "begin(good 4 0)part4package(a 1 1)part8begin(old 4 0)package(b 2 0)part8"
		    "ignored(9 a th?ing)");
	h = read_by("rows", NULL, true);
	SAYS(h, PD_FAILED, "read was ended: what it read was refused");
	h = read_by("large", NULL, false);
	SAYS(h, PD_FAILED, "a part of an update is larger than 16 MiB");
	h = read_by("xml", "<a>\n<u/></a>", false);
	HEARD(h, 0, "begin(u 4 2)part8");
	h = read_by("xml", "<a>\n<u/><fail/></a>", false);
	SAYS(h, PD_FAILED, "test.xml:2:10: this is <fail>");
	h = read_by("xml", "<a>\n<u></a>", false);
	SAYS(h, PD_FAILED, "test.xml:2:");
}

/* A document of items that tell where they stand; what is put before one of them. */
static struct pd_buffer items(int n, int at, const char *before)
{
	struct pd_buffer b = {0};

	pd_buffer_text(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<all\n>\n");
	for (int i = 1; i <= n; i++) {
		if (i == at)
			pd_buffer_text(&b, before);
		pd_buffer_print(&b, "  <item n=\"%d\">%080d</item>\n", i, i);
	}
	pd_buffer_text(&b, "</all>\n");
	return b;
}

/* NULL in @at: it does not stand there. (sscanf() would measure all of the text each time.) */
static long number_behind(const char **at, const char *word)
{
	bool there = *at && strncmp(*at, word, strlen(word)) == 0;
	char *end = NULL;
	long n = there ? strtol(*at + strlen(word), &end, 10) : 0;

	*at = end;
	return n;
}

/* Were the items 1 to n heard, each once and in order, those from @at on so many
 * rows further down?  @return the processes that have read them; 0: no. */
static size_t heard_items(const struct heard *h, int n, int at, int rows)
{
	const char *text = h->text.data ? h->text.data : "";
	long pids[64] = {0};
	size_t all = 0;

	for (int i = 1; i <= n; i++) {
		const char *rest = text;
		long row = number_behind(&rest, "ignored("), item = number_behind(&rest, " ");
		long pid = number_behind(&rest, " by ");
		size_t k = 0;

		if (!rest || *rest != ')' || item != i || row != i + 3 + (i >= at ? rows : 0))
			return 0;
		while (k < all && pids[k] != pid)
			k++;
		if (k == all && all < 63)
			pids[all++] = pid;
		text = rest + 1;
	}
	return *text ? 0 : all;
}

/* Those of the processes that were heard of which still are there; what was killed
 * needs a processor for its end. */
static size_t readers_left(const struct heard *h)
{
	struct timespec pause_a_bit = { .tv_nsec = 20000000 };
	size_t n = 1;

	for (int tries = 0; n && tries < 500; tries++) {
		const char *by = h->text.data;

		if (tries)
			nanosleep(&pause_a_bit, NULL);
		for (n = 0; by && (by = strstr(by, " by "));) {
			by += strlen(" by ");
			n += kill(atoi(by), 0) == 0;
		}
	}
	return n;
}

#define ITEMS 100000 /* three pieces of 4 MiB */

#define LATE 70000   /* in the second, before its end */

static void in_pieces(const char *before, int rows, size_t processes)
{
	pd_auto(pd_buffer) b = items(ITEMS, LATE, before);
	struct heard h = read_by("items", b.data, false);

	CU_ASSERT_EQUAL(h.r.result, 0);
	CU_ASSERT_EQUAL(heard_items(&h, ITEMS, LATE, rows), processes);
	forget(&h);
}

/* @n: of the items, as many were heard before it failed; 0: that is not known */
static void up_to(int n, const char *before, const char *message)
{
	pd_auto(pd_buffer) b = items(ITEMS, 40000, before);
	struct heard h = read_by("items", b.data, false);

	CU_ASSERT(!n || heard_items(&h, n, 40000, 1) > 0);
	SAYS(h, PD_FAILED, message);
}

#define LONG "<text>no piece of a document is as long as this one is</text>"

static const char *around(struct pd_buffer *b, const char *begin, const char *line, const char *end)
{
	b->len = 0;
	pd_buffer_print(b, "%s\n", begin);
	for (int i = 0; i < 50000; i++)
		pd_buffer_print(b, "%s\n", line);
	pd_buffer_print(b, "%s\n", end);
	return b->data;
}

static void test_items(void)
{
	pd_auto(pd_buffer) odd = {0};
	cpu_set_t set;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof(set), &set), 0);
	n = CPU_COUNT(&set) < 3 ? (size_t)CPU_COUNT(&set) : 3;
	in_pieces("", 0, n);
	up_to(ITEMS, "  <item>\n", "test.xml:100005:7: Opening and ending tag mismatch: item line 40003 and all");
	if (getenv("PD_VALGRIND")) /* the rest is the same code, six seconds each */
		return;
	up_to(39999, "  <fail/>\n", "test.xml:40003:8: this is <fail>");
	up_to(39999, "  </item>\n", "test.xml:40003:");
	up_to(0, "  <crash/>\n", "read crashed: signal 11 (Segmentation fault)");
	/* where a cut is none, another process reads the rest */
	in_pieces(around(&odd, "<!--", "<item n=\"0\">in a comment</item>", "-->"), 50002, 1 + (n > 1));
	in_pieces(around(&odd, "<item>", "<item>that is in another</item>", "</item>"), 50002, 1 + (n > 1));
	/* longer than any piece */
	in_pieces(around(&odd, "<long>", LONG LONG LONG LONG, "</long>"), 50002, 1 + 2 * (n > 1));
}

/* Lists of items in elements of the root, each longer than a piece but one; what is
 * put before one item of each of those. @same: all items have one name. */
static struct pd_buffer lists(const char *before, bool same)
{
	struct pd_buffer b = {0};

	pd_buffer_text(&b, "<?xml version=\"1.0\"?>\n<all xmlns=\"urn:a\"\n xmlns:p='urn:p'>\n"
			   "  <about>\n    <name>n</name>\n  </about>  <only/>\n\n");
	for (int list = 0; list < 4; list++) {
		int name = same ? 0 : list;

		pd_buffer_print(&b, "<list%d of=\"items\"><first a=\"&lt;&amp;&#228;\"/>\n", list);
		for (int i = 1; i <= (list == 2 ? 100 : 20000); i++) {
			if (i == 15000)
				pd_buffer_text(&b, before);
			pd_buffer_print(&b, "  <p:item%d n=\"%d\" p:v=''>%d &gt;\n<b/><![CDATA[<]]><!-- - --> "
					    "%050d</p:item%d>\n", name, i, i, i, name);
		}
		pd_buffer_print(&b, "</list%d>\n", list);
	}
	pd_buffer_text(&b, "<end/></all>\n");
	return b;
}

/* Read by one process, and by several: all that is heard has to be the same, and of
 * a message all but where what is not closed was opened.  @parsers: they are used to
 * the end; below zero: perhaps. */
static void text_as_one(const char *reader, const char *text, int parsers)
{
	pd_auto_free char *want = NULL;
	struct heard alone, h;
	const char *begun;
	cpu_set_t all, one;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof(all), &all), 0);
	n = CPU_COUNT(&all) < 4 ? (size_t)CPU_COUNT(&all) : 4;
	n = n > 1 ? n : 0;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof(one), &one), 0);
	alone = read_by(reader, text, false);
	CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof(all), &all), 0);
	h = read_by(reader, text, false);
	CU_ASSERT_EQUAL(h.r.result, alone.r.result);
	if (alone.r.result) {
		const char *opened = strstr(alone.r.message, " line ");
		size_t len = opened ? (size_t)(opened - alone.r.message) : strlen(alone.r.message) + 1;

		CU_ASSERT_NSTRING_EQUAL(h.r.message, alone.r.message, len);
	} else {
		CU_ASSERT_PTR_NOT_NULL_FATAL(begun = strstr(alone.text.data, "begun by 0 ended by 0)"));
		want = pd_print("%.*sbegun by %zu ended by %zu)", (int)(begun - alone.text.data),
				alone.text.data, n, parsers ? n : 0);
		want[parsers < 0 ? begun - alone.text.data : (ptrdiff_t)strlen(want)] = '\0';
		CU_ASSERT_NSTRING_EQUAL(h.text.data, want, parsers < 0 ? strlen(want) : strlen(want) + 1);
	}
	forget(&alone);
	forget(&h);
}

static void as_one(const char *reader, const char *before, bool same, bool parsers)
{
	pd_auto(pd_buffer) b = lists(before, same);

	text_as_one(reader, b.data, parsers);
}

static void test_told(void)
{
	pd_auto(pd_buffer) odd = {0};

	as_one("sum", "<skip>\n<a/></skip>", false, true);
	as_one("sum", around(&odd, "<!--", "<p:item0 n=\"0\">in a comment</p:item0>", "-->"), false, false);
	if (getenv("PD_VALGRIND")) /* the rest is the same code, twenty seconds each */
		return;
	as_one("sum", "", false, true);
	as_one("sum", "<fail/>", false, true);
	as_one("sum", "</p:item0>\n", false, true);
	as_one("sum", "<p:item0>", false, true);
	as_one("sum", "&unknown;", false, true);
	as_one("sum", "<q:item/>", false, true);
	as_one("sum", "</list0></all>", false, true);
	/* where a cut is none, one process reads the rest */
	as_one("sum", "", true, false);
	as_one("sum", "</list0>\n<list0 xmlns:p='urn:q'>", false, false);
	as_one("sum", around(&odd, "<p:item0>", "<p:item0>that is in another</p:item0>", "</p:item0>"), false, false);
	as_one("sum", around(&odd, "<skip>", "<p:item0>that is passed over</p:item0>", "</skip>"), false, false);
	as_one("sum", "</list0><a><b><c><d><e>", false, true);
	/* nor one in what the reader passes over, as it does in the last list */
	as_one("some", "<pass>\n<a/></pass>text", false, false);
	as_one("some", around(&odd, "<pass>", "<p:item0>that is passed over</p:item0>", "</pass>"), false, false);
}

/* Comments, sections and attributes with what looks like the end of a list and the start of
 * another one, with other names and namespaces, or like the end of those: none leads a cut,
 * or a head that is put before a piece, astray. */
static void test_hostile(void)
{
#define FAKE "</l><m xmlns='urn:evil'><i/>\n<i/>"
	static const struct {
		const char *begin, *before, *end;
	} cases[] = {
		/* what passes for the first item is in a comment, which a piece has the end of */
		{ "<l><!--</l><x/><l>\n<i/>\n<i/>-->", "<i><?p --><i>?></i>", "</l>" },
		{ "<l a='x'><![CDATA[</l><x/><l>\n<i/>\n<i/>]]>", "<i>]]&gt;</i>", "</l>" },
		{ "<g><!--</g><l xmlns='urn:evil'>\n<i/>\n<i/>--></g><l>", "", "</l>" },
		{ "<g><?p </g><l xmlns='urn:evil'>\n<i/>\n<i/>?></g><l>", "", "</l>" },
		/* of one row: the list ends that items stand in, and another one begins */
		{ "<l><i/><i/></l><l xmlns='urn:other' b='c'>", "", "</l>" },
		{ "<l><i/>\n<i/></l><l xmlns='urn:other'>", "", "</l>" },
		/* the end of a list that is none, before the one that is, of one row or of two */
		{ "<l>\n<j/>\n<j/>", "<!--" FAKE "--></l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<!--" FAKE "-->\n</l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<![CDATA[" FAKE "]]></l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<?p " FAKE "?></l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<j a='" FAKE "'/></l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<j><l>" FAKE "</m></j></l><m>", "</m>" },
		/* an element of the name of the list in it, which ends before the list does */
		{ "<j/><l b='c'><l><j/></l><i/><i/>", "</l>", "" },
		{ "<l>\n<j/>\n<j/>", "<j><l/></j></l><m>", "</m>" },
		{ "<l>\n<j/>\n<j/>", "<j><l><i/></l></j></l><m><i/><i/>", "</m>" },
		/* two lists end, one in the other, and another one begins */
		{ "<l><m>\n<j/>\n<j/>", "</m></l><x><i/><i/>", "</x>" },
		{ "<l><x/><m><g>\n<j/>\n<j/>", "</g>\n</m>\n</l><x>", "</x>" },
		/* names that would close a comment */
		{ "<l--><m--><i/><i/>", "</m--><!--\n<i/>\n<i/>\n", "--></l-->" },
		{ "<l--><i/><i/></l--><!--", "", "-->" },
	};

	for (size_t k = 0; k < (getenv("PD_VALGRIND") ? 1 : sizeof(cases) / sizeof(*cases)); k++) {
		pd_auto(pd_buffer) b = {0};

		pd_buffer_print(&b, "<?xml version='1.0'?>\n<all xmlns='urn:a'>%s\n", cases[k].begin);
		for (int i = 1; i <= 40000; i++) {
			const char *name = strstr(cases[k].begin, "<j/>") && i < 20000 ? "j" : "i";

			pd_buffer_print(&b, "%s<%s n='%d'>%060d</%s>\n", i == 20000 ? cases[k].before : "",
					name, i, i, name);
		}
		pd_buffer_print(&b, "%s</all>\n", cases[k].end);
		text_as_one("sum", b.data, -1);
	}
#undef FAKE
}

/* What has no list of items, or one that is too deep or too far away. */
static void test_not_cut(void)
{
	static const char *const units[] = { "<a>", "<a b='c'>\n", "<a/>\n<b/>", "<a>\n<b/>\n</a>", "< ", "<a \n" };

	for (size_t i = 0; i < (getenv("PD_VALGRIND") ? 1 : sizeof(units) / sizeof(*units)); i++) {
		pd_auto(pd_buffer) b = {0};
		struct heard h;

		for (int n = 0; b.len < 3 << 20; n++)
			pd_buffer_text(&b, n ? units[i] : "<all>\n");
		h = read_by("sum", b.data, false);
		SAYS(h, PD_FAILED, "test.xml:");
	}
}

/* Whatever ends it in the middle, all that read for it is ended. */
static void test_items_ended(void)
{
	pd_auto(pd_buffer) b = items(ITEMS, 40000, "  <spin/>\n");
	struct heard h = read_with((struct pd_worker_call){ .time_limit = 1 }, "items", b.data,
				   (struct heard){0});

	CU_ASSERT(h.r.timed_out);
	CU_ASSERT_EQUAL(readers_left(&h), 0);
	SAYS(h, PD_FAILED, "read took longer than its limit of 1s");
	h = read_with((struct pd_worker_call){0}, "items", b.data, (struct heard){ .cancel_at = "(4 1 by" });
	CU_ASSERT_EQUAL(readers_left(&h), 0);
	SAYS(h, PD_CANCELED, "read");
	h = read_with((struct pd_worker_call){0}, "items", b.data, (struct heard){ .kills = true });
	CU_ASSERT_EQUAL(readers_left(&h), 0);
	SAYS(h, PD_FAILED, "read crashed: signal 9 (Killed)");
}

static void test_facts(void)
{
	const struct pd_plugin *p = pd_registry_find(registry, "act", NULL);
	struct pd_worker_call call = { .phase = PD_PHASE_SCAN, .scanner = p->scanners[0] };
	struct heard h = call_with(call, "{}", (struct heard){0});

	HEARD(h, 0, "fact(x-thing {\"count\":3,\"good\":true,\"name\":\"one?\"})");
	call.scanner = p->scanners[1];
	h = call_with(call, "{}", (struct heard){0});
	SAYS(h, PD_FAILED, "'packages' is not in the scanner's .kinds");
}

/* Wait until so many processes "sleep 777.PID" are there. */
static bool sleepers(size_t wanted)
{
	pd_auto_free char *ours = pd_print("sleep 777.%d", (int)getpid());
	struct timespec pause_a_bit = { .tv_nsec = 20000000 };

	for (int tries = 0; tries < 500; tries++) {
		glob_t all = {0};
		size_t n = 0;

		glob("/proc/[0-9]*/cmdline", 0, NULL, &all);
		for (size_t i = 0; i < all.gl_pathc; i++) {
			size_t len = 0;
			int fd = open(all.gl_pathv[i], O_RDONLY | O_CLOEXEC);
			char line[32] = "";

			if (fd >= 0) {
				len = (size_t)read(fd, line, sizeof(line) - 1);
				close(fd);
			}
			line[5] = len > 5 && len < sizeof(line) ? ' ' : '\0';
			n += strcmp(line, ours) == 0;
		}
		globfree(&all);
		if (n == wanted)
			return true;
		nanosleep(&pause_a_bit, NULL);
	}
	return false;
}

/* Killed itself, patchday takes the worker and its commands along; what got
 * away all the same is found by its mark. */
static void test_killed_itself(void)
{
	pd_auto_free char *run = pd_print("pd-unit-test-%d", (int)getpid());
	struct pd_worker_call call = { .phase = PD_PHASE_APPLY, .run = run };
	pd_auto_free char *args = pd_print("{\"how\":\"command\",\"text\":\"sleep 777.%d & "
		"setsid sleep 777.%d & sleep 777.%d\"}", (int)getpid(), (int)getpid(), (int)getpid());
	struct timespec pause_a_bit = { .tv_nsec = 10000000 };
	pid_t core = fork();

	call.step = pd_registry_step(registry, "act.act", NULL, NULL);
	if (core == 0) {
		call_with(call, args, (struct heard){0});
		_exit(1);
	}
	CU_ASSERT_TRUE(sleepers(3));
	kill(core, SIGKILL);
	CU_ASSERT_EQUAL(waitpid(core, NULL, 0), core);
	CU_ASSERT_TRUE(sleepers(1));
	/* the one with its own session; a worker that is just about to end may count too */
	CU_ASSERT_TRUE(pd_worker_sweep(run) >= 1);
	CU_ASSERT_TRUE(sleepers(0));
	CU_ASSERT_EQUAL(pd_worker_sweep(run), 0);
	for (int i = 0; i < 3000 && (core = waitpid(-1, NULL, WNOHANG)) >= 0; i++)
		if (core == 0) /* without a command line, one may still be dying */
			nanosleep(&pause_a_bit, NULL);
	CU_ASSERT(core < 0);
}

/* One after the other, and nothing piles up. */
static void test_many(void)
{
	struct pd_worker_call call = { .phase = PD_PHASE_CHECK };
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	close(before);
	call.step = pd_registry_step(registry, "act.idle", NULL, NULL);
	for (size_t i = 0; i < 200; i += pd_unit_stride()) {
		struct heard h = call_with(call, "{}", (struct heard){0});

		CU_ASSERT_EQUAL(h.r.result, PD_UNCHANGED);
		forget(&h);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL(after, before);
	close(after);
}

/* From here on workers are forked by another process, and nothing is different. */
static void start_spawner(void)
{
	spawner = pd_spawner_start(registry);
	CU_ASSERT_PTR_NOT_NULL_FATAL(spawner);
}

/* One that is gone costs one step, and no process. */
static void test_spawner_gone(void)
{
	pd_auto_free char *path = pd_print("/proc/self/task/%d/children", (int)getpid());
	pd_auto_free char *children = pd_file_read(path, 4096, NULL, NULL);
	pid_t pid = (pid_t)atoi(children ? children : "");
	struct heard h;

	CU_ASSERT_FATAL(pid > 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	h = apply("fine");
	SAYS(h, -99, "cannot start a worker");
	h = apply("fine");
	CU_ASSERT_EQUAL(h.r.result, PD_CHANGED);
	forget(&h);
	pd_spawner_end(spawner);
	spawner = NULL;
}

/* Nothing below makes sense without it. */
static void set_up(void)
{
	const char *build = getenv("PD_BUILDDIR");
	pd_auto_free char *folder = pd_print("%s/tests/modules/.libs", build ? build : ".");
	pd_auto_free char *path = realpath(folder, NULL);
	struct pd_error *err = NULL;
	char name[] = "/tmp/pd-test-worker-XXXXXX";

	registry = pd_registry_new();
	work = pd_strdup(mkdtemp(name));
	if (work && pd_registry_add_folder(registry, path ? path : folder, &err) &&
	    pd_registry_find(registry, "act", &err))
		return;
	printf("cannot start: %s\n", err ? err->message : "no folder to work in");
	exit(1);
}

static void tear_down(void)
{
	static const char *const files[] = { "proof", "source" };

	for (size_t i = 0; i < 2; i++) {
		pd_auto_free char *path = pd_print("%s/%s", work, files[i]);

		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(work), 0);
	free(work);
	pd_registry_free(registry);
}

#define EITHER_WAY                                              \
	{ "what it returns", test_returns },                    \
	{ "crashes", test_crashes },                            \
	{ "bounds of memory", test_bounds },                    \
	{ "time limits and cancelling", test_time },            \
	{ "no process is left", test_nothing_left },            \
	{ "other children stay", test_other_children },         \
	{ "remember and evidence", test_memory },               \
	{ "outputs are typed", test_outputs },                  \
	{ "secrets are blotted out", test_secrets },            \
	{ "commands", test_command },                           \
	{ "descriptors, environment, limits", test_surroundings }, \
	{ "two hundred of them", test_many }

#define ONE_WAY                                                            \
	{ "in a process of its own", test_apart },                         \
	{ "output is bounded", test_much_output },                         \
	{ "catalogs", test_catalogs },                                     \
	{ "items of a long document", test_items },                        \
	{ "a long document that is not read to its end", test_items_ended }, \
	{ "a long document that is told", test_told },                     \
	{ "a long document that is hostile", test_hostile },               \
	{ "a long document that is not cut", test_not_cut },               \
	{ "facts", test_facts },                                           \
	{ "patchday killed", test_killed_itself }

#define THE_REST                                            \
	ONE_WAY,                                            \
	{ "start the spawner", start_spawner },             \
	EITHER_WAY,                                         \
	{ "the spawner is gone", test_spawner_gone },       \
	{ "tear down", tear_down },                         \
	CU_TEST_INFO_NULL

static CU_TestInfo tests[] = { { "set up", set_up }, EITHER_WAY, THE_REST };

/* Under valgrind each once, as a run has it: it asks for memory, which is the same. */
static CU_TestInfo once[] = { { "set up", set_up }, THE_REST };

PD_UNIT_MAIN("worker", getenv("PD_VALGRIND") ? once : tests);
