/* SPDX-License-Identifier: MIT */
/* A plugin's descriptor as JSON: for lists, help, plans and stubs. */
#include "plugin/arguments.h"
#include "plugin/registry.h"

static const char *const reversibilities[] = { "", "reversible", "irreversible", "readonly" };

static json_t *texts(const char *const *items)
{
	json_t *list = items ? json_array() : NULL;

	for (; items && *items; items++)
		json_array_append_new(list, json_string(*items));
	return list;
}

/* "default" as it is declared, "value" as the step gets it. */
static json_t *param_json(const struct pd_param *p)
{
	json_t *j = json_pack("{s:s, s:s, s:b, s:b, s:s*, s:s, s:o*, s:o*}", "name", p->name, "type",
		pd_type_name(p->type), "required", (p->flags & PD_P_REQUIRED) != 0, "engine",
		(p->flags & PD_P_ENGINE) != 0, "default", p->def, "help", p->help, "choices",
		texts(p->choices), "value", p->def ? pd_argument_parse(p, p->def, NULL) : NULL);

	if (p->min || p->max) {
		json_object_set_new(j, "min", json_integer(p->min));
		json_object_set_new(j, "max", json_integer(p->max));
	}
	return j;
}

static json_t *step_json(const struct pd_step *s)
{
	json_t *params = json_array(), *outputs = json_array();

	for (const struct pd_param *p = s->params; p && p->name; p++)
		json_array_append_new(params, param_json(p));
	for (const struct pd_output *o = s->outputs; o && o->name; o++)
		json_array_append_new(outputs, json_pack("{s:s, s:s, s:s}", "name", o->name,
			"type", pd_type_name(o->type), "help", o->help));
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:o, s:o}",
		"name", s->name, "help", s->help, "reversibility", reversibilities[s->reversibility],
		"undo", s->undo != NULL, "verify", s->verify != NULL, "reboots",
		(s->flags & PD_S_REBOOTS) != 0, "root", (s->flags & PD_S_NEEDS_ROOT) != 0, "backup",
		(s->flags & PD_S_BACKUP) != 0, "guard", (s->flags & PD_S_GUARD) != 0,
		"hold", (s->flags & PD_S_HOLD) != 0, "expected",
		(json_int_t)(s->expected ? s->expected : 1), "retries", (json_int_t)s->retries,
		"time_limit", (json_int_t)(s->time_limit ? s->time_limit : 3600), "grace",
		(json_int_t)(s->grace ? s->grace : 10), "params", params, "outputs", outputs);
}

json_t *pd_plugin_json(const struct pd_plugin *p, const char *path)
{
	json_t *steps = json_array(), *helps = json_object();
	json_t *readers = json_array(), *scanners = json_array(), *transports = json_array();
	json_t *filters = json_array();
	pd_auto_free char *abi = pd_print("%u", p->abi >> 16);

	for (const struct pd_step *const *s = p->steps; s && *s; s++)
		json_array_append_new(steps, step_json(*s));
#define PD_NAMES(kind)                                                              \
	for (size_t i = 0; p->kind##s && p->kind##s[i]; i++) {                      \
		pd_auto_free char *key = pd_print(#kind " %s", p->kind##s[i]->name); \
		json_array_append_new(kind##s, json_string(p->kind##s[i]->name));   \
		json_object_set_new(helps, key, json_string(p->kind##s[i]->help));  \
	}
	PD_NAMES(reader)
	PD_NAMES(scanner)
	PD_NAMES(transport)
	PD_NAMES(filter)
#undef PD_NAMES
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		p->name, "version", p->version, "help", p->help, "abi", abi, "path",
		path ? path : "", "steps", steps, "readers", readers, "scanners", scanners,
		"transports", transports, "filters", filters, "helps", helps);
}
