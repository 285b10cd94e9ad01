/* SPDX-License-Identifier: MIT */
/* What plugins that drive a package manager share: texts, arguments, files
 * with digests, its logs, and /etc as it was before. */
#ifndef PKG_H
#define PKG_H

#include <patchday/plugin.h>

#include <sys/types.h>

#define PKG_OUTPUT_MAX ((size_t)64 << 20)

/** A growing text; memory of the callback. */
struct pkg_text {
	struct pd_ctx *ctx;
	char *s; /**< ends with NUL; NULL while empty */
	size_t len, cap;
};

/** A growing argv; always ends with NULL.  Memory of the callback. */
struct pkg_argv {
	struct pd_ctx *ctx;
	const char **v;
	size_t n, cap;
};

/* pkg.c */
void pkg_printf(struct pkg_text *text, const char *fmt, ...) PD_PRINTF(2, 3);
void pkg_arg(struct pkg_argv *argv, const char *arg);
void *pkg_grow(struct pd_ctx *ctx, void *items, size_t n, size_t *cap,
	       size_t size);
const char *pkg_copy(struct pd_ctx *ctx, const char *text, size_t len);
/** Cut the next line off *rest; NULL at the end. */
char *pkg_line(char **rest);
/** Cut the next field off *rest at @p by; "" at the end. */
char *pkg_field(char **rest, char by);
int pkg_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result);
/** Have on the disk what was written below @p folder. */
int pkg_sync(struct pd_ctx *ctx, const char *folder);
int pkg_make_folder(struct pd_ctx *ctx, const char *path);
bool pkg_exists(const char *path);
/** Folders that packages write in and that are mounted read-only: "/usr, /boot";
 * NULL: none. */
const char *pkg_read_only(struct pd_ctx *ctx);
/** For a check: tell the inhibitor of those.  @return PD_REFUSED, reported. */
int pkg_refuse_read_only(struct pd_ctx *ctx, const char *folders);
/** SHA-256 of each file; NULL for one that can't be read. */
int pkg_digests(struct pd_ctx *ctx, const char *const *paths, size_t n,
		const char **digests);
/** Why somebody else than root could change @p path, a file or folder of
 * @p type (S_IFREG, S_IFDIR); NULL: nobody can.  Above what counts a folder
 * may be open to all if it is sticky. */
const char *pkg_unsafe(struct pd_ctx *ctx, const char *path, mode_t type,
		       bool above);
/** The same with the folders above it, as far as links lead. */
const char *pkg_folder_unsafe(struct pd_ctx *ctx, const char *folder);
int pkg_copy_file(struct pd_ctx *ctx, const char *from, const char *to);
/** How large these logs (the list ends with NULL) are now, to copy from there
 * on. */
const char *pkg_log_marks(struct pd_ctx *ctx, const char *const *logs);
/** Copy what was logged since @p marks to @p name in work_dir, as evidence.
 * @return its path, NULL reported as a warning. */
const char *pkg_collect_logs(struct pd_ctx *ctx, const char *const *logs,
			     const char *marks, const char *name);
/** The command line of who has the package manager's lock. */
const char *pkg_holder(struct pd_ctx *ctx, long pid);
/** <keep>/<run>/<folder of the step>, so that no run disturbs another's; NULL of NULL. */
const char *pkg_keep_folder(struct pd_ctx *ctx, const char *keep);
/** Forget all that these keys have. */
int pkg_forget(struct pd_ctx *ctx, const char *const *keys, size_t n);

/** The outputs of a step that installs, but for "log"; @p known: whether a reboot is
 * due is known. */
int pkg_outputs(struct pd_ctx *ctx, size_t packages, bool known, bool reboot);
#define PKG_OUTPUTS                                                         \
	PD_OUTPUT("packages", PD_T_INT, "how many packages change"),        \
	PD_OUTPUT("reboot_required", PD_T_BOOL, "whether to reboot after it"), \
	PD_OUTPUT("log", PD_T_PATH, "what the package manager logged")
#define PKG_LOCK_TIMEOUT(s)                                                 \
	PD_PARAM(s, lock_timeout, PD_T_SECONDS, .def = "300", .min = 0,     \
		 .max = 86400,                                              \
		 .help = "how long to wait for another package manager")

/** A line of the list of packages that changed; @p old or @p now NULL: there was,
 * there is none. */
void pkg_changed(struct pkg_text *list, const char *name, const char *arch,
		 const char *old, const char *now);
/** The list as evidence. */
int pkg_write_changed(struct pkg_text *list);

/** Does init go on with a library that is no longer there? */
bool pkg_init_is_stale(struct pd_ctx *ctx);

/* etc.c: what is in /etc */
/** Copy it, once. */
int pkg_etc_save(struct pd_ctx *ctx);
/** Before it goes on after a failure: what others changed there meanwhile is not this step's. */
int pkg_etc_again(struct pd_ctx *ctx);
/** Remember what was changed there since. */
int pkg_etc_note(struct pd_ctx *ctx);
/** Put back what was changed, before the packages are: so that these see
 * their own files, and the package manager forgets those that are new. */
int pkg_etc_begin(struct pd_ctx *ctx);
/** Put back what bringing back the packages changed there. */
int pkg_etc_end(struct pd_ctx *ctx);

#endif /* PKG_H */
