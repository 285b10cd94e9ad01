/* SPDX-License-Identifier: MIT */
/* The step database.quiesce: applications stay out until undo.
 *
 * The hold is a block at the top of pg_hba.conf.  It holds superusers as well
 * as others, on a standby too, leaves the databases as they are, and can be
 * taken away while the server is down. */
#include "database.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HBA_MAX ((off_t)4 << 20)
#define BEGIN "# patchday: applications are held until patchday gives them back\n"
#define END "# patchday: end of the hold\n"
#define SETTLE 30 /* seconds for what the server does at once */

enum { SESSIONS_END, SESSIONS_FAIL };
static const char *const what_then[] = { "end", "fail", NULL };

struct quiesce_args {
	WHERE;
	struct pd_list databases;
	int64_t wait;
	int32_t sessions;
};

/* -------------------------------------------------------------- the file */

static const char *block(const struct cluster *c)
{
	const struct quiesce_args *args = c->ctx->args;
	const char *names = args->databases.len ? "" : "all";

	for (size_t i = 0; i < args->databases.len; i++)
		names = pd_format(c->ctx, "%s%s%s", names, i ? "," : "", sql_name(c->ctx, args->databases.items[i]));
	return pd_format(c->ctx, BEGIN "local %s %s peer\nlocal %s all reject\nhost %s all all reject\n" END,
			 names, sql_name(c->ctx, c->role), names, names);
}

/* All of a file, whose text may have no NUL; NULL: it is another one by now. */
static const char *whole(struct pd_ctx *ctx, int fd, off_t size)
{
	size_t max = (size_t)size, len = 0;
	char *text = pd_alloc_for(ctx, max + 1);
	ssize_t n;

	while ((n = read(fd, text + len, max + 1 - len)) > 0 && (len += (size_t)n) <= max)
		;
	if (n != 0 || len != max)
		return NULL;
	text[len] = '\0';
	return strlen(text) == len ? text : NULL;
}

/* The file as its owner reads it, who could have named any other one. */
static const char *hba_read(const struct cluster *c, const char *path, mode_t *mode)
{
	struct stat st = { 0 };
	const char *text = NULL;
	int fd;

	if (owner_begin(c) < 0)
		return NULL;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	owner_end();
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == c->uid && st.st_size <= HBA_MAX)
		text = whole(c->ctx, fd, st.st_size);
	if (fd >= 0)
		close(fd);
	*mode = st.st_mode & 0777;
	if (!text)
		pd_fail(c->ctx, PD_FAILED, "%s can't be used to hold applications: it has to be a regular text file "
			"that %s owns and reads", path, c->owner);
	return text;
}

static int hba_write(const struct cluster *c, const char *path, mode_t mode, const char *text)
{
	int r = owner_begin(c);

	if (r == 0) {
		r = pd_write_file(c->ctx, path, mode, text, strlen(text));
		owner_end();
	}
	return r;
}

/* The file without the block; the file itself when there is none, NULL when
 * somebody has cut it in two. */
static const char *without(struct pd_ctx *ctx, const char *text)
{
	const char *begin = strstr(text, BEGIN), *end = strstr(text, END);

	if (!begin && !end)
		return text;
	if (!begin || !end || end < begin)
		return NULL;
	return pd_format(ctx, "%.*s%s", (int)(begin - text), text, end + strlen(END));
}

/* ------------------------------------------------------------ the server */

/* A server that has to answer did not. */
static int must(const struct cluster *c, int r, const char *why)
{
	return r <= 0 ? r : pd_fail(c->ctx, PD_FAILED, "cluster %s: %s", c->name, why);
}

/* Lines of the file that the server could not use.  @return as cluster_try() */
static int hba_errors(const struct cluster *c, const char **why)
{
	struct rows rows = { 0 };
	int r = cluster_try(c, "template1", "SELECT line_number, error FROM pg_hba_file_rules "
			    "WHERE error IS NOT NULL;", &rows, why);

	if (r == 0 && rows.len >= 2)
		return pd_fail(c->ctx, PD_FAILED, "cluster %s: line %s of pg_hba.conf is wrong: %s; mend it first",
			       c->name, rows.items[0], rows.items[1]);
	return r;
}

