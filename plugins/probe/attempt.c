/* SPDX-License-Identifier: MIT */
/* Shared source: a client test tries until its time is over, and leaves evidence. */
#include "probe.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVIDENCE_MAX (64u << 10)

int64_t now_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t probe_left(const struct probe *probe)
{
	int64_t left = (probe->deadline - now_ms() + 999) / 1000;

	return left < 1 ? 1 : left;
}

static void append(struct probe *probe, const char *line)
{
	size_t n = strlen(line);

	if (probe->len + n + 2 > EVIDENCE_MAX)
		return;
	memcpy(probe->text + probe->len, line, n);
	probe->len += n;
	probe->text[probe->len++] = '\n';
}

void probe_note(struct probe *probe, const char *fmt, ...)
{
	const char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = probe->ctx->host->format(probe->ctx, fmt, ap);
	va_end(ap);
	append(probe, line);
}

enum outcome probe_why(struct probe *probe, enum outcome outcome,
		       const char *fmt, ...)
{
	const char *why = NULL;
	size_t len = 0;
	va_list ap;

	va_start(ap, fmt);
	why = probe->ctx->host->format(probe->ctx, fmt, ap);
	va_end(ap);
	len = strlen(why);
	while (len && strchr(" \n\r\t", why[len - 1])) /* of what was quoted */
		len--;
	probe->why = pd_format(probe->ctx, "%.*s", (int)len, why);
	append(probe, probe->why);
	return outcome;
}

static int evidence(struct probe *probe)
{
	struct pd_ctx *ctx = probe->ctx;
	const char *path = pd_format(ctx, "%s/probe.txt", ctx->work_dir);

	if (pd_write_file(ctx, path, 0600, probe->text, probe->len))
		return PD_FAILED;
	return pd_evidence(ctx, path, pd_format(ctx, "what %s saw", ctx->step));
}

int probe_fail(struct probe *probe, enum outcome outcome)
{
	struct pd_ctx *ctx = probe->ctx;

	if (pd_canceled(ctx))
		return pd_fail(ctx, PD_CANCELED, "canceled; last: %s",
			       probe->why);
	return pd_fail(ctx, PD_FAILED, "%s%s", probe->why,
		       outcome == NOT_YET ? pd_format(ctx, " (still so after "
						      "%lld s)",
						      (long long)(now_ms() - probe->start) / 1000) :
					    "");
}

static int conclude(struct probe *probe, enum outcome outcome)
{
	struct pd_ctx *ctx = probe->ctx;
	int64_t took = now_ms() - probe->start;

	if (outcome == PASSED)
		probe_note(probe, "passed after %lld ms", (long long)took);
	if (evidence(probe))
		return PD_FAILED;
	if (outcome != PASSED)
		return probe_fail(probe, outcome);
	if (pd_output(ctx, "milliseconds",
		      pd_format(ctx, "%lld", (long long)took)) ||
	    pd_remember(ctx, "passed", "1"))
		return PD_FAILED;
	return PD_CHANGED;
}

enum outcome probe_try(struct probe *probe, int64_t timeout,
		       attempt_fn *attempt, void *user)
{
	struct pd_ctx *ctx = probe->ctx;
	enum outcome outcome = NOT_YET;

	probe->start = now_ms();
	probe->deadline = probe->start + timeout * 1000;
	probe->text = pd_alloc_for(ctx, EVIDENCE_MAX);
	for (int n = 1;; n++) {
		outcome = attempt(probe, user);
		if (outcome != NOT_YET || pd_canceled(ctx) ||
		    now_ms() + 1000 >= probe->deadline)
			return outcome;
		if (n == 1)
			pd_log(ctx, PD_LOG_INFO, "%s; trying for %lld s more",
			       probe->why, (long long)probe_left(probe));
		pd_progress(ctx, 0, 0, probe->why);
		sleep(1);
	}
}

int probe_run(struct pd_ctx *ctx, int64_t timeout, attempt_fn *attempt,
	      void *user)
{
	struct probe probe = { .ctx = ctx, .why = "" };

	if (pd_recall(ctx, "passed") && pd_remember(ctx, "passed", NULL))
		return PD_FAILED;
	return conclude(&probe, probe_try(&probe, timeout, attempt, user));
}

int probe_verify(struct pd_ctx *ctx)
{
	if (pd_recall(ctx, "passed"))
		return PD_UNCHANGED;
	return pd_fail(ctx, PD_FAILED, "the probe has not passed");
}

int probe_host(struct pd_ctx *ctx, const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &found);

	if (rc == 0) {
		freeaddrinfo(found);
		return PD_CHANGED;
	}
	if (rc != EAI_NONAME) { /* name service down now may be up by then */
		pd_log(ctx, PD_LOG_WARN, "can't look up %s: %s", host,
		       gai_strerror(rc));
		return PD_CHANGED;
	}
	pd_inhibit(ctx, "the client test can't work",
		   pd_format(ctx, "there is no host %s", host),
		   "correct the name in the workflow, or the name service");
	return PD_REFUSED;
}

enum outcome probe_lookup(struct probe *probe, const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &found);

	if (rc)
		return probe_why(probe, NOT_YET, "can't look up %s: %s; check the "
				 "name and the name service", host,
				 gai_strerror(rc));
	freeaddrinfo(found);
	return PASSED;
}

int probe_tool(struct pd_ctx *ctx, const char *tool, const char *remedy)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin",
					       "/bin" };

	if (strchr(tool, '/') && access(tool, X_OK) == 0)
		return PD_CHANGED;
	for (size_t i = 0; !strchr(tool, '/') &&
	     i < sizeof(folders) / sizeof(*folders); i++)
		if (access(pd_format(ctx, "%s/%s", folders[i], tool), X_OK) == 0)
			return PD_CHANGED;
	pd_inhibit(ctx, "the client test can't work",
		   pd_format(ctx, "there is no program %s", tool), remedy);
	return PD_REFUSED;
}
