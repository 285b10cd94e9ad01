/* SPDX-License-Identifier: MIT */
/* query - rows of the rpm database, and the changes of a transaction. */
#include "rpm.h"

#include <string.h>
#include <unistd.h>

/* One line for each package; keys that the administrator trusts are in the
 * database too, and are none. */
static const char format[] =
	"%{NAME}\t%{ARCH}\t%{EPOCHNUM}\t%{VERSION}-%{RELEASE}\t"
	"%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%|DSAHEADER?{%{DSAHEADER:pgpsig}}|}|\t"
	"[%{PROVIDENAME} ]\n";

static const char *key_of(struct pd_ctx *ctx, const char *signature)
{
	const char *id = strstr(signature, "Key ID ");
	char *key = NULL;

	if (!id)
		return "";
	key = (char *)pkg_copy(ctx, id + 7, strcspn(id + 7, " \n"));
	for (char *c = key; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	return key;
}

static void add_row(struct pd_ctx *ctx, char *line,
		    const struct rpm_parallel *parallel, struct rpm_rows *out)
{
	struct rpm_row row = { .name = pkg_field(&line, '\t'),
			       .arch = pkg_field(&line, '\t') };
	const char *epoch = pkg_field(&line, '\t');
	const char *version = pkg_field(&line, '\t');

	if (!*version || strcmp(row.name, "gpg-pubkey") == 0)
		return;
	row.evr = strcmp(epoch, "0") == 0 ? version :
		  pd_format(ctx, "%s:%s", epoch, version);
	row.signature = key_of(ctx, pkg_field(&line, '\t'));
	while (*line)
		row.parallel |= rpm_is_parallel(parallel, row.name,
						pkg_field(&line, ' '));
	out->v = pkg_grow(ctx, out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n++] = row;
}

int rpm_query(struct pd_ctx *ctx, struct rpm_rows *out)
{
	const char *const argv[] = { "rpm", "-qa", "--queryformat", format,
				     NULL };
	struct pkg_argv ask = { .ctx = ctx };
	struct pd_command_result result = { 0 };
	struct rpm_parallel parallel = { 0 };
	char *rest = NULL, *line = NULL;

	rpm_parallel_read(ctx, &parallel);
	*out = (struct rpm_rows){ 0 };
	for (size_t i = 0; argv[i]; i++)
		pkg_arg(&ask, argv[i]);
	if (rpm_run(ctx, &ask, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "the database of rpm can't be "
			       "read: %s", rpm_why(ctx, &result));
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest)))
		add_row(ctx, line, &parallel, out);
	return 0;
}

static bool fits(const char *arch, const char *row)
{
	return !*arch || strcmp(arch, row) == 0 ||
	       strcmp(arch, "noarch") == 0 || strcmp(row, "noarch") == 0;
}

const struct rpm_row *rpm_find(const struct rpm_rows *rows, const char *name,
			       const char *arch)
{
	const struct rpm_row *newest = NULL;

	for (size_t i = 0; i < rows->n; i++) {
		const struct rpm_row *row = &rows->v[i];

		if (strcmp(row->name, name) == 0 && fits(arch, row->arch) &&
		    (!newest || rpm_compare(row->evr, newest->evr) > 0))
			newest = row;
	}
	return newest;
}

const struct rpm_row *rpm_find_exactly(const struct rpm_rows *rows,
				       const char *name, const char *arch,
				       const char *evr)
{
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->v[i].name, name) == 0 &&
		    strcmp(rows->v[i].arch, arch) == 0 &&
		    strcmp(rows->v[i].evr, evr) == 0)
			return &rows->v[i];
	return NULL;
}

const char *rpm_nvra(struct pd_ctx *ctx, const char *name, const char *evr,
		     const char *arch)
{
	const char *colon = strchr(evr, ':');

	return pd_format(ctx, "%s-%s.%s", name, colon ? colon + 1 : evr, arch);
}

void rpm_duplicates(const struct rpm_rows *rows, struct pkg_argv *out)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct rpm_row *row = &rows->v[i];
		const struct rpm_row *newest =
			rpm_find(rows, row->name, row->arch);

		if (!row->parallel && newest != row &&
		    strcmp(newest->arch, row->arch) == 0)
			pkg_arg(out, rpm_nvra(out->ctx, row->name, row->evr,
					      row->arch));
	}
}

struct rpm_change *rpm_change_add(struct pd_ctx *ctx, struct rpm_changes *to)
{
	to->v = pkg_grow(ctx, to->v, to->n, &to->cap, sizeof(*to->v));
	to->v[to->n] = (struct rpm_change){ 0 };
	return &to->v[to->n++];
}

struct rpm_change *rpm_change_find(const struct rpm_changes *changes,
				   const char *name, const char *arch)
{
	for (size_t i = 0; i < changes->n; i++)
		if (strcmp(changes->v[i].name, name) == 0 &&
		    strcmp(changes->v[i].arch, arch) == 0)
			return &changes->v[i];
	return NULL;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const char *rpm_pack_changes(struct pd_ctx *ctx, const struct rpm_changes *c)
{
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; i < c->n; i++) {
		const struct rpm_change *v = &c->v[i];

		pkg_printf(&text, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n",
			   v->name, v->arch, or_empty(v->evr), or_empty(v->old),
			   or_empty(v->old_arch), or_empty(v->file),
			   or_empty(v->kept), or_empty(v->old_sha256),
			   v->parallel);
	}
	return text.s ? text.s : "";
}

static const char *or_null(char **line)
{
	const char *field = pkg_field(line, '\t');

	return *field ? field : NULL;
}

void rpm_unpack_changes(struct pd_ctx *ctx, const char *text,
			struct rpm_changes *out)
{
	char *rest = (char *)pkg_copy(ctx, text, strlen(text));
	char *line = NULL;

	while ((line = pkg_line(&rest))) {
		struct rpm_change *c = rpm_change_add(ctx, out);

		c->name = pkg_field(&line, '\t');
		c->arch = pkg_field(&line, '\t');
		c->evr = or_null(&line);
		c->old = or_null(&line);
		c->old_arch = or_null(&line);
		c->file = or_null(&line);
		c->kept = or_null(&line);
		c->old_sha256 = or_null(&line);
		c->parallel = *line == '1';
	}
}
