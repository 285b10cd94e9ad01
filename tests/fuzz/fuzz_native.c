/* SPDX-License-Identifier: MIT */
/* Any bytes as a native catalog: through the plugin's reader in this process,
 * the worker's frames and the builder, then judged: by libFuzzer, or without
 * it the corpus and the test data one by one. */
#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "catalog/model.h"
#include "plugin/child.h"
#include "plugin/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	struct pd_emitted e = { .what = what, .line = one->child.line, .column = 1 };
	pd_auto(pd_buffer) bytes = {0};
	struct pd_frame f;

	pd_buffer_text(&bytes, "");
	pd_part_put(&bytes, what, row);
	f = (struct pd_frame){ .at = bytes.data, .end = bytes.data + bytes.len };
	if (!pd_part_get(&f, what, &e.part) || f.at != f.end)
		abort();
	return pd_builder_emit(&one->builder, &e) ? 0 : PD_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pd_reader *reader = pd_plugin_entry()->readers[0];
	int fd = memfd_create("catalog", MFD_CLOEXEC);
	struct pd_error *err = NULL;
	struct pd_host host = pd_host_table;
	struct pd_strings secrets = {0};
	struct pd_worker_call call = { .phase = PD_PHASE_READ, .source_name = "input.xml",
				       .source_fd = fd };
	struct in_one one = {
		.child = { .ctx = { .size = sizeof(one.child.ctx), .phase = PD_PHASE_READ,
				    .host = &host },
			   .call = &call, .secrets = &secrets, .source = fd },
		.builder = { .catalog = pd_catalog_new("input.xml", "native"), .strict = true,
			     .err = &err } };
	int result;

	if (fd < 0 || !pd_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		abort();
	host.emit = emit;
	reader->recognize(data, size < 4096 ? size : 4096);
	result = reader->read(&one.child.ctx);
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
static size_t folder(const char *source, const char *name)
{
	pd_auto_free char *path = pd_print("%s/%s", source, name);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		pd_auto_free char *file = pd_print("%s/%s", path, entry->d_name);
		pd_auto_free char *data = NULL;
		size_t len = 0;

		if (*entry->d_name == '.')
			continue;
		data = pd_file_read(file, (size_t)16 << 20, &len, NULL);
		if (!data)
			return 0;
		LLVMFuzzerTestOneInput((const uint8_t *)data, len);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

int main(void)
{
	const char *source = getenv("PD_SRCDIR");
	size_t corpus = folder(source ? source : ".", "tests/fuzz/corpus/native");
	size_t good = folder(source ? source : ".", "tests/data/catalogs/good");
	size_t bad = folder(source ? source : ".", "tests/data/catalogs/bad");

	printf("%zu inputs of the corpus, %zu good and %zu bad ones\n", corpus, good, bad);
	return corpus && good && bad ? 0 : 1;
}
#endif
