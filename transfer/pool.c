/* SPDX-License-Identifier: MIT */
/* The downloads under way, by libcurl's multi interface. */
#include "pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { POLL = 200, POLL_LIMITED = 20, LONGEST_WAIT = 300 };
enum { EVENTS = 1000, LINES = 10000 }; /* milliseconds between two of them */
enum { SLOWEST = 1024 }; /* bytes a second of one job: below it stalls, so that others get their turn */

static int64_t clock_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* No more than half of what the rate leaves to each. */
static long slowest(const struct pool *p)
{
	int64_t share = p->rate / p->parallel / 2;

	return p->rate == 0 || share > SLOWEST ? SLOWEST : share > 0 ? (long)share : 1;
}

/* What holds for every request. */
static void set_up(const struct pool *p, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,file");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE);
#endif
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, p->connect);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, slowest(p));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, p->stall);
	if (p->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, p->proxy);
	if (p->proxy_user) {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, p->proxy_user);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, p->proxy_password ? p->proxy_password : "");
		curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
	}
	if (p->authorities)
		curl_easy_setopt(easy, CURLOPT_CAINFO, p->authorities);
}

/* Where a redirection may lead; never to a file of this machine. */
static void set_redirections(CURL *easy, bool secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
			 CURLPROTO_HTTPS | (secure ? 0L : CURLPROTO_HTTP));
#endif
}

static void over(struct pool *p, struct job *j, enum job_state state)
{
	j->state = state;
	part_close(j);
	p->finished++;
	p->over(j);
}

/* What the source asks for counts; else longer and longer. */
static int64_t pause_of(const struct job *j)
{
	int64_t seconds = j->tries < 6 ? INT64_C(1) << (j->tries - 1) : 30;

	if (j->retry_after > seconds)
		seconds = j->retry_after < LONGEST_WAIT ? j->retry_after : LONGEST_WAIT;
	return seconds * 1000;
}

static void begin(struct pool *p, struct job *j)
{
	if (j->tries == 0 && part_is_there(j)) {
		over(p, j, JOB_UNCHANGED);
		return;
	}
	if (!job_begin(j)) {
		over(p, j, JOB_FAILED);
		return;
	}
	set_up(p, j->easy);
	set_redirections(j->easy, p->secure && strncasecmp(j->url, "https:", 6) == 0);
	j->budget = p->rate ? &p->budget : NULL;
	curl_multi_add_handle(p->multi, j->easy);
	p->running++;
}

/* Fill the free places with what may be (tried) now. */
static void begin_some(struct pool *p)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < p->len && p->running < p->parallel; i++)
		if (p->jobs[i].state == JOB_WAITING && p->jobs[i].not_before <= now)
			begin(p, &p->jobs[i]);
}

static void ended(struct pool *p, struct job *j, CURLcode code)
{
	enum job_state state = job_end(j, code);

	curl_multi_remove_handle(p->multi, j->easy);
	curl_easy_cleanup(j->easy);
	j->easy = NULL;
	p->running--;
	if (state == JOB_WAITING && j->tries > p->retries)
		state = JOB_FAILED;
	if (state != JOB_WAITING) {
		over(p, j, state);
		return;
	}
	j->state = JOB_WAITING;
	j->not_before = clock_ms() + pause_of(j);
}

static void collect(struct pool *p)
{
	CURLMsg *message;
	int left = 0;

	while ((message = curl_multi_info_read(p->multi, &left)) != NULL) {
		char *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		ended(p, (struct job *)(void *)job, message->data.result);
	}
}

/* libcurl's own limit lets the first megabytes through as fast as they come. */
static void refill(struct pool *p)
{
	int64_t now = clock_ms(), passed = now - p->refilled;

	if (!p->rate)
		return;
	p->refilled = now;
	p->budget += p->rate / 1000 * passed + p->rate % 1000 * passed / 1000;
	if (p->budget > p->rate)
		p->budget = p->rate;
	for (size_t i = 0; i < p->len && p->budget > 0; i++)
		if (p->jobs[i].state == JOB_RUNNING && p->jobs[i].paused) {
			p->jobs[i].paused = false;
			curl_easy_pause(p->jobs[i].easy, CURLPAUSE_CONT);
		}
}

/* On a terminal a line that lives; elsewhere a line now and then. */
static void show(struct pool *p)
{
	int64_t have = 0, all = 0, now = clock_ms(), pause = p->progress == PROGRESS_LIVE ? POLL :
		p->progress == PROGRESS_EVENTS ? EVENTS : LINES;

	if (p->progress == PROGRESS_NONE || now - p->shown < pause)
		return;
	p->shown = now;
	for (size_t i = 0; i < p->len; i++) {
		have += p->jobs[i].have;
		all += p->jobs[i].bytes > 0 ? p->jobs[i].bytes : p->jobs[i].have;
	}
	if (p->progress == PROGRESS_EVENTS)
		fprintf(stderr, "{\"event\":\"progress\",\"files\":%zu,\"files_of\":%zu,\"bytes\":%" PRId64
			",\"bytes_of\":%" PRId64 "}\n", p->finished, p->len, have, all);
	else
		fprintf(stderr, "%s%zu of %zu files, %.1f of %.1f MiB%s", p->progress == PROGRESS_LIVE ?
			"\r\033[K" : "", p->finished, p->len, (double)have / (1 << 20),
			(double)all / (1 << 20), p->progress == PROGRESS_LIVE ? "" : "\n");
}

static void give_up(struct pool *p)
{
	for (size_t i = 0; i < p->len; i++) {
		struct job *j = &p->jobs[i];

		if (j->state != JOB_WAITING && j->state != JOB_RUNNING)
			continue;
		if (j->state == JOB_RUNNING)
			curl_multi_remove_handle(p->multi, j->easy);
		pd_error_free(j->err);
		j->err = NULL;
		pd_error_set(&j->err, "transfer-failed", "%s: it was stopped", j->url);
		over(p, j, JOB_FAILED);
	}
}

bool pool_run(struct pool *p)
{
	bool ok = true;
	int active = 0;

	p->multi = curl_multi_init();
	p->refilled = p->shown = clock_ms();
	while (p->finished < p->len && !*p->stop) {
		refill(p);
		begin_some(p);
		curl_multi_perform(p->multi, &active);
		collect(p);
		show(p);
		if (p->finished < p->len)
			curl_multi_poll(p->multi, NULL, 0, p->rate ? POLL_LIMITED : POLL, NULL);
	}
	give_up(p);
	p->shown -= p->progress == PROGRESS_EVENTS ? EVENTS : 0; /* how it ended is told in any case */
	show(p);
	if (p->progress == PROGRESS_LIVE)
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < p->len; i++)
		ok = ok && p->jobs[i].state != JOB_FAILED;
	curl_multi_cleanup(p->multi);
	return ok;
}
