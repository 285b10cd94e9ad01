/* SPDX-License-Identifier: MIT */
/* The hash table: open addressing, at most half full. */
#include <sodium.h>

#include "facts/facts.h"

/* With a key of this process: nobody can choose names that all meet in one place. */
static uint32_t hash_of(const char *name)
{
	static unsigned char key[crypto_shorthash_KEYBYTES];
	static bool keyed;
	uint64_t hash;

	if (!keyed)
		randombytes_buf(key, sizeof(key));
	keyed = true;
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name, strlen(name), key);
	return (uint32_t)hash;
}

static struct pd_index_slot *slot_of(const struct pd_index *index,
				     const char *key, uint32_t hash)
{
	size_t i = hash & (index->cap - 1);

	while (index->slots[i].key && (index->slots[i].hash != hash ||
				       strcmp(index->slots[i].key, key) != 0))
		i = (i + 1) & (index->cap - 1);
	return &index->slots[i];
}

static void enlarge(struct pd_index *index)
{
	struct pd_index larger = { .cap = index->cap ? 2 * index->cap : 64,
				   .len = index->len };

	larger.slots = pd_alloc(larger.cap * sizeof(*larger.slots));
	for (size_t i = 0; i < index->cap; i++)
		if (index->slots[i].key)
			*slot_of(&larger, index->slots[i].key,
				 index->slots[i].hash) = index->slots[i];
	free(index->slots);
	*index = larger;
}

struct pd_index_slot *pd_index_put(struct pd_index *index, const char *key, uint32_t value)
{
	uint32_t hash = hash_of(key);
	struct pd_index_slot *slot;

	if (2 * index->len >= index->cap)
		enlarge(index);
	slot = slot_of(index, key, hash);
	if (!slot->key) {
		*slot = (struct pd_index_slot){ key, hash, value };
		index->len++;
	}
	return slot;
}

const struct pd_index_slot *pd_index_find(const struct pd_index *index,
					  const char *key)
{
	const struct pd_index_slot *slot =
		index->cap ? slot_of(index, key, hash_of(key)) : NULL;

	return slot && slot->key ? slot : NULL;
}

void pd_index_clear(struct pd_index *index)
{
	free(index->slots);
	*index = (struct pd_index){0};
}
