/* SPDX-License-Identifier: MIT */
/* Finds a cluster of PostgreSQL, and runs its programs as its own user. */
#include "database.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)64 << 20)
#define ANSWER 15    /* seconds until a server that runs can be asked */
#define RECOVERY 900 /* ... or has come up */

static const char lsclusters[] = "/usr/bin/pg_lsclusters";

static int refuse(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	bool check = ctx->phase == PD_PHASE_CHECK;

	if (check)
		pd_inhibit(ctx, "the database can't be worked on", cause, remedy);
	return pd_fail(ctx, check ? PD_REFUSED : PD_FAILED, "%s; %s", cause, remedy);
}

/* Cut the next word off. */
static const char *word(struct pd_ctx *ctx, const char **line)
{
	const char *start = *line + strspn(*line, " \t");
	size_t len = strcspn(start, " \t\n");

	*line = start + len;
	return pd_format(ctx, "%.*s", (int)len, start);
}

/* Debian's own list: version, name, port, state, owner, folder, log. */
static int find_listed(struct cluster *c, const char *wanted)
{
	static const char *const argv[] = { lsclusters, "--no-header", NULL };
	struct pd_command_result result = { 0 };
	const char *all = "";
	size_t found = 0;

	if (pd_run(c->ctx, argv, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(c->ctx, PD_FAILED, "%s ends with status %d: %s", lsclusters,
			       result.status, result.err);
	for (const char *line = result.out; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *p = line, *version = word(c->ctx, &p), *name = word(c->ctx, &p);
		const char *port = word(c->ctx, &p), *id = pd_format(c->ctx, "%s/%s", version, name);

		word(c->ctx, &p);
		if (!*version)
			continue;
		all = pd_format(c->ctx, "%s%s%s", all, *all ? ", " : "", id);
		if (wanted && strcmp(wanted, id) != 0 && strcmp(wanted, port) != 0)
			continue;
		found++;
		c->name = id;
		c->port = port;
		c->owner = word(c->ctx, &p);
		c->programs = pd_format(c->ctx, "/usr/lib/postgresql/%s/bin/", version);
	}
	if (found == 1)
		return 0;
	if (!*all)
		return refuse(c->ctx, "there is no cluster of PostgreSQL on this server",
			      "install postgresql, or take another workflow");
	return refuse(c->ctx, wanted ? pd_format(c->ctx, "there is no cluster %s, only %s", wanted, all) :
		      pd_format(c->ctx, "there are several clusters: %s", all),
		      "name one of them with the parameter cluster");
}

/* Without a list: the one whose programs are on the path. */
static int find_plain(struct cluster *c, const char *wanted)
{
	c->port = wanted ? wanted : "5432";
	c->name = pd_format(c->ctx, "on port %s", c->port);
	c->owner = "postgres";
	c->programs = "";
	if (strspn(c->port, "0123456789") != strlen(c->port))
		return pd_fail(c->ctx, PD_BAD_ARGS, "cluster %s: there is no %s here, name its port", c->port,
			       lsclusters);
	if (access("/usr/bin/psql", X_OK) == 0)
		return 0;
	return refuse(c->ctx, "there is no PostgreSQL on this server (/usr/bin/psql)",
		      "install postgresql, or take another workflow");
}

#define KNOWN "cluster" /* name, port, owner, programs: a line each */

/* @return false: this run has not yet worked on one. */
static bool find_known(struct cluster *c)
{
	const char **const fields[] = { &c->name, &c->port, &c->owner, &c->programs };
	const char *known = pd_recall(c->ctx, KNOWN);

	for (size_t i = 0; known && i < 4; i++) {
		size_t len = strcspn(known, "\n");

		*fields[i] = pd_format(c->ctx, "%.*s", (int)len, known);
		known += len + (known[len] == '\n');
	}
	return known;
}

int cluster_remember(const struct cluster *c)
{
	return pd_remember(c->ctx, KNOWN, pd_format(c->ctx, "%s\n%s\n%s\n%s", c->name, c->port, c->owner,
						    c->programs));
}

int cluster_find(struct pd_ctx *ctx, struct cluster *c)
{
	const struct where *where = ctx->args;
	const struct passwd *user;
	int r = 0;

	*c = (struct cluster){ .ctx = ctx, .socket = where->socket };
	if (!find_known(c))
		r = access(lsclusters, X_OK) == 0 ? find_listed(c, where->cluster) : find_plain(c, where->cluster);
	if (r < 0)
		return r;
	user = getpwnam(c->owner);
	if (!user || user->pw_uid == 0)
		return refuse(ctx, pd_format(ctx, "cluster %s belongs to %s, which is no system user of its own",
					     c->name, c->owner), "see pg_lsclusters and /etc/passwd");
	c->role = c->owner;
	c->uid = user->pw_uid;
	c->gid = user->pw_gid;
	return 0;
}

/* timeout and not a limit of the command: one that took too long is to be asked
 * once more.  setpriv and not runuser: no PAM, so no session and no message of one. */
static const char *const *command_line(const struct cluster *c, int flags, const char *const argv[])
{
	const char *words[] = {
		"timeout", "--kill-after=5", pd_format(c->ctx, "%" PRId64, c->patience),
		"setpriv", "--reuid", pd_format(c->ctx, "%u", (unsigned)c->uid), "--regid",
		pd_format(c->ctx, "%u", (unsigned)c->gid), "--init-groups",
		flags & RUN_READS_ALL ? "--inh-caps=-all,+dac_read_search" : "--inh-caps=-all",
		flags & RUN_READS_ALL ? "--ambient-caps=-all,+dac_read_search" : "--ambient-caps=-all", "--"
	};
	const char **head = words + (c->patience ? 0 : 3);
	size_t n = 0, h = sizeof(words) / sizeof(*words) - (size_t)(head - words);
	const char **all;

	while (argv[n])
		n++;
	all = pd_alloc_for(c->ctx, (h + n + 1) * sizeof(*all));
	memcpy(all, head, h * sizeof(*all));
	all[h] = argv[0][0] == '/' ? argv[0] : pd_format(c->ctx, "%s%s", c->programs, argv[0]);
	memcpy(all + h + 1, argv + 1, (n - 1) * sizeof(*all));
	return all;
}

int cluster_run(const struct cluster *c, int flags, const char *database, const char *const argv[],
		const char *input, struct pd_command_result *result, const char **why)
{
	const char *const env[] = {
		"PGAPPNAME=patchday", "PGCONNECT_TIMEOUT=10", "PGCLIENTENCODING=UTF8", "HOME=/nonexistent",
		"PGOPTIONS=-c search_path= -c statement_timeout=0 -c lock_timeout=60000"
		" -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning",
		pd_format(c->ctx, "PGHOST=%s", c->socket), pd_format(c->ctx, "PGPORT=%s", c->port),
		pd_format(c->ctx, "PGUSER=%s", c->role), pd_format(c->ctx, "PGDATABASE=%s", database), NULL
	};
	struct pd_command command = { .size = sizeof(command), .env = env, .output_max = OUTPUT_MAX,
		.argv = command_line(c, flags, argv), .input = input, .input_len = input ? strlen(input) : 0 };
	size_t len;
	int r = pd_command_run(c->ctx, &command, result);

	if (r < 0)
		return r;
	if (result->out_len >= OUTPUT_MAX)
		return pd_fail(c->ctx, PD_FAILED, "%s tells more than %zu MiB of cluster %s", argv[0],
			       OUTPUT_MAX >> 20, c->name);
	if (result->status == 0)
		return 0;
	for (len = result->err_len; len && strchr(" \n\r\t", result->err[len - 1]); len--)
		;
	if (c->patience && (result->status == 124 || result->status == 137))
		*why = pd_format(c->ctx, "%s has no answer within %" PRId64 " s", argv[0], c->patience);
	else
		*why = len ? pd_format(c->ctx, "%.*s", len > 2000 ? 2000 : (int)len, result->err) :
		     pd_format(c->ctx, "%s ends with status %d", argv[0], result->status);
	return 1;
}

/* Each field ends with a NUL, since a name may have any other character. */
static void split(struct pd_ctx *ctx, const struct pd_command_result *result, struct rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < result->out_len; i++)
		n += result->out[i] == '\0';
	*rows = (struct rows){ .items = pd_alloc_for(ctx, (n + 1) * sizeof(*rows->items)) };
	for (const char *p = result->out; rows->len < n; p += strlen(p) + 1)
		rows->items[rows->len++] = p;
}

int cluster_try(const struct cluster *c, const char *database, const char *sql, struct rows *rows,
		const char **why)
{
	static const char *const argv[] = { "psql", "-X", "-w", "-q", "-A", "-t", "-z", "-0",
					    "-v", "ON_ERROR_STOP=1", "-f", "-", NULL };
	struct pd_command_result result = { 0 };
	int r = cluster_run(c, 0, database, argv, sql, &result, why);

	if (r == 0 && rows)
		split(c->ctx, &result, rows);
	return r;
}

int cluster_ask(const struct cluster *c, const char *database, const char *sql, struct rows *rows)
{
	const char *why = NULL;
	int r = cluster_try(c, database, sql, rows, &why);

	return r <= 0 ? r : pd_fail(c->ctx, PD_FAILED, "cluster %s, database %s: %s", c->name, database, why);
}

int64_t now_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
}

