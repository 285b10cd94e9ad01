/* SPDX-License-Identifier: MIT */
/** The record of a run: what its events add up to.  The engine applies each
 * event here in the moment it is journaled, a resume replays them: there is
 * no second way to come to a state. */
#ifndef PD_RUN_RECORD_H
#define PD_RUN_RECORD_H

#include "run/journal.h"
#include "workflow/plan.h"

enum pd_step_state {
	PD_STEP_PENDING,
	PD_STEP_BEGUN,    /* intent journaled, result not */
	PD_STEP_DONE,
	PD_STEP_FAILED,
	PD_STEP_UNDOING,  /* intent of the undo journaled */
	PD_STEP_UNDONE,   /* rolled back; of a hold: given back */
	PD_STEP_STUCK,    /* the undo failed */
	PD_STEP_SKIPPED   /* passed over because a person said so */
};

struct pd_evidence_row {
	char *path, *title, *sha256;
	int64_t bytes, time;
};

struct pd_record_step {
	char *key;        /* id; "rN/id" from round 2 on */
	const struct pd_plan *plan;
	const struct pd_plan_step *step;
	enum pd_step_state state;
	bool applied;     /* an intent of apply was journaled */
	bool changed;     /* and it had work to do */
	bool dropped;     /* the plan was changed: it is only undone */
	bool came_to_end; /* done or failed, whatever was undone later */
	bool failed;      /* in the end it came to */
	bool unproven;    /* verify has failed since it was applied */
	bool recovered;   /* found done after a crash */
	char *irreversible; /* why; NULL: as declared */
	json_t *outputs, *remembered; /* objects */
	json_t *predicted;  /* of the dry run; NULL */
	json_t *witness;  /* of the boot that a reboot step wants to end; NULL */
	bool booted;      /* the server was started anew after that */
	int64_t asked;    /* how often for a reboot, since its intent or that of its undo */
	int64_t undo_reboots; /* how often its undo was about to */
	int64_t begun;    /* n of the event of its first intent: the order of undo */
	char *inputs;     /* digest of its arguments with all values; NULL: no reference */
	char *version;    /* of the plugin that did it; NULL: not known */
	char *message, *detail;
	int64_t started, ended; /* milliseconds since 1970 */
	double seconds;
	struct pd_evidence_row *evidence;
	size_t n_evidence, cap_evidence;
};

enum pd_run_state {
	PD_RUN_NEW,          /* planned, nothing touched */
	PD_RUN_RUNNING,
	PD_RUN_REBOOTING,    /* waits for the reboot it has asked for */
	PD_RUN_WAITING,      /* waits until no guard speaks against the next stage */
	PD_RUN_SIGNOFF,      /* the work is done, signatures are missing */
	PD_RUN_STOPPED,      /* waits for a person: resume or undo */
	PD_RUN_UNDOING,
	PD_RUN_DONE,
	PD_RUN_ROLLED_BACK,
	PD_RUN_INCONSISTENT,
	PD_RUN_REFUSED,
	PD_RUN_CLEARED       /* was inconsistent; a person says it is mended */
};

const char *pd_run_state_name(enum pd_run_state s);
const char *pd_step_state_name(enum pd_step_state s);
/** Is there nothing more to do for a program (a person may still sign)? */
bool pd_run_state_ended(enum pd_run_state s);

struct pd_signature_row {
	char *party, *name, *note;
	char *by;            /* the account that did it */
	int64_t time;
	bool overtaken;      /* the run was taken back after it: it says nothing of the end */
};