static int load_time(const struct cluster *c, const char **text, const char **why)
{
	struct rows rows = { 0 };
	int r = cluster_try(c, "template1", "SELECT extract(epoch FROM pg_conf_load_time());", &rows, why);

	*text = r == 0 && rows.len ? rows.items[0] : "";
	return r;
}

/* Have the file read, and wait until new sessions live by it.  @return as
 * cluster_try(): 1 when it could not be asked, or not any more. */
static int try_reload(const struct cluster *c, const char **why)
{
	int64_t end = now_ms() + SETTLE * 1000;
	const char *before, *after;
	int r = hba_errors(c, why);

	if (r == 0)
		r = load_time(c, &before, why);
	if (r == 0)
		r = cluster_try(c, "template1", "SELECT pg_reload_conf();", NULL, why);
	for (; r == 0; nap()) {
		r = load_time(c, &after, why);
		if (r != 0 || strcmp(before, after) != 0)
			return r;
		if (now_ms() > end)
			return pd_fail(c->ctx, PD_FAILED, "cluster %s has not read pg_hba.conf within %d s",
				       c->name, SETTLE);
	}
	return r;
}

static int reload(const struct cluster *c)
{
	const char *why = "";

	return must(c, try_reload(c, &why), why);
}

/* One that goes down meanwhile reads the file when it comes up.  @return 1, 0 when it
 * does not run, or below zero, reported. */
static int reload_if_it_runs(const struct cluster *c)
{
	const char *why = NULL;

	for (int i = 0; i < 3; i++) {
		int r = cluster_runs(c);

		if (r <= 0)
			return r;
		r = try_reload(c, &why);
		if (r <= 0)
			return r < 0 ? r : 1;
	}
	return pd_fail(c->ctx, PD_FAILED, "cluster %s runs and does not read pg_hba.conf: %s", c->name, why);
}

/* Knock as somebody else would.  @return 0 turned away, or below zero. */
static int knock(const struct cluster *c)
{
	const struct quiesce_args *args = c->ctx->args;
	struct cluster other = *c;
	const char *why = NULL;
	int r;

	other.role = "patchday_application";
	other.patience = SETTLE;
	r = cluster_try(&other, args->databases.len ? args->databases.items[0] : "template1", "SELECT 1;", NULL, &why);
	/* whatever the language of the server is */
	if (r == 1 && strstr(why, "pg_hba.conf"))
		return 0;
	return r < 0 ? r : pd_fail(c->ctx, PD_FAILED, "cluster %s does not turn applications away: %s", c->name,
				   r ? why : "one could connect");
}

/* -------------------------------------------------------------- sessions */

/* Those of applications; the owner's own by the socket are let in, too. */
static const char *sessions_where(const struct cluster *c)
{
	const struct quiesce_args *args = c->ctx->args;
	const char *which = "";

	for (size_t i = 0; i < args->databases.len; i++)
		which = pd_format(c->ctx, "%s%s%s", which, i ? ", " : " AND datname IN (",
				  sql_text(c->ctx, args->databases.items[i]));
	return pd_format(c->ctx, "FROM pg_stat_activity WHERE backend_type = 'client backend'"
			 " AND pid <> pg_backend_pid() AND NOT (usename = current_user AND client_addr IS NULL)%s%s",
			 which, *which ? ")" : "");
}

static int sessions(const struct cluster *c, struct rows *rows)
{
	return cluster_ask(c, "template1", pd_format(c->ctx, "SELECT pid, usename, datname, "
			   "coalesce(host(client_addr), 'local'), coalesce(state, ''), backend_start %s "
			   "ORDER BY pid;", sessions_where(c)), rows);
}

