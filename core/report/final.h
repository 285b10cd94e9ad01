/* SPDX-License-Identifier: MIT */
/** Sealing a run: its final report, signed, and copied to the central place. */
#ifndef PD_REPORT_FINAL_H
#define PD_REPORT_FINAL_H

#include "run/run.h"

struct pd_final {
	const char *library; /* folder of the scripts */
	const char *key;     /* secret key; NULL: /etc/patchday/seal.key */
	const char *site;    /* its name; NULL: as the run has it */
	const char *to;      /* central place; NULL: the workflow's parameter `central` */
};

/**
 * Seal @p run: it has to be done, signed by every party, and its journal and
 * evidence as they were written.  From then on nothing of it can change.  What
 * a crash left undone, or a copy that failed, is done by calling it again.
 *
 * @return { "run", "key", "files": [ XML, HTML, signature ], "copies": [ the
 * same in the central place ] }; NULL with *err set and *end: the exit status.
 */
json_t *pd_final(const struct pd_run_options *o, const struct pd_final *f, const char *run,
		 enum pd_run_end *end, struct pd_error **err);

#endif
