/* SPDX-License-Identifier: MIT */
/* Step shares.restore: bring samba's files and databases back, and undo it. */
#include "shares.h"
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct restore_args {
	const char *from;
};

static const struct pd_param params[] = {
	PD_PARAM(struct restore_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder that shares.save has made"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("files", PD_T_INT, "how many files were put back"),
	PD_OUTPUT("databases", PD_T_INT, "how many databases were put back"),
	PD_OUTPUT_END
};

/* One file that is not as it shall be. */
struct change {
	const struct saved_row *row; /* NULL: it has to go */
	const char *path;
	bool database;
};

struct goal {
	struct saved_set set;
	struct samba samba;      /* as it is now */
	struct paths usershares; /* then or now */
	struct change *change;
	size_t len;
	int64_t files, databases;
};

/* "files/etc/x" is /etc/x; what people read has no path. */
static const char *target(const char *name, bool *database)
{
	*database = strncmp(name, SET_DATABASES "/", sizeof(SET_DATABASES)) == 0;
	if (*database)
		return name + strlen(SET_DATABASES);
	return strncmp(name, SET_FILES "/", sizeof(SET_FILES)) == 0 ?
		name + strlen(SET_FILES) : NULL;
}

static void add_change(struct pd_ctx *ctx, struct goal *g,
		       const struct saved_row *row, const char *path,
		       bool database)
{
	*(struct change *)saved_grow(ctx, &g->change, &g->len,
				     sizeof(struct change)) =
		(struct change){ row, path, database };
	if (database)
		g->databases++;
	else
		g->files++;
}

/* @return 1 the same, 0 not, below zero: reported. */
static int same_database(struct pd_ctx *ctx, const struct goal *g,
			 const struct saved_row *row, const char *path)
{
	const char *then = NULL, *now = NULL;

	if (access(path, F_OK) != 0)
		return 0;
	then = database_records(ctx, pd_format(ctx, "%s/%s", g->set.folder,
					       row->name), &g->usershares);
	now = then ? database_records(ctx, path, &g->usershares) : NULL;
	if (!now)
		return PD_FAILED;
	return strcmp(then, now) == 0;
}

static int find_changed(struct pd_ctx *ctx, struct goal *g)
{
	for (size_t i = 0; i < g->set.len; i++) {
		const struct saved_row *row = &g->set.row[i];
		bool database = false;
		const char *path = target(row->name, &database);
		int same = !path;

		if (path)
			same = database ? same_database(ctx, g, row, path) :
					  saved_same(ctx, row, path);
		if (same < 0)
			return PD_FAILED;
		if (!same)
			add_change(ctx, g, row, path, database);
	}
	return 0;
}

/* What is there now and was not then: it would still share, or forbid. */
static void find_extra(struct pd_ctx *ctx, struct goal *g,
		       const struct paths *usershares)
{
	struct paths databases = { 0 };

	samba_databases(ctx, &g->samba, &databases);
	for (size_t i = 0; i < usershares->len; i++)
		if (!saved_find(&g->set, pd_format(ctx, SET_FILES "%s",
						   usershares->path[i])))
			add_change(ctx, g, NULL, usershares->path[i], false);
	for (size_t i = 0; i < databases.len; i++)
		if (!saved_find(&g->set, pd_format(ctx, SET_DATABASES "%s",
						   databases.path[i])))
			add_change(ctx, g, NULL, databases.path[i], true);
}

static int make_goal(struct pd_ctx *ctx, const char *from, struct goal *g)
{
	struct paths now = { 0 };

	*g = (struct goal){ 0 };
	if (saved_read(ctx, from, &g->set) || samba_ask(ctx, &g->samba) ||
	    samba_usershares(ctx, &g->samba, &now))
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++)
		paths_add(ctx, &g->usershares, now.path[i]);
	for (size_t i = 0; i < g->set.len; i++)
		if (strstr(g->set.row[i].name, "/usershares/"))
			paths_add(ctx, &g->usershares, g->set.row[i].name);
	if (find_changed(ctx, g))
		return PD_FAILED;
	find_extra(ctx, g, &now);
	return 0;
}

