/* SPDX-License-Identifier: MIT */
/* Any bytes as a native catalog, read and judged: by libFuzzer, or without it
 * the corpus and the test data one by one. */
#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "catalog/model.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pd_catalog *c = pd_catalog_new("input.xml", "native");
	struct pd_builder b = { .catalog = c };
	int fd = memfd_create("catalog", MFD_CLOEXEC);
	pd_auto_error *err = NULL;
	bool fine;

	if (fd < 0 || !pd_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		abort();
	fine = pd_native_read(fd, &b, &err);
	fine = pd_builder_end(&b, fine ? &err : NULL) && fine;
	/* refused means: with a message */
	if (fine == (err != NULL) || (err && !*err->message))
		abort();
	if (fine)
		judge(c);
	pd_catalog_free(c);
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
