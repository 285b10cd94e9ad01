/* SPDX-License-Identifier: MIT */
/* borg - without its locks, and with a home that is gone afterwards: nothing is
 * left, here or there. */
#include "normalbackup.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct args {
	const char *repository, *archives, *host;
	const struct pd_secret *password;
	struct pd_list paths;
	int64_t age;
	bool read;
};

static char home[] = "/tmp/patchday-borg.XXXXXX";

static const char *source(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	return pd_format(ctx, "borg repository %s", args->repository);
}

/* Keys stay where they are.  A home that is new knows no repository, and would
 * ask whether one without encryption is meant.  The id of the host is for locks;
 * without one it asks libuuid, which keeps a clock in /var/lib. */
static const char *const *environment(struct pd_ctx *ctx)
{
	const char **env = pd_alloc_for(ctx, 8 * sizeof(*env));
	const char *own = getenv("HOME"), *keys = pd_format(ctx, "%s/.config/borg/keys", own ? own : "/root");
	size_t n = 0;

	env[n++] = pd_format(ctx, "BORG_BASE_DIR=%s", home);
	env[n++] = "BORG_HOST_ID=patchday";
	env[n++] = "BORG_PASSPHRASE_FD=0";
	env[n++] = "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes";
	env[n++] = "BORG_RSH=ssh -o BatchMode=yes";
	env[n++] = "TZ=UTC";
	if (access(keys, F_OK) == 0)
		env[n++] = pd_format(ctx, "BORG_KEYS_DIR=%s", keys);
	return env;
}

static struct pd_command borg(struct pd_ctx *ctx, const char *const *argv)
{
	const struct args *args = ctx->args;

	return (struct pd_command){ .size = sizeof(struct pd_command), .argv = argv,
				    .env = environment(ctx), .input_secret = args->password,
				    .output_max = OUTPUT_MAX };
}

static const char *archive(struct pd_ctx *ctx, const struct found *found)
{
	const struct args *args = ctx->args;

	return pd_format(ctx, "%s::%s", args->repository, found->id);
}

static void newest(struct pd_ctx *ctx, const json_t *all, const char *host, struct found *out)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *a = json_array_get(all, i);
		const char *from = member(a, "hostname"), *end = member(a, "end");
		int64_t when = 0;

		/* up to 1.2 its times have no zone */
		if ((host && strcmp(host, from) != 0) ||
		    (!pd_parse(ctx, PD_T_TIME, end, &when) &&
		     !pd_parse(ctx, PD_T_TIME, pd_format(ctx, "%sZ", end), &when)) ||
		    (out->id && when < out->when))
			continue;
		*out = (struct found){ .id = pd_format(ctx, "%s", member(a, "name")), .when = when, .has = "",
				       .what = pd_format(ctx, "archive %s of host %s", member(a, "name"), from) };
	}
}

static bool is_there(const char *lines, const char *path)
{
	for (const char *p = lines; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		json_t *item = json_loadb(p, strcspn(p, "\n"), 0, NULL);
		bool found = strcmp(member(item, "path"), path) == 0;

		json_decref(item);
		if (found)
			return true;
	}
	return false;
}

/* What must be in it is not said: something has to be. */
static int weigh(struct pd_ctx *ctx, struct found *found)
{
	const char *const argv[] = { "borg", "info", "--bypass-lock", "--json", archive(ctx, found), NULL };
	struct pd_command command = borg(ctx, argv);
	json_int_t files = 0, bytes = 0;
	json_t *info = NULL;
	int result = ask_json(ctx, &command, archive(ctx, found), &info);

	if (result == 0 && json_unpack(info, "{s:[{s:{s:I, s:I}}]}", "archives", "stats", "nfiles", &files,
				       "original_size", &bytes) != 0)
		result = pd_fail(ctx, PD_FAILED, "%s: borg info does not tell how many files it has",
				 archive(ctx, found));
	json_decref(info);
	if (result < 0)
		return result;
	found->has = pd_format(ctx, "%lld files, %lld bytes", (long long)files, (long long)bytes);
	return files ? 0 : lacks(ctx, found, "file", source(ctx));
}

/* Paths have no slash in front there.  That a pattern matches nothing is a
 * warning, with exit status 1. */
static int look_inside(struct pd_ctx *ctx, struct found *found)
{
	const struct args *args = ctx->args;
	const char **argv = pd_alloc_for(ctx, (args->paths.len + 6) * sizeof(*argv));
	struct pd_command command = borg(ctx, argv);
	struct pd_command_result r = { 0 };
	size_t n = 0;
	int result;

	argv[n++] = "borg";
	argv[n++] = "list";
	argv[n++] = "--bypass-lock";
	argv[n++] = "--json-lines";
	argv[n++] = archive(ctx, found);
	for (size_t i = 0; i < args->paths.len; i++)
		argv[n++] = pd_format(ctx, "pf:%s", args->paths.items[i] + 1);
	result = ask(ctx, &command, 1, archive(ctx, found), &r);
	if (result < 0)
		return result;
	for (size_t i = 0; i < args->paths.len; i++)
		if (!is_there(r.out, args->paths.items[i] + 1))
			return lacks(ctx, found, args->paths.items[i], source(ctx));
	found->has = joined(ctx, &args->paths);
	return 0;
}

