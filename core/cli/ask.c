/* SPDX-License-Identifier: MIT */
/* What only people know: questions of a workflow, from a file or asked. */
#include "cli/cli.h"

#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#include "plugin/secret.h"

const char *pd_cli_user(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());

	return sudo && *sudo ? sudo : p ? p->pw_name : "unknown";
}

bool pd_cli_answers(struct pd_cli *cli, json_t *inputs, struct pd_error **err)
{
	const char *file = pd_cli_option(cli, "answers");

	return !file || pd_answers_read(file, pd_cli_user(), json_object_get(inputs, "answers"), err);
}

/* The value that a line stands for; NULL: for none. */
static json_t *understood(const json_t *question, const char *line)
{
	const char *type = pd_json_text(question, "type", "");
	json_t *choice;
	bool yes;
	size_t i;

	if (strcmp(type, "boolean") == 0)
		return pd_parse_bool(line, &yes) ? json_boolean(yes) : NULL;
	if (strcmp(type, "string") == 0)
		return *line && pd_utf8_valid(line, strlen(line)) ? json_string(line) : NULL;
	json_array_foreach(json_object_get(question, "choices"), i, choice)
		if (strcmp(json_string_value(choice), line) == 0)
			return json_incref(choice);
	return NULL;
}

static json_t *ask(struct pd_cli *cli, const json_t *question)
{
	const char *help = pd_json_text(question, "help", "");
	pd_auto(pd_strings) words = {0};
	pd_auto_free char *choice = NULL;
	json_t *value = NULL, *word;
	char line[1024];
	size_t i;

	json_array_foreach(json_object_get(question, "choices"), i, word)
		pd_strings_add(&words, json_string_value(word));
	choice = words.len ? pd_strings_join(&words, ", ") : pd_strdup(
		strcmp(pd_json_text(question, "type", ""), "boolean") == 0 ? "yes, no" : "a text");
	pd_cli_print(cli, "%s%s%s\n", pd_json_text(question, "ask", ""), *help ? "\n  " : "", help);
	while (!value) {
		pd_cli_print(cli, "  [%s] ", choice);
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return NULL; /* it stays open, and the run is refused */
		line[strcspn(line, "\n")] = '\0';
		value = understood(question, line);
	}
	return value;
}

bool pd_cli_ask(struct pd_cli *cli, const struct pd_plan *plan, json_t *inputs)
{
	json_t *row, *value = NULL;
	bool added = false;
	size_t i;

	if (plan->nothing || cli->json || pd_cli_option(cli, "events") ||
	    !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	json_array_foreach(json_object_get(plan->json, "questions"), i, row) {
		if (json_object_get(row, "answer"))
			continue;
		value = ask(cli, row);
		if (!value)
			break;
		json_object_set_new(json_object_get(inputs, "answers"), pd_json_text(row, "name", ""),
				    pd_answer(value, pd_cli_user(), NULL, "terminal"));
		added = true;
	}
	return added;
}

/* One line of the terminal, not shown while it is typed. */
static char *hidden_line(int terminal, const char *name)
{
	struct termios before, quiet;
	char line[1024] = "";
	char *value = NULL;
	ssize_t n = 0;

	if (tcgetattr(terminal, &before) < 0)
		return NULL;
	quiet = before;
	quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
	/* what was typed ahead is thrown away, so ask after that */
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	dprintf(terminal, "secret '%s': ", name);
	n = read(terminal, line, sizeof(line) - 1);
	tcsetattr(terminal, TCSAFLUSH, &before);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strlen(line) >= PD_SECRET_LEAST)
		value = pd_strdup(line);
	sodium_memzero(line, sizeof(line));
	return value;
}

bool pd_cli_secrets(const struct pd_plan *plan, struct pd_error **err)
{
	pd_auto_close int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	pd_auto(pd_strings) names = {0};

	for (size_t i = 0; i < plan->n_steps; i++)
		pd_plan_prompts(&plan->steps[i], &names);
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
	return true;
}
