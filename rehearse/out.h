/* SPDX-License-Identifier: MIT */
/** Output of the programs. */
#ifndef PD_REHEARSE_OUT_H
#define PD_REHEARSE_OUT_H

#include "base/json.h"

/** To stdout, at once.  Text from outside must not steer a terminal: control
 * characters are blanked. */
void out_print(const char *fmt, ...) PD_PRINTF(1, 2);
void out_json(const json_t *value); /* pretty */
/** With its remedy to stderr, or as JSON to stdout. */
void out_error(bool json, const struct pd_error *e);

#endif
