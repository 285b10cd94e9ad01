/* SPDX-License-Identifier: MIT */
/** Several downloads at once, tried again where that may help. */
#ifndef PD_TRANSFER_POOL_H
#define PD_TRANSFER_POOL_H

#include "job.h"

/* How far it is, on standard error: a line that lives on a terminal, a line now
 * and then, or lines of JSON. */
enum progress { PROGRESS_NONE, PROGRESS_LIVE, PROGRESS_LINES, PROGRESS_EVENTS };

struct pool {
	struct job *jobs;
	size_t len;
	/* settings; texts are borrowed */
	unsigned parallel;     /* 1 to 64 */
	unsigned retries;      /* of each */
	int64_t rate;          /* bytes a second, of all together; 0: as it comes */
	long stall, connect;   /* seconds that it is slow, and to connect */
	const char *proxy;     /* NULL: as the environment says, "": none */
	const char *proxy_user, *proxy_password;
	const char *authorities; /* file of certificates; NULL: the system's */
	bool secure;           /* what is asked for by https comes by it */
	enum progress progress;
	const volatile int *stop; /* set: end, and keep what came */
	/** A job is over. */
	void (*over)(const struct job *j);
	/* how far it is */
	CURLM *multi;
	size_t running, finished;
	int64_t shown, refilled;
	int64_t budget;        /* bytes that may come now */
};

/** Until every job is over.  False: one of them failed. */
bool pool_run(struct pool *p);

#endif