static int evidence(const struct cluster *c, const struct rows *rows)
{
	const char *path = pd_format(c->ctx, "%s/sessions.txt", c->ctx->work_dir);
	struct text text = { 0 };

	text_add(c->ctx, &text, "process user database from state since\n");
	for (size_t i = 0; i + 6 <= rows->len; i += 6)
		text_add(c->ctx, &text, "%s %s %s %s %s %s\n", rows->items[i], rows->items[i + 1], rows->items[i + 2],
			 rows->items[i + 3], rows->items[i + 4], rows->items[i + 5]);
	return pd_write_file(c->ctx, path, 0600, text.s, text.len) < 0 ? PD_FAILED :
	       pd_evidence(c->ctx, path, "sessions of applications that were ended");
}

/* Wait until none is left.  @return 0, 1 with those that are, or below zero. */
static int drain(const struct cluster *c, int64_t seconds, struct rows *left)
{
	int64_t end = now_ms() + seconds * 1000;

	for (;; nap()) {
		if (sessions(c, left) < 0)
			return PD_FAILED;
		if (left->len == 0)
			return 0;
		if (pd_canceled(c->ctx))
			return pd_fail(c->ctx, PD_CANCELED, "stopped while sessions were open");
		if (now_ms() >= end)
			return 1;
		pd_progress(c->ctx, 0, 0, pd_format(c->ctx, "waiting for %zu sessions, such as that of %s on %s",
						    left->len / 6, left->items[1], left->items[2]));
	}
}

static int end_sessions(const struct cluster *c)
{
	const struct quiesce_args *args = c->ctx->args;
	struct rows left;
	int r = drain(c, args->wait, &left);
	size_t n = left.len / 6;

	if (r > 0 && args->sessions == SESSIONS_FAIL)
		return pd_fail(c->ctx, PD_FAILED, "cluster %s: %zu sessions are open after %" PRId64 " s, such as "
			       "process %s of %s on %s; end them, or set sessions = \"end\"", c->name, n,
			       args->wait, left.items[0], left.items[1], left.items[2]);
	if (r > 0) {
		if (evidence(c, &left) < 0 ||
		    cluster_ask(c, "template1", pd_format(c->ctx, "SELECT pg_terminate_backend(pid) %s;",
							 sessions_where(c)), NULL) < 0)
			return PD_FAILED;
		r = drain(c, SETTLE, &left);
		if (r > 0)
			return pd_fail(c->ctx, PD_FAILED, "cluster %s: process %s of %s on %s does not end within %d s",
				       c->name, left.items[0], left.items[1], left.items[2], SETTLE);
	}
	return r < 0 ? r : pd_output(c->ctx, "ended", pd_format(c->ctx, "%zu", n));
}

/* ------------------------------------------------------------- callbacks */

static int hba_path(const struct cluster *c, const char **path)
{
	struct rows rows;

	if (cluster_ask(c, "template1", "SHOW hba_file;", &rows) < 0)
		return PD_FAILED;
	*path = rows.len ? rows.items[0] : "";
	return **path == '/' ? 0 : pd_fail(c->ctx, PD_FAILED, "cluster %s has no hba_file", c->name);
}

static int quiesce_check(struct pd_ctx *ctx)
{
	const struct quiesce_args *args = ctx->args;
	const char *path, *text, *why = "";
	struct cluster c;
	struct rows rows;
	mode_t mode;
	int r = cluster_find(ctx, &c);

	if (r == 0)
		r = cluster_databases(&c, &args->databases, &rows);
	if (r == 0)
		r = hba_path(&c, &path);
	if (r < 0)
		return r;
	text = hba_read(&c, path, &mode);
	if (!text || must(&c, hba_errors(&c, &why), why) < 0)
		return PD_FAILED;
	pd_expect(ctx, args->wait / 2 + 5);
	if (!strstr(text, BEGIN))
		return PD_CHANGED;
	if (pd_recall(ctx, "hba"))
		return pd_recall(ctx, "held") ? PD_UNCHANGED : PD_CHANGED;
	pd_inhibit(ctx, "applications would stay locked out of the database",
		   pd_format(ctx, "%s has a hold of another run", path),
		   "undo that run, or take the lines between its two comments out and reload the cluster");
	return PD_REFUSED;
}

