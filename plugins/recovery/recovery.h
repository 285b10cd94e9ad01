/* SPDX-License-Identifier: MIT */
/* Private to the plugin recovery: media for bare metal that Relax-and-Recover
 * (rear) makes, and what can be told of one by reading it. */
#ifndef PD_RECOVERY_H
#define PD_RECOVERY_H

#include <patchday/plugin.h>

#include <archive.h>
#include <archive_entry.h>
#include <nettle/aes.h>
#include <sodium.h>
#include <sys/types.h>
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
/** A host name has nothing else; what has would not come through a script. */
const char *short_name(struct pd_ctx *ctx);

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
	const char *loader;   /**< of a stick; NULL: an image has none of its own */
	const char *layout;   /**< disklayout.conf; NULL: there is none */
	const char *sums;     /**< digests of configuration files; NULL */
	const char *record;   /**< RECORD; NULL: rear was not started by us */
};

/** Read all of it.  @return 0, or below zero, reported: it is no boot medium of rear. */
int PD_MUST_USE medium_read(struct pd_ctx *ctx, const char *path, struct medium *m);
/** Read rear's system to its end, as initrd of @p m.  @param p open for that: with name, read and user */
int PD_MUST_USE medium_system(struct pd_ctx *ctx, struct packed *p, struct medium *m);
/** In a check what is damaged, or lacks something, is a reason not to start.  @param result of reading it
 * @return 0, or below zero, reported. */
int PD_MUST_USE medium_judged(struct pd_ctx *ctx, const struct medium *m, int result);
/** Is it of this server?  @return 0, or below zero, reported. */
int PD_MUST_USE medium_mine(struct pd_ctx *ctx, const struct medium *m);

/* ------------------------------------------------------ stick_medium.c */

/** Is it a device with a file system, as rear's sticks are, and no image? */
bool stick_is_one(const char *path);
/** Read what rear has made on it for this server last, as medium_read() does an image; apply writes down its digests.
 * @return 0, or below zero, reported. */
int PD_MUST_USE stick_confirm(struct pd_ctx *ctx, const char *path, struct medium *m);
#define STICK_DIGESTS "MANIFEST"

/* ----------------------------------------------------------- boot.c */

/** Which firmware boots it, by its El Torito catalog, and when it was made.
 * @return 0, or below zero, reported. */
int PD_MUST_USE boot_read(struct pd_ctx *ctx, int fd, struct medium *m);

/* ------------------------------------------------------------ crypt.c */

#define CRYPT_ROUNDS 600000 /**< of PBKDF2 */
#define CRYPT_CIPHER "-aes-256-cbc -md sha256 -pbkdf2 -iter 600000" /**< the same, as openssl-enc(1) has it */

struct crypt {
	int fd;
	struct aes256_ctx aes;
	uint8_t vector[AES_BLOCK_SIZE], held[AES_BLOCK_SIZE];
	bool holds;
};

/** Is what lies there encrypted?  Its offset stays. */
bool crypt_begins(int fd);
bool PD_MUST_USE crypt_begin(struct crypt *c, int fd, const char *passphrase, size_t len);
/** Like read(2), with *why in place of errno. */
ssize_t PD_MUST_USE crypt_read(struct crypt *c, void *to, size_t size, const char **why);

/* ---------------------------------------------------------- archive.c */

struct archive_report {
	int64_t files, bytes, compared;
	bool encrypted;
	const char *own_id; /**< of the server that it is of, as server_id(); NULL */
};

/** Read all of it, and compare @p percent of its files with the disk, those
 * that are not newer there.  @return 0, or below zero, reported. */
int PD_MUST_USE archive_check(struct pd_ctx *ctx, const char *path, int64_t percent, const struct pd_secret *passphrase,
			      struct archive_report *report);
/** The archive of files that lies in a folder beside the medium; NULL: none. */
const char *archive_beside(struct pd_ctx *ctx, const char *folder);

/* ------------------------------------------------------------ space.c */

#define CONFIG "/etc/rear"
#define BY_LABEL "/dev/disk/by-label/" /**< where rear looks for a stick, here and when it is booted */
#define OWN "/var/lib/rear" /**< what rear knows, and here what it builds while nothing may stay */

