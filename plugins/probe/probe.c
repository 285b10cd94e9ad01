/* SPDX-License-Identifier: MIT */
/* Plugin probe: is the server of use to its clients?  tcp and command here. */
#include "probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ------------------------------------------------------------------- tcp */

struct tcp_args {
	const char *host;
	int64_t port;
	int64_t timeout;
	const char *expect;
};

static const struct pd_param tcp_params[] = {
	PD_PARAM(struct tcp_args, host, PD_T_STRING, .def = "localhost",
		 .help = "name or address to connect to"),
	PD_PARAM(struct tcp_args, port, PD_T_INT, .flags = PD_P_REQUIRED,
		 .min = 1, .max = 65535, .help = "TCP port"),
	PROBE_TIMEOUT(tcp_args),
	PD_PARAM(struct tcp_args, expect, PD_T_STRING,
		 .help = "text that the service must send by itself"),
	PD_PARAM_END
};

static const struct pd_output tcp_outputs[] = { PROBE_MILLISECONDS,
						PD_OUTPUT_END };

static int wait_fd(const struct probe *probe, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = probe->deadline - now_ms();
		int rc = left > 0 ? poll(&p, 1, left > 500 ? 500 : (int)left) : 0;

		if (rc > 0)
			return 0;
		if (left <= 0 || pd_canceled(probe->ctx) ||
		    (rc < 0 && errno != EINTR))
			return ETIMEDOUT;
	}
}

/* @return a connected socket, or -1 with errno. */
static int connect_to(const struct probe *probe, const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
	int why = fd < 0 ? errno : 0;
	socklen_t len = sizeof(why);

	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
		why = errno == EINPROGRESS ? wait_fd(probe, fd, POLLOUT) : errno;
		if (!why)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len);
	}
	if (!why)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = why;
	return -1;
}

static enum outcome read_banner(struct probe *probe, int fd,
				const struct tcp_args *args)
{
	char banner[4096] = "";
	size_t len = 0;

	while (len < sizeof(banner) - 1) {
		ssize_t n = wait_fd(probe, fd, POLLIN) ? -1 :
			read(fd, banner + len, sizeof(banner) - 1 - len);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, len++)
			if (!banner[len]) /* it would hide the rest */
				banner[len] = ' ';
		if (strstr(banner, args->expect)) {
			probe_note(probe, "received: %.200s", banner);
			return PASSED;
		}
	}
	return probe_why(probe, NOT_YET, "%s port %lld is open, but the service "
			 "does not send \"%s\"; received: \"%.200s\"",
			 args->host, (long long)args->port, args->expect, banner);
}

static enum outcome tcp_attempt(struct probe *probe, void *user)
{
	const struct tcp_args *args = user;
	const char *port = pd_format(probe->ctx, "%lld", (long long)args->port);
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	enum outcome outcome = PASSED;
	int fd = -1, why = 0;
	int rc = getaddrinfo(args->host, port, &hints, &found);

	if (rc)
		return probe_why(probe, NOT_YET, "can't look up %s: %s",
				 args->host, gai_strerror(rc));
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		fd = connect_to(probe, a);
		why = errno;
	}
	freeaddrinfo(found);
	if (fd < 0)
		return probe_why(probe, NOT_YET, "can't connect to %s port %s: "
				 "%s; does the service run, does a firewall "
				 "stand between?", args->host, port,
				 strerror(why));
	probe_note(probe, "connected to %s port %s", args->host, port);
	if (args->expect && *args->expect)
		outcome = read_banner(probe, fd, args);
	close(fd);
	return outcome;
}

static int tcp_check(struct pd_ctx *ctx)
{
	const struct tcp_args *args = ctx->args;

	return probe_host(ctx, args->host);
}

static int tcp_apply(struct pd_ctx *ctx)
{
	struct tcp_args args = *(const struct tcp_args *)ctx->args;

	return probe_run(ctx, args.timeout, tcp_attempt, &args);
}

static const struct pd_step step_tcp = {
	PD_STEP,
	.name = "tcp",
	.help = "connect to a TCP port, and read what the service says",
	.params = tcp_params,
	.args_size = sizeof(struct tcp_args),
	.outputs = tcp_outputs,
	.check = tcp_check,
	.apply = tcp_apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
};

/* --------------------------------------------------------------- command */

struct command_args {
	struct pd_list argv;
	int64_t status;
	const char *contains;
	int64_t timeout;
};

static const struct pd_param command_params[] = {
	PD_PARAM(struct command_args, argv, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "program and its arguments; no shell"),
	PD_PARAM(struct command_args, status, PD_T_INT, .def = "0", .min = 0,
		 .max = 255, .help = "exit status that it must have"),
	PD_PARAM(struct command_args, contains, PD_T_STRING,
		 .help = "text that its output must contain"),
	PROBE_TIMEOUT(command_args),
	PD_PARAM_END
};

static const struct pd_output command_outputs[] = {
	PROBE_MILLISECONDS,
	PD_OUTPUT("status", PD_T_INT, "exit status of the program"),
	PD_OUTPUT_END
};

static enum outcome command_attempt(struct probe *probe, void *user)
{
	const struct command_args *args = user;
	const char **argv = pd_alloc_for(probe->ctx, (args->argv.len + 1) *
							     sizeof(*argv));
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .time_limit = probe_left(probe) };
	struct pd_command_result r = { 0 };

	memcpy(argv, args->argv.items, args->argv.len * sizeof(*argv));
	if (pd_command_run(probe->ctx, &command, &r))
		return probe_why(probe, NEVER, "%s did not end in time",
				 argv[0]);
	probe_note(probe, "%s ended with %d\n%s%s", argv[0], r.status, r.out,
		   r.err);
	if (pd_output(probe->ctx, "status", pd_format(probe->ctx, "%d",
						      r.status)))
		return probe_why(probe, NEVER, "no output");
	if (r.status != args->status)
		return probe_why(probe, NOT_YET, "%s ended with %d, not %lld: "
				 "%.400s", argv[0], r.status,
				 (long long)args->status, *r.err ? r.err : r.out);
	if (args->contains && !strstr(r.out, args->contains) &&
	    !strstr(r.err, args->contains))
		return probe_why(probe, NOT_YET, "the output of %s does not "
				 "contain \"%s\": %.400s", argv[0],
				 args->contains, r.out);
	return PASSED;
}

static int command_check(struct pd_ctx *ctx)
{
	const struct command_args *args = ctx->args;

	if (args->argv.len == 0)
		return pd_fail(ctx, PD_BAD_ARGS, "argv is empty: name a program");
	return probe_tool(ctx, args->argv.items[0],
			  "install it, or correct argv in the workflow");
}

static int command_apply(struct pd_ctx *ctx)
{
	struct command_args args = *(const struct command_args *)ctx->args;

	return probe_run(ctx, args.timeout, command_attempt, &args);
}

static const struct pd_step step_command = {
	PD_STEP,
	.name = "command",
	.help = "run a program that only looks, and judge status and output",
	.params = command_params,
	.args_size = sizeof(struct command_args),
	.outputs = command_outputs,
	.check = command_check,
	.apply = command_apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
};

static const struct pd_step *const steps[] = { &step_smb, &step_print,
					       &step_tcp, &step_http,
					       &step_command, &step_imap,
					       &step_mail, &step_queue, NULL };

PD_PLUGIN(.name = "probe", .version = "1.0",
	  .help = "client tests: share, printer, port, page, mailbox, program",
	  .steps = steps);
