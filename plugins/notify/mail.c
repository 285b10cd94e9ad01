/* SPDX-License-Identifier: MIT */
/* The step notify.mail: a message for the server's own mail program. */
#include "notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct args {
	struct pd_list to;
	const char *subject, *text, *from, *command;
};

/* A local name or an address, in the form that needs no quoting; none that the
 * mail program could take for an option. */
static bool is_address(const char *text)
{
	static const char word[] = ALPHANUMERIC "!#$%&'*+/=?^_`{|}~.-", host[] = ALPHANUMERIC ".-";
	size_t n = strspn(text, word);

	if (!n || n > 64 || *text == '-' || strlen(text) > 254)
		return false;
	return !text[n] || (text[n] == '@' && text[n + 1] && text[n + 1] != '-' &&
			    text[n + 1 + strspn(text + n + 1, host)] == '\0');
}

static int check(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const char *wrong = args->from && !is_address(args->from) ? args->from : NULL;

	for (size_t i = 0; !wrong && i < args->to.len; i++)
		if (!is_address(args->to.items[i]))
			wrong = args->to.items[i];
	if (wrong)
		return pd_fail(ctx, PD_BAD_ARGS, "\"%s\" is no address; write NAME or NAME@HOST, "
			       "without a name for people around it", wrong);
	if (!args->to.len)
		return pd_fail(ctx, PD_BAD_ARGS, "to is empty: name an address");
	if (has_control(args->subject))
		return pd_fail(ctx, PD_BAD_ARGS, "subject has a line break or a control character");
	if (access(args->command, X_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot run %s: %s; install a mail program (dma, "
			       "msmtp-mta, postfix, exim), or correct command", args->command,
			       strerror(errno));
	return notify_due(ctx);
}

/* Of the first try, so that each further one is the same mail. */
static const char *date(struct pd_ctx *ctx, const char *key)
{
	char text[64] = "";
	time_t first = (time_t)strtoll(key, NULL, 10);
	struct tm tm;

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", localtime_r(&first, &tm));
	return pd_format(ctx, "%s", text);
}

static const char *message(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = ctx->args;
	const char *to = args->to.items[0];

	for (size_t i = 1; i < args->to.len; i++)
		to = pd_format(ctx, "%s,\n %s", to, args->to.items[i]);
	return pd_format(ctx, "%s%s%sTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%s@%s>\n"
			 "Auto-Submitted: auto-generated\nX-Patchday-Run: %s\nMIME-Version: 1.0\n"
			 "Content-Type: text/plain; charset=utf-8\n"
			 "Content-Transfer-Encoding: quoted-printable\n\n%s",
			 args->from ? "From: " : "", args->from ? args->from : "",
			 args->from ? "\n" : "", to,
			 encode_header(ctx, args->subject, strlen("Subject: ")), date(ctx, key), key,
			 ctx->server, *ctx->run ? ctx->run : "none", encode_body(ctx, args->text));
}

static const char *const *argv(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const char **all = pd_alloc_for(ctx, (args->to.len + 6) * sizeof(*all));
	size_t n = 0;

	all[n++] = args->command;
	all[n++] = "-i";
	if (args->from) {
		all[n++] = "-f";
		all[n++] = args->from;
	}
	all[n++] = "--";
	memcpy(all + n, args->to.items, args->to.len * sizeof(*all));
	return all;
}

/* What no second try mends; one that has a queue says these alone. */
static bool is_final(int status)
{
	return status == EX_USAGE || status == EX_NOUSER || status == EX_NOPERM ||
	       status == EX_CONFIG || status > EX__MAX;
}

static int send_it(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = ctx->args;
	const char *text = message(ctx, key);
	const struct pd_command command = { .size = sizeof(command), .argv = argv(ctx), .input = text,
					    .input_len = strlen(text), .time_limit = 300 };
	struct pd_command_result result;
	int r;

	if (!notify_evidence(ctx, "message.eml", text, "The mail as it was sent"))
		return PD_FAILED;
	r = pd_command_run(ctx, &command, &result);
	if (r < 0)
		return r;
	if (result.status != 0)
		return pd_fail(ctx, is_final(result.status) ? PD_FAILED : PD_RETRY,
			       "%s does not take the mail for %s (status %d): %.500s", args->command,
			       args->to.items[0], result.status, *result.err ? result.err : result.out);
	return pd_output(ctx, "message_id", pd_format(ctx, "%s@%s", key, ctx->server));
}

static int apply(struct pd_ctx *ctx) { return notify_once(ctx, send_it); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, to, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "who gets it: addresses, or names of this server"),
	PD_PARAM(struct args, subject, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "what it is about"),
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "the message"),
	PD_PARAM(struct args, from, PD_T_STRING,
		 .help = "address of the sender; left out: as the mail program has it"),
	PD_PARAM(struct args, command, PD_T_PATH, .def = "/usr/sbin/sendmail",
		 .help = "mail program that is called as sendmail is"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("message_id", PD_T_STRING, "Message-ID, to find it in the logs of mail servers"),
	PD_OUTPUT_END
};

const struct pd_step mail_step = {
	PD_STEP, .name = "mail", .help = "send a mail", .reversibility = PD_READONLY,
	.params = params, .args_size = sizeof(struct args), .outputs = outputs,
	.check = check, .apply = apply, .verify = notify_was_sent, .retries = 6, .time_limit = 600
};
