/* SPDX-License-Identifier: MIT */
/* Step probe.print: submit a test page and see it completed. */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../shared/cups.h"

#define CONNECT_MS 5000
#define POLL_MS 200 /* in the first seconds, then once a second */
#define POLL_SOON 50

struct print_args {
	const char *queue;
	const char *file;
	int64_t timeout;
};

static const struct pd_param params[] = {
	PD_PARAM(struct print_args, queue, PD_T_STRING,
		 .help = "printer or class; empty: the default printer"),
	PD_PARAM(struct print_args, file, PD_T_PATH,
		 .help = "test page of your own; empty: a line of text"),
	PD_PARAM(struct print_args, timeout, PD_T_SECONDS, .def = "120",
		 .min = 1, .max = 86400,
		 .help = "the page must be printed in so long"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PROBE_MILLISECONDS,
	PD_OUTPUT("queue", PD_T_STRING, "printer or class that was tried"),
	PD_OUTPUT("job", PD_T_INT, "number of the job in CUPS"),
	PD_OUTPUT_END
};

struct print {
	const struct print_args *args;
	const char *queue;
	const char *page; /* content of args->file, or a line of text */
	size_t page_len;
	http_t *http;
	int job;
};

static ipp_t *ask(struct print *p, ipp_op_t op, const char *uri_name,
		  const char *uri)
{
	ipp_t *question = cups.ippNewRequest(op);

	if (uri)
		cups.ippAddString(question, IPP_TAG_OPERATION, IPP_TAG_URI, uri_name,
				  NULL, uri);
	cups.ippAddString(question, IPP_TAG_OPERATION, IPP_TAG_NAME,
			  "requesting-user-name", NULL, cups.cupsUser());
	return cups.cupsDoRequest(p->http, question, "/");
}

static const char *text_of(struct pd_ctx *ctx, ipp_t *answer, const char *name)
{
	ipp_attribute_t *a = cups.ippFindAttribute(answer, name, IPP_TAG_ZERO);
	char text[512] = "";

	if (!a)
		return "";
	if (cups.ippGetString(a, 0, NULL) && cups.ippGetCount(a) == 1)
		return pd_format(ctx, "%s", cups.ippGetString(a, 0, NULL));
	cups.ippAttributeString(a, text, sizeof(text));
	return pd_format(ctx, "%s", text);
}

static int number_of(ipp_t *answer, const char *name, int missing)
{
	ipp_attribute_t *a = cups.ippFindAttribute(answer, name, IPP_TAG_ZERO);

	if (!a)
		return missing;
	return cups.ippGetValueTag(a) == IPP_TAG_BOOLEAN ? cups.ippGetBoolean(a, 0) :
						      cups.ippGetInteger(a, 0);
}

static enum outcome find_queue(struct probe *probe, struct print *p)
{
	ipp_t *answer = NULL;

	p->queue = p->args->queue && *p->args->queue ? p->args->queue : NULL;
	if (p->queue)
		return PASSED;
	answer = ask(p, IPP_OP_CUPS_GET_DEFAULT, NULL, NULL);
	if (answer && cups.ippFindAttribute(answer, "printer-name", IPP_TAG_NAME))
		p->queue = text_of(probe->ctx, answer, "printer-name");
	cups.ippDelete(answer);
	if (p->queue)
		return PASSED;
	if (cups.cupsLastError() == IPP_STATUS_ERROR_NOT_FOUND)
		return probe_why(probe, NEVER, "CUPS has no default printer; "
				 "set one (lpadmin -d QUEUE) or name a queue");
	return probe_why(probe, NOT_YET, "CUPS does not tell its default "
			 "printer: %s", cups.cupsLastErrorString());
}

/* Is the queue one that prints?  @param told goes into the evidence. */
static enum outcome look_at_queue(struct probe *probe, struct print *p,
				  bool told)
{
	struct pd_ctx *ctx = probe->ctx;
	ipp_t *answer = ask(p, IPP_OP_GET_PRINTER_ATTRIBUTES, "printer-uri",
			    pd_format(ctx, "ipp://localhost/printers/%s",
				      p->queue));
	ipp_status_t status = cups.cupsLastError();
	enum outcome outcome = PASSED;
	const char *reasons = NULL, *message = NULL;

	if (!answer || status >= IPP_STATUS_ERROR_BAD_REQUEST) {
		cups.ippDelete(answer);
		if (status == IPP_STATUS_ERROR_NOT_FOUND)
			return probe_why(probe, NEVER, "there is no queue %s; "
					 "lpstat -p lists them", p->queue);
		return probe_why(probe, NOT_YET, "CUPS does not tell about %s: "
				 "%s", p->queue, cups.cupsLastErrorString());
	}
	reasons = text_of(ctx, answer, "printer-state-reasons");
	message = text_of(ctx, answer, "printer-state-message");
	if (told)
		probe_note(probe, "queue %s: %s, reasons %s", p->queue,
			   text_of(ctx, answer, "printer-make-and-model"),
			   reasons);
	if (!number_of(answer, "printer-is-accepting-jobs", 1))
		outcome = probe_why(probe, NEVER, "queue %s does not accept "
				    "jobs%s%s; cupsaccept %s", p->queue,
				    *message ? ": " : "", message, p->queue);
	else if (number_of(answer, "printer-state", 0) == IPP_PSTATE_STOPPED)
		outcome = probe_why(probe, NEVER, "queue %s is stopped: %s%s%s; "
				    "mend its cause, then cupsenable %s",
				    p->queue, message, *message ? ", " : "",
				    reasons, p->queue);
	cups.ippDelete(answer);
	return outcome;
}

/* @return what the server says to this page. */
static ipp_status_t send_page(struct print *p, const char *format)
{
	/* no blank in its name: by one the cupsd of Debian's 2.4.2-3+deb12u10 crashes */
	if (cups.cupsStartDocument(p->http, p->queue, p->job, "test-page", format,
				   1) != HTTP_STATUS_CONTINUE ||
	    cups.cupsWriteRequestData(p->http, p->page, p->page_len) !=
		    HTTP_STATUS_CONTINUE) {
		cups.cupsFinishDocument(p->http, p->queue);
		return IPP_STATUS_ERROR_INTERNAL;
	}
	return cups.cupsFinishDocument(p->http, p->queue);
}

static enum outcome submit(struct probe *probe, struct print *p)
{
	struct pd_ctx *ctx = probe->ctx;
	const char *format = p->args->file ? CUPS_FORMAT_AUTO : CUPS_FORMAT_TEXT;
	cups_option_t *options = NULL;
	int n = cups.cupsAddOption("job-sheets", "none", 0, &options);
	ipp_status_t status = IPP_STATUS_OK;

	p->job = cups.cupsCreateJob(p->http, p->queue,
				    pd_format(ctx, "patchday test page %s", ctx->run),
			       n, options);
	cups.cupsFreeOptions(n, options);
	if (p->job <= 0) {
		p->job = 0;
		return probe_why(probe, NEVER, "queue %s takes no job: %s",
				 p->queue, cups.cupsLastErrorString());
	}
	if (pd_remember(ctx, "job", pd_format(ctx, "%d", p->job)))
		return probe_why(probe, NEVER, "nothing to remember by");
	status = send_page(p, format);
	if (status == IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED)
		return probe_why(probe, NEVER, "queue %s can't print %s: no "
				 "filter; install cups-filters, or give a page "
				 "that it can print as file", p->queue,
				 p->args->file ? p->args->file : "plain text");
	if (status >= IPP_STATUS_ERROR_BAD_REQUEST)
		return probe_why(probe, NEVER, "queue %s does not take the page: "
				 "%s", p->queue, cups.cupsLastErrorString());
	probe_note(probe, "job %d submitted to %s", p->job, p->queue);
	return PASSED;
}

static const char *const job_states[] = { "pending", "held", "processing",
					  "stopped", "canceled", "aborted",
					  "completed" };

/* CUPS holds a job of its own accord only until its document is there; RFC 8011,
 * 5.2.2 (job-hold-until) and 5.3.7 (job-state). */
static const char *reasons_of(struct pd_ctx *ctx, ipp_t *answer, int state)
{
	if (state == IPP_JSTATE_HELD && strcmp(text_of(ctx, answer, "job-hold-until"), "no-hold") == 0)
		return "by nobody: cupsd has ended and started anew (journalctl -u cups)";
	return text_of(ctx, answer, "job-state-reasons");
}

/* NOT_YET: still on its way. */
static enum outcome look_at_job(struct probe *probe, struct print *p)
{
	struct pd_ctx *ctx = probe->ctx;
	ipp_t *answer = ask(p, IPP_OP_GET_JOB_ATTRIBUTES, "job-uri",
			    pd_format(ctx, "ipp://localhost/jobs/%d", p->job));
	int state = answer ? number_of(answer, "job-state", 0) : 0;
	const char *name = state >= IPP_JSTATE_PENDING &&
			   state <= IPP_JSTATE_COMPLETED ?
		job_states[state - IPP_JSTATE_PENDING] : "unknown";
	bool over = state == IPP_JSTATE_HELD || state == IPP_JSTATE_STOPPED ||
		    state == IPP_JSTATE_CANCELED || state == IPP_JSTATE_ABORTED;
	enum outcome outcome = NOT_YET;

	if (state == IPP_JSTATE_COMPLETED)
		outcome = PASSED;
	else
		probe->why = pd_format(ctx, "job %d on %s is %s: %s (%s); see "
				       "CUPS's error_log", p->job, p->queue,
				       name,
				       reasons_of(ctx, answer, state),
				       text_of(ctx, answer,
					       "job-printer-state-message"));
	cups.ippDelete(answer);
	return over ? NEVER : outcome;
}

static enum outcome watch(struct probe *probe, struct print *p)
{
	for (int n = 0;; n++) {
		const struct timespec soon = { .tv_nsec = POLL_MS * 1000000L };
		const struct timespec later = { .tv_sec = 1 };
		enum outcome outcome = look_at_job(probe, p);

		if (outcome == NOT_YET)
			outcome = look_at_queue(probe, p, false) == NEVER ?
				NEVER : NOT_YET;
		if (outcome != NOT_YET)
			return outcome;
		if (now_ms() > probe->deadline || pd_canceled(probe->ctx))
			return probe_why(probe, NEVER, "%s; it was not printed "
					 "within %lld s", probe->why,
					 (long long)p->args->timeout);
		pd_progress(probe->ctx, 0, 0, probe->why);
		nanosleep(n < POLL_SOON ? &soon : &later, NULL);
	}
}

/* A job of an apply that was cut short must not come out of the printer
 * beside the new one. */
static void cancel_old(struct probe *probe, struct print *p)
{
	const char *old = pd_recall(probe->ctx, "job");

	if (old)
		cups.ippDelete(ask(p, IPP_OP_CANCEL_JOB, "job-uri",
				   pd_format(probe->ctx, "ipp://localhost/jobs/%s",
					     old)));
}

static int put_outputs(struct pd_ctx *ctx, const struct print *p)
{
	if (pd_output(ctx, "queue", p->queue))
		return PD_FAILED;
	return pd_output(ctx, "job", pd_format(ctx, "%d", p->job));
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct print *p = user;
	enum outcome outcome = PASSED;

	p->job = 0;
	p->http = cups.httpConnect2(cups.cupsServer(), cups.ippPort(), NULL, AF_UNSPEC,
				    cups.cupsEncryption(), 1, CONNECT_MS, NULL);
	if (!p->http)
		return probe_why(probe, NOT_YET, "can't reach CUPS at %s: %s; "
				 "does cupsd run? See systemctl status cups",
				 cups.cupsServer(), cups.cupsLastErrorString());
	cancel_old(probe, p);
	outcome = find_queue(probe, p);
	if (outcome == PASSED)
		outcome = look_at_queue(probe, p, true);
	if (outcome == PASSED)
		outcome = submit(probe, p);
	if (outcome == PASSED)
		outcome = watch(probe, p);
	if (outcome == PASSED && put_outputs(probe->ctx, p))
		outcome = NEVER;
	if (outcome != PASSED && p->job) {
		const char *why = probe->why;

		probe_note(probe, "%s\njob %d is canceled", why, p->job);
		cancel_old(probe, p);
	} else if (outcome == PASSED) {
		probe_note(probe, "job %d completed", p->job);
	}
	cups.httpClose(p->http);
	return outcome;
}

static int check(struct pd_ctx *ctx)
{
	const struct print_args *args = ctx->args;

	if (args->queue && (strpbrk(args->queue, " /#?%") ||
			    strlen(args->queue) > 127))
		return pd_fail(ctx, PD_BAD_ARGS, "\"%s\" can't be the name of a "
			       "queue", args->queue);
	if (args->file && !pd_read_file(ctx, args->file, 16u << 20, NULL)) {
		pd_inhibit(ctx, "the test page can't be printed",
			   pd_format(ctx, "%s can't be read", args->file),
			   "correct file in the workflow");
		return PD_REFUSED;
	}
	return cups_load(ctx) ? PD_CHANGED : PD_FAILED;
}

static int apply(struct pd_ctx *ctx)
{
	struct print p = { .args = ctx->args };
	char when[64] = "";
	time_t now = time(NULL);
	struct tm tm = { 0 };

	if (!cups_load(ctx))
		return PD_FAILED;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
	if (p.args->file) {
		p.page = pd_read_file(ctx, p.args->file, 16u << 20, &p.page_len);
		if (!p.page)
			return pd_fail(ctx, PD_FAILED, "can't read %s",
				       p.args->file);
	} else {
		p.page = pd_format(ctx, "Test page of patchday: %s, run %s, %s\n",
				   ctx->server, ctx->run, when);
		p.page_len = strlen(p.page);
	}
	return probe_run(ctx, p.args->timeout, attempt, &p);
}

const struct pd_step step_print = {
	PD_STEP,
	.name = "print",
	.help = "print a test page and wait until it is completed",
	.params = params,
	.args_size = sizeof(struct print_args),
	.outputs = outputs,
	.check = check,
	.apply = apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
	.expected = 5,
};
