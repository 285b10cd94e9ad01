/* SPDX-License-Identifier: MIT */
/* Private to the plugin rpm: rows of its database, files of packages, and the
 * transaction around them. */
#ifndef RPM_H
#define RPM_H

#include "../shared/pkg.h"

/** One installed package. */
struct rpm_row {
	const char *name, *arch;
	const char *evr;       /**< [epoch:]version-release, no epoch when 0 */
	const char *signature; /**< id of the key, lower case; "" none */
	bool parallel;         /**< its versions stand beside one another: kernels,
				*   what the administrator keeps so */
};

struct rpm_rows {
	struct rpm_row *v;
	size_t n, cap;
};

/** A package that another one takes the place of. */
struct rpm_obsolete {
	const char *name;
	const char *sense; /**< "<", "<=", ... or "" */
	const char *evr;
};

/** A file of a package. */
struct rpm_file {
	struct rpm_row row;
	const char *path;
	char *provides;               /**< lines */
	struct rpm_obsolete *obsoletes;
	size_t obsoletes_len, obsoletes_cap;
};

/** One package that is going to be installed, upgraded or removed. */
struct rpm_change {
	const char *name, *arch;
	const char *evr;        /**< new; NULL: removed */
	const char *old, *old_arch; /**< before; NULL: not there */
	const char *file;       /**< .rpm of the new one */
	const char *kept;       /**< .rpm of the old one; NULL: none */
	const char *old_sha256; /**< of kept */
	bool parallel;
};

struct rpm_changes {
	struct rpm_change *v;
	size_t n, cap;
};

/** One package of the selection that is older here, or replaces one. */
struct rpm_wanted {
	const char *name, *arch, *evr;
	const char *file;   /**< its file's name; "" as rpm names it */
	const char *sha256; /**< "" unknown */
};

/** The selection against the server. */
struct rpm_selection {
	struct rpm_wanted *v;
	size_t n, cap;
	size_t total;      /**< packages of the selection that are here, or are to be */
	const char *held;  /**< names of those that are locked; NULL: none */
	const char *fault; /**< why that is not known; NULL: it is */
	bool reboots, unknown; /**< by the catalog */
};

/** The files below some folders. */
struct rpm_folder {
	const char **paths;
	size_t n, cap;
};

/** A transaction.  The caller fills the upper half. */
struct rpm_txn {
	struct pd_ctx *ctx;
	const char *source;  /**< package source: folder with the new ones */
	struct pd_list old;  /**< folders with old ones */
	const char *keep;    /**< folder for old ones; NULL: in work_dir */
	bool unsigned_too;   /**< packages without a signature are taken */
	int64_t lock_timeout;

	struct rpm_rows now;
	struct rpm_folder fresh, olds;
	struct rpm_changes changes;
};

/* version.c */
/** Compare as rpm-version(7); below, at or above zero. */
int rpm_compare(const char *a, const char *b);

/* query.c: the database */
/** @return 0, or below zero, reported. */
int rpm_query(struct pd_ctx *ctx, struct rpm_rows *out);
/** The newest of that name; @p arch "" or "noarch" fits any, as does a row of
 * "noarch".  NULL: none. */
const struct rpm_row *rpm_find(const struct rpm_rows *rows, const char *name,
			       const char *arch);
/** Exactly this one. */
const struct rpm_row *rpm_find_exactly(const struct rpm_rows *rows,
				       const char *name, const char *arch,
				       const char *evr);
/** "name-version-release.arch", as rpm wants it and names files. */
const char *rpm_nvra(struct pd_ctx *ctx, const char *name, const char *evr,
		     const char *arch);
/** Older ones of packages that are there twice and not parallel: what an
 * interrupted transaction leaves. */
void rpm_duplicates(const struct rpm_rows *rows, struct pkg_argv *out);
struct rpm_change *rpm_change_add(struct pd_ctx *ctx, struct rpm_changes *to);
struct rpm_change *rpm_change_find(const struct rpm_changes *changes,
				   const char *name, const char *arch);
const char *rpm_pack_changes(struct pd_ctx *ctx, const struct rpm_changes *c);
void rpm_unpack_changes(struct pd_ctx *ctx, const char *text,
			struct rpm_changes *out);

/* files.c: files of packages */
/** All .rpm files below @p folder. */
int rpm_folder_add(struct pd_ctx *ctx, struct rpm_folder *to,
		   const char *folder);
