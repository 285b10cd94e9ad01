/* SPDX-License-Identifier: MIT */
/* directory - a domain controller (Samba) on a patch day. */
#include "directory.h"

static const struct pd_step *const steps[] = {
	&directory_probe, &directory_replication, &directory_roles, &directory_transfer,
	&directory_backup, &directory_dbcheck, NULL
};

static int scan(struct pd_ctx *ctx)
{
	const char *role = "";
	struct domain d;
	int r = domain_tools() ? domain_read(ctx, &d, &role) : 0;

	if (r > 0) {
		const struct pd_fact_field fields[] = { PD_TEXT("name", d.dns), PD_TEXT("server", d.host) };

		r = pd_fact(ctx, "x-directory", fields, 2);
	}
	return r;
}

static const char *const kinds[] = { "x-directory", NULL };

static const struct pd_scanner scanner = {
	PD_SCANNER, .name = "directory", .help = "the domain that this server is a controller of", .kinds = kinds,
	.scan = scan
};
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = "directory", .version = "1.0",
	  .help = "a domain controller (Samba): client test, replication, roles, backup that is proved, database",
	  .steps = steps, .scanners = scanners);
