/* SPDX-License-Identifier: MIT */
/* The step guard.window: is a maintenance window open for long enough? */
#include "guard.h"
#include "../shared/clone.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar.h"

#define ZONES "/usr/share/zoneinfo/"

enum { ZONE_MAX = 1 << 20 };

struct args {
	struct pd_list windows, except;
	const char *timezone;
	int64_t now, expected_do, expected_undo;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, windows, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "when it may work, such as \"sat 22:00-06:00\""),
	PD_PARAM(struct args, except, PD_T_LIST,
		 .help = "days on which no window begins: dates, or ranges DATE..DATE"),
	PD_PARAM(struct args, timezone, PD_T_STRING,
		 .help = "IANA name of the time zone, the server's when left out"),
	PD_PARAM(struct args, now, PD_T_INT, .def = "0", .max = INT64_C(32503680000),
		 .help = "judge by this time, seconds since 1970, for rehearsals; 0: the clock"),
	PD_PARAM(struct args, expected_do, PD_T_SECONDS, .flags = PD_P_ENGINE,
		 .help = "time that the rest of the run takes"),
	PD_PARAM(struct args, expected_undo, PD_T_SECONDS, .flags = PD_P_ENGINE,
		 .help = "time that it takes to undo all of it after that"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("closes", PD_T_STRING, "when the window closes that is open now"),
	PD_OUTPUT("opens", PD_T_STRING, "when the next one opens that is long enough"),
	PD_OUTPUT_END
};

/* "Sat 2026-11-21 22:00 CET" */
static const char *show(struct pd_ctx *ctx, int64_t when)
{
	char text[64] = "";
	time_t t = when;
	struct tm tm = { 0 };

	strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M %Z", localtime_r(&t, &tm));
	return pd_format(ctx, "%s", text);
}

static const char *show_time(struct pd_ctx *ctx, int64_t seconds)
{
	if (seconds < 60)
		return pd_format(ctx, "%" PRId64 "s", seconds);
	return seconds < 3600 ?
	       pd_format(ctx, "%" PRId64 "m", (seconds + 59) / 60) :
	       pd_format(ctx, "%" PRId64 "h %02" PRId64 "m", seconds / 3600,
			 (seconds % 3600 + 59) / 60);
}

/* The C library takes any other name, or a folder, for UTC, and says nothing.  Those of right/ count leap seconds,
 * which the clock does not; Factory is for computers that nobody has told where they are. */
static bool is_zone(struct pd_ctx *ctx, const char *name)
{
	const char *rules;

	if (strcmp(name, "UTC") == 0)
		return true;
	if (name[0] == '/' || strstr(name, "..") || strncmp(name, "right/", 6) == 0 || strcmp(name, "Factory") == 0)
		return false;
	rules = pd_read_file(ctx, pd_format(ctx, ZONES "%s", name), ZONE_MAX, NULL);
	return rules && strncmp(rules, "TZif", 4) == 0;
}

static int set_zone(struct pd_ctx *ctx, const char *name)
{
	if (!name || !*name)
		return 0;
	if (!is_zone(ctx, name))
		return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no time zone that this server knows; "
			       "names are those below " ZONES ", such as Europe/Berlin", name);
	if (setenv("TZ", name, 1) < 0)
		return pd_fail(ctx, PD_FAILED, "the time zone could not be set");
	return 0;
}

/* All windows, as spans of time; *n of them.  NULL: failed. */
static const struct cal_span *openings(struct pd_ctx *ctx, int64_t now, size_t *n)
{
	const struct args *a = ctx->args;
	struct cal_rule *rules = pd_alloc_for(ctx, (a->windows.len + 1) * sizeof(*rules));
	struct cal_days *except = pd_alloc_for(ctx, (a->except.len + 1) * sizeof(*except));
	struct cal_span *out;
	const char *wrong;

	for (size_t i = 0; i < a->windows.len; i++) {
		wrong = cal_rule_parse(a->windows.items[i], &rules[i]);
		if (wrong) {
			pd_fail(ctx, PD_BAD_ARGS, "window '%s': %s", a->windows.items[i], wrong);
			return NULL;
		}
	}
	for (size_t i = 0; i < a->except.len; i++) {
		wrong = cal_days_parse(a->except.items[i], &except[i]);
		if (wrong) {
			pd_fail(ctx, PD_BAD_ARGS, "exception '%s': %s", a->except.items[i], wrong);
			return NULL;
		}
	}
	out = pd_alloc_for(ctx, CAL_ROOM(a->windows.len + 1) * sizeof(*out));
	*n = cal_openings(rules, a->windows.len, except, a->except.len, now, out);
	return out;
}

static int refuse(struct pd_ctx *ctx, const struct cal_span *open, const struct cal_span *next,
		  int64_t now)
{
	const struct args *a = ctx->args;
	const char *needs = pd_format(ctx, "%s to do the rest and %s to take it back are needed",
				      show_time(ctx, a->expected_do),
				      show_time(ctx, a->expected_undo));
	const char *then = next ?
		pd_format(ctx, "the next window that is long enough is %s to %s",
			  show(ctx, next->begin), show(ctx, next->end)) :
		pd_format(ctx, "no window of the next %d days is long enough", CALENDAR_DAYS);

	return guard_refuse(ctx, open ? "work, or taking it back, would go on after the window" :
				 "users would be disturbed outside of a maintenance window",
			    open ? pd_format(ctx, "the window closes %s, %s from now; %s; %s",
					     show(ctx, open->end), show_time(ctx, open->end - now),
					     needs, then) :
			    pd_format(ctx, "no window is open; %s; %s", needs, then),
			    next ? "wait until then, or agree on another window" :
			    "agree on a window that is long enough");
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int64_t now = a->now ? a->now : time(NULL), need = a->expected_do + a->expected_undo;
	const struct cal_span *spans, *open = NULL, *next = NULL;
	size_t n = 0;
	int r = set_zone(ctx, a->timezone);

	if (r < 0)
		return r;
	if (!a->windows.len)
		return pd_fail(ctx, PD_BAD_ARGS, "there is no window in 'windows'");
	tzset();
	spans = openings(ctx, now, &n);
	if (!spans)
		return PD_BAD_ARGS;
	for (size_t i = 0; i < n && !next; i++) {
		if (spans[i].begin <= now && now < spans[i].end)
			open = &spans[i];
		else if (spans[i].begin > now && spans[i].end - spans[i].begin >= need)
			next = &spans[i];
	}
	if ((open && pd_output(ctx, "closes", show(ctx, open->end)) < 0) ||
	    (next && pd_output(ctx, "opens", show(ctx, next->begin)) < 0))
		return PD_FAILED;
	return (open && open->end - now >= need) || clone_here(ctx) ? PD_UNCHANGED :
								     refuse(ctx, open, next, now);
}

const struct pd_step guard_window = {
	PD_STEP, .name = "window",
	.help = "go on only in a maintenance window that is open for long enough",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .check = check
};
