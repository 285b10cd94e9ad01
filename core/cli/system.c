/* SPDX-License-Identifier: MIT */
/* Functions of the command line: this installation, this system, plugins. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "run/lock.h"

enum { TEXT_MAX = 64 << 20 };

/* about(): what is known before any option is read. */
PD_CORE(about)
{
	static const char *const names[] = { "NO_COLOR", "PATCHDAY_LIBEXEC", "PATCHDAY_PATH",
		"PATCHDAY_PLAIN", "PATCHDAY_SITE", "PATCHDAY_STATE", "TERM", "TZ" };
	json_t *environment = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]) && *getenv(names[i]))
			json_object_set_new(environment, names[i], json_string(getenv(names[i])));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:I, s:o}", "version",
		PACKAGE_VERSION, "self", cli->self, "scripts", cli->scripts, "plugins",
		cli->plugins, "programs", cli->programs, "built", cli->built, "terminal",
		isatty(STDOUT_FILENO), "input_terminal", isatty(STDIN_FILENO), "errors_terminal", isatty(STDERR_FILENO), "uid", (json_int_t)geteuid(),
		"environment", environment);
}

/* color(wanted): colors may be printed from now on. */
PD_CORE(color)
{
	cli->color = json_is_true(json_array_get(args, 0));
	return NULL;
}

/* setup(state, folders of plugins): what most other functions need. */
PD_CORE(setup)
{
	const json_t *folder;
	size_t i;

	if (!pd_trusted_path(err))
		return NULL;
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
PD_CORE(encode)
{
	size_t pretty = json_is_true(json_array_get(args, 1)) ? JSON_INDENT(2) : JSON_COMPACT;
	pd_auto_free char *text = json_dumps(json_array_get(args, 0), pretty | JSON_SORT_KEYS |
					     JSON_ENCODE_ANY);

	return json_string(text);
}

/* nearest(word, list): the word that was probably meant, or nil. */
PD_CORE(nearest)
{
	const json_t *list = json_array_get(args, 1);
	const char *words[1024], *near;
	size_t n = 0;

	for (; n < json_array_size(list) && n < 1024; n++)
		words[n] = json_string_value(json_array_get(list, n));
	near = pd_nearest(pd_core_text(args, 0), words, n);
	return near ? json_string(near) : NULL;
}

PD_CORE(now)
{
	return json_integer(time(NULL));
}

/* date(seconds since 1970, local): RFC 3339, or the clock on the wall. */
PD_CORE(date)
{
	time_t when = (time_t)json_integer_value(json_array_get(args, 0));
	pd_auto_free char *utc = pd_show_time(when);
	char clock[16] = "";
	struct tm tm = {0};

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&when, &tm));
	return json_string(json_is_true(json_array_get(args, 1)) ? clock : utc);
}

/* columns(): of the terminal. */
PD_CORE(columns)
{
	struct winsize w = {0};

	return json_integer(ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ?
			    w.ws_col : 80);
}

/* path(path): {path, uid, mode, folder, bytes, time} of what is there, else nil; JSON and the journal
 * can't hold one that is not UTF-8. */
PD_CORE(path)
{
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(pd_core_text(args, 0), real) || stat(real, &st) < 0)
		return NULL;
	if (!pd_utf8_valid(real, strlen(real)))
		pd_error_set(err, "usage", "the path %s is not UTF-8", real);
	return json_pack("{s:s, s:I, s:I, s:b, s:I, s:I}", "path", real, "uid", (json_int_t)st.st_uid,
			 "mode", (json_int_t)(st.st_mode & 07777), "folder", S_ISDIR(st.st_mode), "bytes",
			 (json_int_t)st.st_size, "time", (json_int_t)st.st_mtime);
}

static int visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* files(path): what is in it, in order, if it is a folder; else itself. */
PD_CORE(files)
{
	const char *path = pd_core_text(args, 0);
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, visible, alphasort);
	json_t *list = json_array();

	if (n < 0)
		json_array_append_new(list, json_string(path));
	for (int i = 0; i < n; i++) {
		json_array_append_new(list, json_sprintf("%s/%s", path, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return list;
}

/* text(file): all that is in it, or (nil) what standard input gives; any bytes. */
PD_CORE(text)
{
	const char *file = pd_core_text(args, 0);
	pd_auto(pd_buffer) input = {0};
	pd_auto_free char *whole = NULL;
	char part[BUFSIZ];
	size_t n = 0;

	if (file) {
		whole = pd_file_read(file, TEXT_MAX, &n, err);
		return whole ? json_stringn_nocheck(whole, n) : NULL;
	}
	while (input.len <= TEXT_MAX && (n = fread(part, 1, sizeof(part), stdin)) > 0)
		pd_buffer_add(&input, part, n);
	if (ferror(stdin) || input.len > TEXT_MAX) {
		pd_error_set(err, "file-read", "standard input can't be read, or has more than %d "
			     "bytes", TEXT_MAX);
		return NULL;
	}
	return json_stringn_nocheck(input.len ? input.data : "", input.len);
}

PD_CORE(explanations)
{
	json_t *list = json_array();
	size_t n = 0;
	const struct pd_explanation *x = pd_explanations(&n);

	for (; n; n--, x++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", x->id,
			"cause", x->cause, "remedy", x->remedy));
	return list;
}

/* owner(): {pid, run} of the process that works on a run, or nil. */
PD_CORE(owner)
{
	pd_auto_free char *run = NULL;
	pid_t pid = pd_lock_owner(cli->state, &run);

	return pid ? json_pack("{s:I, s:s}", "pid", (json_int_t)pid, "run", run ? run : "") : NULL;
}

/* plugins(): their names; nothing is loaded. */
PD_CORE(plugins)
{
	pd_auto(pd_strings) names = {0};
	json_t *list = json_array();

	if (!pd_registry_names(cli->registry, &names, err))
		return list;
	for (size_t i = 0; i < names.len; i++)
		json_array_append_new(list, json_string(names.items[i]));
	return list;
}

/* ignored_plugins(): paths of shared objects that are none by their names. */
PD_CORE(ignored_plugins)
{
	const struct pd_strings *paths = pd_registry_ignored(cli->registry);
	json_t *list = json_array();

	for (size_t i = 0; i < paths->len; i++)
		json_array_append_new(list, json_string(paths->items[i]));
	return list;
}

/* shadowed_plugins(): {path, used}: one that is not used, and the one before it that is. */
PD_CORE(shadowed_plugins)
{
	const struct pd_strings *paths = pd_registry_shadowed(cli->registry);
	json_t *list = json_array();

	for (size_t i = 0; i < paths->len; i += 2)
		json_array_append_new(list, json_pack("{s:s, s:s}", "path", paths->items[i], "used",
						      paths->items[i + 1]));
	return list;
}

/* plugin(name): all that it declares. */
PD_CORE(plugin)
{
	const struct pd_plugin *p = pd_registry_find(cli->registry, pd_core_text(args, 0), err);

	return p ? pd_plugin_json(p, pd_registry_path(cli->registry, p->name)) : NULL;
}

/* exec(folder, name, arguments): become the program patchday-NAME; nil: there
 * is none. */
PD_CORE(exec)
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
	{ "files", files }, { "nearest", nearest }, { "now", now }, { "owner", owner }, { "path", path },
	{ "ignored_plugins", ignored_plugins }, { "plugin", plugin }, { "plugins", plugins }, { "setup", setup },
	{ "shadowed_plugins", shadowed_plugins }, { "text", text },
	{ NULL, NULL }
};
