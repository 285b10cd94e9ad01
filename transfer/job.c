/* SPDX-License-Identifier: MIT */
/* One file: an entry of the list, its requests, and what an answer means. */
#include "job.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "digest.h"

#define DEFAULT_MAX (INT64_C(16) << 30)

static bool has_scheme(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0 ||
	       strncasecmp(url, "file://", 7) == 0;
}

static bool is_place(const char *to)
{
	const char *slash = strrchr(to, '/');

	return *to == '/' && slash[1] && !strstr(to, "/../") && strcmp(slash, "/..") != 0;
}

bool job_read(struct job *j, const json_t *entry, struct pd_error **err)
{
	*j = (struct job){ .fd = -1,
		.url = pd_json_text(entry, "url", ""), .to = pd_json_text(entry, "to", ""),
		.digest = pd_json_text(entry, "digest", NULL),
		.etag = pd_json_text(entry, "etag", NULL),
		.modified = pd_json_text(entry, "modified", NULL),
		.user = pd_json_text(entry, "user", NULL),
		.password = pd_json_text(entry, "password", NULL),
		.bytes = pd_json_number(entry, "bytes", -1),
		.max = pd_json_number(entry, "max", DEFAULT_MAX) };
	if (!has_scheme(j->url))
		return pd_error_set(err, "transfer-job", "'%s' is no address of http, https or file",
				    j->url);
	if (!is_place(j->to))
		return pd_error_set(err, "transfer-job", "%s: '%s' is no absolute path of a file",
				    j->url, j->to);
	if (j->digest && !digest_known(j->digest))
		return pd_error_set(err, "transfer-job", "%s: '%s' is no digest of md5, sha1, sha224,"
				    " sha256, sha384 or sha512", j->url, j->digest);
	if (j->bytes > j->max)
		return pd_error_set(err, "transfer-size", "%s is said to have %" PRId64 " bytes, more"
				    " than the %" PRId64 " allowed", j->url, j->bytes, j->max);
	j->part = pd_print("%.*s.%s.part", (int)(strrchr(j->to, '/') + 1 - j->to), j->to,
			   strrchr(j->to, '/') + 1);
	j->note = pd_print("%s.json", j->part);
	return true;
}

void job_clear(struct job *j)
{
	part_close(j);
	curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->headers);
	pd_error_free(j->err);
	free(j->part);
	free(j->note);
	free(j->aside);
	free(j->got_etag);
	free(j->got_modified);
}

/* ------------------------------------------------------- the answer */

static long status_of(const struct job *j)
{
	long status = 0;

	curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* The value of a header line without the space around it; NULL: another one. */
static char *value_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	for (n++; n < len && isspace((unsigned char)line[n]); n++)
		;
	while (len > n && isspace((unsigned char)line[len - 1]))
		len--;
	return pd_strndup(line + n, len - n);
}

static void take(char **slot, char *value)
{
	if (!value)
		return;
	free(*slot);
	*slot = value;
}

static size_t on_header(char *line, size_t one, size_t len, void *user)
{
	struct job *j = user;
	pd_auto_free char *range = value_of(line, one * len, "content-range");
	pd_auto_free char *later = value_of(line, one * len, "retry-after");

	if (one * len > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of a further answer */
		j->began_at = -1;
		j->retry_after = 0;
	}
	if (range && strncasecmp(range, "bytes ", 6) == 0)
		j->began_at = strtoll(range + 6, NULL, 10);
	if (later)
		j->retry_after = strtoll(later, NULL, 10);
	if (status_of(j) / 100 == 2) {
		take(&j->got_etag, value_of(line, one * len, "etag"));
		take(&j->got_modified, value_of(line, one * len, "last-modified"));
	}
	return one * len;
}

/* The first bytes of the body: the rest that was asked for, or all of it? */
static bool begin_body(struct job *j)
{
	long status = status_of(j);

	j->receiving = true;
	if (j->resumed && (status == 0 || (status == 206 && j->began_at == j->have)))
		return true;
	if (!part_empty(j))
		return false;
	part_note(j);
	return true;
}

static size_t on_data(char *data, size_t one, size_t len, void *user)
{
	struct job *j = user;
	size_t n = one * len;
	int64_t limit = j->bytes >= 0 ? j->bytes : j->max;

	j->paused = j->budget && *j->budget <= 0;
	if (j->paused)
		return CURL_WRITEFUNC_PAUSE;
	if (j->budget)
		*j->budget -= (int64_t)n;
	if (status_of(j) >= 300)
		return n; /* what the server says about its failure */
	if (!j->receiving && !begin_body(j)) {
		pd_error_errno(&j->err, "transfer-failed", errno, "cannot write %s", j->part);
		return 0;
	}
	if (j->have + (int64_t)n > limit) {
		pd_error_set(&j->err, "transfer-size", "%s is larger than the %" PRId64 " bytes %s",
			     j->url, limit, j->bytes >= 0 ? "it is said to have" : "allowed");
		(void)!part_empty(j);
		return 0;
	}
	if (part_add(j, data, n))
		return n;
	pd_error_errno(&j->err, "transfer-failed", errno, "cannot write %s", j->part);
	return 0;
}

