/* SPDX-License-Identifier: MIT */
/* schedule - hold what starts jobs by the clock: cron, anacron, at, timers. */
#include "../shared/process.h"
#include "../shared/units.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum running { RUNNING_WAIT = 0, RUNNING_LEAVE = 1 };

struct args {
	struct pd_list kinds, except;
	int64_t timeout;
	int32_t running;
};

struct names {
	const char **items;
	size_t len, room;
};

/* The daemons of each kind, as the distributions call their units; a job at
 * work has a process of the daemon's name over it. */
static const struct daemon {
	const char *kind, *unit, *program;
} daemons[] = {
	{ "cron", "cron.service", "cron" },
	{ "cron", "crond.service", "crond" },
	{ "cron", "fcron.service", "fcron" },
	{ "anacron", "anacron.service", "anacron" },
	{ "at", "atd.service", "atd" }
};

#define DAEMONS (sizeof(daemons) / sizeof(*daemons))

static void add(struct pd_ctx *ctx, struct names *names, const char *name)
{
	if (names->len == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		const char **items = pd_alloc_for(ctx, room * sizeof(*items));

		for (size_t i = 0; i < names->len; i++)
			items[i] = names->items[i];
		names->items = items;
		names->room = room;
	}
	names->items[names->len++] = pd_format(ctx, "%s", name);
}

static bool has(const struct pd_list *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i], word) == 0)
			return true;
	return false;
}

/* Excepted by its full name, or by what is in front of its kind. */
static bool is_excepted(struct pd_ctx *ctx, const char *unit)
{
	const struct args *args = ctx->args;
	const char *dot = strrchr(unit, '.');

	return has(&args->except, unit) ||
	       has(&args->except, pd_format(ctx, "%.*s", (int)(dot - unit), unit));
}

static int check_kinds(struct pd_ctx *ctx)
{
	static const char *const known[] = { "cron", "anacron", "at", "timers" };
	const struct args *args = ctx->args;
	const size_t n = sizeof(known) / sizeof(*known);

	for (size_t i = 0; i < args->kinds.len; i++) {
		const char *kind = args->kinds.items[i], *near;
		size_t k = 0;

		while (k < n && strcmp(known[k], kind) != 0)
			k++;
		if (k < n)
			continue;
		near = pd_near(ctx, kind, known, n);
		return pd_fail(ctx, PD_BAD_ARGS, "kinds has '%s', which starts no jobs; "
			       "there are cron, anacron, at and timers%s%s%s", kind,
			       near ? "; did you mean '" : "", near ? near : "",
			       near ? "'?" : "");
	}
	return 0;
}

static int add_daemons(struct pd_ctx *ctx, sd_bus *bus, struct names *names)
{
	const struct args *args = ctx->args;

	for (size_t i = 0; i < DAEMONS; i++) {
		struct unit *unit = NULL;

		if (!has(&args->kinds, daemons[i].kind) || is_excepted(ctx, daemons[i].unit))
			continue;
		if (unit_load(ctx, bus, daemons[i].unit, &unit) < 0)
			return PD_FAILED;
		if (strcmp(unit->load, "not-found") != 0 || unit_runs(unit))
			add(ctx, names, unit->name);
	}
	return 0;
}

/* Why a timer is better left alone; NULL: it can be held. */
static const char *kept(struct pd_ctx *ctx, sd_bus *bus, const struct unit *timer)
{
	int transient = 0;

	if (is_excepted(ctx, timer->name) || strncmp(timer->name, "patchday", 8) == 0)
		return "";
	if (!timer->can_stop)
		return "its unit file says RefuseManualStop=yes";
	sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", timer->path, UNIT_INTERFACE,
				    "Transient", NULL, 'b', &transient);
	return transient ? "it was made by systemd-run and would be gone once it is stopped" : NULL;
}

