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

/* The one that has this hash and text, or a free one for it. */
static struct slot *slot_of(const struct reader *r, uint32_t hash, const char *text)
{
	struct slot *slots = r->slots.data;
	size_t at = hash & (r->slots.cap - 1);

	while (slots[at].word && (slots[at].hash != hash ||
				  strcmp((char *)r->texts.data + slots[at].at, text) != 0))
		at = (at + 1) & (r->slots.cap - 1);
	return &slots[at];
}

/* Twice as many, each word entered anew. */
static void enlarge(struct reader *r)
{
	struct rows old = r->slots;
	size_t n = old.cap ? 2 * old.cap : 2048;

	r->slots = (struct rows){ .data = calloc(n, sizeof(struct slot)), .cap = n };
	if (!r->slots.data)
		abort();
	for (size_t i = 0; i < old.cap; i++) {
		const struct slot *s = OVAL_AT(old, struct slot, i);

		if (s->word)
			*slot_of(r, s->hash, oval_text(r, s->word)) = *s;
	}
	free(old.data);
}

uint32_t oval_word(struct reader *r, const char *text)
{
	size_t len = strlen(text);
	struct word w = { .at = (uint32_t)r->texts.len };
	uint32_t hash = hash_text(text, len);
	struct slot *slot;

	if (4 * r->words.len >= 3 * r->slots.cap)
		enlarge(r);
	slot = slot_of(r, hash, text);
	if (slot->word)
		return slot->word;
	oval_append(&r->texts, text, len + 1);
	OVAL_ADD(&r->words, &w);
	*slot = (struct slot){ hash, (uint32_t)r->words.len, w.at };
	return slot->word;
}

struct entry *oval_find(const struct reader *r, enum section section, uint32_t id)
{
	uint32_t place = id ? OVAL_AT(r->words, struct word, id - 1)->entries[section] : 0;

	return place ? OVAL_AT(r->entries[section], struct entry, place - 1) : NULL;
}

void oval_free(struct reader *r)
{
	struct rows *all[] = { &r->words, &r->texts, &r->slots, &r->entities, &r->refs,
			       &r->definitions, &r->nodes, &r->links, &r->told, &r->text };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		free(all[i]->data);
	for (size_t i = 0; i < sizeof(r->entries) / sizeof(*r->entries); i++)
		free(r->entries[i].data);
}
