/* SPDX-License-Identifier: MIT */
/* The step notify.webhook: a message for a chat, or whatever takes JSON by
 * https.  curl(1) sends it: a library for that would be in every process. */
#include "notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct args {
	const char *url, *text, *header, *ca, *proxy;
	const struct pd_secret *secret_url, *secret;
	struct pd_list fields;
	int64_t timeout;
};

static const char *address(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	return args->secret_url ? pd_secret(ctx, args->secret_url, NULL) : args->url;
}

/* https, or http to this server itself. */
static bool is_safe(const char *url)
{
	static const char *const here[] = { "http://localhost", "http://127.0.0.1", "http://[::1]" };

	if (strncmp(url, "https://", 8) == 0)
		return url[8] != '\0' && url[8] != '/';
	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
		size_t n = strlen(here[i]);

		if (strncmp(url, here[i], n) != 0)
			continue;
		if (url[n] == ':')
			n += 1 + strspn(url + n + 1, "0123456789");
		return !url[n] || url[n] == '/' || url[n] == '?';
	}
	return false;
}

static bool is_header(const char *name)
{
	return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-_")];
}

static bool has_user(const char *url)
{
	const char *host = strstr(url, "://");

	return host && memchr(host + 3, '@', strcspn(host + 3, "/?#"));
}

static int check_fields(struct pd_ctx *ctx)
{
	static const char *const ours[] = { "text", "server", "run", "id" };
	const struct args *args = ctx->args;

	for (size_t i = 0; i < args->fields.len; i++) {
		const char *field = args->fields.items[i];
		size_t n = strcspn(field, "=");

		if (!n || !field[n])
			return pd_fail(ctx, PD_BAD_ARGS, "\"%s\" is no field; write NAME=VALUE",
				       field);
		for (size_t k = 0; k < sizeof(ours) / sizeof(*ours); k++)
			if (strlen(ours[k]) == n && strncmp(ours[k], field, n) == 0)
				return pd_fail(ctx, PD_BAD_ARGS, "the field %s is the step's own",
					       ours[k]);
	}
	return 0;
}

static int check_args(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const char *what = args->url ? "url" : "secret_url";
	const char *secret = pd_secret(ctx, args->secret, NULL);

	if (!args->url == !args->secret_url)
		return pd_fail(ctx, PD_BAD_ARGS, "give one of url and secret_url");
	if (!is_safe(address(ctx)) || has_control(address(ctx)))
		return pd_fail(ctx, PD_BAD_ARGS, "%s is no address of https; http goes to localhost "
			       "alone", what);
	if (args->url && has_user(args->url))
		return pd_fail(ctx, PD_BAD_ARGS, "url holds a user name, which would be shown; "
			       "use secret_url");
	if (args->proxy && (has_user(args->proxy) || has_control(args->proxy)))
		return pd_fail(ctx, PD_BAD_ARGS, "proxy is not http://HOST:PORT");
	if (!is_header(args->header))
		return pd_fail(ctx, PD_BAD_ARGS, "\"%s\" is no name of a header", args->header);
	if (secret && has_control(secret))
		return pd_fail(ctx, PD_BAD_ARGS, "secret has a line break or a control character");
	return check_fields(ctx);
}

static int check(struct pd_ctx *ctx)
{
	const char *argv[] = { "curl", "-q", "--version", NULL };
	struct pd_command_result result;
	int r = check_args(ctx);

	if (r < 0)
		return r;
	if (pd_run(ctx, argv, &result) < 0 || result.status != 0)
		return pd_fail(ctx, PD_FAILED, "there is no curl here; install the package curl");
	return notify_due(ctx);
}

static const char *body(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = ctx->args;
	const char *text = pd_format(ctx, "{\n  \"text\": %s,\n  \"server\": %s,\n  \"run\": %s,\n"
				     "  \"id\": \"%s\"", encode_quoted(ctx, args->text),
				     encode_quoted(ctx, ctx->server), encode_quoted(ctx, ctx->run),
				     key);

	for (size_t i = 0; i < args->fields.len; i++) {
		const char *field = args->fields.items[i], *value = strchr(field, '=');

		text = pd_format(ctx, "%s,\n  %s: %s", text,
				 encode_quoted(ctx, pd_format(ctx, "%.*s", (int)(value - field),
							      field)),
				 encode_quoted(ctx, value + 1));
	}
	return pd_format(ctx, "%s\n}\n", text);
}

