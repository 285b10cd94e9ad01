/* SPDX-License-Identifier: MIT */
/* Private to the plugin recovery: media for bare metal that Relax-and-Recover
 * (rear) makes, and what can be told of one by reading it. */
#ifndef PD_RECOVERY_H
#define PD_RECOVERY_H

#include <patchday/plugin.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>
#include <zlib.h>

#define HEX (crypto_hash_sha256_BYTES * 2 + 1)
#define RECORD "patchday.medium" /**< what we write about a medium, beside rear's configuration */

/** A reason against the run: the inhibitor of a check, the failure of an apply. */
int PD_MUST_USE against(struct pd_ctx *ctx, const char *cause, const char *remedy);
/** SHA-256 in hexadecimal digits. */
const char *digest_text(struct pd_ctx *ctx, const char *text, size_t len);
/** By what this server is known on a medium; it does not tell its machine-id. */
const char *server_id(struct pd_ctx *ctx);
/** The value of "NAME VALUE" in lines of that; NULL: there is none. */
const char *line_value(struct pd_ctx *ctx, const char *text, const char *name);
const char *span(struct pd_ctx *ctx, int64_t seconds); /**< "3 days" */

/* ------------------------------------------------------------ packed.c */

/** An archive in something that is read from its begin to its end, packed or
 * not; what gzip says of its content is looked at. */
struct packed {
	struct pd_ctx *ctx;
	const char *name; /**< for messages */
	/** The next bytes as they lie there: 0 at the end, -1 with *why. */
	int64_t (*read)(struct packed *p, const char **why);
	void *user;
	char raw[1 << 16];
	/* private */
	char out[1 << 17];
	z_stream z;
	bool begun, gzip, open;
	const char *why;
};

/** @return NULL: reported. */
struct archive *packed_open(struct packed *p);
/** To the end, behind the last member; then it is freed.  @return 0, @p result
 * if that is below zero, or below zero, reported. */
int PD_MUST_USE packed_close(struct packed *p, struct archive *a, int result);
/** Called for each member, its name without "./" or "/" in front. */
typedef int packed_fn(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e,
		      const char *name, void *user);
int PD_MUST_USE packed_each(struct packed *p, struct archive *a, packed_fn *fn, void *user);
/** All data of a member, up to @p max bytes; then a NUL.  @return NULL: reported. */
const char *packed_text(struct packed *p, struct archive *a, size_t max, size_t *len);
/** All data of a member are read, of any archive; *hex gets their digest if it is not NULL. */
int PD_MUST_USE packed_data(struct pd_ctx *ctx, const char *of, struct archive *a, const char **hex);

/* ------------------------------------------------------------ medium.c */

/** What a boot medium tells about itself. */
struct medium {
	const char *path;
	int64_t bytes, made;  /**< made: seconds since 1970 */
	bool bios, uefi;      /**< by which firmware it can be booted */
	bool kernel, system;  /**< rear's kernel; its system, read to its end */
	const char *host;     /**< the server's short name; NULL: not told */
	const char *layout;   /**< disklayout.conf; NULL: there is none */
	const char *sums;     /**< digests of configuration files; NULL */
	const char *record;   /**< RECORD; NULL: rear was not started by us */
};

/** Read all of it.  @return 0, or below zero, reported: it is no boot medium of rear. */
int PD_MUST_USE medium_read(struct pd_ctx *ctx, const char *path, struct medium *m);
/** Is it of this server?  @return 0, or below zero, reported. */
int PD_MUST_USE medium_mine(struct pd_ctx *ctx, const struct medium *m);

/* ----------------------------------------------------------- boot.c */

/** Which firmware boots it, by its El Torito catalog, and when it was made.
 * @return 0, or below zero, reported. */
int PD_MUST_USE boot_read(struct pd_ctx *ctx, int fd, struct medium *m);

/* ---------------------------------------------------------- archive.c */

struct archive_report {
	int64_t files, bytes, compared;
	const char *own_id; /**< of the server that it is of, as server_id(); NULL */
};

/** Read all of it, and compare @p percent of its files with the disk, those
 * that are not newer there.  @return 0, or below zero, reported. */
int PD_MUST_USE archive_check(struct pd_ctx *ctx, const char *path, int64_t percent,
			      struct archive_report *report);
/** The archive of files that lies in a folder beside the medium; NULL: none. */
const char *archive_beside(struct pd_ctx *ctx, const char *folder);

/* ------------------------------------------------------------- rear.c */

/** What rear is told beside the server's own configuration. */
struct rear_job {
	const char *workflow; /**< "mkbackup", "mkrescue" */
	const char *url;      /**< where rear writes, and finds the archive again */
	const char *prefix;   /**< folder below it */
	const char *folder;   /**< the same folder, as this server sees it */
	const char *name;     /**< of the ISO, without its ending */
	const char *temp;     /**< for what it builds; absolute */
	int64_t limit;        /**< seconds */
};

/** Can nobody but root write there?  What is not there is nobody's. */
bool roots_alone(const char *path);
/** Is rear here, and its configuration root's alone?  @return 0, or below zero, reported. */
int PD_MUST_USE rear_there(struct pd_ctx *ctx);
/** Does rear take this job?  Nothing is left behind.  @return 0, or below zero, reported. */
int PD_MUST_USE rear_takes(struct pd_ctx *ctx, const struct rear_job *job);
/** Have it done.  Its log becomes evidence.  @return 0, or below zero, reported. */
int PD_MUST_USE rear_run(struct pd_ctx *ctx, const struct rear_job *job);
/** Are the disks those of the medium?  Nothing is left behind.  @return 0, or
 * below zero, reported. */
int PD_MUST_USE rear_compare(struct pd_ctx *ctx, const struct medium *m);
/** Remove a folder with all in it; no folder is no failure. */
int PD_MUST_USE remove_folder(struct pd_ctx *ctx, const char *folder);

/* ------------------------------------------------------------- steps */

extern const struct pd_step backup_step, rescue_step, recent_step, medium_step;

/** What may stand in an address or a path that goes into rear's configuration, a script. */
#define URL_SIGNS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._-@"

/** What was found, as a text among the evidence.  @param archive NULL: none */
int PD_MUST_USE tell(struct pd_ctx *ctx, const struct medium *m, const char *archive,
		     const struct archive_report *report);
const char *time_text(struct pd_ctx *ctx, int64_t when); /**< RFC 3339 */

#define RISK "a server that does not boot after the update could not be recovered"
#define PARAM_PERCENT(s) \
	PD_PARAM(s, percent, PD_T_INT, .def = "5", .min = 1, .max = 100, \
		 .help = "percent of the archive's files that are compared with the disk")

#endif
