/* SPDX-License-Identifier: MIT */
/* The step database.restore: databases as a dump has them.  What is there now
 * is put aside under another name, and comes back by undo. */
#include "database.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOTHING "-" /* there was no such database */

struct restore_args {
	WHERE;
	const char *from;
	struct pd_list databases;
};

static bool chosen(struct pd_ctx *ctx, const char *database)
{
	const struct restore_args *args = ctx->args;

	for (size_t i = 0; i < args->databases.len; i++)
		if (strcmp(args->databases.items[i], database) == 0)
			return true;
	return args->databases.len == 0;
}

static bool in_dump(const struct dump *d, const char *database)
{
	for (size_t i = 0; i < d->list.len; i += 2)
		if (strcmp(d->list.items[i], database) == 0)
			return true;
	return false;
}

static int look(struct pd_ctx *ctx, struct cluster *c, struct dump *d)
{
	const struct restore_args *args = ctx->args;
	int r = cluster_find(ctx, c);

	if (r == 0)
		r = dump_read(ctx, args->from, d);
	for (size_t i = 0; r == 0 && i < args->databases.len; i++)
		if (!in_dump(d, args->databases.items[i]))
			r = pd_fail(ctx, PD_BAD_ARGS, "there is no database %s in %s", args->databases.items[i],
				    args->from);
	return r;
}

static const char *key(struct pd_ctx *ctx, const char *what, size_t i) { return pd_format(ctx, "%s/%zu", what, i); }

static int is_there(const struct cluster *c, const char *database, bool *there)
{
	struct rows rows = { 0 };
	int r = cluster_ask(c, "template1", pd_format(c->ctx, "SELECT datname FROM pg_database WHERE datname = %s;",
						      sql_text(c->ctx, database)), &rows);

	*there = rows.len > 0;
	return r;
}

static int drop(const struct cluster *c, const char *database)
{
	return cluster_ask(c, "template1", pd_format(c->ctx, "DROP DATABASE IF EXISTS %s WITH (FORCE);",
						     sql_name(c->ctx, database)), NULL);
}

static int rename_to(const struct cluster *c, const char *from, const char *to)
{
	return cluster_ask(c, "template1", pd_format(c->ctx, "ALTER DATABASE %s RENAME TO %s;",
						     sql_name(c->ctx, from), sql_name(c->ctx, to)), NULL);
}

/* Where the database that is there now goes; remembered before it does. */
static int put_aside(const struct cluster *c, const char *database, size_t i)
{
	const char *aside = pd_recall(c->ctx, key(c->ctx, "aside", i));
	bool there = false, moved = false;

	if (is_there(c, database, &there) < 0)
		return PD_FAILED;
	if (!aside) {
		aside = there ? pd_format(c->ctx, "patchday_before_%lld_%zu", (long long)time(NULL), i / 2) : NOTHING;
		if (pd_remember(c->ctx, key(c->ctx, "name", i), database) < 0 ||
		    pd_remember(c->ctx, key(c->ctx, "aside", i), aside) < 0)
			return PD_FAILED;
	}
	if (strcmp(aside, NOTHING) != 0 && is_there(c, aside, &moved) < 0)
		return PD_FAILED;
	if (strcmp(aside, NOTHING) == 0 || moved) /* what is there is half of ours */
		return there ? drop(c, database) : 0;
	return rename_to(c, database, aside);
}

static int restore_one(const struct cluster *c, const struct dump *d, size_t i)
{
	const char *database = d->list.items[i];
	int64_t tables = 0;

	if (put_aside(c, database, i) < 0 || dump_restore(c, d, i, "template1") < 0 ||
	    rows_compare(c, database, d->rows_text, &tables) < 0)
		return PD_FAILED;
	return pd_remember(c->ctx, key(c->ctx, "restored", i), "1");
}

static int tell(const struct cluster *c, const struct dump *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->list.len; i += 2) {
		const char *aside = pd_recall(c->ctx, key(c->ctx, "aside", i));

		if (!chosen(c->ctx, d->list.items[i]))
			continue;
		r = pd_output_item(c->ctx, "databases", d->list.items[i]);
		if (r == 0 && aside && strcmp(aside, NOTHING) != 0)
			r = pd_output_item(c->ctx, "aside", pd_format(c->ctx, "%s: %s", d->list.items[i], aside));
	}
	return r;
}

