/* SPDX-License-Identifier: MIT */
/* A step that stops and holds units, and gives them back. */
#include "units.h"

#include <string.h>

#define STOP_MAX 1800

/* Did it run before, so that giving back means to start it?  A oneshot that
 * was at work would do its work a second time: its timer starts it again. */
static bool wants_start(const struct unit *before)
{
	return unit_runs(before) || (strcmp(before->active, "activating") == 0 &&
				     strcmp(before->type, "oneshot") != 0);
}

static bool is_trigger(const struct unit *unit)
{
	return unit_is(unit, ".socket") || unit_is(unit, ".timer") ||
	       unit_is(unit, ".path");
}

static bool is_stopped(struct pd_ctx *ctx, const struct unit *old,
		       const struct unit *now)
{
	(void)ctx;
	(void)old;
	return unit_stopped(now);
}

static bool is_held(struct pd_ctx *ctx, const struct unit *now)
{
	return unit_stopped(now) && (!hold_wanted(now) || hold_is_set(ctx, now));
}

static int stop_outputs(struct pd_ctx *ctx, const struct units *set)
{
	for (size_t i = 0; i < set->len; i++) {
		const struct unit *unit = set->items[i];

		if ((!unit_stopped(unit) &&
		     pd_output_item(ctx, "stopped", unit->name) < 0) ||
		    (hold_wanted(unit) &&
		     pd_output_item(ctx, "held", unit->name) < 0))
			return PD_FAILED;
	}
	return 0;
}

