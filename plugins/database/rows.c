/* SPDX-License-Identifier: MIT */
/* What is in the tables of a database: their rows, counted and summed up. */
#include "database.h"

#include <string.h>

/* On a standby unlogged tables have no rows, can't be read, and are not in a dump.
 * A sum of the rows' hashes does not depend on their order; the text of a row
 * depends on these settings alone.  A cast to text could be the table owner's own
 * function, which is no business of a superuser: output functions are not.  What
 * belongs to an extension is its own. */
static const char count_sql[] =
	"SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';\n"
	"SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lc_monetary = 'C';\n"
	"SET default_transaction_read_only = on; SET row_security = off;\n"
	"SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(textin(record_out(pd_row.*)), 0)), 0)"
	" FROM ONLY %I.%I AS pd_row', translate(format('%I.%I', n.nspname, c.relname),"
	" E'\\n\\t', '  '), n.nspname, c.relname)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
	" AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery()) AND n.nspname NOT LIKE 'pg\\_%'"
	" AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d"
	" WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
	" ORDER BY n.nspname, c.relname\n"
	"\\gexec\n";

int rows_count(const struct cluster *c, const char *database, struct rows *rows)
{
	int r = cluster_ask(c, database, count_sql, rows);

	if (r == 0 && rows->len % 3)
		return pd_fail(c->ctx, PD_FAILED, "psql answers with %zu fields for the tables of %s", rows->len,
			       database);
	return r;
}

static const char *const *find(const struct rows *rows, const char *table)
{
	for (size_t i = 0; i < rows->len; i += 3)
		if (strcmp(rows->items[i], table) == 0)
			return rows->items + i;
	return NULL;
}

void rows_text(struct pd_ctx *ctx, struct text *text, const char *database, const struct rows *before,
	       const struct rows *after, size_t *written)
{
	for (size_t i = 0; i < before->len; i += 3) {
		const char *const *b = before->items + i, *const *a = find(after, b[0]);
		bool same = a && strcmp(a[1], b[1]) == 0 && strcmp(a[2], b[2]) == 0;

		*written += !same;
		text_add(ctx, text, "%s\t%s\t%s\t%s\n", database, b[1], same ? b[2] : "written meanwhile", b[0]);
	}
}

/* One line of rows.txt: database, rows, sum, table. */
static int compare_line(const struct cluster *c, const struct rows *rows, const char *line, size_t len,
			const char *database, int64_t *tables)
{
	char *text = (char *)(uintptr_t)pd_format(c->ctx, "%.*s", (int)len, line), *save = NULL;
	const char *name = strtok_r(text, "\t", &save), *count = strtok_r(NULL, "\t", &save);
	const char *sum = strtok_r(NULL, "\t", &save), *table = strtok_r(NULL, "", &save);
	const char *const *is;

	if (!table)
		return pd_fail(c->ctx, PD_FAILED, "rows.txt has a line that is none: %.*s", (int)len, line);
	if (strcmp(name, database) != 0 || strcmp(sum, "written meanwhile") == 0)
		return 0;
	++*tables;
	is = find(rows, table);
	if (!is)
		return pd_fail(c->ctx, PD_FAILED, "database %s: table %s was not restored", database, table);
	if (strcmp(is[1], count) != 0 || strcmp(is[2], sum) != 0)
		return pd_fail(c->ctx, PD_FAILED, "database %s: table %s has %s rows (sum %s) instead of %s (sum %s)",
			       database, table, is[1], is[2], count, sum);
	return 0;
}

int rows_compare(const struct cluster *c, const char *database, const char *text, int64_t *tables)
{
	struct rows rows;
	int r = rows_count(c, database, &rows);

	for (const char *line = text; r == 0 && *line;) {
		size_t len = strcspn(line, "\n");

		r = len ? compare_line(c, &rows, line, len, database, tables) : 0;
		line += len + (line[len] == '\n');
	}
	return r;
}