struct pd_record {
	char *run, *server, *why; /* why: of the state; or NULL */
	json_t *inputs;      /* what is needed to plan a further round */
	struct pd_plan **plans; /* one for each round */
	size_t n_plans, cap_plans;
	struct pd_plan **retired; /* replaced in the middle of their round */
	size_t n_retired, cap_retired;
	struct pd_record_step *steps; /* of all rounds, in order */
	size_t n_steps, cap_steps;
	size_t hit;          /* where pd_record_step() found the last one */
	bool holds;          /* a step that holds was applied */
	enum pd_run_state state;
	json_t *inhibitors;  /* why it was refused, see run/forecast.h; NULL */
	json_t *boot;        /* witness of the boot last seen */
	int64_t owner;       /* pid that worked on it last */
	int64_t resumes;     /* by the server's start, since a step ended or a person came */
	int64_t reboots;     /* asked for, that happened */
	bool booted_back;    /* rebooted after all was undone */
	bool accepted;       /* a person wants no way back */
	bool accepts_failing; /* steps may fail before the start */
	bool again;          /* steps were done again: others may have to be */
	bool nothing_left;   /* the last plan said so */
	int64_t started, ended, last; /* milliseconds; last event's n */
	unsigned char hash[32]; /* of that event; zeros: it is not journaled */
	char *sealed, *sealed_by; /* id of the key, account; NULL: it is not sealed */
	char *site;          /* named by who sealed it; NULL */
	int64_t sealed_at;   /* milliseconds */
	struct pd_signature_row *signatures;
	size_t n_signatures, cap_signatures;
	json_t *decisions;   /* list of all go, wait and override events: their
			      * data with "kind" and "time" */
	json_t *wait;        /* data of the last wait; NULL: it went on since */
	char *go_stage;      /* that the last go was for; NULL: ask again */
	const struct pd_plan *go_plan;
	struct pd_strings overridden; /* guards that no longer count */
	struct pd_strings parties; /* who has to sign */
	struct pd_strings warnings;
	struct pd_evidence_row scans[2]; /* before and after; path NULL: none */
	json_t *comparison;  /* of them, as journaled; NULL */
};

struct pd_record *pd_record_new(const char *run);
void pd_record_free(struct pd_record *r);
PD_AUTO_PTR(struct pd_record *, pd_record_cleanup, pd_record_free)

/** One event.  Unknown kinds are passed over: a newer patchday wrote them. */
bool pd_record_apply(struct pd_record *r, const struct pd_event *e,
		     struct pd_error **err) PD_MUST_USE;
/** Replay a run; NULL with *err set. */
struct pd_record *pd_record_read(struct pd_journal *j, const char *run,
				 struct pd_error **err);
/** The same, as it was when event @p n was the newest. */
struct pd_record *pd_record_read_until(struct pd_journal *j, const char *run,
				       int64_t n, struct pd_error **err);
/** May it still be changed?  Sets *err "run-sealed" if not. */
bool pd_record_unsealed(const struct pd_record *r, struct pd_error **err);
/** Its steps enter; takes @p plan.  @p change: NULL, or as pd_merge() made it,
 * and the plan replaces the last one. */
void pd_record_add_plan(struct pd_record *r, struct pd_plan *plan, int64_t round,
			const json_t *change);
void pd_record_step_clear(struct pd_record_step *s);
struct pd_record_step *pd_record_step(struct pd_record *r, const char *key);
/** The step of the same plan that has this id. */
struct pd_record_step *pd_record_sibling(struct pd_record *r,
					 const struct pd_record_step *of,
					 const char *id);
/** Is it a hold that was taken and not given back? */
bool pd_record_held(const struct pd_record_step *s);
/** Is @p s (NULL: nothing) in the body of this hold? */
bool pd_record_inside(const struct pd_record_step *s, const struct pd_record_step *hold);
/** Is there nothing to do for it (any more)?  A hold is taken again, all the same,
 * for a step of its body. */
bool pd_record_over(const struct pd_record_step *s);
/** Name of the site: of the seal, of the workflow's parameter `site`, or as it was
 * set on the server when the run began; "": none; borrowed. */
const char *pd_record_site(const struct pd_record *r);
/** A reboot was asked for by a step or its undo, and nothing came after it. */
bool pd_record_rebooting(const struct pd_record *r);
/** Was the boot that was seen last the one that a step has asked to end? */
bool pd_record_asked(const struct pd_record *r);
/** Apply the event "boot": each boot is journaled once, by the first process that
 * works on the run in it. */
void pd_record_boot(struct pd_record *r, const json_t *data);
/** Was it applied, and could what it came to not be proved since? */
static inline bool pd_record_unproven(const struct pd_record_step *s)
{
	return s->unproven && (s->state == PD_STEP_FAILED || s->state == PD_STEP_PENDING);
}

/** Parties that have not signed yet, or not since the run was taken back. */
void pd_record_missing(const struct pd_record *r, struct pd_strings *out);
/** All that is known of a run, for `status --json` and what prints it.
 * @param owner pid of the process that works on it now; 0: a run that was
 * under way is "interrupted", or "rebooting".  New references. */
json_t *pd_record_json(const struct pd_record *r, int64_t owner);
/** The same without what there is of each step, and without the digest of the plan. */
json_t *pd_record_head_json(const struct pd_record *r, int64_t owner);
json_t *pd_record_step_json(const struct pd_record *r, const struct pd_record_step *s);

#endif
