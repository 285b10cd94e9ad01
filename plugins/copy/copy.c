/* SPDX-License-Identifier: MIT */
/* copy - what a run has saved, in a second place off the server. */
#include <patchday/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "MANIFEST"
#define CHUNK ((size_t)1 << 20)
#define HEX (2 * crypto_hash_sha256_BYTES + 1)

struct folder_args {
	const char *from;
	const char *to;
	bool same_volume;
};

static const struct pd_param params[] = {
	PD_PARAM(struct folder_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder where the run's steps have saved: what is in its subfolder of this run is copied"),
	PD_PARAM(struct folder_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder off the server, such as a mounted share or medium; it has to exist"),
	PD_PARAM(struct folder_args, same_volume, PD_T_BOOL, .def = "false",
		 .help = "allow a second place on the volume of the first"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the copy is: TO/SERVER/RUN"),
	PD_OUTPUT("files", PD_T_INT, "files in it"),
	PD_OUTPUT("bytes", PD_T_BYTES, "their size"),
	PD_OUTPUT_END
};

/** One pass over the source. */
struct pass {
	struct pd_ctx *ctx;
	const char *from, *to;
	FILE *manifest; /**< NULL: none is made */
	int64_t files, bytes, total;
	char *chunk;
};

static const char *source(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;

	return pd_format(ctx, "%s/%s", args->from, *ctx->run ? ctx->run : "manual");
}

static const char *target(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;

	return pd_format(ctx, "%s/%s/%s", args->to, ctx->server,
			 *ctx->run ? ctx->run : "manual");
}

/* ------------------------------------------------------------- one file */

static void hex_of(crypto_hash_sha256_state *sum, char hex[HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(sum, digest);
	sodium_bin2hex(hex, HEX, digest, sizeof(digest));
}

static int show(struct pass *p, const char *name, ssize_t n)
{
	p->bytes += n;
	pd_progress(p->ctx, p->bytes, p->total, name);
	return pd_canceled(p->ctx) ? pd_fail(p->ctx, PD_CANCELED, "stopped at %s", name) : 0;
}

/* Reads all of @p in; writes it to @p out, unless that is below zero. */
static int stream(struct pass *p, const char *name, int in, int out, char hex[HEX])
{
	crypto_hash_sha256_state sum;
	ssize_t n;

	crypto_hash_sha256_init(&sum);
	while ((n = read(in, p->chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pd_fail(p->ctx, PD_FAILED, "cannot read %s: %s", name, strerror(errno));
		crypto_hash_sha256_update(&sum, (unsigned char *)p->chunk, (size_t)n);
		for (ssize_t at = 0, w; out >= 0 && at < n; at += w)
			if ((w = write(out, p->chunk + at, (size_t)(n - at))) < 0)
				return pd_fail(p->ctx, PD_FAILED, "cannot write the copy of %s: %s",
					       name, strerror(errno));
		if (show(p, name, n) < 0)
			return PD_CANCELED;
	}
	hex_of(&sum, hex);
	return 0;
}

static int copy_data(struct pass *p, const char *name, const char *to, int in, int out,
		     const struct stat *st)
{
	const struct timespec times[2] = { st->st_mtim, st->st_mtim };
	char hex[HEX];
	int r = stream(p, name, in, out, hex);

	if (r < 0)
		return r;
	if (futimens(out, times) < 0 || fsync(out) < 0)
		return pd_fail(p->ctx, PD_FAILED, "cannot finish %s: %s", to, strerror(errno));
	fprintf(p->manifest, "%s  %s\n", hex, name);
	return 0;
}

/* Under another name until it is whole and on the medium. */
static int copy_file(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	const char *to = pd_format(p->ctx, "%s/%s", p->to, name);
	const char *part = pd_format(p->ctx, "%s.part", to);
	int in = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = in < 0 ? -1 : open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (out < 0)
		r = pd_fail(p->ctx, PD_FAILED, "cannot open %s: %s", in < 0 ? path : part,
			    strerror(errno));
	else
		r = copy_data(p, name, to, in, out, st);
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) < 0 && r == 0)
		r = pd_fail(p->ctx, PD_FAILED, "cannot close %s: %s", part, strerror(errno));
	if (r == 0 && rename(part, to) < 0)
		r = pd_fail(p->ctx, PD_FAILED, "cannot rename %s: %s", part, strerror(errno));
	if (r < 0 && out >= 0)
		unlink(part);
	return r;
}

static int digest_file(struct pass *p, const char *path, char hex[HEX])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0)
		return pd_fail(p->ctx, PD_FAILED, "cannot read %s: %s", path, strerror(errno));
	r = stream(p, path, fd, -1, hex);
	close(fd);
	return r;
}

static int compare_file(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	const char *to = pd_format(p->ctx, "%s/%s", p->to, name);
	char a[HEX] = "", b[HEX] = "";

	(void)st;
	if (digest_file(p, path, a) < 0 || digest_file(p, to, b) < 0)
		return PD_FAILED;
	return strcmp(a, b) == 0 ? 0 :
		pd_fail(p->ctx, PD_FAILED, "%s is not what %s is: their SHA-256 differ", to, path);
}

/* Does the copy look whole, without reading it? */
static int look_at_file(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	struct stat there;

	(void)path;
	return stat(pd_format(p->ctx, "%s/%s", p->to, name), &there) == 0 &&
	       there.st_size == st->st_size && there.st_mtime == st->st_mtime ? 0 : 1;
}

static int count_file(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	(void)path, (void)name;
	p->bytes += st->st_size;
	return 0;
}

/* ------------------------------------------------------------ all of them */

typedef int file_fn(struct pass *p, const char *path, const char *name, const struct stat *st);

static int make_folder(struct pass *p, const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 :
		pd_fail(p->ctx, PD_FAILED, "cannot make the folder %s: %s", path, strerror(errno));
}

static int visit(struct pass *p, const FTSENT *f, file_fn *fn)
{
	const char *name = f->fts_path + strlen(p->from);

	name += *name == '/';
	if (f->fts_info == FTS_ERR || f->fts_info == FTS_NS || f->fts_info == FTS_DNR)
		return pd_fail(p->ctx, PD_FAILED, "cannot read %s: %s", f->fts_path,
			       strerror(f->fts_errno));
	if (f->fts_info == FTS_D && fn == copy_file)
		return make_folder(p, pd_format(p->ctx, "%s/%s", p->to, name));
	if (f->fts_info == FTS_F) {
		p->files++;
		return fn(p, f->fts_path, name, f->fts_statp);
	}
	if (f->fts_info != FTS_D && f->fts_info != FTS_DP && fn == copy_file)
		pd_log(p->ctx, PD_LOG_WARN, "%s is neither file nor folder and is not copied",
		       f->fts_path);
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* @return 0, what @p fn said first that is not 0, or below zero. */
static int each(struct pass *p, file_fn *fn)
{
	char *const roots[] = { (char *)(uintptr_t)p->from, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *f;
	int r = 0;

	if (!fts)
		return pd_fail(p->ctx, PD_FAILED, "cannot walk through %s: %s", p->from,
			       strerror(errno));
	p->files = p->bytes = 0;
	p->chunk = pd_alloc_for(p->ctx, CHUNK);
	while (r == 0 && (f = fts_read(fts)))
		r = visit(p, f, fn);
	fts_close(fts);
	return r;
}

/* ------------------------------------------------------------------ steps */

static int report(struct pass *p)
{
	return pd_output(p->ctx, "folder", p->to) < 0 ||
	       pd_output(p->ctx, "files", pd_format(p->ctx, "%" PRId64, p->files)) < 0 ||
	       pd_output(p->ctx, "bytes", pd_format(p->ctx, "%" PRId64, p->bytes)) < 0 ?
	       PD_FAILED : 0;
}

/* A share that is not mounted is an empty folder of the server itself. */
static bool second_place(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;
	struct stat to = {0}, from = {0};
	const char *near = args->from;

	if (stat(args->to, &to) < 0 || !S_ISDIR(to.st_mode)) {
		pd_inhibit(ctx, "what the run saves would be on this server only",
			   pd_format(ctx, "the second place %s is no folder here", args->to),
			   "mount it, or make it");
		return false;
	}
	while (stat(near, &from) < 0 && strrchr(near, '/') > near)
		near = pd_format(ctx, "%.*s", (int)(strrchr(near, '/') - near), near);
	if (from.st_dev != to.st_dev || args->same_volume)
		return true;
	pd_inhibit(ctx, "what the run saves would be lost with one disk",
		   pd_format(ctx, "%s is on the same volume as %s", args->to, args->from),
		   "mount a share or medium there, or set same_volume");
	return false;
}

static int folder_check(struct pd_ctx *ctx)
{
	struct pass p = { .ctx = ctx, .from = source(ctx), .to = target(ctx) };
	int missing = 1;

	if (!second_place(ctx))
		return PD_REFUSED;
	/* in a dry run nothing has been saved yet */
	if (pd_recall(ctx, "folder") && access(p.from, F_OK) == 0) {
		missing = each(&p, look_at_file);
		if (missing == 0)
			missing = each(&p, count_file);
	}
	if (missing < 0 || (missing == 0 && report(&p) < 0) ||
	    (missing && pd_output(ctx, "folder", p.to) < 0))
		return PD_FAILED;
	return missing ? PD_CHANGED : PD_UNCHANGED;
}

static int write_manifest(struct pass *p, const char *text, size_t len)
{
	const char *path = pd_format(p->ctx, "%s/" MANIFEST, p->to);

	return pd_write_file(p->ctx, path, 0600, text, len) < 0 ? PD_FAILED :
	       pd_evidence(p->ctx, path, "digests of the copy in the second place");
}

static int folder_apply(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;
	struct pass p = { .ctx = ctx, .from = source(ctx), .to = target(ctx) };
	char *text = NULL;
	size_t len = 0;
	int r;

	if (access(p.from, F_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "no step of this run has saved anything below %s",
			       args->from);
	if (make_folder(&p, pd_format(ctx, "%s/%s", args->to, ctx->server)) < 0 ||
	    make_folder(&p, p.to) < 0 || each(&p, count_file) < 0)
		return PD_FAILED;
	p.total = p.bytes;
	p.manifest = open_memstream(&text, &len);
	if (!p.manifest)
		return pd_fail(ctx, PD_FAILED, "no memory for the manifest");
	r = each(&p, copy_file);
	fclose(p.manifest);
	if (r == 0)
		r = write_manifest(&p, text, len);
	free(text);
	if (r == 0 && (report(&p) < 0 || pd_remember(ctx, "folder", p.to) < 0))
		r = PD_FAILED;
	return r < 0 ? r : PD_CHANGED;
}

static int folder_verify(struct pd_ctx *ctx)
{
	struct pass p = { .ctx = ctx, .from = source(ctx), .to = target(ctx) };
	int r = each(&p, count_file);

	p.total = 2 * p.bytes;
	if (r == 0)
		r = each(&p, compare_file);
	return r < 0 ? r : PD_UNCHANGED;
}

static const struct pd_step folder = {
	PD_STEP, .name = "folder",
	.help = "copy what this run has saved to a second place, and prove the copy",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY,
	.params = params, .args_size = sizeof(struct folder_args), .outputs = outputs,
	.check = folder_check, .apply = folder_apply, .verify = folder_verify, .expected = 10
};

static const struct pd_step *const steps[] = { &folder, NULL };

PD_PLUGIN(.name = "copy", .version = "1.0",
	  .help = "copies to a second place off the server, proved by reading them back",
	  .steps = steps);
