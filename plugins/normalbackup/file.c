/* SPDX-License-Identifier: MIT */
/* file - a backup that is a file: an archive, a dump, one of each day in a folder. */
#include "normalbackup.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DIGEST ".sha256"

enum { HEX = 64 };

struct args {
	const char *path, *name;
	int64_t age, bytes;
	bool digest, read;
};

static bool is_wanted(const FTSENT *e, const char *pattern)
{
	size_t n = strlen(DIGEST);

	return e->fts_info == FTS_F && fnmatch(pattern, e->fts_name, FNM_PERIOD) == 0 &&
	       (e->fts_namelen < n || strcmp(e->fts_name + e->fts_namelen - n, DIGEST) != 0);
}

static bool is_error(const FTSENT *e)
{
	return e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS;
}

/* The newest file below the path, which may be a file itself. */
static int newest(struct pd_ctx *ctx, FTS *walk, struct found *out, int64_t *bytes)
{
	const struct args *args = ctx->args;
	FTSENT *e;

	while ((e = fts_read(walk))) {
		if (is_error(e) && e->fts_errno != ENOENT) /* it may vanish meanwhile */
			return pd_fail(ctx, PD_FAILED, "cannot look at %s: %s", e->fts_path,
				       strerror(e->fts_errno));
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while looking through %s", args->path);
		if (!is_wanted(e, e->fts_level ? args->name : "*") ||
		    (out->id && e->fts_statp->st_mtime <= out->when))
			continue;
		*out = (struct found){ .id = pd_format(ctx, "%s", e->fts_path), .when = e->fts_statp->st_mtime };
		*bytes = e->fts_statp->st_size;
	}
	return 0;
}

/* What NAME.sha256 says, as sha256sum(1) writes it: of several lines the one
 * with the file's name.  NULL: nothing. */
static const char *promised(struct pd_ctx *ctx, const char *path)
{
	const char *p = pd_read_file(ctx, pd_format(ctx, "%s" DIGEST, path), 1 << 20, NULL);
	const char *own = strrchr(path, '/') + 1;

	for (; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *end = p + strcspn(p, "\r\n"), *name = p + HEX;
		size_t n;

		if (strspn(p, "0123456789abcdefABCDEF") != HEX)
			continue;
		name += strspn(name, " *");
		for (const char *s = name; s < end; s++)
			name = *s == '/' ? s + 1 : name;
		n = (size_t)(end - name);
		if (n == 0 || (n == strlen(own) && strncmp(name, own, n) == 0))
			return pd_format(ctx, "%.*s", HEX, p);
	}
	return NULL;
}

