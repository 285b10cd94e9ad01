/* SPDX-License-Identifier: MIT */
/* Bundles: compressed tar archives with a SHA-256 manifest, for the plugins
 * backup and eventlog; directory reads and places archives of the same kind.
 * Private to these; every symbol stays hidden. */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <patchday/plugin.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>
#include <sys/stat.h>

/**
 * A bundle NAME is three files: NAME itself (pax, compressed), NAME.manifest
 * (one line of sha256sum(1) for each regular file, also the last member) and
 * NAME.sha256 (digests of the other two, for sha256sum -c).
 * Members are named without the leading slash; those that do not come from
 * the disk lie under BUNDLE_META.
 */
#define BUNDLE_META ".patchday/"
#define BUNDLE_MANIFEST BUNDLE_META "manifest"
#define BUNDLE_INFO BUNDLE_META "info"

#define BUNDLE_HEX (crypto_hash_sha256_BYTES * 2 + 1)

/** Text that grows; data ends with NUL or is NULL.  Aborts without memory. */
struct bundle_text {
	char *data;
	size_t len;
	size_t size;
};

void bundle_text_add(struct bundle_text *text, const void *data, size_t len);
void bundle_text_printf(struct bundle_text *text, const char *fmt, ...)
	PD_PRINTF(2, 3);
void bundle_text_free(struct bundle_text *text);

/** Append the line "DIGEST  NAME" as sha256sum(1) writes it. */
void bundle_line(struct bundle_text *text, const char *hex, const char *name);
/** SHA-256 of what was fed, in hexadecimal digits. */
void bundle_hex(crypto_hash_sha256_state *sum, char hex[BUNDLE_HEX]);

/** A bundle being written. */
struct bundle {
	struct pd_ctx *ctx;
	struct archive *out;
	struct archive *disk; /**< reads metadata of files */
	struct archive_entry_linkresolver *links;
	struct bundle_text manifest;
	crypto_hash_sha256_state sum; /**< of the archive as written */
	const char *path;             /**< final name */
	const char *temp;
	int fd;
	int64_t total;   /**< bytes expected, for the progress; 0 unknown */
	int64_t seen;    /**< bytes of members so far */
	int64_t written; /**< bytes of the archive so far */
	int64_t files;
	char sha256[BUNDLE_HEX]; /**< of the archive, after bundle_finish() */
};

/** What became of a file handed to bundle_add_path(). */
struct bundle_file {
	bool gone;     /**< it vanished before it could be opened */
	bool link;     /**< stored as a hard link to an earlier member */
	int64_t bytes; /**< stored */
	char sha256[BUNDLE_HEX]; /**< of what was stored, regular files only */
};

/** BUNDLE_BZIP2 is read, and never written. */
enum bundle_compression { BUNDLE_ZSTD, BUNDLE_XZ, BUNDLE_GZIP, BUNDLE_NONE, BUNDLE_BZIP2 };

/** Where a bundle goes: <to>/<run>/<name>.tar.*, numbered when taken; once
 * remembered it stays.  NULL in a dry run without a run id: unknown. */
const char *bundle_place(struct pd_ctx *ctx, const char *to, const char *name,
			 int compression);
/** Are all items of a parameter absolute paths, without "..", below the root
 * and without a slash at the end?  0, or PD_BAD_ARGS, reported. */
int bundle_check_paths(struct pd_ctx *ctx, const struct pd_list *list,
		       const char *parameter);
/** Start writing.  0, or below zero, reported.  In either case end with
 * bundle_free(), which takes away a half written file. */
int bundle_create(struct bundle *b, struct pd_ctx *ctx, const char *path,
		  int compression);
int bundle_add_memory(struct bundle *b, const char *name, const void *data,
		      size_t len);
/** Add one object of the disk with all its metadata, not what is in it. */
int bundle_add_path(struct bundle *b, const char *path, const struct stat *st,
		    struct bundle_file *file);
/** Manifest, fsync, side files, rename: the bundle is there or it isn't. */
int bundle_finish(struct bundle *b);
void bundle_free(struct bundle *b);

/** Called for each member; may read its data with bundle_digest() or the
 * functions of libarchive.  0 to go on, below zero to stop, reported. */
typedef int bundle_fn(struct pd_ctx *ctx, struct archive *a,
		      struct archive_entry *e, void *user);
/** Go through a bundle.  @param hex digest of the whole file, or NULL.
 * @param text shown as progress, NULL: none. */
int bundle_each(struct pd_ctx *ctx, const char *path, bundle_fn *fn, void *user,
		char hex[BUNDLE_HEX], const char *text);
/** SHA-256 of the member's content, holes as zeros.  @param content also
 * append it there, or NULL. */
int bundle_digest(struct pd_ctx *ctx, struct archive *a, char hex[BUNDLE_HEX],
		  struct bundle_text *content);
/** Is it a member with content of its own? */
bool bundle_has_content(struct archive_entry *e);

/** What bundle_verify() found. */
struct bundle_report {
	int64_t files;
	int64_t bytes;
	int64_t created; /**< seconds since 1970; 0 unknown */
	char sha256[BUNDLE_HEX];
};

/** Read the whole bundle back and compare every digest.  @param sha256 what
 * the archive's own digest has to be, or NULL.  0, or below zero, reported. */
int bundle_verify(struct pd_ctx *ctx, const char *path, const char *sha256,
		  struct bundle_report *report);
/** The value of "key=" in the text of BUNDLE_INFO, ctx's memory; or NULL. */
const char *bundle_info(struct pd_ctx *ctx, const char *text, const char *key);

#endif
