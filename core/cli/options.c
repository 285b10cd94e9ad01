/* SPDX-License-Identifier: MIT */
/* Parsing the command line from the commands' tables, and their help. */
#include "cli/cli.h"

#include <unistd.h>

const struct pd_option pd_common_options[] = {
	{ "state", "DIR", "folder of the journal (default $PATCHDAY_STATE or /var/lib/patchday)" },
	{ "plugin-dir", "DIR", "look for plugins here first; may be repeated" },
	{ "scripts", "DIR", "folder of the scripts (default " PD_SCRIPT_DIR ")" },
	{ "json", NULL, "print JSON" },
	{ "no-color", NULL, "no colors (also with NO_COLOR in the environment)" },
	{ "help", NULL, "show this help" },
	PD_OPTION_END
};

static const struct pd_option *find(const struct pd_option *rows, const char *name)
{
	for (; rows && rows->name; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static bool unknown(const struct pd_verb *c, const char *name,
		    struct pd_error **err)
{
	const char *words[64];
	const char *nearest;
	size_t n = 0;

	for (const struct pd_option *o = c->options; o && o->name && n < 48; o++)
		words[n++] = o->name;
	for (const struct pd_option *o = pd_common_options; o->name; o++)
		words[n++] = o->name;
	nearest = pd_nearest(name, words, n);
	pd_error_set(err, "usage", "'%s' has no option --%s", c->name, name);
	pd_error_remedy(err, nearest ? "Did you mean --%s?" :
			"`patchday %s --help` lists its options.",
			nearest ? nearest : c->name);
	return false;
}

/* --name, --name=value or --name value; *i moves over the value. */
static bool take_option(struct pd_cli *cli, char **argv, int *i, struct pd_error **err)
{
	const char *text = argv[*i] + 2, *equal = strchr(text, '=');
	pd_auto_free char *name = pd_strndup(text, equal ? (size_t)(equal - text) :
							   strlen(text));
	const struct pd_option *o = find(cli->command->options, name);
	const char *value = equal ? equal + 1 : NULL;

	if (!o)
		o = find(pd_common_options, name);
	if (!o)
		return unknown(cli->command, name, err);
	if (!o->argument && value)
		return pd_error_set(err, "usage", "--%s takes no value", name);
	if (o->argument && !value && !argv[*i + 1])
		return pd_error_set(err, "usage", "--%s needs a value: --%s %s", name,
				    name, o->argument);
	if (o->argument && !value)
		value = argv[++*i];
	pd_strings_add(&cli->names, name);
	pd_strings_add(&cli->values, value ? value : "");
	return true;
}

bool pd_cli_parse(struct pd_cli *cli, int argc, char **argv, struct pd_error **err)
{
	const struct pd_verb *c = cli->command;
	bool only_operands = false;

	for (int i = 0; i < argc; i++) {
		if (!only_operands && strcmp(argv[i], "--") == 0)
			only_operands = true;
		else if (!only_operands && strcmp(argv[i], "-h") == 0)
			pd_strings_add(&cli->names, "help"), pd_strings_add(&cli->values, "");
		else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
			if (!take_option(cli, argv, &i, err))
				return false;
		} else if (!only_operands && argv[i][0] == '-' && argv[i][1])
			return pd_error_set(err, "usage", "there is no option %s", argv[i]);
		else
			pd_strings_add(&cli->operands, argv[i]);
	}
	if (pd_cli_option(cli, "help"))
		return true;
	if ((int)cli->operands.len < c->least ||
	    (c->most >= 0 && (int)cli->operands.len > c->most))
		return pd_error_set(err, "usage", "usage: patchday %s %s", c->name,
				    c->operands);
	return true;
}

const char *pd_cli_option(const struct pd_cli *cli, const char *name)
{
	for (size_t i = cli->names.len; i-- > 0;)
		if (strcmp(cli->names.items[i], name) == 0)
			return cli->values.items[i];
	return NULL;
}

const char *pd_cli_operand(const struct pd_cli *cli, size_t i)
{
	return i < cli->operands.len ? cli->operands.items[i] : NULL;
}

static void help_rows(const struct pd_option *rows, FILE *out)
{
	for (; rows && rows->name; rows++) {
		pd_auto_free char *left = pd_print("--%s%s%s", rows->name,
			rows->argument ? " " : "", rows->argument ? rows->argument : "");

		fprintf(out, "  %-22s %s\n", left, rows->help);
	}
}

void pd_cli_help(const struct pd_verb *command, FILE *out)
{
	if (command) {
		fprintf(out, "Usage: patchday %s [OPTION]... %s\n\n%s.\n%s%s\n", command->name,
			command->operands, command->summary, command->text ? "\n" : "",
			command->text ? command->text : "");
		help_rows(command->options, out);
		help_rows(pd_common_options, out);
		return;
	}
	fputs("Usage: patchday COMMAND [OPTION]... [OPERAND]...\n\n"
	      "Take a server through patch day: done or rolled back, with evidence.\n\n", out);
	for (const struct pd_verb *const *c = pd_verbs; *c; c++)
		fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
	fputs("\n`patchday COMMAND --help` says more; the manual is patchday(1).\n\n"
	      "Exit status: 0 done, 1 rolled back, 2 usage or invalid input (nothing\n"
	      "touched), 3 inconsistent, 4 refused (nothing touched), 5 waiting.\n", out);
}

void pd_cli_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	putchar('\n');
}

const char *pd_cli_color(const struct pd_cli *cli, const char *sgr)
{
	return cli->color ? sgr : "";
}

/* Bytes of a control character, of C1, or of one that turns text around. */
static size_t control(const unsigned char *p)
{
	if ((*p < ' ' && *p != '\n' && *p != '\t') || *p == 127)
		return 1;
	if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	return *p == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
			      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)) ? 3 : 0;
}

static void clean(char *text, bool color)
{
	bool valid = pd_utf8_valid(text, strlen(text));
	size_t n;

	for (char *p = text; *p; p += n ? n : 1) {
		n = strncmp(p, "\033[", 2) == 0 ? 2 + strspn(p + 2, "01236") : 0;
		if (color && n > 2 && n < 5 && p[n] == 'm')
			continue;
		n = valid || !(*p & 0x80) ? control((unsigned char *)p) : 1;
		memset(p, '?', n);
	}
}

void pd_cli_print(const struct pd_cli *cli, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	clean(text, cli->color);
	fputs(text, stdout);
}

void pd_cli_warn(const char *what, const char *text)
{
	pd_auto_free char *copy = pd_strdup(text);

	clean(copy, false);
	fprintf(stderr, "patchday: %s: %s\n", what, copy);
}

void pd_cli_error(const struct pd_cli *cli, const struct pd_error *e)
{
	char *const parts[] = { e->where, e->message, e->remedy };
	pd_auto_free char *text = NULL;
	const char *advice = pd_error_advice(e);
	bool color = cli->color && isatty(STDERR_FILENO);

	for (size_t i = 0; i < 3; i++)
		if (parts[i])
			clean(parts[i], false);
	if (cli->json) {
		pd_auto_json *j = json_pack("{s:{s:s, s:s*, s:s, s:s*}}", "error", "id", e->id,
			"where", e->where, "message", e->message, "remedy", advice);

		pd_cli_json(j);
		return;
	}
	text = pd_error_text(e);
	fprintf(stderr, "%spatchday: %s%s [%s]\n", color ? "\033[31m" : "", text,
		color ? "\033[0m" : "", e->id);
	if (advice)
		fprintf(stderr, "  %s\n", advice);
}
