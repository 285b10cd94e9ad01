/* SPDX-License-Identifier: MIT */
/* Texts, arrays and tables of the plugin wsus. */
#include <stdlib.h>
#include <string.h>

#include "../shared/hash.h"
#include "wsus.h"

enum { BLOCK = 1 << 18 };

void *wsus_take(struct reader *r, size_t bytes)
{
	struct arena *a = &r->arena;
	char *place;

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes > BLOCK / 4)
		return pd_alloc_for(r->ctx, bytes);
	if (bytes > a->left) {
		a->at = pd_alloc_for(r->ctx, BLOCK);
		a->left = BLOCK;
	}
	place = a->at;
	a->at += bytes;
	a->left -= bytes;
	return place;
}

const char *wsus_keep(struct reader *r, const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(wsus_take(r, len), s, len);
}

void *wsus_room(void *array, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 256;
	array = reallocarray(array, *cap, size);
	if (!array)
		abort();
	return array;
}

void wsus_free(struct reader *r)
{
	free(r->updates);
	free(r->items);
	free(r->links);
	free(r->urls);
}

static struct slot *slot_of(const struct table *t, const char *key, uint32_t hash)
{
	size_t i = hash & (t->cap - 1);

	while (t->slots[i].key && (t->slots[i].hash != hash || strcmp(t->slots[i].key, key) != 0))
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

struct slot *wsus_put(struct reader *r, struct table *t, const char *key, uint32_t value)
{
	uint32_t hash = hash_text(key, strlen(key));
	struct slot *slot;

	if (2 * t->len >= t->cap) {
		struct table larger = { .cap = t->cap ? 2 * t->cap : 1024, .len = t->len };

		larger.slots = wsus_take(r, larger.cap * sizeof(*larger.slots));
		for (size_t i = 0; i < t->cap; i++)
			if (t->slots[i].key)
				*slot_of(&larger, t->slots[i].key, t->slots[i].hash) = t->slots[i];
		*t = larger;
	}
	slot = slot_of(t, key, hash);
	if (!slot->key) {
		*slot = (struct slot){ key, hash, value };
		t->len++;
	}
	return slot;
}

const struct slot *wsus_find(const struct table *t, const char *key)
{
	const struct slot *slot = t->cap ? slot_of(t, key, hash_text(key, strlen(key))) : NULL;

	return slot && slot->key ? slot : NULL;
}
