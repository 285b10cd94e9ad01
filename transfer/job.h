/* SPDX-License-Identifier: MIT */
/** One file that is fetched: what was asked for, and how far it is. */
#ifndef PD_TRANSFER_JOB_H
#define PD_TRANSFER_JOB_H

#include <curl/curl.h>

#include "base/json.h"

enum job_state {
	JOB_WAITING,   /* for its turn, or to be tried again */
	JOB_RUNNING,
	JOB_DONE,      /* it stands at its place, proved */
	JOB_UNCHANGED, /* it is as we have it: so the source says, or its digest */
	JOB_FAILED     /* err says why */
};

struct job {
	/* what was asked for; borrowed */
	const char *url, *to, *digest, *etag, *modified, *user, *password;
	int64_t bytes;      /* that it has to have; -1: not known */
	int64_t max;        /* that it may have */
	int64_t *budget;    /* bytes that may come now, of all jobs; NULL: any */
	/* how far it is */
	enum job_state state;
	unsigned tries;
	int64_t not_before; /* milliseconds of the pool's clock */
	struct pd_error *err;
	/* its part: what came so far, beside its place */
	char *part, *note;
	char *aside;        /* where a wrong file that stood at its place is now; NULL: none */
	int fd;             /* of the part; -1: not open */
	int64_t have;       /* bytes in it */
	/* the try under way */
	CURL *easy;
	char curl_error[CURL_ERROR_SIZE];
	struct curl_slist *headers;
	bool resumed;       /* asked for the rest only */
	bool receiving;     /* its body has begun */
	bool paused;        /* until there is budget again */
	int64_t began_at;   /* first byte that this answer has; -1: not said */
	char *got_etag, *got_modified;
	int64_t retry_after; /* seconds; 0: not said */
};

/** Fill one in from an entry of the list, borrowed. */
bool job_read(struct job *j, const json_t *entry, struct pd_error **err) PD_MUST_USE;
void job_clear(struct job *j);
/** Make its easy handle for one more try; j->easy is the caller's to run.
 * False: j->err is set. */
bool job_begin(struct job *j) PD_MUST_USE;
/** The try came to its end with @p code: what becomes of the job.  With
 * JOB_WAITING it may be tried again, and j->err says why it has to be. */
enum job_state job_end(struct job *j, CURLcode code);

/* part.c: the part of a file that came so far. */

/** Is the very file there already, by its digest?  Another one that has its
 * name is set aside. */
bool part_is_there(struct job *j) PD_MUST_USE;

/** Open the part, or make it, and see what of it can be used; fills j->have. */
bool part_open(struct job *j, struct pd_error **err) PD_MUST_USE;
/** Note of which file this is a part, for the next time. */
void part_note(const struct job *j);
/** Throw away what came. */
bool part_empty(struct job *j) PD_MUST_USE;
bool part_add(struct job *j, const void *data, size_t len) PD_MUST_USE; /* errno */
/** Prove it, and put it at its place; "transfer-digest" and "transfer-size"
 * throw it away. */
bool part_finish(struct job *j, struct pd_error **err) PD_MUST_USE;
void part_close(struct job *j);

#endif
