/* SPDX-License-Identifier: MIT */
/* The step guard.load: has the server room for more work? */
#include "guard.h"
#include "../shared/clone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct args {
	int64_t one, five, memory;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, one, PD_T_INT, .def = "200", .max = 100000,
		 .help = "load of the last minute per processor, in percent; 0: any"),
	PD_PARAM(struct args, five, PD_T_INT, .def = "150", .max = 100000,
		 .help = "load of the last five minutes per processor, in percent; 0: any"),
	PD_PARAM(struct args, memory, PD_T_INT, .def = "20", .max = 100,
		 .help = "percent of the last minute in which work stood still for memory; 0: any"),
	PD_PARAM_END
};

static int too_much(struct pd_ctx *ctx, const char *what, double has, int64_t max)
{
	if (max == 0 || has <= (double)max)
		return PD_UNCHANGED;
	return guard_refuse(ctx, "it would take longer than expected and slow users down",
			    pd_format(ctx, "%s is %.0f %%, %" PRId64 " %% allowed", what, has, max),
			    "wait, or see with `top` what keeps the server busy");
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	/* proc(5): loads of 1, 5 and 15 minutes; kernel's accounting/psi.rst:
	 * some avg10=0.00 avg60=0.00 ...; a kernel may have no such file */
	const char *loads = guard_line(ctx, "/proc/loadavg");
	const char *pressure = guard_line(ctx, "/proc/pressure/memory");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double one = 0, five = 0, memory = 0;
	int result, r;

	if (!loads || sscanf(loads, "%lf %lf", &one, &five) != 2)
		return pd_fail(ctx, PD_FAILED, "cannot read the load: %s", strerror(errno));
	if (clone_here(ctx))
		return PD_UNCHANGED;
	cores = cores > 0 ? cores : 1;
	result = too_much(ctx, "load per processor of the last minute",
			  one * 100 / (double)cores, a->one);
	r = too_much(ctx, "load per processor of the last five minutes",
		     five * 100 / (double)cores, a->five);
	result = r == PD_UNCHANGED ? result : r;
	if (pressure && sscanf(pressure, "some avg10=%*f avg60=%lf", &memory) == 1) {
		r = too_much(ctx, "time that work stood still for memory", memory, a->memory);
		result = r == PD_UNCHANGED ? result : r;
	}
	return result;
}

const struct pd_step guard_load = {
	PD_STEP, .name = "load", .help = "go on only while the server is not overloaded",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .check = check
};
