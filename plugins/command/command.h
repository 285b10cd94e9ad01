/* SPDX-License-Identifier: MIT */
/* Private to the command plugin: one conversation with a program. */
#ifndef COMMAND_H
#define COMMAND_H

#include <patchday/plugin.h>

#include <jansson.h>
#include <sys/types.h>

#define COMMAND_API 1
#define COMMAND_LINE_MAX ((size_t)64 << 10)

struct command_args {
	struct pd_list argv;
	struct pd_list parameters;
	struct pd_list environment;
	int64_t timeout;
	bool reversible;
	bool readonly;
};

/** A growing buffer of bytes. */
struct command_bytes {
	char *data;
	size_t len, cap;
};

struct command_talk {
	struct pd_ctx *ctx;
	const char *phase;
	const char *const *argv;  /**< ends with NULL */
	char *const *env;         /**< ends with NULL */
	int64_t timeout;          /**< seconds; 0: none of its own */

	pid_t pid;
	int in, out, err;         /**< our ends; -1: closed */
	struct command_bytes to;  /**< not yet written to the program */
	struct command_bytes from, complaints; /**< not yet a whole line */
	char last[512];           /**< last line of its standard error */
	unsigned lines;

	json_t *remembered;
	json_t *outputs;
	bool inhibited;
	bool answered;            /**< the result line was read */
	int result;               /**< enum pd_result */
	const char *message;      /**< NULL: none */
	const char *broken;       /**< how it broke the protocol; NULL: not */
	int broken_result;
};

/** Say how the program broke the protocol; the first word counts. */
void command_broken(struct command_talk *talk, int result, const char *fmt, ...)
	PD_PRINTF(3, 4);
/** protocol.c: one line that the program wrote. */
void command_line(struct command_talk *talk, const char *line, size_t len);
/** Queue bytes for the program's standard input. */
void command_send(struct command_talk *talk, const char *data, size_t len);
/** talk.c: start the program, talk with it until it has ended.
 * @return its wait status, or -1 when it could not be started (broken). */
int command_talk(struct command_talk *talk);

#endif /* COMMAND_H */
