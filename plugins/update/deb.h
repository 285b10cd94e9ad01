/* SPDX-License-Identifier: MIT */
/* Private to the plugins that install Debian packages: package rows, the
 * changes that apt is going to make, and the transaction around them. */
#ifndef DEB_H
#define DEB_H

#include "../shared/pkg.h"

#define DEB_ARCHIVES "/var/cache/apt/archives"

/** One package of dpkg's database. */
struct deb_row {
	const char *name, *arch, *version;
	const char *want;   /**< install, hold, deinstall ... */
	const char *status; /**< installed, unpacked, config-files ... */
	bool automatic;     /**< apt may remove it when nothing needs it */
};

/** Sorted by name. */
struct deb_rows {
	struct deb_row *v;
	size_t n, cap;
};

/** One package that apt is going to install, upgrade or remove. */
struct deb_change {
	const char *name;
	const char *arch, *version; /**< new; version NULL: removed */
	const char *old_arch, *old; /**< before; NULL: not there */
	const char *sha256, *old_sha256; /**< of the .deb; NULL: unknown */
	int64_t bytes, old_bytes;         /**< of the .deb */
	int64_t room, old_room;           /**< bytes once unpacked */
	const char *file;           /**< .deb of the new version */
	const char *kept;           /**< .deb of the old version; NULL: none */
	bool saved;                 /**< what undo needs is remembered */
};

struct deb_changes {
	struct deb_change *v;
	size_t n, cap;
};

/** One package that the step was asked to install. */
struct deb_wanted {
	const char *name;
	const char *arch;    /**< "" any */
	const char *version; /**< "" the candidate */
	const char *sha256;  /**< "" unknown */
	const char *path;    /**< a .deb; NULL: from apt's sources */
	const char *url;     /**< of its payload; "" unknown */
};

/** A .deb of the package source. */
struct deb_offer {
	const char *name, *arch;
	const char *version; /**< maybe without the epoch */
	const char *path, *sha256;
};

struct deb_offers {
	struct deb_offer *v;
	size_t n, cap;
};

/** A transaction.  The caller fills the upper half. */
struct deb_txn {
	struct pd_ctx *ctx;
	const struct deb_wanted *wanted;
	size_t wanted_len;
	bool only_upgrade;   /**< never install what isn't there */
	bool download_only;  /**< fetch and check, change nothing */
	bool repack;         /**< old packages may be packed from the system */
	const char *keep;    /**< folder for old packages; NULL: in work_dir */
	const char *from;    /**< folder with fetched packages; NULL: none */
	const char *source;  /**< the package source; NULL: those of apt */
	struct pd_list dpkg_options;
	struct pd_list allow_remove;
	int64_t lock_timeout;

	struct deb_rows now;
	struct deb_offers offers; /**< of the package source, proved */
	struct deb_changes changes;
};

/* deb.c: rows and versions */
/** Compare as Debian Policy 5.6.12; below, at or above zero. */
int deb_compare(const char *a, const char *b);
/** All that dpkg knows, with apt's marks.  @return 0 or below, reported. */
int deb_query(struct pd_ctx *ctx, struct deb_rows *out);
/** @p arch "" or "all" fits any, as does a row of "all". */
const struct deb_row *deb_find(const struct deb_rows *rows, const char *name,
			       const char *arch);
bool deb_is_there(const struct deb_row *row);
/** "name=version" as apt wants it, with the architecture where it counts. */
const char *deb_spec(struct pd_ctx *ctx, const char *name, const char *arch,
		     const char *version);
const char *deb_file_name(struct pd_ctx *ctx, const char *name,
			  const char *arch, const char *version);
const char *deb_pack_rows(struct pd_ctx *ctx, const struct deb_rows *rows);
void deb_unpack_rows(struct pd_ctx *ctx, const char *text,
		     struct deb_rows *out);
