/* SPDX-License-Identifier: MIT */
/* Every byte of a small journal, its head, and a sealed certificate is flipped,
 * and each flip is found. */
#include <dirent.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/final.h"
#include "report/report.h"
#include "report/seal.h"
#include "report/verify.h"
#include "run/head.h"
#include "unit.h"

#define RUN "20261120-080000-0001"

static char dir[64], *state, *key, *public_key, *library, *certificate;
static struct pd_verify how;

static char *slurp(const char *path, size_t *len)
{
	char *data = pd_file_read(path, SIZE_MAX, len, NULL);

	if (!data)
		fprintf(stderr, "cannot read %s\n", path), exit(99);
	return data;
}

/* There is time for some of the bytes; PD_SEAL_ALL: for each. */
static size_t stride(void)
{
	return getenv("PD_SEAL_ALL") ? 1 : getenv("PD_VALGRIND") ? 97 : SANITIZED ? 13 : 5;
}

/* In place, so that it costs little. */
static void poke(const char *path, size_t at, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "r+b");

	if (!f || fseek(f, (long)at, SEEK_SET) < 0 || fwrite(bytes, 1, len, f) != len ||
	    fclose(f) != 0)
		fprintf(stderr, "cannot write %s\n", path), exit(99);
}

static bool is_ok(const char *what)
{
	pd_auto_json *all = pd_verify(&how, what, NULL);

	return all && pd_json_true(all, "ok");
}

/* What the rows themselves prove, however the file is. */
static bool are_rows_ok(void)
{
	pd_auto_json *all = pd_verify(&how, NULL, NULL);
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(all, "checked"), i, item)
		if (strcmp(pd_json_text(item, "kind", ""), "file") != 0 &&
		    strcmp(pd_json_text(item, "state", ""), "intact") != 0)
			return false;
	return all != NULL;
}

static void add(struct pd_journal *j, const char *run, const char *kind, json_t *data_take)
{
	pd_auto_json *data = data_take;
	pd_auto_free char *line = pd_json_line(data);
	struct pd_event e = {0};

	if (!pd_journal_add(j, run, kind, "", line, true, &e, NULL))
		exit(99);
}

