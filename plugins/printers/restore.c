/* SPDX-License-Identifier: MIT */
/* Step printers.restore: bring saved queues back, exactly, and undo it. */
#include "printers.h"
#include "../shares/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * By cupsd's own files, with cupsd stopped: only they hold all of a queue
 * (its UUID, the credentials of its device, quotas, options that no driver
 * declares), byte for byte.  cupsd writes what it still has in memory when it
 * stops, before the files are replaced; jobs stay in the spool meanwhile.
 */

struct restore_args {
	const char *from;
	struct pd_list queues;
	bool exact;
	bool settings;
};

static const struct pd_param params[] = {
	PD_PARAM(struct restore_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder that printers.save has made"),
	PD_PARAM(struct restore_args, queues, PD_T_LIST,
		 .help = "queues to bring back; empty: all"),
	PD_PARAM(struct restore_args, exact, PD_T_BOOL, .def = "false",
		 .help = "remove queues that are not in the copy"),
	PD_PARAM(struct restore_args, settings, PD_T_BOOL, .def = "false",
		 .help = "bring cupsd.conf and cups-files.conf back too"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("queues", PD_T_INT, "how many queues were brought back"),
	PD_OUTPUT_END
};

/* What there is, what was saved, what there shall be. */
struct goal {
	struct saved_set set;
	struct setup now, saved, want;
	bool all, exact, settings;
	int64_t restored;
};

static const char *const settings_files[] = { "cupsd.conf", "cups-files.conf" };

static bool listed(const struct pd_list *list, const char *name)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcasecmp(list->items[i], name) == 0)
			return true;
	return list->len == 0;
}

static void want(struct pd_ctx *ctx, struct goal *g, const struct queue *q)
{
	*(struct queue *)saved_grow(ctx, &g->want.queue, &g->want.len,
				    sizeof(*q)) = *q;
}

static int make_goal(struct pd_ctx *ctx, const char *from,
		     const struct pd_list *list, struct goal *g)
{
	bool has_default = false;

	if (saved_read(ctx, from, &g->set) ||
	    setup_read(ctx, from, &g->saved) ||
	    setup_read(ctx, CUPS_ROOT, &g->now))
		return PD_FAILED;
	for (size_t i = 0; i < list->len; i++)
		if (!setup_find(&g->saved, list->items[i]))
			return pd_fail(ctx, PD_BAD_ARGS, "there is no queue %s "
				       "in %s; its queues.log lists them",
				       list->items[i], from);
	g->all = list->len == 0;
	for (size_t i = 0; i < g->saved.len; i++) {
		const struct queue *q = &g->saved.queue[i];

		if (!listed(list, q->name))
			continue;
		want(ctx, g, q);
		has_default = has_default || q->is_default;
	}
	g->restored = (int64_t)g->want.len;
	for (size_t i = 0; i < g->now.len && !g->exact; i++) {
		struct queue q = g->now.queue[i];

		if (setup_find(&g->want, q.name))
			continue;
		q.is_default = q.is_default && !has_default;
		want(ctx, g, &q);
	}
	return 0;
}

static const char *ppd_name(struct pd_ctx *ctx, const char *queue)
{
	return pd_format(ctx, "ppd/%s.ppd", queue);
}

static const char *in_root(struct pd_ctx *ctx, const char *name)
{
	return pd_format(ctx, CUPS_ROOT "/%s", name);
}

static bool file_differs(struct pd_ctx *ctx, const struct goal *g,
			 const char *name, bool may_stay)
{
	const struct saved_row *row = saved_find(&g->set, name);

	if (!row)
		return !may_stay && access(in_root(ctx, name), F_OK) == 0;
	return !saved_same(ctx, row, in_root(ctx, name));
}

/* The first thing that is not as it shall be, or NULL. */
static const char *differs(struct pd_ctx *ctx, const struct goal *g)
{
	for (size_t i = 0; i < g->want.len; i++) {
		const struct queue *q = &g->want.queue[i];
		const struct queue *is = setup_find(&g->now, q->name);
		const char *key = is ? queue_differs(ctx, q, is) : "is missing";

		if (!key && (int64_t)i < g->restored &&
		    file_differs(ctx, g, ppd_name(ctx, q->name), false))
			key = "PPD";
		if (key)
			return pd_format(ctx, "queue %s: %s", q->name, key);
	}
	for (size_t i = 0; i < g->now.len; i++)
		if (!setup_find(&g->want, g->now.queue[i].name))
			return pd_format(ctx, "queue %s: is not in the copy",
					 g->now.queue[i].name);
	if (g->all && file_differs(ctx, g, "lpoptions", !g->exact))
		return "lpoptions";
	for (size_t i = 0; i < 2 && g->settings; i++)
		if (file_differs(ctx, g, settings_files[i], true))
			return settings_files[i];
	return NULL;
}

