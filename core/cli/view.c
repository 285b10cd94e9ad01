/* SPDX-License-Identifier: MIT */
/* The live view of a run: what happened, and one line for what happens. */
#include "cli/cli.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct pd_view {
	const struct pd_cli *cli;
	bool events;          /* JSON lines instead */
	bool live;            /* there is a last line to be wiped */
	const struct pd_plan *plan;
	size_t stage;
	time_t since;         /* start of the step under way */
	char *step;
	time_t drawn;
};

void pd_view_open(struct pd_cli *cli)
{
	struct pd_view *v = pd_alloc(sizeof(*v));

	v->cli = cli;
	v->events = pd_cli_option(cli, "events") != NULL;
	v->stage = SIZE_MAX;
	cli->view = v;
}

static void wipe(struct pd_view *v)
{
	if (v->live)
		fputs("\r\033[K", stdout);
	v->live = false;
}

void pd_view_close(struct pd_cli *cli)
{
	struct pd_view *v = cli->view;

	wipe(v);
	fflush(stdout);
	free(v->step);
	free(v);
}

static char *event_line(const struct pd_event *e)
{
	pd_auto_json *j = json_pack("{s:I, s:I, s:s, s:s, s:s, s:O}", "n",
		(json_int_t)e->n, "time", (json_int_t)e->time, "run", e->run, "kind",
		e->kind, "step", e->step, "data", e->data);

	/* the plan is long and has a command of its own */
	if (strcmp(e->kind, "plan") == 0)
		json_object_set_new(j, "data", json_pack("{s:O?}", "round",
				    json_object_get(e->data, "round")));
	return pd_json_line(j);
}

static void line(struct pd_view *v, const struct pd_event *e, const char *color,
		 const char *mark, const char *step, const char *text)
{
	char clock[16] = "";
	time_t when = (time_t)(e->time / 1000);
	struct tm tm = {0};

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&when, &tm));
	pd_cli_print(v->cli, "%s %s%-9s%s %-38s %s\n", clock, pd_cli_color(v->cli, color), mark,
	       pd_cli_color(v->cli, "\033[0m"), step, text);
}

static void stage_head(struct pd_view *v, const struct pd_record_step *s)
{
	if (s->plan == v->plan && s->step->stage == v->stage)
		return;
	v->plan = s->plan;
	v->stage = s->step->stage;
	pd_cli_print(v->cli, "%s== %s%s\n", pd_cli_color(v->cli, "\033[1m"),
	       s->plan->stages[v->stage].name, pd_cli_color(v->cli, "\033[0m"));
}

static void step_event(struct pd_view *v, const struct pd_record_step *s,
		       const struct pd_event *e)
{
	char took[32];
	const char *text = pd_json_text(e->data, "message", "");

	snprintf(took, sizeof(took), "%.1f s",
		 json_number_value(json_object_get(e->data, "seconds")));
	if (strcmp(e->kind, "predict") == 0)
		return; /* what is against the run is shown all at once */
	if (s->state != PD_STEP_UNDOING && s->state != PD_STEP_UNDONE)
		stage_head(v, s);
	if (strcmp(e->kind, "apply") == 0) {
		v->since = time(NULL);
		line(v, e, "\033[36m", "begin", s->key, "");
	} else if (strcmp(e->kind, "done") == 0) {
		line(v, e, "\033[32m", pd_json_text(e->data, "result", ""), s->key, took);
	} else if (strcmp(e->kind, "undo") == 0) {
		v->since = time(NULL);
		line(v, e, "\033[33m", s->step->hold ? "give back" : "undo", s->key, "");
	} else if (strcmp(e->kind, "undone") == 0) {
		line(v, e, "\033[32m", s->step->hold ? "is back" : "undone", s->key, took);
	} else if (strcmp(e->kind, "failed") == 0 || strcmp(e->kind, "stuck") == 0) {
		line(v, e, "\033[31m", e->kind, s->key, text);
		if (s->detail)
			pd_cli_print(v->cli, "%s\n", s->detail);
	} else if (strcmp(e->kind, "evidence") == 0) {
		line(v, e, "", "evidence", s->key, pd_json_text(e->data, "path", ""));
	} else if (strcmp(e->kind, "reboot") == 0) {
		line(v, e, "\033[33m", "reboot", s->key, "the server is asked to start anew");
	} else if (strcmp(e->kind, "log") == 0) {
		line(v, e, "", pd_json_text(e->data, "level", ""), s->key,
		     pd_json_text(e->data, "text", ""));
	}
}

