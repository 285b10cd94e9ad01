/* SPDX-License-Identifier: MIT */
/* guard - may the run go on now: windows, users, other work, load, power. */
#include "guard.h"

#include <string.h>

int guard_refuse(struct pd_ctx *ctx, const char *risk, const char *cause, const char *remedy)
{
	pd_inhibit(ctx, risk, cause, remedy);
	return pd_fail(ctx, PD_REFUSED, "%s", cause);
}

const char *guard_line(struct pd_ctx *ctx, const char *path)
{
	const char *text = pd_read_file(ctx, path, 65536, NULL);

	return text ? pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text) : NULL;
}

bool guard_has(const struct pd_list *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i], word) == 0)
			return true;
	return false;
}

static const struct pd_step *const steps[] = {
	&guard_window, &guard_users, &guard_busy, &guard_load, &guard_power, NULL
};

PD_PLUGIN(.name = "guard", .version = "1.0",
	  .help = "may the run go on now: windows, users, other work, load, power",
	  .steps = steps);