static int find(struct pd_ctx *ctx, struct found *out)
{
	const struct args *args = ctx->args;
	const char *host = host_asked(ctx, args->host);
	const char *const argv[] = { "borg", "list", "--bypass-lock", "--json", "--format", "{hostname}{end}",
				     "--last", "100", "--glob-archives", args->archives, args->repository,
				     NULL };
	struct pd_command command = borg(ctx, argv);
	json_t *all = NULL;
	int r;

	for (size_t i = 0; i < args->paths.len; i++)
		if (args->paths.items[i][0] != '/' || !args->paths.items[i][1])
			return pd_fail(ctx, PD_BAD_ARGS, "paths must be absolute, and not the root: '%s'",
				       args->paths.items[i]);
	r = ask_json(ctx, &command, source(ctx), &all);
	if (r == 0)
		newest(ctx, json_object_get(all, "archives"), host, out);
	json_decref(all);
	if (r < 0)
		return r;
	if (out->id)
		return args->paths.len ? look_inside(ctx, out) : weigh(ctx, out);
	return against(ctx, pd_format(ctx, "%s has no archive %s of %s%s", source(ctx), args->archives,
				      host ? "host " : "any host", host ? host : ""),
		       "let the backup run; see 'borg list' for what is there");
}

/* It takes only a pattern ("borg help patterns"): one that the name meets, for a
 * pattern that no archive meets is well for borg, too. */
static const char *pattern_of(struct pd_ctx *ctx, const char *name)
{
	size_t size = strlen(name) + 1;
	char *out = memcpy(pd_alloc_for(ctx, size), name, size);

	for (char *p = out; (p = strpbrk(p, "*?[")); p++)
		*p = '?';
	return out;
}

static int prove(struct pd_ctx *ctx, const struct found *found, const char **how)
{
	const struct args *args = ctx->args;
	const char *const check[] = { "borg", "check", "--bypass-lock", "--archives-only",
				      "--glob-archives", pattern_of(ctx, found->id), args->repository, NULL };
	const char *const extract[] = { "borg", "extract", "--bypass-lock", "--dry-run", archive(ctx, found),
					NULL };
	struct pd_command command = borg(ctx, check);
	const char *damaged = pd_format(ctx, "%s is damaged", archive(ctx, found));
	struct pd_command_result r = { 0 };
	int result = ask(ctx, &command, 0, damaged, &r);

	*how = "borg check has found no error: all that the archive needs is there";
	if (result < 0 || !args->read)
		return result;
	*how = pd_format(ctx, "%s, and borg extract has read all of it back", *how);
	command.argv = extract;
	return ask(ctx, &command, 0, damaged, &r);
}

/* ------------------------------------------------------------ its home */

static int drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int in_home(struct pd_ctx *ctx, product_fn *work)
{
	const struct args *args = ctx->args;
	int r;

	if (!mkdtemp(home))
		return pd_fail(ctx, PD_FAILED, "cannot make the folder %s that borg needs: %s", home,
			       strerror(errno));
	r = work(ctx, &(struct product){ find, prove, source(ctx), args->age });
	if (nftw(home, drop, 16, FTW_DEPTH | FTW_PHYS) != 0)
		pd_log(ctx, PD_LOG_WARN, "%s stays: %s", home, strerror(errno));
	return r;
}

static int check(struct pd_ctx *ctx) { return in_home(ctx, product_check); }
static int apply(struct pd_ctx *ctx) { return in_home(ctx, product_apply); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, repository, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "repository: /PATH, USER@HOST:PATH or ssh://USER@HOST:PORT/PATH"),
	PD_PARAM(struct args, password, PD_T_SECRET,
		 .help = "passphrase of its key; left out: there is none"),
	PD_PARAM(struct args, archives, PD_T_STRING, .def = "*",
		 .help = "pattern of the archives' names, such as \"files-*\""),
	PARAM_HOST(struct args),
	PARAM_PATHS(struct args),
	PARAM_AGE(struct args),
	PD_PARAM(struct args, read, PD_T_BOOL, .def = "true", .help = "read all of the archive's data back"),
	PD_PARAM_END
};

const struct pd_step borg_step = {
	PD_STEP, .name = "borg", .help = "the newest archive of borg is recent, and can be read",
	.flags = PD_S_BACKUP, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = product_outputs,
	.check = check, .apply = apply, .verify = product_verify,
	.time_limit = 6 * 3600, .expected = 300
};
