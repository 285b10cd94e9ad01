/* SPDX-License-Identifier: MIT */
/* deb - rows of dpkg's database, changes, and versions of Debian packages. */
#include "deb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A letter sorts before anything else, '~' even before the end. */
static int order(unsigned char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || (c >= '0' && c <= '9'))
		return 0;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return c;
	return c + 256;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* [a, a_end) against [b, b_end): runs of non-digits and digits in turn. */
static int compare_part(const char *a, const char *a_end, const char *b,
			const char *b_end)
{
	while (a < a_end || b < b_end) {
		int first = 0;

		while ((a < a_end && !digit(*a)) || (b < b_end && !digit(*b))) {
			int x = a < a_end ? order((unsigned char)*a) : 0;
			int y = b < b_end ? order((unsigned char)*b) : 0;

			if (x != y)
				return x - y;
			a++;
			b++;
		}
		while (a < a_end && *a == '0')
			a++;
		while (b < b_end && *b == '0')
			b++;
		while (a < a_end && digit(*a) && b < b_end && digit(*b)) {
			if (first == 0)
				first = *a - *b;
			a++;
			b++;
		}
		if (a < a_end && digit(*a))
			return 1;
		if (b < b_end && digit(*b))
			return -1;
		if (first != 0)
			return first;
	}
	return 0;
}

static void split_version(const char *version, unsigned long *epoch,
			  const char **upstream, const char **revision)
{
	const char *colon = strchr(version, ':');

	*epoch = colon ? strtoul(version, NULL, 10) : 0;
	*upstream = colon ? colon + 1 : version;
	*revision = strrchr(*upstream, '-');
	if (!*revision)
		*revision = *upstream + strlen(*upstream);
}

int deb_compare(const char *a, const char *b)
{
	unsigned long a_epoch = 0, b_epoch = 0;
	const char *a_up = NULL, *b_up = NULL, *a_rev = NULL, *b_rev = NULL;
	int sign = 0;

	split_version(a, &a_epoch, &a_up, &a_rev);
	split_version(b, &b_epoch, &b_up, &b_rev);
	if (a_epoch != b_epoch)
		return a_epoch < b_epoch ? -1 : 1;
	sign = compare_part(a_up, a_rev, b_up, b_rev);
	if (sign != 0)
		return sign;
	a_rev += *a_rev == '-';
	b_rev += *b_rev == '-';
	return compare_part(a_rev, a_rev + strlen(a_rev), b_rev,
			    b_rev + strlen(b_rev));
}

static int by_name(const void *a, const void *b)
{
	const struct deb_row *x = a, *y = b;
	int sign = strcmp(x->name, y->name);

	return sign ? sign : strcmp(x->arch, y->arch);
}

static bool fits(const char *a, const char *b)
{
	return !*a || !*b || strcmp(a, b) == 0 || strcmp(a, "all") == 0 ||
	       strcmp(b, "all") == 0;
}

const struct deb_row *deb_find(const struct deb_rows *rows, const char *name,
			       const char *arch)
{
	const struct deb_row *fit = NULL;
	size_t low = 0, high = rows->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(rows->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < rows->n && strcmp(rows->v[low].name, name) == 0; low++) {
		const struct deb_row *row = &rows->v[low];

		if (fits(row->arch, arch) &&
		    (!fit || (!deb_is_there(fit) && deb_is_there(row))))
			fit = row;
	}
	return fit;
}

bool deb_is_there(const struct deb_row *row)
{
	return row && strcmp(row->status, "not-installed") != 0 &&
	       strcmp(row->status, "config-files") != 0;
}

/* Marks of "Package:", "Architecture:", "Auto-Installed:" paragraphs. */
static void read_marks(struct pd_ctx *ctx, struct deb_rows *rows)
{
	const char *text = pd_read_file(ctx, "/var/lib/apt/extended_states",
					(size_t)32 << 20, NULL);
	char *rest = text ? (char *)pkg_copy(ctx, text, strlen(text)) : NULL;
	const char *name = "", *arch = "";
	char *line = NULL;

	while (rest && (line = pkg_line(&rest))) {
		if (strncmp(line, "Package: ", 9) == 0)
			name = line + 9;
		else if (strncmp(line, "Architecture: ", 14) == 0)
			arch = line + 14;
		else if (strcmp(line, "Auto-Installed: 1") == 0) {
			struct deb_row *row =
				(struct deb_row *)deb_find(rows, name, arch);

			if (row)
				row->automatic = true;
		}
	}
}

static struct deb_row *row_add(struct pd_ctx *ctx, struct deb_rows *rows)
{
	rows->v = pkg_grow(ctx, rows->v, rows->n, &rows->cap, sizeof(*rows->v));
	return &rows->v[rows->n++];
}

