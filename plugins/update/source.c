/* SPDX-License-Identifier: MIT */
/* source - a package source: a folder that `patchday catalog fetch` has filled,
 * and the only place that packages are installed from then. */
#include "deb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUMS_MAX = 16 << 20 };

/* In check before the run starts, else before anything was installed. */
static int refuse(struct pd_ctx *ctx, const char *risk, const char *cause,
		  const char *remedy)
{
	if (ctx->phase == PD_PHASE_CHECK)
		pd_inhibit(ctx, risk, cause, remedy);
	return pd_fail(ctx, ctx->phase == PD_PHASE_CHECK ? PD_REFUSED : PD_FAILED,
		       "%s; nothing was installed", cause);
}

static int refuse_unsafe(struct pd_ctx *ctx, const char *cause)
{
	return refuse(ctx, "whoever can write to the package source decides "
		      "what is installed", cause, "give it to root alone "
		      "(chown, chmod go-w), and fetch its files again");
}

static struct deb_offer *add(struct deb_txn *txn, const char *file)
{
	struct deb_offers *o = &txn->offers;
	struct deb_offer *offer = NULL;

	o->v = pkg_grow(txn->ctx, o->v, o->n, &o->cap, sizeof(*o->v));
	offer = &o->v[o->n++];
	*offer = (struct deb_offer){
		.path = pd_format(txn->ctx, "%s/%s", txn->source, file) };
	return offer;
}

/* The payloads of what was selected, under the names of their addresses. */
static int add_wanted(struct deb_txn *txn)
{
	for (size_t i = 0; i < txn->wanted_len; i++) {
		const struct deb_wanted *w = &txn->wanted[i];
		const char *name = strrchr(w->url, '/');
		struct deb_offer *offer = NULL;

		name = name ? name + 1 : w->url;
		if (!*name || !*w->sha256)
			return refuse(txn->ctx, "something else than what was "
				      "approved could be installed",
				      pd_format(txn->ctx, "the catalog has no "
						"%s of %s %s", *name ? "SHA-256"
						: "payload", w->name,
						w->version),
				      "take a catalog that has it");
		offer = add(txn, name);
		offer->name = w->name;
		offer->arch = w->arch;
		offer->version = w->version;
		offer->sha256 = w->sha256;
		if (access(offer->path, F_OK) < 0)
			return refuse(txn->ctx, "the update would not be "
				      "installed", pd_format(txn->ctx, "%s is "
					"not there: %s", offer->path,
					strerror(errno)),
				      "fetch it: `patchday catalog fetch`");
	}
	return 0;
}

static bool is_offered(const struct deb_txn *txn, const char *file)
{
	for (size_t i = 0; i < txn->offers.n; i++)
		if (strcmp(strrchr(txn->offers.v[i].path, '/') + 1, file) == 0)
			return true;
	return false;
}

/* "NAME_VERSION_ARCH.deb" of a package that this server could need for another
 * one: of its architecture, and not installed. */
static void add_other(struct deb_txn *txn, char *file, const char *sha256,
		      const char *native)
{
	char *rest = (char *)pkg_copy(txn->ctx, file, strlen(file));
	const char *name = pkg_field(&rest, '_');
	const char *version = pkg_field(&rest, '_');
	const char *arch = pkg_field(&rest, '.');
	const struct deb_row *row = deb_find(&txn->now, name, arch);
	struct deb_offer *offer = NULL;

	if (strchr(file, '/') || strcmp(rest, "deb") != 0 ||
	    (strcmp(arch, "all") != 0 && strcmp(arch, native) != 0) ||
	    (row && strcmp(row->status, "installed") == 0) ||
	    is_offered(txn, file))
		return;
	offer = add(txn, file);
	if (access(offer->path, F_OK) < 0) {
		txn->offers.n--; /* removed by somebody since */
		return;
	}
	offer->name = name;
	offer->arch = arch;
	offer->version = version;
	offer->sha256 = sha256;
}

/* Of what else was fetched, with the digest from that day: new packages that
 * the selected ones depend on are in no selection. */
static int add_others(struct deb_txn *txn)
{
	const char *path = pd_format(txn->ctx, "%s/SHA256SUMS", txn->source);
	const struct deb_row *dpkg = deb_find(&txn->now, "dpkg", "");
	const char *text = NULL, *why = NULL;
	char *rest = NULL, *line = NULL;

	if (access(path, F_OK) < 0)
		return 0;
	why = pkg_unsafe(txn->ctx, path, S_IFREG, false);
	if (why)
		return refuse_unsafe(txn->ctx, why);
	text = pd_read_file(txn->ctx, path, SUMS_MAX, NULL);
	if (!text)
		return pd_fail(txn->ctx, PD_FAILED, "%s can't be read", path);
	rest = (char *)pkg_copy(txn->ctx, text, strlen(text));
	while ((line = pkg_line(&rest))) {
		if (strlen(line) < 67)
			continue;
		line[64] = '\0';
		add_other(txn, line + 66, line, dpkg ? dpkg->arch : "");
	}
	return 0;
}

static int prove(struct deb_txn *txn)
{
	const struct deb_offers *o = &txn->offers;
	struct pd_ctx *ctx = txn->ctx;
	const char **paths = pd_alloc_for(ctx, (o->n + 1) * sizeof(*paths));
	const char **is = pd_alloc_for(ctx, (o->n + 1) * sizeof(*is));

	for (size_t i = 0; i < o->n; i++) {
		const char *why = pkg_unsafe(ctx, o->v[i].path, S_IFREG, false);

		if (why)
			return refuse_unsafe(ctx, why);
		paths[i] = o->v[i].path;
	}
	if (pkg_digests(ctx, paths, o->n, is) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < o->n; i++)
		if (!is[i] || strcmp(is[i], o->v[i].sha256) != 0)
			return refuse(ctx, "something else than what was "
				      "approved would be installed",
				      pd_format(ctx, "%s has SHA-256 %s, not %s",
						paths[i], is[i] ? is[i] : "(it "
						"can't be read)",
						o->v[i].sha256),
				      "find out who changed it, then fetch it "
				      "again: `patchday catalog fetch`");
	return 0;
}

int deb_offers_read(struct deb_txn *txn)
{
	const char *why = pkg_folder_unsafe(txn->ctx, txn->source);
	int done = why ? refuse_unsafe(txn->ctx, why) : add_wanted(txn);

	if (done == 0)
		done = add_others(txn);
	return done == 0 ? prove(txn) : done;
}

const struct deb_offer *deb_offer_of(const struct deb_txn *txn,
				     const struct deb_change *c)
{
	const char *colon = strchr(c->version, ':');

	for (size_t i = 0; i < txn->offers.n; i++) {
		const struct deb_offer *o = &txn->offers.v[i];

		/* names of files in an archive have no epoch */
		if (strcmp(o->name, c->name) == 0 &&
		    strcmp(o->arch, c->arch) == 0 &&
		    (strcmp(o->version, c->version) == 0 ||
		     (colon && strcmp(o->version, colon + 1) == 0)))
			return o;
	}
	return NULL;
}
