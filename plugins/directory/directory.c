/* SPDX-License-Identifier: MIT */
/* directory - a domain controller (Samba) on a patch day. */
#include "directory.h"

static const struct pd_step *const steps[] = {
	&directory_probe, &directory_replication, &directory_roles, &directory_transfer,
	&directory_backup, &directory_dbcheck, NULL
};

PD_PLUGIN(.name = "directory", .version = "1.0",
	  .help = "a domain controller (Samba): client test, replication, roles, backup that is proved, database",
	  .steps = steps);
