/* SPDX-License-Identifier: MIT */
/* What the scanners of services and scheduled jobs share: private. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <patchday/plugin.h>

#define UNITS "/lib/systemd/system/"

/** Files of packages that are units or belong to cron. */
struct owners {
	struct owner *items;
	size_t len, room;
};

/** Empty where there is no dpkg. */
void owners_read(struct pd_ctx *ctx, struct owners *out);
/** The package of a file; NULL: none, or not known. */
const char *owners_find(const struct owners *all, const char *path);

/** Report the jobs of cron, anacron and at as facts. */
int scan_cron(struct pd_ctx *ctx, const struct owners *owners);

extern const struct pd_scanner services_scanner, jobs_scanner;

#endif
