/* SPDX-License-Identifier: MIT */
/* What the probes that speak http, smtp and imap share: libcurl. */
#ifndef PATCHDAY_PROBE_CURL_H
#define PATCHDAY_PROBE_CURL_H

#include "probe.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* libcurl brings thirty libraries along, a fifth of the memory of an engine
 * that has all plugins loaded: only the worker that needs it loads it. */
#define CURL_FUNCTIONS(F) F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_init) \
	F(curl_easy_perform) F(curl_easy_setopt) F(curl_easy_strerror) F(curl_free) \
	F(curl_getdate) F(curl_slist_append) F(curl_slist_free_all) \
	F(curl_url) F(curl_url_cleanup) F(curl_url_get) F(curl_url_set)
#define CURL_MEMBER(name) __typeof__(&name) name;
struct curl_library {
	CURL_FUNCTIONS(CURL_MEMBER)
};

extern struct curl_library lib; /**< after curl_load() */

/** What a server sent; its memory is that of the callback. */
struct answer {
	struct pd_ctx *ctx;
	char *body;       /**< a string: a NUL in it became a space */
	size_t len;
	char said[256];   /**< smtp's or imap's reply: the refusal, or the last one */
	char error[CURL_ERROR_SIZE];
};

/** Load libcurl, once.  @return 0, or below zero, reported. */
int curl_load(struct pd_ctx *ctx);
/** Does @p text, the parameter @p what, begin with one of @p schemes (ends with
 * NULL), and hold no user?  *host is its name, which curl_free() frees.
 * @return PD_CHANGED, or below zero, reported. */
int curl_address(struct pd_ctx *ctx, const char *what, const char *text,
		 const char *const *schemes, char **host);
/** The room for answers, in apply. */
struct answer *curl_answer(struct pd_ctx *ctx);
/** A transfer whose answer goes to @p answer; @p valid: see curl_certificate().
 * @return NULL, with the reason in @p probe; curl_easy_cleanup() ends it. */
CURL *curl_begin(struct probe *probe, struct answer *answer, const char *ca, int64_t valid);
/** Do it, and end answer->body. */
CURLcode curl_go(CURL *curl, struct answer *answer);
/** What a transfer that failed was missing, by libcurl's word. */
const char *curl_why(const struct answer *answer, CURLcode code);
/** May it pass later?  Certificates, addresses and passwords don't mend
 * themselves by waiting. */
enum outcome curl_later(CURLcode code);
/** Are the certificates that came along valid for @p valid seconds more?
 * 0: they are not looked at. */
enum outcome curl_certificate(CURL *curl, struct probe *probe, const char *url, int64_t valid);

#define PROBE_CA(s)                                           \
	PD_PARAM(struct s, ca, PD_T_PATH,                     \
		 .help = "certificates to trust, PEM; empty: the server's own")
#define PROBE_VALID(s)                                                       \
	PD_PARAM(struct s, valid, PD_T_SECONDS, .def = "0", .max = 315360000, \
		 .help = "how long its certificate has to be valid for yet; 0: not looked at")

#endif /* PATCHDAY_PROBE_CURL_H */
