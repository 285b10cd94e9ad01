/* SPDX-License-Identifier: MIT */
/* The program: finds the Lua that is its command line, and lets it run. */
#include "cli/cli.h"

#include <limits.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* The folder that --scripts names, or NULL; before anything is parsed. */
static const char *asked_for(int argc, char **argv)
{
	const char *folder = NULL;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--scripts") == 0 && i + 1 < argc)
			folder = argv[++i];
		else if (strncmp(argv[i], "--scripts=", 10) == 0)
			folder = argv[i] + 10;
	return folder;
}

/* Scripts beside the program are its own: it runs from where it was built. */
static bool find_scripts(struct pd_cli *cli, const char *folder, struct pd_error **err)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash = strrchr(self, '/');
	pd_auto_free char *beside = pd_print("%.*s/scripts", (int)(slash ? slash - self : 0), self);
	pd_auto_free char *main_file = pd_print("%s/cli/main.lua", beside), *modules = NULL;

	cli->self = pd_strdup(n > 0 ? self : "");
	cli->built = slash && access(main_file, F_OK) == 0;
	if (!folder)
		folder = cli->built ? beside : PD_SCRIPT_DIR;
	if (*folder != '/')
		return pd_error_set(err, "usage", "this folder has to be an absolute path:"
				    " '%s'", folder);
	cli->scripts = realpath(folder, NULL);
	modules = pd_print("%s/cli", cli->scripts ? cli->scripts : folder);
	return pd_trusted_folder(modules, err);
}

int main(int argc, char **argv)
{
	struct pd_cli cli = { .plugins = PD_PLUGIN_DIR, .programs = PD_PROGRAM_DIR };
	pd_auto_error *err = NULL;
	int status = PD_END_INVALID;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return PD_END_INVALID;
	if (!find_scripts(&cli, asked_for(argc, argv), &err))
		pd_cli_warn("there is no command line", err->message);
	else if (pd_cli_open(&cli))
		status = pd_cli_main(&cli, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("patchday: the output could not be written\n", stderr);
		status = status || cli.acted ? status : PD_END_INVALID;
	}
	pd_cli_close(&cli);
	return status;
}