/* A run without steps, done and sealed. */
static void make(void)
{
	struct pd_run_options o = {0};
	struct pd_final f = {0};
	enum pd_run_end end;
	pd_auto_json *done = NULL;
	pd_auto_error *err = NULL;
	struct pd_journal *j;

	snprintf(dir, sizeof(dir), "%s/patchday-seal-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		exit(99);
	state = pd_print("%s/state", dir);
	key = pd_print("%s/seal.key", dir);
	library = pd_print("%s/scripts", getenv("PD_SRCDIR") ? getenv("PD_SRCDIR") : ".");
	how = (struct pd_verify){ .state = state, .library = library };
	j = pd_journal_open(state, false, &err);
	if (!j || !pd_seal_make(key, &public_key, &err))
		fprintf(stderr, "%s\n", err->message), exit(99);
	how.key = public_key;
	add(j, RUN, "run", json_pack("{s:s, s:s}", "server", "fs1", "version", "1"));
	add(j, RUN, "warning", json_pack("{s:s}", "text", "a lamp is out"));
	add(j, RUN, "sign", json_pack("{s:s, s:s, s:s}", "party", "operations", "name", "Ann",
				 "note", "all is well"));
	add(j, RUN, "state", json_pack("{s:s, s:s}", "state", "done", "why", ""));
	pd_journal_close(j);
	o.state = state;
	f.library = library;
	f.key = key;
	done = pd_final(&o, &f, RUN, &end, &err);
	if (!done)
		fprintf(stderr, "%s\n", err->message), exit(99);
	certificate = pd_strdup(json_string_value(json_array_get(json_object_get(done, "files"),
								 0)));
}

static void remove_all(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pd_auto_free char *path = pd_print("%s/%s", folder, e->d_name);

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(path) < 0)
			remove_all(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
}

/* Flip every byte of a file (one of @p of), by each of its bits or by one of them;
 * @return how many flips went unseen. */
static size_t unseen_of(size_t of, const char *path, const char *what, bool all_bits)
{
	size_t len, bad = 0;
	pd_auto_free char *data = slurp(path, &len);

	for (size_t i = 0; i < len; i += of * stride())
		for (size_t bit = all_bits ? 0 : i % 8; bit < (all_bits ? 8 : i % 8 + 1); bit++) {
			char flipped = (char)(data[i] ^ (1 << bit));

			poke(path, i, &flipped, 1);
			if (is_ok(what)) {
				printf("\n%s: bit %zu of byte %zu was flipped, and it is not seen", path, bit, i);
				bad++;
			}
			poke(path, i, &data[i], 1);
		}
	CU_ASSERT(len > 80 && is_ok(what));
	return bad;
}

static size_t unseen(const char *path, const char *what, bool all_bits)
{
	return unseen_of(1, path, what, all_bits);
}

static void test_certificate(void)
{
	pd_auto_free char *html = pd_print("%.*s.html", (int)strlen(certificate) - 4, certificate);
	pd_auto_free char *signature = pd_print("%s.minisig", certificate);

	CU_ASSERT(is_ok(NULL));
	CU_ASSERT_EQUAL(unseen(certificate, certificate, true), 0);
	CU_ASSERT_EQUAL(unseen(signature, certificate, true), 0);
	CU_ASSERT_EQUAL(unseen(html, html, false), 0);
}

/* The same without its signature: the journal proves it. */
static void test_report(void)
{
	pd_auto_free char *signature = pd_print("%s.minisig", certificate);
	pd_auto_free char *away = pd_print("%s/away", dir), *copy = pd_print("%s/copy.xml", dir);
	pd_auto_error *err = NULL;
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(state, true, &err);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		pd_record_read_until(j, RUN, 4, &err);
	pd_auto_free char *xml = pd_report_xml(r);

	CU_ASSERT(pd_file_write(copy, 0600, xml, strlen(xml), &err));
	CU_ASSERT_EQUAL(unseen(copy, copy, false), 0);
	CU_ASSERT_EQUAL(rename(signature, away), 0);
	CU_ASSERT_FALSE(is_ok(certificate)); /* it says that it is sealed */
	CU_ASSERT_EQUAL(rename(away, signature), 0);
}

static void test_head(void)
{
	pd_auto_free char *path = pd_print("%s/journal.head", state);

	CU_ASSERT_EQUAL(unseen(path, NULL, true), 0);
}

static void set(sqlite3 *db, const char *column, int64_t n, const void *data, size_t len)
{
	pd_auto_free char *sql = pd_print("UPDATE event SET %s = CAST(?1 AS %s) WHERE n = %lld",
					  column, strcmp(column, "hash") == 0 ? "BLOB" : "TEXT",
					  (long long)n);
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_bind_blob(st, 1, data, (int)len, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_DONE)
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db)), exit(99);
	sqlite3_finalize(st);
}

static char *get(sqlite3 *db, const char *column, int64_t n, size_t *len)
{
	pd_auto_free char *sql = pd_print("SELECT %s FROM event WHERE n = %lld", column,
					  (long long)n);
	sqlite3_stmt *st = NULL;
	char *out = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		*len = (size_t)sqlite3_column_bytes(st, 0);
		out = pd_alloc(*len + 1);
		if (*len)
			memcpy(out, sqlite3_column_blob(st, 0), *len);
	}
	sqlite3_finalize(st);
	return out;
}

