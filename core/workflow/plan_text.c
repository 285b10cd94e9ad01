/* SPDX-License-Identifier: MIT */
/* The plan as people read it: what happens, in which order, what can be
 * taken back, and from where on it can't. */
#include <inttypes.h>

#include "base/text.h"
#include "plugin/arguments.h"
#include "workflow/plan.h"

/* An argument that says no more than leaving it out would. */
static bool is_default(const struct pd_param *p, const json_t *value)
{
	pd_auto_json *def = p->def ? pd_argument_parse(p, p->def, NULL) : NULL;

	if (def)
		return json_equal(def, value);
	return !value || json_is_null(value) || json_is_false(value) ||
	       (json_is_integer(value) && json_integer_value(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

static void add_word(struct pd_buffer *out, const char *s)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_./:@+%~-";
	bool plain = *s && s[strspn(s, bare)] == '\0';
	pd_auto_json *text = plain ? NULL : json_string(s);
	pd_auto_free char *quoted = plain ? NULL : pd_json_line(text);

	pd_buffer_text(out, plain ? s : quoted);
}

static void add_updates(struct pd_buffer *out, const json_t *updates)
{
	size_t n = json_array_size(updates), security = 0, packages = 0, i;
	const json_t *u;

	json_array_foreach(updates, i, u) {
		security += strcmp(pd_json_text(u, "kind", ""), "security") == 0;
		packages += json_array_size(json_object_get(u, "packages"));
	}
	pd_buffer_print(out, "%zu update%s", n, n == 1 ? "" : "s");
	if (n > 0)
		pd_buffer_print(out, " (%zu security, %zu package%s)", security,
				packages, packages == 1 ? "" : "s");
}

static void add_value(struct pd_buffer *out, unsigned type, const json_t *v)
{
	const json_t *secret = json_object_get(v, "$secret"), *item;
	pd_auto_free char *text = NULL;
	const char *key;
	size_t i;

	if (json_object_get(v, "$ref"))
		pd_buffer_print(out, "<%s of %s>", pd_json_text(v, "out", ""),
				pd_json_text(v, "$ref", ""));
	else if (json_object_get(v, "$updates"))
		add_updates(out, json_object_get(v, "$updates"));
	else if (secret)
		json_object_foreach((json_t *)(uintptr_t)secret, key, item) {
			pd_buffer_print(out, "<secret from %s %s>", key,
					json_is_string(item) ? json_string_value(item) : "");
		}
	else if (json_is_array(v))
		json_array_foreach(v, i, item) {
			pd_buffer_text(out, i > 0 ? "," : "");
			add_value(out, PD_T_STRING, item);
		}
	else if (json_is_string(v))
		add_word(out, json_string_value(v));
	else if (json_is_integer(v) && (type == PD_T_BYTES || type == PD_T_SECONDS))
		pd_buffer_text(out, text = type == PD_T_BYTES ?
			pd_show_bytes(json_integer_value(v)) :
			pd_show_seconds(json_integer_value(v)));
	else
		pd_buffer_text(out, text = pd_json_line(v));
}

static void add_args(struct pd_buffer *out, const struct pd_step *step, const json_t *args)
{
	for (const struct pd_param *p = step->params; p && p->name; p++) {
		const json_t *v = json_object_get(args, p->name);

		if (is_default(p, v))
			continue;
		pd_buffer_print(out, " %s=", p->name);
		add_value(out, p->type, v);
	}
}

static const char *mark(const struct pd_step *step)
{
	return step->reversibility == PD_READONLY ? " " :
	       step->reversibility == PD_REVERSIBLE ? "<" : "!";
}

static void add_signoff(struct pd_buffer *out, const json_t *args)
{
	pd_buffer_text(out, "sign-off by ");
	add_value(out, PD_T_LIST, json_object_get(args, "parties"));
}

static void add_step(struct pd_buffer *out, const struct pd_plan *plan, size_t i,
		     const struct pd_step *step)
{
	const struct pd_plan_step *s = &plan->steps[i];

	pd_buffer_print(out, "%4zu %s ", i + 1, step ? mark(step) : " ");
	for (size_t k = 0; k < s->n_inside; k++)
		pd_buffer_text(out, "| ");
	if (!step) {
		add_signoff(out, s->args);
	} else {
		pd_buffer_print(out, "%s.%s", s->plugin, s->step);
		add_args(out, step, s->args);
	}
	if (s->hold)
		pd_buffer_text(out, "  [held]");
	if (step && step->flags & PD_S_REBOOTS)
		pd_buffer_text(out, "  [reboot]");
	pd_buffer_text(out, "\n");
}

/* Holds that end before step @p i, innermost first. */
static void add_given_back(struct pd_buffer *out, const struct pd_plan *plan, size_t i)
{
	const struct pd_plan_step *last = i > 0 ? &plan->steps[i - 1] : NULL;
	size_t open = last ? last->n_inside + last->hold : 0;
	size_t keep = i < plan->n_steps ? plan->steps[i].n_inside : 0;

	for (; open > keep; open--) {
		size_t hold = open > last->n_inside ? i - 1 : last->inside[open - 1];

		pd_buffer_print(out, "       ");
		for (size_t k = 1; k < open; k++)
			pd_buffer_text(out, "| ");
		pd_buffer_print(out, "' step %zu is given back\n", hold + 1);
	}
}

static void add_stage(struct pd_buffer *out, const struct pd_plan_stage *stage)
{
	pd_buffer_print(out, "\n%s", stage->name);
	if (stage->on_failure != PD_ON_FAILURE_STOP)
		pd_buffer_print(out, " (on failure: %s)",
				pd_on_failure_name(stage->on_failure));
	pd_buffer_text(out, "\n");
}

static void add_questions(struct pd_buffer *out, const json_t *list)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row) {
		json_t *answer = json_object_get(row, "answer");

		pd_buffer_print(out, "%s     ? %s: %s ", i ? "" : "\nquestions\n",
				pd_json_text(row, "name", ""), pd_json_text(row, "ask", ""));
		if (answer)
			add_value(out, PD_T_STRING, answer);
		else
			pd_buffer_text(out, "(not answered)");
		pd_buffer_text(out, "\n");
	}
}

