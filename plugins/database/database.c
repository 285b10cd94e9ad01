/* SPDX-License-Identifier: MIT */
/* database - PostgreSQL on a patch day: probed, held, dumped, restored. */
#include "database.h"

static const struct pd_step *const steps[] = {
	&database_probe, &database_quiesce, &database_dump, &database_restore, NULL
};

PD_PLUGIN(.name = "database", .version = "1.0",
	  .help = "PostgreSQL: client test, applications held, dump that is proved, restore",
	  .steps = steps);
