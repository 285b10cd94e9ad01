/* SPDX-License-Identifier: MIT */
/* What the client tests share: trying until a time is over, and evidence. */
#ifndef PATCHDAY_PROBE_H
#define PATCHDAY_PROBE_H

#include <patchday/plugin.h>

/** How one attempt ended. */
enum outcome {
	PASSED,
	NOT_YET, /**< a service that has just started may still need a moment */
	NEVER    /**< trying again does not help */
};

/** A probe while it runs; memory belongs to the callback. */
struct probe {
	struct pd_ctx *ctx;
	int64_t start;    /**< milliseconds, monotonic */
	int64_t deadline;
	const char *why;  /**< of the last attempt that did not pass */
	char *text;       /**< what happened, for the evidence */
	size_t len;
};

typedef enum outcome attempt_fn(struct probe *probe, void *user);

int64_t now_ms(void);
/** Seconds left, at least 1. */
int64_t probe_left(const struct probe *probe);
/** Add a line to the evidence. */
void PD_PRINTF(2, 3) probe_note(struct probe *probe, const char *fmt, ...);
/** Say why the attempt did not pass; returns @p outcome. */
enum outcome PD_PRINTF(3, 4)
probe_why(struct probe *probe, enum outcome outcome, const char *fmt, ...);
/**
 * The whole apply of a probe: @p attempt again and again until it passes, it
 * can't any more, or @p timeout seconds are over.  Sets the output
 * "milliseconds", leaves the evidence, remembers for verify.
 */
int probe_run(struct pd_ctx *ctx, int64_t timeout, attempt_fn *attempt,
	      void *user);
/** What probe_run() does without what is left behind.  Set ctx, and why to "". */
enum outcome probe_try(struct probe *probe, int64_t timeout,
		       attempt_fn *attempt, void *user);
/** The failure of one that did not pass, with what the last attempt said. */
int probe_fail(struct probe *probe, enum outcome outcome);
/** The verify of every probe: did its apply pass? */
int probe_verify(struct pd_ctx *ctx);
/** For check: report a server name that can't be resolved; PD_CHANGED, or
 * PD_REFUSED. */
int probe_host(struct pd_ctx *ctx, const char *host);
/** Can the name be resolved now?  PASSED, or NOT_YET with the reason. */
enum outcome probe_lookup(struct probe *probe, const char *host);
/** For check: is this program there?  PD_CHANGED, or PD_REFUSED. */
int probe_tool(struct pd_ctx *ctx, const char *tool, const char *remedy);

#define PROBE_TIMEOUT(s)                                                 \
	PD_PARAM(struct s, timeout, PD_T_SECONDS, .def = "30", .min = 1, \
		 .max = 86400, .help = "keep trying for so long")
#define PROBE_MILLISECONDS \
	PD_OUTPUT("milliseconds", PD_T_INT, "how long it took until it passed")

extern const struct pd_step step_smb, step_print, step_http, step_imap, step_mail,
	step_queue;

#endif /* PATCHDAY_PROBE_H */
