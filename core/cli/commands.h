/* SPDX-License-Identifier: MIT */
/** The commands, one file for each group. */
#ifndef PD_CLI_COMMANDS_H
#define PD_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct pd_verb pd_verb_plan;                       /* cmd_plan.c */
extern const struct pd_verb pd_verb_run, pd_verb_resume, pd_verb_undo,
	pd_verb_signoff;                                        /* cmd_run.c */
extern const struct pd_verb pd_verb_status, pd_verb_report;     /* cmd_status.c */
extern const struct pd_verb pd_verb_final, pd_verb_verify;      /* cmd_seal.c */
extern const struct pd_verb pd_verb_scan, pd_verb_catalog, pd_verb_facts; /* cmd_scan.c */
extern const struct pd_verb pd_verb_plugins, pd_verb_doctor, pd_verb_explain; /* cmd_about.c */

#endif
