/* SPDX-License-Identifier: MIT */
/* The step notify.desktop: a message in every graphical session, with a
 * countdown that whoever works there can put off. */
#include "desktops.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct args {
	const char *title;
	const char *text;
	int64_t countdown;
	int64_t postpone;
	int64_t postpones;
};

#define UNTIL "until"         /* when the countdown ends, in seconds since 1970 */
#define POSTPONED "postponed" /* how often it has been put off */

struct countdown {
	struct pd_ctx *ctx;
	struct desktops all;
	int64_t until, postponed;
	int64_t shown;    /* seconds left when it was shown last; -1: not yet */
	const char *told; /* what was shown and done, for the evidence */
};

static const struct args *arguments(struct pd_ctx *ctx) { return ctx->args; }

static int64_t recalled(struct pd_ctx *ctx, const char *key, int64_t none)
{
	const char *text = pd_recall(ctx, key);

	return text ? strtoll(text, NULL, 10) : none;
}

static int keep(struct countdown *c)
{
	return pd_remember(c->ctx, UNTIL, pd_format(c->ctx, "%" PRId64, c->until)) < 0 ||
	       pd_remember(c->ctx, POSTPONED, pd_format(c->ctx, "%" PRId64, c->postponed)) < 0 ?
	       PD_FAILED : 0;
}

static void note(struct countdown *c, const char *what)
{
	char now[32] = "";
	time_t t = time(NULL);
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	c->told = pd_format(c->ctx, "%s%s %s\n", c->told, now, what);
}

/* ------------------------------------------------------------ what is shown */

static const char *length(struct pd_ctx *ctx, int64_t seconds)
{
	return seconds < 60 ? pd_format(ctx, "%" PRId64 " second%s", seconds, seconds == 1 ? "" : "s") :
		pd_format(ctx, "%" PRId64 " minute%s", (seconds + 30) / 60, seconds < 90 ? "" : "s");
}

/* Every minute; in the last one every ten seconds. */
static bool is_due(const struct countdown *c, int64_t left)
{
	int64_t pace = left > 60 ? 60 : 10;

	return c->shown < 0 || left > c->shown || left / pace != c->shown / pace;
}

static void show(struct countdown *c, int64_t left)
{
	const struct args *args = arguments(c->ctx);
	int64_t more = args->postpones - c->postponed;
	struct notification n = { .title = args->title, .expires = left ? 0 : 10000 };
	bool last = left <= 60 && c->shown > 60;

	n.text = left ? pd_format(c->ctx, "%s\n\nIt begins in %s.", args->text, length(c->ctx, left)) :
		args->countdown ? pd_format(c->ctx, "%s\n\nIt begins now.", args->text) : args->text;
	if (left && more > 0)
		n.action = pd_format(c->ctx, "Postpone by %s (%" PRId64 " left)",
				     length(c->ctx, args->postpone), more);
	desktops_show(c->ctx, &c->all, &n, last || c->shown < 0 || !left);
	c->shown = left;
}

/* ------------------------------------------------------------------ waiting */

/* Who is the first to press puts it off for all. */
static int put_off(struct countdown *c)
{
	const struct args *args = arguments(c->ctx);

	if (c->postponed >= args->postpones)
		return 0;
	c->postponed++;
	c->until += args->postpone;
	note(c, pd_format(c->ctx, "postponed by %s, %" PRId64 " of %" PRId64, length(c->ctx, args->postpone),
			  c->postponed, args->postpones));
	pd_log(c->ctx, PD_LOG_INFO, "postponed by %s", length(c->ctx, args->postpone));
	return keep(c);
}

static int64_t seconds_left(const struct countdown *c)
{
	int64_t left = c->until - (int64_t)time(NULL);

	return left > 0 ? left : 0;
}

static int wait_for_it(struct countdown *c)
{
	/* when the last one has left, nobody has to be waited for */
	for (int64_t left; desktops_any(&c->all) && (left = seconds_left(c)) > 0;) {
		if (pd_canceled(c->ctx))
			return pd_fail(c->ctx, PD_CANCELED, "stopped %s before the end of the countdown",
				       length(c->ctx, left));
		if (is_due(c, left))
			show(c, left);
		pd_progress(c->ctx, arguments(c->ctx)->countdown - left, arguments(c->ctx)->countdown, NULL);
		if (desktops_wait(&c->all) && put_off(c) < 0)
			return PD_FAILED;
	}
	return 0;
}

static int send_it(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = arguments(ctx);
	struct countdown c = { .ctx = ctx, .shown = -1, .told = "",
			       .postponed = recalled(ctx, POSTPONED, 0) };
	int r = desktops_find(ctx, &c.all);

	(void)key;
	if (r < 0)
		return PD_FAILED;
	desktops_open(ctx, &c.all);
	c.until = recalled(ctx, UNTIL, (int64_t)time(NULL) + args->countdown);
	if (keep(&c) < 0) {
		desktops_close(&c.all);
		return PD_FAILED;
	}
	for (size_t i = 0; i < c.all.n; i++)
		note(&c, pd_format(ctx, "%s %s", c.all.one[i].bus ? "told" : "not reached:", c.all.one[i].who));
	r = wait_for_it(&c);
	if (r == 0)
		show(&c, 0);
	desktops_close(&c.all);
	note(&c, r == 0 ? "the countdown has ended" : "stopped");
	if (r == 0 && (pd_output(ctx, "postponed", pd_format(ctx, "%" PRId64, c.postponed)) < 0 ||
		       !notify_evidence(ctx, "desktop.txt",
					pd_format(ctx, "%s\n%s\n\n%s", args->title, args->text, c.told),
					"Who was told, what, and who has put it off")))
		r = PD_FAILED;
	return r;
}

static int check(struct pd_ctx *ctx)
{
	struct desktops all;

	if (desktops_find(ctx, &all) < 0)
		return PD_FAILED;
	pd_expect(ctx, all.n ? arguments(ctx)->countdown : 1);
	return notify_due(ctx);
}

static int apply(struct pd_ctx *ctx) { return notify_once(ctx, send_it); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, title, PD_T_STRING, .def = "This server is about to be patched",
		 .help = "the message in one line"),
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "the message"),
	PD_PARAM(struct args, countdown, PD_T_SECONDS, .def = "5m", .min = 0, .max = 4 * 3600,
		 .help = "how long it is shown before the run goes on; 0: it goes on at once"),
	PD_PARAM(struct args, postpone, PD_T_SECONDS, .def = "15m", .min = 1, .max = 4 * 3600,
		 .help = "by how much whoever works there can put it off"),
	PD_PARAM(struct args, postpones, PD_T_INT, .def = "2", .min = 0, .max = 4,
		 .help = "how often that can be done, by all together"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("told", PD_T_LIST, "who was logged in with a graphical session, such as \"alice (wayland)\""),
	PD_OUTPUT("postponed", PD_T_INT, "how often it was put off"),
	PD_OUTPUT_END
};

const struct pd_step desktop_step = {
	PD_STEP, .name = "desktop",
	.help = "show a message with a countdown in every graphical session, which can be put off there",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .check = check, .apply = apply,
	.verify = notify_was_sent, .time_limit = 24 * 3600, .expected = 300
};
