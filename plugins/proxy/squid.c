/* SPDX-License-Identifier: MIT */
/* squid: what it says about its configuration, and the files of that. */
#include "proxy.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)16 << 20)

bool squid_is_here(void)
{
	return access("/usr/sbin/squid", X_OK) == 0;
}

const char *directive_value(const char *directive, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(directive, name, len) != 0 || !strchr(" \t", directive[len]))
		return NULL;
	return directive + len + strspn(directive + len, " \t");
}

const char *first_word(struct pd_ctx *ctx, const char *text)
{
	return pd_format(ctx, "%.*s", (int)strcspn(text, " \t"), text);
}

/* ------------------------------------------------------------------- files */

/* In a folder of somebody else, such as squid's user, a file may be a link to
 * whatever that one likes: root does not follow it.  Why not; NULL: it is root's. */
static const char *not_roots(struct pd_ctx *ctx, const char *path)
{
	char *real = realpath(path, NULL);
	bool same = real && strcmp(real, path) == 0;
	const char *folder = pd_format(ctx, "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	struct stat st;

	free(real);
	if (!same)
		return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? "it is a symbolic link" :
								      "a folder on its way is a symbolic link";
	return stat(folder, &st) == 0 && st.st_uid == 0 && !(st.st_mode & S_IWOTH) ?
	       NULL : "its folder is not root's alone";
}

static void add_file(struct pd_ctx *ctx, struct squid *out, const char *path)
{
	const char *why = NULL, *left = NULL;
	struct stat st;

	if (texts_have(&out->files, path) || lstat(path, &st) ||
	    (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
		return;
	why = not_roots(ctx, path);
	left = pd_format(ctx, "%s: %s", path, why ? why : "");
	if (!why)
		texts_add(ctx, &out->files, pd_format(ctx, "%s", path));
	else if (!texts_have(&out->left_out, left))
		texts_add(ctx, &out->left_out, left);
}

static void add_matches(struct pd_ctx *ctx, struct squid *out, const char *pattern)
{
	glob_t found = { 0 };

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_file(ctx, out, found.gl_pathv[i]);
	globfree(&found);
}

static void add_folder(struct pd_ctx *ctx, struct squid *out, const char *path)
{
	add_matches(ctx, out, pd_format(ctx, "%s/*", path));
	add_matches(ctx, out, pd_format(ctx, "%s/*/*", path));
}

/* What squid writes, the certificates that it makes among it, and what packages
 * bring, is no configuration. */
static bool is_state(const char *directive)
{
	static const char *const names[] = { "access_log", "cache_log", "cache_store_log",
		"netdb_filename", "pid_filename", "cache_dir", "cache_swap_state",
		"coredump_dir", "icap_log", "sslcrtd_program", "include" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (directive_value(directive, names[i]))
			return true;
	return false;
}

static bool is_of_package(const char *path)
{
	return strncmp(path, "/usr/", 5) == 0 && strncmp(path, "/usr/local/", 11) != 0;
}

/* Each absolute path in a directive: "/etc/squid/blocked", tls-cert=/etc/x. */
static void add_named(struct pd_ctx *ctx, struct squid *out, const char *directive)
{
	static const char between[] = " \t\"'=(),";

	if (is_state(directive))
		return;
	for (const char *at = directive; *at && *at != '#';) {
		size_t len = strcspn(at, between);
		const char *word = pd_format(ctx, "%.*s", (int)len, at);

		if (*word == '/' && !is_of_package(word))
			add_file(ctx, out, word);
		at += len;
		at += strspn(at, between);
	}
}

/* --------------------------------------------------------------------- ask */

static int run_parse(struct pd_ctx *ctx, const char *path, struct pd_command_result *r)
{
	const char *const argv[] = { "squid", "-k", "parse", path ? "-f" : NULL, path, NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .output_max = OUTPUT_MAX, .time_limit = 120 };

	return pd_command_run(ctx, &command, r);
}

const char *squid_message(struct pd_ctx *ctx, const char *line, size_t len)
{
	const char *bar = memchr(line, '|', len);

	if (bar && len - (size_t)(bar - line) > 2 && line[4] == '/')
		return pd_format(ctx, "%.*s", (int)(len - (size_t)(bar - line) - 2), bar + 2);
	return pd_format(ctx, "%.*s", (int)len, line);
}

static void read_message(struct pd_ctx *ctx, const char *message, struct squid *out)
{
	static const char processing[] = "Processing: ";
	static const char file[] = "Processing Configuration File: ";

	if (strncmp(message, processing, strlen(processing)) == 0) {
		texts_add(ctx, &out->directives, message + strlen(processing));
	} else if (strncmp(message, file, strlen(file)) == 0) {
		const char *path = message + strlen(file), *end = strstr(path, " (depth");

		if (end)
			add_file(ctx, out, pd_format(ctx, "%.*s", (int)(end - path), path));
	} else if (!out->problem && (strstr(message, "FATAL: ") || strstr(message, "ERROR: ") ||
				     strstr(message, "unrecognized: "))) {
		out->problem = message;
	}
}

static int ask(struct pd_ctx *ctx, const char *path, struct squid *out)
{
	struct pd_command_result r = { 0 };

	*out = (struct squid){ 0 };
	if (run_parse(ctx, path, &r))
		return PD_FAILED;
	for (const char *line = r.err; *line; line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		if (len > 4)
			read_message(ctx, squid_message(ctx, line, len), out);
		line += len;
	}
	if (r.status == 0)
		out->problem = NULL;
	else if (!out->problem)
		out->problem = pd_format(ctx, "it ends with status %d", r.status);
	return 0;
}

int squid_ask(struct pd_ctx *ctx, struct squid *out)
{
	if (ask(ctx, NULL, out))
		return PD_FAILED;
	for (size_t i = 0; i < out->directives.len; i++)
		add_named(ctx, out, out->directives.item[i]);
	add_folder(ctx, out, "/etc/squid");
	return 0;
}

int squid_files(struct pd_ctx *ctx, struct texts *out)
{
	struct squid squid;

	if (squid_ask(ctx, &squid))
		return PD_FAILED;
	*out = squid.files;
	return 0;
}

int squid_parse(struct pd_ctx *ctx, const char *path, const char **problem)
{
	struct squid squid;
	int rc = ask(ctx, path, &squid);

	*problem = squid.problem;
	return rc;
}