static int find(struct pd_ctx *ctx, struct found *out)
{
	const struct args *args = ctx->args;
	char *const paths[] = { (char *)args->path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	int64_t bytes = 0;
	int r = walk ? newest(ctx, walk, out, &bytes) :
		       pd_fail(ctx, PD_FAILED, "cannot look at %s: %s", args->path, strerror(errno));

	if (walk)
		fts_close(walk);
	if (r < 0)
		return r;
	if (!out->id)
		return against(ctx, pd_format(ctx, "there is no backup %s in %s", args->name, args->path),
			       "let the backup run, and see that its volume is mounted");
	out->what = pd_format(ctx, "file %s", out->id);
	out->has = pd_format(ctx, "%" PRId64 " bytes", bytes);
	if (bytes < args->bytes)
		return against(ctx, pd_format(ctx, "%s has %" PRId64 " bytes, and at least %" PRId64 " are "
					      "expected", out->id, bytes, args->bytes),
			       "see why the backup is so small, and let it run again");
	if (args->digest && !promised(ctx, out->id))
		return against(ctx, pd_format(ctx, "%s" DIGEST " does not tell the SHA-256 of %s", out->id,
					      out->id),
			       "let the backup write it with sha256sum");
	return 0;
}

/* *how gets what was in it, and so do the outputs.  One file has no end of its own: what was killed while it wrote
 * into a compressor leaves a whole one, too. */
static int read_whole(struct pd_ctx *ctx, const struct found *found, bool promised_so, const char **how)
{
	struct contents has;
	int result = archive_read_whole(ctx, found->id, &has);

	if (result < 0)
		return result;
	*how = has.raw ? pd_format(ctx, "%s; unpacked to its end, one file of %" PRId64 " bytes%s", *how, has.bytes, promised_so ? "" :
				   ", of which it is not known whether they are a whole backup") :
	       pd_format(ctx, "%s; read as an archive to its end, entries: %" PRId64 ", bytes: %" PRId64, *how,
			 has.entries, has.bytes);
	return pd_output(ctx, "entries", pd_format(ctx, "%" PRId64, has.entries)) < 0 ||
	       pd_output(ctx, "bytes", pd_format(ctx, "%" PRId64, has.bytes)) < 0 ? PD_FAILED : 0;
}

static int prove(struct pd_ctx *ctx, const struct found *found, const char **how)
{
	const struct args *args = ctx->args;
	const char *const argv[] = { "sha256sum", "--zero", "--", found->id, NULL };
	const struct pd_command command = { .size = sizeof(command), .argv = argv };
	const char *wanted = promised(ctx, found->id);
	struct pd_command_result r = { 0 };
	int result = ask(ctx, &command, 0, pd_format(ctx, "%s can't be read", found->id), &r);

	if (result < 0)
		return result;
	if (wanted && strncasecmp(wanted, r.out, HEX) != 0)
		return against(ctx, pd_format(ctx, "%s is damaged: its SHA-256 is %.*s, and %s" DIGEST " says %s",
					      found->id, HEX, r.out, found->id, wanted),
			       "let the backup run again, and look at the volume that it is on");
	*how = pd_format(ctx, "%s were read, SHA-256 %.*s%s", found->has, HEX, r.out,
			 wanted ? ", as " DIGEST " says" : args->read ? "" : "; there is no " DIGEST " to compare it "
				  "with, so it is not known whether they are a whole backup");
	return args->read ? read_whole(ctx, found, wanted != NULL, how) : 0;
}

static int with(struct pd_ctx *ctx, product_fn *work)
{
	const struct args *args = ctx->args;

	return work(ctx, &(struct product){ find, prove, args->path, args->age });
}

static int check(struct pd_ctx *ctx) { return with(ctx, product_check); }
static int apply(struct pd_ctx *ctx) { return with(ctx, product_apply); }

static const struct pd_param params[] = {
	PD_PARAM(struct args, path, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "the backup, or a folder with backups at any depth, of which the newest counts"),
	PD_PARAM(struct args, name, PD_T_STRING, .def = "*",
		 .help = "pattern of their names in the folder, such as \"*.tar.zst\""),
	PARAM_AGE(struct args),
	PD_PARAM(struct args, bytes, PD_T_BYTES, .def = "1", .min = 1, .max = INT64_MAX,
		 .help = "size that it must have"),
	PD_PARAM(struct args, digest, PD_T_BOOL, .def = "false",
		 .help = "a file NAME.sha256 must be beside it; one that is there has to fit in any case"),
	PD_PARAM(struct args, read, PD_T_BOOL, .def = "false",
		 .help = "it is an archive (tar, cpio, zip), compressed or not, or a compressed file: it is read as that to its end"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PRODUCT_OUTPUTS,
	PD_OUTPUT("entries", PD_T_INT, "how many entries were read in it, with read"),
	PD_OUTPUT("bytes", PD_T_BYTES, "data that these have, with read"),
	PD_OUTPUT_END
};

const struct pd_step file_step = {
	PD_STEP, .name = "file",
	.help = "the newest backup in a folder is recent and large enough, its digest fits if it has one, and it is read to its end if asked",
	.reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs,
	.check = check, .apply = apply, .verify = product_verify,
	.time_limit = 6 * 3600, .expected = 60
};
