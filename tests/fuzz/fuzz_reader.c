/* SPDX-License-Identifier: MIT */
/* Any bytes as a catalog of some reader: through the plugin's reader in this
 * process, the worker's frames and the builder, then judged: by libFuzzer with
 * one reader, or without it all readers that have a corpus, with what is in it.
 * A filter's bytes are unpacked, and that is all.
 * See tests/fuzz/README.md. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "catalog/model.h"
#include "plugin/child.h"
#include "plugin/wire.h"
#include "xml/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pd_reader *reader; /* that is tried; NULL: */
static const struct pd_filter *filter;

enum { UNPACKED_MAX = 16 << 20 };

static const char facts_text[] =
	"{\"os\":{\"id\":\"debian\",\"version_id\":\"12\",\"family\":\"debian\"},\"devices\":[],"
	"\"disks\":[{\"mount\":\"/\",\"readonly\":false,\"free_bytes\":5000}],\"packages\":["
	"{\"name\":\"foo\",\"version\":\"1.0-1\",\"arch\":\"amd64\",\"scheme\":\"deb\"},"
	"{\"name\":\"foo\",\"version\":\"1:1.0~a\",\"arch\":\"i386\",\"scheme\":\"deb\"},"
	"{\"name\":\"kernel\",\"version\":\"5.1-1\",\"arch\":\"x86_64\",\"scheme\":\"rpm\"}]}";

/* What was accepted has to be judged and frozen without a fault. */
static void judge(struct pd_catalog *c)
{
	struct pd_facts facts = { .json = json_loads(facts_text, 0, NULL) };
	struct pd_catalogs list = { .items = &c, .len = 1 };
	pd_auto(pd_verdicts) verdicts = {0};

	if (!pd_catalogs_judge(&list, &facts, &verdicts, NULL))
		abort();
	for (size_t i = 0; i < verdicts.len; i++) {
		pd_auto_json *j = pd_verdict_json(&verdicts.rows[i]);

		if (!j || !verdicts.rows[i].reason)
			abort();
	}
	pd_facts_clear(&facts);
}

/* What the parent does with it, without the two processes in between. */
struct in_one {
	struct pd_child child; /* first, so that a ctx leads back to here */
	struct pd_builder builder;
};

static int emit(struct pd_ctx *ctx, int what, const void *row)
{
	struct in_one *one = (struct in_one *)(void *)ctx;
	struct pd_emitted e = { .what = what, .line = pd_xml_row(), .column = 1 };
	pd_auto(pd_buffer) bytes = {0};
	struct pd_frame f;

	pd_buffer_text(&bytes, "");
	pd_part_put(&bytes, what, row);
	f = (struct pd_frame){ .at = bytes.data, .end = bytes.data + bytes.len };
	if (!pd_part_get(&f, what, &e.part) || f.at != f.end)
		abort();
	return pd_builder_emit(&one->builder, &e) ? 0 : PD_FAILED;
}

/* What a server of which only one package is known asks about. */
static bool asked(const void *whom, const char *name)
{
	(void)whom;
	return strcmp(name, "foo") == 0;
}

/* ------------------------------------------------ what apt and dpkg would say */

/* A reader of the server itself asks commands: the input is what each of them prints,
 * with a line "%%" between, and two files; "@" is the folder with the files. */
static const char *const said[] = { "dpkg", "apt-get", "dpkg-query", "apt-cache",
				    "/usr/lib/apt/methods/gpgv", "l_Packages", "l_InRelease" };
enum { COMMANDS = 5, SAID = sizeof(said) / sizeof(*said), COMMAND_MAX = 1 << 16 };
static const uint8_t *input;
static size_t input_len;

/* Part @k of the input, to be freed. */
static char *part_of(size_t k, const char *folder)
{
	const uint8_t *at = input, *end = input + input_len, *next;
	pd_auto(pd_buffer) text = {0};

	for (; k && at; k--)
		at = (next = memmem(at, (size_t)(end - at), "\n%%\n", 4)) ? next + 4 : NULL;
	next = at ? memmem(at, (size_t)(end - at), "\n%%\n", 4) : NULL;
	pd_buffer_text(&text, "");
	for (end = next ? next + 1 : end; at && at < end && text.len < COMMAND_MAX; at++)
		if (*at == '@' && folder)
			pd_buffer_text(&text, folder);
		else if (*at)
			pd_buffer_add(&text, at, 1);
	return pd_strdup(text.data);
}

