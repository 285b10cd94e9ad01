/* SPDX-License-Identifier: MIT */
/* What the source files of the plugin eventlog share.  Symbols stay hidden. */
#ifndef EVENTLOG_H
#define EVENTLOG_H

#include "../backup/bundle.h"

#include <regex.h>
#include <systemd/sd-journal.h>

#define JOURNAL_META BUNDLE_META "journal/"
/* Holds lines "cursor=", "boot=", "entries=". */
#define JOURNAL_INFO JOURNAL_META "info"

struct export_args {
	const char *to;
	struct pd_list places;
	const char *name;
	struct pd_list logs;
	struct pd_list keep;
	bool clear;
};

struct compare_args {
	const char *before;
	struct pd_list also;
	int32_t since;
	int32_t fail_on;
	struct pd_list ignore;
	bool defaults;
};

struct collect_args {
	const char *to;
	const char *name;
	struct pd_list logs;
	const char *before;
	int64_t last;
};

pd_step_fn compare_check;
pd_step_fn compare_apply;
pd_step_fn compare_verify;

/** Read the place in the journal from an archive of eventlog.export, ctx's
 * memory.  0, or below zero, reported. */
int export_cursor(struct pd_ctx *ctx, const char *archive, const char **cursor);
/** Messages that a healthy server writes when it boots: extended regular
 * expressions, matched with "SOURCE: MESSAGE"; ends with NULL. */
extern const char *const harmless_messages[];

/** One message of the journal. */
struct message {
	int priority;
	bool this_boot;
	bool failed; /* a unit has failed, whatever the level */
	uint64_t time; /* microseconds since 1970 */
	/* the unit that systemd speaks about, or who speaks; not the unit of the
	 * speaker, which journald misses when he has ended already */
	const char *source;
	const char *unit; /* of the speaker, "" unknown */
	const char *text; /* NULL: none */
};

/** Ids of messages that say that a unit has failed; ends with NULL. */
extern const char *const message_failed[];
/** One field of an entry; of several sources the better one wins, @p rank
 * starts with 5. */
void message_field(struct message *m, int *rank, const char *name, const char *value);
/** The current entry, without its boot and time. */
struct message message_read(struct pd_ctx *ctx, sd_journal *j);
/** At most @p max bytes, without control characters. */
const char *message_printable(struct pd_ctx *ctx, const char *text, size_t max);

/** Regular expressions; patterns_free() frees them. */
struct patterns {
	regex_t *items;
	size_t len;
};

/** Add those of @p list, which ends with NULL.  0, or below zero, reported. */
int patterns_add(struct pd_ctx *ctx, struct patterns *p, const char *const *list);
/** Does one fit "SOURCE: MESSAGE"? */
bool patterns_match(struct pd_ctx *ctx, const struct patterns *p, const struct message *m);
void patterns_free(struct patterns *p);

extern const struct pd_scanner errors_scanner;

/** A set of messages; keys are owned, freed with free(). */
struct known {
	uint64_t *keys; /**< open addressing, 0 is free */
	size_t size;
	size_t count;
};

/** Append @p text with # for numbers, addresses and ids. */
void known_text(struct bundle_text *out, const char *text);
/** The same for messages that differ in these only. */
uint64_t known_key(const char *source, const char *message);
bool known_has(const struct known *set, uint64_t key);
void known_add(struct known *c, uint64_t key);

/* ---------------------------------------------------------- the journal */

/** Open this server's journal.  NULL, reported. */
sd_journal *journal_open(struct pd_ctx *ctx);
/** Go behind the entry of @p cursor; where it is gone, to the next one. */
int journal_seek_after(struct pd_ctx *ctx, sd_journal *j, const char *cursor);
/** Position and size of what journal_export() wrote. */
struct journal_info {
	const char *cursor; /**< of the last entry; "" when there is none */
	int64_t entries;
};
/** Write the entries from the next one to the one that is last now, in
 * systemd's journal export format, and JOURNAL_INFO. */
int journal_export(struct bundle *b, sd_journal *j, struct journal_info *info);
/** A field of the current entry, ctx's memory; NULL when it has none. */
const char *journal_field(struct pd_ctx *ctx, sd_journal *j, const char *name);
/** Bytes that the journal takes on the disk. */
int64_t journal_usage(struct pd_ctx *ctx);
/** Close the current journal files, so that they are written no more. */
int journal_rotate(struct pd_ctx *ctx);
/** Add the closed journal files.  Their names go to @p list, each
 * "SHA256 BYTES PATH" and a newline. */
int journal_add_files(struct bundle *b, struct bundle_text *list);
/** Delete those of @p list that are still as they were. */
int journal_remove_files(struct pd_ctx *ctx, const char *list);

/* ------------------------------------------------------------- text logs */

/** One line of the list of logs: what was exported of a log. */
struct log_row {
	int64_t bytes; /**< exported */
	int64_t pad;   /**< of these, bytes that get overwritten */
	unsigned long long device;
	unsigned long long inode;
	char sha256[BUNDLE_HEX]; /**< of the exported bytes */
	char tail[BUNDLE_HEX];   /**< of the last pad bytes of them */
	const char *path;
};

/** How far clearing or undo has come with a log. */
enum log_state {
	LOG_UNTOUCHED, /**< starts with the exported bytes */
	LOG_CUT,       /**< whole blocks cut off, the rest still to overwrite */
	LOG_CLEARED,   /**< starts with the pad */
	LOG_INSERTED,  /**< blocks inserted again, still to fill in */
	LOG_OTHER      /**< rewritten by somebody else */
};

/** Read the next line of a list; false at its end. */
bool log_next(struct pd_ctx *ctx, const char **list, struct log_row *row);
/** The line that stands for the exported text, row->pad bytes; caller frees. */
char *log_pad(const struct log_row *row, const char *archive);
enum log_state log_look(int fd, const struct log_row *row, const char *pad);
/** Open the file at @p path if it is still the exported one, else -1. */
int log_open(const char *path, const struct log_row *row, int flags);
/** SHA-256 of a part of a file; false when it is shorter. */
bool log_hash(int fd, int64_t from, int64_t to, char hex[BUNDLE_HEX], bool *binary);

/** Add @p path and all below it, without the journal, the bundle's own place
 * and what is no regular file or folder.  With @p list, text logs that may be
 * cleared go to it, without those that match @p keep. */
int logs_add(struct bundle *b, const char *path, const struct pd_list *keep,
	     struct bundle_text *list);
/** Bytes of regular files below @p path. */
int64_t logs_size(struct pd_ctx *ctx, const char *path);
/** Take the exported bytes out of each log of @p list and leave what was
 * appended since.  @p left counts those that had to stay as they are. */
int logs_clear(struct pd_ctx *ctx, const char *list, const char *archive,
	       int64_t *left);
/** Put back what logs_clear() and journal_remove_files() took, and prove it. */
int logs_undo(struct pd_ctx *ctx, const char *texts, const char *journals,
	      const char *archive);
/** How many logs of @p list are not cleared. */
int64_t logs_uncleared(struct pd_ctx *ctx, const char *list, const char *archive);

#endif
