/* SPDX-License-Identifier: MIT */
/** Is everything as it was written?  The journal, certificates, evidence. */
#ifndef PD_REPORT_VERIFY_H
#define PD_REPORT_VERIFY_H

#include "run/record.h"

struct pd_verify {
	const char *state, *library;
	const char *key; /* public key; NULL: /etc/patchday/seal.pub */
	bool no_certificate; /* of a run: journal and evidence alone */
};

/**
 * Verify the journal of the state folder and, by @p what: a certificate
 * (a path), or a run (the beginning of its id; NULL: the newest) with its
 * evidence and its certificate.
 *
 * @return { "ok": bool, "checked": [ { "kind", "name", "state", "text" } ] }.
 * kind: journal, file, head, report, signature, html, evidence.  state: "intact",
 * "changed", "missing", or "unknown": it can't be told here, and text says why.
 * ok: nothing is changed or missing, and a certificate is proven by its
 * signature or by the journal.  NULL with *err set: nothing could be verified.
 */
json_t *pd_verify(const struct pd_verify *v, const char *what, struct pd_error **err);

#endif
