/* SPDX-License-Identifier: MIT */
/** libcups, loaded when it is needed first: it brings TLS, Kerberos and D-Bus
 * along, which no process should have that does not print. */
#ifndef PD_SHARED_CUPS_H
#define PD_SHARED_CUPS_H

#include <cups/cups.h>
#include <patchday/plugin.h>
#include <stdbool.h>

/* What is used of it, by the names of its manual. */
#define CUPS_FUNCTIONS(X) \
	X(cupsAddOption) X(cupsCreateJob) X(cupsDoRequest) X(cupsEncryption) \
	X(cupsFinishDocument) X(cupsFreeOptions) X(cupsLastError) X(cupsLastErrorString) \
	X(cupsServer) X(cupsStartDocument) X(cupsUser) X(cupsWriteRequestData) X(httpClose) \
	X(httpConnect2) X(ippAddString) X(ippAttributeString) X(ippDelete) \
	X(ippFindAttribute) X(ippFirstAttribute) X(ippGetBoolean) X(ippGetCount) \
	X(ippGetGroupTag) X(ippGetInteger) X(ippGetName) X(ippGetString) X(ippGetValueTag) \
	X(ippNewRequest) X(ippNextAttribute) X(ippPort)

#define CUPS_FUNCTION(name) __typeof__(&name) name;
struct cups {
	CUPS_FUNCTIONS(CUPS_FUNCTION)
};
#undef CUPS_FUNCTION

extern struct cups cups; /**< after cups_load() */

/** Load it, once.  False: pd_fail() was called, and says what to install. */
bool cups_load(struct pd_ctx *ctx);

#endif
