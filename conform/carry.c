/* SPDX-License-Identifier: MIT */
/* A transport at work, seen from inside its worker: what arrives is what was sent. */
#include "carry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

#define FOLDER "/var/tmp/"
#define HERE   FOLDER "patchday-conform-here"
#define THERE  FOLDER "patchday-conform-there"
#define BACK   FOLDER "patchday-conform-back"

static struct {
	struct lens *lens;
	const struct pd_transport *transport;
	struct pd_target target;
	enum carry what;
	void *connection;
} now;

static void PD_PRINTF(1, 2) wrong(const char *fmt, ...)
{
	pd_auto_free char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = pd_vprint(fmt, ap);
	va_end(ap);
	lens_note(now.lens->wrong, &now.lens->n_wrong, line);
}

/* ---------------------------------------------------------------- programs */

static int run(struct pd_ctx *ctx, struct pd_command command, struct pd_command_result *r)
{
	command.size = sizeof(command);
	*r = (struct pd_command_result){ .out = "", .err = "" };
	return now.transport->exec(ctx, now.connection, &command, r);
}

/* Words that a shell would make others of, to the letter. */
static int carry_words(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "/usr/bin/printf", "%s.", "a b", "$(id)", "*", "it's", "", "\"q\"", "\\", "a\nb",
					    "; exit 9", "~", NULL };
	static const char said[] = "a b.$(id).*.it's..\"q\".\\.a\nb.; exit 9.~.";
	struct pd_command_result r;
	int result = run(ctx, (struct pd_command){ .argv = argv }, &r);

	if (result >= 0 && (r.status != 0 || r.out_len != strlen(said) || strcmp(r.out, said) != 0))
		wrong("the words of a program do not arrive as they are: it prints \"%.80s\" and ends with status %d",
		      r.out, r.status);
	return result;
}

/* Status, and what it prints where. */
static int carry_status(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "/bin/sh", "-c", "echo out; echo err >&2; exit 7", NULL };
	struct pd_command_result r;
	int result = run(ctx, (struct pd_command){ .argv = argv }, &r);

	if (result >= 0 && r.status != 7)
		wrong("a program that ends with status 7 is told to have ended with %d", r.status);
	if (result >= 0 && (strcmp(r.out, "out\n") != 0 || strcmp(r.err, "err\n") != 0))
		wrong("what a program prints does not come back: standard output \"%.40s\", error \"%.40s\"", r.out,
		      r.err);
	return result;
}

/* Input with every byte, folder and environment. */
static int carry_input(struct pd_ctx *ctx)
{
	static const char *const cat[] = { "/bin/cat", NULL }, *const env[] = { "PD_CONFORM=a b", NULL };
	static const char *const where[] = { "/bin/sh", "-c", "pwd; echo \"$PD_CONFORM\"", NULL };
	struct pd_command_result r;
	char bytes[256];
	int result;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	result = run(ctx, (struct pd_command){ .argv = cat, .input = bytes, .input_len = sizeof(bytes) }, &r);
	if (result >= 0 && (r.out_len != sizeof(bytes) || memcmp(r.out, bytes, sizeof(bytes)) != 0))
		wrong("of a standard input of 256 bytes %zu come back, or other ones", r.out_len);
	if (result >= 0)
		result = run(ctx, (struct pd_command){ .argv = where, .directory = "/usr", .env = env }, &r);
	if (result >= 0 && strcmp(r.out, "/usr\na b\n") != 0)
		wrong("folder and environment of a program are not as asked: it prints \"%.60s\"", r.out);
	return result;
}

/* ------------------------------------------------------------------- files */

static bool write_here(const char *bytes)
{
	pd_auto_close int fd = open(HERE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, bytes, BYTES) == BYTES;
}

