/* SPDX-License-Identifier: MIT */
/* What a clone looks like after a bad end: its units and its log, before it is
 * gone. */
#include "drill.h"

static const char *const failed[] = { "systemctl", "list-units", "--failed", "--plain",
	"--no-legend", "--no-pager", NULL };
static const char *const sockets[] = { "systemctl", "--no-pager", "--lines=20", "status",
	"dbus.socket", "dbus.service", NULL };
static const char *const jobs[] = { "systemctl", "list-jobs", "--no-pager", NULL };
static const char *const lines[] = { "journalctl", "--boot", "--quiet", "--no-pager",
	"--lines=2000", NULL };
static const char *const *const questions[] = { failed, jobs, sockets, lines };

char *scene_failed_units(struct clone *c)
{
	pd_auto_free char *text = clone_output(c, failed, NULL);
	pd_auto(pd_strings) names = {0};
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		size_t n = strcspn(line, " ");

		if (n)
			pd_strings_add_take(&names, pd_strndup(line, n));
	}
	return names.len ? pd_strings_join(&names, ", ") : NULL;
}

bool scene_save(struct clone *c, const char *path, struct pd_error **err)
{
	pd_auto(pd_buffer) text = {0};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		pd_auto_free char *answer = clone_output(c, questions[i], NULL);

		pd_buffer_text(&text, "#");
		for (const char *const *word = questions[i]; *word; word++)
			pd_buffer_print(&text, " %s", *word);
		pd_buffer_print(&text, "\n%s\n", answer ? answer : "(no answer)\n");
	}
	return pd_file_write(path, 0600, text.data, text.len, err);
}
