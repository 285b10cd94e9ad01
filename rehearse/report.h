/* SPDX-License-Identifier: MIT */
/** The report of a rehearsal as text. */
#ifndef PD_REHEARSE_REPORT_H
#define PD_REHEARSE_REPORT_H

#include "base/json.h"

/** To stdout; @p r is what --json prints (doc/rehearse.md). */
void report_text(const json_t *r, bool all_files);

#endif
