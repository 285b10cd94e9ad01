/* SPDX-License-Identifier: MIT */
/* What the source files of the plugin backup share.  Symbols stay hidden. */
#ifndef BACKUP_H
#define BACKUP_H

#include "bundle.h"

struct state_args {
	const char *to;
	const char *name;
	struct pd_list paths;
	struct pd_list exclude;
	int32_t compression;
};

struct restore_args {
	const char *archive;
	struct pd_list paths;
	const char *to;
	bool exact;
};

pd_step_fn state_check;
pd_step_fn state_apply;
pd_step_fn state_verify;
pd_step_fn system_check; /* of backup.system, with the same arguments */
pd_step_fn system_apply;
pd_step_fn restore_check;
pd_step_fn restore_apply;
pd_step_fn restore_verify;
pd_step_fn restore_undo;

/** Is what is mounted at @p path no storage of this server? */
bool foreign_volume(const char *path);
/** The layout of the disks into the archive, below BUNDLE_META "layout/".
 * 0, or below zero, reported. */
int layout_save(struct pd_ctx *ctx, struct bundle *b);

/**
 * Compare a member with what the disk holds at @p path; reads the member's
 * data.  @return NULL when type, owner, mode, ACL, extended attributes, link
 * target, time and content are the same, else what differs.
 */
const char *compare_member(struct pd_ctx *ctx, struct archive *a,
			   struct archive_entry *e, const char *path);
/** Take away extended attributes and ACL that @p e does not have: libarchive
 * only adds, and new files inherit from their folder. */
void strip_attributes(struct archive_entry *e, const char *path);
/** Mode, ACL, attributes and time of a folder that nothing more is put into;
 * libarchive leaves those of an existing folder out.  False with errno set. */
bool finish_folder(struct archive_entry *e, const char *path);
/** lstat() that goes through no symbolic link at all. */
bool look_at(const char *path, struct stat *st);

/** Which members of an archive are to be restored, with their names. */
struct selection {
	struct bundle_text text; /**< type and name of each, then NUL */
	const char **sorted;     /**< names; the byte before is the type:
				  *   'd' folder, 'f' anything else */
	size_t count;
	struct bundle_text moved; /**< pairs of names: a member that was not
				   *   selected, the link that gets its content */
	int64_t bytes;
};

/** Choose from the members' names.  Empty @p paths: all.  Relative to the
 * current folder.  0, or below zero, reported; end with selection_free(). */
int selection_make(struct pd_ctx *ctx, const char *archive,
		   const struct pd_list *paths, struct selection *s);
bool selection_has(const struct selection *s, const char *name);
void selection_free(struct selection *s);

/** Extract the selected members below the current folder, with everything. */
int selection_extract(struct pd_ctx *ctx, const char *archive,
		      const struct selection *s);
/** How many selected members differ from the current folder; below zero,
 * reported.  @p first gets what differs first. */
int64_t selection_compare(struct pd_ctx *ctx, const char *archive,
			  const struct selection *s, const char **first);

#endif
