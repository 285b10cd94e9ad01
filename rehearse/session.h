/* SPDX-License-Identifier: MIT */
/** A workflow in a clone: from the command line to the end of its run. */
#ifndef PD_REHEARSE_SESSION_H
#define PD_REHEARSE_SESSION_H

#include <signal.h>

#include "base/text.h"
#include "clone.h"
#include "out.h"
#include "run/run.h"

struct session {
	struct clone_options clone;
	struct pd_strings run;      /* `patchday run` with its arguments */
	struct pd_strings status;   /* `patchday status --json` */
	struct pd_strings resume;   /* `patchday resume` */
	struct pd_strings facts;    /* `patchday facts --json` */
	struct pd_strings names, values; /* own options, in order */
	struct pd_strings sources;  /* of packages, as apt tells; none: not asked yet */
	bool json, quiet;           /* quiet: no line for each step */
	char *work;
	int64_t seconds;            /* the longest that a run may take */
	int64_t alone;              /* milliseconds without anybody at work on a run,
				     * after which it is taken as interrupted */
	char *newest;               /* id of the newest run before; or NULL */
	bool asked;                 /* for it */
	/* called while the clone is off for a reboot; or NULL */
	bool (*on_reboot)(void *user, struct clone *c, struct pd_error **err);
	void *user;
	const char *state;          /* the state folder */
	int log;                    /* what `patchday run` prints */
};

extern volatile sig_atomic_t session_stop; /* a signal asked to stop */

/** What `patchday` (scripts/cli/clone.lua) has checked: own options as one word
 * each, "--", the words for the run with --state=DIR among them. */
bool session_parse(struct session *s, int argc, char **argv, struct pd_error **err) PD_MUST_USE;
const char *session_option(const struct session *s, const char *name); /* or NULL */
/** Not while a run is under way; root only; what the paths have to be. */
bool session_check(struct session *s, struct pd_error **err) PD_MUST_USE;
void session_free(struct session *s);

/** Fetch for the clone what its sources can't give it without a network. */
bool session_sources(struct session *s, struct clone *c, struct pd_error **err) PD_MUST_USE;

/** How a run in a clone went. */
struct session_run {
	json_t *status;   /* of `patchday status --json`; NULL: no run was made */
	char *state;      /* "done" ...; "not started", "unfinished", "off", "cut" */
	int exit;         /* as of `patchday run` */
	int64_t reboots, milliseconds;
};

/** Called in between; false ends it with state "cut", or with *err. */
typedef bool session_watch(void *user, struct clone *c, struct pd_error **err);

/** What to start: the run, `patchday resume`, or nothing, for it goes on by
 * itself. */
enum session_start { SESSION_RUN, SESSION_RESUME, SESSION_LOOK };
/** Follow a run until it ends or waits for a person, over reboots.  *out, which
 * was zeroed or used before, is filled. */
bool session_follow(struct session *s, struct clone *c, enum session_start start,
		    session_watch *watch, void *user, struct session_run *out,
		    struct pd_error **err) PD_MUST_USE;
/** A log for what `patchday run` prints; needed before session_follow(). */
bool session_log(struct session *s, struct pd_error **err) PD_MUST_USE;
void session_run_free(struct session_run *r);
/** Done, rolled back, or all work done and waiting for its signatures. */
bool session_ended_well(const struct session_run *r);

#endif