/** The one of that name; NULL: none. */
const char *rpm_folder_find(const struct rpm_folder *folder, const char *name);
/** What these files have in them. */
int rpm_read_files(struct pd_ctx *ctx, const char *const *paths, size_t n,
		   struct rpm_file **out, size_t *out_len);
/** @return 0 if all are whole, root's alone, and signed by a key that the
 * server trusts; PD_REFUSED with *why; PD_FAILED reported. */
int rpm_check_files(struct rpm_txn *txn, const char *const *paths, size_t n,
		    const char **why);

/* config.c: lists of dnf's and zypp's configuration */
/** A file's text; "" if there is none. */
char *rpm_config_text(struct pd_ctx *ctx, const char *path);
/** Without blanks around it. */
char *rpm_trim(char *s);
/** Add the words of "key=a b, c*", going on in lines that are indented; those of
 * [main] count, which is what a file without its own repositories has. */
void rpm_config_list(struct pd_ctx *ctx, const char *path, const char *key,
		     struct pkg_argv *out);
/** What the administrator keeps several versions of, beside what vendors mark. */
struct rpm_parallel {
	struct pkg_argv provides, names;
};
void rpm_parallel_read(struct pd_ctx *ctx, struct rpm_parallel *out);
/** May versions of the package of that name stand beside one another, since it
 * provides this? */
bool rpm_is_parallel(const struct rpm_parallel *parallel, const char *name,
		     const char *provided);

/* versionlock.c: locks of dnf5 */
struct rpm_versionlock;
/** @param fault what is not understood in its file, with the line, and then no
 * lock counts; NULL: nothing. */
const struct rpm_versionlock *rpm_versionlock_read(struct pd_ctx *ctx,
						   const char **fault);
bool rpm_versionlock_forbids(struct pd_ctx *ctx,
			     const struct rpm_versionlock *locks,
			     const struct rpm_wanted *w);

/* held.c: what the administrator locked */
/** Locks of dnf's and dnf5's versionlock and exclusions of their configuration. */
struct rpm_locks;
const struct rpm_locks *rpm_locks_read(struct pd_ctx *ctx);
/** Why it is not known what is locked; NULL: it is. */
const char *rpm_locks_fault(const struct rpm_locks *locks);
bool rpm_is_locked(struct pd_ctx *ctx, const struct rpm_locks *locks,
		   const struct rpm_wanted *w);

/* plan.c: what is going to change */
int rpm_select(struct rpm_txn *txn, const struct pd_updates *updates,
	       bool keep_held, struct rpm_selection *out);
/** @return 0; PD_REFUSED with *why and *remedy; PD_FAILED reported. */
int rpm_plan(struct rpm_txn *txn, const struct rpm_selection *selection,
	     const char **why, const char **remedy);
/** Where the old package of a change is to be had; NULL: nowhere. */
const char *rpm_old_file(struct rpm_txn *txn, const struct rpm_change *c);

/* manager.c: rpm and dnf */
int rpm_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result);
/** Begin "rpm VERB --define ..."; @p txn decides about signatures. */
void rpm_begin(struct rpm_txn *txn, struct pkg_argv *argv, const char *verb);
/** Why rpm or dnf failed, from its output. */
const char *rpm_why(struct pd_ctx *ctx, const struct pd_command_result *r);
/** Wait until no other package manager is at work. */
int rpm_wait(struct pd_ctx *ctx, int64_t timeout);
bool rpm_has_dnf(void);
/** Let dnf install these files, older ones too, and remove these packages in
 * one transaction, without its repositories.
 * @return 0 when it did; PD_REFUSED with *why; PD_FAILED reported. */
int rpm_dnf(struct rpm_txn *txn, const struct pkg_argv *files,
	    const struct pkg_argv *gone, const char **why);
/** Run an rpm that changes the database. */
int rpm_act(struct rpm_txn *txn, const struct pkg_argv *argv,
	    const char **why);

/* txn.c, undo.c: the transaction */
extern const char *const rpm_logs[];
int rpm_txn_apply(struct rpm_txn *txn, const struct pd_updates *updates,
		  bool keep_held);
int rpm_txn_undo(struct rpm_txn *txn);
bool rpm_reboot_due(struct pd_ctx *ctx, const struct rpm_changes *changes);
/** Is the server as the change says it was before? */
bool rpm_as_before(const struct rpm_change *c, const struct rpm_rows *now);

#endif /* RPM_H */
