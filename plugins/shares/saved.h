/* SPDX-License-Identifier: MIT */
/* A saved set of files: a folder with a manifest of digests, owners, modes. */
#ifndef PATCHDAY_SAVED_H
#define PATCHDAY_SAVED_H

#include <stdio.h>
#include <sys/stat.h>

#include <patchday/plugin.h>

/**
 * Compiled into the plugins that save and restore a service's files.  A set
 * is a folder that appears whole or not at all; its file MANIFEST is read by
 * people and by `sha256sum -c MANIFEST`.  Strings live until the callback
 * returns.
 */
#define SAVED_MANIFEST "MANIFEST"
#define SAVED_DIGEST 65 /**< 64 hexadecimal digits and the NUL */

/** One file of a set, as its manifest has it. */
struct saved_row {
	const char *name;   /**< in the folder */
	const char *digest; /**< SHA-256, hexadecimal */
	const char *user;   /**< owner's name, or number */
	const char *group;
	unsigned mode;
};

/** A set as read back. */
struct saved_set {
	const char *folder;
	struct saved_row *row;
	size_t len;
};

/** A set that is being made. */
struct saved {
	struct pd_ctx *ctx;
	const char *folder; /**< what it will be called */
	const char *part;   /**< where it is made */
	FILE *manifest;
	int64_t files;
};

/** A folder for @p what under @p to and the run, which isn't there yet. */
const char *saved_name(struct pd_ctx *ctx, const char *to, const char *what);

/** Start a set; an unfinished one of the same name is removed.  Functions
 * that return int give 0, or a failure already reported. */
int saved_open(struct saved *s, struct pd_ctx *ctx, const char *folder);

/** Add @p len bytes as @p name, with owner and mode of the file @p like, or
 * of root alone when @p like is NULL. */
int saved_add(struct saved *s, const char *name, const char *like,
	      const void *data, size_t len);

/** Add the regular file @p source as @p name.  @return 1 added, 0 not there,
 * or below zero. */
int saved_add_file(struct saved *s, const char *name, const char *source);

/** Complete the set: from now on it has its name. */
int saved_close(struct saved *s);

/** Read a set back and compare each file with the manifest. */
int saved_read(struct pd_ctx *ctx, const char *folder, struct saved_set *out);

/** Make sure that @p to (a second place) holds the set @p folder too, under
 * the same run and name; reads it back.  NULL or "": nothing to do. */
int saved_second(struct pd_ctx *ctx, const char *folder, const char *to);

/** The row called @p name, or NULL. */
const struct saved_row *saved_find(const struct saved_set *set,
				   const char *name);

/** Put a file of the set back as @p path, atomically, with owner and mode;
 * folders that are missing are made. */
int saved_put(struct pd_ctx *ctx, const struct saved_set *set,
	      const struct saved_row *row, const char *path);

/** Write @p path atomically, with owner and mode of @p row. */
int saved_write(struct pd_ctx *ctx, const char *path,
		const struct saved_row *row, const void *data, size_t len);

/** Is @p path already what @p row says, content, owner and mode? */
bool saved_same(struct pd_ctx *ctx, const struct saved_row *row,
		const char *path);

/** Remove a folder with all that is in it; symbolic links are not followed. */
int saved_remove(struct pd_ctx *ctx, const char *folder);

/** Append to an array of @p n items that belongs to the callback: room for
 * one more.  @return where the item goes; *items may have moved. */
void *saved_grow(struct pd_ctx *ctx, void *items, size_t *n, size_t size);

/** SHA-256 of @p data. */
void saved_digest(const void *data, size_t len, char out[SAVED_DIGEST]);

#endif /* PATCHDAY_SAVED_H */
