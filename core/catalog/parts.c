/* SPDX-License-Identifier: MIT */
/* The parts of an update, as those who look at it see them. */
#include "catalog/catalog.h"

json_t *pd_update_payloads(const struct pd_catalog_update *u)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_payloads; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "url",
			u->payloads[i].url, "name", u->payloads[i].name, "digest",
			u->payloads[i].digest, "bytes", (json_int_t)u->payloads[i].bytes));
	return list;
}

json_t *pd_update_installers(const struct pd_catalog_update *u)
{
	static const char *const kinds[] = { "", "install", "uninstall" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_installers; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "kind",
			kinds[u->installers[i].kind], "command", u->installers[i].command,
			"arguments", u->installers[i].arguments));
	return list;
}

json_t *pd_update_exits(const struct pd_catalog_update *u)
{
	static const char *const meanings[] = { "failed", "success", "success-reboot",
		"failed-reboot", "already-installed", "not-applicable", "retry-later",
		"needs-operator" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_exits; i++)
		json_array_append_new(list, json_pack("{s:I, s:s}", "status",
			(json_int_t)u->exits[i].status, "meaning",
			meanings[u->exits[i].meaning]));
	return list;
}

json_t *pd_update_devices(const struct pd_catalog_update *u)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n_rules; i++) {
		const struct pd_rule *r = &u->rules[i];

		if (r->tree == PD_RULES_APPLICABLE && r->op == PD_RULE_TEST && !r->negate &&
		    r->compare == PD_CMP_MATCH && strcmp(r->kind, "devices") == 0 &&
		    strcmp(r->field, "modalias") == 0)
			json_array_append_new(list, json_string(r->value));
	}
	return list;
}
