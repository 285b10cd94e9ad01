/* SPDX-License-Identifier: MIT */
/* files - .rpm files: where they are, what is in them, who signed them. */
#include "rpm.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

int rpm_folder_add(struct pd_ctx *ctx, struct rpm_folder *to,
		   const char *folder)
{
	char *root = (char *)pkg_copy(ctx, folder, strlen(folder));
	char *const roots[] = { root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry = NULL;

	if (!fts)
		return pd_fail(ctx, PD_FAILED, "%s can't be read: %s", folder,
			       strerror(errno));
	while ((entry = fts_read(fts))) {
		size_t len = entry->fts_namelen;

		if (entry->fts_info != FTS_F || len < 5 ||
		    strcmp(entry->fts_name + len - 4, ".rpm") != 0)
			continue;
		to->paths = pkg_grow(ctx, to->paths, to->n, &to->cap,
				     sizeof(*to->paths));
		to->paths[to->n++] = pkg_copy(ctx, entry->fts_path,
					      strlen(entry->fts_path));
	}
	fts_close(fts);
	return 0;
}

const char *rpm_folder_find(const struct rpm_folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->n; i++)
		if (strcmp(strrchr(folder->paths[i], '/') + 1, name) == 0)
			return folder->paths[i];
	return NULL;
}

static void add_obsolete(struct pd_ctx *ctx, struct rpm_file *file, char *line)
{
	struct rpm_obsolete o = { .name = pkg_field(&line, ' ') };

	o.sense = pkg_field(&line, ' ');
	o.evr = line;
	file->obsoletes = pkg_grow(ctx, file->obsoletes, file->obsoletes_len,
				   &file->obsoletes_cap, sizeof(o));
	file->obsoletes[file->obsoletes_len++] = o;
}

/* "=PATH-LESS HEAD", then "p PROVIDED" and "o NAME SENSE EVR" of that file. */
static const char format[] =
	"=%{NAME}\t%{ARCH}\t%{EPOCHNUM}\t%{VERSION}-%{RELEASE}\n"
	"[p%{PROVIDENAME}\n][p%{FILENAMES}\n]"
	"[o%{OBSOLETENAME} %{OBSOLETEFLAGS:depflags} %{OBSOLETEVERSION}\n]";

static void read_head(struct pd_ctx *ctx, char *line, struct rpm_row *row)
{
	const char *epoch = NULL;

	row->name = pkg_field(&line, '\t');
	row->arch = pkg_field(&line, '\t');
	epoch = pkg_field(&line, '\t');
	row->evr = strcmp(epoch, "0") == 0 ? line :
		   pd_format(ctx, "%s:%s", epoch, line);
}

static void read_answer(struct pd_ctx *ctx, const char *const *paths,
			size_t n, char *rest, struct rpm_file *files,
			size_t *len)
{
	struct pkg_text provides = { .ctx = ctx };
	struct rpm_parallel parallel = { 0 };
	struct rpm_file *file = NULL;
	char *line = NULL;

	rpm_parallel_read(ctx, &parallel);
	while ((line = pkg_line(&rest))) {
		if (*line == '=' && *len < n) {
			provides = (struct pkg_text){ .ctx = ctx };
			file = &files[*len];
			file->path = paths[(*len)++];
			read_head(ctx, line + 1, &file->row);
		} else if (file && *line == 'p') {
			pkg_printf(&provides, "%s\n", line + 1);
			file->row.parallel |= rpm_is_parallel(&parallel,
						file->row.name, line + 1);
			file->provides = provides.s;
		} else if (file && *line == 'o') {
			add_obsolete(ctx, file, line + 1);
		}
	}
}

int rpm_read_files(struct pd_ctx *ctx, const char *const *paths, size_t n,
		   struct rpm_file **out, size_t *out_len)
{
	static const char *const fixed[] = {
		"rpm", "-qp", "--nosignature", "--nomanifest", "--queryformat",
		format
	};
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };

	*out = pd_alloc_for(ctx, (n + 1) * sizeof(**out));
	*out_len = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		pkg_arg(&argv, fixed[i]);
	for (size_t i = 0; i < n; i++)
		pkg_arg(&argv, paths[i]);
	if (n == 0)
		return 0;
	if (rpm_run(ctx, &argv, &result) < 0)
		return PD_FAILED;
	if (result.status == 0)
		read_answer(ctx, paths, n,
			    (char *)pkg_copy(ctx, result.out, result.out_len),
			    *out, out_len);
	return *out_len == n ? 0 :
	       pd_fail(ctx, PD_FAILED, "packages can't be read: %s",
		       rpm_why(ctx, &result));
}

int rpm_check_files(struct rpm_txn *txn, const char *const *paths, size_t n,
		    const char **why)
{
	struct pd_ctx *ctx = txn->ctx;
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	struct pkg_text text = { .ctx = ctx };
	char *rest = NULL, *line = NULL;

	*why = NULL;
	for (size_t i = 0; i < n && !*why; i++)
		*why = pkg_unsafe(ctx, paths[i], S_IFREG, false);
	if (n == 0 || *why)
		return n == 0 ? 0 : PD_REFUSED;
	rpm_begin(txn, &argv, "--checksig");
	argv.v[0] = "rpmkeys";
	for (size_t i = 0; i < n; i++)
		pkg_arg(&argv, paths[i]);
	if (rpm_run(ctx, &argv, &result) < 0)
		return PD_FAILED;
	if (result.status == 0)
		return 0;
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest)))
		if (strstr(line, "NOT OK") || !strstr(line, "OK"))
			pkg_printf(&text, "%s%s", text.len ? "; " : "", line);
	*why = text.s ? text.s : rpm_why(ctx, &result);
	return PD_REFUSED;
}
