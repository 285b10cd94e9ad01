/* SPDX-License-Identifier: MIT */
/** Lens: stands between the host and a plugin's callback, in its worker, and
 * sees what it does there that no message tells. */
#ifndef PD_CONFORM_LENS_H
#define PD_CONFORM_LENS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/json.h"

enum {
	LENS_FOUND = 32, LENS_LINE = 256,
	LENS_QUICK = 200 /* ms: what takes less is asked to stop at its first pd_remember() */
};

/** What is asked of one callback, and what was seen; shared with its worker
 * and with who judges its system calls. */
struct lens {
	size_t kill_at;   /* kill -9 right after so many pd_remember(); 0: never */
	bool stop;        /* it is asked to stop before it begins */
	int64_t late;     /* it is asked to stop while it works, which takes it so many ms; 0: not */
	int64_t grace;    /* late: ms that it has to end then; one that has not is killed, and deaf */
	volatile int64_t ask_at; /* late: when it is asked, by pd_now_ms(); 0: not known yet, or it has returned */
	pid_t group;      /* late: of its processes */
	bool spoken;      /* late: it has remembered, logged or told its progress */
	bool deaf;
	bool still;       /* its system calls are judged */
	bool shut;        /* the system is read-only, too */
	struct sockaddr_un judge; /* still: where the judge takes the listener */
	bool hasty;       /* something was left already: processes that end are not waited for */
	bool alone;       /* nobody else starts processes where it runs */
	unsigned patience; /* seconds, after which it is killed by SIGALRM; 0: its limit counts */
	bool tight;       /* it gets no more than 1 GiB of memory */
	char secrets[4][256];
	size_t remembered; /* how often it has */
	size_t piece;      /* the most bytes that it handed over in one */
	long peak;         /* KiB of memory that it took in all */
	size_t n_touched, n_left, n_shown, n_wrong;
	char touches[LENS_FOUND][LENS_LINE]; /* attempts to change something */
	char left[LENS_FOUND][LENS_LINE];    /* descriptors and processes left behind */
	char shown[LENS_FOUND][LENS_LINE];   /* secrets in words of a command */
	char wrong[LENS_FOUND][LENS_LINE];   /* what a transport did not carry as it was */
};

/** A lens in memory that its workers share; never freed. */
struct lens *lens_new(void);
void lens_note(char lines[LENS_FOUND][LENS_LINE], size_t *n, const char *line);
/** Copies with the lens in front; they live as long as the next call. */
const struct pd_step *lens_step(struct lens *l, const struct pd_step *s);
const struct pd_scanner *lens_scanner(struct lens *l, const struct pd_scanner *s);
const struct pd_reader *lens_reader(struct lens *l, const struct pd_reader *r);
const struct pd_filter *lens_filter(struct lens *l, const struct pd_filter *f);

#endif