/* ----------------------------------------------------------------- units */

static const char *const units[] = { "cups.path", "cups.socket",
				     "cups.service", "cups-browsed.service",
				     NULL };
enum { SOCKET = 1, SERVICE = 2 };

/* ------------------------------------------------------------- put back */

static int put_file(struct pd_ctx *ctx, const struct goal *g, const char *name,
		    bool may_stay)
{
	const struct saved_row *row = saved_find(&g->set, name);
	const char *path = in_root(ctx, name);

	if (!file_differs(ctx, g, name, may_stay))
		return 0;
	if (row)
		return saved_put(ctx, &g->set, row, path);
	if (unlink(path) && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "can't remove %s: %s", path,
			       strerror(errno));
	return 0;
}

static int put_conf(struct pd_ctx *ctx, const struct goal *g, size_t i)
{
	const struct saved_row *row = saved_find(&g->set, setup_files[i]);
	static const struct saved_row usual = { .user = "root", .group = "lp",
						.mode = 0600 };
	const char *path = in_root(ctx, setup_files[i]);
	const char *text = setup_text(ctx, &g->want, i == 1);

	if (g->exact && row)
		return saved_put(ctx, &g->set, row, path);
	if (!row && !g->now.text[i]) /* neither then nor now */
		return 0;
	return saved_write(ctx, path, row ? row : &usual, text, strlen(text));
}

static int put_queues(struct pd_ctx *ctx, const struct goal *g)
{
	for (int64_t i = 0; i < g->restored; i++) {
		const char *name = g->want.queue[i].name;

		pd_progress(ctx, i, g->restored, name);
		if (put_file(ctx, g, ppd_name(ctx, name), false))
			return PD_FAILED;
	}
	for (size_t i = 0; i < g->now.len; i++)
		if (!setup_find(&g->want, g->now.queue[i].name) &&
		    put_file(ctx, g, ppd_name(ctx, g->now.queue[i].name),
			     false))
			return PD_FAILED;
	return put_conf(ctx, g, 0) || put_conf(ctx, g, 1) ? PD_FAILED : 0;
}

static int put_others(struct pd_ctx *ctx, const struct goal *g)
{
	if (g->all && put_file(ctx, g, "lpoptions", !g->exact))
		return PD_FAILED;
	for (size_t i = 0; i < 2 && g->settings; i++)
		if (put_file(ctx, g, settings_files[i], true))
			return PD_FAILED;
	return 0;
}

/* @param from of a copy; the units that ran are started whatever happens. */
static int put_back(struct pd_ctx *ctx, const char *from,
		    const struct pd_list *list, struct goal *g)
{
	const char *state = pd_recall(ctx, "units");
	int rc = make_goal(ctx, from, list, g);

	state = state ? state : "";
	if (rc == 0 && differs(ctx, g)) {
		rc = units_do(ctx, "stop", units, state);
		/* stopping, cupsd has written its files once more */
		*g = (struct goal){ .exact = g->exact,
				    .settings = g->settings };
		if (rc == 0)
			rc = make_goal(ctx, from, list, g);
		if (rc == 0)
			rc = put_queues(ctx, g) || put_others(ctx, g) ?
				PD_FAILED : 0;
	}
	if (units_do(ctx, "start", units, state))
		return PD_FAILED;
	return rc;
}

/* ----------------------------------------------------------------- prove */

/* What cupsd itself makes of its files. */
static const char *cupsd_differs(struct pd_ctx *ctx, const struct goal *g,
				 const struct spooler *spooler)
{
	if (!spooler->running)
		return "cupsd does not answer";
	for (int64_t i = 0; i < g->restored; i++) {
		const struct queue *q = &g->want.queue[i];
		const struct live *live = spooler_find(spooler, q->name);
		const char *item = live ? live_differs(ctx, live, q, false) :
					  "is missing";

		if (item)
			return pd_format(ctx, "queue %s: %s", q->name, item);
	}
	if (g->exact && (int64_t)spooler->len != g->restored)
		return pd_format(ctx, "cupsd has %zu queues, the copy %lld",
				 spooler->len, (long long)g->restored);
	return NULL;
}

