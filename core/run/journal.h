/* SPDX-License-Identifier: MIT */
/** The journal: append-only events of all runs of a server, chained by hash,
 * in one SQLite file (WAL, synchronous=FULL). */
#ifndef PD_RUN_JOURNAL_H
#define PD_RUN_JOURNAL_H

#include "base/json.h"

/** One event; all borrowed, valid during the call that hands it out. */
struct pd_event {
	int64_t n;         /* counts over all runs */
	int64_t time;      /* milliseconds since 1970 UTC */
	const char *run;   /* id of the run */
	const char *kind;  /* see record.c for the kinds and their data */
	const char *step;  /* key of the step, or "" */
	const json_t *data; /* object */
	const char *text;  /* data as journaled, when it is read back */
	const unsigned char *hash; /* of the row; NULL: it is damaged, or not journaled */
};

struct pd_journal;

/** @p state is the state folder, made if it is missing (unless @p readonly:
 * then a missing journal is an error of its own id, "journal-none"). */
struct pd_journal *pd_journal_open(const char *state, bool readonly,
				   struct pd_error **err);
/** To read what earlier runs took without a trace on the disk, also of locks;
 * NULL: there is none, it may not be read, or a run is writing it. */
struct pd_journal *pd_journal_peek(const char *state);
/** The writer still has the lock: how it leaves the file goes into journal.head. */
void pd_journal_close(struct pd_journal *j);
const char *pd_journal_path(const struct pd_journal *j); /* borrowed */
PD_AUTO_PTR(struct pd_journal *, pd_journal_cleanup, pd_journal_close)

/**
 * Append an event.  With @p durable it is on the disk, with all before it,
 * when true is returned; without, it may wait for the next durable one or
 * pd_journal_flush().  @p data: a JSON object as pd_json_line() writes it.
 * *out is filled with the event as it was written, but for its data.
 */
bool pd_journal_add(struct pd_journal *j, const char *run, const char *kind,
		    const char *step, const char *data, bool durable,
		    struct pd_event *out, struct pd_error **err) PD_MUST_USE;
/** Nobody else writes from now on until the next durable event or flush. */
bool pd_journal_begin(struct pd_journal *j, struct pd_error **err) PD_MUST_USE;
bool pd_journal_flush(struct pd_journal *j, struct pd_error **err) PD_MUST_USE;

typedef bool pd_journal_fn(void *user, const struct pd_event *event,
			   struct pd_error **err);
/** Is every row as it was written?  Follows the chain from the first row on. */
bool pd_journal_check(struct pd_journal *j, struct pd_error **err) PD_MUST_USE;
/** Is the database in itself as SQLite and the schema want it? */
bool pd_journal_sound(struct pd_journal *j, struct pd_error **err) PD_MUST_USE;
/** Hash of row @p n in hexadecimal digits, zeros for row 0; false: no such row. */
bool pd_journal_hash(struct pd_journal *j, int64_t n, pd_digest out);
#define PD_JOURNAL_ROWS "SELECT n, time, run, kind, step, data, hash FROM "
/** The rows of a query that begins so, in which ?1 is @p first and ?2 @p second
 * (NULL: none); with .text and without .data. */
bool pd_journal_query(struct pd_journal *j, const char *sql, int64_t first, const char *second,
		      pd_journal_fn *fn, void *user, struct pd_error **err) PD_MUST_USE;
/** The events of a run (NULL: of all) with n above @p after, in order. */
bool pd_journal_each(struct pd_journal *j, const char *run, int64_t after,
		     pd_journal_fn *fn, void *user, struct pd_error **err) PD_MUST_USE;
/** What tells how long steps take: the plan, reboot, done and undone events of
 * the newest @p runs runs, in order. */
bool pd_journal_times(struct pd_journal *j, int64_t runs, pd_journal_fn *fn,
		      void *user, struct pd_error **err) PD_MUST_USE;
/** Id of the newest run, or of the one that starts with @p prefix; the caller
 * frees; NULL with *err set ("run-none", "run-ambiguous"). */
char *pd_journal_find(struct pd_journal *j, const char *prefix,
		      struct pd_error **err);
/** Add the runs that began after @p run, newest first. */
bool pd_journal_newer_runs(struct pd_journal *j, const char *run, struct pd_strings *ids,
			   struct pd_error **err) PD_MUST_USE;
/** *id: a run other than @p except that has not come to its end (the state that
 * was journaled last says so), NULL: there is none; the caller frees. */
bool pd_journal_open_run(struct pd_journal *j, const char *except, char **id,
			 struct pd_error **err) PD_MUST_USE;
/** Ids of all runs, newest first. */
bool pd_journal_runs(struct pd_journal *j, struct pd_strings *ids,
		     struct pd_error **err) PD_MUST_USE;

#endif