static int add_timer(struct pd_ctx *ctx, sd_bus *bus, const char *name, struct names *names)
{
	struct unit *timer = NULL;
	const char *why;

	if (unit_load(ctx, bus, name, &timer) < 0)
		return PD_FAILED;
	why = kept(ctx, bus, timer);
	if (!why) {
		add(ctx, names, timer->name);
		return 0;
	}
	if (!*why)
		return 0;
	pd_log(ctx, PD_LOG_WARN, "timer %s is left alone: %s", timer->name, why);
	return pd_output_item(ctx, "left", timer->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A timer that is not active starts nothing.  systemd lists in no order: sorted,
 * so that what is predicted is what comes. */
static int add_timers(struct pd_ctx *ctx, sd_bus *bus, struct names *names)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	struct names found = { 0 };
	const char *name = NULL;
	int r = sd_bus_call_method(bus, MANAGER, "ListUnitsByPatterns", &error, &reply, "asas",
				   1, "active", 1, "*.timer");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, NULL,
						  NULL, NULL, NULL, NULL, NULL, NULL)) > 0)
		add(ctx, &found, name);
	sd_bus_message_unref(reply);
	if (r < 0)
		return bus_failed(ctx, "list", "its timers", &error, r);
	if (found.len)
		qsort(found.items, found.len, sizeof(*found.items), by_name);
	for (size_t i = 0; i < found.len; i++)
		if (add_timer(ctx, bus, found.items[i], names) < 0)
			return PD_FAILED;
	return 0;
}

static int find(struct pd_ctx *ctx, sd_bus *bus, struct hold *hold)
{
	const struct args *args = ctx->args;
	struct names names = { 0 };
	int r = check_kinds(ctx);

	if (r == 0)
		r = add_daemons(ctx, bus, &names);
	if (r == 0 && has(&args->kinds, "timers"))
		r = add_timers(ctx, bus, &names);
	*hold = (struct hold){ { names.len, names.items }, args->timeout, MISSING_IGNORE };
	return r;
}

/* ------------------------------------------------- jobs that are at work */

/* A container's cron is none of ours. */
static bool is_ours(struct pd_ctx *ctx, const char *pid)
{
	char here[64] = "", there[64] = "";

	return readlink("/proc/self/ns/pid", here, sizeof(here) - 1) < 0 ||
	       readlink(pd_format(ctx, "/proc/%s/ns/pid", pid), there, sizeof(there) - 1) < 0 ||
	       strcmp(here, there) == 0;
}

/* Is it what this run was started by?  Who waits for oneself waits for ever. */
static bool is_above(struct pd_ctx *ctx, const char *pid)
{
	long wanted = strtol(pid, NULL, 10), up = getppid();

	while (up > 1 && up != wanted) {
		const char *stat = pd_read_file(ctx, pd_format(ctx, "/proc/%ld/stat", up), 4096, NULL);
		const char *name_end = stat ? strrchr(stat, ')') : NULL;

		if (!name_end || strlen(name_end) < 4)
			return false;
		up = strtol(name_end + 4, NULL, 10); /* ") S 1" */
	}
	return up == wanted;
}

static bool is_around_us(struct pd_ctx *ctx, const struct unit *unit)
{
	const char *groups = pd_read_file(ctx, "/proc/self/cgroup", 65536, NULL);

	return groups && (strstr(groups, pd_format(ctx, "/%s\n", unit->name)) ||
			  strstr(groups, pd_format(ctx, "/%s/", unit->name)));
}

static const char *name_of(struct pd_ctx *ctx, const char *pid)
{
	const char *comm = pd_read_file(ctx, pd_format(ctx, "/proc/%s/comm", pid), 4096, NULL);

	return comm ? pd_format(ctx, "%.*s", (int)strcspn(comm, "\n"), comm) : "?";
}

/* NULL: none, or the kernel does not tell. */
static const char *first_child(struct pd_ctx *ctx, const char *pid)
{
	const char *list = pd_read_file(ctx, pd_format(ctx, "/proc/%s/task/%s/children", pid, pid),
					65536, NULL);

	return list && *list ? pd_format(ctx, "%.*s", (int)strcspn(list, " "), list) : NULL;
}

/* Below the daemon's process there is mostly a shell, and below that what a
 * person knows. */
static int at_work(struct pd_ctx *ctx, const char *pid, const char *daemon, void *job)
{
	const char *name = daemon, *child;

	if (!is_ours(ctx, pid) || is_above(ctx, pid))
		return 0;
	while ((strcmp(name, daemon) == 0 || strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0) &&
	       (child = first_child(ctx, pid))) {
		pid = child;
		name = name_of(ctx, pid);
	}
	*(const char **)job = pd_format(ctx, "%s of %s, process %s", name, daemon, pid);
	return 1;
}

static bool is_busy(const struct unit *unit)
{
	return unit_is(unit, ".service") && !unit_stopped(unit) && strcmp(unit->sub, "exited") != 0;
}

/* Where to look for jobs that are at work. */
struct place {
	sd_bus *bus;
	const struct units *held;
};

