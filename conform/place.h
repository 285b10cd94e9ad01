/* SPDX-License-Identifier: MIT */
/** Place: a throw-away clone of this server in which callbacks are tried, and
 * what they have made of it. */
#ifndef PD_CONFORM_PLACE_H
#define PD_CONFORM_PLACE_H

#include "clone.h"
#include "lens.h"
#include "plugin/registry.h"
#include "sample.h"

/** What the callbacks of all places are taken from. */
struct subject {
	struct pd_registry *registry;
	const struct pd_plugin *plugin; /* the one that is tried */
	char secrets[4][256];           /* of the case */
	const json_t *keeps;            /* folders of the case for what is meant to stay */
	json_t *targets;                /* of the case, for transports: name to [text]; or NULL */
	struct samples samples;         /* of the case, for readers and filters; and others */
};

struct place {
	struct clone clone;
	struct clone_options options;
	const struct subject *subject;
	char *work;
	bool boots; /* it has its own init, services and packages */
	size_t clones; /* how many there were */
	int agent;  /* socket; -1: none */
	int inside; /* its end in the clone */
};

/** @p boots: with the server's init, as a rehearsal has it; else its files
 * alone.  A mount namespace of this process's own from then on. */
bool place_open(struct place *p, const struct subject *s, bool boots, struct pd_error **err) PD_MUST_USE;
void place_close(struct place *p);
/** Begin anew: a clone as the server is now. */
bool place_renew(struct place *p, struct pd_error **err) PD_MUST_USE;
/**
 * One callback in it.  Asked: { kind: "step"|"scanner"|"reader"|"filter"|"transport", plugin, name,
 * phase?, args?, remembered?, work?, kill_at?, stop?, late?, grace?, still?, shut?, hasty?, patience?, tight?,
 * sample?, damage?, number?, most?, carry?, target? }.  @return {
 * result, message, signal, timed_out, deaf, ms, remembered, outputs, times, piece, peak, touches:
 * [], left: [], shown: [], wrong: [], and those of stream_close() }; with look: { scores: [], signal };
 * NULL with *err set.
 */
json_t *place_call(struct place *p, const json_t *asked, struct pd_error **err);
/** What in it differs from the server: { files: { path: text }, packages?,
 * services? }. */
json_t *place_look(struct place *p);
/** systemd counts starts: trials in one clone must not use up each other's. */
void place_forget(struct place *p);
/** Paths of files changed in it that have one of the secrets in them and that
 * others than their owner, or readers of the run's evidence, can read. */
json_t *place_secrets(struct place *p);

/** agent.c: serve place_call() at the inner end until it is closed. */
void agent_serve(const struct subject *s, int fd, bool alone);

#endif
