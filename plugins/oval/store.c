/* SPDX-License-Identifier: MIT */
/* The tables that a document is kept in until all references are known. */
#include <stdlib.h>
#include <string.h>

#include "../shared/hash.h"
#include "oval.h"

void *oval_add(struct rows *rows, size_t size, const void *row)
{
	if (rows->len == rows->cap) {
		rows->cap = rows->cap ? rows->cap + rows->cap / 2 : 64;
		rows->data = reallocarray(rows->data, rows->cap, size);
		if (!rows->data)
			abort();
	}
	return memcpy((char *)rows->data + rows->len++ * size, row, size);
}

void oval_append(struct rows *text, const char *s, size_t len)
{
	if (text->cap - text->len < len) {
		text->cap = text->len + text->len / 2 + len + 256;
		text->data = realloc(text->data, text->cap);
		if (!text->data)
			abort();
	}
	if (len)
		memcpy((char *)text->data + text->len, s, len);
	text->len += len;
}

const char *oval_text(const struct reader *r, uint32_t word)
{
	return word ? (char *)r->texts.data + OVAL_AT(r->words, struct word, word - 1)->at : "";
}

/* Twice as many chains, each entered anew. */
static void enlarge(struct reader *r)
{
	size_t n = r->slots.cap ? 2 * r->slots.cap : 1024;

	free(r->slots.data);
	r->slots = (struct rows){ .data = calloc(n, sizeof(uint32_t)), .cap = n };
	if (!r->slots.data)
		abort();
	for (uint32_t i = 0; i < r->words.len; i++) {
		struct word *w = OVAL_AT(r->words, struct word, i);
		uint32_t *slot = OVAL_AT(r->slots, uint32_t, w->hash & (n - 1));

		w->next = *slot;
		*slot = i + 1;
	}
}

uint32_t oval_word(struct reader *r, const char *text)
{
	size_t len = strlen(text);
	struct word w = { .at = (uint32_t)r->texts.len, .hash = hash_text(text, len) };
	const struct word *have;
	uint32_t *slot;

	if (r->words.len >= r->slots.cap)
		enlarge(r);
	slot = OVAL_AT(r->slots, uint32_t, w.hash & (r->slots.cap - 1));
	for (uint32_t i = *slot; i; i = have->next) {
		have = OVAL_AT(r->words, struct word, i - 1);
		if (have->hash == w.hash && strcmp(oval_text(r, i), text) == 0)
			return i;
	}
	oval_append(&r->texts, text, len + 1);
	w.next = *slot;
	OVAL_ADD(&r->words, &w);
	*slot = (uint32_t)r->words.len;
	return *slot;
}

const struct entry *oval_find(const struct reader *r, enum section section, uint32_t id)
{
	uint32_t place = id ? OVAL_AT(r->words, struct word, id - 1)->entries[section] : 0;

	return place ? OVAL_AT(r->entries[section], struct entry, place - 1) : NULL;
}

void oval_free(struct reader *r)
{
	struct rows *all[] = { &r->words, &r->texts, &r->slots, &r->entities, &r->refs,
			       &r->definitions, &r->nodes, &r->text };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		free(all[i]->data);
	oval_head_free(r);
	for (size_t i = 0; i < sizeof(r->entries) / sizeof(*r->entries); i++)
		free(r->entries[i].data);
}
