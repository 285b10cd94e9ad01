/* SPDX-License-Identifier: MIT */
/* fetch - .deb files: the new ones and the old ones, with their digests. */
#include "deb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is wanted in a folder. */
struct want {
	const char *path;
	const char *spec;
	const char *sha256; /* NULL: take what is found */
	const char *digest; /* of the file as it is */
	bool elsewhere;     /* not from apt: only its digest is checked */
};

static bool is_good(const struct want *want)
{
	return want->digest &&
	       (!want->sha256 || strcmp(want->digest, want->sha256) == 0);
}

static int digest_all(struct pd_ctx *ctx, struct want *wants, size_t n)
{
	const char **paths = pd_alloc_for(ctx, (n + 1) * sizeof(*paths));
	const char **digests = pd_alloc_for(ctx, (n + 1) * sizeof(*digests));

	for (size_t i = 0; i < n; i++)
		paths[i] = wants[i].path;
	if (pkg_digests(ctx, paths, n, digests) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < n; i++)
		wants[i].digest = digests[i];
	return 0;
}

/* A package in a folder under apt's name for it, or an archive's, which has no
 * epoch; NULL: none. */
static const char *find(struct pd_ctx *ctx, const char *folder,
			const char *name)
{
	const char *epoch = strstr(name, "%3a"), *version = strchr(name, '_');
	const char *path = folder ? pd_format(ctx, "%s/%s", folder, name) :
				    NULL;

	if (!path || pkg_exists(path))
		return path;
	if (!epoch || !version || version > epoch)
		return NULL;
	path = pd_format(ctx, "%s/%.*s_%s", folder, (int)(version - name),
			 name, epoch + 3);
	return pkg_exists(path) ? path : NULL;
}

/* Take over what is in @p other already; the digest is checked after. */
static int borrow(struct pd_ctx *ctx, struct want *wants, size_t n,
		  const char *other)
{
	for (size_t i = 0; other && i < n; i++) {
		const char *name = strrchr(wants[i].path, '/') + 1;
		const char *there = find(ctx, other, name);

		if (there && !is_good(&wants[i]) && !wants[i].elsewhere &&
		    strcmp(there, wants[i].path) != 0 &&
		    pkg_copy_file(ctx, there, wants[i].path) < 0)
			return PD_FAILED;
	}
	return digest_all(ctx, wants, n);
}