static int quiesce_apply(struct pd_ctx *ctx)
{
	const char *path, *text, *rest;
	struct cluster c;
	mode_t mode;
	int r = cluster_find(ctx, &c);

	if (r < 0 || hba_path(&c, &path) < 0 || !(text = hba_read(&c, path, &mode)))
		return r < 0 ? r : PD_FAILED;
	rest = without(ctx, text);
	if (!rest)
		return pd_fail(ctx, PD_FAILED, "%s has a part of a hold in it; take it out", path);
	if (cluster_remember(&c) < 0 || pd_remember(ctx, "hba", path) < 0 ||
	    hba_write(&c, path, mode, pd_format(ctx, "%s%s", block(&c), rest)) < 0 || reload(&c) < 0 ||
	    knock(&c) < 0 || end_sessions(&c) < 0 || cluster_ask(&c, "template1", "CHECKPOINT;", NULL) < 0)
		return PD_FAILED;
	return pd_remember(ctx, "held", "1") < 0 ? PD_FAILED : PD_CHANGED;
}

/* One who was let in just before the file was read may have come after the last
 * look at the sessions. */
static int nobody_in(const struct cluster *c)
{
	struct rows left;

	if (knock(c) < 0 || sessions(c, &left) < 0)
		return PD_FAILED;
	return left.len == 0 ? PD_UNCHANGED :
	       pd_fail(c->ctx, PD_FAILED, "cluster %s is held, and process %s of %s on %s has a session all the same",
		       c->name, left.items[0], left.items[1], left.items[2]);
}

/* A cluster that is down lets nobody in, and has to read the file to come up. */
static int quiesce_verify(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "hba"), *text;
	struct cluster c;
	mode_t mode;
	int r = cluster_find(ctx, &c);

	if (r < 0)
		return r;
	if (!path || !pd_recall(ctx, "held"))
		return pd_fail(ctx, PD_FAILED, "applications were not held in this run");
	text = hba_read(&c, path, &mode);
	if (!text)
		return PD_FAILED;
	if (strncmp(text, BEGIN, strlen(BEGIN)) != 0)
		return pd_fail(ctx, PD_FAILED, "the hold in %s is gone, or is not its beginning: what else "
			       "writes this file?", path);
	r = cluster_runs(&c);
	return r > 0 ? nobody_in(&c) : r;
}

static int quiesce_undo(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "hba"), *text, *rest;
	struct cluster c;
	mode_t mode;
	int r;

	if (!path)
		return PD_UNCHANGED;
	r = cluster_find(ctx, &c);
	if (r < 0 || !(text = hba_read(&c, path, &mode)))
		return r < 0 ? r : PD_FAILED;
	rest = without(ctx, text);
	if (!rest)
		return pd_fail(ctx, PD_FAILED, "%s has only a part of the hold in it: take it out, and reload the "
			       "cluster", path);
	if (rest != text && hba_write(&c, path, mode, rest) < 0)
		return PD_FAILED;
	r = reload_if_it_runs(&c);
	if (r < 0)
		return r;
	if (r == 0)
		pd_log(ctx, PD_LOG_WARN, "cluster %s does not run; it lets applications in when it does", c.name);
	return pd_remember(ctx, "held", NULL) < 0 ? PD_FAILED : rest != text ? PD_CHANGED : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	WHERE_PARAMS(struct quiesce_args),
	PD_PARAM(struct quiesce_args, databases, PD_T_LIST,
		 .help = "databases that are held; left out: all"),
	PD_PARAM(struct quiesce_args, wait, PD_T_SECONDS, .def = "60", .max = 3000,
		 .help = "how long open sessions have to end by themselves"),
	PD_PARAM(struct quiesce_args, sessions, PD_T_CHOICE, .def = "end", .choices = what_then,
		 .help = "what is done about those that are open then: end them, or fail"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("ended", PD_T_INT, "how many sessions were ended"),
	PD_OUTPUT_END
};

const struct pd_step database_quiesce = {
	PD_STEP, .name = "quiesce", .help = "keep applications out of the database until undo",
	.flags = PD_S_NEEDS_ROOT | PD_S_HOLD, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct quiesce_args), .outputs = outputs, .expected = 30,
	.check = quiesce_check, .apply = quiesce_apply, .verify = quiesce_verify, .undo = quiesce_undo
};
