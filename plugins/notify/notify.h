/* SPDX-License-Identifier: MIT */
/* What the steps of the plugin notify share: private. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <patchday/plugin.h>

/** Send it.  @p key names the message, the same one however often it is tried:
 * seconds since 1970, a dot, and random digits.
 * @return 0, or below zero, said with pd_fail(). */
typedef int send_fn(struct pd_ctx *ctx, const char *key);

/* notify.c */
/** For check: is there somebody to be told? */
int notify_due(struct pd_ctx *ctx);
/** Send it, unless that has been done. */
int notify_once(struct pd_ctx *ctx, send_fn *send);
/** Write @p text to a file of this name, as evidence.  @return its path, or
 * NULL, reported. */
const char *notify_evidence(struct pd_ctx *ctx, const char *file, const char *text,
			    const char *title);
/** A verify: it was sent. */
pd_step_fn notify_was_sent;

/* encode.c */
/** Text as a header of RFC 5322 may have it, encoded words of RFC 2047 where
 * it needs them; @p used is the length of the name of the header. */
const char *encode_header(struct pd_ctx *ctx, const char *text, size_t used);
/** A body as quoted-printable, RFC 2045. */
const char *encode_body(struct pd_ctx *ctx, const char *text);
/** Text in quotation marks, for JSON and for the configuration of curl. */
const char *encode_quoted(struct pd_ctx *ctx, const char *text);
/** Does it have a character that could end a line, or worse? */
bool has_control(const char *text);

extern const struct pd_step mail_step, webhook_step, wall_step, desktop_step;

#endif
