/* SPDX-License-Identifier: MIT */
/* The append-only, hash-chained journal over SQLite. */
#include "run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run/fault.h"
#include "run/head.h"
#include "run/lock.h"

enum { HASH = crypto_hash_sha256_BYTES };

struct pd_journal {
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *path;
	unsigned char last[HASH]; /* hash of the newest event */
	int64_t n;
	bool open;                /* a transaction is */
	bool tried;               /* to open the head */
	int head;                 /* file of the newest end; -1: not to be moved */
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS event("
	" n INTEGER PRIMARY KEY, time INTEGER NOT NULL, run TEXT NOT NULL,"
	" kind TEXT NOT NULL, step TEXT NOT NULL, data TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS event_run ON event(run, n);"
	"CREATE INDEX IF NOT EXISTS event_start ON event(n) WHERE kind = 'run';"
	"CREATE INDEX IF NOT EXISTS event_state ON event(run, n) WHERE kind IN ('run', 'state');"
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
	j->n = 0;
	memset(j->last, 0, HASH);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 1) == HASH) {
		j->n = sqlite3_column_int64(st, 0);
		memcpy(j->last, sqlite3_column_blob(st, 1), HASH);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || failed(j, "read", err);
}

/* The first column of the first row; NULL: none.  The caller frees. */
static char *ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	char *out = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		out = pd_strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return out;
}

bool pd_journal_hash(struct pd_journal *j, int64_t n, pd_digest out)
{
	pd_auto_free char *sql = pd_print("SELECT lower(hex(hash)) FROM event WHERE n = %" PRId64, n);
	pd_auto_free char *hash = n ? ask(j->db, sql) : pd_print("%0*d", 2 * HASH, 0);

	snprintf(out, sizeof(pd_digest), "%s", hash ? hash : "");
	return hash && strlen(hash) == 2 * HASH;
}

/* Form 0 is one that is being made. */
static bool is_known(struct pd_journal *j, struct pd_error **err)
{
	pd_auto_free char *form = ask(j->db, "PRAGMA user_version");

	return !form || strcmp(form, "0") == 0 || strcmp(form, "1") == 0 ||
	       pd_error_set(err, "journal-newer", "the journal %s has form %s, and this patchday, %s, "
			    "knows form 1", j->path, form, PACKAGE_VERSION);
}