static int all_held(struct pd_ctx *ctx, sd_bus *bus, const struct units *set)
{
	struct units now = { 0 };

	if (units_look_again(ctx, bus, set, &now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++)
		if (!is_held(ctx, now.items[i]))
			return 0;
	return 1;
}

int hold_look(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold)
{
	struct units set = { 0 };
	int r = units_recall(ctx, &set);

	if (r > 0)
		r = all_held(ctx, bus, &set);
	if (r > 0)
		return stop_outputs(ctx, &set) < 0 ? PD_FAILED : PD_UNCHANGED;
	set = (struct units){ 0 };
	if (r == 0)
		r = units_named(ctx, bus, &hold->units, hold->missing, &set);
	if (r == 0)
		r = hold_closure(ctx, bus, &set);
	if (r == 0)
		r = hold_refusals(ctx, &set);
	if (r == 0)
		r = stop_outputs(ctx, &set);
	pd_expect(ctx, 1 + (int64_t)set.len);
	if (r < 0)
		return r;
	return set.len ? PD_CHANGED : PD_UNCHANGED;
}

/* What had been remembered before a crash, and what runs since then. */
static int stop_set(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold,
		    struct units *before, struct units *now)
{
	int r = units_named(ctx, bus, &hold->units, hold->missing, now);

	if (r == 0)
		r = hold_closure(ctx, bus, now);
	if (r == 0)
		r = hold_refusals(ctx, now);
	if (r < 0)
		return r;
	r = units_recall(ctx, before);
	if (r < 0)
		return r;
	for (size_t i = 0; i < now->len; i++)
		if (!units_have(before, now->items[i]->name))
			units_add(ctx, before, now->items[i]);
	*now = (struct units){ 0 };
	r = units_look_again(ctx, bus, before, now);
	return r < 0 ? r : units_remember(ctx, before);
}

int hold_act(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold)
{
	struct units before = { 0 };
	struct units now = { 0 };
	struct units running = { 0 };
	int r = stop_set(ctx, bus, hold, &before, &now);

	if (r == 0 && before.len == 0)
		return PD_UNCHANGED;
	if (r == 0)
		r = units_evidence(ctx, &before, "units-before.txt",
				   "Units before they were stopped");
	if (r == 0)
		r = hold_set(ctx, bus, &now);
	for (size_t i = 0; i < now.len; i++)
		if (!unit_stopped(now.items[i]))
			units_add(ctx, &running, now.items[i]);
	if (r == 0)
		r = units_jobs(ctx, bus, "StopUnit", &running, hold->timeout);
	if (r == 0)
		r = units_wait(ctx, bus, &before, is_stopped, SETTLED,
			       "stopped", &now);
	for (size_t i = 0; r == 0 && i < running.len; i++)
		for (size_t k = 0; k < now.len; k++)
			if (strcmp(now.items[k]->active, "failed") == 0 &&
			    strcmp(now.items[k]->name,
				   running.items[i]->name) == 0)
				pd_log(ctx, PD_LOG_WARN, "stopped, not cleanly: "
				       "%s", unit_explain(ctx, bus,
							  now.items[k]));
	if (r == 0)
		r = stop_outputs(ctx, &before);
	return r < 0 ? r : PD_CHANGED;
}

int hold_prove(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold)
{
	struct units before = { 0 };
	struct units now = { 0 };

	(void)hold;
	if (units_recall(ctx, &before) < 0 ||
	    units_look_again(ctx, bus, &before, &now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++) {
		const struct unit *unit = now.items[i];

		if (!unit_stopped(unit))
			return pd_fail(ctx, PD_FAILED, "held unit %s runs: %s",
				       unit->name, unit_explain(ctx, bus, unit));
		if (!is_held(ctx, unit))
			return pd_fail(ctx, PD_FAILED, "the hold %s of unit %s "
				       "is gone: somebody removed it",
				       hold_file(ctx, unit), unit->name);
	}
	return PD_UNCHANGED;
}

/* A socket cannot listen while its service runs: after a stop that was cut
 * short the service goes first. */
static int free_sockets(struct pd_ctx *ctx, sd_bus *bus,
			const struct units *before, const struct units *now,
			int64_t timeout)
{
	struct units block = { 0 };

	for (size_t i = 0; i < now->len; i++) {
		const char *const *names;

		if (!unit_is(now->items[i], ".socket") ||
		    !unit_stopped(now->items[i]) || !wants_start(before->items[i]))
			continue;
		names = unit_strings(ctx, bus, now->items[i]->path, "Triggers");
		for (size_t k = 0; *names && k < now->len; k++)
			if (strcmp(now->items[k]->name, *names) == 0 &&
			    !unit_stopped(now->items[k]))
				units_add(ctx, &block, now->items[k]);
	}
	return units_jobs(ctx, bus, "StopUnit", &block, timeout);
}

static bool is_back(struct pd_ctx *ctx, const struct unit *old,
		    const struct unit *now)
{
	return (!unit_runs(old) || unit_runs(now)) &&
	       (old->held || !hold_is_set(ctx, now));
}

/* A unit that is still on its way down is started when it has got there: add
 * the time that systemd gives it. */
static int64_t with_stop_time(sd_bus *bus, const struct units *now,
			      int64_t timeout)
{
	int64_t longest = 0;

	for (size_t i = 0; i < now->len; i++) {
		uint64_t usec = 0;

		if (strcmp(now->items[i]->active, "deactivating") != 0 ||
		    !unit_is(now->items[i], ".service") ||
		    sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1",
						now->items[i]->path,
						SERVICE_INTERFACE,
						"TimeoutStopUSec", NULL, 't',
						&usec) < 0)
			continue;
		usec /= 1000000;
		if (usec > STOP_MAX)
			usec = STOP_MAX;
		if ((int64_t)usec > longest)
			longest = (int64_t)usec;
	}
	return timeout + longest;
}

static int give_back(struct pd_ctx *ctx, sd_bus *bus,
		     const struct units *before, int64_t timeout)
{
	struct units now = { 0 };
	struct units triggers = { 0 };
	struct units others = { 0 };
	int r = hold_clear(ctx, bus, before);

	if (r == 0)
		r = units_look_again(ctx, bus, before, &now);
	if (r == 0) {
		timeout = with_stop_time(bus, &now, timeout);
		r = free_sockets(ctx, bus, before, &now, timeout);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < now.len; i++)
		if (wants_start(before->items[i]))
			units_add(ctx, is_trigger(now.items[i]) ? &triggers :
				  &others, now.items[i]);
	r = units_jobs(ctx, bus, "StartUnit", &triggers, timeout);
	if (r != PD_CANCELED && units_jobs(ctx, bus, "StartUnit", &others,
					 timeout) < 0)
		r = PD_FAILED;
	return r;
}

int hold_give_back(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold)
{
	struct units before = { 0 };
	struct units now = { 0 };
	int r = units_recall(ctx, &before);

	if (r <= 0 || before.len == 0)
		return r < 0 ? r : PD_UNCHANGED;
	r = give_back(ctx, bus, &before, hold->timeout);
	if (r == 0)
		r = units_wait(ctx, bus, &before, is_back, SETTLED,
			       "running again", &now);
	if (r < 0)
		return r;
	for (size_t i = 0; i < now.len; i++)
		if (strcmp(now.items[i]->enabled, before.items[i]->enabled) != 0)
			pd_log(ctx, PD_LOG_WARN, "unit file of %s was '%s' when "
			       "it was stopped and is '%s' now: something else "
			       "changed it in between", now.items[i]->name,
			       before.items[i]->enabled, now.items[i]->enabled);
	r = units_evidence(ctx, &now, "units-after.txt",
			   "Units after they were given back");
	return r < 0 ? r : PD_CHANGED;
}

int hold_with(struct pd_ctx *ctx, const struct hold *hold, hold_fn *work)
{
	sd_bus *bus = NULL;
	int r = bus_open(ctx, &bus);

	if (r == 0)
		r = work(ctx, bus, hold);
	sd_bus_flush_close_unref(bus);
	return r;
}
