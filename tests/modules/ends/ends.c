/* SPDX-License-Identifier: MIT */
/* A plugin that ends its process when it is loaded, as PD_ENDS_BY says. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <patchday/plugin.h>

__attribute__((constructor)) static void end(void)
{
	const char *by = getenv("PD_ENDS_BY");

	if (by && strcmp(by, "exit") == 0)
		exit(0);
	if (by && strcmp(by, "quick_exit") == 0)
		quick_exit(0);
	if (by && strcmp(by, "_exit") == 0)
		_exit(0);
	if (by && strcmp(by, "_Exit") == 0)
		_Exit(0);
	if (by && strcmp(by, "abort") == 0)
		abort();
	if (by && strcmp(by, "crash") == 0)
		*(volatile int *)(uintptr_t)by[5] = 1;
	if (by && strcmp(by, "child") == 0) { /* which may: only that process ends */
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(7);
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
			abort();
	}
	if (by && strcmp(by, "pause") == 0)
		pause();
}

PD_PLUGIN(.name = "ends", .version = "1", .help = "an end");
