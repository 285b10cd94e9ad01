/* SPDX-License-Identifier: MIT */
/* Step probe.http: fetch a page and judge its status and content. */
#include "curl.h"

#include <stdlib.h>
#include <string.h>

static const char *const schemes[] = { "http", "https", NULL };

struct http_args {
	const char *url;
	struct pd_list status;
	const char *contains;
	const char *user;
	const struct pd_secret *password;
	const char *ca;
	int64_t valid;
	const char *at;
	const char *proxy;
	const char *proxy_user;
	const struct pd_secret *proxy_password;
	int64_t timeout;
};

static const struct pd_param params[] = {
	PD_PARAM(struct http_args, url, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "http or https address; redirects are not followed"),
	PD_PARAM(struct http_args, status, PD_T_LIST, .def = "200",
		 .help = "status codes that are good"),
	PD_PARAM(struct http_args, contains, PD_T_STRING,
		 .help = "text that the first 1 MiB of the page must contain"),
	PD_PARAM(struct http_args, user, PD_T_STRING, .help = "user to log in as"),
	PD_PARAM(struct http_args, password, PD_T_SECRET,
		 .help = "password of the user"),
	PROBE_CA(http_args),
	PROBE_VALID(http_args),
	PD_PARAM(struct http_args, at, PD_T_STRING,
		 .help = "name or address to connect to; empty: what url leads to"),
	PD_PARAM(struct http_args, proxy, PD_T_STRING,
		 .help = "web proxy to ask, http://HOST:PORT; https pages by CONNECT; empty: none"),
	PD_PARAM(struct http_args, proxy_user, PD_T_STRING,
		 .help = "user to log in as on the proxy"),
	PD_PARAM(struct http_args, proxy_password, PD_T_SECRET,
		 .help = "password of that user"),
	PROBE_TIMEOUT(http_args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PROBE_MILLISECONDS,
	PD_OUTPUT("status", PD_T_INT, "status code of the last answer"),
	PD_OUTPUT_END
};

struct page {
	const struct http_args *args;
	struct answer *answer;
	struct curl_slist *at; /* what curl is told of args->at */
};

static bool status_good(const struct http_args *args, long status)
{
	for (size_t i = 0; i < args->status.len; i++)
		if (strtol(args->status.items[i], NULL, 10) == status)
			return true;
	return false;
}

static void prepare(CURL *curl, const struct probe *probe, const struct page *page)
{
	const struct http_args *args = page->args;

	lib.curl_easy_setopt(curl, CURLOPT_URL, args->url);
	lib.curl_easy_setopt(curl, CURLOPT_USERAGENT, "patchday-probe");
	lib.curl_easy_setopt(curl, CURLOPT_CONNECT_TO, page->at);
	if (args->user)
		lib.curl_easy_setopt(curl, CURLOPT_USERNAME, args->user);
	if (args->password)
		lib.curl_easy_setopt(curl, CURLOPT_PASSWORD,
				 pd_secret(probe->ctx, args->password, NULL));
	lib.curl_easy_setopt(curl, CURLOPT_PROXY, args->proxy ? args->proxy : "");
	lib.curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
	if (args->proxy_user)
		lib.curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, args->proxy_user);
	if (args->proxy_password)
		lib.curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD,
				 pd_secret(probe->ctx, args->proxy_password, NULL));
}

static enum outcome judge(struct probe *probe, const struct http_args *args,
			  const struct answer *answer, long status)
{
	probe_note(probe, "%s: status %ld, %zu bytes", args->url, status,
		   answer->len);
	if (pd_output(probe->ctx, "status", pd_format(probe->ctx, "%ld", status)))
		return probe_why(probe, NEVER, "no output");
	if (!status_good(args, status))
		return probe_why(probe, NOT_YET, "%s answers with status %ld; see "
				 "the log of the %s", args->url, status,
				 args->proxy ? "proxy" : "web server");
	if (args->contains && !strstr(answer->body, args->contains))
		return probe_why(probe, NOT_YET, "%s does not contain \"%s\"",
				 args->url, args->contains);
	return PASSED;
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct page *page = user;
	const struct http_args *args = page->args;
	CURL *curl = curl_begin(probe, page->answer, args->ca, args->valid);
	enum outcome outcome = NEVER;
	long status = 0, tunnel = 0;
	CURLcode code;

	if (!curl)
		return NEVER;
	prepare(curl, probe, page);
	code = curl_go(curl, page->answer);
	lib.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib.curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	if (code != CURLE_OK && tunnel >= 300) { /* the proxy's answer to CONNECT */
		code = CURLE_OK;
		status = tunnel;
	}
	outcome = code == CURLE_OK ?
		judge(probe, args, page->answer, status) :
		probe_why(probe, curl_later(code), "can't fetch %s: %s", args->url,
			  curl_why(page->answer, code));
	if (outcome == PASSED)
		outcome = curl_certificate(curl, probe, args->url, args->valid);
	lib.curl_easy_cleanup(curl);
	return outcome;
}

static int check_list(struct pd_ctx *ctx, const struct pd_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		char *end = NULL;
		long status = strtol(list->items[i], &end, 10);

		if (*end || status < 100 || status > 599)
			return pd_fail(ctx, PD_BAD_ARGS, "\"%s\" is no status "
				       "code of HTTP (100 to 599)",
				       list->items[i]);
	}
	return PD_CHANGED;
}

/* The name that this server has to look up. */
static int check_host(struct pd_ctx *ctx, const char *url, const char *proxy)
{
	const struct http_args *args = ctx->args;
	const char *host = proxy ? proxy : args->at ? args->at : url;

	if (args->at && args->proxy)
		return pd_fail(ctx, PD_BAD_ARGS, "at and proxy do not go together: the proxy "
			       "finds the server");
	return *host == '[' ? PD_CHANGED : probe_host(ctx, host);
}

/* With a proxy it is the proxy that looks up the server's name. */
static int check(struct pd_ctx *ctx)
{
	const struct http_args *args = ctx->args;
	char *host = NULL, *proxy = NULL;
	int rc = curl_load(ctx);

	if (rc < 0)
		return rc;
	rc = curl_address(ctx, "url", args->url, schemes, &host);
	if (rc == PD_CHANGED && args->proxy)
		rc = curl_address(ctx, "proxy", args->proxy, schemes, &proxy);
	if (rc == PD_CHANGED)
		rc = check_list(ctx, &args->status);
	if (rc == PD_CHANGED)
		rc = check_host(ctx, host, proxy);
	lib.curl_free(host);
	lib.curl_free(proxy);
	return rc;
}

/* As curl wants it: any name and port, to this name, the same port. */
static const char *connect_to(struct pd_ctx *ctx, const char *at)
{
	return strchr(at, ':') && *at != '[' ? pd_format(ctx, "::[%s]:", at) :
					      pd_format(ctx, "::%s:", at);
}

static int apply(struct pd_ctx *ctx)
{
	struct page page = { .args = ctx->args };
	int rc = curl_load(ctx);

	if (rc < 0)
		return rc;
	page.answer = curl_answer(ctx);
	if (page.args->at)
		page.at = lib.curl_slist_append(NULL, connect_to(ctx, page.args->at));
	rc = probe_run(ctx, page.args->timeout, attempt, &page);
	lib.curl_slist_free_all(page.at);
	return rc;
}

const struct pd_step step_http = {
	PD_STEP,
	.name = "http",
	.help = "fetch a page, and judge its status and content",
	.params = params,
	.args_size = sizeof(struct http_args),
	.outputs = outputs,
	.check = check,
	.apply = apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
};
