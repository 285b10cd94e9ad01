/* SPDX-License-Identifier: MIT */
/* A plugin whose step does, good or bad, what its parameter says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <patchday/plugin.h>

#define BEHAVIOURS(X)                                                        \
	X(fine) X(crash) X(fall) X(give_up) X(leave) X(spin) X(deaf) X(bomb) \
	X(flood) X(silent) X(liar) X(odd) X(forget) X(learn) X(put) X(undeclared) \
	X(mistyped) X(tell_secret) X(store_secret) X(split_secret) X(command) \
	X(signaled) X(missing) X(big) X(lines) X(late) X(feed) X(feed_secret) \
	X(polite) X(evidence) X(updates) X(scribble) X(shut) X(freeze) X(daemon) \
	X(inhibit) X(touch) X(got_over) X(chatter) X(stack) X(rubbish) X(count_up) X(alone) X(eat) X(jump)

#define NAME(n) #n,
static const char *const names[] = { BEHAVIOURS(NAME) NULL };

struct args {
	int32_t how;
	bool flag;
	int64_t number, bytes, seconds;
	const char *text, *path;
	struct pd_list items;
	const struct pd_secret *secret;
	const struct pd_updates *updates;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, how, PD_T_CHOICE, .help = "what to do", .def = "fine",
		 .choices = names),
	PD_PARAM(struct args, flag, PD_T_BOOL, .help = "a flag", .def = "yes"),
	PD_PARAM(struct args, number, PD_T_INT, .help = "a number", .def = "5",
		 .min = -10, .max = 100),
	PD_PARAM(struct args, bytes, PD_T_BYTES, .help = "a size", .def = "2k"),
	PD_PARAM(struct args, seconds, PD_T_SECONDS, .help = "a duration", .def = "1m"),
	PD_PARAM(struct args, text, PD_T_STRING, .help = "a text"),
	PD_PARAM(struct args, path, PD_T_PATH, .help = "a path"),
	PD_PARAM(struct args, items, PD_T_LIST, .help = "a list", .def = "a,b"),
	PD_PARAM(struct args, secret, PD_T_SECRET, .help = "a secret"),
	PD_PARAM(struct args, updates, PD_T_UPDATES, .help = "a selection"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("flag", PD_T_BOOL, "a flag"),
	PD_OUTPUT("number", PD_T_INT, "a number"),
	PD_OUTPUT("path", PD_T_PATH, "a path"),
	PD_OUTPUT("items", PD_T_LIST, "a list"),
	PD_OUTPUT_END
};

static volatile int deep = 1; /* always; the compiler does not know */

static int fine(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;

	pd_log(ctx, PD_LOG_INFO, "%d %lld %lld %lld %s %s %zu%s", a->flag,
	       (long long)a->number, (long long)a->bytes, (long long)a->seconds,
	       a->text ? a->text : "-", a->path ? a->path : "-", a->items.len,
	       a->items.len ? a->items.items[0] : "");
	return PD_CHANGED;
}

static int crash(struct pd_ctx *ctx)
{
	*(volatile int *)ctx->reserved[0] = 1;
	return PD_CHANGED;
}

static int fall(struct pd_ctx *ctx)
{
	volatile char room[4096];

	room[0] = (char)deep;
	return deep ? fall(ctx) + room[0] : 0;
}

static int stack(struct pd_ctx *ctx)
{
	return fall(ctx);
}

static int give_up(struct pd_ctx *ctx)
{
	(void)ctx;
	fputs("last words\n", stderr);
	abort();
}

/* Hardly a page of it is used. */
static int eat(struct pd_ctx *ctx)
{
	(void)ctx;
	for (size_t had = 0; deep && had < (size_t)6 << 30; had += (size_t)32 << 20)
		*(volatile char *)malloc((size_t)32 << 20) = 1;
	return PD_CHANGED;
}

static int jump(struct pd_ctx *ctx)
{
	void (*volatile nowhere)(void) = NULL;
	uintptr_t address = 8 + (uintptr_t)!ctx;

	memcpy((void *)(uintptr_t)&nowhere, &address, sizeof(address));
	nowhere();
	return PD_CHANGED;
}

static int leave(struct pd_ctx *ctx)
{
	(void)ctx;
	exit(0);
}

static int spin(struct pd_ctx *ctx)
{
	(void)ctx;
	while (deep)
		;
	return PD_CHANGED;
}

