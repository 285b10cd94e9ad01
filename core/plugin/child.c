/* SPDX-License-Identifier: MIT */
/* Makes a clean process for one callback, and tells how it crashed. */
#include "plugin/child.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Where the descriptors of a worker are; below are the usual three. */
enum { CHANNEL = 3, SOURCE = 4, UNPACKED = 5 };

static volatile sig_atomic_t canceled, command_group;
static pid_t parent_pid, worker_pid;

int64_t pd_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int pd_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool pd_child_canceled(void)
{
	return canceled != 0;
}

void pd_child_command_group(pid_t group)
{
	command_group = group;
}

/* SIGTERM asks to stop.  It also comes from the kernel when patchday was
 * killed: then nothing that this step started may go on behind the back of
 * the resumed run, so all of it goes at once, as in a power cut. */
static void on_term(int signo)
{
	if (getpid() != worker_pid) /* a process that the plugin forked */
		_exit(128 + signo);
	canceled = 1;
	if (getppid() == parent_pid)
		return;
	if (command_group)
		kill(-(pid_t)command_group, SIGKILL);
	kill(0, SIGKILL);
}

/* ------------------------------------------------------------------ memory */

static struct rlimit data_before = { RLIM_INFINITY, RLIM_INFINITY };
static char oom_before[16];
static rlim_t data_alarm; /* so near the limit that it was it; 0: none */

/* Half of what the server has, but 1 to 4 GiB. */
static rlim_t memory_most(void)
{
	const rlim_t gib = (rlim_t)1 << 30;
	rlim_t half = (rlim_t)sysconf(_SC_PHYS_PAGES) * (rlim_t)sysconf(_SC_PAGESIZE) / 2;

	return half < gib ? gib : half > 4 * gib ? 4 * gib : half;
}

/* What this process holds: the sixth number of proc(5), statm.  Async-signal-safe. */
static rlim_t memory_held(void)
{
	pd_auto_close int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "", *p = text;
	rlim_t pages = 0;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	for (int blanks = 0; *p && blanks < 5; p++)
		blanks += *p == ' ';
	for (; *p >= '0' && *p <= '9'; p++)
		pages = pages * 10 + (rlim_t)(*p - '0');
	return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void oom_score(const char *text)
{
	pd_auto_close int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return; /* then the kernel chooses by size alone */
}

/* A step that eats memory ends before samba does, and so does the kernel choose. */
static void limit_memory(void)
{
	pd_auto_free char *score = pd_file_read("/proc/self/oom_score_adj", sizeof(oom_before) - 1,
						NULL, NULL);
	rlim_t held = memory_held(), most = memory_most();
	struct rlimit data;

	if (getrlimit(RLIMIT_DATA, &data) == 0) {
		data_before = data;
		data_alarm = held + most / 8 * 7;
		if (data.rlim_cur > held + most)
			data.rlim_cur = held + most;
		setrlimit(RLIMIT_DATA, &data);
	}
	if (score && strtol(score, NULL, 10) < 500) {
		snprintf(oom_before, sizeof(oom_before), "%s", score);
		oom_score("500");
	}
}

void pd_child_unlimit(void)
{
	setrlimit(RLIMIT_DATA, &data_before);
	if (*oom_before)
		oom_score(oom_before);
}

static volatile sig_atomic_t crash_signal;

/* The way back from an address where no code is can't be looked for. */
static void on_second(int signo)
{
	static const char text[] = "(none: it jumped to where no code is, or its stack is damaged)\n";

	(void)signo;
	signal(crash_signal, SIG_DFL);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) >= 0)
		raise(crash_signal);
}

/* Async-signal-safe; backtrace() was called before the fork, so that its
 * library is loaded. */
static void on_crash(int signo, siginfo_t *info, void *context)
{
	char text[160];
	void *frames[32];
	int n;

	(void)context;
	n = snprintf(text, sizeof(text), "%s\nsignal %d at address %p, backtrace:\n",
		     data_alarm && memory_held() > data_alarm ? "\n" PD_MEMORY_MARK : "",
		     signo, info->si_addr);
	crash_signal = signo;
	sigaction(SIGSEGV, &(struct sigaction){ .sa_handler = on_second, .sa_flags = (int)SA_NODEFER }, NULL);
	if (write(STDERR_FILENO, text, (size_t)n) > 0)
		backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
	signal(SIGSEGV, SIG_DFL);
	raise(signo); /* SA_RESETHAND: to its default, which ends us */
}

static void to_defaults(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	for (int s = 1; s < 32; s++)
		if (s != SIGKILL && s != SIGSTOP)
			sigaction(s, &standard, NULL);
}

static void unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void pd_signals_reset(void)
{
	to_defaults();
	unblock();
}

/* A write to a socket that was closed is an error to a plugin, not its end.
 * All are blocked since before the fork: a stop that was asked for meanwhile
 * is heard as soon as there is somebody to hear it. */
static void signals(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction crash = { .sa_sigaction = on_crash,
		.sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER) };
	struct sigaction term = { .sa_handler = on_term };

	to_defaults();
	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &crash, NULL);
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	unblock();
}

