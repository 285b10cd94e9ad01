/* SPDX-License-Identifier: MIT */
/* The steps of the service plugin: private. */
#ifndef SERVICE_H
#define SERVICE_H

#include "../shared/units.h"

struct service_args {
	struct pd_list units;
	int64_t timeout;
	int32_t missing;
	int32_t state;
	bool if_active;
};

enum state { STATE_ACTIVE = 0, STATE_INACTIVE = 1 };

/* start.c: what the callbacks do once the bus is open */
int start_look(struct pd_ctx *ctx, sd_bus *bus);
int start_act(struct pd_ctx *ctx, sd_bus *bus);
int start_prove(struct pd_ctx *ctx, sd_bus *bus);
int start_take_back(struct pd_ctx *ctx, sd_bus *bus);

#endif
