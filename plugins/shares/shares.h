/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin shares share: samba's files and databases. */
#ifndef PATCHDAY_SHARES_H
#define PATCHDAY_SHARES_H

#include "steps.h"

#define SAMBA_CONFIG "/etc/samba/smb.conf"
#define SAMBA_SUFFIX ".patchday-save" /**< of tdbbackup's copies */
#define SET_FILES "files"             /**< set: files/etc/samba/smb.conf */
#define SET_DATABASES "databases"
#define SET_EFFECTIVE "text/effective.conf"
#define SET_ELSEWHERE "text/accounts-elsewhere" /**< why it has no accounts */

/* All strings and arrays belong to the callback. */

struct setting {
	const char *key;
	const char *value;
};

/** A section of the effective configuration. */
struct section {
	const char *name;
	struct setting *setting;
	size_t len;
};

/** The effective configuration, defaults included, as testparm gives it. */
struct samba {
	bool loads;        /**< false: testparm refuses it, see problem */
	const char *problem;
	struct section *section; /**< the first one is [global] */
	size_t len;
};

/** Paths. */
struct paths {
	const char **path;
	size_t len;
};

/** Is a samba server installed here? */
bool samba_is_here(void);
/** Ask testparm.  A configuration that doesn't load is no failure. */
int samba_ask(struct pd_ctx *ctx, struct samba *out);
/** The value of a setting; @p missing when it isn't there. */
const char *section_value(const struct section *s, const char *key,
			  const char *missing);
const char *samba_global(const struct samba *samba, const char *key,
			 const char *missing);
/** smb.conf, what it includes, user maps, accounts that are in a text file: those
 * that are there. */
int samba_files(struct pd_ctx *ctx, const struct samba *samba, struct paths *out);
/** The passdb backend, of which no file on this server can be saved; NULL: one
 * can. */
const char *samba_accounts_elsewhere(const struct samba *samba);
/** Definitions of usershares. */
int samba_usershares(struct pd_ctx *ctx, const struct samba *samba,
		     struct paths *out);
/** Databases of accounts, secrets, permissions ... that are there. */
void samba_databases(struct pd_ctx *ctx, const struct samba *samba,
		     struct paths *out);
bool paths_have(const struct paths *paths, const char *path);
void paths_add(struct pd_ctx *ctx, struct paths *paths, const char *path);
/** The records of a database, sorted; NULL: reported.  @param usershares
 * paths of definitions: their permissions are left out, since smbd itself
 * copies them into share_info.tdb when somebody looks; or NULL. */
const char *database_records(struct pd_ctx *ctx, const char *path,
			     const struct paths *usershares);
/** Run a command for its output; NULL: it can't be run (reported) or ends
 * with another status than 0 (*status). */
const char *output_of(struct pd_ctx *ctx, const char *const argv[],
		      int *status);

/** Save all as the set @p folder.  @param strict a configuration that does
 * not load is a failure. */
int shares_take(struct pd_ctx *ctx, const char *folder, bool strict);

extern const struct pd_step step_restore;

#endif /* PATCHDAY_SHARES_H */
