/* SPDX-License-Identifier: MIT */
/*
 * patchday-transfer: fetches files.  A list of them comes as JSON on standard
 * input, so that no password stands in a command line; a line of JSON goes out
 * for each that is over.  See doc/transfer.md.
 *
 * Exit status: 0 all are there, 1 some are not, 2 the list is not in order and
 * nothing was fetched.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pool.h"

enum { LIST_MAX = 64 << 20, MAX_PARALLEL = 64 };

static volatile int stop;
static const struct job *first; /* the list, to count from */

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void over(const struct job *j)
{
	static const char *const names[] = { "", "", "done", "unchanged", "failed" };
	const char *advice = j->err ? pd_error_advice(j->err) : NULL;
	bool failed = j->state == JOB_FAILED;
	pd_auto_json *line = json_pack("{s:I, s:s, s:s, s:I, s:i, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "n",
		(json_int_t)(j - first + 1), "state", names[j->state], "url", j->url, "bytes",
		(json_int_t)j->have, "tries", (int)j->tries, "etag", j->got_etag, "modified",
		j->got_modified, "aside", j->aside, "id", failed ? j->err->id : NULL, "message", failed ?
		j->err->message : NULL, "remedy", failed ? advice : NULL);
	pd_auto_free char *text = pd_json_line(line);

	puts(text);
	fflush(stdout);
}

static bool read_input(struct pd_buffer *to)
{
	char block[1 << 14];
	ssize_t n;

	while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0 && to->len < LIST_MAX)
		pd_buffer_add(to, block, (size_t)n);
	return n == 0;
}

static int64_t within(const json_t *list, const char *key, int64_t otherwise, int64_t low, int64_t high)
{
	int64_t n = pd_json_number(list, key, otherwise);

	return n < low ? low : n > high ? high : n;
}

static enum progress progress_of(const json_t *list)
{
	if (strcmp(pd_json_text(list, "progress", ""), "events") == 0)
		return PROGRESS_EVENTS;
	return !pd_json_true(list, "progress") ? PROGRESS_NONE :
	       isatty(STDERR_FILENO) ? PROGRESS_LIVE : PROGRESS_LINES;
}

static bool fill(struct pool *p, const json_t *list, struct pd_error **err)
{
	const json_t *files = json_object_get(list, "files");
	json_t *entry;
	size_t i;

	if (!json_is_array(files))
		return pd_error_set(err, "transfer-job", "the list has no \"files\"");
	p->parallel = (unsigned)within(list, "parallel", 4, 1, MAX_PARALLEL);
	p->retries = (unsigned)within(list, "retries", 5, 0, 100);
	p->rate = within(list, "rate", 0, 0, INT64_C(1) << 40);
	p->stall = (long)within(list, "stall", 60, 1, 86400);
	p->connect = (long)within(list, "connect", 30, 1, 86400);
	p->proxy = pd_json_text(list, "proxy", NULL);
	p->proxy_user = pd_json_text(list, "proxy_user", NULL);
	p->proxy_password = pd_json_text(list, "proxy_password", NULL);
	p->authorities = pd_json_text(list, "authorities", NULL);
	p->secure = pd_json_true(list, "secure");
	p->progress = progress_of(list);
	p->jobs = pd_alloc((json_array_size(files) + 1) * sizeof(*p->jobs));
	json_array_foreach(files, i, entry) {
		p->jobs[i].fd = -1;
		p->len = i + 1;
		if (!job_read(&p->jobs[i], entry, err))
			return pd_error_prefix(err, "entry %zu", i + 1);
	}
	return true;
}

int main(void)
{
	struct pool p = { .over = over, .stop = &stop };
	struct sigaction ends = { .sa_handler = on_signal };
	struct pd_buffer text = {0};
	pd_auto_error *err = NULL;
	pd_auto_json *list = NULL;
	int status = 2;

	sigaction(SIGINT, &ends, NULL);
	sigaction(SIGTERM, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	if (read_input(&text))
		list = pd_json_parse(text.data ? text.data : "", text.len, "standard input", &err);
	if (list && fill(&p, list, &err) && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		first = p.jobs;
		status = pool_run(&p) ? 0 : 1;
		curl_global_cleanup();
	}
	if (err)
		fprintf(stderr, "patchday-transfer: %s [%s]\n", err->message, err->id);
	for (size_t i = 0; i < p.len; i++)
		job_clear(&p.jobs[i]);
	free(p.jobs);
	pd_buffer_clear(&text);
	return status;
}
