/* SPDX-License-Identifier: MIT */
/* The step guard.power: would the server lose its power half way? */
#include "guard.h"
#include "../shared/clone.h"
#include "../shared/nut.h"

#include <dirent.h>
#include <string.h>

#define SUPPLIES "/sys/class/power_supply"

struct args {
	struct pd_list ups;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, ups, PD_T_LIST,
		 .help = "UPS to ask by NUT's upsc, NAME@HOST; left out: all that this server knows"),
	PD_PARAM_END
};

static const char *const risk = "the power could fail in the middle of an update";
static const char *const remedy = "see to the power supply, and wait until it is back";

/* Kernel's ABI/testing/sysfs-class-power: Mains and USB say online, what has
 * a battery says Discharging. */
static int supply(struct pd_ctx *ctx, const char *name)
{
	const char *type = guard_line(ctx, pd_format(ctx, SUPPLIES "/%s/type", name));
	const char *scope = guard_line(ctx, pd_format(ctx, SUPPLIES "/%s/scope", name));
	const char *online = guard_line(ctx, pd_format(ctx, SUPPLIES "/%s/online", name));
	const char *status = guard_line(ctx, pd_format(ctx, SUPPLIES "/%s/status", name));

	if (!type || (scope && strcmp(scope, "Device") == 0)) /* a mouse */
		return PD_UNCHANGED;
	if (strcmp(type, "Mains") == 0 && online && strcmp(online, "0") == 0)
		return guard_refuse(ctx, risk, pd_format(ctx, "%s is off line", name), remedy);
	if ((strcmp(type, "Battery") == 0 || strcmp(type, "UPS") == 0) && status &&
	    strcmp(status, "Discharging") == 0)
		return guard_refuse(ctx, risk, pd_format(ctx, "the server runs on %s", name), remedy);
	return PD_UNCHANGED;
}

static int supplies(struct pd_ctx *ctx)
{
	DIR *folder = opendir(SUPPLIES);
	const struct dirent *e;
	int result = PD_UNCHANGED, r;

	while (folder && (e = readdir(folder))) {
		if (e->d_name[0] == '.')
			continue;
		r = supply(ctx, e->d_name);
		result = r == PD_UNCHANGED ? result : r;
	}
	if (folder)
		closedir(folder);
	return result;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = clone_here(ctx) ? PD_UNCHANGED : supplies(ctx);
	struct nuts all;

	if (result == PD_FAILED || nut_ask(ctx, &a->ups, &all) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < all.len; i++) {
		const struct nut *ups = &all.items[i];
		const char *why = nut_unsafe(ups);

		if (why)
			result = guard_refuse(ctx, risk, pd_format(ctx, "UPS %s %s (%s)", ups->name, why,
								   ups->status), remedy);
	}
	return result;
}

const struct pd_step guard_power = {
	PD_STEP, .name = "power", .help = "go on only while the power is safe",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .check = check
};
