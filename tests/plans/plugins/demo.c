/* SPDX-License-Identifier: MIT */
/* demo: a plugin with each type of parameter and output, for plan tests. */
#include <patchday/plugin.h>

struct args {
	const char *text;
	const char *path;
	int64_t count, size, wait;
	bool on;
	int32_t level;
	struct pd_list units;
	const struct pd_secret *password;
	const struct pd_updates *updates;
	int64_t expected_do;
};

static const char *const levels[] = { "low", "medium", "high", NULL };

static const struct pd_param all_params[] = {
	PD_PARAM(struct args, text, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "a text"),
	PD_PARAM(struct args, path, PD_T_PATH, .def = "/srv/demo", .help = "a path"),
	PD_PARAM(struct args, count, PD_T_INT, .def = "3", .min = 1, .max = 10,
		 .help = "a number"),
	PD_PARAM(struct args, size, PD_T_BYTES, .help = "a size"),
	PD_PARAM(struct args, wait, PD_T_SECONDS, .def = "30", .help = "a time"),
	PD_PARAM(struct args, on, PD_T_BOOL, .def = "true", .help = "a switch"),
	PD_PARAM(struct args, level, PD_T_CHOICE, .def = "low", .choices = levels,
		 .help = "one of three"),
	PD_PARAM(struct args, units, PD_T_LIST, .help = "a list"),
	PD_PARAM(struct args, password, PD_T_SECRET, .help = "a secret"),
	PD_PARAM_END
};

static const struct pd_param unit_params[] = {
	PD_PARAM(struct args, units, PD_T_LIST, .flags = PD_P_REQUIRED,
		 .help = "what to hold"),
	PD_PARAM_END
};

static const struct pd_param may_params[] = {
	PD_PARAM(struct args, units, PD_T_LIST, .flags = PD_P_REQUIRED, .help = "when"),
	PD_PARAM(struct args, expected_do, PD_T_SECONDS, .flags = PD_P_ENGINE,
		 .help = "time that is needed"),
	PD_PARAM_END
};

static const struct pd_param update_params[] = {
	PD_PARAM(struct args, updates, PD_T_UPDATES, .flags = PD_P_REQUIRED,
		 .help = "what to install"),
	PD_PARAM_END
};

static const struct pd_param reboot_params[] = {
	PD_PARAM(struct args, on, PD_T_BOOL, .def = "true", .help = "whether"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("file", PD_T_PATH, "a file"),
	PD_OUTPUT("lines", PD_T_INT, "a number"),
	PD_OUTPUT("names", PD_T_LIST, "a list"),
	PD_OUTPUT("word", PD_T_STRING, "a text"),
	PD_OUTPUT("flag", PD_T_BOOL, "a switch"),
	PD_OUTPUT_END
};

static int nothing(struct pd_ctx *ctx)
{
	(void)ctx;
	return PD_UNCHANGED;
}

static const struct pd_step look = {
	PD_STEP, .name = "look", .help = "look at everything",
	.params = all_params, .args_size = sizeof(struct args), .outputs = outputs,
	.check = nothing, .reversibility = PD_READONLY, .expected = 5,
};

static const struct pd_step save = {
	PD_STEP, .name = "save", .help = "save something",
	.outputs = outputs, .check = nothing, .apply = nothing,
	.reversibility = PD_READONLY, .flags = PD_S_BACKUP,
};

static const struct pd_step stop = {
	PD_STEP, .name = "stop", .help = "stop something",
	.params = unit_params, .args_size = sizeof(struct args),
	.check = nothing, .apply = nothing, .undo = nothing,
	.reversibility = PD_REVERSIBLE, .expected = 10,
};

static const struct pd_step hold = {
	PD_STEP, .name = "hold", .help = "hold something",
	.params = unit_params, .args_size = sizeof(struct args),
	.check = nothing, .apply = nothing, .undo = nothing,
	.reversibility = PD_REVERSIBLE, .flags = PD_S_HOLD, .expected = 10,
};

static const struct pd_step install = {
	PD_STEP, .name = "install", .help = "install for good",
	.params = update_params, .args_size = sizeof(struct args),
	.check = nothing, .apply = nothing,
	.reversibility = PD_IRREVERSIBLE, .expected = 120,
};

static const struct pd_step reboot = {
	PD_STEP, .name = "reboot", .help = "reboot",
	.params = reboot_params, .args_size = sizeof(struct args),
	.check = nothing, .apply = nothing, .verify = nothing,
	.reversibility = PD_READONLY, .flags = PD_S_REBOOTS, .expected = 60,
};

static const struct pd_step may = {
	PD_STEP, .name = "may", .help = "say whether it may go on",
	.params = may_params, .args_size = sizeof(struct args), .check = nothing,
	.reversibility = PD_READONLY, .flags = PD_S_GUARD,
};

static const struct pd_step *const steps[] = {
	&look, &save, &stop, &hold, &install, &reboot, &may, NULL
};

PD_PLUGIN(.name = "demo", .version = "1", .help = "steps for plan tests",
	  .steps = steps);
