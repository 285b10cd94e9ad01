/* SPDX-License-Identifier: MIT */
/* Functions of the command line: what only people know. */
#include "cli/cli.h"

#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/secret.h"

const char *pd_cli_user(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());

	return sudo && *sudo && pd_utf8_valid(sudo, strlen(sudo)) ? sudo : p ? p->pw_name : "unknown";
}

/* user(): name of the person. */
PD_CORE(user)
{
	return json_string(pd_cli_user());
}

/* line(): what a person types in on the terminal; nil: there is none, or the
 * end of it. */
PD_CORE(line)
{
	char text[1024];

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return NULL;
	fflush(stdout);
	if (!fgets(text, sizeof(text), stdin))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return json_string(pd_utf8_valid(text, strlen(text)) ? text : "");
}

/* answers(file, answers): with those of the file. */
PD_CORE(answers)
{
	pd_auto_json *all = json_deep_copy(json_array_get(args, 1));

	return pd_answers_read(pd_core_text(args, 0), pd_cli_user(), all, err) ?
	       json_incref(all) : NULL;
}

/* answer(value): as it was given on the terminal. */
PD_CORE(answer)
{
	return pd_answer(json_incref(json_array_get(args, 0)), pd_cli_user(), NULL, "terminal");
}

/* One line of the terminal, not shown while it is typed. */
static char *hidden_line(int terminal, const char *name)
{
	struct termios before, quiet;
	char text[1024] = "", *value = NULL;
	ssize_t n = 0;

	if (tcgetattr(terminal, &before) < 0)
		return NULL;
	quiet = before;
	quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
	/* what was typed ahead is thrown away, so ask after that */
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	dprintf(terminal, "secret '%s': ", name);
	n = read(terminal, text, sizeof(text) - 1);
	tcsetattr(terminal, TCSAFLUSH, &before);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) >= PD_SECRET_LEAST)
		value = pd_strdup(text);
	sodium_memzero(text, sizeof(text));
	return value;
}

/* Every secret of a step can be had now: nothing begins that can't be ended. */
static bool can_be_had(const struct pd_plan_step *s, struct pd_error **err)
{
	const char *param;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)s->args, param, value) {
		const json_t *source = json_object_get(value, "$secret");
		char *secret = source ? pd_secret_fetch(source, err) : NULL;

		if (source && !secret)
			return pd_error_prefix(err, "%s", s->id);
		pd_secret_free(secret);
	}
	return true;
}

bool pd_cli_type_in(const struct pd_plan_step *const *steps, size_t n, struct pd_error **err)
{
	pd_auto_close int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	pd_auto(pd_strings) names = {0};

	for (size_t i = 0; i < n; i++)
		pd_plan_secrets(steps[i], "prompt", &names);
	for (size_t i = 0; i < names.len; i++) {
		char *value = NULL;

		if (pd_secret_typed(names.items[i]))
			continue;
		for (int tries = 0; terminal >= 0 && !value && tries < 3; tries++)
			value = hidden_line(terminal, names.items[i]);
		if (!value)
			return pd_error_set(err, "secret-missing", terminal < 0 ?
				"there is no terminal to type in the secret '%s'" :
				"no secret '%s' of at least 4 characters was typed in", names.items[i]);
		pd_secret_type(names.items[i], value);
	}
	for (size_t i = 0; i < n; i++)
		if (!can_be_had(steps[i], err))
			return false;
	return true;
}

/* secrets(): those of the plan that was made are there; a person types in what
 * is asked for. */
PD_CORE(secrets)
{
	size_t n = 0;
	pd_auto_free const struct pd_plan_step **steps = pd_alloc((cli->plan->n_steps + 1) * sizeof(*steps));

	for (n = 0; n < cli->plan->n_steps; n++)
		steps[n] = &cli->plan->steps[n];
	return pd_cli_type_in(steps, n, err) ? json_true() : NULL;
}

const struct pd_core_row pd_core_ask[] = {
	{ "answer", answer }, { "answers", answers }, { "line", line }, { "secrets", secrets },
	{ "user", user }, { NULL, NULL }
};
