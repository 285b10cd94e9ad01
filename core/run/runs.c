/* SPDX-License-Identifier: MIT */
/* Finding runs: all, one that is open, one by the beginning of its id. */
#include "run/journal.h"

static bool add_id(void *ids, const struct pd_event *e, struct pd_error **err)
{
	(void)err, pd_strings_add(ids, e->run);
	return true;
}

bool pd_journal_runs(struct pd_journal *j, struct pd_strings *ids, struct pd_error **err)
{
	return pd_journal_query(j, PD_JOURNAL_ROWS "event WHERE kind = 'run' AND n > ?1 ORDER BY"
				" n DESC", 0, NULL, add_id, ids, err);
}

bool pd_journal_open_run(struct pd_journal *j, const char *except, char **id, struct pd_error **err)
{
	/* with max() SQLite takes the other columns from the same row */
	static const char sql[] = PD_JOURNAL_ROWS "(SELECT *, max(n) FROM event WHERE kind IN"
		" ('run', 'state') AND n > ?1 GROUP BY run) WHERE run <> ?2 AND coalesce(json_extract(data, '$.state'),"
		" 'new') NOT IN ('done', 'rolled back', 'refused', 'cleared', 'waiting for sign-off')"
		" ORDER BY n DESC LIMIT 1";
	pd_auto(pd_strings) ids = {0};
	bool ok = pd_journal_query(j, sql, 0, except, add_id, &ids, err);

	*id = ids.len ? pd_strdup(ids.items[0]) : NULL;
	return ok;
}

bool pd_journal_newer_runs(struct pd_journal *j, const char *run, struct pd_strings *ids,
			   struct pd_error **err)
{
	return pd_journal_query(j, PD_JOURNAL_ROWS "event WHERE kind = 'run' AND n > max(?1, (SELECT"
				" min(n) FROM event WHERE run = ?2)) ORDER BY n DESC", 0, run, add_id, ids, err);
}

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