static const char *server_folder(void)
{
	static char folder[] = "/tmp/pd-fuzz-XXXXXX";
	static bool made;

	if (!made && !mkdtemp(folder))
		abort();
	made = true;
	return folder;
}

static void write_files(void)
{
	for (size_t k = COMMANDS; k < SAID; k++) {
		pd_auto_free char *path = pd_print("%s/%s", server_folder(), said[k]);
		pd_auto_free char *text = part_of(k, NULL);
		pd_auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0 || !pd_write_all(fd, text, strlen(text)))
			abort();
	}
}

static int say(struct pd_ctx *ctx, const struct pd_command *command, struct pd_command_result *out)
{
	struct pd_child *c = (struct pd_child *)(void *)ctx;
	char *text;

	for (size_t k = 0; k < COMMANDS; k++)
		if (strcmp(command->argv[0], said[k]) == 0) {
			text = pd_child_keep(c, part_of(k, server_folder()));
			*out = (struct pd_command_result){ .out = text, .out_len = strlen(text), .err = "" };
			return 0;
		}
	return pd_child_report(c, "there is no %s", command->argv[0]);
}

/* The reader or filter "plugin.name", or the first one of a plugin. */
static void pick(const struct pd_plugin *p, const char *name)
{
	const char *dot = strchr(name, '.');

	reader = NULL;
	filter = NULL;
	for (const struct pd_reader *const *r = p->readers; r && *r && !reader; r++)
		if ((dot || !((*r)->flags & PD_R_SERVER)) && (!dot || strcmp((*r)->name, dot + 1) == 0))
			reader = *r;
	for (const struct pd_filter *const *f = p->filters; f && *f && !filter; f++)
		if (!dot || strcmp((*f)->name, dot + 1) == 0)
			filter = *f;
	if (!reader && !filter) {
		fprintf(stderr, "there is no reader and no filter %s\n", name);
		abort();
	}
}

/* Nobody listens. */
static void no_log(struct pd_ctx *ctx, int level, const char *fmt, va_list ap)
{
	(void)ctx, (void)level, (void)fmt, (void)ap;
}

static void no_progress(struct pd_ctx *ctx, int64_t done, int64_t total, const char *text)
{
	(void)ctx, (void)done, (void)total, (void)text;
}

static int unpacked(struct pd_ctx *ctx, const void *data, size_t len)
{
	struct pd_child *c = (struct pd_child *)(void *)ctx;

	(void)data;
	c->unpacked += (int64_t)len;
	return c->unpacked < UNPACKED_MAX ? 0 : pd_child_report(c, "it is too much");
}

