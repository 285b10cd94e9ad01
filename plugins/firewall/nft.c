/* SPDX-License-Identifier: MIT */
/* nft: the rules in force, loading rules, and the files of its service. */
#include "firewall.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#define RULES_MAX ((size_t)64 << 20)
#define INCLUDES_MAX 1000

bool nft_is_here(void)
{
	return access("/usr/sbin/nft", X_OK) == 0 || access("/sbin/nft", X_OK) == 0;
}

const char *nft_list(struct pd_ctx *ctx, const char *option)
{
	const char *const argv[] = { "nft", option, "list", "ruleset", NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .output_max = RULES_MAX };
	struct pd_command_result r = { 0 };

	if (pd_command_run(ctx, &command, &r))
		return NULL;
	if (r.status == 0 && r.out_len < RULES_MAX)
		return r.out;
	pd_fail(ctx, PD_FAILED, "nft can't list the rules (status %d): %s", r.status,
		r.status ? r.err : "they are more than 64 MiB");
	return NULL;
}

/* nft shows the line and marks the place in it; a message has one line. */
static const char *first_line(struct pd_ctx *ctx, const char *text)
{
	return pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text);
}

int nft_load(struct pd_ctx *ctx, const char *text, bool look, const char **problem)
{
	const char *const argv[] = { "nft", look ? "-cf" : "-f", "-", NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .input = text, .input_len = strlen(text) };
	struct pd_command_result r = { 0 };

	*problem = NULL;
	if (pd_command_run(ctx, &command, &r))
		return PD_FAILED;
	if (r.status)
		*problem = first_line(ctx, r.err);
	return 0;
}

int nft_look_at(struct pd_ctx *ctx, const char *path, const char **problem)
{
	const char *const argv[] = { "nft", "-cf", path, NULL };
	struct pd_command_result r = { 0 };

	*problem = NULL;
	if (pd_run(ctx, argv, &r))
		return PD_FAILED;
	if (r.status)
		*problem = first_line(ctx, r.err);
	return 0;
}

/* ------------------------------------------------------------------- files */

/* A pattern without a slash in front is one below /etc, as nft has it. */
static void add_pattern(struct pd_ctx *ctx, struct texts *files, const char *pattern)
{
	glob_t found = { 0 };

	if (*pattern != '/')
		pattern = pd_format(ctx, "/etc/%s", pattern);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (!texts_have(files, found.gl_pathv[i]))
				texts_add(ctx, files, pd_format(ctx, "%s", found.gl_pathv[i]));
	globfree(&found);
}

/* include "PATTERN"; what follows a # is none. */
static void add_includes(struct pd_ctx *ctx, struct texts *files, const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *word = text + strspn(text, " \t");

		if (strncmp(word, "include", 7) != 0)
			continue;
		word += 7 + strspn(word + 7, " \t");
		if (*word == '"' || *word == '\'')
			add_pattern(ctx, files, pd_format(ctx, "%.*s",
				    (int)strcspn(word + 1, "\"'\n"), word + 1));
	}
}

int nft_files(struct pd_ctx *ctx, struct texts *out)
{
	static const char *const config[] = { "/etc/nftables.conf",
					      "/etc/sysconfig/nftables.conf" };

	*out = (struct texts){ 0 };
	for (size_t i = 0; i < sizeof(config) / sizeof(*config); i++)
		if (access(config[i], F_OK) == 0)
			texts_add(ctx, out, config[i]);
	for (size_t i = 0; i < out->len; i++) { /* grows meanwhile */
		const char *text = pd_read_file(ctx, out->item[i], RULES_MAX, NULL);

		if (!text)
			return pd_fail(ctx, PD_FAILED, "can't read %s: %s", out->item[i],
				       strerror(errno));
		if (out->len > INCLUDES_MAX)
			return pd_fail(ctx, PD_FAILED, "%s and what it includes are more than "
				       "%d files", config[0], INCLUDES_MAX);
		add_includes(ctx, out, text);
	}
	return 0;
}
