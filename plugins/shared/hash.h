/* SPDX-License-Identifier: MIT */
/* For readers that keep tables of ids, which are long and many. */
#ifndef PD_PLUGIN_HASH_H
#define PD_PLUGIN_HASH_H

#include <stdint.h>
#include <string.h>

/* Eight bytes at a time, by an odd number without a pattern in its bits. */
static inline uint32_t hash_text(const char *s, size_t len)
{
	static const uint64_t mix = 0x9e3779b97f4a7c15u;
	uint64_t hash = len, part;

	for (; len >= sizeof(part); s += sizeof(part), len -= sizeof(part)) {
		memcpy(&part, s, sizeof(part));
		hash = (hash ^ part) * mix;
		hash ^= hash >> 32;
	}
	part = 0;
	memcpy(&part, s, len);
	return (uint32_t)(((hash ^ part) * mix) >> 32);
}

#endif
