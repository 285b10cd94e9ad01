/* SPDX-License-Identifier: MIT */
/* The step database.probe: does the database do what its clients need? */
#include "database.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct probe_args {
	WHERE;
	const char *database;
	bool standby;
	int64_t lag, timeout;
};

/* What a standby has not yet replayed counts by its age; when nothing streams
 * to it, so does the time since the last change, which it does not know (-1)
 * when it has replayed none since it came up.  A clock may be ahead. */
static const char state_sql[] =
	"SELECT current_setting('server_version'), pg_is_in_recovery(), CASE"
	" WHEN NOT pg_is_in_recovery() OR (pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
	"  AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')) THEN 0"
	" WHEN pg_last_xact_replay_timestamp() IS NULL THEN -1"
	" ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())::bigint) END;\n";

static const char write_sql[] =
	"CREATE TEMPORARY TABLE patchday_probe (word text);\n"
	"INSERT INTO patchday_probe VALUES ('here');\n"
	"SELECT word FROM patchday_probe;\n";

/* The library's sort order against that which indexes were made with; since 15. */
static const char collation_sql[] =
	"SELECT current_setting('server_version_num')::int >= 150000 AS known \\gset\n"
	"\\if :known\n"
	"SELECT datname FROM pg_database WHERE datallowconn"
	" AND datcollversion <> pg_database_collation_actual_version(oid) ORDER BY 1;\n"
	"\\endif\n";

/* @return whether it is as asked, or *why it is not. */
static bool stands_by(const struct cluster *c, bool standby, const char *lag, const char **why)
{
	const struct probe_args *args = c->ctx->args;
	long long behind = strtoll(lag, NULL, 10);

	if (!args->standby)
		*why = "is in recovery and takes no changes; on a standby set standby = true";
	else if (!standby)
		*why = "is a primary, where standby = true asks for a standby: was it promoted?";
	else if (behind < 0)
		*why = "is a standby that nothing streams to, and has replayed nothing since it came up: is its "
		       "primary there?";
	else
		*why = pd_format(c->ctx, "is %s s behind its primary, %" PRId64 " are allowed", lag, args->lag);
	return standby && args->standby && behind >= 0 && behind <= args->lag;
}

/* @return 0 passed, 1 not yet with *why, or below zero, reported. */
static int attempt(const struct cluster *c, const char **why)
{
	const struct probe_args *args = c->ctx->args;
	bool standby;
	struct rows rows;
	int r = cluster_try(c, args->database, state_sql, &rows, why);

	if (r)
		return r;
	if (rows.len != 3)
		return pd_fail(c->ctx, PD_FAILED, "psql answers with %zu fields instead of 3", rows.len);
	standby = strcmp(rows.items[1], "t") == 0;
	if (pd_output(c->ctx, "version", rows.items[0]) < 0 ||
	    pd_output(c->ctx, "standby", standby ? "true" : "false") < 0 ||
	    (*rows.items[2] != '-' && pd_output(c->ctx, "lag", rows.items[2]) < 0))
		return PD_FAILED;
	return !standby && !args->standby ? cluster_try(c, args->database, write_sql, &rows, why) :
	       !stands_by(c, standby, rows.items[2], why);
}

static int collations(const struct cluster *c)
{
	struct rows rows;
	int r = cluster_ask(c, "postgres", collation_sql, &rows);

	for (size_t i = 0; r == 0 && i < rows.len; i++) {
		pd_log(c->ctx, PD_LOG_WARN, "database %s: the system sorts otherwise than when its indexes were "
		       "made; REINDEX DATABASE, then ALTER DATABASE ... REFRESH COLLATION VERSION", rows.items[i]);
		r = pd_output_item(c->ctx, "collations", rows.items[i]);
	}
	return r;
}

static int64_t now(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec;
}

static int probe_check(struct pd_ctx *ctx)
{
	struct cluster c;
	int r = cluster_find(ctx, &c);

	return r < 0 ? r : PD_CHANGED;
}

/* A server that hangs has the time that is left, and no more. */
static int try_again(struct cluster *c, int64_t end, const char **why)
{
	int64_t left = end - now();

	c->patience = left > 0 ? left : 1;
	return attempt(c, why);
}

static int probe_apply(struct pd_ctx *ctx)
{
	const struct probe_args *args = ctx->args;
	int64_t end = now() + args->timeout;
	const char *why = NULL;
	struct cluster c;
	int r = cluster_find(ctx, &c);

	if (r < 0 || pd_remember(ctx, "passed", NULL) < 0)
		return r < 0 ? r : PD_FAILED;
	while ((r = try_again(&c, end, &why)) > 0 && now() < end && !pd_canceled(ctx)) {
		pd_progress(ctx, 0, 0, why);
		sleep(1);
	}
	if (r > 0)
		return pd_fail(ctx, pd_canceled(ctx) ? PD_CANCELED : PD_FAILED, "cluster %s, database %s: %s "
			       "(still so after %" PRId64 " s)", c.name, args->database, why, args->timeout);
	if (r < 0 || collations(&c) < 0 || pd_remember(ctx, "passed", "1") < 0)
		return r < 0 ? r : PD_FAILED;
	return PD_CHANGED;
}

static int probe_verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "passed") ? PD_UNCHANGED : pd_fail(ctx, PD_FAILED, "the probe has not passed");
}

static const struct pd_param params[] = {
	WHERE_PARAMS(struct probe_args),
	PD_PARAM(struct probe_args, database, PD_T_STRING, .def = "postgres",
		 .help = "database of the client test"),
	PD_PARAM(struct probe_args, standby, PD_T_BOOL, .def = "false",
		 .help = "a standby, which takes no changes, is right"),
	PD_PARAM(struct probe_args, lag, PD_T_SECONDS, .def = "60", .max = 86400,
		 .help = "how far a standby may be behind"),
	PD_PARAM(struct probe_args, timeout, PD_T_SECONDS, .def = "60", .min = 1, .max = 3000,
		 .help = "how long to try"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("version", PD_T_STRING, "of the running PostgreSQL"),
	PD_OUTPUT("standby", PD_T_BOOL, "it is in recovery"),
	PD_OUTPUT("lag", PD_T_SECONDS, "how far it is behind its primary"),
	PD_OUTPUT("collations", PD_T_LIST, "databases whose indexes were made with another sort order"),
	PD_OUTPUT_END
};

const struct pd_step database_probe = {
	PD_STEP, .name = "probe", .help = "connect to a database as a client, write and read",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct probe_args), .outputs = outputs, .expected = 2,
	.check = probe_check, .apply = probe_apply, .verify = probe_verify
};
