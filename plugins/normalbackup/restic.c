/* SPDX-License-Identifier: MIT */
/* restic - without its locks and its cache: nothing is left, here or there. */
#include "normalbackup.h"

#include <inttypes.h>
#include <string.h>

struct args {
	const char *repository, *repository_file, *host;
	const struct pd_secret *password;
	struct pd_list tags, paths;
	int64_t age, read;
};

static const char *source(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;

	return pd_format(ctx, "restic repository %s", args->repository ? args->repository :
								       args->repository_file);
}

/* The password goes in where a person would type it; --quiet, or it says so
 * in front of the JSON. */
static struct pd_command restic(struct pd_ctx *ctx, const char *const *words)
{
	const struct args *args = ctx->args;
	const char **argv = pd_alloc_for(ctx, 16 * sizeof(*argv));
	size_t n = 0;

	argv[n++] = "restic";
	argv[n++] = "--quiet";
	argv[n++] = "--no-lock";
	argv[n++] = "--no-cache";
	argv[n++] = args->repository ? "--repo" : "--repository-file";
	argv[n++] = args->repository ? args->repository : args->repository_file;
	while (*words)
		argv[n++] = *words++;
	return (struct pd_command){ .size = sizeof(struct pd_command), .argv = argv,
				    .input_secret = args->password, .output_max = OUTPUT_MAX };
}

/* Is a path one of those that were backed up, or below one? */
static bool covers(const json_t *paths, const char *path)
{
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *top = json_string_value(json_array_get(paths, i));
		size_t n = top ? strlen(top) : 0;

		n -= n && top[n - 1] == '/';
		if (top && strncmp(path, top, n) == 0 && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

static bool covers_all(const json_t *paths, const struct pd_list *wanted)
{
	for (size_t i = 0; i < wanted->len; i++)
		if (!covers(paths, wanted->items[i]))
			return false;
	return true;
}

static const char *listed(struct pd_ctx *ctx, const json_t *array)
{
	const char *text = "";

	for (size_t i = 0; i < json_array_size(array); i++)
		text = pd_format(ctx, "%s%s%s", text, i ? ", " : "",
				 json_string_value(json_array_get(array, i)));
	return text;
}

static void newest(struct pd_ctx *ctx, const json_t *all, struct found *out)
{
	const struct args *args = ctx->args;

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *s = json_array_get(all, i), *paths = json_object_get(s, "paths");
		int64_t when = 0;

		if (!pd_parse(ctx, PD_T_TIME, member(s, "time"), &when) || (out->id && when <= out->when) ||
		    !covers_all(paths, &args->paths))
			continue;
		*out = (struct found){ .id = pd_format(ctx, "%s", member(s, "id")), .when = when,
				       .what = pd_format(ctx, "snapshot %.8s of host %s", member(s, "id"),
							 member(s, "hostname")),
				       .has = listed(ctx, paths) };
	}
}

static int none(struct pd_ctx *ctx, const char *host)
{
	const struct args *args = ctx->args;

	return against(ctx, pd_format(ctx, "%s has no snapshot of %s%s%s%s%s", source(ctx),
				      host ? "host " : "any host", host ? host : "",
				      args->tags.len ? " with the tags " : "", joined(ctx, &args->tags),
				      args->paths.len ? pd_format(ctx, " with %s in it",
								  joined(ctx, &args->paths)) : ""),
		       "let the backup run; see 'restic snapshots' for what is there");
}

/* What `restic ls SNAPSHOT PATH` prints is the path, and what lies in it. */
static void on_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	bool *there = user;

	(void)ctx;
	if (stream == 1 && strstr(line, "\"struct_type\":\"node\""))
		*there = true;
}

/* What must be in it is not said: something has to be.  What is counted as files
 * are folders, too. */
static int weigh(struct pd_ctx *ctx, struct found *found)
{
	const char *const words[] = { "stats", "--json", "--mode", "restore-size", found->id, NULL };
	struct pd_command command = restic(ctx, words);
	json_t *stats = NULL;
	json_int_t bytes = 0;
	int result = ask_json(ctx, &command, source(ctx), &stats);

	if (result == 0 && json_unpack(stats, "{s:I}", "total_size", &bytes) != 0)
		result = pd_fail(ctx, PD_FAILED, "%s: restic stats does not tell the size of %s", source(ctx),
				 found->what);
	json_decref(stats);
	if (result < 0)
		return result;
	found->has = pd_format(ctx, "%s, %lld bytes", found->has, (long long)bytes);
	return bytes ? 0 : lacks(ctx, found, "data", source(ctx));
}