/* What a held timer has started. */
static int find_started(struct pd_ctx *ctx, sd_bus *bus, const struct unit *held, const char **job)
{
	const char *const *triggers;
	struct unit *timer = NULL, *started = NULL;

	if (unit_load(ctx, bus, held->name, &timer) < 0)
		return PD_FAILED;
	triggers = unit_strings(ctx, bus, timer->path, "Triggers");
	if (*triggers && unit_load(ctx, bus, *triggers, &started) < 0)
		return PD_FAILED;
	if (started && is_busy(started) && !is_around_us(ctx, started))
		*job = pd_format(ctx, "%s (%s) of %s", started->name, started->sub, timer->name);
	return 0;
}

static int find_job(struct pd_ctx *ctx, void *user, const char **job)
{
	const struct place *place = user;
	struct names programs = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && !*job && i < place->held->len; i++) {
		const struct unit *unit = place->held->items[i];

		for (size_t k = 0; k < DAEMONS; k++)
			if (strcmp(daemons[k].unit, unit->name) == 0)
				add(ctx, &programs, daemons[k].program);
		if (unit_is(unit, ".timer"))
			r = find_started(ctx, place->bus, unit, job);
	}
	if (r == 0 && !*job)
		r = process_each(ctx, &(struct pd_list){ programs.len, programs.items }, at_work, job);
	return r < 0 ? r : 0;
}

static int end_jobs(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct args *args = ctx->args;
	struct units held = { 0 };
	struct place place = { bus, &held };
	const char *job = NULL;
	int r = units_recall(ctx, &held);

	if (r <= 0)
		return r;
	if (args->running == RUNNING_WAIT)
		return process_wait(ctx, find_job, &place, args->timeout, "a job",
				    "say running = \"leave\"");
	r = find_job(ctx, &place, &job);
	if (job)
		pd_log(ctx, PD_LOG_WARN, "left at work: %s", job);
	return r;
}

/* ------------------------------------------------------------- callbacks */

static int look(struct pd_ctx *ctx, sd_bus *bus)
{
	struct hold hold;
	int r = find(ctx, bus, &hold);

	return r < 0 ? r : hold_look(ctx, bus, &hold);
}

static int act(struct pd_ctx *ctx, sd_bus *bus)
{
	struct hold hold;
	int r = find(ctx, bus, &hold), ended;

	if (r == 0)
		r = hold_act(ctx, bus, &hold);
	ended = r < 0 ? r : end_jobs(ctx, bus);
	return ended < 0 ? ended : r;
}

static int prove(struct pd_ctx *ctx, sd_bus *bus)
{
	return hold_prove(ctx, bus, NULL);
}

static int give_back(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct args *args = ctx->args;

	return hold_give_back(ctx, bus, &(struct hold){ .timeout = args->timeout });
}

static int check(struct pd_ctx *ctx) { return bus_with(ctx, look); }
static int apply(struct pd_ctx *ctx) { return bus_with(ctx, act); }
static int verify(struct pd_ctx *ctx) { return bus_with(ctx, prove); }
static int undo(struct pd_ctx *ctx) { return bus_with(ctx, give_back); }

static const char *const running_choices[] = { "wait", "leave", NULL };

static const struct pd_param params[] = {
	PD_PARAM(struct args, kinds, PD_T_LIST, .def = "cron,anacron,at,timers",
		 .help = "what is held: cron, anacron, at, timers"),
	PD_PARAM(struct args, except, PD_T_LIST,
		 .help = "units that go on, such as a timer that watches the server"),
	PD_PARAM(struct args, running, PD_T_CHOICE, .def = "wait", .choices = running_choices,
		 .help = "jobs that are at work already: wait for their end, or leave them alone"),
	PD_PARAM(struct args, timeout, PD_T_SECONDS, .def = "10m", .min = 1, .max = 3000,
		 .help = "how long they, and the daemons, may take to end"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	HOLD_OUTPUTS,
	PD_OUTPUT("left", PD_T_LIST, "timers that go on because they can't be held"),
	PD_OUTPUT_END
};

static const struct pd_step hold_step = {
	PD_STEP, .name = "hold", .help = "hold what starts jobs by the clock, until undo",
	.flags = PD_S_NEEDS_ROOT | PD_S_HOLD, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .time_limit = 7200,
	.check = check, .apply = apply, .verify = verify, .undo = undo
};

static const struct pd_step *const steps[] = { &hold_step, NULL };

PD_PLUGIN(.name = "schedule", .version = "1.0",
	  .help = "jobs by the clock: cron, anacron, at and timers of systemd", .steps = steps);
