/* SPDX-License-Identifier: MIT */
/* rows - the state of the hardware, as rows of kind, key, field and value. */
#include "driver.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "# patchday hardware 1\n"

/* Without what separates rows and fields, and without blanks at the ends. */
static const char *clean(struct pd_ctx *ctx, const char *text)
{
	size_t len = 0;
	char *copy = NULL;

	text += strspn(text, " \t\n");
	len = strlen(text);
	while (len && strchr(" \t\n", text[len - 1]))
		len--;
	copy = (char *)pkg_copy(ctx, text, len);
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return copy;
}

void state_add(struct state *s, const char *kind, const char *key,
	       const char *field, const char *value)
{
	struct driver_rows *rows = s->rows;

	if (!value || !*(value = clean(s->ctx, value)))
		return;
	rows->v = pkg_grow(s->ctx, rows->v, rows->n, &rows->cap,
			   sizeof(*rows->v));
	rows->v[rows->n++] = (struct driver_row){
		pd_format(s->ctx, "%s", kind), clean(s->ctx, key),
		pd_format(s->ctx, "%s", field), value };
}

static int by_place(const void *a, const void *b)
{
	const struct driver_row *x = a, *y = b;
	int order = strcmp(x->kind, y->kind);

	order = order ? order : strcmp(x->key, y->key);
	return order ? order : strcmp(x->field, y->field);
}

int driver_row_order(const struct driver_row *a, const struct driver_row *b)
{
	return by_place(a, b);
}

bool driver_row_known(const struct driver_rows *rows, const char *kind,
		      const char *key)
{
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->v[i].key, key) == 0 &&
		    strcmp(rows->v[i].kind, kind) == 0)
			return true;
	return false;
}

int driver_rows_now(struct pd_ctx *ctx, struct driver_rows *out)
{
	struct state s = { .ctx = ctx, .rows = out };

	*out = (struct driver_rows){ 0 };
	if (state_sysfs(&s) < 0 || state_firmware(&s) < 0)
		return PD_FAILED;
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_place);
	return 0;
}

const char *driver_rows_text(struct pd_ctx *ctx, const struct driver_rows *rows)
{
	struct pkg_text text = { .ctx = ctx };

	pkg_printf(&text, HEAD);
	for (size_t i = 0; i < rows->n; i++)
		pkg_printf(&text, "%s\t%s\t%s\t%s\n", rows->v[i].kind,
			   rows->v[i].key, rows->v[i].field, rows->v[i].value);
	return text.s;
}

bool driver_rows_read(struct pd_ctx *ctx, const char *text,
		      struct driver_rows *out)
{
	char *rest = NULL, *line = NULL;

	*out = (struct driver_rows){ 0 };
	if (strncmp(text, HEAD, sizeof(HEAD) - 1) != 0)
		return false;
	text += sizeof(HEAD) - 1;
	rest = (char *)pkg_copy(ctx, text, strlen(text));
	while ((line = pkg_line(&rest))) {
		struct driver_row row = { .kind = pkg_field(&line, '\t') };

		row.key = pkg_field(&line, '\t');
		row.field = pkg_field(&line, '\t');
		row.value = line;
		if (!*row.field)
			return false;
		out->v = pkg_grow(ctx, out->v, out->n, &out->cap,
				  sizeof(*out->v));
		out->v[out->n++] = row;
	}
	return true;
}

const char *driver_row_value(const struct driver_rows *rows, const char *kind,
			     const char *key, const char *field)
{
	struct driver_row row = { kind, key, field, NULL };
	const struct driver_row *found =
		rows->n ? bsearch(&row, rows->v, rows->n, sizeof(row),
				  by_place) : NULL;

	return found ? found->value : NULL;
}
