/* SPDX-License-Identifier: MIT */
/* The append-only, hash-chained journal over SQLite. */
#include "run/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HASH = crypto_hash_sha256_BYTES };

struct pd_journal {
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *path;
	unsigned char last[HASH]; /* hash of the newest event */
	int64_t n;
	bool open;                /* a transaction is */
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS event("
	" n INTEGER PRIMARY KEY, time INTEGER NOT NULL, run TEXT NOT NULL,"
	" kind TEXT NOT NULL, step TEXT NOT NULL, data TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS event_run ON event(run, n);"
	"CREATE INDEX IF NOT EXISTS event_start ON event(n) WHERE kind = 'run';"
	"PRAGMA user_version = 1;";

static bool failed(struct pd_journal *j, const char *what, struct pd_error **err)
{
	return pd_error_set(err, "journal-failed", "cannot %s the journal %s: %s",
			    what, j->path, sqlite3_errmsg(j->db));
}

static bool exec(struct pd_journal *j, const char *sql, const char *what,
		 struct pd_error **err)
{
	return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       failed(j, what, err);
}

/* Where the chain ends now; another process may have written meanwhile. */
static bool read_end(struct pd_journal *j, struct pd_error **err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sqlite3_prepare_v2(j->db, "SELECT n, hash FROM event ORDER BY n DESC LIMIT 1",
			       -1, &st, NULL) != SQLITE_OK)
		return failed(j, "read", err);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 1) == HASH) {
		j->n = sqlite3_column_int64(st, 0);
		memcpy(j->last, sqlite3_column_blob(st, 1), HASH);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || failed(j, "read", err);
}

static bool set_up(struct pd_journal *j, bool readonly, struct pd_error **err)
{
	sqlite3_busy_timeout(j->db, 10000);
	if (readonly)
		return true;
	return exec(j, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", "open", err) &&
	       exec(j, schema, "set up", err) &&
	       (sqlite3_prepare_v3(j->db,
				   "INSERT INTO event VALUES(?,?,?,?,?,?,?)", -1,
				   SQLITE_PREPARE_PERSISTENT, &j->insert,
				   NULL) == SQLITE_OK || failed(j, "open", err));
}

/* Who can write there could have root do anything. */
static bool is_private(const char *state, struct pd_error **err)
{
	struct stat st = {0};

	if (stat(state, &st) < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", state);
	return (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0) ||
	       pd_error_set(err, "state-not-private", "the state folder %s is no folder of this"
			    " user, or others can write in it", state);
}

struct pd_journal *pd_journal_open(const char *state, bool readonly,
				   struct pd_error **err)
{
	struct pd_journal *j = NULL;
	struct stat st = {0};
	mode_t mask;
	int rc, missing;

	if (!readonly && (!pd_make_folders(state, err) || !is_private(state, err)))
		return NULL;
	j = pd_alloc(sizeof(*j));
	j->path = pd_print("%s/journal.db", state);
	missing = stat(j->path, &st) < 0 ? errno : S_ISREG(st.st_mode) ? 0 : EBADF;
	if (missing && (readonly || missing != ENOENT)) {
		pd_error_errno(err, missing == ENOENT ? "journal-none" : "journal-failed",
			       missing, "cannot open the journal %s", j->path);
		pd_journal_close(j);
		return NULL;
	}
	mask = umask(077);
	rc = sqlite3_open_v2(j->path, &j->db,
			     readonly ? SQLITE_OPEN_READONLY :
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc != SQLITE_OK ? !failed(j, "open", err) : !set_up(j, readonly, err)) {
		pd_journal_close(j);
		j = NULL;
	}
	umask(mask);
	return j;
}

void pd_journal_close(struct pd_journal *j)
{
	if (!j)
		return;
	if (j->open)
		sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL);
	sqlite3_finalize(j->insert);
	sqlite3_close(j->db);
	free(j->path);
	free(j);
}

/* Each hash covers the one before it and every column of its row. */
static void chain(unsigned char last[HASH], const struct pd_event *e, const char *data)
{
	pd_auto_free char *head = pd_print("%" PRId64 "\n%" PRId64 "\n%s\n%s\n%s\n",
					   e->n, e->time, e->run, e->kind, e->step);
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, last, HASH);
	crypto_hash_sha256_update(&state, (const unsigned char *)head, strlen(head));
	crypto_hash_sha256_update(&state, (const unsigned char *)data, strlen(data));
	crypto_hash_sha256_final(&state, last);
}