static int prove(struct pd_ctx *ctx, const struct goal *g)
{
	const char *state = pd_recall(ctx, "units");
	const char *why = differs(ctx, g);

	if (why)
		return pd_fail(ctx, PD_FAILED, "the printers are not as they "
			       "were saved: %s", why);
	if (!state || state[SERVICE] != UNIT_RUNS)
		return 0; /* cupsd didn't run before: it is not started now */
	for (int tries = 0; tries < 30 && !pd_canceled(ctx); tries++) {
		struct spooler spooler = { 0 };
		int rc = spooler_ask(ctx, CUPS_ROOT, &spooler);

		why = rc ? "cupsd gives an error" :
			   cupsd_differs(ctx, g, &spooler);
		spooler_free(&spooler);
		if (!why)
			return 0;
		sleep(1);
	}
	return pd_fail(ctx, PD_FAILED, "cupsd does not have the printers as "
		       "they were saved: %s; see its error_log",
		       why ? why : "canceled");
}

/* ----------------------------------------------------------------- steps */

static struct goal goal_of(const struct restore_args *args)
{
	return (struct goal){ .exact = args->exact, .settings = args->settings };
}

static int output_queues(struct pd_ctx *ctx, const struct goal *g)
{
	return pd_output(ctx, "queues", pd_format(ctx, "%lld",
						  (long long)g->restored));
}

static int check(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct goal g = goal_of(args);
	struct spooler spooler = { 0 };
	const char *state = units_ask(ctx, units), *why = NULL;
	int rc = 0;

	if (args->exact && args->queues.len)
		return pd_fail(ctx, PD_BAD_ARGS, "exact removes all queues that "
			       "are not in the copy, so it can't go with a list "
			       "of queues; leave one of them out");
	if (access(CUPS_ROOT "/cupsd.conf", F_OK) != 0) {
		pd_inhibit(ctx, "printers can't be restored",
			   "there is no CUPS on this server",
			   "install the package cups first");
		return PD_REFUSED;
	}
	rc = make_goal(ctx, args->from, &args->queues, &g);
	if (rc || output_queues(ctx, &g))
		return rc ? rc : PD_FAILED;
	if (!state || spooler_ask(ctx, CUPS_ROOT, &spooler))
		return PD_FAILED;
	if (spooler.running && state[SERVICE] != UNIT_RUNS &&
	    state[SOCKET] != UNIT_RUNS) {
		pd_inhibit(ctx, "cupsd would overwrite what is restored",
			   "cupsd runs, but not as systemd's cups.service",
			   "stop that cupsd, or start cups.service in its place");
		rc = PD_REFUSED;
	}
	why = differs(ctx, &g);
	if (!why && spooler.running)
		why = cupsd_differs(ctx, &g, &spooler);
	spooler_free(&spooler);
	if (rc)
		return rc;
	if (why)
		pd_log(ctx, PD_LOG_INFO, "to restore, first of all: %s", why);
	return why || restore_cut_short(ctx) ?
		PD_CHANGED : PD_UNCHANGED;
}

static int apply(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct goal g = goal_of(args);
	int rc = 0;
	const char *before = restore_begin(ctx, units, printers_save, &rc);

	if (!before || pd_remember(ctx, "before", before))
		return rc ? rc : PD_FAILED;
	rc = put_back(ctx, args->from, &args->queues, &g);
	if (rc || output_queues(ctx, &g) || pd_remember(ctx, "done", "1"))
		return rc ? rc : PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%lld queues brought back from %s",
	       (long long)g.restored, args->from);
	return PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	struct goal g = goal_of(args);

	if (make_goal(ctx, args->from, &args->queues, &g) ||
	    output_queues(ctx, &g) || prove(ctx, &g))
		return PD_FAILED;
	return PD_UNCHANGED;
}

static int undo(struct pd_ctx *ctx)
{
	const struct restore_args *args = ctx->args;
	const char *before = pd_recall(ctx, "before");
	struct goal g = { .exact = true, .settings = args->settings };
	struct goal proof = g;
	const struct pd_list all = { 0 };

	if (!before)
		return PD_UNCHANGED; /* apply had not begun to change anything */
	if (put_back(ctx, before, &all, &g) ||
	    make_goal(ctx, before, &all, &proof) || prove(ctx, &proof))
		return PD_FAILED;
	return PD_CHANGED;
}

const struct pd_step step_restore = {
	RESTORE_STEP, .help = "bring saved queues of CUPS back",
	.retries = 1,
};