void pd_view_inhibitors(const struct pd_cli *cli, const json_t *list)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		pd_cli_print(cli, "    %srefused%s: %s%s%s\n      cause:  %s\n      remedy: %s\n",
			     pd_cli_color(cli, "\033[31m"), pd_cli_color(cli, "\033[0m"),
			     pd_json_text(row, "step", ""), *pd_json_text(row, "step", "") ? ": " : "",
			     pd_json_text(row, "risk", ""), pd_json_text(row, "cause", ""),
			     pd_json_text(row, "remedy", ""));
}

static void run_event(struct pd_view *v, const struct pd_event *e)
{
	const char *why = pd_json_text(e->data, "why", "");

	if (strcmp(e->kind, "state") == 0) {
		pd_auto_free char *text = pd_print("%s%s%s",
			pd_json_text(e->data, "state", ""), *why ? ": " : "", why);

		line(v, e, "\033[1m", "run", e->run, text);
		pd_view_inhibitors(v->cli, json_object_get(e->data, "inhibitors"));
	} else if (strcmp(e->kind, "boot") == 0) {
		pd_auto_free char *text = pd_print("reboot: %s",
			pd_json_text(e->data, "how", ""));

		line(v, e, "\033[1m", "server", "", text);
	} else if (strcmp(e->kind, "plan") == 0) {
		pd_auto_free char *text = pd_print("round %" PRId64,
			pd_json_number(e->data, "round", 1));

		line(v, e, "\033[1m", "plan", e->run, text);
	} else if (strcmp(e->kind, "sign") == 0) {
		line(v, e, "\033[32m", "signed", pd_json_text(e->data, "party", ""),
		     pd_json_text(e->data, "name", ""));
	}
}

void pd_view_event(void *cli, const struct pd_record *r, const struct pd_event *e)
{
	struct pd_view *v = ((struct pd_cli *)cli)->view;
	pd_auto_free char *text = NULL;
	struct pd_record_step *s;

	if (v->events || v->cli->hook)
		text = event_line(e);
	pd_hook_event(v->cli->hook, text);
	if (v->cli->json)
		return;
	if (v->events) {
		puts(text);
		fflush(stdout);
		return;
	}
	wipe(v);
	s = *e->step ? pd_record_step((struct pd_record *)(uintptr_t)r, e->step) : NULL;
	if (s)
		step_event(v, s, e);
	else
		run_event(v, e);
	fflush(stdout);
}

static int columns(void)
{
	struct winsize w = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

void pd_view_progress(void *cli, const struct pd_record_step *s, int64_t done,
		      int64_t total, const char *text)
{
	struct pd_view *v = ((struct pd_cli *)cli)->view;
	pd_auto_free char *shown = NULL, *elapsed = NULL;
	char percent[16] = "";
	time_t now = time(NULL);

	if (v->cli->json || v->events || !v->cli->terminal || now == v->drawn)
		return;
	v->drawn = now;
	if (total > 0)
		snprintf(percent, sizeof(percent), "%d %%", (int)(done * 100 / total));
	elapsed = pd_show_seconds(v->since ? now - v->since : 0);
	shown = pd_print("  %s  %s  %s  %s", s->key, percent, elapsed, text ? text : "");
	wipe(v);
	/* bytes, not columns: a line that is cut early does no harm */
	pd_cli_print(v->cli, "%.*s", columns() - 1, shown);
	fflush(stdout);
	v->live = true;
}
