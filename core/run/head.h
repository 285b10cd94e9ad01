/* SPDX-License-Identifier: MIT */
/** journal.head: what the journal came to, told outside of it, so that it shows
 * when its end is cut off, or when a byte of its file is not as it was. */
#ifndef PD_RUN_HEAD_H
#define PD_RUN_HEAD_H

#include "run/journal.h"

/** For the writer of the journal: *head is to be moved by it, or -1: it does not
 * fit, and is never moved again, since it is the proof.  One is made if the
 * journal has no row. */
bool pd_head_open(struct pd_journal *j, bool empty, int *head, struct pd_error **err) PD_MUST_USE;
/** The newest row now.  @p file: the journal's, to which nothing more will be
 * written; NULL: the writer is at work. */
void pd_head_move(int head, int64_t n, const unsigned char hash[32], const char *file);
/** Does the chain go through the end that the head knows of, row *n?  It
 * may be behind the newest row by what a crash left unsaid; "journal-cut". */
bool pd_head_check(struct pd_journal *j, int64_t *n, struct pd_error **err) PD_MUST_USE;
/** May somebody write behind what is there?  Not to a journal that has lost what its
 * head knows of: "journal-cut"; "journal-lost", if it is @p gone with all its rows.
 * A head that is missing or damaged knows nothing of one that has rows. */
bool pd_head_fits(struct pd_journal *j, bool gone, struct pd_error **err) PD_MUST_USE;
/** Is every byte of the journal's file as its last writer left it?  "journal-file".
 * *known: false: it is at work, or ended before it could say. */
bool pd_head_file(struct pd_journal *j, bool *known, struct pd_error **err) PD_MUST_USE;

#endif