const char *deb_pack_changes(struct pd_ctx *ctx, const struct deb_changes *c);
void deb_unpack_changes(struct pd_ctx *ctx, const char *text,
			struct deb_changes *out);
struct deb_change *deb_change_find(const struct deb_changes *changes,
				   const char *name, const char *arch);
struct deb_change *deb_change_add(struct pd_ctx *ctx,
				  struct deb_changes *changes);

/* apt.c: running apt and dpkg */
int deb_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    const char *directory, const char *input,
	    struct pd_command_result *result);
/** Why apt or dpkg failed, from its output. */
const char *deb_why(struct pd_ctx *ctx, const struct pd_command_result *r);
/** Hold the package manager's lock.  @return a descriptor, to be closed when all is
 * done; below zero, reported. */
int deb_lock(struct pd_ctx *ctx, int64_t timeout);
/** Start an "apt-get -y" that knows that we hold the lock. */
void deb_apt(struct deb_txn *txn, struct pkg_argv *argv, bool locked);
/** What apt would do for @p argv, which starts with deb_apt().
 * @return 0; PD_REFUSED when apt refuses, with *why; PD_FAILED reported. */
int deb_simulate(struct deb_txn *txn, struct pkg_argv *argv,
		 struct deb_changes *out, const char **why);
/** Simulate what is wanted. */
int deb_simulate_wanted(struct deb_txn *txn, struct deb_changes *out,
			const char **why);
/** Fill in sizes and digests from apt's verified lists. */
int deb_show(struct deb_txn *txn, struct deb_changes *changes);
/** What dpkg complains about; "" nothing; NULL reported. */
const char *deb_audit(struct pd_ctx *ctx);
/** Run apt-get or dpkg with progress from its status lines. */
int deb_act(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result);

/* state.c */
/** Finish what an interrupted dpkg left behind. */
int deb_repair(struct deb_txn *txn);
/** Set apt's marks and dpkg's holds of the changed packages as in @p before;
 * packages that are not in it are automatic unless wanted. */
int deb_marks(struct deb_txn *txn, const struct deb_rows *before);

/* fetch.c: files */
/** Have the new packages of @p changes in @p folder, digests checked. */
int deb_fetch_new(struct deb_txn *txn, struct deb_changes *changes,
		  const char *folder);
/** Have the old packages of the changes not yet saved in @p folder. */
int deb_keep_old(struct deb_txn *txn, const char *folder);
/** Where an old package would come from; NULL: nowhere. */
const char *deb_old_source(struct deb_txn *txn, const struct deb_change *c);

/* source.c: the package source */
/** Read what of the package source this server may need, and prove it.
 * @return 0 or below, reported; in check also as an inhibitor. */
int deb_offers_read(struct deb_txn *txn);
/** Where a new package comes from; NULL: it is not there. */
const struct deb_offer *deb_offer_of(const struct deb_txn *txn,
				     const struct deb_change *c);

/* txn.c: the transaction */
/** Predict: *count packages change.  @return PD_CHANGED, PD_UNCHANGED or
 * below zero, reported; inhibitors and irreversible packages are reported. */
int deb_txn_check(struct deb_txn *txn);
int deb_txn_apply(struct deb_txn *txn);
/** @return PD_UNCHANGED when nothing had been done. */
int deb_txn_undo(struct deb_txn *txn);
/** Is a restart of the server due for what was installed? */
enum deb_init { DEB_INIT_NO, DEB_INIT_USES, DEB_INIT_RESTARTS };

/** Does init run with a library that these changes are going to replace?  An
 * update of systemd starts it anew, with what is there by then. */
enum deb_init deb_init_uses(struct pd_ctx *ctx, const struct deb_changes *changes);
bool deb_reboot_due(struct pd_ctx *ctx, const struct deb_changes *changes);
/** The logs of apt and dpkg; ends with NULL. */
extern const char *const deb_logs[];

#endif /* DEB_H */
