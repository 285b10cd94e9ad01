/* SPDX-License-Identifier: MIT */
/** Rules of the contract, each tried on one row of a plugin. */
#ifndef PD_CONFORM_RULES_H
#define PD_CONFORM_RULES_H

#include "place.h"

enum rule {
	RULE_LOADS,  /* plugin: it loads, its rows are well-formed, one symbol is exported */
	RULE_MANUAL, /* plugin: its manual names every row */
	RULE_STILL,  /* check, scan: looks and never touches */
	RULE_LIMIT,  /* ends when it is asked to */
	RULE_TWICE,  /* apply is proven, and changes nothing when it is called again */
	RULE_UNDO,   /* brings back what was there, also from nothing and twice */
	RULE_KILL,   /* kill -9 at each pd_remember(): done by apply, undone by undo */
	RULE_LEFT,   /* no descriptor and no process is left */
	RULE_SECRET, /* no secret is shown */
	RULE_KNOWS,  /* recognize: its own samples, and nothing else */
	RULE_DAMAGE, /* a damaged sample is an error or a result, in little time and memory */
	RULE_CARRIES, /* transport: what arrives is what was sent, and a failure is told */
	RULES
};

/** What became of the rules on one row; zeroed: none applies. */
struct verdicts {
	struct verdict {
		enum { VERDICT_NONE, VERDICT_KEPT, VERDICT_UNTRIED, VERDICT_BROKEN } state;
		json_t *found; /* texts; NULL: none */
	} of[RULES];
};

void verdict_kept(struct verdicts *v, enum rule r); /* if nothing worse is known */
void verdict_untried(struct verdicts *v, enum rule r, const char *fmt, ...) PD_PRINTF(3, 4);
void verdict_broken(struct verdicts *v, enum rule r, const char *fmt, ...) PD_PRINTF(3, 4);
/** { kind, name, rules: { NAME: { result, found } } }; takes what is in @p v. */
json_t *verdicts_json_take(struct verdicts *v, const char *kind, const char *name);

/** The step number @p n of @p steps, [{ id, plugin, step, args, alone? }]; those
 * before it are its scene, if it is not alone.  NULL with *err set: it can't be gone on with. */
json_t *rules_step(struct place *p, const json_t *steps, size_t n, struct pd_error **err);
/** The row of a step that the case does not have. */
json_t *rules_no_case(const struct pd_step *step, const char *name);
/** A scanner, or a reader of what the server itself knows. */
json_t *rules_looker(struct place *p, const char *kind, const char *name, struct pd_error **err);
/** A reader of files, or a filter, on its samples of the case. */
json_t *rules_format(struct place *p, const char *kind, const char *name, struct pd_error **err);
/** A transport, to the targets that the case has for it. */
json_t *rules_transport(struct place *p, const char *name, struct pd_error **err);
/** The plugin itself: symbols of its file, rows of its manual (NULL: it has none). */
json_t *rules_plugin(const struct pd_plugin *plugin, const char *file, const char *manual);

#endif