void pd_close_from(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0)
		return;
	for (long fd = sysconf(_SC_OPEN_MAX); fd >= first; fd--) /* before Linux 5.9 */
		close((int)fd);
}

/* From the number 0 on: those that there are (not -1), and nothing else. */
static void descriptors(int channel, int output, int source, int unpacked)
{
	int all[] = { open("/dev/null", O_RDONLY | O_CLOEXEC), output, output, channel,
		      source, unpacked };
	const int n = sizeof(all) / sizeof(*all);

	/* out of the way of the numbers that they are to have */
	for (int i = 0; i < n; i++)
		if (all[i] >= 0 || i <= CHANNEL)
			all[i] = fcntl(all[i], F_DUPFD_CLOEXEC, 16);
	for (int i = 0; i < n; i++) {
		close(i);
		if (all[i] < 0 ? i <= CHANNEL :
				 dup3(all[i], i, i < CHANNEL ? 0 : O_CLOEXEC) < 0)
			_exit(125);
	}
	pd_close_from(n);
}

static void limits(void)
{
	struct rlimit core = { 0, 0 }, many;

	setrlimit(RLIMIT_CORE, &core);
	limit_memory();
	/* for callers other than root, whom this does not bind */
	if (getrlimit(RLIMIT_NPROC, &many) == 0 && many.rlim_cur > 8192) {
		many.rlim_cur = 8192;
		setrlimit(RLIMIT_NPROC, &many);
	}
}

void pd_environment_clean(const char *run)
{
	/* a worker's of the spawner comes after that's own; of what is unset later the text is still known */
	static char *both[2][8], *kept[2][8];
	static unsigned times;
	char **clean = both[times % 2], **own = kept[times % 2];
	const char *path = getenv(times++ ? "PATH" : "PATCHDAY_PATH");
	const char *home = getenv("HOME"), *zone = getenv("TZ");
	char **old = environ;
	size_t n = 0;

	clean[n++] = pd_print("PATH=%s", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	clean[n++] = pd_strdup("LANG=C.UTF-8");
	clean[n++] = pd_strdup("LC_ALL=C.UTF-8");
	clean[n++] = pd_print("HOME=%s", home && *home == '/' ? home : geteuid() ? "/" : "/root");
	if (run)
		clean[n++] = pd_print("%s=%s", PD_WORKER_MARK, run);
	if (zone)
		clean[n++] = pd_print("TZ=%s", zone);
	memcpy(own, clean, sizeof(*kept));
	environ = clean;
	/* it may hold a secret, and /proc shows this memory */
	for (; old && *old; old++)
		sodium_memzero(*old, strlen(*old));
}

static int callback(struct pd_child *c)
{
	const struct pd_worker_call *call = c->call;

	switch (call->phase) {
	case PD_PHASE_CHECK:
		return call->step->check(&c->ctx);
	case PD_PHASE_APPLY:
		return call->step->apply(&c->ctx);
	case PD_PHASE_VERIFY:
		return call->step->verify(&c->ctx);
	case PD_PHASE_UNDO:
		return call->step->undo(&c->ctx);
	case PD_PHASE_SCAN:
		return call->scanner->scan(&c->ctx);
	case PD_PHASE_UNPACK:
		return call->filter->unpack(&c->ctx);
	default:
		return call->reader->read(&c->ctx);
	}
}

static const char *name_of(const struct pd_worker_call *call)
{
	return call->step ? call->step->name : call->scanner ? call->scanner->name :
	       call->reader ? call->reader->name : call->filter->name;
}

char *pd_child_memory(void)
{
	return pd_print("%llu MiB", (unsigned long long)memory_most() >> 20);
}

_Noreturn void pd_child_run(const struct pd_worker_call *call,
			    const struct pd_arguments *args, int channel,
			    int output, pid_t parent)
{
	static struct pd_child c;
	static char host_name[256];

	/* a session of its own: no terminal that a command could ask */
	setsid();
	parent_pid = parent;
	worker_pid = getpid();
	signals();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(125);
	descriptors(channel, output, call->reader || call->filter ? call->source_fd : -1,
		    call->filter ? call->unpack_fd : -1);
	limits();
	pd_environment_clean(call->run ? call->run : "");
	umask(077);
	if (chdir("/") < 0 || gethostname(host_name, sizeof(host_name) - 1) < 0)
		_exit(125);
	c = (struct pd_child){
		.ctx = { .size = sizeof(c.ctx), .phase = call->phase,
			 .host = &pd_host_table,
			 .server = call->server ? call->server : host_name,
			 .step = pd_print("%s.%s", call->plugin->name, name_of(call)),
			 .run = call->run ? call->run : "", .args = args->args,
			 .work_dir = call->work_dir, .dry_run = call->dry_run },
		.call = call, .blot = args->blot, .path = getenv("PATH"),
		.channel = CHANNEL, .source = SOURCE, .unpack = UNPACKED,
		.ahead = (const char *)call->head, .ahead_len = call->head_len,
		.remembered = call->remembered ? json_copy((json_t *)call->remembered) :
						 json_object(),
		.outputs = json_object(),
	};
	prctl(PR_SET_NAME, c.ctx.step); /* what ps(1) shows, 15 bytes of it */
	pd_child_finish(&c, callback(&c));
	_exit(0);
}
