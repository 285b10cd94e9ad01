/* SPDX-License-Identifier: MIT */
/** Errors: a stable id, where, what on what and why, and what to do next. */
#ifndef PD_BASE_ERROR_H
#define PD_BASE_ERROR_H

#include "base/mem.h"

/**
 * A fallible function returns bool and takes struct pd_error ** last.  On
 * false *err is set and owned by the caller (NULL err: not wanted).  The ids
 * are rows of the floors' errors.def, shown by `patchday explain`.
 */
struct pd_error {
	const char *id;  /* static */
	char *where;     /* "file:line:column" or NULL */
	char *message;
	char *remedy;    /* NULL: the one of the id */
};

/** All of these return false, so that failing is one expression. */
bool pd_error_set(struct pd_error **err, const char *id, const char *fmt, ...)
	PD_PRINTF(3, 4);
/** line or column 0: unknown. */
bool pd_error_at(struct pd_error **err, const char *id, const char *file,
		 unsigned line, unsigned column, const char *fmt, ...)
	PD_PRINTF(6, 7);
/** With ": " and the text of @p number (errno) behind it. */
bool pd_error_errno(struct pd_error **err, const char *id, int number,
		    const char *fmt, ...) PD_PRINTF(4, 5);
/** A layer's own context in front: "context: message". */
bool pd_error_prefix(struct pd_error **err, const char *fmt, ...) PD_PRINTF(2, 3);
bool pd_error_remedy(struct pd_error **err, const char *fmt, ...) PD_PRINTF(2, 3);
void pd_error_move(struct pd_error **to, struct pd_error *from); /* takes */
void pd_error_free(struct pd_error *e);
PD_AUTO_PTR(struct pd_error *, pd_error_cleanup, pd_error_free)
#define pd_auto_error __attribute__((cleanup(pd_error_cleanup))) struct pd_error

/** "where: message" in one line; the caller frees. */
char *pd_error_text(const struct pd_error *e);
/** The remedy: its own, or the one of its id; borrowed; may be NULL. */
const char *pd_error_advice(const struct pd_error *e);

/** One row of `patchday explain`. */
struct pd_explanation {
	const char *id, *cause, *remedy;
};

const struct pd_explanation *pd_explain(const char *id); /* NULL: unknown */
const struct pd_explanation *pd_explanations(size_t *count);

#endif
