/* SPDX-License-Identifier: MIT */
/* plan - which packages of the selection the server still needs, and all that
 * changes with them. */
#include "rpm.h"

#include <string.h>

static void want(struct rpm_txn *txn, struct rpm_selection *s,
		 const struct rpm_wanted *w)
{
	struct rpm_wanted *there = NULL;

	for (size_t i = 0; i < s->n && !there; i++)
		if (strcmp(s->v[i].name, w->name) == 0 &&
		    strcmp(s->v[i].arch, w->arch) == 0)
			there = &s->v[i];
	if (there && rpm_compare(w->evr, there->evr) <= 0)
		return;
	if (!there) {
		s->v = pkg_grow(txn->ctx, s->v, s->n, &s->cap, sizeof(*s->v));
		there = &s->v[s->n++];
	}
	*there = *w;
}

static int look_at_package(struct rpm_txn *txn, const struct pd_update *update,
			   const struct pd_package *package, bool keep_held,
			   const struct rpm_locks *locks,
			   struct rpm_selection *s, struct pkg_text *held)
{
	const char *slash = strrchr(package->url, '/');
	const struct rpm_row *row = NULL;
	struct rpm_wanted w = {
		.name = package->name, .arch = package->arch,
		.evr = strncmp(package->version, "0:", 2) == 0 ?
		       package->version + 2 : package->version,
		.file = slash ? slash + 1 : package->url,
		.sha256 = package->sha256
	};

	if (package->scheme != PD_SCHEME_RPM)
		return pd_fail(txn->ctx, PD_BAD_ARGS, "package %s of update %s "
			       "is no rpm package", package->name, update->id);
	row = rpm_find(&txn->now, w.name, w.arch);
	/* one that was not here for the plan either takes the place of others */
	if (strcmp(w.arch, "src") == 0 || (!row && *package->installed)) {
		pd_log(txn->ctx, PD_LOG_DEBUG, "%s of update %s is not "
		       "installed here: left out", w.name, update->id);
		return 0;
	}
	if (row && !*w.arch)
		w.arch = row->arch;
	if (row && rpm_compare(row->evr, w.evr) >= 0) {
		s->total++;
		return 0;
	}
	if (rpm_is_locked(txn->ctx, locks, &w)) {
		pkg_printf(held, "%s%s", held->len ? ", " : "", w.name);
		if (!keep_held)
			return 0;
	}
	s->total++;
	s->unknown |= update->restart == PD_RESTART_UNKNOWN;
	s->reboots |= update->restart == PD_RESTART_REBOOT;
	want(txn, s, &w);
	return 0;
}

int rpm_select(struct rpm_txn *txn, const struct pd_updates *updates,
	       bool keep_held, struct rpm_selection *out)
{
	const struct rpm_locks *locks = rpm_locks_read(txn->ctx);
	struct pkg_text held = { .ctx = txn->ctx };
	struct pd_update update = { 0 };
	struct pd_package package = { 0 };

	*out = (struct rpm_selection){ .fault = rpm_locks_fault(locks) };
	for (size_t i = 0; pd_update_at(txn->ctx, updates, i, &update); i++)
		for (size_t j = 0;
		     pd_package_at(txn->ctx, updates, i, j, &package); j++)
			if (look_at_package(txn, &update, &package, keep_held,
					    locks, out, &held) < 0)
				return PD_BAD_ARGS;
	out->held = held.s;
	return 0;
}

/* The files of what is wanted. */
static int find_files(struct rpm_txn *txn, const struct rpm_selection *s,
		      struct pkg_argv *files, const char **why)
{
	struct pkg_text missing = { .ctx = txn->ctx };

	for (size_t i = 0; i < s->n; i++) {
		const struct rpm_wanted *w = &s->v[i];
		const char *name = *w->file ? w->file :
			pd_format(txn->ctx, "%s.rpm",
				  rpm_nvra(txn->ctx, w->name, w->evr, w->arch));
		const char *path = rpm_folder_find(&txn->fresh, name);

		if (path)
			pkg_arg(files, path);
		else
			pkg_printf(&missing, "%s%s", missing.len ? ", " : "",
				   name);
	}
	if (!missing.s)
		return 0;
	*why = pd_format(txn->ctx, "not in %s: %s", txn->source, missing.s);
	return PD_REFUSED;
}