static int look_inside(struct pd_ctx *ctx, const struct found *found)
{
	const struct args *args = ctx->args;
	struct pd_command_result r = { 0 };

	for (size_t i = 0; i < args->paths.len; i++) {
		const char *const words[] = { "ls", "--json", found->id, args->paths.items[i], NULL };
		struct pd_command command = restic(ctx, words);
		bool there = false;
		int result;

		command.line = on_line;
		command.user = &there;
		command.output_max = 1 << 16;
		result = ask(ctx, &command, 0, source(ctx), &r);
		if (result < 0)
			return result;
		if (!there)
			return lacks(ctx, found, args->paths.items[i], source(ctx));
	}
	return 0;
}

/* SCHEME://USER:PASSWORD@HOST, as in rest:https://... */
static bool has_password(const char *address)
{
	const char *user = strstr(address, "://");
	size_t n = user ? strcspn(user + 3, "/@") : 0;

	return user && user[3 + n] == '@' && memchr(user + 3, ':', n);
}

static int find(struct pd_ctx *ctx, struct found *out)
{
	const struct args *args = ctx->args;
	const char *host = host_asked(ctx, args->host), *words[10] = { "snapshots", "--json", "--latest", "1" };
	struct pd_command command;
	json_t *all = NULL;
	size_t n = 4;
	int r;

	if (!args->repository == !args->repository_file)
		return pd_fail(ctx, PD_BAD_ARGS, "either repository or repository_file is needed");
	if (args->repository && has_password(args->repository))
		return pd_fail(ctx, PD_BAD_ARGS, "the repository's address has a password in it,"
			       " which others would see; put it in a file, and name that with"
			       " repository_file");
	if (host) {
		words[n++] = "--host";
		words[n++] = host;
	}
	if (args->tags.len) {
		words[n++] = "--tag";
		words[n++] = joined(ctx, &args->tags);
	}
	command = restic(ctx, words);
	r = ask_json(ctx, &command, source(ctx), &all);
	if (r == 0)
		newest(ctx, all, out);
	json_decref(all);
	if (r < 0)
		return r;
	if (!out->id)
		return none(ctx, host);
	return args->paths.len ? look_inside(ctx, out) : weigh(ctx, out);
}

static int prove(struct pd_ctx *ctx, const struct found *found, const char **how)
{
	const struct args *args = ctx->args;
	const char *const words[] = {
		"check", args->read == 100 ? "--read-data" :
			 pd_format(ctx, "--read-data-subset=%" PRId64 "%%", args->read), NULL
	};
	struct pd_command command = restic(ctx, words);
	struct pd_command_result r = { 0 };

	(void)found;
	*how = pd_format(ctx, "restic check has found no error: all that the repository needs is there, and %"
			 PRId64 " %% of its data was read back", args->read);
	return ask(ctx, &command, 0, pd_format(ctx, "%s is damaged", source(ctx)), &r);
}

static int with(struct pd_ctx *ctx, product_fn *work)
{
	const struct args *args = ctx->args;

	return work(ctx, &(struct product){ find, prove, source(ctx), args->age });
}

static int check(struct pd_ctx *ctx) { return with(ctx, product_check); }
static int apply(struct pd_ctx *ctx) { return with(ctx, product_apply); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, repository, PD_T_STRING, .help = "repository, as restic's -r takes it"),
	PD_PARAM(struct args, repository_file, PD_T_PATH,
		 .help = "file with the repository in it, for one with a password in its address"),
	PD_PARAM(struct args, password, PD_T_SECRET, .flags = PD_P_REQUIRED,
		 .help = "password of the repository"),
	PARAM_HOST(struct args),
	PD_PARAM(struct args, tags, PD_T_LIST, .help = "tags that it must have, all of them"),
	PARAM_PATHS(struct args),
	PARAM_AGE(struct args),
	PD_PARAM(struct args, read, PD_T_INT, .def = "5", .min = 1, .max = 100,
		 .help = "percent of the repository's data that are read back"),
	PD_PARAM_END
};

const struct pd_step restic_step = {
	PD_STEP, .name = "restic", .help = "the newest snapshot of restic is recent, and can be read",
	.flags = PD_S_BACKUP, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = product_outputs,
	.check = check, .apply = apply, .verify = product_verify,
	.time_limit = 6 * 3600, .expected = 300
};
