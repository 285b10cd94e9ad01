/* SPDX-License-Identifier: MIT */
/* What the steps of the plugin copy share: one file and all of them, and the
 * list of what a step has made, so that undo removes that and nothing else. */
#ifndef PD_COPY_H
#define PD_COPY_H

#include <patchday/plugin.h>

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define MANIFEST "MANIFEST"
#define HEX (2 * crypto_hash_sha256_BYTES + 1)

extern HIDDEN const struct pd_step folder_step, ssh_step, medium_step;

/** One pass over the source. */
struct pass {
	struct pd_ctx *ctx;
	const char *from, *to;
	const struct pd_list *also; /**< further folders that steps may have saved to */
	const char *first;          /**< set by copy_each(): from, while further ones are gone through */
	FILE *manifest; /**< NULL: none is made */
	int64_t files, bytes, total, copied;
	bool quiet;     /**< what is neither file nor folder isn't told */
	char *chunk;
	void *user;
};

/** For each file and folder, the folder before what is in it.  @p name is below
 * the source, "" for the source itself.  @return 0 to go on. */
typedef int file_fn(struct pass *p, const char *path, const char *name, const struct stat *st);

/** First what is in the source, then what further folders have of this run.
 * @return 0, what @p fn said first that is not 0, or below zero, reported. */
HIDDEN int PD_MUST_USE copy_each(struct pass *p, file_fn *fn);

HIDDEN file_fn copy_file;    /**< whole, flushed, then under its name; to the manifest */
HIDDEN file_fn copy_missing; /**< the same, unless it is there and as in the source */
HIDDEN file_fn copy_compare; /**< fails if it is not as in the source */
HIDDEN file_fn copy_look;    /**< 1: by its size and time it is not there */
HIDDEN file_fn copy_count;

/** FROM/RUN */
HIDDEN const char *copy_source(struct pd_ctx *ctx, const char *from);
/** TO/SERVER/RUN */
HIDDEN const char *copy_target(struct pd_ctx *ctx, const char *to);
HIDDEN int PD_MUST_USE copy_make_folder(struct pd_ctx *ctx, const char *path);
/** Of the file @p path, in 64 digits. */
HIDDEN int PD_MUST_USE copy_digest(struct pass *p, const char *path, char hex[HEX]);
/** As sha256sum(1) writes it. */
HIDDEN void copy_manifest_line(FILE *f, const char *hex, const char *name);
/** The outputs folder, files, bytes. */
HIDDEN int PD_MUST_USE copy_report(struct pass *p);
/** For lists with a name on each line.  @return 0, or below zero, reported. */
HIDDEN int PD_MUST_USE copy_plain_name(struct pd_ctx *ctx, const char *name);

#define COPY_ALSO(args)                                               \
	PD_PARAM(args, also, PD_T_LIST,                               \
		 .help = "further such folders; one where nothing of this run is, is passed over")

#define COPY_OUTPUTS(where)                                           \
	PD_OUTPUT("folder", PD_T_PATH, where),                        \
	PD_OUTPUT("files", PD_T_INT, "files in it"),                  \
	PD_OUTPUT("bytes", PD_T_BYTES, "their size"), PD_OUTPUT_END

/** What was not there before this step, on the disk when 0 is returned: write
 * it down before it is made.  @p lines: a path each, folders end with '/'. */
HIDDEN int PD_MUST_USE made_add(struct pd_ctx *ctx, const char *lines);
/** All of them, what is in a folder before the folder. */
HIDDEN const char *const *made_all(struct pd_ctx *ctx, size_t *n);

#endif