/* Nobody listens, not even a server that is about to come up: it listens before
 * it reads the file. */
static bool down(const struct cluster *c)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n;
	bool refused;

	n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/.s.PGSQL.%s", c->socket, c->port);
	refused = fd >= 0 && n > 0 && (size_t)n < sizeof(to.sun_path) &&
		  connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && (errno == ENOENT || errno == ECONNREFUSED);
	if (fd >= 0)
		close(fd);
	return refused;
}

static bool comes_up(const struct cluster *c)
{
	static const char *const argv[] = { "pg_isready", "-q", NULL };
	struct pd_command_result result = { 0 };
	const char *why;

	return cluster_run(c, 0, "template1", argv, NULL, &result, &why) > 0 && result.status == 1;
}

/* A line of a file that the owner may read; NULL: there is none. */
static const char *line_of(const struct cluster *c, const char *path, int number)
{
	const char *text = NULL;

	if (owner_begin(c) < 0)
		return NULL;
	text = pd_read_file(c->ctx, path, 4096, NULL);
	owner_end();
	for (; text && number > 1 && *text; number--) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text && *text ? pd_format(c->ctx, "%.*s", (int)strcspn(text, "\n"), text) : NULL;
}

/* It still listens, and lets nobody in any more: as it ends, it writes so beside its
 * data, whose folder is in the second line of the socket's lock. */