static int download(struct deb_txn *txn, struct want *wants, size_t n,
		    const char *folder)
{
	struct pkg_argv argv = { 0 };
	struct pd_command_result result = { 0 };
	size_t fixed = 0;

	deb_apt(txn, &argv, true);
	pkg_arg(&argv, "download");
	fixed = argv.n;
	for (size_t i = 0; i < n; i++) {
		if (is_good(&wants[i]) || wants[i].elsewhere || !wants[i].spec)
			continue;
		if (unlink(wants[i].path) < 0 && errno != ENOENT)
			return pd_fail(txn->ctx, PD_FAILED, "%s can't be "
				       "replaced: %s", wants[i].path,
				       strerror(errno));
		pkg_arg(&argv, wants[i].spec);
	}
	if (argv.n == fixed)
		return 0;
	pd_log(txn->ctx, PD_LOG_INFO, "fetching %zu packages to %s",
	       argv.n - fixed, folder);
	if (deb_run(txn->ctx, &argv, folder, NULL, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(txn->ctx, PD_RETRY, "packages can't be fetched: "
			       "%s", deb_why(txn->ctx, &result));
	return digest_all(txn->ctx, wants, n);
}

static int have(struct deb_txn *txn, struct want *wants, size_t n,
		const char *folder)
{
	int done = digest_all(txn->ctx, wants, n);

	if (done == 0)
		done = borrow(txn->ctx, wants, n, txn->from);
	if (done == 0)
		done = borrow(txn->ctx, wants, n, txn->source);
	if (done == 0)
		done = borrow(txn->ctx, wants, n, DEB_ARCHIVES);
	if (done == 0)
		done = download(txn, wants, n, folder);
	for (size_t i = 0; done == 0 && i < n; i++) {
		if (is_good(&wants[i]))
			continue;
		if (!wants[i].digest)
			return pd_fail(txn->ctx, PD_FAILED,
				       "%s was not fetched", wants[i].path);
		/* A wrong file must not be taken for a good one later. */
		if (!wants[i].elsewhere && unlink(wants[i].path) < 0)
			pd_log(txn->ctx, PD_LOG_WARN, "%s can't be removed: %s",
			       wants[i].path, strerror(errno));
		return pd_fail(txn->ctx, PD_FAILED, "%s has SHA-256 %s, not "
			       "%s as it should; nothing was installed",
			       wants[i].path, wants[i].digest, wants[i].sha256);
	}
	return done;
}

static const struct deb_wanted *wanted_of(const struct deb_txn *txn,
					  const struct deb_change *c)
{
	for (size_t i = 0; i < txn->wanted_len; i++)
		if (strcmp(txn->wanted[i].name, c->name) == 0 &&
		    (!*txn->wanted[i].arch ||
		     strcmp(txn->wanted[i].arch, c->arch) == 0))
			return &txn->wanted[i];
	return NULL;
}

int deb_fetch_new(struct deb_txn *txn, struct deb_changes *changes,
		  const char *folder)
{
	struct pd_ctx *ctx = txn->ctx;
	struct want *wants = pd_alloc_for(ctx, (changes->n + 1) *
					  sizeof(*wants));
	size_t n = 0;

	for (size_t i = 0; i < changes->n; i++) {
		struct deb_change *c = &changes->v[i];
		const struct deb_wanted *w = wanted_of(txn, c);
		const struct deb_offer *offer = NULL;

		if (!c->version)
			continue;
		offer = deb_offer_of(txn, c);
		if (!offer && txn->source && !(w && w->path))
			return pd_fail(ctx, PD_FAILED, "%s %s is not in the "
				       "package source %s", c->name,
				       c->version, txn->source);
		c->file = w && w->path ? w->path : offer ? offer->path :
			  pd_format(ctx, "%s/%s", folder,
				    deb_file_name(ctx, c->name, c->arch,
						  c->version));
		wants[n].path = c->file;
		wants[n].elsewhere = offer || (w && w->path);
		wants[n].spec = deb_spec(ctx, c->name, c->arch, c->version);
		wants[n].sha256 = offer ? offer->sha256 :
				  w && *w->sha256 ? w->sha256 : c->sha256;
		if (!wants[n].sha256)
			return pd_fail(ctx, PD_FAILED, "neither apt's lists "
				       "nor the catalog know the digest of "
				       "%s %s", c->name, c->version);
		n++;
	}
	return have(txn, wants, n, folder);
}

static bool can_repack(void)
{
	return access("/usr/bin/dpkg-repack", X_OK) == 0;
}

const char *deb_old_source(struct deb_txn *txn, const struct deb_change *c)
{
	const char *name = deb_file_name(txn->ctx, c->name, c->old_arch,
					 c->old);

	if (c->old_sha256 && !txn->source)
		return "apt";
	if (find(txn->ctx, DEB_ARCHIVES, name) ||
	    find(txn->ctx, txn->from, name) || find(txn->ctx, txn->source, name))
		return "archive";
	return txn->repack && can_repack() ? "repack" : NULL;
}

/* dpkg-repack names its file as it likes, so it gets a folder of its own. */
static int repack(struct deb_txn *txn, const struct deb_change *c,
		  const char *folder, const char *path)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *own = pd_format(ctx, "%s/repack", folder);
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	const struct dirent *entry = NULL;
	bool found = false;
	DIR *dir = NULL;

	if (pkg_make_folder(ctx, own) < 0)
		return PD_FAILED;
	pkg_arg(&argv, "/usr/bin/dpkg-repack");
	pkg_arg(&argv, deb_spec(ctx, c->name, c->old_arch, NULL));
	if (deb_run(ctx, &argv, own, NULL, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "%s %s can't be packed from its "
			       "installed files: %s", c->name, c->old,
			       deb_why(ctx, &result));
	dir = opendir(own);
	while (dir && !found && (entry = readdir(dir)))
		if (strstr(entry->d_name, ".deb"))
			found = rename(pd_format(ctx, "%s/%s", own,
						 entry->d_name), path) == 0;
	if (dir)
		closedir(dir);
	if (!found)
		return pd_fail(ctx, PD_FAILED, "dpkg-repack left no package of "
			       "%s in %s", c->name, own);
	pd_log(ctx, PD_LOG_WARN, "%s %s is in no source: packed from its "
	       "installed files", c->name, c->old);
	return rmdir(own) == 0 || errno == ENOTEMPTY ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s can't be removed: %s", own,
		       strerror(errno));
}

int deb_keep_old(struct deb_txn *txn, const char *folder)
{
	struct pd_ctx *ctx = txn->ctx;
	struct want *wants = pd_alloc_for(ctx, (txn->changes.n + 1) *
					  sizeof(*wants));
	size_t n = 0, next = 0;
	int done = 0;

	for (size_t i = 0; i < txn->changes.n; i++) {
		struct deb_change *c = &txn->changes.v[i];
		const char *source = NULL, *name = NULL;

		if (c->saved || !c->old)
			continue;
		source = deb_old_source(txn, c);
		if (!source) {
			pd_log(ctx, PD_LOG_WARN, "%s %s is in no source and "
			       "can't be kept: no way back from its update",
			       c->name, c->old);
			continue;
		}
		name = deb_file_name(ctx, c->name, c->old_arch, c->old);
		c->kept = pd_format(ctx, "%s/%s", folder, name);
		if (strcmp(source, "repack") == 0 && !pkg_exists(c->kept) &&
		    repack(txn, c, folder, c->kept) < 0)
			return PD_FAILED;
		wants[n].path = c->kept;
		wants[n].sha256 = c->old_sha256;
		if (c->old_sha256 && !txn->source)
			wants[n].spec = deb_spec(ctx, c->name, c->old_arch,
						 c->old);
		n++;
	}
	done = have(txn, wants, n, folder);
	if (done < 0)
		return done;
	for (size_t i = 0; i < txn->changes.n; i++) {
		struct deb_change *c = &txn->changes.v[i];

		if (!c->saved && c->old && c->kept)
			c->old_sha256 = wants[next++].digest;
	}
	return pkg_sync(ctx, folder);
}