/* ------------------------------------------------------- the request */

static void add_header(struct job *j, const char *name, const char *value)
{
	pd_auto_free char *line = pd_print("%s: %s", name, value);

	j->headers = curl_slist_append(j->headers, line);
}

/* Only if it is another one than ours, or only what is missing of it. */
static void ask(struct job *j)
{
	pd_auto_free char *range = pd_print("%" PRId64 "-", j->have);
	bool web = strncasecmp(j->url, "file:", 5) != 0;

	if (j->have > 0) {
		j->resumed = true;
		curl_easy_setopt(j->easy, CURLOPT_RANGE, range);
		if (web && (j->got_etag || j->got_modified))
			add_header(j, "If-Range", j->got_etag ? j->got_etag : j->got_modified);
		return;
	}
	if (web && j->etag)
		add_header(j, "If-None-Match", j->etag);
	if (web && j->modified)
		add_header(j, "If-Modified-Since", j->modified);
}

bool job_begin(struct job *j)
{
	pd_error_free(j->err);
	j->err = NULL;
	if (!part_open(j, &j->err))
		return false;
	curl_slist_free_all(j->headers);
	j->headers = NULL;
	j->resumed = j->receiving = j->paused = false;
	j->began_at = -1;
	j->retry_after = 0;
	j->tries++;
	j->state = JOB_RUNNING;
	j->easy = curl_easy_init();
	if (!j->easy)
		return pd_error_set(&j->err, "transfer-failed", "libcurl gives no handle");
	ask(j);
	curl_easy_setopt(j->easy, CURLOPT_URL, j->url);
	curl_easy_setopt(j->easy, CURLOPT_PRIVATE, j);
	curl_easy_setopt(j->easy, CURLOPT_HTTPHEADER, j->headers);
	curl_easy_setopt(j->easy, CURLOPT_ERRORBUFFER, j->curl_error);
	curl_easy_setopt(j->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(j->easy, CURLOPT_HEADERDATA, j);
	curl_easy_setopt(j->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(j->easy, CURLOPT_WRITEDATA, j);
	/* to the host that is asked only, never to one that it sends us to */
	if (j->user) {
		curl_easy_setopt(j->easy, CURLOPT_USERNAME, j->user);
		curl_easy_setopt(j->easy, CURLOPT_PASSWORD, j->password ? j->password : "");
		curl_easy_setopt(j->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_ANYSAFE | (long)CURLAUTH_BASIC);
	}
	return true;
}

/* ---------------------------------------------------------- the end */

static bool is_passing(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT: case CURLE_GOT_NOTHING: case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: case CURLE_PARTIAL_FILE: case CURLE_HTTP2: case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static bool is_busy(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* The whole file, from its start: what is there does not fit. */
static enum job_state again_from_start(struct job *j)
{
	return part_empty(j) ? JOB_WAITING : JOB_FAILED;
}

static enum job_state finish(struct job *j)
{
	bool was_resumed = j->resumed && status_of(j) != 200;

	if (part_finish(j, &j->err))
		return JOB_DONE;
	/* its two halves may be of two files */
	return was_resumed && strcmp(j->err->id, "transfer-failed") != 0 ? again_from_start(j) :
									 JOB_FAILED;
}

enum job_state job_end(struct job *j, CURLcode code)
{
	long status = status_of(j);
	bool web = strncasecmp(j->url, "file:", 5) != 0;

	if (j->err) /* of our own making: a full disk, too large */
		return JOB_FAILED;
	if (j->resumed && (status == 416 || code == CURLE_RANGE_ERROR ||
			   code == CURLE_BAD_DOWNLOAD_RESUME ||
			   (status == 206 && j->began_at != j->have && !j->receiving))) {
		pd_error_set(&j->err, "transfer-failed", "%s is not what it was", j->url);
		return again_from_start(j);
	}
	if (code != CURLE_OK) {
		pd_error_set(&j->err, "transfer-failed", "%s: %s", j->url,
			     *j->curl_error ? j->curl_error : curl_easy_strerror(code));
		return is_passing(code) ? JOB_WAITING : JOB_FAILED;
	}
	if (status == 304)
		return JOB_UNCHANGED;
	if (web && status / 100 != 2) {
		pd_error_set(&j->err, "transfer-failed", "%s: the server answers %ld", j->url, status);
		return is_busy(status) ? JOB_WAITING : JOB_FAILED;
	}
	if (!j->receiving && !begin_body(j)) { /* an empty file, or nothing was missing */
		pd_error_errno(&j->err, "transfer-failed", errno, "cannot write %s", j->part);
		return JOB_FAILED;
	}
	return finish(j);
}