static int restore_check(struct pd_ctx *ctx)
{
	struct cluster c;
	struct dump d;
	bool there;
	int r = look(ctx, &c, &d);

	if (r == 0)
		r = is_there(&c, "template1", &there);
	if (r == 0)
		r = tell(&c, &d);
	return r < 0 ? r : pd_recall(ctx, "whole") ? PD_UNCHANGED : PD_CHANGED;
}

static int restore_apply(struct pd_ctx *ctx)
{
	bool changed = false;
	struct cluster c;
	struct dump d;
	int r = look(ctx, &c, &d);

	if (r == 0)
		r = cluster_alone(&c);
	if (r == 0 && (cluster_remember(&c) < 0 || pd_remember(ctx, "fields", pd_format(ctx, "%zu", d.list.len)) < 0))
		return PD_FAILED;
	for (size_t i = 0; r == 0 && i < d.list.len; i += 2) {
		if (!chosen(ctx, d.list.items[i]) || pd_recall(ctx, key(ctx, "restored", i)))
			continue;
		pd_progress(ctx, (int64_t)i / 2, (int64_t)d.list.len / 2, d.list.items[i]);
		r = restore_one(&c, &d, i);
		changed = true;
	}
	if (r < 0 || tell(&c, &d) < 0 || pd_remember(ctx, "whole", "1") < 0)
		return r < 0 ? r : PD_FAILED;
	return changed ? PD_CHANGED : PD_UNCHANGED;
}

static int restore_verify(struct pd_ctx *ctx)
{
	int64_t tables = 0;
	struct cluster c;
	struct dump d;
	int r = look(ctx, &c, &d);

	if (r == 0 && !pd_recall(ctx, "whole"))
		r = pd_fail(ctx, PD_FAILED, "nothing was restored in this run");
	for (size_t i = 0; r == 0 && i < d.list.len; i += 2)
		if (chosen(ctx, d.list.items[i]))
			r = rows_compare(&c, d.list.items[i], d.rows_text, &tables);
	return r < 0 ? r : PD_UNCHANGED;
}

static int bring_back(const struct cluster *c, const char *database, const char *aside)
{
	bool moved = false;

	if (strcmp(aside, NOTHING) == 0)
		return drop(c, database);
	if (is_there(c, aside, &moved) < 0)
		return PD_FAILED;
	/* otherwise it still is, or is again, what it was */
	return !moved ? 0 : drop(c, database) < 0 ? PD_FAILED : rename_to(c, aside, database);
}

/* By what was remembered alone: it does not need the dump. */
static int restore_undo(struct pd_ctx *ctx)
{
	const char *fields = pd_recall(ctx, "fields");
	bool changed = false;
	struct cluster c;
	int r;

	if (!fields)
		return PD_UNCHANGED;
	r = cluster_find(ctx, &c);
	if (r == 0)
		r = cluster_alone(&c);
	for (size_t i = strtoul(fields, NULL, 10); r == 0 && i; i -= 2) {
		const char *name = pd_recall(ctx, key(ctx, "name", i - 2));
		const char *aside = pd_recall(ctx, key(ctx, "aside", i - 2));

		if (!name || !aside)
			continue;
		changed = true;
		if (bring_back(&c, name, aside) < 0 || pd_remember(ctx, key(ctx, "restored", i - 2), NULL) < 0 ||
		    pd_remember(ctx, key(ctx, "aside", i - 2), NULL) < 0)
			return PD_FAILED;
	}
	if (r < 0 || pd_remember(ctx, "whole", NULL) < 0)
		return r < 0 ? r : PD_FAILED;
	return changed ? PD_CHANGED : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	WHERE_PARAMS(struct restore_args),
	PD_PARAM(struct restore_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder that database.dump has made"),
	PD_PARAM(struct restore_args, databases, PD_T_LIST, .help = "databases to restore; left out: all in the dump"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("databases", PD_T_LIST, "databases that were restored"),
	PD_OUTPUT("aside", PD_T_LIST, "what was there before, such as \"shop: patchday_before_1780000000_0\""),
	PD_OUTPUT_END
};

const struct pd_step database_restore = {
	PD_STEP, .name = "restore", .help = "put databases back as a dump has them",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct restore_args), .outputs = outputs, .time_limit = 43200, .expected = 60,
	.check = restore_check, .apply = restore_apply, .verify = restore_verify, .undo = restore_undo
};
