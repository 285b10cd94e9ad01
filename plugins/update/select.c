/* SPDX-License-Identifier: MIT */
/* select - which packages of the selected updates the server still needs. */
#include "select.h"

#include <string.h>

static void want(struct pd_ctx *ctx, struct deb_selection *s, size_t *cap,
		 const struct pd_package *package, const struct deb_row *row)
{
	struct deb_wanted *w = NULL;

	for (size_t i = 0; i < s->n && !w; i++)
		if (strcmp(s->wanted[i].name, row->name) == 0 &&
		    strcmp(s->wanted[i].arch, row->arch) == 0)
			w = &s->wanted[i];
	if (w && deb_compare(package->version, w->version) <= 0)
		return;
	if (!w) {
		s->wanted = pkg_grow(ctx, s->wanted, s->n, cap,
				     sizeof(*s->wanted));
		w = &s->wanted[s->n++];
	}
	w->name = row->name;
	w->arch = strcmp(package->arch, "all") == 0 ? "all" : row->arch;
	w->version = package->version;
	w->sha256 = package->sha256;
	w->url = package->url;
	w->path = NULL;
}

static int look_at_package(struct pd_ctx *ctx, const struct pd_update *update,
			   const struct pd_package *package, bool keep_held,
			   const struct deb_rows *now, struct deb_selection *s,
			   size_t *cap, struct pkg_text *held)
{
	const struct deb_row *row = NULL;

	if (package->scheme != PD_SCHEME_DEB)
		return pd_fail(ctx, PD_BAD_ARGS, "package %s of update %s is "
			       "no Debian package", package->name, update->id);
	row = deb_find(now, package->name, package->arch);
	if (!deb_is_there(row)) {
		pd_log(ctx, PD_LOG_DEBUG, "%s of update %s is not installed "
		       "here: left out", package->name, update->id);
		return 0;
	}
	s->total++;
	if (deb_compare(row->version, package->version) >= 0 &&
	    strcmp(row->status, "installed") == 0)
		return 0;
	if (strcmp(row->want, "hold") == 0) {
		pkg_printf(held, "%s%s", held->len ? ", " : "", row->name);
		s->total--;
		if (!keep_held)
			return 0;
	}
	s->unknown |= update->restart == PD_RESTART_UNKNOWN;
	s->reboots |= update->restart == PD_RESTART_REBOOT;
	want(ctx, s, cap, package, row);
	return 0;
}

int deb_select(struct pd_ctx *ctx, const struct pd_updates *updates,
	       const struct deb_rows *now, bool keep_held,
	       struct deb_selection *out)
{
	struct pd_update update = { 0 };
	struct pd_package package = { 0 };
	struct pkg_text held = { .ctx = ctx };
	size_t cap = 0;

	*out = (struct deb_selection){ 0 };
	for (size_t i = 0; pd_update_at(ctx, updates, i, &update); i++)
		for (size_t j = 0; pd_package_at(ctx, updates, i, j, &package);
		     j++)
			if (look_at_package(ctx, &update, &package, keep_held,
					    now, out, &cap, &held) < 0)
				return PD_BAD_ARGS;
	out->held = held.s;
	return 0;
}
