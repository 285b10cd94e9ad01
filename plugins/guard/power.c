/* SPDX-License-Identifier: MIT */
/* The step guard.power: would the server lose its power half way? */
#include "guard.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#define SUPPLIES "/sys/class/power_supply"

struct args {
	struct pd_list ups;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, ups, PD_T_LIST,
		 .help = "UPS to ask by NUT's upsc, NAME@HOST; left out: all that this host has"),
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

/* upsc(8); ups.status is words: OL on line, OB on battery, LB battery low. */
static int one_ups(struct pd_ctx *ctx, const char *name)
{
	const char *const argv[] = { "upsc", name, "ups.status", NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv, .time_limit = 20 };
	struct pd_command_result r = { 0 };
	const char *status;

	if (pd_command_run(ctx, &command, &r) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot ask UPS %s for its status", name);
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "UPS %s does not tell its status: %s", name, r.err);
	status = pd_format(ctx, " %.*s ", (int)strcspn(r.out, "\n"), r.out);
	return strstr(status, " OB ") || strstr(status, " LB ") ?
	       guard_refuse(ctx, risk, pd_format(ctx, "UPS %s is on battery or low (%s)", name,
						 status + 1), remedy) : PD_UNCHANGED;
}

/* Without a name: whatever `upsc -l` lists, if NUT is here and answers. */
static int all_ups(struct pd_ctx *ctx)
{
	const char *const argv[] = { "upsc", "-l", NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv, .time_limit = 20 };
	struct pd_command_result r = { 0 };
	int result = PD_UNCHANGED, one;
	size_t len;

	if (access("/usr/sbin/upsc", X_OK) < 0 && access("/usr/bin/upsc", X_OK) < 0)
		return PD_UNCHANGED;
	if (pd_command_run(ctx, &command, &r) < 0 || r.status != 0)
		return PD_UNCHANGED; /* the client alone is there */
	for (const char *p = r.out; *p && result != PD_FAILED; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		one = len ? one_ups(ctx, pd_format(ctx, "%.*s", (int)len, p)) : PD_UNCHANGED;
		result = one == PD_UNCHANGED ? result : one;
	}
	return result;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	int result = supplies(ctx), r = a->ups.len ? PD_UNCHANGED : all_ups(ctx);

	result = r == PD_UNCHANGED ? result : r;
	for (size_t i = 0; i < a->ups.len && result != PD_FAILED; i++) {
		r = one_ups(ctx, a->ups.items[i]);
		result = r == PD_UNCHANGED ? result : r;
	}
	return result;
}

const struct pd_step guard_power = {
	PD_STEP, .name = "power", .help = "go on only while the power is safe",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .check = check
};