/* What curl is told by its standard input: nobody sees the secrets there. */
static const char *options(struct pd_ctx *ctx, const char *key)
{
	const struct args *args = ctx->args;
	const char *text = pd_format(ctx, "url = %s\nheader = \"Content-Type: application/json\"\n"
				     "header = \"Idempotency-Key: %s\"\n",
				     encode_quoted(ctx, address(ctx)), key);

	if (args->secret)
		text = pd_format(ctx, "%sheader = %s\n", text,
				 encode_quoted(ctx, pd_format(ctx, "%s: %s", args->header,
							      pd_secret(ctx, args->secret, NULL))));
	if (args->ca)
		text = pd_format(ctx, "%scacert = %s\n", text, encode_quoted(ctx, args->ca));
	if (args->proxy)
		text = pd_format(ctx, "%sproxy = %s\n", text, encode_quoted(ctx, args->proxy));
	return text;
}

/* May it go better a little later?  Numbers of curl(1). */
static bool is_transient(int exit_status, long status)
{
	static const int network[] = { 5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92 };

	for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++)
		if (exit_status == network[i])
			return true;
	return exit_status == 0 && (status == 408 || status == 425 || status == 429 || status >= 500);
}

static int post(struct pd_ctx *ctx, const char *file, const char *key,
		struct pd_command_result *result)
{
	const struct args *args = ctx->args;
	const char *input = options(ctx, key);
	const char *argv[] = { "curl", "-q", "--silent", "--show-error", "--config", "-", "--globoff",
			       "--proto", "=https,http", "--noproxy", args->proxy ? "" : "*",
			       "--user-agent", "patchday", "--max-time",
			       pd_format(ctx, "%" PRId64, args->timeout),
			       "--data-binary", pd_format(ctx, "@%s", file),
			       "--write-out", "%{stderr}\n%{http_code}", NULL };
	const struct pd_command command = { .size = sizeof(command), .argv = argv, .input = input,
					    .input_len = strlen(input), .output_max = 65536,
					    .time_limit = args->timeout + 10 };

	return pd_command_run(ctx, &command, result);
}

static int send_it(struct pd_ctx *ctx, const char *key)
{
	const char *file = notify_evidence(ctx, "request.json", body(ctx, key), "What was posted");
	struct pd_command_result result;
	const char *code;
	long status;
	int r = file ? post(ctx, file, key, &result) : PD_FAILED;

	if (r < 0)
		return r;
	code = strrchr(result.err, '\n');
	status = code ? strtol(code, NULL, 10) : 0;
	if (result.status == 0 && status >= 200 && status <= 299)
		return pd_output(ctx, "status", pd_format(ctx, "%ld", status));
	r = is_transient(result.status, status) ? PD_RETRY : PD_FAILED;
	return result.status ? pd_fail(ctx, r, "the message can't be posted: %.*s",
				       code ? (int)(code - result.err) : 500, result.err) :
	       pd_fail(ctx, r, "the message was posted, and the answer is status %ld: %.300s", status,
		       result.out);
}

static int apply(struct pd_ctx *ctx) { return notify_once(ctx, send_it); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, url, PD_T_STRING, .help = "where it is posted, https"),
	PD_PARAM(struct args, secret_url, PD_T_SECRET,
		 .help = "the same, if who knows it may post: in place of url"),
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED, .help = "the message"),
	PD_PARAM(struct args, fields, PD_T_LIST,
		 .help = "further fields of the JSON, NAME=VALUE, such as \"channel=#ops\""),
	PD_PARAM(struct args, secret, PD_T_SECRET,
		 .help = "value of a header that proves who posts, such as \"Bearer TOKEN\""),
	PD_PARAM(struct args, header, PD_T_STRING, .def = "Authorization",
		 .help = "name of that header"),
	PD_PARAM(struct args, ca, PD_T_PATH,
		 .help = "certificates to trust, PEM; left out: the server's own"),
	PD_PARAM(struct args, proxy, PD_T_STRING,
		 .help = "web proxy, http://HOST:PORT; left out: none"),
	PD_PARAM(struct args, timeout, PD_T_SECONDS, .def = "30", .min = 1, .max = 300,
		 .help = "how long one try may take"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("status", PD_T_INT, "status code of the answer"),
	PD_OUTPUT_END
};

const struct pd_step webhook_step = {
	PD_STEP, .name = "webhook", .help = "post a message as JSON, by https",
	.reversibility = PD_READONLY, .params = params, .args_size = sizeof(struct args), .outputs = outputs,
	.check = check, .apply = apply, .verify = notify_was_sent, .retries = 6, .time_limit = 600
};
