/* SPDX-License-Identifier: MIT */
/* Inside of the plugin database: PostgreSQL by its own command line tools. */
#ifndef PD_PLUGIN_DATABASE_H
#define PD_PLUGIN_DATABASE_H

#include <sys/types.h>

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* -------------------------------------------------------------- cluster.c */

/** What says which cluster a step is about: the first two of its arguments. */
struct where {
	const char *cluster, *socket;
};

#define WHERE const char *cluster, *socket

#define WHERE_PARAMS(s)                                                                    \
	PD_PARAM(s, cluster, PD_T_STRING,                                                  \
		 .help = "cluster, such as 15/main, or its port; left out: the only one"), \
	PD_PARAM(s, socket, PD_T_PATH, .def = "/run/postgresql",                           \
		 .help = "folder of the cluster's socket")

/** One cluster (what PostgreSQL calls all that one server process serves). */
struct cluster {
	struct pd_ctx *ctx;
	const char *name;   /**< for people */
	const char *owner;  /**< system user, who is the first superuser, too */
	const char *role;   /**< in the database */
	const char *port, *socket;
	const char *programs; /**< folder with a slash at its end; "": PATH */
	uid_t uid;
	gid_t gid;
	int64_t patience; /**< seconds for a program to end; 0: what the step has */
};

/** Fields of all rows, one after the other. */
struct rows {
	size_t len;
	const char **items;
};

/** The cluster that the step is about: the one that it has worked on in this
 * run, whatever others an update may have brought.  @return 0, PD_REFUSED with a reason
 * when there is none or it is not known which, or below zero, reported. */
HIDDEN int PD_MUST_USE cluster_find(struct pd_ctx *ctx, struct cluster *c);

/** Before its first change: it is this cluster. */
HIDDEN int PD_MUST_USE cluster_remember(const struct cluster *c);

enum { RUN_READS_ALL = 1 }; /**< it may open files in folders of root */

/** Run one of PostgreSQL's programs as the owner.  @return 0 when it ended
 * well, 1 with its last words in *why, or below zero, reported. */
HIDDEN int PD_MUST_USE cluster_run(const struct cluster *c, int flags, const char *database,
				   const char *const argv[], const char *input,
				   struct pd_command_result *result, const char **why);

/** Ask in SQL. @return as cluster_run(). */
HIDDEN int PD_MUST_USE cluster_try(const struct cluster *c, const char *database, const char *sql,
				   struct rows *rows, const char **why);

/** The same, where a refusal is a failure.  @return 0 or below zero, reported. */
HIDDEN int PD_MUST_USE cluster_ask(const struct cluster *c, const char *database, const char *sql,
				   struct rows *rows);

/** Can it be asked?  One that comes up is waited for.  @return 1, 0 when nobody
 * listens at its socket or it goes down, or below zero, reported. */
HIDDEN int PD_MUST_USE cluster_runs(const struct cluster *c);

HIDDEN int64_t now_ms(void);
HIDDEN void nap(void);

/** End what a callback that was killed has left at work: there is one run on a
 * server.  @return 0 or below zero, reported. */
HIDDEN int PD_MUST_USE cluster_alone(const struct cluster *c);

/** Work on files as the owner, who can name any path to us, and back. */
HIDDEN int PD_MUST_USE owner_begin(const struct cluster *c);
HIDDEN void owner_end(void);

/** A text in SQL, and a name. */
HIDDEN const char *sql_text(struct pd_ctx *ctx, const char *s);
HIDDEN const char *sql_name(struct pd_ctx *ctx, const char *s);

/** A text that grows: begins as zero, and costs no more than twice its length. */
struct text {
	char *s;
	size_t len, room;
};
HIDDEN void PD_PRINTF(3, 4) text_add(struct pd_ctx *ctx, struct text *t, const char *fmt, ...);

/** Names of databases that take connections and are no templates: all, or
 * @p chosen, each of which must be there.  Columns: name, oid, size. */
HIDDEN int PD_MUST_USE cluster_databases(const struct cluster *c, const struct pd_list *chosen,
					 struct rows *rows);

/* ----------------------------------------------------------------- rows.c */

/** Count the rows of each table of a database, and sum up what is in them.
 * Columns: table, rows, sum. */
HIDDEN int PD_MUST_USE rows_count(const struct cluster *c, const char *database, struct rows *rows);

/** Add lines of the file rows.txt: what was the same before and after. */
HIDDEN void rows_text(struct pd_ctx *ctx, struct text *text, const char *database, const struct rows *before,
		      const struct rows *after, size_t *written);

/** Is in @p database of @p c what @p text (rows.txt) says of it?
 * @return 0 or below zero, reported. */
HIDDEN int PD_MUST_USE rows_compare(const struct cluster *c, const char *database,
				    const char *text, int64_t *tables);

/* ---------------------------------------------------------------- saved.c */

#define DUMP_MANIFEST "MANIFEST"

/** A folder that database.dump has made: columns database, file. */
struct dump {
	const char *folder, *rows_text;
	struct rows list;
};

/** Read it back: every file as in the manifest. @return 0 or below zero, reported. */
HIDDEN int PD_MUST_USE dump_read(struct pd_ctx *ctx, const char *folder, struct dump *d);

/** Restore one file of a dump under the name it was saved by. */
HIDDEN int PD_MUST_USE dump_restore(const struct cluster *c, const struct dump *d, size_t i,
				    const char *maintenance);

/** For what is too large to be restored: every block of it can be unpacked. */
HIDDEN int PD_MUST_USE dump_read_through(const struct cluster *c, const struct dump *d);

/* ---------------------------------------------------------------- proof.c */

/** Restore all of a dump into a cluster made for it, compare the rows, and
 * remove it, whatever happens.  @param parent folder that the owner may write
 * in.  @return 0 or below zero, reported. */
HIDDEN int PD_MUST_USE proof_run(const struct cluster *c, const struct dump *d, const char *parent);

/** Warn of what other runs have left in @p parent. */
HIDDEN void proof_others(const struct cluster *c, const char *parent);

/** Remove what a proof that was cut short has left. */
HIDDEN int PD_MUST_USE proof_clean(const struct cluster *c);

extern const struct pd_step database_probe HIDDEN;
extern const struct pd_step database_quiesce HIDDEN;
extern const struct pd_step database_dump HIDDEN;
extern const struct pd_step database_restore HIDDEN;

#endif