static int put_outputs(struct pd_ctx *ctx, int64_t files, int64_t databases)
{
	if (pd_output(ctx, "files", pd_format(ctx, "%lld", (long long)files)))
		return PD_FAILED;
	return pd_output(ctx, "databases", pd_format(ctx, "%lld",
						     (long long)databases));
}

/* ----------------------------------------------------------------- units */

static const char *const units[] = { "winbind.service", "smbd.service",
				     "smb.service", "nmbd.service",
				     "nmb.service", NULL };

static int reload(struct pd_ctx *ctx, const char *state)
{
	static const char *const argv[] = { "smbcontrol", "all",
					    "reload-config", NULL };
	struct pd_command_result r = { 0 };

	if (!strchr(state, UNIT_RUNS))
		return 0;
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "smbcontrol all reload-config "
			       "ends with %d: %s", r.status, r.err);
	return 0;
}

/* ------------------------------------------------------------- put back */

static int put_changes(struct pd_ctx *ctx, const struct goal *g)
{
	for (size_t i = 0; i < g->len; i++) {
		const struct change *c = &g->change[i];

		pd_progress(ctx, (int64_t)i, (int64_t)g->len, c->path);
		if (c->row && saved_put(ctx, &g->set, c->row, c->path))
			return PD_FAILED;
		if (!c->row && unlink(c->path) && errno != ENOENT)
			return pd_fail(ctx, PD_FAILED, "can't remove %s: %s",
				       c->path, strerror(errno));
	}
	return 0;
}

/* smbd has its databases open, so they are only replaced under a stopped
 * one; files alone need no more than a reload.  The units that ran are
 * started whatever happens. */
static int put_back(struct pd_ctx *ctx, const char *from, struct goal *g)
{
	const char *state = pd_recall(ctx, "units");
	int rc = make_goal(ctx, from, g);
	int64_t files = g->files, databases = g->databases;

	state = state ? state : "";
	if (rc == 0 && databases) {
		rc = units_do(ctx, "stop", units, state);
		if (rc == 0)
			rc = make_goal(ctx, from, g);
	}
	if (rc == 0)
		rc = put_changes(ctx, g);
	if (units_do(ctx, "start", units, state))
		return PD_FAILED;
	if (rc == 0 && !databases) /* also when a crash came before it */
		rc = reload(ctx, state);
	g->files = files;
	g->databases = databases;
	return rc;
}

/* Files that the restore makes and that were not there before. */
static int remember_created(struct pd_ctx *ctx, const struct goal *g)
{
	const char *all = "";

	if (pd_recall(ctx, "created"))
		return 0;
	for (size_t i = 0; i < g->len; i++)
		if (g->change[i].row && access(g->change[i].path, F_OK) != 0)
			all = pd_format(ctx, "%s%s\n", all, g->change[i].path);
	return pd_remember(ctx, "created", all);
}

static int remove_created(struct pd_ctx *ctx)
{
	const char *all = pd_recall(ctx, "created");

	for (const char *end = NULL; all && *all; all = end + 1) {
		const char *path = NULL;

		end = strchr(all, '\n');
		path = pd_format(ctx, "%.*s", (int)(end - all), all);
		if (unlink(path) && errno != ENOENT)
			return pd_fail(ctx, PD_FAILED, "can't remove %s: %s",
				       path, strerror(errno));
	}
	return 0;
}

/* ----------------------------------------------------------------- prove */

/* A database that smbd made anew when it started has nothing of before. */
static const char *left(const struct goal *g)
{
	for (size_t i = 0; i < g->len; i++)
		if (g->change[i].row || !g->change[i].database)
			return g->change[i].path;
	return NULL;
}

