/* SPDX-License-Identifier: MIT */
/** Stream: a sample on its way through a reader or a filter, and what comes
 * out of it; the same of a scanner. */
#ifndef PD_CONFORM_STREAM_H
#define PD_CONFORM_STREAM_H

#include <sodium.h>

#include "catalog/model.h"
#include "sample.h"

struct stream {
	const struct sample *sample; /* NULL: of the server itself */
	int source, out;             /* open files; -1: none */
	struct pd_builder builder;
	struct pd_error *refused;    /* by the builder */
	crypto_generichash_state digest; /* of all parts */
	json_t *facts;               /* [kind, row]... */
	bool canary;                 /* the text of a file came out of it */
};

/** Asked: { sample?, damage?, number?, most? } as of place_call().  False: that
 * damage can't be done to it, or errno. */
bool stream_open(struct stream *s, const struct samples *all, const json_t *asked,
		 struct pd_worker_call *call) PD_MUST_USE;
bool stream_emit(struct stream *s, struct pd_emitted *e) PD_MUST_USE;
void stream_fact(struct stream *s, const char *kind, const json_t *row);
/** What came out of it, into @p answer: { updates, digest, bytes?, whole?, canary, difference:
 * of facts to those of the call before, or null }, and a refusal in place of its message;
 * and free all. */
void stream_close(struct stream *s, json_t *answer);

/** The scores that a row gives to the starts of all samples and others, each in memory
 * that ends where it ends, and to parts of those; by a process of its own.  Fewer than
 * there are heads: it did not survive the next one, *ended is how it ended. */
size_t stream_scores(int (*recognize)(const unsigned char *head, size_t len), const struct samples *all,
		     int *scores, int *ended);
/** How many heads there are of @p all: its own and their parts; the first are whole. */
size_t stream_heads(const struct samples *all);
/** Head number @p n. */
const char *stream_head(const struct samples *all, size_t n, size_t *len);

#endif