static const char *check_digests(struct rpm_txn *txn,
				 const struct rpm_selection *s,
				 const struct pkg_argv *files)
{
	const char **digests = pd_alloc_for(txn->ctx, (files->n + 1) *
					    sizeof(*digests));

	if (pkg_digests(txn->ctx, files->v, files->n, digests) < 0)
		return "their digests can't be made";
	for (size_t i = 0; i < s->n; i++)
		if (*s->v[i].sha256 &&
		    (!digests[i] || strcmp(digests[i], s->v[i].sha256) != 0))
			return pd_format(txn->ctx, "%s has SHA-256 %s, and %s "
					 "in the catalog", files->v[i],
					 digests[i] ? digests[i] : "unknown",
					 s->v[i].sha256);
	return NULL;
}

/* Something that the files lack: "	CAPABILITY is needed by PACKAGE". */
static const char *next_need(struct rpm_txn *txn, const struct pkg_argv *files,
			     bool *fits, const char **why)
{
	struct pkg_argv argv = { 0 };
	struct pd_command_result result = { 0 };
	char *end = NULL, *start = NULL;

	rpm_begin(txn, &argv, "-U");
	pkg_arg(&argv, "--test");
	pkg_arg(&argv, "--nomanifest");
	for (size_t i = 0; i < files->n; i++)
		pkg_arg(&argv, files->v[i]);
	if (rpm_run(txn->ctx, &argv, &result) < 0)
		return NULL;
	*fits = result.status == 0;
	if (*fits)
		return NULL;
	*why = rpm_why(txn->ctx, &result);
	start = (char *)pkg_copy(txn->ctx, result.err, result.err_len);
	end = strstr(start, " is needed by ");
	if (!end)
		return NULL;
	*end = '\0';
	start = strrchr(start, '\n') ? strrchr(start, '\n') + 1 : start;
	start += strspn(start, " \t");
	/* the version is rpm's affair: it is asked again */
	return pkg_field(&start, ' ');
}

