/* SPDX-License-Identifier: MIT */
/* Functions of the command line: this installation, this system, plugins. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "run/lock.h"

/* about(): what is known before any option is read. */
static json_t *about(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	static const char *const names[] = { "NO_COLOR", "PATCHDAY_LIBEXEC", "PATCHDAY_STATE",
					     "SUDO_USER" };
	const struct passwd *p = getpwuid(getuid());
	json_t *environment = json_object();

	(void)args, (void)err;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]) && *getenv(names[i]))
			json_object_set_new(environment, names[i], json_string(getenv(names[i])));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:s, s:o}", "version",
		PACKAGE_VERSION, "self", cli->self, "scripts", cli->scripts, "plugins",
		cli->plugins, "programs", cli->programs, "built", cli->built, "terminal",
		isatty(STDOUT_FILENO), "errors_terminal", isatty(STDERR_FILENO), "uid", (json_int_t)geteuid(), "user",
		p ? p->pw_name : "unknown", "environment", environment);
}

/* color(wanted): colors may be printed from now on. */
static json_t *color(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	(void)err;
	cli->color = json_is_true(json_array_get(args, 0));
	return NULL;
}

/* setup(state, folders of plugins): what most other functions need. */
static json_t *setup(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	const json_t *folder;
	size_t i;

	free(cli->state);
	cli->state = pd_strdup(pd_core_text(args, 0));
	pd_registry_free(cli->registry);
	cli->registry = pd_registry_new();
	json_array_foreach(json_array_get(args, 1), i, folder)
		if (!pd_registry_add_folder(cli->registry, json_string_value(folder), err))
			return NULL;
	if (access(cli->plugins, F_OK) == 0 &&
	    !pd_registry_add_folder(cli->registry, cli->plugins, err))
		return NULL;
	return json_true();
}

/* encode(value, pretty): as JSON text, keys sorted. */
static json_t *encode(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	size_t pretty = json_is_true(json_array_get(args, 1)) ? JSON_INDENT(2) : JSON_COMPACT;
	pd_auto_free char *text = json_dumps(json_array_get(args, 0), pretty | JSON_SORT_KEYS |
					     JSON_ENCODE_ANY);

	(void)cli, (void)err;
	return json_string(text);
}

/* nearest(word, list): the word that was probably meant, or nil. */
static json_t *nearest(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	const json_t *list = json_array_get(args, 1);
	const char *words[1024], *near;
	size_t n = 0;

	(void)cli, (void)err;
	for (; n < json_array_size(list) && n < 1024; n++)
		words[n] = json_string_value(json_array_get(list, n));
	near = pd_nearest(pd_core_text(args, 0), words, n);
	return near ? json_string(near) : NULL;
}

/* date(seconds since 1970, local): RFC 3339, or the clock on the wall. */
static json_t *date(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	time_t when = (time_t)json_integer_value(json_array_get(args, 0));
	pd_auto_free char *utc = pd_show_time(when);
	char clock[16] = "";
	struct tm tm = {0};

	(void)cli, (void)err;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&when, &tm));
	return json_string(json_is_true(json_array_get(args, 1)) ? clock : utc);
}

static json_t *now(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	(void)cli, (void)args, (void)err;
	return json_integer(time(NULL));
}

/* columns(): of the terminal. */
static json_t *columns(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	struct winsize w = {0};

	(void)cli, (void)args, (void)err;
	return json_integer(ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ?
			    w.ws_col : 80);
}

/* path(path): the absolute one of what is there, else nil; JSON and the
 * journal can't hold one that is not UTF-8. */
static json_t *path(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	char real[PATH_MAX];

	(void)cli;
	if (!realpath(pd_core_text(args, 0), real))
		return NULL;
	if (!pd_utf8_valid(real, strlen(real)))
		pd_error_set(err, "usage", "the path %s is not UTF-8", real);
	return json_string(real);
}

/* stat(path): owner and mode of what is there, else nil. */
static json_t *stat_(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	struct stat st = {0};

	(void)cli, (void)err;
	return stat(pd_core_text(args, 0), &st) < 0 ? NULL :
	       json_pack("{s:I, s:I}", "uid", (json_int_t)st.st_uid, "mode",
			 (json_int_t)(st.st_mode & 07777));
}

static json_t *explanations(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	json_t *list = json_array();
	size_t n = 0;
	const struct pd_explanation *x = pd_explanations(&n);

	(void)cli, (void)args, (void)err;
	for (; n; n--, x++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", x->id,
			"cause", x->cause, "remedy", x->remedy));
	return list;
}

/* owner(): {pid, run} of the process that works on a run, or nil. */
static json_t *owner(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	pd_auto_free char *run = NULL;
	pid_t pid = pd_lock_owner(cli->state, &run);

	(void)args, (void)err;
	return pid ? json_pack("{s:I, s:s}", "pid", (json_int_t)pid, "run", run ? run : "") : NULL;
}

/* plugins(): their names; nothing is loaded. */
static json_t *plugins(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};
	json_t *list = json_array();

	(void)args;
	if (!pd_registry_names(cli->registry, &names, err))
		return list;
	for (size_t i = 0; i < names.len; i++)
		json_array_append_new(list, json_string(names.items[i]));
	return list;
}

/* plugin(name): all that it declares. */
static json_t *plugin(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	const struct pd_plugin *p = pd_registry_find(cli->registry, pd_core_text(args, 0), err);

	return p ? pd_plugin_json(p, pd_registry_path(cli->registry, p->name)) : NULL;
}

/* exec(folder, name, arguments): become the program patchday-NAME; nil: there
 * is none. */
static json_t *exec(struct pd_cli *cli, const json_t *args, struct pd_error **err)
{
	const char *folder = pd_core_text(args, 0);
	pd_auto_free char *file = pd_print("%s/patchday-%s", folder, pd_core_text(args, 1));
	pd_auto(pd_strings) argv = {0};
	const json_t *word;
	size_t i;

	if (access(file, F_OK) < 0)
		return NULL;
	pd_strings_add(&argv, file);
	json_array_foreach(json_array_get(args, 2), i, word)
		pd_strings_add(&argv, json_string_value(word));
	pd_strings_add_take(&argv, NULL);
	if (!pd_trusted_folder(folder, err) || !pd_trusted_file(file, err))
		return NULL;
	fflush(stdout);
	setenv("PATCHDAY_SELF", cli->self, 1);
	execv(file, argv.items);
	pd_error_errno(err, "usage", errno, "cannot run %s", file);
	return NULL;
}

const struct pd_core_row pd_core_system[] = {
	{ "about", about }, { "color", color }, { "columns", columns }, { "date", date },
	{ "encode", encode }, { "exec", exec }, { "explanations", explanations },
	{ "nearest", nearest }, { "now", now }, { "owner", owner }, { "path", path },
	{ "plugin", plugin }, { "plugins", plugins }, { "setup", setup }, { "stat", stat_ },
	{ NULL, NULL }
};
