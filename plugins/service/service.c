/* SPDX-License-Identifier: MIT */
/* service - stop and hold, start, restart and verify systemd's units. */
#include "service.h"
#include "schedule.h"

#include <string.h>

/* ------------------------------------------------------------- verify */

static bool is_in_state(struct pd_ctx *ctx, const struct unit *old,
			const struct unit *now)
{
	const struct service_args *args = ctx->args;

	(void)old;
	return args->state == STATE_ACTIVE ? unit_runs(now) :
					     strcmp(now->active, "inactive") == 0;
}

/* The server may well be in another state while the run is only planned:
 * that is worth a word, but no reason to refuse. */
static int verify_look(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct service_args *args = ctx->args;
	struct units set = { 0 };
	int r = units_named(ctx, bus, &args->units, args->missing, &set);

	for (size_t i = 0; r == 0 && i < set.len; i++)
		if (!is_in_state(ctx, NULL, set.items[i]))
			pd_log(ctx, PD_LOG_INFO, "unit %s is %s (%s) now",
			       set.items[i]->name, set.items[i]->active,
			       set.items[i]->sub);
	return r < 0 ? r : PD_CHANGED;
}

static int verify_watch(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct service_args *args = ctx->args;
	struct units set = { 0 };
	struct units now = { 0 };
	int r = units_named(ctx, bus, &args->units, args->missing, &set);

	if (r == 0)
		r = units_wait(ctx, bus, &set, is_in_state, args->timeout,
			       args->state == STATE_ACTIVE ? "active" :
							     "inactive", &now);
	if (r == 0)
		r = units_evidence(ctx, &now, "units.txt", "State of the units");
	return r < 0 ? r : PD_CHANGED;
}

static int verify_prove(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct service_args *args = ctx->args;
	struct units set = { 0 };
	int r = units_named(ctx, bus, &args->units, args->missing, &set);

	for (size_t i = 0; r == 0 && i < set.len; i++)
		if (!is_in_state(ctx, NULL, set.items[i]))
			r = pd_fail(ctx, PD_FAILED, "it did not last: %s",
				    unit_explain(ctx, bus, set.items[i]));
	return r < 0 ? r : PD_UNCHANGED;
}

/* ---------------------------------------------------------- callbacks */

#define CALLBACK(name, work) \
	static int name(struct pd_ctx *ctx) { return bus_with(ctx, work); }

CALLBACK(start_check, start_look)
CALLBACK(start_apply, start_act)
CALLBACK(start_verify, start_prove)
CALLBACK(start_undo, start_take_back)
CALLBACK(verify_check, verify_look)
CALLBACK(verify_apply, verify_watch)
CALLBACK(verify_verify, verify_prove)

static int with_hold(struct pd_ctx *ctx, hold_fn *work)
{
	const struct service_args *args = ctx->args;
	struct hold hold = { args->units, args->timeout, args->missing };

	return hold_with(ctx, &hold, work);
}

#define HOLD_CALLBACK(name, work) \
	static int name(struct pd_ctx *ctx) { return with_hold(ctx, work); }

HOLD_CALLBACK(stop_check, hold_look)
HOLD_CALLBACK(stop_apply, hold_act)
HOLD_CALLBACK(stop_verify, hold_prove)
HOLD_CALLBACK(stop_undo, hold_give_back)

/* --------------------------------------------------------- descriptors */

static const char *const missing_choices[] = { "ignore", "fail", NULL };
static const char *const state_choices[] = { "active", "inactive", NULL };

#define PARAM_UNITS                                                     \
	PD_PARAM(struct service_args, units, PD_T_LIST,                 \
		 .flags = PD_P_REQUIRED,                                \
		 .help = "names of units; without a kind, services")
#define PARAM_TIMEOUT(seconds)                                          \
	PD_PARAM(struct service_args, timeout, PD_T_SECONDS,            \
		 .def = (seconds), .min = 1, .max = 3000,               \
		 .help = "how long to wait for the state to be reached")
#define PARAM_MISSING(choice)                                           \
	PD_PARAM(struct service_args, missing, PD_T_CHOICE,             \
		 .def = (choice), .choices = missing_choices,           \
		 .help = "what to do when a unit is not installed here")

static const struct pd_param stop_params[] = {
	PARAM_UNITS, PARAM_TIMEOUT("90"), PARAM_MISSING("ignore"), PD_PARAM_END
};
static const struct pd_param start_params[] = {
	PARAM_UNITS, PARAM_TIMEOUT("90"), PARAM_MISSING("fail"), PD_PARAM_END
};
static const struct pd_param restart_params[] = {
	PARAM_UNITS, PARAM_TIMEOUT("90"), PARAM_MISSING("fail"),
	PD_PARAM(struct service_args, if_active, PD_T_BOOL, .def = "false",
		 .help = "leave alone what does not run"),
	PD_PARAM_END
};
static const struct pd_param verify_params[] = {
	PARAM_UNITS, PARAM_TIMEOUT("30"), PARAM_MISSING("fail"),
	PD_PARAM(struct service_args, state, PD_T_CHOICE, .def = "active",
		 .choices = state_choices,
		 .help = "the state that every unit must be in"),
	PD_PARAM_END
};

static const struct pd_output stop_outputs[] = {
	HOLD_OUTPUTS, PD_OUTPUT_END
};
static const struct pd_output start_outputs[] = {
	PD_OUTPUT("started", PD_T_LIST, "units that were started"),
	PD_OUTPUT_END
};

static const struct pd_step stop = {
	PD_STEP, .name = "stop",
	.help = "stop units and hold them, over a reboot too, until undo",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = stop_params, .args_size = sizeof(struct service_args),
	.outputs = stop_outputs, .check = stop_check, .apply = stop_apply,
	.verify = stop_verify, .undo = stop_undo
};
static const struct pd_step start = {
	PD_STEP, .name = "start", .help = "start units that do not run",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = start_params, .args_size = sizeof(struct service_args),
	.outputs = start_outputs, .check = start_check, .apply = start_apply,
	.verify = start_verify, .undo = start_undo
};
static const struct pd_step restart = {
	PD_STEP, .name = "restart", .help = "restart units",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = restart_params, .args_size = sizeof(struct service_args),
	.outputs = start_outputs, .check = start_check, .apply = start_apply,
	.verify = start_verify, .undo = start_undo
};
static const struct pd_step verify = {
	PD_STEP, .name = "verify",
	.help = "prove that units are active and stay so",
	.reversibility = PD_READONLY,
	.params = verify_params, .args_size = sizeof(struct service_args),
	.check = verify_check, .apply = verify_apply, .verify = verify_verify
};

static const struct pd_step *const steps[] = {
	&stop, &start, &restart, &verify, NULL
};

static const struct pd_scanner *const scanners[] = { &services_scanner, &jobs_scanner, NULL };

PD_PLUGIN(.name = "service", .version = "1.0",
	  .help = "services and other units of systemd", .steps = steps,
	  .scanners = scanners);
