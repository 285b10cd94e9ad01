/* SPDX-License-Identifier: MIT */
/* The steps service.start and service.restart. */
#include "service.h"

#include <string.h>

static bool ran_to_its_end(struct pd_ctx *ctx, const struct unit *now)
{
	const char *ran = pd_recall(ctx, "ran");

	return strcmp(now->type, "oneshot") == 0 &&
	       strcmp(now->active, "inactive") == 0 && ran &&
	       strstr(ran, pd_format(ctx, "\n%s\n", now->name)) != NULL;
}

static bool is_started(struct pd_ctx *ctx, const struct unit *old,
		       const struct unit *now)
{
	(void)old;
	return unit_runs(now) || ran_to_its_end(ctx, now);
}

static bool is_restarted(struct pd_ctx *ctx, const struct unit *old,
			 const struct unit *now)
{
	return is_started(ctx, old, now) &&
	       (ran_to_its_end(ctx, now) || !*old->invocation ||
		strcmp(old->invocation, now->invocation) != 0);
}

/* A oneshot leaves no trace in its state once it is through. */
static int remember_ran(struct pd_ctx *ctx, const struct units *started)
{
	const char *ran = pd_recall(ctx, "ran");

	ran = ran ? ran : "\n";
	for (size_t i = 0; i < started->len; i++)
		if (started->items[i]->job_done &&
		    strcmp(started->items[i]->type, "oneshot") == 0)
			ran = pd_format(ctx, "%s%s\n", ran,
					started->items[i]->name);
	return pd_remember(ctx, "ran", ran);
}

static bool is_restart(const struct pd_ctx *ctx)
{
	return strcmp(ctx->step, "service.restart") == 0;
}

/* The units asked for; with if_active only those that run. */
static int start_named(struct pd_ctx *ctx, sd_bus *bus, struct units *out)
{
	const struct service_args *args = ctx->args;
	struct units named = { 0 };
	int r = units_named(ctx, bus, &args->units, args->missing, &named);

	for (size_t i = 0; r == 0 && i < named.len; i++) {
		struct unit *unit = named.items[i];

		if (hold_is_set(ctx, unit))
			return pd_fail(ctx, PD_REFUSED, "unit %s is held (%s): "
				       "its start would do nothing", unit->name,
				       hold_file(ctx, unit));
		if (strcmp(unit->load, "masked") == 0)
			return pd_fail(ctx, PD_REFUSED, "unit %s is masked: "
				       "'systemctl unmask %s' if it is to run",
				       unit->name, unit->name);
		if (!args->if_active || !unit_stopped(unit))
			units_add(ctx, out, unit);
	}
	return r;
}

/* Those of @p asked, as they were before the step began. */
static int before_of(struct pd_ctx *ctx, const struct units *asked,
		     struct units *before)
{
	struct units all = { 0 };
	int r = units_recall(ctx, &all);

	for (size_t i = 0; r > 0 && i < asked->len; i++)
		for (size_t k = 0; k < all.len; k++)
			if (strcmp(all.items[k]->name,
				   asked->items[i]->name) == 0)
				units_add(ctx, before, all.items[k]);
	return r;
}

int start_look(struct pd_ctx *ctx, sd_bus *bus)
{
	struct units asked = { 0 };
	struct units before = { 0 };
	bool work = false;
	int r = start_named(ctx, bus, &asked);

	if (r == 0)
		r = before_of(ctx, &asked, &before);
	if (r < 0)
		return r;
	for (size_t i = 0; i < asked.len; i++) {
		const struct unit *now = asked.items[i];
		bool same = !is_restart(ctx) ? is_started(ctx, now, now) :
			r > 0 && before.len == asked.len &&
			is_restarted(ctx, before.items[i], now);

		if (same)
			continue;
		work = true;
		if (pd_output_item(ctx, "started", now->name) < 0)
			return PD_FAILED;
	}
	pd_expect(ctx, 1 + 2 * (int64_t)asked.len);
	return work ? PD_CHANGED : PD_UNCHANGED;
}

int start_act(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct service_args *args = ctx->args;
	struct units asked = { 0 };
	struct units before = { 0 };
	struct units now = { 0 };
	struct units due = { 0 };
	int r = start_named(ctx, bus, &asked);
	int known = r < 0 ? r : before_of(ctx, &asked, &before);

	if (known == 0) {
		struct units all = { 0 };

		for (size_t i = 0; i < asked.len; i++)
			units_add(ctx, &all, asked.items[i]);
		r = units_pulled(ctx, bus, &all);
		if (r == 0)
			r = units_remember(ctx, &all);
		before = asked;
	}
	if (known < 0 || r < 0)
		return known < 0 ? known : r;
	if (units_look_again(ctx, bus, &before, &now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++)
		if (is_restart(ctx) ?
		    !is_restarted(ctx, before.items[i], now.items[i]) :
		    !is_started(ctx, before.items[i], now.items[i]))
			units_add(ctx, &due, now.items[i]);
	r = units_jobs(ctx, bus, is_restart(ctx) ? "RestartUnit" : "StartUnit",
		     &due, args->timeout);
	if (r == 0)
		r = remember_ran(ctx, &due);
	if (r == 0)
		r = units_wait(ctx, bus, &before, is_restart(ctx) ?
			       is_restarted : is_started, SETTLED,
			       "running", &now);
	for (size_t i = 0; r == 0 && i < due.len; i++)
		r = pd_output_item(ctx, "started", due.items[i]->name);
	return r < 0 ? r : PD_CHANGED;
}

int start_prove(struct pd_ctx *ctx, sd_bus *bus)
{
	struct units asked = { 0 };
	struct units before = { 0 };
	struct units now = { 0 };
	int r = start_named(ctx, bus, &asked);

	if (r == 0)
		r = before_of(ctx, &asked, &before);
	if (r < 0)
		return r;
	if (r == 0)
		before = asked;
	r = units_wait(ctx, bus, &before, r > 0 && is_restart(ctx) ?
		       is_restarted : is_started, SETTLED, "running", &now);
	return r < 0 ? r : PD_UNCHANGED;
}

static bool is_as_before(struct pd_ctx *ctx, const struct unit *old,
			 const struct unit *now)
{
	(void)ctx;
	return !unit_stopped(old) || unit_stopped(now);
}

int start_take_back(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct service_args *args = ctx->args;
	struct units before = { 0 };
	struct units now = { 0 };
	struct units due = { 0 };
	int r = units_recall(ctx, &before);

	if (r <= 0)
		return r < 0 ? r : PD_UNCHANGED;
	r = units_look_again(ctx, bus, &before, &now);
	for (size_t i = 0; i < now.len; i++)
		if (unit_stopped(before.items[i]) && !unit_stopped(now.items[i]))
			units_add(ctx, &due, now.items[i]);
	if (r == 0)
		r = units_jobs(ctx, bus, "StopUnit", &due, args->timeout);
	if (r == 0)
		r = units_wait(ctx, bus, &before, is_as_before, SETTLED,
			       "stopped again", &now);
	if (r < 0)
		return r;
	return due.len ? PD_CHANGED : PD_UNCHANGED;
}