static int deaf(struct pd_ctx *ctx)
{
	sigset_t all;

	(void)ctx;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while (deep)
		pause();
	return PD_CHANGED;
}

/* Some leave the group, some hide behind a parent that is gone, all are deaf. */
static int bomb(struct pd_ctx *ctx)
{
	/* other tests may lay theirs at the same time */
	const char *name = pd_format(ctx, "bomb-%d", (int)getppid());
	for (int i = 0; i < 50; i++) {
		if (fork() != 0)
			continue;
		if (i % 2)
			setsid();
		if (i % 3 == 0 && fork() != 0)
			_exit(0);
		signal(SIGTERM, SIG_IGN);
		if (setenv("BOMB", "1", 1) == 0)
			prctl(PR_SET_NAME, name);
		for (;;)
			pause();
	}
	usleep(50000);
	return pd_fail(ctx, PD_FAILED, "the bomb is laid");
}

static int flood(struct pd_ctx *ctx)
{
	static char line[1024];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 256 * 1024; i++)
		if (write(STDOUT_FILENO, line, sizeof(line)) < 0)
			return pd_fail(ctx, PD_FAILED, "write: %s", strerror(errno));
	puts("the last line");
	fflush(stdout);
	return pd_fail(ctx, PD_FAILED, "flooded");
}

static int silent(struct pd_ctx *ctx)
{
	(void)ctx;
	return PD_RETRY;
}

static int liar(struct pd_ctx *ctx)
{
	return pd_fail(ctx, PD_CHANGED, "it is not done");
}

static int odd(struct pd_ctx *ctx)
{
	(void)ctx;
	return 42;
}

static int forget(struct pd_ctx *ctx)
{
	if (pd_remember(ctx, "a", "1") < 0 || pd_remember(ctx, "b", "2") < 0 ||
	    pd_remember(ctx, "a", NULL) < 0)
		return PD_FAILED;
	return pd_recall(ctx, "a") ? pd_fail(ctx, PD_FAILED, "a is still there") : PD_CHANGED;
}

static int learn(struct pd_ctx *ctx)
{
	const char *before = pd_recall(ctx, "old");

	if (!before || pd_remember(ctx, "old", "new") < 0)
		return pd_fail(ctx, PD_FAILED, "nothing is known");
	pd_log(ctx, PD_LOG_INFO, "%s then %s", before, pd_recall(ctx, "old"));
	return PD_CHANGED;
}

