/* SPDX-License-Identifier: MIT */
/** Which boot of the server this is, and the unit that goes on after one. */
#ifndef PD_RUN_BOOT_H
#define PD_RUN_BOOT_H

#include "base/json.h"

/**
 * Witnesses of the current boot: "boot_id" (of the kernel; a container may
 * show its host's), "init" (start of process 1 in clock ticks).  New
 * reference.
 */
json_t *pd_boot_witness(void);
/** Has the server been started anew between the two? */
bool pd_boot_differs(const json_t *before, const json_t *now);

/** Where the systemd credential @p name is kept across reboots (systemd-creds(1)):
 * a file in /etc/credstore or /etc/credstore.encrypted; NULL: nowhere.  The
 * caller frees. */
char *pd_boot_credential(const char *name);
/** Make systemd start `patchday resume` when the server comes up; @p argv is
 * the whole command line, with these @p credentials as far as they are kept.
 * Nothing is done where systemd is not init.  There is one unit, and so one run
 * under way: false as of pd_boot_free(). */
bool pd_boot_arm(const char *state, const char *const argv[],
		 const struct pd_strings *credentials, struct pd_error **err) PD_MUST_USE;
/** Does the unit go on with no run of another state folder than @p state?
 * "run-elsewhere" names the folder and the run. */
bool pd_boot_free(const char *state, struct pd_error **err) PD_MUST_USE;
/** Only a unit that goes on with a run of this state folder is removed. */
void pd_boot_disarm(const char *state);

#endif