static bool goes_down(const struct cluster *c)
{
	const char *data = line_of(c, pd_format(c->ctx, "%s/.s.PGSQL.%s.lock", c->socket, c->port), 2);
	const char *state = data ? line_of(c, pd_format(c->ctx, "%s/postmaster.pid", data), 8) : NULL;

	return state && strncmp(state, "stopping", 8) == 0;
}

int cluster_runs(const struct cluster *c)
{
	struct cluster bounded = *c;
	int64_t begin = now_ms();
	const char *why = NULL;
	int r;

	bounded.patience = ANSWER;
	while (!down(c)) {
		r = cluster_try(&bounded, "template1", "SELECT 1;", NULL, &why);
		if (r <= 0)
			return r < 0 ? r : 1;
		if (goes_down(c))
			return 0;
		if (pd_canceled(c->ctx))
			return pd_fail(c->ctx, PD_CANCELED, "stopped while cluster %s could not be asked", c->name);
		if (now_ms() - begin > (comes_up(&bounded) ? RECOVERY : ANSWER) * 1000)
			return pd_fail(c->ctx, PD_FAILED, "cluster %s runs and can't be asked: %s; it goes by what "
				       "pg_hba.conf was when it read it last: mend that and try again, or reload it "
				       "by hand", c->name, why);
		pd_progress(c->ctx, 0, 0, why);
		nap();
	}
	return 0;
}