static int prove(struct pd_ctx *ctx, const char *from)
{
	static const char *const argv[] = { "testparm", "-s", SAMBA_CONFIG,
					    NULL };
	const char *before = pd_recall(ctx, "units");
	const char *state = units_ask(ctx, units);
	struct goal g = { 0 };
	const struct saved_row *then = NULL;
	const char *now = NULL;
	int status = 0;

	if (!state || make_goal(ctx, from, &g))
		return PD_FAILED;
	if (left(&g))
		return pd_fail(ctx, PD_FAILED, "%s is not as it was saved in %s",
			       left(&g), from);
	for (size_t i = 0; before && before[i] && units[i]; i++)
		if (before[i] == UNIT_RUNS && state[i] != UNIT_RUNS)
			return pd_fail(ctx, PD_FAILED, "%s ran before and does "
				       "not run now; see journalctl -u %s",
				       units[i], units[i]);
	then = saved_find(&g.set, SET_EFFECTIVE);
	if (!then) /* it did not load when it was saved */
		return 0;
	now = output_of(ctx, argv, &status);
	if (!now && status < 0)
		return PD_FAILED;
	if (now) {
		char digest[SAVED_DIGEST] = "";

		saved_digest(now, strlen(now), digest);
		if (strcmp(digest, then->digest) == 0)
			return 0;
	}
	return pd_fail(ctx, PD_FAILED, "the effective configuration is not that "
		       "of %s/%s; compare it with testparm -s", from,
		       SET_EFFECTIVE);
}

/* ----------------------------------------------------------------- steps */

static int check(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct goal g = { 0 };

	if (!samba_is_here() && access("/usr/bin/testparm", X_OK) != 0) {
		pd_inhibit(ctx, "shares can't be restored",
			   "there is no samba on this server",
			   "install the package samba first");
		return PD_REFUSED;
	}
	if (make_goal(ctx, args->from, &g) ||
	    put_outputs(ctx, g.files, g.databases))
		return PD_FAILED;
	if (!saved_find(&g.set, SET_FILES SAMBA_CONFIG))
		return pd_fail(ctx, PD_BAD_ARGS, "%s has no smb.conf; name a "
			       "folder that shares.save has made", args->from);
	if (saved_find(&g.set, SET_ELSEWHERE))
		pd_log(ctx, PD_LOG_WARN, "%s has no accounts, see " SET_ELSEWHERE
		       " in it", args->from);
	for (size_t i = 0; i < g.len; i++)
		pd_log(ctx, PD_LOG_INFO, "to %s: %s",
		       g.change[i].row ? "restore" : "remove",
		       g.change[i].path);
	return g.len || restore_cut_short(ctx) ?
		PD_CHANGED : PD_UNCHANGED;
}

static int take(struct pd_ctx *ctx, const char *folder)
{
	return shares_take(ctx, folder, false);
}

static int apply(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct goal g = { 0 };
	int rc = 0;
	const char *before = restore_begin(ctx, units, take, &rc);

	if (!before)
		return rc;
	if (make_goal(ctx, args->from, &g) || remember_created(ctx, &g) ||
	    pd_remember(ctx, "before", before))
		return PD_FAILED;
	rc = put_back(ctx, args->from, &g);
	if (rc || put_outputs(ctx, g.files, g.databases) ||
	    pd_remember(ctx, "done", "1"))
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%lld files and %lld databases put back from "
	       "%s", (long long)g.files, (long long)g.databases, args->from);
	return PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;

	return prove(ctx, args->from) ? PD_FAILED : PD_UNCHANGED;
}

static int undo(struct pd_ctx *ctx)
{
	const char *before = pd_recall(ctx, "before");
	struct goal g = { 0 };

	if (!before)
		return PD_UNCHANGED; /* apply had not begun to change anything */
	if (remove_created(ctx) || put_back(ctx, before, &g) ||
	    prove(ctx, before))
		return PD_FAILED;
	return PD_CHANGED;
}

const struct pd_step step_restore = {
	RESTORE_STEP, .help = "bring samba's saved configuration and databases back",
};
