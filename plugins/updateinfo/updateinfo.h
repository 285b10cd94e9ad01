/* SPDX-License-Identifier: MIT */
/* Shared by the files of the plugin updateinfo. */
#ifndef PD_UPDATEINFO_H
#define PD_UPDATEINFO_H

#include <patchday/plugin.h>

/* What vendors write, as the model has it. */
unsigned updateinfo_class(const char *type);
unsigned updateinfo_severity(const char *text);
unsigned updateinfo_status(const char *text);
/** Seconds since 1970 or any of the forms of a date; false: of none. */
bool updateinfo_time(const char *text, int64_t *out);
/** Is the first element of a document, in any encoding of ASCII's letters or
 * in UTF-16, of this name? */
bool updateinfo_root(const unsigned char *head, size_t len, const char *name);

extern const struct pd_reader primary_reader; /* primary.c */
extern const struct pd_reader modules_reader; /* modules.c */
extern const struct pd_scanner defaults_scanner;

#endif
