/* SPDX-License-Identifier: MIT */
/* Finding a run by the beginning of its id. */
#include "run/journal.h"

char *pd_journal_find(struct pd_journal *j, const char *prefix,
		      struct pd_error **err)
{
	pd_auto(pd_strings) ids = {0};
	const char *found = NULL;

	if (!pd_journal_runs(j, &ids, err))
		return NULL;
	for (size_t i = 0; i < ids.len; i++) {
		if (prefix && strncmp(ids.items[i], prefix, strlen(prefix)) != 0)
			continue;
		if (!prefix || strcmp(ids.items[i], prefix) == 0)
			return pd_strdup(ids.items[i]);
		if (found) {
			pd_error_set(err, "run-ambiguous", "several runs start with '%s':"
				     " %s and %s", prefix, found, ids.items[i]);
			return NULL;
		}
		found = ids.items[i];
	}
	if (!found)
		pd_error_set(err, "run-none", prefix ? "there is no run '%s' in %s" :
			     "there is no run%s in %s", prefix ? prefix : "", pd_journal_path(j));
	return pd_strdup(found);
}