/* One that is there is not written: its file stays as journal.head knows it. */
static bool set_up(struct pd_journal *j, bool readonly, struct pd_error **err)
{
	pd_auto_free char *version = NULL;

	sqlite3_busy_timeout(j->db, 10000);
	if (readonly)
		return true;
	pd_fault_watch(j->db, &j->n, j->path);
	version = ask(j->db, "PRAGMA user_version");
	return is_known(j, err) && exec(j, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", "open", err) &&
	       ((version && strcmp(version, "1") == 0) || exec(j, schema, "set up", err)) &&
	       (sqlite3_prepare_v3(j->db, "INSERT INTO event VALUES(?,?,?,?,?,?,?)", -1,
				   SQLITE_PREPARE_PERSISTENT, &j->insert, NULL) == SQLITE_OK ||
		failed(j, "open", err));
}

/* The file alone, of which nothing is locked or written: only when nobody has
 * more of it in a -wal, and by a path that needs no escapes in a URI. */
static bool open_alone(struct pd_journal *j)
{
	pd_auto_free char *wal = pd_print("%s-wal", j->path);
	pd_auto_free char *uri = pd_print("file:%s?immutable=1", j->path);
	struct stat st;

	if ((stat(wal, &st) == 0 && st.st_size) || strpbrk(j->path, "?#%"))
		return false;
	sqlite3_close(j->db);
	return sqlite3_open_v2(uri, &j->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK;
}

/* With what is in the -wal, for which nobody but us is there: SQLite's document
 * wal.html, "Use of WAL Without Shared-Memory".  Both files stay as they are. */
static bool open_as_only_one(struct pd_journal *j)
{
	sqlite3_close(j->db);
	return sqlite3_open_v2(j->path, &j->db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	       sqlite3_db_config(j->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	       sqlite3_exec(j->db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON", NULL,
			    NULL, NULL) == SQLITE_OK;
}

/* A reader makes a -shm, for which a disk that is full has no room. */
static void need_no_room(struct pd_journal *j)
{
	if (sqlite3_exec(j->db, "PRAGMA schema_version", NULL, NULL, NULL) != SQLITE_OK &&
	    !open_alone(j))
		(void)!open_as_only_one(j);
}

struct pd_journal *pd_journal_open(const char *state, bool readonly, struct pd_error **err)
{
	struct pd_journal *j = NULL;
	struct stat st = {0};
	mode_t mask;
	int rc, missing;

	if (!readonly && (!pd_make_folders(state, err) || !pd_lock_private(state, err)))
		return NULL;
	j = pd_alloc(sizeof(*j));
	j->head = -1;
	j->path = pd_print("%s/journal.db", state);
	missing = stat(j->path, &st) < 0 ? errno : S_ISREG(st.st_mode) ? 0 : EBADF;
	if ((missing == ENOENT || (!missing && !st.st_size)) && !pd_head_fits(j, true, err)) {
		pd_journal_close(j);
		return NULL;
	}
	if (missing && (readonly || missing != ENOENT)) {
		pd_error_errno(err, missing == ENOENT ? "journal-none" : "journal-failed",
			       missing, "cannot open the journal %s", j->path);
		pd_journal_close(j);
		return NULL;
	}
	mask = umask(077);
	rc = sqlite3_open_v2(j->path, &j->db,
			     SQLITE_OPEN_NOMUTEX | (readonly ? SQLITE_OPEN_READONLY :
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE), NULL);
	if (rc != SQLITE_OK ? !failed(j, "open", err) : !set_up(j, readonly, err)) {
		pd_journal_close(j);
		j = NULL;
	}
	if (j && readonly)
		need_no_room(j);
	if (j && (readonly ? !is_known(j, err) : !pd_head_fits(j, false, err))) {
		pd_journal_close(j);
		j = NULL;
	}
	umask(mask);
	return j;
}

struct pd_journal *pd_journal_peek(const char *state)
{
	struct pd_journal *j = pd_alloc(sizeof(*j));

	j->head = -1;
	j->path = pd_print("%s/journal.db", state);
	return open_alone(j) ? j : (pd_journal_close(j), NULL);
}

const char *pd_journal_path(const struct pd_journal *j)
{
	return j->path;
}

/* All that was written goes from the WAL into the file, whose digest is told. */
static void leave(struct pd_journal *j)
{
	int all = -1, moved = 0;

	if (read_end(j, NULL) && sqlite3_wal_checkpoint_v2(j->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
							   &all, &moved) == SQLITE_OK && all == moved)
		pd_head_move(j->head, j->n, j->last, j->path);
	(void)!fdatasync(j->head);
}

void pd_journal_close(struct pd_journal *j)
{
	if (!j)
		return;
	(void)!pd_journal_flush(j, NULL);
	if (j->head >= 0)
		leave(j);
	pd_close_p(&j->head);
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
	pd_head_move(j->head, j->n, j->last, NULL);
	return true;
}

bool pd_journal_begin(struct pd_journal *j, struct pd_error **err)
{
	if (j->open)
		return true;
	if (!exec(j, "BEGIN IMMEDIATE", "write", err))
		return false;
	j->open = true;
	if (!read_end(j, err) || (!j->tried && !pd_head_open(j, j->n == 0, &j->head, err)))
		return false;
	return j->tried = true;
}

bool pd_journal_add(struct pd_journal *j, const char *run, const char *kind,
		    const char *step, const char *data, bool durable,
		    struct pd_event *out, struct pd_error **err)
{
	struct timespec now = {0};

	if (!pd_journal_begin(j, err))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct pd_event){ .n = ++j->n,
		.time = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000,
		.run = run, .kind = kind, .step = step, .text = data, .hash = j->last };
	chain(j->last, out, data);
	if (pd_fault_full(j->n) ? !pd_error_set(err, "journal-failed", "cannot write the journal"
						" %s: database or disk is full", j->path) :
				  !insert(j, out, data, err)) {
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		j->open = false;
		return false;
	}
	if (durable && !pd_journal_flush(j, err))
		return false;
	pd_fault_written(out->n);
	return true;
}

/* A text with a NUL in it hides what is behind. */
static bool is_whole(sqlite3_stmt *st)
{
	for (int i = 2; i < 6; i++)
		if (sqlite3_column_type(st, i) != SQLITE_TEXT ||
		    strlen((const char *)sqlite3_column_text(st, i)) !=
		    (size_t)sqlite3_column_bytes(st, i))
			return false;
	return sqlite3_column_bytes(st, 6) == HASH;
}

static struct pd_event row(sqlite3_stmt *st)
{
	return (struct pd_event){
		.n = sqlite3_column_int64(st, 0), .time = sqlite3_column_int64(st, 1),
		.run = (const char *)sqlite3_column_text(st, 2),
		.kind = (const char *)sqlite3_column_text(st, 3),
		.step = (const char *)sqlite3_column_text(st, 4),
		.text = (const char *)sqlite3_column_text(st, 5),
		.hash = is_whole(st) ? sqlite3_column_blob(st, 6) : NULL,
	};
}

struct reader {
	const char *path;
	pd_journal_fn *fn;
	void *user;
};

static bool hand_out(void *user, const struct pd_event *raw, struct pd_error **err)
{
	const struct reader *r = user;
	pd_auto_json *data = pd_json_parse(raw->text, strlen(raw->text), r->path, err);
	struct pd_event e = *raw;

	e.data = data;
	return data ? r->fn(r->user, &e, err) :
		      pd_error_prefix(err, "row %" PRId64 " of the journal", e.n);
}

bool pd_journal_query(struct pd_journal *j, const char *sql, int64_t first, const char *second,
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
	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct pd_event e = row(st);

		ok = fn(user, &e, err);
	}
	sqlite3_finalize(st);
	return ok && (rc == SQLITE_DONE || failed(j, "read", err));
}

static bool query(struct pd_journal *j, const char *sql, int64_t first, const char *second,
		  pd_journal_fn *fn, void *user, struct pd_error **err)
{
	struct reader r = { j->path, fn, user };

	return pd_journal_query(j, sql, first, second, hand_out, &r, err);
}

static const char every_row[] = PD_JOURNAL_ROWS "event WHERE n > ?1 ORDER BY n";

bool pd_journal_each(struct pd_journal *j, const char *run, int64_t after,
		     pd_journal_fn *fn, void *user, struct pd_error **err)
{
	return query(j, run ? PD_JOURNAL_ROWS "event WHERE n > ?1 AND run = ?2 ORDER BY n" :
			      every_row, after, run, fn, user, err);
}

bool pd_journal_times(struct pd_journal *j, int64_t runs, pd_journal_fn *fn,
		      void *user, struct pd_error **err)
{
	return query(j, PD_JOURNAL_ROWS "event WHERE run IN (SELECT run FROM event WHERE kind ="
		     " 'run' ORDER BY n DESC LIMIT ?1) AND kind IN ('plan', 'reboot', 'done', 'undone') ORDER BY n",
		     runs, NULL, fn, user, err);
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

	return pd_journal_query(j, every_row, 0, NULL, follow_chain, last, err);
}

bool pd_journal_sound(struct pd_journal *j, struct pd_error **err)
{
	static const char shape[] = "SELECT (SELECT user_version FROM pragma_user_version) || "
		"group_concat(type || name || tbl_name || ifnull(sql, '')) FROM "
		"(SELECT * FROM sqlite_schema ORDER BY name)";
	sqlite3 *fresh = NULL;
	pd_auto_free char *found = ask(j->db, "PRAGMA integrity_check(1)");
	pd_auto_free char *is = ask(j->db, shape), *wanted = NULL;

	if (!found || strcmp(found, "ok") != 0)
		return pd_error_set(err, "journal-damaged", "the database %s is damaged: %s",
				    j->path, found ? found : sqlite3_errmsg(j->db));
	if (sqlite3_open(":memory:", &fresh) == SQLITE_OK &&
	    sqlite3_exec(fresh, schema, NULL, NULL, NULL) == SQLITE_OK)
		wanted = ask(fresh, shape);
	sqlite3_close(fresh);
	return (is && wanted && strcmp(is, wanted) == 0) ||
	       pd_error_set(err, "journal-damaged", "the tables of %s are not as they were made",
			    j->path);
}
