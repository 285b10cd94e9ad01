/* SPDX-License-Identifier: MIT */
/** Inbox: what a worker says, taken from its channel to the sink. */
#ifndef PD_PLUGIN_INBOX_H
#define PD_PLUGIN_INBOX_H

#include "plugin/wire.h"
#include "plugin/worker.h"

struct pd_inbox {
	const struct pd_worker_sink *sink;
	int channel; /* -1: it is closed */
	struct pd_buffer bytes;
	/* of the last frame, the result */
	bool finished, said_failed; /* it is there; pd_fail() was called */
	int result;
	char *message, *bug; /* NULL: none */
	char *damage; /* why nothing more is taken from it; NULL: it is fine */
};

/** Take what is there.  @return false when there is no more for now. */
bool pd_inbox_take(struct pd_inbox *in);
void pd_inbox_clear(struct pd_inbox *in);

#endif
