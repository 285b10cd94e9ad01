/* SPDX-License-Identifier: MIT */
/** A drill: the run without a fault, and what it is compared with. */
#ifndef PD_REHEARSE_DRILL_H
#define PD_REHEARSE_DRILL_H

#include "facts/facts.h"
#include "look.h"
#include "points.h"
#include "session.h"

enum { BOOT_SECONDS = 180 };

/** What a server has, for the comparison with another. */
struct state {
	json_t *packages, *services, *triggers;
	struct pd_facts facts; /* some kinds of them */
	json_t *etc;           /* path to what differs from the server's own in /etc */
};

struct drill {
	struct session s;
	struct clone c;
	struct pd_strings kinds;
	struct points points;
	struct state before, after; /* without and with the whole run */
	struct journal journal;     /* of the run without a fault */
	struct points starts;       /* its last row before each of its reboots; the disk
				     * of that moment is the clone's saved one */
	struct session_run run;     /* the newest one */
	const char *kind;           /* of the fault under way */
	bool fired;                 /* it has happened */
};

/** A new clone, started, with a fault in it or none; from the @p from-th start. */
bool drill_clone(struct drill *d, const char *fault, size_t from,
		 struct pd_error **err) PD_MUST_USE;
/** Of the clone; state_cleanup() frees. */
struct state state_look(struct drill *d);
void state_cleanup(struct state *s);
/** What is not as wanted, after the run that ended with the word @p end.  NULL:
 * all is; the caller frees. */
char *state_complaint(const struct state *wanted, const struct state *now, const char *end);
/** One fault on one clone.  @return its row { point, event, step, fault, result,
 * why, fired, person, well, seconds }; NULL with *err. */
json_t *drill_fault(struct drill *d, const char *kind, int64_t point, struct pd_error **err);

/** Names of the units that have failed in a clone; NULL: none, or it can't be
 * asked.  The caller frees. */
char *scene_failed_units(struct clone *c);
/** Units, jobs and log of a clone, as text in a new file. */
bool scene_save(struct clone *c, const char *path, struct pd_error **err) PD_MUST_USE;

#endif
