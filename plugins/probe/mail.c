/* SPDX-License-Identifier: MIT */
/* Steps probe.imap and probe.mail: log in to a mailbox; send a message to it,
 * and read it back. */
#include "curl.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

struct mail_args {
	const char *imap;
	const char *user;
	const struct pd_secret *password;
	const char *smtp; /* from here on, of probe.mail alone */
	const char *to;
	const char *from;
	const char *ca;
	bool starttls;
	int64_t valid;
	int64_t timeout;
};

#define MAILBOX                                                                    \
	PD_PARAM(struct mail_args, imap, PD_T_STRING, .def = "imap://localhost",   \
		 .help = "imap or imaps address of the mailbox, imaps://HOST/FOLDER; " \
			 "without a folder: INBOX"),                               \
	PD_PARAM(struct mail_args, user, PD_T_STRING, .flags = PD_P_REQUIRED,      \
		 .help = "user to log in as"),                                     \
	PD_PARAM(struct mail_args, password, PD_T_SECRET, .flags = PD_P_REQUIRED,  \
		 .help = "password of the user"),                                  \
	PD_PARAM(struct mail_args, starttls, PD_T_BOOL, .def = "false",            \
		 .help = "smtp and imap addresses have to go on by TLS"),          \
	PROBE_CA(mail_args), PROBE_VALID(mail_args), PROBE_TIMEOUT(mail_args)

static const struct pd_param imap_params[] = { MAILBOX, PD_PARAM_END };

static const struct pd_param mail_params[] = {
	PD_PARAM(struct mail_args, to, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "address whose messages come into the mailbox"),
	PD_PARAM(struct mail_args, from, PD_T_STRING,
		 .help = "address of the sender; empty: as to"),
	PD_PARAM(struct mail_args, smtp, PD_T_STRING, .def = "smtp://localhost",
		 .help = "smtp or smtps address that takes the message; "
			 "where it asks for a login, that of user"),
	MAILBOX, PD_PARAM_END
};

static const struct pd_output outputs[] = { PROBE_MILLISECONDS, PD_OUTPUT_END };

struct mail {
	const struct mail_args *args;
	struct answer *answer;
	const char *folder;  /* address of the mailbox */
	const char *subject; /* of all messages of this server's probes */
	const char *token;   /* of this one alone */
	const char *text;
	size_t given;        /* so much of the text went to the server */
	bool taken;          /* by the server */
};

/* ---------------------------------------------------------------- session */