static int put(struct pd_ctx *ctx)
{
	if (pd_output(ctx, "flag", "true") < 0 || pd_output(ctx, "number", "7") < 0 ||
	    pd_output(ctx, "path", "/a/b") < 0 || pd_output_item(ctx, "items", "x,y") < 0 ||
	    pd_output_item(ctx, "items", "z") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int undeclared(struct pd_ctx *ctx)
{
	return pd_output(ctx, "nmber", "7") < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int mistyped(struct pd_ctx *ctx)
{
	return pd_output(ctx, "number", "seven") < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int tell_secret(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	const char *s = pd_secret(ctx, a->secret, NULL);
	const char *const argv[] = { "cat", NULL };
	struct pd_command command = { .size = sizeof(command), .flags = PD_RUN_LOG,
				      .argv = argv, .input_secret = a->secret };
	struct pd_command_result r;

	pd_log(ctx, PD_LOG_INFO, "it is %s, twice %s%s", s, s, s);
	pd_progress(ctx, 1, 2, s);
	printf("printed %s\n", s);
	fflush(stdout);
	if (pd_command_run(ctx, &command, &r) < 0)
		return PD_FAILED;
	return pd_fail(ctx, PD_FAILED, "failed with %s", s);
}

static int store_secret(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = pd_remember(ctx, "key", pd_format(ctx, "x%sx", pd_secret(ctx, a->secret, NULL)));

	return result < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int split_secret(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	const char *s = pd_secret(ctx, a->secret, NULL);
	const char *text = pd_format(ctx, "%.6s\n%s\n", s, s + 6);
	const char *const argv[] = { "cat", NULL };
	struct pd_command command = { .size = sizeof(command), .flags = PD_RUN_LOG,
				      .argv = argv, .input = text, .input_len = strlen(text) };
	struct pd_command_result r;

	return pd_command_run(ctx, &command, &r) < 0 ? PD_FAILED : PD_CHANGED;
}

/* Runs sh -c text with all that it is given; for the command's tests. */
static int sh(struct pd_ctx *ctx, struct pd_command *command, struct pd_command_result *r)
{
	const struct args *a = ctx->args;
	const char *argv[] = { "sh", "-c", a->text, NULL };

	command->size = sizeof(*command);
	command->argv = argv;
	return pd_command_run(ctx, command, r);
}

static int command(struct pd_ctx *ctx)
{
	static const char *const env[] = { "MORE=1", "LANG=other", NULL };
	struct pd_command c = { .env = env };
	struct pd_command_result r;

	if (open("/dev/null", O_RDONLY) < 0) /* must not get to the command */
		return pd_fail(ctx, PD_FAILED, "/dev/null: %s", strerror(errno));
	if (sh(ctx, &c, &r) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%d|%s|%s", r.status, r.out, r.err);
	return PD_CHANGED;
}

static int signaled(struct pd_ctx *ctx)
{
	return command(ctx);
}

static int missing(struct pd_ctx *ctx)
{
	const char *const argv[] = { "no-such-program-here", NULL };
	struct pd_command_result r;

	return pd_run(ctx, argv, &r) < 0 ? PD_FAILED : PD_CHANGED;
}

static int got_over(struct pd_ctx *ctx)
{
	return missing(ctx) < 0 ? PD_UNCHANGED : PD_CHANGED;
}

static int big(struct pd_ctx *ctx)
{
	struct pd_command c = { .output_max = 1000 };
	struct pd_command_result r;

	if (sh(ctx, &c, &r) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%d %zu %zu", r.status, r.out_len, strlen(r.out));
	return PD_CHANGED;
}

static void one_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	int *n = user;

	pd_log(ctx, PD_LOG_INFO, "%d:%d:%s", ++*n, stream, line);
}

static int lines(struct pd_ctx *ctx)
{
	int n = 0;
	struct pd_command c = { .line = one_line, .user = &n };
	struct pd_command_result r;
	int result = sh(ctx, &c, &r);

	return result < 0 ? result : PD_CHANGED;
}

/* The command prints the pid of a child that is deaf to SIGTERM. */
static int late(struct pd_ctx *ctx)
{
	struct pd_command c = { .time_limit = 1 };
	struct pd_command_result r;
	const char *stat = NULL;
	int result = sh(ctx, &c, &r);

	for (int i = 0; i < 1000; i++, usleep(10000)) {
		stat = pd_read_file(ctx, pd_format(ctx, "/proc/%d/stat", atoi(r.out)), 4096, NULL);
		if (!stat || strstr(stat, ") Z"))
			break;
	}
	if (stat && strstr(stat, ") Z") == NULL)
		return pd_fail(ctx, PD_FAILED, "a child is left: %s", stat);
	return result < 0 ? PD_FAILED : PD_CHANGED;
}

static int feed(struct pd_ctx *ctx)
{
	size_t len = (size_t)3 << 20;
	char *data = pd_alloc_for(ctx, len);
	struct pd_command c = { .input = data, .input_len = len };
	struct pd_command_result r;

	memset(data, 'y', len);
	if (sh(ctx, &c, &r) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%s", r.out);
	return PD_CHANGED;
}

static int feed_secret(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	struct pd_command c = { .input_secret = a->secret };
	struct pd_command_result r;

	if (sh(ctx, &c, &r) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%s", r.out);
	return PD_CHANGED;
}

static int polite(struct pd_ctx *ctx)
{
	pd_progress(ctx, 0, 0, "waiting");
	while (!pd_canceled(ctx))
		usleep(1000);
	return pd_fail(ctx, PD_CANCELED, "stopped where it was safe");
}

static int evidence(struct pd_ctx *ctx)
{
	const char *path = pd_format(ctx, "%s/proof", ctx->work_dir);

	if (pd_write_file(ctx, path, 0600, "abc", 3) < 0 ||
	    pd_evidence(ctx, path, "a proof") < 0)
		return PD_FAILED;
	return strcmp(pd_read_file(ctx, path, 10, NULL), "abc") == 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int updates(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	struct pd_update u;
	struct pd_package p;

	for (size_t i = 0; pd_update_at(ctx, a->updates, i, &u); i++)
		for (size_t j = 0; pd_package_at(ctx, a->updates, i, j, &p); j++)
			pd_log(ctx, PD_LOG_INFO, "%s %u %u %u %s %s %u %lld", u.id, u.severity,
			       u.kind, u.restart, p.name, p.version, p.scheme, (long long)p.bytes);
	return PD_CHANGED;
}

static int scribble(struct pd_ctx *ctx)
{
	(void)ctx;
	return write(3, "nonsense, and a lot of it", 25) == 25 ? PD_CHANGED : PD_FAILED;
}

static int shut(struct pd_ctx *ctx)
{
	(void)ctx;
	for (int fd = 0; fd < 10; fd++)
		close(fd);
	while (deep)
		pause();
	return PD_CHANGED;
}

static int freeze(struct pd_ctx *ctx)
{
	(void)ctx;
	raise(SIGSTOP);
	return PD_CHANGED;
}

static int daemon_left(struct pd_ctx *ctx)
{
	return command(ctx);
}
#define daemon daemon_left

static int inhibit(struct pd_ctx *ctx)
{
	pd_inhibit(ctx, "data is lost", "the disk is full", "free some");
	return ctx->phase == PD_PHASE_CHECK ? PD_REFUSED : PD_CHANGED;
}

static int touch(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;

	return pd_write_file(ctx, a->path, 0600, "", 0) < 0 ? PD_CHANGED : PD_UNCHANGED;
}

static int chatter(struct pd_ctx *ctx)
{
	for (int i = 0; i < 200000; i++)
		pd_log(ctx, PD_LOG_INFO, "this is line %d of far too many log lines", i);
	for (int i = 0; i < 200000; i++)
		pd_progress(ctx, i, 200000, NULL);
	pd_log(ctx, PD_LOG_INFO, "end");
	return PD_CHANGED;
}

static int rubbish(struct pd_ctx *ctx)
{
	pd_log(ctx, PD_LOG_INFO, "bad \xff\xfe bytes \033[31m and \303\244");
	return PD_CHANGED;
}

static int count_up(struct pd_ctx *ctx)
{
	static int calls;

	return ++calls == 1 ? PD_CHANGED : pd_fail(ctx, PD_FAILED, "not a fresh process");
}

/* Its session, and the descriptors that are open. */
static int alone(struct pd_ctx *ctx)
{
	const char *list = "";

	for (int fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			list = pd_format(ctx, "%s %d", list, fd);
	pd_log(ctx, PD_LOG_INFO, "%s,%s", getsid(0) == getpid() ? "own session" : "", list);
	return PD_CHANGED;
}

static int act(struct pd_ctx *ctx)
{
#define CALL(n) n,
	static int (*const does[])(struct pd_ctx *) = { BEHAVIOURS(CALL) };
	const struct args *a = ctx->args;

	return does[a->how](ctx);
}

static int nothing(struct pd_ctx *ctx)
{
	(void)ctx;
	return PD_UNCHANGED;
}

static const struct pd_step act_step = {
	PD_STEP, .name = "act", .help = "do what the parameter says",
	.params = params, .args_size = sizeof(struct args), .outputs = outputs,
	.check = act, .apply = act, .verify = act, .undo = act,
	.reversibility = PD_REVERSIBLE, .time_limit = 600, .grace = 1,
};

/* Has all the time to stop, however slow the machine is. */
static const struct pd_step patient_step = {
	PD_STEP, .name = "patient", .help = "do what the parameter says",
	.params = params, .args_size = sizeof(struct args), .outputs = outputs,
	.check = act, .apply = act, .verify = act, .undo = act,
	.reversibility = PD_REVERSIBLE, .time_limit = 600, .grace = 300,
};

static const struct pd_step idle_step = {
	PD_STEP, .name = "idle", .help = "do nothing",
	.check = nothing, .reversibility = PD_READONLY,
};

static const struct pd_step rooted_step = {
	PD_STEP, .name = "rooted", .help = "do nothing, as root", .flags = PD_S_NEEDS_ROOT,
	.check = nothing, .reversibility = PD_READONLY,
};

static const struct pd_step *const steps[] = { &act_step, &patient_step, &idle_step, &rooted_step, NULL };

/* ------------------------------------------------------ facts and catalogs */

static int scan(struct pd_ctx *ctx)
{
	const struct pd_fact_field row[] = { PD_TEXT("name", "one\xff"), PD_NUMBER("count", 3),
					     PD_FLAG("good", 1), PD_TEXT("unknown", NULL) };

	return pd_fact(ctx, "x-thing", row, 4) < 0 ? PD_FAILED : 0;
}

static int scan_other(struct pd_ctx *ctx)
{
	return pd_fact(ctx, "packages", NULL, 0) < 0 ? PD_FAILED : 0;
}

static const char *const kinds[] = { "x-thing", NULL };
static const struct pd_scanner things = { PD_SCANNER, .name = "things", .help = "count things",
					  .kinds = kinds, .scan = scan };
static const struct pd_scanner others = { PD_SCANNER, .name = "others", .help = "report too much",
					  .kinds = kinds, .scan = scan_other };
static const struct pd_scanner *const scanners[] = { &things, &others, NULL };

static int begin(struct pd_ctx *ctx, const char *id)
{
	struct pd_update_head head = { .size = sizeof(head), .id = id, .severity = 4,
				       .kind = PD_CLASS_SECURITY, .line = 7 };

	return pd_update_begin(ctx, &head);
}

static int read_rows(struct pd_ctx *ctx)
{
	struct pd_payload payload = { .size = sizeof(payload), .url = "pool/a.deb", .bytes = 5 };
	struct pd_package_row package = { .size = sizeof(package), .name = "a", .version = "1",
					  .scheme = PD_SCHEME_DEB, .payload = 1 };
	/* as a plugin has it that was built before the fields behind version */
	struct pd_package_row old = { .size = offsetof(struct pd_package_row, release),
				      .name = "b", .version = "2", .payload = 7 };

	if (begin(ctx, "good") < 0 || pd_update_payload(ctx, &payload) < 0 ||
	    pd_update_package(ctx, &package) < 0 || pd_update_end(ctx) < 0 ||
	    begin(ctx, "old") < 0 || pd_update_package(ctx, &old) < 0 || pd_update_end(ctx) < 0)
		return PD_FAILED;
	pd_ignored(ctx, 9, "a th\xff" "ing");
	return 0;
}

/* Larger than any frame: refused, and the reader says no more. */
static int read_large(struct pd_ctx *ctx)
{
	size_t len = (size_t)17 << 20;
	struct pd_update_head head = { .size = sizeof(head), .id = "large",
				       .title = memset(pd_alloc_for(ctx, len + 1), 'x', len) };

	return pd_update_begin(ctx, &head) < 0 ? PD_FAILED : 0;
}

static int start_tag(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		     const struct pd_xml_attr *attrs, size_t n)
{
	(void)user;
	(void)ns;
	(void)attrs;
	(void)n;
	if (strcmp(name, "fail") == 0)
		return pd_fail(ctx, PD_FAILED, "this is <%s>", name);
	if (strcmp(name, "u") != 0)
		return 0;
	return begin(ctx, name) < 0 || pd_update_end(ctx) < 0 ? PD_FAILED : 0;
}

static int read_xml(struct pd_ctx *ctx)
{
	const struct pd_xml_handler handler = { .size = sizeof(handler), .start = start_tag };

	return pd_xml(ctx, &handler);
}

/* Tells of each item where it stands and which process has read it. */
static int start_item(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		      const struct pd_xml_attr *attrs, size_t n)
{
	char text[64];

	(void)user;
	(void)ns;
	if (strcmp(name, "fail") == 0)
		return pd_fail(ctx, PD_FAILED, "this is <%s>", name);
	if (strcmp(name, "crash") == 0)
		raise(SIGSEGV);
	while (strcmp(name, "spin") == 0)
		pause();
	snprintf(text, sizeof(text), "%s by %d", n ? attrs[0].value : "root", (int)getpid());
	if (n)
		pd_ignored(ctx, pd_xml_line(ctx), text);
	return 0;
}

static int read_items(struct pd_ctx *ctx)
{
	const struct pd_xml_handler handler = { .size = sizeof(handler), .start = start_item };

	return pd_xml(ctx, &handler);
}

/* All that is heard of a document, as one number. */
struct sum {
	uint64_t hash;
	unsigned depth, parsers; /* when it began */
	bool some, leaf;         /* without what may be told or not; the last tag is a start */
	uint64_t tag;            /* the number behind that */
};

static void add_bytes(struct sum *s, const void *data, size_t len)
{
	for (const unsigned char *c = data; len--; c++)
		s->hash = (s->hash ^ *c) * 0x100000001b3;
}

static void add_text(struct sum *s, const char *text)
{
	add_bytes(s, text ? text : "none", strlen(text ? text : "none") + 1);
}

/* Processes that this one has started. */
static unsigned children(void)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	unsigned n = 0;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		n++;
	if (f)
		fclose(f);
	return n;
}

static int sum_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		     const struct pd_xml_attr *attrs, size_t n)
{
	struct sum *s = user;
	unsigned line = pd_xml_line(ctx);

	if (!s->depth++)
		s->parsers = children();
	else if (s->some)
		s->hash = s->tag;
	if (strcmp(name, "fail") == 0)
		return pd_fail(ctx, PD_FAILED, "this is <%s> in line %u", name, line);
	add_bytes(s, &line, sizeof(line));
	add_text(s, ns);
	add_text(s, name);
	for (size_t i = 0; i < n; i++) {
		add_text(s, attrs[i].ns);
		add_text(s, attrs[i].name);
		add_text(s, attrs[i].value);
	}
	s->tag = s->hash;
	s->leaf = true;
	return strcmp(name, "skip") == 0 ? PD_XML_SKIP : 0;
}

static int sum_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct sum *s = user;
	unsigned line = pd_xml_line(ctx);
	char text[96];

	if (s->some && !s->leaf)
		s->hash = s->tag;
	add_bytes(s, &line, sizeof(line));
	add_text(s, ns);
	add_text(s, name);
	s->tag = s->hash;
	s->leaf = false;
	if (--s->depth)
		return 0;
	snprintf(text, sizeof(text), "%016llx begun by %u ended by %u", (unsigned long long)s->hash,
		 s->parsers, children());
	pd_ignored(ctx, line, text);
	return 0;
}

static int sum_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	(void)ctx;
	add_bytes(user, text, len);
	return 0;
}

static int read_sum(struct pd_ctx *ctx)
{
	struct sum s = { .hash = 0xcbf29ce484222325 };
	const struct pd_xml_handler handler = { .size = sizeof(handler), .user = &s,
		.start = sum_start, .end = sum_end, .text = sum_text };

	return pd_xml(ctx, &handler);
}

/* What is in the last list is nothing to it either. */
static bool some_passed(const char *name, unsigned depth, bool bare)
{
	return bare || (depth == 4 && strcmp(name, "b") == 0) || strcmp(name, "pass") == 0 ||
	       (depth == 2 && strcmp(name, "list3") == 0);
}

static int read_some(struct pd_ctx *ctx)
{
	struct sum s = { .hash = 0xcbf29ce484222325, .some = true };
	const struct pd_xml_handler handler = { .size = sizeof(handler), .user = &s,
		.flags = PD_XML_LEAVES, .passed = some_passed,
		.start = sum_start, .end = sum_end, .text = sum_text };

	return pd_xml(ctx, &handler);
}

static int recognize(const unsigned char *head, size_t len)
{
	return len && head[0] == '<' ? 50 : 0;
}

static const struct pd_reader rows = { PD_READER, .name = "rows", .help = "rows from nowhere",
				       .flags = PD_R_SERVER, .read = read_rows };
static const struct pd_reader xml = { PD_READER, .name = "xml", .help = "elements",
				      .recognize = recognize, .read = read_xml };
static const struct pd_reader large = { PD_READER, .name = "large", .help = "one large text",
					.flags = PD_R_SERVER, .read = read_large };
static const struct pd_reader items = { PD_READER, .name = "items", .help = "elements that stand for themselves",
					.flags = PD_R_ITEMS, .recognize = recognize, .read = read_items };
static const struct pd_reader sum = { PD_READER, .name = "sum", .help = "all of a document as one number",
				      .recognize = recognize, .read = read_sum };
static const struct pd_reader some = { PD_READER, .name = "some", .help = "a part of a document as one number",
				       .recognize = recognize, .read = read_some };
static const struct pd_reader *const readers[] = { &rows, &xml, &large, &items, &sum, &some, NULL };

PD_PLUGIN(.name = "act", .version = "1.0", .help = "behaviours for tests",
	  .steps = steps, .scanners = scanners, .readers = readers);