static bool provides(const struct rpm_file *file, const char *what)
{
	size_t len = strlen(what);

	for (const char *at = file->provides; at && (at = strstr(at, what)); at++)
		if ((at == file->provides || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

/* The newest file of the folder that provides it. */
static const char *provider(const struct rpm_file *all, size_t n,
			    const char *what)
{
	const struct rpm_file *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (provides(&all[i], what) &&
		    (!best || (strcmp(best->row.name, all[i].row.name) == 0 &&
			       rpm_compare(all[i].row.evr, best->row.evr) > 0)))
			best = &all[i];
	return best ? best->path : NULL;
}

static bool is_among(const struct pkg_argv *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->v[i], path) == 0)
			return true;
	return false;
}

/* Add what they need from the folder, until rpm has nothing against them. */
static int complete(struct rpm_txn *txn, struct pkg_argv *files,
		    const char **why)
{
	struct rpm_file *all = NULL;
	size_t n = 0;
	bool fits = false;

	for (;;) {
		const char *need = next_need(txn, files, &fits, why);
		const char *path = NULL;

		if (fits)
			return 0;
		if (!*why)
			return PD_FAILED;
		if (need && !all &&
		    rpm_read_files(txn->ctx, txn->fresh.paths, txn->fresh.n,
				   &all, &n) < 0)
			return PD_FAILED;
		path = need ? provider(all, n, need) : NULL;
		if (!path || is_among(files, path))
			return PD_REFUSED;
		pkg_arg(files, path);
	}
}

static bool is_replaced(const struct rpm_row *row,
			const struct rpm_obsolete *o)
{
	int sign = 0;

	if (strcmp(row->name, o->name) != 0)
		return false;
	if (!*o->sense)
		return true;
	sign = rpm_compare(row->evr, o->evr);
	return (sign < 0 && strchr(o->sense, '<')) ||
	       (sign > 0 && strchr(o->sense, '>')) ||
	       (sign == 0 && strchr(o->sense, '='));
}

static void add_replaced(struct rpm_txn *txn, const struct rpm_file *file)
{
	for (size_t i = 0; i < file->obsoletes_len; i++)
		for (size_t j = 0; j < txn->now.n; j++) {
			const struct rpm_row *row = &txn->now.v[j];
			struct rpm_change *c;

			if (!is_replaced(row, &file->obsoletes[i]) ||
			    strcmp(row->name, file->row.name) == 0 ||
			    rpm_change_find(&txn->changes, row->name, row->arch))
				continue;
			c = rpm_change_add(txn->ctx, &txn->changes);
			c->name = row->name;
			c->arch = c->old_arch = row->arch;
			c->old = row->evr;
		}
}

static int list_changes(struct rpm_txn *txn, const struct pkg_argv *files)
{
	struct rpm_file *read = NULL;
	size_t n = 0;

	txn->changes = (struct rpm_changes){ 0 };
	if (rpm_read_files(txn->ctx, files->v, files->n, &read, &n) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < n; i++) {
		struct rpm_change *c = rpm_change_add(txn->ctx, &txn->changes);
		const struct rpm_row *row = &read[i].row;
		const struct rpm_row *old = row->parallel ? NULL :
			rpm_find(&txn->now, row->name, row->arch);

		*c = (struct rpm_change){
			.name = row->name, .arch = row->arch, .evr = row->evr,
			.file = read[i].path, .parallel = row->parallel,
			.old = old ? old->evr : NULL,
			.old_arch = old ? old->arch : NULL
		};
	}
	for (size_t i = 0; i < n; i++)
		add_replaced(txn, &read[i]);
	return 0;
}

static int check_signatures(struct rpm_txn *txn, const struct pkg_argv *files,
			    const char **why, const char **remedy)
{
	*remedy = "import the vendor's key (rpmkeys --import), or find out who "
		  "made the package; unsigned = true takes any";
	return rpm_check_files(txn, files->v, files->n, why);
}

int rpm_plan(struct rpm_txn *txn, const struct rpm_selection *selection,
	     const char **why, const char **remedy)
{
	struct pkg_argv files = { .ctx = txn->ctx };
	size_t wanted = 0;
	int done = 0;

	txn->changes = (struct rpm_changes){ 0 };
	if (selection->n == 0)
		return 0;
	*remedy = "give the package source to root alone (chown, chmod go-w), "
		  "and fetch its files again";
	*why = pkg_folder_unsafe(txn->ctx, txn->source);
	if (*why)
		return PD_REFUSED;
	*remedy = "bring the packages into the package source (patchday "
		  "catalog fetch), or take the update out of the selection";
	done = find_files(txn, selection, &files, why);
	if (done < 0)
		return done;
	*remedy = "find out where the other file comes from, or who may write "
		  "to it, before anything else";
	*why = check_digests(txn, selection, &files);
	if (*why)
		return PD_REFUSED;
	done = check_signatures(txn, &files, why, remedy);
	if (done < 0)
		return done;
	wanted = files.n;
	*remedy = "bring what is needed into the package source, or take the "
		  "update out of the selection";
	done = complete(txn, &files, why);
	if (done == 0 && files.n > wanted)
		done = check_signatures(txn, &files, why, remedy);
	return done < 0 ? done : list_changes(txn, &files);
}

const char *rpm_old_file(struct rpm_txn *txn, const struct rpm_change *c)
{
	const char *name = pd_format(txn->ctx, "%s.rpm",
				     rpm_nvra(txn->ctx, c->name, c->old,
					      c->old_arch));
	const char *path = rpm_folder_find(&txn->fresh, name);

	return path ? path : rpm_folder_find(&txn->olds, name);
}
