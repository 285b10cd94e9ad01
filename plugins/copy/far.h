/* SPDX-License-Identifier: MIT */
/* The far side of copy.ssh, by the OpenSSH client: its commands, what is there,
 * and its digests. */
#ifndef PD_COPY_FAR_H
#define PD_COPY_FAR_H

#include "copy.h"

struct ssh_args {
	const char *from;
	struct pd_list also;
	const char *host;
	int64_t port;
	const char *user;
	const char *to;
	const char *identity;
	const char *known_hosts;
	int64_t room;
	bool keep;
};

/** One file or folder of the far side. */
struct item {
	const char *far;  /**< its path there */
	const char *path; /**< here; NULL: only there */
	const char *name; /**< below the source; "" of a folder that is not in it */
	int64_t size;
	bool folder;
	bool alien;       /**< looked at, and not ours to remove */
	bool exists;      /**< set by far_look() */
	bool whole;       /**< set by far_prove(): there, with this digest */
	char hex[HEX];
};

/** In the order of their far paths, each once. */
struct items {
	struct pd_ctx *ctx;
	struct item *item;
	size_t len, cap;
	int64_t free; /**< bytes, set by far_look(); -1: the far side does not tell */
};

HIDDEN void items_add(struct items *all, struct item item);
HIDDEN void items_sort(struct items *all);
HIDDEN struct item *items_find(const struct items *all, const char *far);

/** Is there an argument that can't be handed to the client as it is?
 * @return 0, or PD_BAD_ARGS, reported. */
HIDDEN int PD_MUST_USE far_arguments(struct pd_ctx *ctx);
/** Append sftp's @p command with these paths, each as one word of it; NULL: no more. */
HIDDEN void far_command(FILE *batch, const char *command, const char *a, const char *b);
/** Run sftp commands; it ends at the first one that fails, unless that starts
 * with "-".  @p line may be NULL.  @return 0, or below zero, reported:
 * PD_RETRY when there is no connection.  With @p why the client's own words are
 * left there in place of a report. */
typedef void far_line(struct pd_ctx *ctx, void *user, int stream, const char *line);
HIDDEN int PD_MUST_USE far_sftp(struct pd_ctx *ctx, const char *batch, far_line *line, void *user,
				const char **why);
/** What of @p all is there, how much room is left?  Without the second place
 * it fails.  @p why: see far_sftp(). */
HIDDEN int PD_MUST_USE far_look(struct items *all, const char **why);
/** Is there a shell that has sha256sum(1)?  @return 1: yes. */
HIDDEN int PD_MUST_USE far_has_shell(struct pd_ctx *ctx);
/** By the far side's sha256sum(1): which files below @p folder are whole? */
HIDDEN int PD_MUST_USE far_prove(struct items *all, const char *folder);
/** The same by fetching them, into the work folder. */
HIDDEN int PD_MUST_USE far_fetch(struct items *all, struct pass *p);
/** Lines of digest and name, for all files. */
HIDDEN const char *far_manifest(struct items *all);

#endif
