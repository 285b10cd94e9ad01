/* SPDX-License-Identifier: MIT */
/* Packages of many servers: most of their rows are on others too, letter by letter,
 * and each is parsed and checked once.  A list of any other form than files of
 * facts have is left to whoever reads it in full, and says what is wrong with it. */
#include "facts/facts.h"

enum { KNOWN_MAX = 1 << 17 };
#define BLANKS " \t\r\n"

/* From its opening quote to the closing one, or to the end of all. */
static char *string_end(char *s)
{
	for (s++; *s && *s != '"'; s++)
		s += *s == '\\' && s[1];
	return s;
}

/* Where the list of packages opens; NULL: there is none. */
static char *find_list(char *s)
{
	unsigned depth = 0;

	for (; *s; s++) {
		const char *name = s;

		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		if (*s != '"')
			continue;
		s = string_end(s);
		if (!*s)
			break;
		if (depth == 1 && s - name == 9 && memcmp(name, "\"packages", 9) == 0) {
			s += 1 + strspn(s + 1, BLANKS);
			s += *s == ':' ? 1 + strspn(s + 1, BLANKS) : 0;
			return *s == '[' ? s : NULL;
		}
	}
	return NULL;
}

/* Behind a row, which has no list and no object in it; NULL: this is none. */
static char *row_end(char *s)
{
	if (*s++ != '{')
		return NULL;
	for (; *s && *s != '}'; s++) {
		if (*s == '"')
			s = string_end(s);
		if (!*s || *s == '{' || *s == '[')
			return NULL;
	}
	return *s ? s + 1 : NULL;
}

struct known {
	struct pd_installed installed;
	bool there; /* or dpkg only remembers it */
};

/* Good until the next call; NULL: it is no row of a package. */
static const struct known *known_row(struct pd_facts_rows *known, const char *text)
{
	static uint32_t numbers; /* never one twice, whoever knows them */
	const struct pd_index_slot *slot = pd_index_find(&known->texts, text);
	size_t n = slot ? slot->value : known->texts.len;
	pd_auto_json *fresh = slot ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct known row = {0};

	if (!slot && (!fresh || !pd_facts_add(&known->facts, "packages", fresh, NULL)))
		return NULL;
	if (!slot) {
		pd_index_put(&known->texts, pd_strdup(text), (uint32_t)n);
		row.there = pd_installed_of(fresh, &row.installed);
		row.installed.known = ++numbers;
		pd_buffer_add(&known->rows, &row, sizeof(row));
	}
	return (const struct known *)(const void *)known->rows.data + n;
}

void pd_facts_rows_clear(struct pd_facts_rows *known)
{
	for (size_t i = 0; i < known->texts.cap; i++)
		free((char *)(uintptr_t)known->texts.slots[i].key);
	pd_index_clear(&known->texts);
	pd_buffer_clear(&known->rows);
	pd_facts_clear(&known->facts);
}

json_t *pd_facts_cut(struct pd_facts_rows *known, char *text, struct pd_buffer *installed)
{
	char *list = find_list(text), *s = list, *end, kept;
	pd_auto_json *rows = json_array();
	const struct known *row;

	if (known->texts.len > KNOWN_MAX)
		pd_facts_rows_clear(known);
	if (!list)
		return NULL;
	do {
		s += 1 + strspn(s + 1, BLANKS);
		end = row_end(s);
		if (!end)
			return NULL;
		kept = *end;
		*end = '\0';
		row = known_row(known, s);
		*end = kept;
		if (!row)
			return NULL;
		json_array_append(rows, (json_t *)(uintptr_t)row->installed.row);
		if (row->there)
			pd_buffer_add(installed, &row->installed, sizeof(row->installed));
		s = end + strspn(end, BLANKS);
	} while (*s == ',');
	if (*s != ']')
		return NULL;
	memmove(list + 1, s, strlen(s) + 1);
	return json_incref(rows);
}