static CURL *begin(struct probe *probe, const struct mail *m)
{
	const struct mail_args *args = m->args;
	CURL *curl = curl_begin(probe, m->answer, args->ca, args->valid);

	if (!curl)
		return NULL;
	lib.curl_easy_setopt(curl, CURLOPT_USERNAME, args->user);
	lib.curl_easy_setopt(curl, CURLOPT_PASSWORD,
			     pd_secret(probe->ctx, args->password, NULL));
	lib.curl_easy_setopt(curl, CURLOPT_USE_SSL,
			     (long)(args->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	return curl;
}

/* A refusal with 5 is for ever; a login may only have come too early. */
static enum outcome refused(struct probe *probe, const struct answer *answer,
			    const char *url, CURLcode code)
{
	enum outcome outcome = *answer->said == '5' ? NEVER : curl_later(code);

	if (code == CURLE_LOGIN_DENIED && strstr(answer->said, "[UNAVAILABLE]"))
		outcome = NOT_YET;
	return probe_why(probe, outcome, "%s: %s%s%s", url, curl_why(answer, code),
			 *answer->said ? "; the server says: " : "", answer->said);
}

/* ------------------------------------------------------------------- imap */

/* @p command in the mailbox, or the message @p uid of it. */
static enum outcome ask(struct probe *probe, const struct mail *m, CURL *curl,
			const char *uid, const char *command)
{
	CURLcode code;

	lib.curl_easy_setopt(curl, CURLOPT_URL, !uid ? m->folder :
			     pd_format(probe->ctx, "%s/;UID=%s", m->folder, uid));
	lib.curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, command);
	code = curl_go(curl, m->answer);
	return code == CURLE_OK ? PASSED : refused(probe, m->answer, m->folder, code);
}

/* The numbers of the messages with @p text in their subject, "3,7". */
static enum outcome search(struct probe *probe, const struct mail *m, CURL *curl,
			   const char *text, const char **uids)
{
	static const char found[] = "* SEARCH";
	enum outcome outcome = ask(probe, m, curl, NULL,
				   pd_format(probe->ctx, "UID SEARCH HEADER Subject \"%s\"", text));
	const char *at = outcome == PASSED ? strstr(m->answer->body, found) : NULL;

	*uids = "";
	for (at = at ? at + sizeof(found) - 1 : ""; *at == ' '; ) {
		int n = (int)strspn(++at, "0123456789");

		*uids = pd_format(probe->ctx, "%s%s%.*s", *uids, n && **uids ? "," : "", n, at);
		at += n;
	}
	return outcome;
}

static enum outcome read_back(struct probe *probe, const struct mail *m, CURL *curl)
{
	const char *uids = NULL;
	enum outcome outcome = search(probe, m, curl, m->token, &uids);

	if (outcome == PASSED) /* it comes with the first command alone */
		outcome = curl_certificate(curl, probe, m->folder, m->args->valid);
	if (outcome != PASSED)
		return outcome;
	if (!*uids)
		return probe_why(probe, NOT_YET, "the message to %s, which %s has taken, is not in "
				 "%s; see the queue (postqueue -p) and the log of the mail server",
				 m->args->to, m->args->smtp, m->folder);
	outcome = ask(probe, m, curl, pd_format(probe->ctx, "%.*s", (int)strcspn(uids, ","), uids),
		      NULL);
	if (outcome != PASSED)
		return outcome;
	if (!strstr(m->answer->body, strstr(m->text, "\r\n\r\n")))
		return probe_why(probe, NEVER, "the message that came into %s is not the one "
				 "that was sent", m->folder);
	probe_note(probe, "it is in %s, %zu bytes", m->folder, m->answer->len);
	return PASSED;
}

/* Those of a probe that was cut short, too. */
static enum outcome clear(struct probe *probe, const struct mail *m, CURL *curl)
{
	const char *uids = NULL;
	enum outcome outcome = search(probe, m, curl, m->subject, &uids);

	if (outcome == PASSED)
		outcome = ask(probe, m, curl, NULL, pd_format(probe->ctx, "UID STORE %s +FLAGS.SILENT "
							      "(\\Deleted)", uids));
	if (outcome == PASSED)
		outcome = ask(probe, m, curl, NULL, pd_format(probe->ctx, "UID EXPUNGE %s", uids));
	if (outcome == PASSED)
		outcome = search(probe, m, curl, m->subject, &uids);
	if (outcome == PASSED && *uids)
		return probe_why(probe, NEVER, "the message can't be deleted in %s", m->folder);
	return outcome;
}

/* ------------------------------------------------------------------- smtp */

static size_t on_read(char *to, size_t size, size_t n, void *user)
{
	struct mail *m = user;
	size_t left = strlen(m->text + m->given);
	size_t take = size * n < left ? size * n : left;

	memcpy(to, m->text + m->given, take);
	m->given += take;
	return take;
}

static enum outcome send_message(struct probe *probe, struct mail *m)
{
	const struct mail_args *args = m->args;
	struct curl_slist *to = lib.curl_slist_append(NULL, args->to);
	enum outcome outcome = PASSED;
	CURL *curl = begin(probe, m);
	CURLcode code = CURLE_FAILED_INIT;

	m->given = 0;
	if (curl) {
		lib.curl_easy_setopt(curl, CURLOPT_URL, args->smtp);
		lib.curl_easy_setopt(curl, CURLOPT_MAIL_FROM, args->from ? args->from : args->to);
		lib.curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
		lib.curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
		lib.curl_easy_setopt(curl, CURLOPT_READDATA, m);
		lib.curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		code = curl_go(curl, m->answer);
		outcome = code == CURLE_OK ? curl_certificate(curl, probe, args->smtp, args->valid) :
					     refused(probe, m->answer, args->smtp, code);
		lib.curl_easy_cleanup(curl);
	}
	lib.curl_slist_free_all(to);
	m->taken = code == CURLE_OK;
	if (m->taken)
		probe_note(probe, "%s has taken a message to %s: %s", args->smtp, args->to,
			   m->answer->said);
	return curl ? outcome : NEVER;
}

/* ------------------------------------------------------------------ steps */

static enum outcome imap_attempt(struct probe *probe, void *user)
{
	const struct mail *m = user;
	CURL *curl = begin(probe, m);
	enum outcome outcome = curl ? ask(probe, m, curl, NULL, "NOOP") : NEVER;

	if (outcome == PASSED)
		outcome = curl_certificate(curl, probe, m->folder, m->args->valid);
	if (outcome == PASSED)
		probe_note(probe, "%s has opened %s", m->args->user, m->folder);
	lib.curl_easy_cleanup(curl);
	return outcome;
}

static enum outcome mail_attempt(struct probe *probe, void *user)
{
	struct mail *m = user;
	enum outcome outcome = m->taken ? PASSED : send_message(probe, m);
	CURL *curl = outcome == PASSED ? begin(probe, m) : NULL;

	if (!curl)
		return outcome == PASSED ? NEVER : outcome;
	outcome = read_back(probe, m, curl);
	if (outcome == PASSED)
		outcome = clear(probe, m, curl);
	lib.curl_easy_cleanup(curl);
	return outcome;
}

/* Is it one of @p schemes, and does no password go over the network in clear? */
static int check_url(struct pd_ctx *ctx, const char *what, const char *url,
		     const char *const *schemes)
{
	static const char *const here[] = { "localhost", "127.0.0.1", "[::1]" };
	const struct mail_args *args = ctx->args;
	bool safe = args->starttls || strncmp(url, schemes[1], strlen(schemes[1])) == 0;
	char *host = NULL;
	int rc = curl_address(ctx, what, url, schemes, &host);

	for (size_t i = 0; host && i < sizeof(here) / sizeof(*here); i++)
		safe = safe || strcmp(host, here[i]) == 0;
	if (rc == PD_CHANGED && !safe)
		rc = pd_fail(ctx, PD_BAD_ARGS, "%s: the password would go over the network in "
			     "clear; use %s://, or starttls = true", what, schemes[1]);
	if (rc == PD_CHANGED && *host != '[')
		rc = probe_host(ctx, host);
	lib.curl_free(host);
	return rc;
}

static int imap_check(struct pd_ctx *ctx)
{
	static const char *const schemes[] = { "imap", "imaps", NULL };
	const struct mail_args *args = ctx->args;
	int rc = curl_load(ctx);

	return rc < 0 ? rc : check_url(ctx, "imap", args->imap, schemes);
}

static int check_address(struct pd_ctx *ctx, const char *what, const char *address)
{
	if (strchr(address, '@') && !address[strcspn(address, " <>\"\\\r\n\t")])
		return 0;
	return pd_fail(ctx, PD_BAD_ARGS, "%s: \"%s\" is no address of mail", what, address);
}

static int mail_check(struct pd_ctx *ctx)
{
	static const char *const schemes[] = { "smtp", "smtps", NULL };
	const struct mail_args *args = ctx->args;
	int rc = check_address(ctx, "to", args->to);

	if (rc == 0 && args->from)
		rc = check_address(ctx, "from", args->from);
	if (rc < 0 || (rc = imap_check(ctx)) != PD_CHANGED)
		return rc;
	return check_url(ctx, "smtp", args->smtp, schemes);
}

/* What may stand in a subject and in a search. */
static const char *plain(struct pd_ctx *ctx, const char *text)
{
	char *copy = pd_alloc_for(ctx, strlen(text) + 1);

	memcpy(copy, text, strlen(text) + 1);
	for (char *c = copy; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".-_", *c))
			*c = '-';
	return copy;
}

