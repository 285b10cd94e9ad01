/* SPDX-License-Identifier: MIT */
/* Step probe.http: fetch a page and judge its status and content. */
#include "probe.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define BODY_MAX (1u << 20)

/* libcurl brings thirty libraries along, a fifth of the memory of an engine
 * that has all plugins loaded: only the worker that fetches a page loads it. */
#define FUNCTIONS(F) F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_init) \
	F(curl_easy_perform) F(curl_easy_setopt) F(curl_easy_strerror) F(curl_free) \
	F(curl_url) F(curl_url_cleanup) F(curl_url_get) F(curl_url_set)
#define MEMBER(name) __typeof__(&name) name;
#define NAME(name) #name,

static struct {
	FUNCTIONS(MEMBER)
} lib;

static int load(struct pd_ctx *ctx)
{
	static const char *const names[] = { FUNCTIONS(NAME) };
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL), *function;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		function = so ? dlsym(so, names[i]) : NULL;
		if (!function)
			return pd_fail(ctx, PD_FAILED, "cannot load libcurl: %s; "
				       "install libcurl4", dlerror());
		memcpy((char *)&lib + i * sizeof(function), &function, sizeof(function));
	}
	return 0;
}

struct http_args {
	const char *url;
	struct pd_list status;
	const char *contains;
	const char *user;
	const struct pd_secret *password;
	const char *ca;
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
	PD_PARAM(struct http_args, ca, PD_T_PATH,
		 .help = "certificates to trust, PEM; empty: the server's own"),
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
	struct pd_ctx *ctx;
	const struct http_args *args;
	char *body; /* BODY_MAX bytes and a NUL */
	size_t len;
};

static size_t on_data(char *data, size_t size, size_t n, void *user)
{
	struct page *page = user;
	size_t room = BODY_MAX - page->len;
	size_t take = size * n < room ? size * n : room;

	for (size_t i = 0; i < take; i++) /* a NUL would hide the rest */
		page->body[page->len + i] = data[i] ? data[i] : ' ';
	page->len += take;
	return size * n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	const struct page *page = user;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return pd_canceled(page->ctx);
}

static bool status_good(const struct http_args *args, long status)
{
	for (size_t i = 0; i < args->status.len; i++)
		if (strtol(args->status.items[i], NULL, 10) == status)
			return true;
	return false;
}

static void prepare(CURL *curl, const struct probe *probe,
		    const struct http_args *args, struct page *page)
{
	lib.curl_easy_setopt(curl, CURLOPT_URL, args->url);
	lib.curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)probe_left(probe));
	lib.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib.curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	lib.curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	lib.curl_easy_setopt(curl, CURLOPT_XFERINFODATA, page);
	lib.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	lib.curl_easy_setopt(curl, CURLOPT_WRITEDATA, page);
	lib.curl_easy_setopt(curl, CURLOPT_USERAGENT, "patchday-probe");
	if (args->ca)
		lib.curl_easy_setopt(curl, CURLOPT_CAINFO, args->ca);
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
			  const struct page *page, long status)
{
	probe_note(probe, "%s: status %ld, %zu bytes", args->url, status,
		   page->len);
	if (pd_output(probe->ctx, "status", pd_format(probe->ctx, "%ld", status)))
		return probe_why(probe, NEVER, "no output");
	if (!status_good(args, status))
		return probe_why(probe, NOT_YET, "%s answers with status %ld; see "
				 "the log of the %s", args->url, status,
				 args->proxy ? "proxy" : "web server");
	if (args->contains && !strstr(page->body, args->contains))
		return probe_why(probe, NOT_YET, "%s does not contain \"%s\"",
				 args->url, args->contains);
	return PASSED;
}

/* Certificates and addresses don't mend themselves by waiting. */
static bool may_pass(CURLcode code)
{
	return code != CURLE_URL_MALFORMAT && code != CURLE_UNSUPPORTED_PROTOCOL &&
	       code != CURLE_PEER_FAILED_VERIFICATION &&
	       code != CURLE_SSL_CACERT_BADFILE;
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct page *page = user;
	const struct http_args *args = page->args;
	char text[CURL_ERROR_SIZE] = "";
	long status = 0, tunnel = 0;
	CURL *curl = lib.curl_easy_init();
	CURLcode code = CURLE_OK;

	if (!curl)
		return probe_why(probe, NEVER, "libcurl does not start");
	page->len = 0;
	prepare(curl, probe, args, page);
	lib.curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
	code = lib.curl_easy_perform(curl);
	lib.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib.curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	lib.curl_easy_cleanup(curl);
	if (code != CURLE_OK && tunnel >= 300) { /* the proxy's answer to CONNECT */
		code = CURLE_OK;
		status = tunnel;
	}
	if (code != CURLE_OK)
		return probe_why(probe, may_pass(code) ? NOT_YET : NEVER,
				 "can't fetch %s: %s", args->url,
				 *text ? text : lib.curl_easy_strerror(code));
	page->body[page->len] = '\0';
	return judge(probe, args, page, status);
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

/* Does @p text, the parameter @p what, lead to a server of http?  *host is
 * its name, which curl_free() frees. */
static int check_url(struct pd_ctx *ctx, const char *what, const char *text, char **host)
{
	CURLU *url = lib.curl_url();
	char *user = NULL, *scheme = NULL;
	int rc = PD_CHANGED;

	if (lib.curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    lib.curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    lib.curl_url_get(url, CURLUPART_HOST, host, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		rc = pd_fail(ctx, PD_BAD_ARGS, "%s is not an address of http "
			     "or https", what);
	else if (lib.curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		rc = pd_fail(ctx, PD_BAD_ARGS, "%s holds a user name, which "
			     "would be shown; use %s and %s", what,
			     *what == 'p' ? "proxy_user" : "user",
			     *what == 'p' ? "proxy_password" : "password");
	lib.curl_free(user);
	lib.curl_free(scheme);
	lib.curl_url_cleanup(url);
	return rc;
}

/* With a proxy it is the proxy that looks up the server's name. */
static int check(struct pd_ctx *ctx)
{
	const struct http_args *args = ctx->args;
	char *host = NULL, *proxy = NULL;
	int rc = load(ctx);

	if (rc == 0)
		rc = check_url(ctx, "url", args->url, &host);
	if (rc == PD_CHANGED && args->proxy)
		rc = check_url(ctx, "proxy", args->proxy, &proxy);
	if (rc == PD_CHANGED)
		rc = check_list(ctx, &args->status);
	if (rc == PD_CHANGED && *(proxy ? proxy : host) != '[')
		rc = probe_host(ctx, proxy ? proxy : host);
	if (lib.curl_free) {
		lib.curl_free(host);
		lib.curl_free(proxy);
	}
	return rc;
}

static int apply(struct pd_ctx *ctx)
{
	struct page page = { .ctx = ctx, .args = ctx->args,
			     .body = pd_alloc_for(ctx, BODY_MAX + 1) };

	if (load(ctx) < 0)
		return PD_FAILED;
	return probe_run(ctx, page.args->timeout, attempt, &page);
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
