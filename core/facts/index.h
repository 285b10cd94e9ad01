/* SPDX-License-Identifier: MIT */
/** A hash table from a borrowed string to a number. */
#ifndef PD_FACTS_INDEX_H
#define PD_FACTS_INDEX_H

#include "base/mem.h"

struct pd_index {
	struct pd_index_slot {
		const char *key; /* NULL: free */
		uint32_t hash, value;
	} *slots;
	size_t len, cap;
};

/** The place of the value of @p key, entered as @p value if it is new; the
 * place is good until the next call.  @p key must outlive the index. */
uint32_t *pd_index_put(struct pd_index *index, const char *key, uint32_t value);
/** NULL: not there. */
const struct pd_index_slot *pd_index_find(const struct pd_index *index,
					  const char *key);
void pd_index_clear(struct pd_index *index);

#endif