static int run(struct in_one *one, const uint8_t *data, size_t size)
{
	size_t head = size < 4096 ? size : 4096;

	if (reader && !reader->recognize) {
		input = data;
		input_len = size;
		write_files();
		return reader->read(&one->child.ctx);
	}
	if (reader) {
		reader->recognize(data, head);
		return reader->read(&one->child.ctx);
	}
	filter->recognize(data, head);
	return filter->unpack(&one->child.ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("catalog", MFD_CLOEXEC);
	struct pd_error *err = NULL;
	struct pd_host host = pd_host_table;
	struct pd_worker_call call = { .phase = PD_PHASE_READ, .source_name = "input.xml",
				       .source_fd = fd, .wanted = size % 2 ? asked : NULL };
	struct in_one one = {
		.child = { .ctx = { .size = sizeof(one.child.ctx), .phase = PD_PHASE_READ,
				    .host = &host },
			   .call = &call, .source = fd },
		.builder = { .catalog = pd_catalog_new("input.xml", "fuzz"), .err = &err } };
	int result;

	if (fd < 0 || !pd_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		abort();
#ifdef PD_LIBFUZZER
	pick(pd_plugin_entry(), PD_LIBFUZZER);
#endif
	one.builder.strict = reader && reader->flags & PD_R_STRICT;
	one.builder.revisions = reader && reader->flags & PD_R_REVISIONS;
	call.phase = one.child.ctx.phase = reader ? PD_PHASE_READ : PD_PHASE_UNPACK;
	host.emit = emit;
	host.unpacked = unpacked;
	host.run = say;
	host.log = no_log;
	host.progress = no_progress;
	result = run(&one, data, size);
	if (!pd_builder_end(&one.builder, result >= 0) && !err)
		abort();
	/* refused means: with a message, at a place or for another reason */
	if (one.child.bug || (result < 0 && !err && !one.child.failed && !one.child.reported) ||
	    (err && !*err->message))
		abort();
	if (result >= 0 && !err)
		judge(one.builder.catalog);
	pd_error_free(err);
	pd_catalog_free(one.builder.catalog);
	for (size_t i = 0; i < one.child.len; i++)
		free(one.child.arena[i]);
	free(one.child.arena);
	free(one.child.failed);
	free(one.child.reported);
	pd_buffer_clear(&one.child.out);
	close(fd);
	return 0;
}

#ifndef PD_LIBFUZZER
/* Further inputs of a reader, beside tests/fuzz/corpus/NAME. */
static const struct { const char *name, *folder; } more[] = {
	{ "native", "tests/data/catalogs/bad" }, { "native", "tests/data/catalogs/good" },
	{ "native", "catalogs/examples" }, { "sdp", "tests/data/sdp" },
	{ "mssecure", "tests/data/mssecure" }, { "cvrf", "tests/data/cvrf" },
	{ "wsus", "tests/data/wsus" }, { "dell", "tests/data/dell" },
	{ "lvfs", "tests/data/lvfs" }, { "lenovo.package", "tests/data/lenovo" },
	{ "lenovo.products", "tests/data/lenovo" },
};

static int visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static size_t folder(const char *source, const char *name)
{
	pd_auto_free char *path = pd_print("%s/%s", source, name);
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, visible, alphasort);

	for (int i = 0; i < n; i++) {
		pd_auto_free char *file = pd_print("%s/%s", path, entries[i]->d_name);
		size_t len = 0;
		pd_auto_free char *data = pd_file_read(file, (size_t)16 << 20, &len, NULL);

		printf("%s\n", file); /* the last one is what it does not survive */
		fflush(stdout);
		if (!data)
			abort();
		LLVMFuzzerTestOneInput((const uint8_t *)data, len);
		free(entries[i]);
	}
	free(entries);
	return n < 0 ? 0 : (size_t)n;
}

static const struct pd_plugin *load(const char *name)
{
	const char *build = getenv("PD_BUILDDIR");
	int len = (int)strcspn(name, ".");
	pd_auto_free char *path = pd_print("%s/plugins/%.*s/.libs/%.*s.so", build ? build : ".",
					   len, name, len, name);
	void *object = dlopen(path, RTLD_NOW);
	pd_plugin_entry_fn *entry = NULL;

	if (object)
		*(void **)&entry = dlsym(object, "pd_plugin_entry");
	if (!entry)
		fprintf(stderr, "%s\n", dlerror());
	return entry ? entry() : NULL;
}

static void remove_files(void)
{
	for (size_t k = COMMANDS; k < SAID; k++) {
		pd_auto_free char *path = pd_print("%s/%s", server_folder(), said[k]);

		unlink(path);
	}
	rmdir(server_folder());
}

/* Every folder of the corpus is named for its reader. */
int main(void)
{
	const char *source = getenv("PD_SRCDIR") ? getenv("PD_SRCDIR") : ".";
	pd_auto_free char *corpora = pd_print("%s/tests/fuzz/corpus", source);
	struct dirent **entries = NULL;
	int n = scandir(corpora, &entries, visible, alphasort), empty = 0;

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		pd_auto_free char *corpus = pd_print("tests/fuzz/corpus/%s", name);
		const struct pd_plugin *plugin = load(name);
		size_t inputs = 0;

		if (!plugin)
			return 1;
		pick(plugin, name);
		inputs = folder(source, corpus);
		for (size_t k = 0; k < sizeof(more) / sizeof(*more); k++)
			if (strcmp(more[k].name, name) == 0)
				inputs += folder(source, more[k].folder);
		printf("%s: %zu inputs\n", name, inputs);
		empty += !inputs;
		free(entries[i]);
	}
	free(entries);
	remove_files();
	return n > 0 && !empty ? 0 : 1;
}
#endif
