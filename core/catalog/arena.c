/* SPDX-License-Identifier: MIT */
/* The arena: memory that is given back all at once, with its texts. */
#include "catalog/model.h"

enum { BLOCK = 65536 };

struct pd_arena_block {
	struct pd_arena_block *next;
	size_t used, size;
	max_align_t data[];
};

static char *room(struct pd_arena *arena, size_t bytes, size_t align)
{
	struct pd_arena_block *block = arena->blocks;
	size_t used = block ? (block->used + align - 1) & ~(align - 1) : 0;

	if (!block || used + bytes > block->size) {
		size_t size = bytes > BLOCK ? bytes : BLOCK;

		block = pd_alloc(sizeof(*block) + size);
		block->size = size;
		block->next = arena->blocks;
		arena->blocks = block;
		used = 0;
	}
	block->used = used + bytes;
	arena->bytes += bytes;
	return (char *)block->data + used;
}

void *pd_arena_take(struct pd_arena *arena, size_t bytes)
{
	return room(arena, bytes, sizeof(int64_t));
}

const char *pd_arena_add(struct pd_arena *arena, const char *s, size_t len)
{
	return memcpy(room(arena, len + 1, 1), s, len + 1);
}

const char *pd_arena_copy(struct pd_arena *arena, const char *s)
{
	return s && *s ? pd_arena_add(arena, s, strlen(s)) : "";
}

const char *pd_arena_keep(struct pd_arena *arena, const char *s)
{
	const char **recent = &arena->recent[s ? *s & (PD_ARENA_RECENT - 1) : 0];
	struct pd_index_slot *slot;

	if (!s || !*s)
		return "";
	if (*recent && strcmp(*recent, s) == 0)
		return *recent;
	slot = pd_index_put(&arena->strings, s, 0);
	if (slot->key == s)
		slot->key = pd_arena_copy(arena, s);
	return *recent = slot->key;
}

static void drop_blocks(struct pd_arena *arena, const struct pd_arena_block *but)
{
	struct pd_arena_block *next;

	for (struct pd_arena_block *b = arena->blocks; b; b = next) {
		next = b->next;
		if (b != but)
			free(b);
	}
}

void pd_arena_reset(struct pd_arena *arena)
{
	struct pd_arena_block *first = arena->blocks;

	drop_blocks(arena, first);
	arena->bytes = 0;
	if (first) {
		first->next = NULL;
		first->used = 0;
	}
}

void pd_arena_clear(struct pd_arena *arena)
{
	drop_blocks(arena, NULL);
	pd_index_clear(&arena->strings);
	pd_index_clear(&arena->ids);
	pd_index_clear(&arena->shared);
	pd_index_clear(&arena->replacing);
	pd_index_clear(&arena->defaults);
	free(arena->replacers);
	free(arena->streams);
	*arena = (struct pd_arena){0};
}
