/* SPDX-License-Identifier: MIT */
/* Rules as nft lists them: tables, blocks in them, lines in these. */
#include "firewall.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/** One table of a listing: "table inet filter {" up to its "}" and newline. */
struct table {
	const char *name; /**< "inet filter" */
	const char *text;
	size_t len;
};

/* Cut the next table off *rest; comments between tables are passed over. */
static bool next_table(struct pd_ctx *ctx, const char **rest, struct table *out)
{
	const char *at = *rest, *end = NULL;

	while (*at && strncmp(at, "table ", 6) != 0) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	end = *at ? strstr(at, "\n}") : NULL;
	if (!end)
		return false;
	end += 2;
	end += *end == '\n';
	*out = (struct table){ pd_format(ctx, "%.*s", (int)(strstr(at, " {") - at - 6), at + 6),
			       at, (size_t)(end - at) };
	*rest = end;
	return true;
}

static bool is_other(const struct table *table, const struct pd_list *others)
{
	const char *name = strchr(table->name, ' ');

	for (size_t i = 0; i < others->len; i++)
		if (fnmatch(others->items[i], table->name, 0) == 0 ||
		    (name && fnmatch(others->items[i], name + 1, 0) == 0))
			return true;
	return false;
}

/* ------------------------------------------------------------- transaction */

static void append(char **to, const char *text, size_t len)
{
	memcpy(*to, text, len);
	*to += len;
}

/* Without tables of others the whole ruleset is replaced; else each table of
 * ours, by name: nft does either in one step, with no moment in between. */
const char *rules_transaction(struct pd_ctx *ctx, const char *then, const char *now,
			      const struct pd_list *others)
{
	static const char flush[] = "flush ruleset\n";
	/* to delete a table takes less than twice the text of one without a chain */
	char *text = pd_alloc_for(ctx, 2 * strlen(now) + strlen(then) + sizeof(flush)), *to = text;
	struct table table;
	bool mixed = false;

	for (const char *rest = now; next_table(ctx, &rest, &table);) {
		if (is_other(&table, others)) {
			mixed = true;
			continue;
		}
		append(&to, "delete table ", 13);
		append(&to, table.name, strlen(table.name));
		append(&to, "\n", 1);
	}
	if (!mixed) {
		to = text;
		append(&to, flush, strlen(flush));
	}
	for (const char *rest = then; next_table(ctx, &rest, &table);)
		if (!is_other(&table, others))
			append(&to, table.text, table.len);
	*to = '\0';
	return text;
}

/* ------------------------------------------------------------ untranslated */

/* "size 65535 # count 3" is nft's own, and nothing is lost with it. */
static bool has_comment(const char *line, size_t len)
{
	bool quoted = false;

	if (strncmp(line, "size ", 5) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '#' && !quoted)
			return true;
		quoted = quoted != (line[i] == '"');
	}
	return false;
}

static const char *comment_in(struct pd_ctx *ctx, const struct table *table)
{
	const char *end = table->text + table->len, *line = table->text;

	while ((line += strcspn(line, "\n") + 1) < end) {
		size_t len = 0;

		line += strspn(line, " \t");
		len = strcspn(line, "\n");
		if (has_comment(line, len))
			return pd_format(ctx, "table %s: %.*s", table->name, (int)len, line);
	}
	return NULL;
}

/* nft before 1.0.6 shows an extension of iptables that it has no words for as
 * a comment: loaded without it, a rule would match more. */
const char *rules_untranslated(struct pd_ctx *ctx, const char *rules, const struct pd_list *others)
{
	const char *found = NULL;
	struct table table;

	while (!found && next_table(ctx, &rules, &table))
		if (!is_other(&table, others))
			found = comment_in(ctx, &table);
	return found;
}

/* --------------------------------------------------------------- comparing */

/** One line in its block, such as a rule in its chain. */
struct line {
	const char *block; /**< "inet filter chain input" */
	const char *text;
	size_t place;
	bool paired;       /**< the other side has it too */
};

struct lines {
	struct line *row;
	size_t len;
};

static void add_line(struct pd_ctx *ctx, struct lines *lines, const char *block, const char *text)
{
	size_t place = lines->len;

	*(struct line *)saved_grow(ctx, &lines->row, &lines->len, sizeof(struct line)) =
		(struct line){ block, text, place, false };
}

/* How long a statement is: elements in braces go on over several lines. */
static size_t statement(const char *text)
{
	size_t len = strcspn(text, "\n");
	bool quoted = false;
	int open = 0;

	if (len && text[len - 1] == '{') /* of a block: its lines come one by one */
		return len;
	for (len = 0; text[len] && (text[len] != '\n' || open > 0); len++) {
		quoted = quoted != (text[len] == '"');
		open += quoted ? 0 : (text[len] == '{') - (text[len] == '}');
	}
	return len;
}