/** The mounts to go back to, and the root among them, which need not be theirs. */
struct space {
	int space, root;
};

/** @param untouched what rear changes by the way is covered, too.  @return 0, or below zero, reported. */
int PD_MUST_USE space_enter(struct pd_ctx *ctx, bool untouched, struct space *back);
/** @return @p result, or below zero, reported. */
int PD_MUST_USE space_leave(struct pd_ctx *ctx, const struct space *back, int result);
/** With an empty file system in memory. */
bool PD_MUST_USE space_cover(const char *folder);

/* ------------------------------------------------------------- rear.c */

/** What rear is told beside the server's own configuration. */
struct rear_job {
	const char *workflow; /**< "mkbackup", "mkrescue" */
	const char *url;      /**< where rear writes, and finds the archive again */
	const char *label;    /**< of the stick that is made; NULL: it is an image */
	const char *prefix;   /**< folder below it */
	const char *folder;   /**< the same folder, as this server sees it, or below the stick's root */
	const char *name;     /**< of the ISO, without its ending */
	const char *temp;     /**< for what it builds; absolute */
	int64_t limit;        /**< seconds */
	const struct pd_secret *passphrase; /**< of the archive; NULL: it is not encrypted */
};

/** Can nobody but root write there?  What is not there is nobody's. */
bool roots_alone(const char *path);
/** Is rear here, and its configuration root's alone?  @return 0, or below zero, reported. */
int PD_MUST_USE rear_there(struct pd_ctx *ctx);
/** Does rear take this job?  Nothing is left behind.  @return 0, or below zero, reported. */
int PD_MUST_USE rear_takes(struct pd_ctx *ctx, const struct rear_job *job);
/** Have a disk made anew, with a file system that has the job's label: all on it is lost.
 * @return 0, or below zero, reported. */
int PD_MUST_USE rear_format(struct pd_ctx *ctx, const struct rear_job *job, const char *disk);
bool with_archive(const struct rear_job *job);
/** Have it done.  Its log becomes evidence.  @return 0, or below zero, reported. */
int PD_MUST_USE rear_run(struct pd_ctx *ctx, const struct rear_job *job);
/** Are the disks those of the medium?  Nothing is left behind.  @return 0, or
 * below zero, reported. */
int PD_MUST_USE rear_compare(struct pd_ctx *ctx, const struct medium *m);
/** Remove a folder with all in it; no folder is no failure. */
int PD_MUST_USE remove_folder(struct pd_ctx *ctx, const char *folder);

/* ------------------------------------------------------------- room.c */

/** What the job may need on a volume; that is left out where it is counted.  @param given by a person; 0: it is counted */
int64_t room_needed(struct pd_ctx *ctx, const struct rear_job *job, int64_t given, dev_t volume);
/** Root alone may read it.  @return 0, or below zero, reported. */
int PD_MUST_USE hide_folder(struct pd_ctx *ctx, const char *folder);

/* ------------------------------------------------------------- steps */

extern const struct pd_step backup_step, rescue_step, stick_step, rescue_stick_step, recent_step, medium_step;

/** What may stand in an address or a path that goes into rear's configuration, a script. */
#define URL_SIGNS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._-@"

/** What was found, as a text among the evidence.  @param archive NULL: none */
int PD_MUST_USE tell(struct pd_ctx *ctx, const struct medium *m, const char *archive,
		     const struct archive_report *report);
const char *time_text(struct pd_ctx *ctx, int64_t when); /**< RFC 3339 */

/** Where the system on the medium looks for the passphrase, and its file below the job's temp. */
#define PASSPHRASE_THERE "/tmp/passphrase"
#define PASSPHRASE_HERE "secret"

#define RISK "a server that does not boot after the update could not be recovered"
#define PARAM_PASSPHRASE(s) \
	PD_PARAM(s, passphrase, PD_T_SECRET, .help = "what the archive is encrypted with: env:NAME, file:/PATH or credential:NAME")
#define PARAM_PERCENT(s) \
	PD_PARAM(s, percent, PD_T_INT, .def = "5", .min = 1, .max = 100, \
		 .help = "percent of the archive's files that are compared with the disk")

#endif