static const char *folder(struct pd_ctx *ctx, const char *url)
{
	const char *path = strchr(strstr(url, "://") + 3, '/');

	return !path ? pd_format(ctx, "%s/INBOX", url) : path[1] ? url : pd_format(ctx, "%sINBOX", url);
}

static void compose(struct pd_ctx *ctx, struct mail *m)
{
	const char *to = m->args->to, *from = m->args->from ? m->args->from : to;
	const char *server = plain(ctx, ctx->server);
	time_t now = time(NULL);
	char date[64] = "";
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
	m->subject = pd_format(ctx, "patchday probe of %s:", server);
	m->token = pd_format(ctx, "%s-%lld-%lld", plain(ctx, ctx->run), (long long)now,
			     (long long)now_ms());
	m->text = pd_format(ctx, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s@%s>\r\n"
			    "Subject: %s %s\r\nAuto-Submitted: auto-generated\r\n\r\n"
			    "Test message of patchday: %s\r\n", date, from, to, m->token, server,
			    m->subject, m->token, m->token);
}

static int run(struct pd_ctx *ctx, attempt_fn *attempt)
{
	struct mail m = { .args = ctx->args };
	int rc = curl_load(ctx);

	if (rc < 0)
		return rc;
	m.answer = curl_answer(ctx);
	m.folder = folder(ctx, m.args->imap);
	if (m.args->to)
		compose(ctx, &m);
	return probe_run(ctx, m.args->timeout, attempt, &m);
}

static int imap_apply(struct pd_ctx *ctx)
{
	return run(ctx, imap_attempt);
}

static int mail_apply(struct pd_ctx *ctx)
{
	return run(ctx, mail_attempt);
}

const struct pd_step step_imap = {
	PD_STEP,
	.name = "imap",
	.help = "log in to a mailbox and open a folder of it",
	.params = imap_params,
	.args_size = sizeof(struct mail_args),
	.outputs = outputs,
	.check = imap_check,
	.apply = imap_apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
};

const struct pd_step step_mail = {
	PD_STEP,
	.name = "mail",
	.help = "send a message by SMTP, and read it back by IMAP",
	.params = mail_params,
	.args_size = sizeof(struct mail_args),
	.outputs = outputs,
	.check = mail_check,
	.apply = mail_apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
	.expected = 2,
};