int cluster_alone(const struct cluster *c)
{
	static const char sql[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		" WHERE application_name = 'patchday' AND usename = current_user AND pid <> pg_backend_pid();";
	struct rows left;

	for (int i = 0; i < 150; i++) {
		if (cluster_ask(c, "template1", sql, &left) < 0)
			return PD_FAILED;
		if (left.len == 0)
			return 0;
		nap();
	}
	return pd_fail(c->ctx, PD_FAILED, "cluster %s: a session of patchday does not end", c->name);
}

#define GROUPS_MAX 1024

static gid_t own_groups[GROUPS_MAX];
static int own_groups_len = -1; /* below zero: they are in force */

int owner_begin(const struct cluster *c)
{
	int why;

	own_groups_len = getgroups(GROUPS_MAX, own_groups);
	if (own_groups_len >= 0 && setgroups(1, &c->gid) == 0 && setegid(c->gid) == 0 && seteuid(c->uid) == 0)
		return 0;
	why = errno;
	owner_end();
	return pd_fail(c->ctx, PD_FAILED, "can't become %s: %s", c->owner, strerror(why));
}

void owner_end(void)
{
	/* they can't fail for who is root by its real ids */
	if (seteuid(getuid()) != 0 || setegid(getgid()) != 0 ||
	    (own_groups_len >= 0 && setgroups((size_t)own_groups_len, own_groups) != 0))
		_exit(1);
	own_groups_len = -1;
}

static const char *quoted(struct pd_ctx *ctx, const char *s, char quote)
{
	char *out = pd_alloc_for(ctx, 2 * strlen(s) + 3), *p = out;

	for (*p++ = quote; *s; s++) {
		if (*s == quote)
			*p++ = quote;
		*p++ = *s;
	}
	*p = quote;
	return out;
}

const char *sql_text(struct pd_ctx *ctx, const char *s) { return quoted(ctx, s, '\''); }
const char *sql_name(struct pd_ctx *ctx, const char *s) { return quoted(ctx, s, '"'); }

void text_add(struct pd_ctx *ctx, struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	size_t need;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	need = n < 0 ? 0 : (size_t)n;
	if (!t->s || need >= t->room - t->len) {
		char *s = pd_alloc_for(ctx, t->room = 2 * (t->len + need) + 64);

		if (t->s)
			memcpy(s, t->s, t->len);
		t->s = s;
	}
	vsnprintf(t->s + t->len, t->room - t->len, fmt, again);
	t->len += need;
	va_end(again);
	va_end(ap);
}

static bool listed(const struct rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->len; i += 3)
		if (strcmp(rows->items[i], name) == 0)
			return true;
	return false;
}

int cluster_databases(const struct cluster *c, const struct pd_list *chosen, struct rows *rows)
{
	const char *which = "";

	for (size_t i = 0; i < chosen->len; i++)
		which = pd_format(c->ctx, "%s%s%s", which, i ? ", " : " AND datname IN (",
				  sql_text(c->ctx, chosen->items[i]));
	if (cluster_ask(c, "postgres", pd_format(c->ctx, "SELECT datname, oid, pg_database_size(oid) "
						 "FROM pg_database WHERE datallowconn AND NOT datistemplate"
						 "%s%s ORDER BY datname;", which, *which ? ")" : ""), rows) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < chosen->len; i++)
		if (!listed(rows, chosen->items[i]))
			return pd_fail(c->ctx, PD_FAILED, "cluster %s has no database %s that takes "
				       "connections", c->name, chosen->items[i]);
	for (size_t i = 0; i < rows->len; i += 3)
		for (const char *p = rows->items[i]; *p; p++)
			if ((unsigned char)*p < ' ' || *p == '"')
				return pd_fail(c->ctx, PD_FAILED, "the name of database %s has a quote or a control "
					       "character: rename it, or leave it out with databases",
					       rows->items[i]);
	return 0;
}
