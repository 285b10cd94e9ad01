/* SPDX-License-Identifier: MIT */
/* libcurl for the probes of this plugin: loaded late, and what each sets. */
#include "curl.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

#define BODY_MAX (1u << 20)
#define NAME(name) #name,

struct curl_library lib;

int curl_load(struct pd_ctx *ctx)
{
	static const char *const names[] = { CURL_FUNCTIONS(NAME) };
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

static bool one_of(const char *scheme, const char *const *schemes)
{
	while (*schemes && strcmp(*schemes, scheme) != 0)
		schemes++;
	return *schemes;
}

int curl_address(struct pd_ctx *ctx, const char *what, const char *text,
		 const char *const *schemes, char **host)
{
	CURLU *url = lib.curl_url();
	char *user = NULL, *scheme = NULL;
	int rc = PD_CHANGED;

	if (lib.curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    lib.curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    lib.curl_url_get(url, CURLUPART_HOST, host, 0) != CURLUE_OK ||
	    !one_of(scheme, schemes))
		rc = pd_fail(ctx, PD_BAD_ARGS, "%s is not an address of %s or %s",
			     what, schemes[0], schemes[1]);
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

struct answer *curl_answer(struct pd_ctx *ctx)
{
	struct answer *answer = pd_alloc_for(ctx, sizeof(*answer));

	answer->ctx = ctx;
	answer->body = pd_alloc_for(ctx, BODY_MAX + 1);
	return answer;
}

static size_t on_data(char *data, size_t size, size_t n, void *user)
{
	struct answer *answer = user;
	size_t room = BODY_MAX - answer->len;
	size_t take = size * n < room ? size * n : room;

	for (size_t i = 0; i < take; i++) /* a NUL would hide the rest */
		answer->body[answer->len + i] = data[i] ? data[i] : ' ';
	answer->len += take;
	return size * n;
}

/* By smtp or imap; what comes after it is only a good-bye. */
static bool is_refusal(const char *line)
{
	const char *word = strchr(line, ' ');

	return *line == '4' || *line == '5' ||
	       (word && (strncmp(word, " NO ", 4) == 0 || strncmp(word, " BAD ", 5) == 0));
}

static size_t on_line(char *data, size_t size, size_t n, void *user)
{
	struct answer *answer = user;
	size_t len = size * n < sizeof(answer->said) ? size * n : sizeof(answer->said) - 1;

	if (is_refusal(answer->said))
		return size * n;
	while (len && strchr("\r\n", data[len - 1]))
		len--;
	memcpy(answer->said, data, len);
	answer->said[len] = '\0';
	return size * n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	const struct answer *answer = user;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return pd_canceled(answer->ctx);
}

CURL *curl_begin(struct probe *probe, struct answer *answer, const char *ca, int64_t valid)
{
	CURL *curl = lib.curl_easy_init();

	if (!curl) {
		probe_why(probe, NEVER, "libcurl does not start");
		return NULL;
	}
	lib.curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)probe_left(probe));
	lib.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib.curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	lib.curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	lib.curl_easy_setopt(curl, CURLOPT_XFERINFODATA, answer);
	lib.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	lib.curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	lib.curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
	lib.curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
	lib.curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer->error);
	lib.curl_easy_setopt(curl, CURLOPT_CERTINFO, valid > 0 ? 1L : 0L);
	lib.curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (ca)
		lib.curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	return curl;
}

CURLcode curl_go(CURL *curl, struct answer *answer)
{
	CURLcode code;

	answer->len = 0;
	*answer->said = *answer->error = '\0';
	code = lib.curl_easy_perform(curl);
	answer->body[answer->len] = '\0';
	return code;
}

const char *curl_why(const struct answer *answer, CURLcode code)
{
	return *answer->error ? answer->error : lib.curl_easy_strerror(code);
}

enum outcome curl_later(CURLcode code)
{
	return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
			       code == CURLE_PEER_FAILED_VERIFICATION ||
			       code == CURLE_SSL_CACERT_BADFILE || code == CURLE_LOGIN_DENIED ?
		       NEVER :
		       NOT_YET;
}

/* Of all that came along, when the first one runs out, as it is written there. */
static const char *first_end(const struct curl_certinfo *chain, time_t *end)
{
	static const char key[] = "Expire date:";
	const char *first = NULL;

	for (int i = 0; i < chain->num_of_certs; i++)
		for (const struct curl_slist *s = chain->certinfo[i]; s; s = s->next) {
			const char *date = s->data + sizeof(key) - 1;
			time_t when = strncmp(s->data, key, sizeof(key) - 1) == 0 ?
					      lib.curl_getdate(date, NULL) : -1;

			if (when < 0 || (first && when >= *end))
				continue;
			first = date;
			*end = when;
		}
	return first;
}

enum outcome curl_certificate(CURL *curl, struct probe *probe, const char *url, int64_t valid)
{
	struct curl_certinfo *chain = NULL;
	const char *date = NULL;
	time_t end = 0;

	if (!valid)
		return PASSED;
	if (lib.curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) == CURLE_OK && chain)
		date = first_end(chain, &end);
	probe_note(probe, "the certificate of %s is valid until: %s", url, date ? date : "there is none");
	return !date || end - time(NULL) >= valid ? PASSED :
		probe_why(probe, NEVER, "the certificate of %s is valid only until %s; renew it", url, date);
}