void deb_unpack_rows(struct pd_ctx *ctx, const char *text, struct deb_rows *out)
{
	char *rest = (char *)pkg_copy(ctx, text, strlen(text));
	char *line = NULL;

	while ((line = pkg_line(&rest))) {
		struct deb_row row = { .name = pkg_field(&line, '\t') };

		row.arch = pkg_field(&line, '\t');
		row.version = pkg_field(&line, '\t');
		row.want = pkg_field(&line, '\t');
		row.status = pkg_field(&line, '\t');
		row.automatic = *line == 'a';
		*row_add(ctx, out) = row;
	}
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
}

const char *deb_pack_rows(struct pd_ctx *ctx, const struct deb_rows *rows)
{
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; i < rows->n; i++) {
		const struct deb_row *row = &rows->v[i];

		pkg_printf(&text, "%s\t%s\t%s\t%s\t%s\t%s\n", row->name,
			   row->arch, row->version, row->want, row->status,
			   row->automatic ? "a" : "m");
	}
	return text.s ? text.s : "";
}

int deb_query(struct pd_ctx *ctx, struct deb_rows *out)
{
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };

	*out = (struct deb_rows){ 0 };
	pkg_arg(&argv, "dpkg-query");
	pkg_arg(&argv, "-W");
	pkg_arg(&argv, "-f=${Package}\\t${Architecture}\\t${Version}\\t"
		       "${db:Status-Want}\\t${db:Status-Status}\\tm\\n");
	if (deb_run(ctx, &argv, NULL, NULL, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED,
			       "dpkg's list of packages can't be read: %s",
			       deb_why(ctx, &result));
	deb_unpack_rows(ctx, result.out, out);
	read_marks(ctx, out);
	return 0;
}

static const char *qualified(struct pd_ctx *ctx, const char *name,
			     const char *arch)
{
	if (!*arch || strcmp(arch, "all") == 0)
		return name;
	return pd_format(ctx, "%s:%s", name, arch);
}

const char *deb_spec(struct pd_ctx *ctx, const char *name, const char *arch,
		     const char *version)
{
	const char *spec = qualified(ctx, name, arch);

	return version && *version ? pd_format(ctx, "%s=%s", spec, version) :
				     spec;
}

const char *deb_file_name(struct pd_ctx *ctx, const char *name,
			  const char *arch, const char *version)
{
	const char *colon = strchr(version, ':');

	if (!colon)
		return pd_format(ctx, "%s_%s_%s.deb", name, version, arch);
	return pd_format(ctx, "%s_%.*s%%3a%s_%s.deb", name,
			 (int)(colon - version), version, colon + 1, arch);
}

struct deb_change *deb_change_add(struct pd_ctx *ctx,
				  struct deb_changes *changes)
{
	changes->v = pkg_grow(ctx, changes->v, changes->n, &changes->cap,
			      sizeof(*changes->v));
	memset(&changes->v[changes->n], 0, sizeof(*changes->v));
	return &changes->v[changes->n++];
}

struct deb_change *deb_change_find(const struct deb_changes *changes,
				   const char *name, const char *arch)
{
	for (size_t i = 0; i < changes->n; i++)
		if (strcmp(changes->v[i].name, name) == 0 &&
		    fits(changes->v[i].arch, arch))
			return &changes->v[i];
	return NULL;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static const char *no_dash(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

const char *deb_pack_changes(struct pd_ctx *ctx, const struct deb_changes *c)
{
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; i < c->n; i++)
		pkg_printf(&text, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c->v[i].name,
			   c->v[i].arch, or_dash(c->v[i].version),
			   or_dash(c->v[i].old_arch), or_dash(c->v[i].old),
			   or_dash(c->v[i].old_sha256), or_dash(c->v[i].kept));
	return text.s ? text.s : "";
}

void deb_unpack_changes(struct pd_ctx *ctx, const char *text,
			struct deb_changes *out)
{
	char *rest = (char *)pkg_copy(ctx, text, strlen(text));
	char *line = NULL;

	while ((line = pkg_line(&rest))) {
		struct deb_change *change = deb_change_add(ctx, out);

		change->name = pkg_field(&line, '\t');
		change->arch = pkg_field(&line, '\t');
		change->version = no_dash(pkg_field(&line, '\t'));
		change->old_arch = no_dash(pkg_field(&line, '\t'));
		change->old = no_dash(pkg_field(&line, '\t'));
		change->old_sha256 = no_dash(pkg_field(&line, '\t'));
		change->kept = no_dash(line);
		change->saved = true;
	}
}