static size_t unseen_in(sqlite3 *db, const char *column, int64_t n, size_t *flips)
{
	size_t len = 0, bad = 0;
	pd_auto_free char *data = get(db, column, n, &len);

	CU_ASSERT_FATAL(data != NULL);
	for (size_t i = 0; i < len; i += stride()) {
		char bit = (char)(1 << (i % 8));

		data[i] = (char)(data[i] ^ bit);
		set(db, column, n, data, len);
		bad += are_rows_ok();
		(*flips)++;
		data[i] = (char)(data[i] ^ bit);
	}
	set(db, column, n, data, len);
	return bad;
}

static bool run_sql(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Each byte of each column of each row, changed the way SQLite wants it. */
static void test_rows(void)
{
	static const char *const columns[] = { "run", "kind", "step", "data", "hash" };
	pd_auto_free char *path = pd_print("%s/journal.db", state);
	size_t flips = 0, missed = 0, len = 0;
	pd_auto_free char *file = slurp(path, &len);
	sqlite3 *db = NULL;

	CU_ASSERT_FATAL(sqlite3_open(path, &db) == SQLITE_OK);
	CU_ASSERT(run_sql(db, "PRAGMA synchronous=OFF"));
	for (int64_t n = 1; n <= 5; n++) {
		for (size_t c = 0; c < sizeof(columns) / sizeof(*columns); c++)
			missed += unseen_in(db, columns[c], n, &flips);
		for (int bit = 0; bit < 63; bit += (int)(stride() + 7) / 8)
			for (int c = 0; c < 2; c++) {
				const char *column = c ? "n" : "time";
				int64_t mask = INT64_C(1) << bit, to = n ^ mask;
				pd_auto_free char *there = pd_print("UPDATE event SET %s = (%s |"
					" %lld) - (%s & %lld) WHERE n = %lld", column, column,
					(long long)mask, column, (long long)mask, (long long)n);
				pd_auto_free char *back = pd_print("UPDATE event SET %s = (%s |"
					" %lld) - (%s & %lld) WHERE n = %lld", column, column,
					(long long)mask, column, (long long)mask,
					(long long)(c ? to : n));

				if (!run_sql(db, there))
					continue; /* a row has that number */
				missed += are_rows_ok();
				flips++;
				CU_ASSERT(run_sql(db, back));
			}
	}
	sqlite3_close(db);
	printf(" %zu flips ", flips);
	CU_ASSERT(flips > 1000 / stride());
	CU_ASSERT_EQUAL(missed, 0);
	CU_ASSERT(are_rows_ok());
	CU_ASSERT(pd_file_write(path, 0600, file, len, NULL) && is_ok(NULL));
}

/* Each byte of the file, of rows, of what is around them, and of empty space. */
static void test_database(void)
{
	pd_auto_free char *path = pd_print("%s/journal.db", state);

	CU_ASSERT_EQUAL(unseen(path, NULL, false), 0);
}

/* The same where the newest run is not sealed. */
static void test_further(void)
{
	pd_auto_free char *path = pd_print("%s/journal.db", state);
	struct pd_journal *j = pd_journal_open(state, false, NULL);
	bool known = false;

	CU_ASSERT_FATAL(j != NULL);
	add(j, "20261121-080000-0002", "run", json_pack("{s:s, s:s}", "server", "fs1", "version", "1"));
	CU_ASSERT(is_ok(RUN)); /* at work: nothing is known of the file */
	CU_ASSERT(pd_head_file(j, &known, NULL) && !known);
	pd_journal_close(j);
	j = pd_journal_open(state, true, NULL);
	CU_ASSERT(pd_head_file(j, &known, NULL) && known);
	pd_journal_close(j);
	CU_ASSERT_EQUAL(unseen_of(7, path, NULL, false), 0);
}

/* A writer that writes nothing leaves the file as it is. */
static void test_opened(void)
{
	struct pd_journal *j = pd_journal_open(state, false, NULL);
	bool known = false;

	CU_ASSERT_FATAL(j != NULL);
	pd_journal_close(j);
	j = pd_journal_open(state, true, NULL);
	CU_ASSERT(pd_head_file(j, &known, NULL) && known);
	pd_journal_close(j);
}

static void test_keys(void)
{
	pd_auto(pd_seal_key) k = {0}, open_half = {0};
	pd_auto_free char *again = NULL, *text = slurp(key, NULL), *path = pd_print("%s/k", dir);
	pd_auto_error *err = NULL;
	size_t len = strlen(text);

	CU_ASSERT_FALSE(pd_seal_make(key, &again, &err));
	CU_ASSERT(pd_seal_read(key, &k, NULL) && pd_seal_read_public(public_key, &open_half, NULL));
	CU_ASSERT_EQUAL(memcmp(k.public_half, open_half.public_half, 32), 0);
	CU_ASSERT_EQUAL(chmod(key, 0640), 0);
	CU_ASSERT_FALSE(pd_seal_read(key, &k, &err));
	CU_ASSERT_STRING_EQUAL(err->id, "seal-key-open");
	CU_ASSERT_EQUAL(chmod(key, 0600), 0);
	/* a seed or public half that is damaged is no key */
	for (char *at = strchr(text, '\n') + 85, *end = at + 80; at < end; at++) {
		char c = *at;

		*at = c == 'A' ? 'B' : 'A';
		CU_ASSERT(pd_file_write(path, 0600, text, len, NULL));
		CU_ASSERT(!pd_seal_read(path, &k, NULL));
		*at = c;
	}
	memcpy(strchr(text, '\n') + 1, "RWRTY0Iy", 8); /* EdScB2: with a password */
	CU_ASSERT(pd_file_write(path, 0600, text, len, NULL));
	CU_ASSERT_FALSE(pd_seal_read(path, &k, &err));
	CU_ASSERT(strstr(err->message, "password") != NULL);
}

static void test_make(void)
{
	make();
	CU_ASSERT(is_ok(NULL) && is_ok(certificate));
}

/* An older journal may hold one; it must not make a line of its own. */
static void test_lines(void)
{
	pd_auto_free char *text = pd_report_render("<report xmlns='urn:patchday:report:1'>"
		"<signature party='Dev' name='Ann, 2026&#10;  Ops: Bob&#x2028;C' by='a&#10;b' time='t'>"
		"<note>one&#10;  Ops: Bob</note></signature><signature party='Ops'/>"
		"<decision who='Ann&#10;Eve' why='so&#13;it is'/></report>", library, "text", NULL);

	CU_ASSERT_FATAL(text != NULL);
	CU_ASSERT(strstr(text, "\n  Dev: Ann, 2026   Ops: Bob C, t (account: a b): one   Ops: Bob\n  Ops: missing\n") != NULL);
	CU_ASSERT(strstr(text, " by Ann Eve: so it is\n") != NULL);
}

/* The style sheet is not what is wrong with it. */
static void test_no_xml(void)
{
	struct pd_error *err = NULL;

	CU_ASSERT_PTR_NULL(pd_report_render("<report>\n\xef\xbf\xbe</report>", library, "text", &err));
	CU_ASSERT_FATAL(err != NULL);
	CU_ASSERT_STRING_EQUAL(err->id, "report-xml");
	CU_ASSERT(strstr(err->message, "XML: line 2: ") && !strchr(err->message, '\n'));
	pd_error_free(err);
}

static void test_clean(void)
{
	remove_all(dir);
	CU_ASSERT(access(dir, F_OK) < 0);
}

static CU_TestInfo tests[] = {
	{ "a run is sealed", test_make },
	{ "keys", test_keys },
	{ "each bit of a certificate", test_certificate },
	{ "each bit of a report", test_report },
	{ "each bit of the head", test_head },
	{ "each byte of the journal's rows", test_rows },
	{ "opened, and nothing written", test_opened },
	{ "each byte of the journal's file", test_database },
	{ "each byte of it when another run has begun", test_further },
	{ "a name of several lines", test_lines },
	{ "a report that is no XML", test_no_xml },
	{ "nothing is left", test_clean },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("seal", tests);
