/* SPDX-License-Identifier: MIT */
/* What became of the rules. */
#include "rules.h"

static const char *const rules[RULES] = { "loads", "manual", "still", "limit", "twice", "undo",
	"kill", "left", "secret", "knows", "damage", "carries" };
static const char *const states[] = { "none", "kept", "not tried", "broken" };

enum { FOUND_MAX = 20 };

static void found(struct verdict *v, const char *fmt, va_list ap)
{
	pd_auto_free char *text = pd_vprint(fmt, ap);
	json_t *had;
	size_t i;

	v->found = v->found ? v->found : json_array();
	json_array_foreach(v->found, i, had)
		if (strcmp(json_string_value(had), text) == 0)
			return;
	if (i < FOUND_MAX)
		json_array_append_new(v->found, json_string(text));
}

void verdict_kept(struct verdicts *v, enum rule r)
{
	if (v->of[r].state == VERDICT_NONE)
		v->of[r].state = VERDICT_KEPT;
}

/* The first reason is the one that counts. */
void verdict_untried(struct verdicts *v, enum rule r, const char *fmt, ...)
{
	va_list ap;

	if (v->of[r].state >= VERDICT_UNTRIED)
		return;
	v->of[r].state = VERDICT_UNTRIED;
	va_start(ap, fmt);
	found(&v->of[r], fmt, ap);
	va_end(ap);
}

void verdict_broken(struct verdicts *v, enum rule r, const char *fmt, ...)
{
	va_list ap;

	if (v->of[r].state == VERDICT_UNTRIED)
		json_array_clear(v->of[r].found);
	v->of[r].state = VERDICT_BROKEN;
	va_start(ap, fmt);
	found(&v->of[r], fmt, ap);
	va_end(ap);
}

json_t *verdicts_json_take(struct verdicts *v, const char *kind, const char *name)
{
	json_t *all = json_object();

	for (size_t i = 0; i < RULES; i++)
		json_object_set_new(all, rules[i], json_pack("{s:s, s:o*}", "result",
			states[v->of[i].state], "found", v->of[i].found));
	*v = (struct verdicts){0};
	return json_pack("{s:s, s:s, s:o}", "kind", kind, "name", name, "rules", all);
}
