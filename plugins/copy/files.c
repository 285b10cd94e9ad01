/* SPDX-License-Identifier: MIT */
/* One file of the source, and all of them: copied, compared, counted. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

const char *copy_source(struct pd_ctx *ctx, const char *from)
{
	return pd_format(ctx, "%s/%s", from, *ctx->run ? ctx->run : "manual");
}

const char *copy_target(struct pd_ctx *ctx, const char *to)
{
	return pd_format(ctx, "%s/%s/%s", to, ctx->server, *ctx->run ? ctx->run : "manual");
}

void copy_manifest_line(FILE *f, const char *hex, const char *name)
{
	fprintf(f, "%s%s  ", strpbrk(name, "\\\n") ? "\\" : "", hex);
	for (; *name; name++)
		if (*name == '\\' || *name == '\n')
			fputs(*name == '\n' ? "\\n" : "\\\\", f);
		else
			putc(*name, f);
	putc('\n', f);
}

int copy_plain_name(struct pd_ctx *ctx, const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return pd_fail(ctx, PD_FAILED, "%s can't be copied: there is a control character in its name",
				       name);
	return 0;
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

static void enter(struct pass *p, const char *hex, const char *name)
{
	if (p->manifest)
		copy_manifest_line(p->manifest, hex, name);
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
	enter(p, hex, name);
	return 0;
}

int copy_make_folder(struct pd_ctx *ctx, const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 :
		pd_fail(ctx, PD_FAILED, "cannot make the folder %s: %s", path, strerror(errno));
}

/* Under another name until it is whole and on the medium. */
int copy_file(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	const char *to = pd_format(p->ctx, "%s/%s", p->to, name);
	const char *part = pd_format(p->ctx, "%s.part", to);
	int in, out, r;

	if (S_ISDIR(st->st_mode))
		return copy_make_folder(p->ctx, to);
	p->copied++;
	in = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	out = in < 0 ? -1 : open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

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

int copy_digest(struct pass *p, const char *path, char hex[HEX])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0)
		return pd_fail(p->ctx, PD_FAILED, "cannot read %s: %s", path, strerror(errno));
	r = stream(p, path, fd, -1, hex);
	close(fd);
	return r;
}

int copy_missing(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	const char *to = pd_format(p->ctx, "%s/%s", p->to, name);
	char a[HEX] = "", b[HEX] = "";
	struct stat there;

	if (!S_ISREG(st->st_mode) || lstat(to, &there) < 0 || !S_ISREG(there.st_mode) ||
	    there.st_size != st->st_size)
		return copy_file(p, path, name, st);
	if (copy_digest(p, path, a) < 0 || copy_digest(p, to, b) < 0)
		return PD_FAILED;
	if (strcmp(a, b) != 0)
		return copy_file(p, path, name, st);
	enter(p, a, name);
	return 0;
}

int copy_compare(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	const char *to = pd_format(p->ctx, "%s/%s", p->to, name);
	char a[HEX] = "", b[HEX] = "";

	if (S_ISDIR(st->st_mode))
		return 0;
	if (copy_digest(p, path, a) < 0 || copy_digest(p, to, b) < 0)
		return PD_FAILED;
	return strcmp(a, b) == 0 ? 0 :
		pd_fail(p->ctx, PD_FAILED, "%s is not what %s is: their SHA-256 differ", to, path);
}

/* Does the copy look whole, without reading it? */
int copy_look(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	struct stat there;

	(void)path;
	return S_ISDIR(st->st_mode) ? 0 : stat(pd_format(p->ctx, "%s/%s", p->to, name), &there) == 0 &&
	       there.st_size == st->st_size && there.st_mtime == st->st_mtime ? 0 : 1;
}

int copy_count(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	(void)path, (void)name;
	p->bytes += S_ISREG(st->st_mode) ? st->st_size : 0;
	return 0;
}

/* ------------------------------------------------------------ all of them */

static int visit(struct pass *p, const FTSENT *f, file_fn *fn)
{
	const char *name = f->fts_path + strlen(p->from);

	name += *name == '/';
	if (f->fts_info == FTS_ERR || f->fts_info == FTS_NS || f->fts_info == FTS_DNR)
		return pd_fail(p->ctx, PD_FAILED, "cannot read %s: %s", f->fts_path,
			       strerror(f->fts_errno));
	if (f->fts_info == FTS_F && p->from != p->first && access(pd_format(p->ctx, "%s/%s", p->first, name), F_OK) == 0)
		return pd_fail(p->ctx, PD_FAILED, "%s is in %s, too: the copy of one would be in the place of the other",
			       f->fts_path, p->first);
	p->files += f->fts_info == FTS_F;
	if (f->fts_info == FTS_F || f->fts_info == FTS_D)
		return fn(p, f->fts_path, name, f->fts_statp);
	if (f->fts_info != FTS_DP && !p->quiet)
		pd_log(p->ctx, PD_LOG_WARN, "%s is neither file nor folder and is not copied",
		       f->fts_path);
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct pass *p, file_fn *fn)
{
	char *const roots[] = { (char *)(uintptr_t)p->from, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *f;
	int r = 0;

	if (!fts)
		return pd_fail(p->ctx, PD_FAILED, "cannot walk through %s: %s", p->from,
			       strerror(errno));
	while (r == 0 && (f = fts_read(fts)))
		r = visit(p, f, fn);
	fts_close(fts);
	return r;
}

int copy_each(struct pass *p, file_fn *fn)
{
	int r;

	p->files = p->bytes = 0;
	if (!p->chunk)
		p->chunk = pd_alloc_for(p->ctx, CHUNK);
	p->first = p->from;
	r = walk(p, fn);
	for (size_t i = 0; r == 0 && i < p->also->len; i++) {
		p->from = copy_source(p->ctx, p->also->items[i]);
		if (access(p->from, F_OK) == 0 || errno != ENOENT)
			r = walk(p, fn);
	}
	p->from = p->first;
	return r;
}

int copy_report(struct pass *p)
{
	return pd_output(p->ctx, "folder", p->to) < 0 ||
	       pd_output(p->ctx, "files", pd_format(p->ctx, "%" PRId64, p->files)) < 0 ||
	       pd_output(p->ctx, "bytes", pd_format(p->ctx, "%" PRId64, p->bytes)) < 0 ?
	       PD_FAILED : 0;
}