static int carry_files(struct pd_ctx *ctx)
{
	static const char *const mode[] = { "/usr/bin/stat", "-c", "%a %s", THERE, NULL };
	static const char *const gone[] = { "/bin/rm", "-f", THERE, NULL };
	pd_auto_free char *bytes = pd_realloc(NULL, 1, BYTES), *said = pd_print("640 %d\n", BYTES);
	const char *back;
	struct pd_command_result r;
	size_t len = 0;
	int result;

	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	if (!write_here(bytes))
		return pd_fail(ctx, PD_FAILED, "can't write " HERE ": %s", strerror(errno));
	result = now.transport->put(ctx, now.connection, HERE, THERE, 0640);
	if (result >= 0)
		result = run(ctx, (struct pd_command){ .argv = mode }, &r);
	if (result >= 0 && strcmp(r.out, said) != 0)
		wrong("a file of 1 MiB that is put with mode 0640 is there with mode and size %.30s", r.out);
	if (result >= 0)
		result = now.transport->get(ctx, now.connection, THERE, BACK);
	back = result >= 0 ? pd_read_file(ctx, BACK, 2 * BYTES, &len) : NULL;
	if (result >= 0 && (!back || len != BYTES || memcmp(back, bytes, BYTES) != 0))
		wrong("a file of 1 MiB does not come back as it was put: %zu bytes, or other ones", len);
	unlink(HERE);
	unlink(BACK);
	return result >= 0 ? run(ctx, (struct pd_command){ .argv = gone }, &r) : result;
}

static int carry_all(struct pd_ctx *ctx)
{
	int result = carry_words(ctx);

	result = result < 0 ? result : carry_status(ctx);
	result = result < 0 ? result : carry_input(ctx);
	return result < 0 ? result : carry_files(ctx);
}

/* -------------------------------------------------------- what has to fail */

/* By a status or a failure. */
static int carry_program(struct pd_ctx *ctx, struct pd_command command, const char *what)
{
	struct pd_command_result r;
	int result = run(ctx, command, &r);

	if (result >= 0 && r.status == 0)
		wrong("%s is told to have ended with status 0", what);
	return result;
}

static int act(struct pd_ctx *ctx)
{
	static const char *const none[] = { "/nonexistent/patchday-conform", NULL };
	static const char *const late[] = { "/bin/sleep", "60", NULL };
	int result;

	switch (now.what) {
	case CARRY_ALL:
		return carry_all(ctx);
	case CARRY_NOTHING:
		return carry_program(ctx, (struct pd_command){ .argv = none }, "a program that is not there");
	case CARRY_LATE:
		return carry_program(ctx, (struct pd_command){ .argv = late, .time_limit = 1 },
				     "a program that takes longer than it may");
	case CARRY_LONG:
		return carry_program(ctx, (struct pd_command){ .argv = late }, "a program that was stopped");
	case CARRY_NO_FILE:
		return now.transport->put(ctx, now.connection, "/nonexistent/file", THERE, 0600);
	case CARRY_NOT_THERE:
		result = now.transport->get(ctx, now.connection, "/nonexistent/file", BACK);
		if (access(BACK, F_OK) == 0)
			wrong("of a file that is not there one is made here");
		unlink(BACK);
		return result;
	default:
		return 0;
	}
}

static int carry(struct pd_ctx *ctx)
{
	int result = 0;

	for (int times = now.what == CARRY_OPEN ? 2 : 1; times && result >= 0; times--) {
		result = now.transport->open(ctx, &now.target, &now.connection);
		if (result < 0)
			break;
		result = act(ctx);
		now.transport->close(ctx, now.connection);
	}
	return result < 0 ? result : 0;
}

const struct pd_scanner *carry_scanner(struct lens *l, const struct pd_transport *t, enum carry what,
				       const json_t *target)
{
	static const char *const kinds[] = { NULL };
	static struct pd_scanner as = { PD_SCANNER, .help = "a transport at work", .kinds = kinds, .scan = carry,
					.time_limit = 120 };

	now.lens = l;
	now.transport = t;
	now.what = what;
	now.target = (struct pd_target){ .size = sizeof(now.target), .port = (uint32_t)pd_json_number(target, "port", 0),
		.name = "conform", .address = pd_json_text(target, "address", ""),
		.user = pd_json_text(target, "user", NULL), .options = pd_json_text(target, "options", NULL) };
	as.name = t->name;
	return &as;
}
