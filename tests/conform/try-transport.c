/* SPDX-License-Identifier: MIT */
/* A plugin with a transport to this very server that keeps the contract; and, built
 * with -DTRY_RULE, ones that break a rule of it. */
#include <patchday/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_OF(x) #x
#define QUOTED(x) TEXT_OF(x)

static int open_it(struct pd_ctx *ctx, const struct pd_target *target, void **connection)
{
	if (strcmp(target->address, "here") != 0)
		return pd_fail(ctx, PD_FAILED, "%s can't be reached", target->address);
	if (!target->user || strcmp(target->user, "root") != 0 || target->port != 7 || !target->options ||
	    strcmp(target->options, "way=short,tries=2") != 0)
		return pd_fail(ctx, PD_FAILED, "user, port or options are not those of the case");
	*connection = strdup("a connection");
#if defined TRY_CRASH
	*(volatile char *)ctx->reserved[0] = 1;
#endif
#if defined TRY_LEAK
	(void)!open("/etc/passwd", O_RDONLY);
#endif
	return *connection ? 0 : pd_fail(ctx, PD_FAILED, "no memory");
}

static int exec_it(struct pd_ctx *ctx, void *connection, const struct pd_command *command,
		   struct pd_command_result *result)
{
	struct pd_command own = *command;
	int r;

	(void)connection;
#if defined TRY_SHELL
	const char *words = "";

	for (size_t i = 0; command->argv[i]; i++)
		words = pd_format(ctx, "%s %s", words, command->argv[i]);
	own.argv = (const char *const[]){ "/bin/sh", "-c", words, NULL };
#elif defined TRY_INPUT
	own.input_len = own.input ? strlen(own.input) : 0;
#elif defined TRY_FOLDER
	own.directory = NULL;
#elif defined TRY_BRAVE
	if (strstr(command->argv[0], "nonexistent"))
		own.argv = (const char *const[]){ "/bin/true", NULL };
#elif defined TRY_DEAF
	if (strstr(command->argv[0], "sleep"))
		for (;;)
			pause();
#endif
	r = pd_command_run(ctx, &own, result);
#if defined TRY_STATUS
	result->status = result->status != 0;
#elif defined TRY_MIXED
	result->out = pd_format(ctx, "%s%s", result->out, result->err);
#endif
	return r;
}

static int copy(struct pd_ctx *ctx, const char *from, const char *to, unsigned mode)
{
	size_t len = 0;
	int fd;
	const char *bytes = pd_read_file(ctx, from, 64 << 20, &len);

#if defined TRY_SILENT
	if (!bytes)
		return 0;
#endif
#if defined TRY_EMPTY
	if (!bytes)
		close(open(to, O_WRONLY | O_CREAT, 0600));
#endif
	if (!bytes)
		return pd_fail(ctx, PD_FAILED, "%s: %s", from, strerror(errno));
#if defined TRY_CUT
	len -= len > 4096 ? 1 : 0;
#elif defined TRY_MODE
	mode = 0666;
#endif
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, mode) < 0 || write(fd, bytes, len) != (ssize_t)len)
		len = 0;
	close(fd);
	return len ? 0 : pd_fail(ctx, PD_FAILED, "%s: %s", to, strerror(errno));
}

static int put(struct pd_ctx *ctx, void *connection, const char *from, const char *to, unsigned mode)
{
	(void)connection;
	return copy(ctx, from, to, mode);
}

static int get(struct pd_ctx *ctx, void *connection, const char *from, const char *to)
{
	(void)connection;
	return copy(ctx, from, to, 0600);
}

static void close_it(struct pd_ctx *ctx, void *connection)
{
	(void)ctx;
	free(connection);
}

static const struct pd_transport way = {
	PD_TRANSPORT, .name = "way", .help = "to this very server", .open = open_it, .exec = exec_it, .put = put, .get = get,
	.close = close_it
};
static const struct pd_transport *const transports[] = { &way, NULL };

PD_PLUGIN(.name = QUOTED(NAME), .version = "1.0", .help = "a transport to try", .transports = transports);