/* The next statement in one line, without its indent. */
static const char *next_line(struct pd_ctx *ctx, const char **rest)
{
	const char *text = *rest + strspn(*rest, " \t\n");
	const char *end = text + statement(text);
	char *line = pd_alloc_for(ctx, (size_t)(end - text) + 1), *to = line;

	while (text < end) {
		*to++ = *text == '\n' ? ' ' : *text;
		text += *text == '\n' ? strspn(text, " \t\n") : 1;
	}
	*to = '\0';
	*rest = end;
	return line;
}

/* Elements that packets add, and time takes away, are no rules. */
static bool is_state(const char *line, bool *dynamic)
{
	if (strncmp(line, "flags ", 6) == 0)
		*dynamic = strstr(line, "dynamic") || strstr(line, "timeout");
	return *dynamic && strncmp(line, "elements = ", 11) == 0;
}

static void read_table(struct pd_ctx *ctx, const struct table *table, struct lines *out)
{
	const char *rest = pd_format(ctx, "%.*s", (int)table->len, table->text);
	const char *block = table->name, *line = NULL;
	bool dynamic = false;

	next_line(ctx, &rest); /* table inet filter { */
	add_line(ctx, out, block, "table");
	while (*(line = next_line(ctx, &rest))) {
		size_t len = strlen(line);

		if (strcmp(line, "}") == 0) {
			block = table->name;
			dynamic = false;
		} else if (line[len - 1] == '{') {
			block = pd_format(ctx, "%s %.*s", table->name, (int)len - 2, line);
			add_line(ctx, out, block, "all of it");
		} else if (!is_state(line, &dynamic)) {
			add_line(ctx, out, block, line);
		}
	}
}

static struct lines read_rules(struct pd_ctx *ctx, const char *text, const struct pd_list *others)
{
	struct lines lines = { 0 };
	struct table table;

	while (next_table(ctx, &text, &table))
		if (!is_other(&table, others))
			read_table(ctx, &table, &lines);
	return lines;
}

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = strcmp(x->block, y->block);

	r = r ? r : strcmp(x->text, y->text);
	return r ? r : (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = strcmp(x->block, y->block);

	return r ? r : (x->place > y->place) - (x->place < y->place);
}

static void sort(struct lines *lines, int (*order)(const void *, const void *))
{
	if (lines->len)
		qsort(lines->row, lines->len, sizeof(*lines->row), order);
}

static int compare_text(const struct line *x, const struct line *y)
{
	int r = strcmp(x->block, y->block);

	return r ? r : strcmp(x->text, y->text);
}

/* Both in the order of their texts: pair what is equal. */
static void pair(struct lines *then, struct lines *now)
{
	for (size_t i = 0, j = 0; i < then->len && j < now->len;) {
		int r = compare_text(&then->row[i], &now->row[j]);

		if (r == 0)
			then->row[i].paired = now->row[j].paired = true;
		i += r <= 0;
		j += r >= 0;
	}
}

static void tell(struct pd_ctx *ctx, const char *what, const struct line *line, struct texts *out)
{
	texts_add(ctx, out, pd_format(ctx, "%s: %s: %s", what, line->block, line->text));
}

/* What both have, in the order of its place: it has to be the same.  One line
 * for each block is enough. */
static void tell_moved(struct pd_ctx *ctx, const struct lines *then, const struct lines *now,
		       struct texts *out)
{
	const char *told = "";

	for (size_t i = 0, j = 0; i < then->len && j < now->len; i++, j++) {
		while (i < then->len && !then->row[i].paired)
			i++;
		while (j < now->len && !now->row[j].paired)
			j++;
		if (i == then->len || j == now->len)
			return;
		if (strcmp(told, then->row[i].block) == 0 ||
		    strcmp(then->row[i].text, now->row[j].text) == 0)
			continue;
		told = then->row[i].block;
		tell(ctx, "moved", &now->row[j], out);
	}
}

void rules_compare(struct pd_ctx *ctx, const char *then, const char *now,
		   const struct pd_list *others, struct texts *out)
{
	struct lines before = read_rules(ctx, then, others);
	struct lines after = read_rules(ctx, now, others);

	sort(&before, by_text);
	sort(&after, by_text);
	pair(&before, &after);
	sort(&before, by_place);
	sort(&after, by_place);
	for (size_t i = 0; i < before.len; i++)
		if (!before.row[i].paired)
			tell(ctx, "missing", &before.row[i], out);
	for (size_t i = 0; i < after.len; i++)
		if (!after.row[i].paired)
			tell(ctx, "new", &after.row[i], out);
	tell_moved(ctx, &before, &after, out);
}
