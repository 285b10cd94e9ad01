/* SPDX-License-Identifier: MIT */
/* Units of systemd that a restore stops and starts again. */
#include "units.h"

#include <string.h>
#include <unistd.h>

#define UNITS_MAX 16

const char *units_ask(struct pd_ctx *ctx, const char *const units[])
{
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	const char *state = "";

	for (size_t i = 0; units[i]; i++) {
		const char *const argv[] = { "systemctl", "is-active", "--quiet",
					     units[i], NULL };
		struct pd_command_result r = { .status = 1 };

		if (systemd && pd_run(ctx, argv, &r))
			return NULL;
		state = pd_format(ctx, "%s%c", state,
				  r.status == 0 ? UNIT_RUNS : '-');
	}
	return state;
}

int units_do(struct pd_ctx *ctx, const char *verb, const char *const units[],
	     const char *state)
{
	const char *argv[UNITS_MAX + 3] = { "systemctl", verb };
	const char *names = "";
	struct pd_command_result r = { 0 };
	size_t n = 2;

	for (size_t i = 0; units[i] && state[i] && n < UNITS_MAX; i++) {
		if (state[i] != UNIT_RUNS)
			continue;
		argv[n++] = units[i];
		names = pd_format(ctx, "%s %s", names, units[i]);
	}
	if (n == 2)
		return 0;
	/* systemd refuses a unit that was started often of late, by whomever:
	 * forget that first.  One that has nothing to forget is no failure. */
	argv[1] = "reset-failed";
	if (strcmp(verb, "start") == 0 && pd_run(ctx, argv, &r))
		return PD_FAILED;
	argv[1] = verb;
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "systemctl %s%s ends with %d: %s",
			       verb, names, r.status, r.err);
	return 0;
}
