/* SPDX-License-Identifier: MIT */
/* The program: finds the command, sets up what all of them need. */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <sodium.h>
#include <unistd.h>

static const struct pd_verb *find(const char *name)
{
	for (const struct pd_verb *const *c = pd_verbs; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static int no_command(const struct pd_cli *cli, const char *name)
{
	pd_auto_error *err = NULL;
	const char *words[64], *nearest;
	size_t n = 0;

	for (const struct pd_verb *const *c = pd_verbs; *c && n < 64; c++)
		words[n++] = (*c)->name;
	nearest = pd_nearest(name, words, n);
	pd_error_set(&err, "usage", "there is no command '%s'", name);
	if (nearest)
		pd_error_remedy(&err, "Did you mean `patchday %s`?", nearest);
	pd_cli_error(cli, err);
	return PD_END_INVALID;
}

/* The folders of plugins: those asked for, then the installed one. */
static bool set_up(struct pd_cli *cli, struct pd_error **err)
{
	const char *state = getenv("PATCHDAY_STATE");

	cli->state = pd_cli_option(cli, "state");
	if (!cli->state)
		cli->state = state && *state ? state : "/var/lib/patchday";
	cli->library = pd_cli_option(cli, "scripts");
	if (!cli->library)
		cli->library = PD_SCRIPT_DIR;
	if (*cli->state != '/' || *cli->library != '/')
		return pd_error_set(err, "usage", "this folder has to be an absolute path:"
				    " '%s'", *cli->state != '/' ? cli->state : cli->library);
	cli->registry = pd_registry_new();
	for (size_t i = 0; i < cli->names.len; i++)
		if (strcmp(cli->names.items[i], "plugin-dir") == 0 &&
		    !pd_registry_add_folder(cli->registry, cli->values.items[i], err))
			return false;
	return access(PD_PLUGIN_DIR, F_OK) < 0 ||
	       pd_registry_add_folder(cli->registry, PD_PLUGIN_DIR, err);
}

static int run_command(struct pd_cli *cli, int argc, char **argv)
{
	pd_auto_error *err = NULL;
	int status = PD_END_INVALID;

	if (pd_cli_parse(cli, argc, argv, &err) && pd_cli_option(cli, "help")) {
		pd_cli_help(cli->command, stdout);
		if (strstr(cli->command->operands, "WORKFLOW") && pd_cli_operand(cli, 0) &&
		    set_up(cli, NULL))
			pd_cli_workflow_help(cli, pd_cli_operand(cli, 0));
		return 0;
	}
	if (!err && set_up(cli, &err))
		status = cli->command->run(cli, &err);
	if (err) {
		pd_cli_error(cli, err);
		status = status ? status : PD_END_INVALID;
	}
	return status;
}

/* What has to be known before the first error can be printed. */
static bool look_ahead(struct pd_cli *cli, int argc, char **argv, struct pd_error **err)
{
	const char *no_color = getenv("NO_COLOR");

	cli->terminal = isatty(STDOUT_FILENO);
	cli->color = cli->terminal && !(no_color && *no_color);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		cli->json |= strcmp(argv[i], "--json") == 0;
		cli->color &= strcmp(argv[i], "--no-color") != 0;
	}
	/* JSON and the journal can't hold anything else */
	for (int i = 1; i < argc; i++)
		if (!pd_utf8_valid(argv[i], strlen(argv[i])))
			return pd_error_set(err, "usage", "argument %d is not UTF-8: '%s'",
					    i, argv[i]);
	return true;
}

int main(int argc, char **argv)
{
	struct pd_cli cli = {0};
	pd_auto_error *err = NULL;
	static char help[] = "--help";
	int status;

	setlocale(LC_ALL, "C.UTF-8");
	if (!look_ahead(&cli, argc, argv, &err)) {
		pd_cli_error(&cli, err);
		return PD_END_INVALID;
	}
	if (sodium_init() < 0)
		return PD_END_INVALID;
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (strcmp(argv[1], "help") == 0 && argc < 3)) {
		pd_cli_help(NULL, argc < 2 ? stderr : stdout);
		return argc < 2 ? PD_END_INVALID : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("patchday " PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "help") == 0) { /* help COMMAND is COMMAND --help */
		argv[1] = argv[2];
		argv[2] = help;
	}
	cli.command = find(argv[1]);
	if (!cli.command)
		return no_command(&cli, argv[1]);
	status = run_command(&cli, argc - 2, argv + 2);
	pd_registry_free(cli.registry);
	pd_strings_clear(&cli.operands);
	pd_strings_clear(&cli.names);
	pd_strings_clear(&cli.values);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fputs("patchday: the output could not be written\n", stderr);
	return status || cli.acted ? status : PD_END_INVALID;
}