static bool insert(struct pd_journal *j, const struct pd_event *e,
		   const char *data, struct pd_error **err)
{
	int rc;

	sqlite3_bind_int64(j->insert, 1, e->n);
	sqlite3_bind_int64(j->insert, 2, e->time);
	sqlite3_bind_text(j->insert, 3, e->run, -1, SQLITE_STATIC);
	sqlite3_bind_text(j->insert, 4, e->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(j->insert, 5, e->step, -1, SQLITE_STATIC);
	sqlite3_bind_text(j->insert, 6, data, -1, SQLITE_STATIC);
	sqlite3_bind_blob(j->insert, 7, j->last, HASH, SQLITE_STATIC);
	rc = sqlite3_step(j->insert);
	sqlite3_reset(j->insert);
	return rc == SQLITE_DONE || failed(j, "write", err);
}

bool pd_journal_flush(struct pd_journal *j, struct pd_error **err)
{
	if (!j->open)
		return true;
	if (!exec(j, "COMMIT", "write", err)) {
		/* nothing of it happened; the chain is read again */
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		j->open = false;
		return false;
	}
	j->open = false;
	return true;
}

bool pd_journal_add(struct pd_journal *j, const char *run, const char *kind,
		    const char *step, const json_t *data, bool durable,
		    struct pd_event *out, struct pd_error **err)
{
	pd_auto_free char *line = pd_json_line(data);
	struct timespec now = {0};

	if (!j->open) {
		if (!exec(j, "BEGIN IMMEDIATE", "write", err))
			return false;
		j->open = true;
		if (!read_end(j, err))
			return false;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct pd_event){ .n = ++j->n,
		.time = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000,
		.run = run, .kind = kind, .step = step, .data = data };
	chain(j->last, out, line);
	if (!insert(j, out, line, err)) {
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		j->open = false;
		return false;
	}
	return !durable || pd_journal_flush(j, err);
}

static bool hand_out(struct pd_journal *j, sqlite3_stmt *st, pd_journal_fn *fn,
		     void *user, struct pd_error **err)
{
	pd_auto_json *data = pd_json_parse((const char *)sqlite3_column_text(st, 5),
					   (size_t)sqlite3_column_bytes(st, 5),
					   j->path, err);
	struct pd_event e = {
		.n = sqlite3_column_int64(st, 0), .time = sqlite3_column_int64(st, 1),
		.run = (const char *)sqlite3_column_text(st, 2),
		.kind = (const char *)sqlite3_column_text(st, 3),
		.step = (const char *)sqlite3_column_text(st, 4), .data = data,
		.text = (const char *)sqlite3_column_text(st, 5),
		.hash = sqlite3_column_bytes(st, 6) == HASH ? sqlite3_column_blob(st, 6) : NULL,
	};

	return data && fn(user, &e, err);
}

/* The rows of a query over columns of event; ?1 and ?2 are bound. */
static bool query(struct pd_journal *j, const char *sql, int64_t first, const char *second,
		  pd_journal_fn *fn, void *user, struct pd_error **err)
{
	sqlite3_stmt *st = NULL;
	bool ok = true;
	int rc = SQLITE_DONE;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return failed(j, "read", err);
	sqlite3_bind_int64(st, 1, first);
	if (second)
		sqlite3_bind_text(st, 2, second, -1, SQLITE_STATIC);
	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW)
		ok = hand_out(j, st, fn, user, err);
	sqlite3_finalize(st);
	return ok && (rc == SQLITE_DONE || failed(j, "read", err));
}

bool pd_journal_each(struct pd_journal *j, const char *run, int64_t after,
		     pd_journal_fn *fn, void *user, struct pd_error **err)
{
	static const char all[] = "SELECT n, time, run, kind, step, data, hash FROM event"
				  " WHERE n > ?1 ORDER BY n";
	static const char one[] = "SELECT n, time, run, kind, step, data, hash FROM event"
				  " WHERE n > ?1 AND run = ?2 ORDER BY n";

	return query(j, run ? one : all, after, run, fn, user, err);
}

bool pd_journal_times(struct pd_journal *j, int64_t runs, pd_journal_fn *fn,
		      void *user, struct pd_error **err)
{
	return query(j, "SELECT n, time, run, kind, step, data, hash FROM event WHERE run IN"
		     " (SELECT run FROM event WHERE kind = 'run' ORDER BY n DESC LIMIT ?1) AND kind"
		     " IN ('plan', 'reboot', 'done', 'undone') ORDER BY n", runs, NULL, fn, user, err);
}

static bool follow_chain(void *last, const struct pd_event *e, struct pd_error **err)
{
	chain(last, e, e->text);
	return (e->hash && memcmp(e->hash, last, HASH) == 0) ||
	       pd_error_set(err, "journal-damaged", "row %" PRId64 " of the journal is not as"
			    " it was written", e->n);
}

bool pd_journal_check(struct pd_journal *j, struct pd_error **err)
{
	unsigned char last[HASH] = {0};

	return pd_journal_each(j, NULL, 0, follow_chain, last, err);
}

bool pd_journal_runs(struct pd_journal *j, struct pd_strings *ids,
		     struct pd_error **err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sqlite3_prepare_v2(j->db, "SELECT run FROM event WHERE kind = 'run' ORDER BY n DESC",
			       -1, &st, NULL) != SQLITE_OK)
		return failed(j, "read", err);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		pd_strings_add(ids, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || failed(j, "read", err);
}

char *pd_journal_find(struct pd_journal *j, const char *prefix,
		      struct pd_error **err)
{
	pd_auto(pd_strings) ids = {0};
	const char *found = NULL;

	if (!pd_journal_runs(j, &ids, err))
		return NULL;
	for (size_t i = 0; i < ids.len; i++) {
		if (prefix && strncmp(ids.items[i], prefix, strlen(prefix)) != 0)
			continue;
		if (!prefix || strcmp(ids.items[i], prefix) == 0)
			return pd_strdup(ids.items[i]);
		if (found) {
			pd_error_set(err, "run-ambiguous", "several runs start with '%s':"
				     " %s and %s", prefix, found, ids.items[i]);
			return NULL;
		}
		found = ids.items[i];
	}
	if (!found)
		pd_error_set(err, "run-none", prefix ? "there is no run '%s' in %s" :
			     "there is no run%s in %s", prefix ? prefix : "", j->path);
	return pd_strdup(found);
}
