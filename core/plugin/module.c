/* SPDX-License-Identifier: MIT */
/* The only file that knows libltdl. */
#include "plugin/registry.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <ltdl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* The linker's name for where this very program begins. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static char *machine(const unsigned char *ident, unsigned number)
{
	static const struct { unsigned number; const char *name; } known[] = {
		{ EM_386, "x86" }, { EM_X86_64, "x86-64" }, { EM_ARM, "ARM" }, { EM_AARCH64, "AArch64" },
		{ EM_PPC64, "PowerPC" }, { EM_S390, "S/390" }, { EM_RISCV, "RISC-V" }
	};
	bool swapped = ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA];

	number = swapped ? (number >> 8 | number << 8) & 0xffff : number;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].number == number)
			return pd_print("%s, %d bits", known[i].name, ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
	return pd_print("the machine %u of ELF", number);
}

/* The linker says "no such file" of a file for another machine. */
static bool is_for_here(const char *path, const ElfW(Ehdr) *head, struct pd_error **err)
{
	pd_auto_free char *theirs = NULL, *ours = NULL;

	if (head->e_machine == __ehdr_start.e_machine &&
	    memcmp(head->e_ident, __ehdr_start.e_ident, EI_DATA + 1) == 0)
		return true;
	theirs = machine(head->e_ident, head->e_machine);
	ours = machine(__ehdr_start.e_ident, __ehdr_start.e_machine);
	return pd_error_set(err, "plugin-load", "%s is for another machine: %s; this one is %s", path,
			    theirs, ours);
}

/* The linker maps a file that was cut off, and dies of it (SIGBUS). */
static bool is_whole(const char *path, struct pd_error **err)
{
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) head = {0};
	ElfW(Phdr) part;
	struct stat st = {0};
	uint64_t end = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, &head, sizeof(head)) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return true; /* the linker says what it is */
	if (!is_for_here(path, &head, err))
		return false;
	for (unsigned i = 0; i < head.e_phnum && pread(fd, &part, sizeof(part),
	     (off_t)(head.e_phoff + i * sizeof(part))) == sizeof(part); i++)
		if (part.p_type == PT_LOAD && part.p_offset + part.p_filesz > end)
			end = part.p_offset + part.p_filesz;
	return end <= (uint64_t)st.st_size ||
	       pd_error_set(err, "plugin-load", "%s is cut off: it has %lld bytes of at least %llu",
			    path, (long long)st.st_size, (unsigned long long)end);
}

/* All symbols bound now, none of them seen by other plugins.  libltdl binds
 * lazily and says "file not found" for every cause, so the linker is asked
 * first: a plugin that lacks a symbol is refused here and not in the middle
 * of a run.  dlerror() is read before anything else can overwrite it. */
static bool links(const char *path, struct pd_error **err)
{
	const char *why;

	if (dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
		return true;
	why = dlerror();
	return pd_error_set(err, "plugin-load", "cannot load %s: %s", path,
			    why ? why : "unknown cause");
}

static lt_dlhandle open_local(const char *path)
{
	lt_dladvise advise;
	lt_dlhandle handle = NULL;

	if (lt_dlinit() != 0 || lt_dladvise_init(&advise) != 0)
		return NULL;
	if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
		handle = lt_dlopenadvise(path, advise);
	lt_dladvise_destroy(&advise);
	return handle;
}

/* A plugin's own code runs when it is loaded (constructors, its entry), in this very
 * process: a loop or an exit there would be one of every command, without a word.  Nothing
 * can be gone on with behind it, since the linker's locks are held. */
enum { LOAD_PROCESSOR_SECONDS = 3, LOAD_SECONDS = 15 };

static const char *volatile loading; /* its file; NULL: none */
static pid_t loader; /* a child that a constructor makes may end as it likes */

static _Noreturn void give_up(const char *how)
{
	const char *parts[] = { "patchday: ", loading, how,
		"\n  Mend its constructor or its entry, or take it out of the folder.\n" };
	struct iovec out[4];

	for (size_t i = 0; i < 4; i++)
		out[i] = (struct iovec){ (void *)(uintptr_t)parts[i], strlen(parts[i]) };
	loading = NULL;
	_exit(writev(STDERR_FILENO, out, 4) < 0 ? 3 : 2);
}

static void on_signal(int signo)
{
	give_up(signo == SIGPROF || signo == SIGALRM ?
		" does not come to an end when it is loaded [plugin-endless]" : signo == SIGABRT ?
		" calls abort() when it is loaded [plugin-ends]" : " crashes when it is loaded [plugin-ends]");
}

static void on_exit_of_it(void)
{
	if (loading && getpid() == loader)
		give_up(" calls exit() when it is loaded [plugin-ends]");
}

/* No handler hears of these two.  The linker finds ours before the C library's: for us, and for what is loaded. */
__attribute__((visibility("default"))) void _exit(int status)
{
	if (loading && getpid() == loader)
		give_up(" calls _exit() when it is loaded [plugin-ends]");
	for (;;)
		syscall(SYS_exit_group, status);
}

__attribute__((visibility("default"))) void _Exit(int status) { _exit(status); }

static void limit(time_t processor, time_t all)
{
	setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = processor }, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_sec = all }, NULL);
}

static const struct pd_plugin *load(const char *path, struct pd_error **err)
{
	const struct pd_plugin *plugin;
	pd_plugin_entry_fn *entry;
	lt_dlhandle handle;

	if (!is_whole(path, err) || !links(path, err))
		return NULL;
	handle = open_local(path);
	if (!handle) {
		pd_error_set(err, "plugin-load", "cannot load %s: %s", path, lt_dlerror());
		return NULL;
	}
	/* ISO C has no cast from an object pointer to a function's */
	*(void **)&entry = lt_dlsym(handle, "pd_plugin_entry");
	if (!entry) {
		pd_error_set(err, "plugin-no-entry",
			     "%s exports no pd_plugin_entry", path);
		return NULL;
	}
	plugin = entry();
	if (!plugin)
		pd_error_set(err, "plugin-no-entry",
			     "pd_plugin_entry of %s returned NULL", path);
	return plugin;
}

const struct pd_plugin *pd_module_open(const char *path, struct pd_error **err)
{
	static const int fatal[] = { SIGPROF, SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	enum { FATAL = sizeof(fatal) / sizeof(*fatal) };
	const struct sigaction handler = { .sa_handler = on_signal };
	const struct pd_plugin *plugin;
	struct sigaction before[FATAL];
	static bool heard; /* of an exit */

	heard = heard || (atexit(on_exit_of_it) == 0 && at_quick_exit(on_exit_of_it) == 0);
	loading = path;
	loader = getpid();
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &handler, &before[i]);
	limit(LOAD_PROCESSOR_SECONDS, LOAD_SECONDS);
	plugin = load(path, err);
	limit(0, 0);
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &before[i], NULL);
	loading = NULL;
	return plugin;
}