void pd_plan_text(const struct pd_plan *plan, struct pd_registry *reg,
		  struct pd_buffer *out)
{
	pd_auto_free char *time = NULL;
	size_t stage = SIZE_MAX, reboots = 0;
	bool returns = true;
	int64_t seconds = 0;

	pd_buffer_print(out, "workflow %s for %s, plan %.12s\n", plan->workflow,
			plan->server, plan->digest);
	if (plan->nothing) {
		pd_buffer_print(out, "nothing to do: %s\n", plan->nothing);
		return;
	}
	add_questions(out, json_object_get(plan->json, "questions"));
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct pd_plan_step *s = &plan->steps[i];
		pd_auto_free char *name = pd_print("%s.%s", s->plugin, s->step);
		const struct pd_step *step = s->plugin[0] ?
			pd_registry_step(reg, name, NULL, NULL) : NULL;

		add_given_back(out, plan, i);
		if (s->stage != stage)
			add_stage(out, &plan->stages[stage = s->stage]);
		if (returns && step && step->reversibility == PD_IRREVERSIBLE) {
			pd_buffer_text(out, "     ---- point of no return ----\n");
			returns = false;
		}
		add_step(out, plan, i, step);
		seconds += !step ? 0 : step->expected ? step->expected : 1;
		reboots += step && step->flags & PD_S_REBOOTS;
	}
	add_given_back(out, plan, plan->n_steps);
	time = pd_show_seconds(seconds);
	pd_buffer_print(out, "\n%zu step%s, about %s, %zu reboot%s%s; < can be undone%s\n",
			plan->n_steps, plan->n_steps == 1 ? "" : "s", time, reboots, reboots == 1 ? "" : "s",
			plan->rounds > 1 ? ", planned again afterwards" : "",
			returns ? ", no point of no return" : ", ! can't");
}
