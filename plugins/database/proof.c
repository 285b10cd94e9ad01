/* SPDX-License-Identifier: MIT */
/* Proves a dump: restores it into a cluster of its own, which goes again. */
#include "database.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROOF "patchday-proof-" /* and the run */
#define GLOBALS_MAX ((size_t)64 << 20)

static int as_owner(const struct cluster *c, const char *const argv[], const char *what)
{
	struct pd_command_result result = { 0 };
	const char *why = NULL;
	int r = cluster_run(c, 0, "template1", argv, NULL, &result, &why);

	return r <= 0 ? r : pd_fail(c->ctx, PD_FAILED, "%s: %s", what, why);
}

int proof_clean(const struct cluster *c)
{
	const char *folder = pd_recall(c->ctx, "proof"), *why = NULL;
	struct pd_command_result result = { 0 };
	struct stat st;

	if (!folder)
		return 0;
	if (lstat(folder, &st) == 0) {
		const char *data = pd_format(c->ctx, "%s/data", folder);
		const char *const stop[] = { "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", NULL };
		const char *const remove[] = { "/bin/rm", "-rf", "--one-file-system", "--", folder, NULL };

		/* it may not run, or not even be whole */
		if (cluster_run(c, 0, "template1", stop, NULL, &result, &why) < 0 ||
		    as_owner(c, remove, "the cluster of the proof can't be removed") < 0)
			return PD_FAILED;
	}
	return pd_remember(c->ctx, "proof", NULL);
}

static int make_folder(const struct cluster *c, const char *folder)
{
	int why = 0;

	if (owner_begin(c) < 0)
		return PD_FAILED;
	if (mkdir(folder, 0700) != 0)
		why = errno;
	owner_end();
	/* somebody else's is not ours to clean up */
	if (why && pd_remember(c->ctx, "proof", NULL) < 0)
		return PD_FAILED;
	if (why)
		return pd_fail(c->ctx, PD_FAILED, "%s can't make the folder %s to prove the dump in: %s; name another "
			       "place with the parameter scratch", c->owner, folder, strerror(why));
	return 0;
}

/* Nobody but the owner gets at its socket; what is in it may be lost. */
static int configure(const struct cluster *c, const char *folder)
{
	const char *text = pd_format(c->ctx, "listen_addresses = ''\nunix_socket_directories = '%s'\nport = 5432\n"
				     "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
				     "wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\n"
				     "max_locks_per_transaction = 1024\nmin_wal_size = 32MB\n"
				     "max_wal_size = 64MB\n", folder);
	int r = owner_begin(c);

	if (r == 0) {
		r = pd_write_file(c->ctx, pd_format(c->ctx, "%s/data/postgresql.auto.conf", folder), 0600, text,
				  strlen(text));
		owner_end();
	}
	return r;
}

static int start(const struct cluster *c, const char *folder)
{
	const char *data = pd_format(c->ctx, "%s/data", folder), *log = pd_format(c->ctx, "%s/log", folder);
	const char *const make[] = { "initdb", "-D", data, "-U", "patchday_proof", "-A", "trust", "-E", "UTF8",
				     "--locale=C", "--no-sync", NULL };
	const char *const run[] = { "pg_ctl", "-D", data, "-l", log, "-w", "-t", "120", "start", NULL };

	if (as_owner(c, make, "the cluster of the proof can't be made") < 0 || configure(c, folder) < 0)
		return PD_FAILED;
	return as_owner(c, run, "the cluster of the proof does not start");
}

/* Tablespaces are but names here: their folders are those of the real ones. */
static int make_tablespaces(const struct cluster *real, const struct cluster *p)
{
	struct rows rows;
	int r = cluster_ask(real, "postgres", "SELECT spcname FROM pg_tablespace WHERE spcname NOT LIKE 'pg\\_%';",
			    &rows);

	for (size_t i = 0; r == 0 && i < rows.len; i++)
		r = cluster_ask(p, "template1", pd_format(p->ctx, "SET allow_in_place_tablespaces = on;\n"
				"CREATE TABLESPACE %s LOCATION '';", sql_name(p->ctx, rows.items[i])), NULL);
	return r;
}

static int restore_all(const struct cluster *real, const struct cluster *p, const struct dump *d)
{
	const char *globals = pd_read_file(p->ctx, pd_format(p->ctx, "%s/globals.sql", d->folder), GLOBALS_MAX, NULL);
	int64_t tables = 0;
	int r;

	if (!globals)
		return pd_fail(p->ctx, PD_FAILED, "can't read %s/globals.sql: %s", d->folder, strerror(errno));
	r = cluster_ask(p, "template1", globals, NULL);
	if (r == 0)
		r = make_tablespaces(real, p);
	if (r == 0) /* the dump brings its own */
		r = cluster_ask(p, "template1", "DROP DATABASE postgres;", NULL);
	for (size_t i = 0; r == 0 && i < d->list.len; i += 2) {
		pd_progress(p->ctx, (int64_t)i / 2, (int64_t)d->list.len / 2, d->list.items[i]);
		r = dump_restore(p, d, i, "template1");
		if (r == 0)
			r = rows_compare(p, d->list.items[i], d->rows_text, &tables);
	}
	if (r == 0)
		pd_log(p->ctx, PD_LOG_INFO, "%zu databases restored from %s, %lld tables have the rows that were saved",
		       d->list.len / 2, d->folder, (long long)tables);
	return r;
}

void proof_others(const struct cluster *c, const char *parent)
{
	const char *own = pd_recall(c->ctx, "proof");
	const struct dirent *entry;
	DIR *folder = opendir(parent);

	while (folder && (entry = readdir(folder))) {
		const char *path = pd_format(c->ctx, "%s/%s", parent, entry->d_name);

		if (strncmp(entry->d_name, PROOF, strlen(PROOF)) == 0 && (!own || strcmp(own, path) != 0))
			pd_log(c->ctx, PD_LOG_WARN, "%s is what another run proved its dump in; remove it if that has "
			       "ended", path);
	}
	if (folder)
		closedir(folder);
}

int proof_run(const struct cluster *c, const struct dump *d, const char *parent)
{
	const char *folder = pd_format(c->ctx, "%s/" PROOF "%s", strcmp(parent, "/") == 0 ? "" : parent,
				       *c->ctx->run ? c->ctx->run : "no-run");
	struct cluster p = *c;
	int r, end;

	p.name = "of the proof";
	p.role = "patchday_proof";
	p.socket = folder;
	p.port = "5432";
	if (proof_clean(c) < 0 || pd_remember(c->ctx, "proof", folder) < 0)
		return PD_FAILED;
	r = make_folder(c, folder);
	if (r == 0)
		r = start(c, folder);
	if (r == 0)
		r = restore_all(c, &p, d);
	end = proof_clean(c);
	return r < 0 ? r : end;
}
