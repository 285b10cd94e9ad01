/* SPDX-License-Identifier: MIT */
/* A run on paper: what each call of a step ends with is what Lua says
 * (scripts/cli/paper.lua); all else is the engine's own. */
#include "cli/cli.h"

static const char *const phases[] = { NULL, "check", "apply", "verify", "undo" };
static const struct { const char *name; int result; } results[] = {
	{ "changed", PD_CHANGED }, { "unchanged", PD_UNCHANGED }, { "failed", PD_FAILED },
	{ "retry", PD_RETRY }, { "refused", PD_REFUSED }
};

static int result_of(const char *name)
{
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (strcmp(results[i].name, name) == 0)
			return results[i].result;
	return PD_FAILED;
}

/* Lua gets {step, phase, args} and gives {result, message, irreversible, outputs}. */
void pd_cli_pretend(void *user, const char *step, enum pd_phase phase, const json_t *args,
		    const struct pd_worker_sink *sink, struct pd_worker_result *result)
{
	pd_auto_json *said = pd_cli_ask(user, "pretend", json_pack("{s:s, s:s, s:O}", "step", step,
		"phase", phases[phase], "args", args));
	const char *why = pd_json_text(said, "irreversible", NULL), *name;
	json_t *value;

	result->result = result_of(pd_json_text(said, "result", ""));
	result->message = pd_strdup(pd_json_text(said, "message", NULL));
	json_object_foreach(json_object_get(said, "outputs"), name, value)
		sink->output(sink->user, name, value);
	if (why)
		sink->irreversible(sink->user, why);
}
