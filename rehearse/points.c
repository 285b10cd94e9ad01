/* SPDX-License-Identifier: MIT */
/* Points of a drill. */
#include "points.h"

#include "base/text.h"
#include "run/journal.h"

static const char *const all_kinds[] = { "kill", "power", "enospc", "torn" };

static void add(struct points *p, int64_t point)
{
	pd_grow(p->list, p->n, p->cap);
	p->list[p->n++] = point;
}

static bool bad(const char *list, struct pd_error **err)
{
	return pd_error_set(err, "usage", "--points %s: expected numbers and ranges such as"
			    " 1,7,20-30, or \"every 10\"", list);
}

static bool number(const char *s, int64_t *out)
{
	return pd_parse_int(s, out) && *out > 0 && *out < 1000000;
}

bool points_parse(struct points *p, const char *list, size_t most, struct pd_error **err)
{
	pd_auto_free char *copy = pd_strdup(list ? list : "every 1");
	char *rest = copy, *word;
	int64_t from, to, step = 1;

	if (strncmp(copy, "every", 5) == 0) {
		if (!number(copy + 5 + strspn(copy + 5, " :="), &step))
			return bad(list, err);
		for (int64_t i = 1; i <= (int64_t)most; i += step)
			add(p, i);
		return true;
	}
	while ((word = strsep(&rest, ","))) {
		char *dash = strchr(word, '-');

		if (dash)
			*dash = '\0';
		if (!number(word, &from) || !number(dash ? dash + 1 : word, &to) || to < from)
			return bad(list, err);
		if (most && to > (int64_t)most)
			return pd_error_set(err, "usage", "--points %s: the journal of the run without a"
					    " fault has %zu rows", list, most);
		for (int64_t i = from; i <= to && i <= (int64_t)most; i++)
			add(p, i);
	}
	return true;
}

bool points_check(const char *list, struct pd_error **err)
{
	struct points p = {0};
	bool good = points_parse(&p, list, 0, err);

	free(p.list);
	return good;
}

bool kinds_parse(struct pd_strings *kinds, const char *list, struct pd_error **err)
{
	pd_auto_free char *copy = pd_strdup(list ? list : "kill,power,enospc,torn");
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		bool known = false;

		for (size_t i = 0; i < sizeof(all_kinds) / sizeof(*all_kinds); i++)
			known |= strcmp(word, all_kinds[i]) == 0;
		if (!known)
			return pd_error_set(err, "usage", "--kinds: there is no '%s'; there are"
					    " kill, power, enospc and torn", word);
		pd_strings_add(kinds, word);
	}
	return true;
}

static bool take(void *user, const struct pd_event *e, struct pd_error **err)
{
	struct journal *j = user;

	(void)err;
	if (!j->n)
		j->first = e->n;
	pd_grow(j->events, j->n, j->cap);
	j->events[j->n++] = (struct journal_event){ pd_strdup(e->kind), pd_strdup(e->step),
						    pd_print("%s %s", e->kind, e->step) };
	return true;
}

bool journal_read(struct journal *out, const struct clone *c, const char *state,
		  const char *run, struct pd_error **err)
{
	pd_auto_free char *folder = pd_print("%s%s", c->root, state);
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		pd_journal_open(folder, true, err);

	*out = (struct journal){0};
	return j && pd_journal_each(j, run, 0, take, out, err);
}

void journal_free(struct journal *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->events[i].kind);
		free(j->events[i].step);
		free(j->events[i].label);
	}
	free(j->events);
}
