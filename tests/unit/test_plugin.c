/* SPDX-License-Identifier: MIT */
/* Loading: what is refused and how it is said; arguments; secrets. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/arguments.h"
#include "plugin/registry.h"
#include "plugin/secret.h"
#include "unit.h"

static char *modules, *folder; /* where they are built; a copy of some */

static bool has(const char *text, const char *part)
{
	bool yes = text && strstr(text, part);

	if (!yes)
		printf("\n    '%s'\n    is not in '%s'\n", part, text ? text : "NULL");
	return yes;
}

/* The error has this id and these words; freed. */
static void said(struct pd_error *err, const char *id, const char *part)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(err);
	if (strcmp(err->id, id) != 0)
		printf("\n    %s: %s\n", err->id, err->message);
	CU_ASSERT_STRING_EQUAL(err->id, id);
	CU_ASSERT(has(err->message, part));
	CU_ASSERT_PTR_NOT_NULL(pd_error_advice(err));
	pd_error_free(err);
}

/* ---------------------------------------------------------------- loading */

static char *in_folder(const char *name)
{
	return pd_print("%s/%s", folder, name);
}

/* A copy of a module under another name; mode as a plugin has it. */
static void copy(const char *module, const char *name, mode_t mode)
{
	pd_auto_free char *from = pd_print("%s/%s.so", modules, module);
	pd_auto_free char *to = in_folder(name);
	pd_auto_error *err = NULL;
	size_t len = 0;
	pd_auto_free char *data = pd_file_read(from, (size_t)64 << 20, &len, &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	CU_ASSERT_FATAL(pd_file_write(to, mode, data, len, &err));
}

static void refused(const char *name, const char *id, const char *part)
{
	struct pd_registry *reg = pd_registry_new();
	struct pd_error *err = NULL;

	CU_ASSERT(pd_registry_add_folder(reg, folder, &err));
	CU_ASSERT_PTR_NULL(pd_registry_find(reg, name, &err));
	said(err, id, part);
	pd_registry_free(reg);
}

static void test_files(void)
{
	pd_auto_free char *text = in_folder("text.so"), *link = in_folder("link.so");
	pd_auto_free char *act = in_folder("act.so"), *fifo = in_folder("fifo.so");
	pd_auto_free char *cut = in_folder("cut.so");

	copy("noentry", "noentry.so", 0644);
	refused("noentry", "plugin-no-entry", "noentry.so exports no pd_plugin_entry");
	copy("undefined", "undefined.so", 0644);
	refused("undefined", "plugin-load", "undefined symbol: pd_function_that_nobody_has");
	copy("wrongabi", "wrongabi.so", 0644);
	refused("wrongabi", "plugin-wrong-abi", "was built for ABI 2.0, this core has 1.2");
	CU_ASSERT(pd_file_write(text, 0644, "not an object\n", 14, NULL));
	refused("text", "plugin-load", "text.so: file too short");
	copy("newer", "cut.so", 0644);
	for (off_t size = 12000; size > 0; size -= 500) { /* the linker would map what is not there */
		CU_ASSERT_EQUAL(truncate(cut, size), 0);
		refused("cut", "plugin-load", size > 1000 ? "cut.so is cut off: it has " : "cut.so");
	}
	CU_ASSERT_EQUAL(unlink(cut), 0);
	copy("newer", "other.so", 0644);
	refused("other", "plugin-bad-descriptor", "plugin 'other': it calls itself 'newer'");
	copy("newer", "newer.so", 0664);
	refused("newer", "plugin-not-trusted", "newer.so may be written by others (mode 0664)");
	copy("act", "act.so", 0644);
	CU_ASSERT_EQUAL(symlink(act, link), 0);
	refused("link", "plugin-not-trusted", "link.so is a symbolic link");
	CU_ASSERT_EQUAL(mkfifo(fifo, 0644), 0);
	refused("fifo", "plugin-not-trusted", "fifo.so is not a regular file");
	if (geteuid() == 0) {
		copy("newer", "newer.so", 0644);
		pd_auto_free char *newer = in_folder("newer.so");
		CU_ASSERT_EQUAL(chown(newer, 12345, 0), 0);
		refused("newer", "plugin-not-trusted", "is owned by user 12345, not by root");
		CU_ASSERT_EQUAL(chown(newer, 0, 0), 0);
	}
	refused("act2", "plugin-unknown", "there is no plugin 'act2' in /");
}

static void folder_refused(const char *path, const char *id, const char *part)
{
	struct pd_registry *reg = pd_registry_new();
	struct pd_error *err = NULL;

	CU_ASSERT_FALSE(pd_registry_add_folder(reg, path, &err));
	said(err, id, part);
	pd_registry_free(reg);
}

static void test_folders(void)
{
	pd_auto_free char *file = in_folder("act.so"), *link = in_folder("folder-link");
	pd_auto_free char *inner = in_folder("inner");

	folder_refused("plugins", "plugin-folder", "plugins is not an absolute path");
	folder_refused("/nonexistent/folder", "plugin-folder", "No such file");
	folder_refused(file, "plugin-not-trusted", "act.so is not a folder");
	CU_ASSERT_EQUAL(symlink(folder, link), 0);
	folder_refused(link, "plugin-not-trusted", "is a symbolic link");
	CU_ASSERT_EQUAL(unlink(link), 0);
	CU_ASSERT_EQUAL(mkdir(inner, 0755), 0);
	CU_ASSERT_EQUAL(chmod(folder, 0777), 0);
	folder_refused(folder, "plugin-not-trusted", "may be written by others (mode 0777)");
	folder_refused(inner, "plugin-not-trusted", "may be written by others");
	CU_ASSERT_EQUAL(chmod(folder, 0755), 0);
	CU_ASSERT_EQUAL(rmdir(inner), 0);
}

static void test_found(void)
{
	struct pd_registry *reg = pd_registry_new();
	struct pd_error *err = NULL;
	const struct pd_plugin *p = NULL, *again;
	const struct pd_step *step;
	const struct pd_strings *shadowed;
	pd_auto(pd_strings) names = {0};
	pd_auto_free char *all = NULL;

	CU_ASSERT(pd_registry_add_folder(reg, folder, &err));
	CU_ASSERT(pd_registry_add_folder(reg, folder, &err));
	CU_ASSERT(pd_registry_add_folder(reg, modules, &err));
	CU_ASSERT(pd_registry_names(reg, &names, &err));
	all = pd_strings_join(&names, " ");
	CU_ASSERT_STRING_EQUAL(all, "act fifo link newer noentry other text undefined wrongabi");
	shadowed = pd_registry_shadowed(reg);
	CU_ASSERT_FATAL(shadowed->len >= 2 && shadowed->len % 2 == 0);
	for (size_t i = 0; i < shadowed->len; i += 2) {
		CU_ASSERT(has(shadowed->items[i], modules) && has(shadowed->items[i + 1], folder));
		CU_ASSERT_STRING_EQUAL(strrchr(shadowed->items[i], '/'), strrchr(shadowed->items[i + 1], '/'));
	}
	CU_ASSERT_PTR_NULL(pd_registry_path(reg, "act"));
	again = pd_registry_find(reg, "act", &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	CU_ASSERT_PTR_EQUAL(again, pd_registry_find(reg, "act", &err));
	CU_ASSERT(has(pd_registry_path(reg, "act"), folder)); /* the first folder won */
	step = pd_registry_step(reg, "act.idle", &p, &err);
	CU_ASSERT(step && strcmp(step->name, "idle") == 0 && p == again);
	CU_ASSERT_PTR_NULL(pd_registry_step(reg, "act.idlle", NULL, &err));
	CU_ASSERT(has(err->remedy, "did you mean 'act.idle'?"));
	said(err, "plugin-step-unknown", "plugin 'act' has no step 'idlle'");
	err = NULL;
	CU_ASSERT_PTR_NULL(pd_registry_step(reg, "atc.idle", NULL, &err));
	CU_ASSERT(has(err->remedy, "did you mean 'act'?"));
	said(err, "plugin-unknown", "there is no plugin 'atc'");
	err = NULL;
	CU_ASSERT_PTR_NULL(pd_registry_step(reg, "act", NULL, &err));
	said(err, "plugin-step-unknown", "has no step ''");
	/* of a later minor, with structs that have grown: accepted, cut to ours */
	err = NULL;
	step = pd_registry_step(reg, "newer.step", NULL, &err);
	CU_ASSERT(step && step->size == sizeof(*step));
	pd_registry_free(reg);
}

/* ------------------------------------------------------------ descriptors */

static int callback(struct pd_ctx *ctx)
{
	return (int)ctx->phase;
}

struct args {
	int64_t a, b;
	bool c;
};

#define ROW(n, ...) { .name = (n), .help = "a row", __VA_ARGS__ }

/* Copy a plugin with one step; expects the refusal, or NULL: none. */
static void describe(struct pd_step step, const char *part)
{
	const struct pd_step *const steps[] = { &step, NULL };
	const struct pd_plugin plugin = { .size = sizeof(plugin), .abi = PD_ABI, .name = "bad",
		.version = "1", .help = "a plugin", .steps = steps };
	struct pd_error *err = NULL;
	struct pd_plugin *p = pd_descriptor_copy(&plugin, "bad", &err);

	if (part) {
		CU_ASSERT_PTR_NULL(p);
		said(err, "plugin-bad-descriptor", part);
	} else if (!p) {
		printf("\n    %s\n", err->message);
		CU_FAIL("it is refused");
	}
	pd_descriptor_free(p);
}

static struct pd_step good(void)
{
	return (struct pd_step){ PD_STEP, .name = "s", .help = "a step", .check = callback,
		.apply = callback, .undo = callback, .reversibility = PD_REVERSIBLE,
		.args_size = sizeof(struct args) };
}

static void with_params(const struct pd_param *params, const char *part)
{
	struct pd_step s = good();

	s.params = params;
	describe(s, part);
}

#define PARAMS(part, ...) \
	with_params((const struct pd_param[]){ __VA_ARGS__, PD_PARAM_END }, (part))

static void test_parameter_rows(void)
{
	static const char *const none[] = { NULL }, *const words[] = { "x", "y", NULL };

	PARAMS(NULL, ROW("a", .type = PD_T_INT), ROW("b", .type = PD_T_SECONDS, .offset = 8,
						     .def = "15m", .min = 1, .max = 900));
	PARAMS("step 's': parameter row 1 ('A'): the name 'A' is not allowed",
	       ROW("A", .type = PD_T_INT));
	PARAMS("parameter row 1 ('a'): it has no help", { .name = "a", .type = PD_T_INT });
	PARAMS("help is not one line", { .name = "a", .type = PD_T_INT, .help = "ends." });
	PARAMS("parameter row 2 ('b'): there is no type 77", ROW("a", .type = PD_T_INT),
	       ROW("b", .type = 77));
	PARAMS("flags 0x80 are unknown", ROW("a", .type = PD_T_INT, .flags = 0x80));
	PARAMS("the engine can't fill it in",
	       ROW("expected_do", .type = PD_T_SECONDS, .flags = PD_P_ENGINE));
	PARAMS("does not fit a number into a struct of 24 bytes",
	       ROW("a", .type = PD_T_INT, .offset = 24));
	PARAMS("at byte 4 does not fit", ROW("a", .type = PD_T_INT, .offset = 4));
	PARAMS("at byte 4294967288 does not fit", ROW("a", .type = PD_T_INT, .offset = 0xfffffff8));
	PARAMS("overlaps the one of 'a'", ROW("a", .type = PD_T_LIST), ROW("b", .type = PD_T_INT, .offset = 8));
	PARAMS("the name 'a' is there twice", ROW("a", .type = PD_T_INT),
	       ROW("a", .type = PD_T_INT, .offset = 8));
	PARAMS("it has no choices", ROW("a", .type = PD_T_CHOICE));
	PARAMS("it has no choices", ROW("a", .type = PD_T_CHOICE, .choices = none));
	PARAMS("a number has no choices", ROW("a", .type = PD_T_INT, .choices = words));
	PARAMS("default 'z' is not allowed: a is 'z', it must be one of: x, y",
	       ROW("a", .type = PD_T_CHOICE, .choices = words, .def = "z"));
	PARAMS("default 'much' is not allowed: a must be a size", ROW("a", .type = PD_T_BYTES, .def = "much"));
	PARAMS("default '9' is not allowed: a is 9, allowed is 1 to 8",
	       ROW("a", .type = PD_T_INT, .def = "9", .min = 1, .max = 8));
	PARAMS("its range is empty: 8 to 1", ROW("a", .type = PD_T_INT, .min = 8, .max = 1));
	PARAMS("a string has no range", ROW("a", .type = PD_T_STRING, .max = 1));
	PARAMS("it is required and has a default",
	       ROW("a", .type = PD_T_INT, .flags = PD_P_REQUIRED, .def = "1"));
	PARAMS("a secret can't have a default", ROW("a", .type = PD_T_SECRET, .def = "x"));
}

static void test_steps(void)
{
	static const struct pd_output bad_type[] = { PD_OUTPUT("o", PD_T_SECRET, "a secret"), PD_OUTPUT_END };
	static const struct pd_output twice[] = { PD_OUTPUT("o", PD_T_INT, "one"),
						  PD_OUTPUT("o", PD_T_INT, "two"), PD_OUTPUT_END };
	struct pd_step s = good();

#define STEP(part, ...) (s = good(), __VA_ARGS__, describe(s, (part)))
	STEP(NULL, s.flags = PD_S_REBOOTS);
	STEP("step number 1 has the size 4, at least 84 is needed", s.size = 4);
	/* an old plugin, from before time_limit was there */
	STEP(NULL, s.size = offsetof(struct pd_step, time_limit));
	STEP("the name 'NULL' is not allowed", s.name = NULL);
	STEP("step 's': it has no help", s.help = "");
	STEP("step 's': it has no check", s.check = NULL);
	STEP("step 's': it has no apply", s.apply = NULL);
	STEP("it is reversible and has no undo", s.undo = NULL);
	STEP("it has an undo and does not say", s.reversibility = PD_READONLY);
	STEP("its reversibility 0 is unknown", s.reversibility = 0);
	STEP("its flags 0x100 are unknown", s.flags = 0x100);
	STEP("a guard looks and does nothing else", s.flags = PD_S_GUARD);
	STEP("it is held, and has no undo", s.flags = PD_S_HOLD, s.reversibility = PD_IRREVERSIBLE, s.undo = NULL);
	STEP("output row 1 ('o'): an output can't be of type 9 (secret)", s.outputs = bad_type);
	STEP("output row 2 ('o'): the name 'o' is there twice", s.outputs = twice);
	s = good();
	s.size = offsetof(struct pd_step, time_limit);
	s.time_limit = 99; /* lies beyond its size: taken as zero */
	const struct pd_step *const steps[] = { &s, NULL };
	const struct pd_plugin plugin = { .size = sizeof(plugin), .abi = PD_ABI + 7, .name = "old",
		.version = "1", .help = "a plugin", .steps = steps };
	struct pd_plugin *p = pd_descriptor_copy(&plugin, "old", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->steps[0]->time_limit, 0);
	CU_ASSERT(p->readers && !p->readers[0]);
	pd_descriptor_free(p);
}

static void refuses(struct pd_plugin plugin, const char *part)
{
	struct pd_error *err = NULL;

	plugin.size = sizeof(plugin);
	plugin.abi = PD_ABI;
	plugin.name = "bad";
	plugin.help = plugin.help ? plugin.help : "a plugin";
	CU_ASSERT_PTR_NULL(pd_descriptor_copy(&plugin, "bad", &err));
	said(err, "plugin-bad-descriptor", part);
}

static void test_others(void)
{
	static const char *const kinds[] = { "no kind", NULL };
	static const struct pd_step step = { PD_STEP, .name = "s", .help = "a step", .check = callback,
					     .reversibility = PD_READONLY };
	static const struct pd_step *const twice[] = { &step, &step, NULL };
	static const struct pd_reader blind = { PD_READER, .name = "r", .help = "a reader", .read = callback };
	static const struct pd_reader *const readers[] = { &blind, NULL };
	static const struct pd_scanner odd = { PD_SCANNER, .name = "x", .help = "a scanner",
					       .kinds = kinds, .scan = callback };
	static const struct pd_scanner *const scanners[] = { &odd, NULL };
	static const struct pd_transport half = { PD_TRANSPORT, .name = "t", .help = "a transport" };
	static const struct pd_transport *const transports[] = { &half, NULL };
	static const struct pd_filter deaf = { PD_FILTER, .name = "f", .help = "a filter",
					       .unpack = callback };
	static const struct pd_filter *const filters[] = { &deaf, NULL };

	refuses((struct pd_plugin){ .version = "" }, "plugin 'bad': it has no version");
	refuses((struct pd_plugin){ .version = "1", .help = "a\nb" }, "help is not one line");
	refuses((struct pd_plugin){ .version = "1", .steps = twice }, "the name 's' is there twice");
	refuses((struct pd_plugin){ .version = "1", .readers = readers },
		"reader 'r': it has no recognize");
	refuses((struct pd_plugin){ .version = "1", .scanners = scanners },
		"scanner 'x': 'no kind' can't be a kind of fact");
	refuses((struct pd_plugin){ .version = "1", .transports = transports },
		"transport 't': a callback is missing");
	refuses((struct pd_plugin){ .version = "1", .filters = filters },
		"filter 'f': a callback is missing");
}

/* -------------------------------------------------------------- arguments */

static const char *const modes[] = { "fast", "careful", NULL };
static const struct pd_param rows[] = {
	ROW("n", .type = PD_T_INT, .min = 1, .max = 9), ROW("flag", .type = PD_T_BOOL, .def = "no"),
	ROW("size", .type = PD_T_BYTES, .def = "1k"), ROW("wait", .type = PD_T_SECONDS),
	ROW("to", .type = PD_T_PATH, .flags = PD_P_REQUIRED), ROW("mode", .type = PD_T_CHOICE, .choices = modes),
	ROW("units", .type = PD_T_LIST), ROW("key", .type = PD_T_SECRET),
	ROW("text", .type = PD_T_STRING), ROW("updates", .type = PD_T_UPDATES), PD_PARAM_END
};
static const struct pd_step step = { PD_STEP, .name = "s", .params = rows };

static void given(const char *json, const char *id, const char *want)
{
	pd_auto_json *args = json_loads(json, 0, NULL);
	struct pd_error *err = NULL;
	pd_auto_json *checked = pd_arguments_check(&step, "p.s", args, &err);
	pd_auto_free char *line = checked ? pd_json_line(checked) : NULL;

	CU_ASSERT_PTR_NOT_NULL(args);
	if (id) {
		CU_ASSERT_PTR_NULL(checked);
		said(err, id, want);
	} else {
		CU_ASSERT(checked && strcmp(line, want) == 0);
		if (!checked || strcmp(line, want) != 0)
			printf("\n    %s\n", line ? line : err->message);
	}
}

static void test_arguments(void)
{
	char path[5000];

	given("{\"to\":\"/a\"}", NULL, "{\"flag\":false,\"size\":1024,\"to\":\"/a\"}");
	given("{\"to\":\"/a\",\"n\":2.0,\"size\":\"20 MiB\",\"wait\":\"1h30m\",\"units\":\"x\",\"mode\":\"fast\",\"flag\":true}", NULL,
	      "{\"flag\":true,\"mode\":\"fast\",\"n\":2,\"size\":20971520,\"to\":\"/a\",\"units\":[\"x\"],\"wait\":5400}");
	given("{\"to\":{\"$ref\":\"x\",\"out\":\"y\"},\"n\":{\"$unknown\":\"why\"}}", NULL,
	      "{\"flag\":false,\"n\":{\"$unknown\":\"why\"},\"size\":1024,\"to\":{\"$ref\":\"x\",\"out\":\"y\"}}");
	given("{}", "argument-missing", "p.s needs 'to' (a row)");
	given("{\"to\":\"/a\",\"unit\":1}", "argument-unknown", "p.s has no parameter 'unit'");
	given("{\"to\":\"a\"}", "argument-type", "p.s: to must be an absolute path without \"..\"");
	snprintf(path, sizeof(path), "{\"to\":\"/%04095d\"}", 0);
	given(path, "argument-type", "p.s: to must be a path of at most 4095 bytes");
	given("{\"to\":\"/a/../b\"}", "argument-type", "to must be an absolute path");
	given("{\"to\":\"/a\",\"n\":10}", "argument-range", "n is 10, allowed is 1 to 9");
	given("{\"to\":\"/a\",\"n\":2.5}", "argument-type", "n must be a whole number");
	given("{\"to\":\"/a\",\"n\":1e300}", "argument-type", "n must be a whole number");
	given("{\"to\":\"/a\",\"n\":\"2\"}", "argument-type", "n must be a whole number");
	given("{\"to\":\"/a\",\"size\":-1}", "argument-type", "size must be zero or more");
	given("{\"to\":\"/a\",\"wait\":\"soon\"}", "argument-type", "wait must be a duration");
	given("{\"to\":\"/a\",\"flag\":1}", "argument-type", "flag must be true or false");
	given("{\"to\":\"/a\",\"mode\":\"carefxl\"}", "argument-choice", "one of: fast, careful");
	given("{\"to\":\"/a\",\"units\":[1]}", "argument-type", "units must be a list of texts");
	given("{\"to\":\"/a\",\"key\":\"plain\"}", "argument-type", "key must be a secret");
	given("{\"to\":\"/a\",\"key\":{\"$secret\":{\"file\":\"relative\"}}}", "secret-source", "a secret is given by");
	given("{\"to\":\"/a\",\"updates\":{\"$updates\":[{\"title\":\"x\"}]}}", "argument-type", "updates with an id");
}

/* A text of the command line comes out as this JSON, or is refused. */
static void parsed(const char *name, const char *text, const char *want)
{
	const struct pd_param *p = pd_step_param(&step, name);
	pd_auto_error *err = NULL;
	pd_auto_json *value = pd_argument_parse(p, text, &err);
	pd_auto_free char *line = value ? pd_json_line(value) : pd_strdup(err->message);

	if (strcmp(line, want) != 0)
		printf("\n    %s\n", line);
	CU_ASSERT_STRING_EQUAL(line, want);
}

static void test_parse(void)
{
	parsed("n", "7", "7");
	parsed("n", "7x", "n must be a whole number");
	parsed("flag", "yes", "true");
	parsed("flag", "maybe", "flag must be true or false");
	parsed("size", "2G", "2147483648");
	parsed("wait", "1d", "86400");
	parsed("units", "", "[]");
	parsed("units", "a,b", "[\"a\",\"b\"]");
	parsed("text", "42", "\"42\"");
	parsed("text", "\xff", "text must be valid UTF-8");
	parsed("key", "file:/etc/key", "{\"$secret\":{\"file\":\"/etc/key\"}}");
	CU_ASSERT(pd_type_fits(PD_T_PATH, PD_T_STRING) && !pd_type_fits(PD_T_STRING, PD_T_PATH));
	CU_ASSERT(pd_type_fits(PD_T_INT, PD_T_BYTES) && !pd_type_fits(PD_T_BOOL, PD_T_INT));
}

static void fetched(const char *json, const char *want, const char *id)
{
	pd_auto_json *source = json_loads(json, 0, NULL);
	struct pd_error *err = NULL;
	char *value = pd_secret_fetch(source, &err);

	if (id) {
		CU_ASSERT_PTR_NULL(value);
		said(err, id, want);
	} else {
		CU_ASSERT(value && strcmp(value, want) == 0);
		pd_error_free(err);
	}
	pd_secret_free(value);
}

static void test_secrets(void)
{
	pd_auto_free char *path = in_folder("key"), *link = in_folder("key-link");
	pd_auto_free char *json = pd_print("{\"file\":\"%s\"}", path);
	pd_auto_free char *by_link = pd_print("{\"file\":\"%s\"}", link);

	setenv("PD_TEST_KEY", "from-variable", 1);
	fetched("{\"env\":\"PD_TEST_KEY\"}", "from-variable", NULL);
	fetched("{\"env\":\"PD_TEST_NO_KEY\"}", "PD_TEST_NO_KEY is not set", "secret-missing");
	setenv("PD_TEST_KEY", "abc", 1);
	fetched("{\"env\":\"PD_TEST_KEY\"}", "fewer than 4 characters", "secret-too-short");
	fetched("{\"env\":\"A\",\"file\":\"/b\"}", "a secret is given by", "secret-source");
	fetched(json, "No such file", "secret-missing");
	CU_ASSERT(pd_file_write(path, 0600, "from-file\n", 10, NULL));
	fetched(json, "from-file", NULL);
	CU_ASSERT_EQUAL(chmod(path, 0640), 0);
	fetched(json, "can be used by others (mode 0640)", "secret-not-private");
	CU_ASSERT_EQUAL(chmod(path, 0600), 0);
	CU_ASSERT_EQUAL(symlink(path, link), 0);
	fetched(by_link, "is not a regular file", "secret-not-private");
	fetched("{\"credential\":\"key\"}", "there are no systemd credentials", "secret-missing");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	fetched("{\"credential\":\"key\"}", "from-file", NULL);
	fetched("{\"credential\":\"../key\"}", "a secret is given by", "secret-source");
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* ------------------------------------------------------------------------ */

/* Nothing below makes sense without it. */
static void set_up(void)
{
	const char *build = getenv("PD_BUILDDIR");
	pd_auto_free char *path = pd_print("%s/tests/modules/.libs", build ? build : ".");
	char name[] = "/tmp/pd-test-plugin-XXXXXX";

	modules = realpath(path, NULL);
	folder = pd_strdup(mkdtemp(name));
	if (modules && folder && chmod(folder, 0755) == 0)
		return;
	printf("cannot start: there is no %s\n", path);
	exit(1);
}

static void tear_down(void)
{
	static const char *const files[] = { "noentry.so", "undefined.so", "wrongabi.so", "text.so",
		"other.so", "newer.so", "act.so", "link.so", "fifo.so", "key", "key-link" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		pd_auto_free char *path = in_folder(files[i]);

		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(folder), 0);
	free(folder);
	free(modules);
}

static CU_TestInfo tests[] = {
	{ "set up", set_up },
	{ "files that are refused", test_files },
	{ "folders that are refused", test_folders },
	{ "what is found", test_found },
	{ "rows of parameters", test_parameter_rows },
	{ "steps", test_steps },
	{ "plugins, readers, scanners, transports", test_others },
	{ "arguments", test_arguments },
	{ "texts of the command line", test_parse },
	{ "secrets", test_secrets },
	{ "tear down", tear_down },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("plugin", tests);
