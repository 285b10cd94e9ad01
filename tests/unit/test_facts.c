/* SPDX-License-Identifier: MIT */
/* Facts: rows checked against their kinds, files, the index of packages. */
#include <unistd.h>

#include "base/text.h"
#include "facts/facts.h"
#include "unit.h"

static bool add(struct pd_facts *f, const char *kind, const char *row, char **why)
{
	pd_auto_json *json = json_loads(row, JSON_DECODE_ANY, NULL);
	pd_auto_error *err = NULL;
	bool fine = pd_facts_add(f, kind, json, &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	CU_ASSERT_EQUAL(fine, err == NULL);
	if (why)
		*why = err ? pd_error_text(err) : NULL;
	return fine;
}

static void checks_rows(void)
{
	static const struct { const char *kind, *row, *why; } bad[] = {
		{ "package", "{}", "or shares; is \"packages\" meant?" },
		{ "frobs", "{}", "there are no facts of kind frobs; expected addresses, boot, " },
		{ "packages", "{\"name\":\"a\",\"versions\":\"1\"}",
		  "facts of kind packages have no field versions; expected name, " },
		{ "packages", "{\"name\":\"a\",\"held\":1}",
		  "packages.held has to be true or false" },
		{ "packages", "{\"version\":\"1\"}", "a row of packages lacks \"name\"" },
		{ "packages", "[]", "a row of packages has to be an object" },
		{ "boot", "{\"started\":\"now\"}", "boot.started has to be a whole number" },
		{ "os", "{\"id\":null}", "os.id has to be a text" },
		{ "x-rack", "{\"a\":[1]}", "x-rack.a has to be a text, a number" },
	};
	pd_auto(pd_facts) f = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		pd_auto_free char *why = NULL;

		CU_ASSERT_FALSE(add(&f, bad[i].kind, bad[i].row, &why));
		CU_ASSERT_PTR_NOT_NULL_FATAL(why);
		if (strncmp(why, bad[i].why, strlen(bad[i].why)) != 0 &&
		    !strstr(why, bad[i].why))
			printf("\n  %s\n", why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
	}
	CU_ASSERT_PTR_NULL(f.json);
	CU_ASSERT(add(&f, "x-rack", "{\"place\":\"A 4\",\"units\":2,\"cold\":true}", NULL));
	CU_ASSERT(add(&f, "os", "{\"id\":\"debian\"}", NULL));
	CU_ASSERT(add(&f, "os", "{\"arch\":\"amd64\"}", NULL));
	CU_ASSERT_STRING_EQUAL(pd_json_text(json_object_get(f.json, "os"), "id", ""), "debian");
	CU_ASSERT_STRING_EQUAL(pd_json_text(json_object_get(f.json, "os"), "arch", ""), "amd64");
}

static void lists_kinds(void)
{
	size_t n = 0;
	const struct pd_fact_kind *kinds = pd_fact_kinds(&n);

	CU_ASSERT_EQUAL(n, 19);
	for (size_t i = 0; i < n; i++) {
		bool key = !kinds[i].key;

		CU_ASSERT_PTR_EQUAL(pd_fact_kind(kinds[i].name), &kinds[i]);
		CU_ASSERT(!i || strcmp(kinds[i - 1].name, kinds[i].name) < 0);
		for (const struct pd_fact_column *c = kinds[i].columns; c->key; c++)
			key = key || strcmp(c->key, kinds[i].key) == 0;
		CU_ASSERT(key);
	}
	CU_ASSERT_PTR_NULL(pd_fact_kind("frobs"));
}

/* "KIND KEY CHANGE FIELD BEFORE AFTER" of each, on a line. */
static char *lines_of(json_t *differences)
{
	static const char *const names[] = { "kind", "key", "change", "field", "before",
					     "after" };
	pd_auto(pd_buffer) out = {0};
	json_t *d;
	size_t i;

	json_array_foreach(differences, i, d) {
		CU_ASSERT(json_is_object(json_object_get(d, "row")));
		for (size_t k = 0; k < 6; k++)
			if (json_object_get(d, names[k]))
				pd_buffer_print(&out, "%s%s", k ? " " : "",
						pd_json_text(d, names[k], "?"));
		pd_buffer_text(&out, "\n");
	}
	return pd_buffer_take(&out);
}

static void compares(void)
{
	static const struct { int side; const char *kind, *row; } rows[] = {
		{ 3, "packages", "{\"name\":\"same\",\"version\":\"1\",\"arch\":\"all\"}" },
		{ 1, "packages", "{\"name\":\"up\",\"version\":\"1\",\"arch\":\"all\",\"source_version\":\"1\"}" },
		{ 2, "packages", "{\"name\":\"up\",\"version\":\"2\",\"arch\":\"all\",\"source_version\":\"2\"}" },
		{ 1, "packages", "{\"name\":\"gone\",\"version\":\"1\"}" },
		{ 2, "packages", "{\"name\":\"new\",\"version\":\"1\",\"arch\":\"i386\"}" },
		/* of two versions of one name, the one that both have has not changed */
		{ 1, "packages", "{\"name\":\"kernel\",\"version\":\"1\"}" },
		{ 3, "packages", "{\"name\":\"kernel\",\"version\":\"2\"}" },
		{ 2, "packages", "{\"name\":\"kernel\",\"version\":\"3\"}" },
		/* what changes by itself is no difference */
		{ 1, "services", "{\"name\":\"a.service\",\"state\":\"active\",\"sub_state\":\"running\"}" },
		{ 2, "services", "{\"name\":\"a.service\",\"state\":\"active\",\"sub_state\":\"exited\"}" },
		{ 1, "listeners", "{\"protocol\":\"tcp\",\"address\":\"::\",\"port\":80,\"program\":\"x\"}" },
		{ 2, "listeners", "{\"protocol\":\"tcp\",\"address\":\"::\",\"port\":80}" },
		{ 2, "listeners", "{\"protocol\":\"tcp\",\"address\":\"::\",\"port\":81}" },
		/* a log only grows */
		{ 1, "errors", "{\"unit\":\"u\",\"message\":\"old\",\"count\":1}" },
		{ 2, "errors", "{\"unit\":\"u\",\"message\":\"new\",\"count\":1}" },
		/* kinds that one side lacks, and kinds that are not compared */
		{ 1, "printers", "{\"name\":\"p\"}" },
		{ 2, "disks", "{\"mount\":\"/x\"}" },
	};
	pd_auto(pd_facts) before = {0}, after = {0};
	pd_auto_json *differences = NULL, *none = NULL;
	pd_auto_free char *lines = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT(!(rows[i].side & 1) || add(&before, rows[i].kind, rows[i].row, NULL));
		CU_ASSERT(!(rows[i].side & 2) || add(&after, rows[i].kind, rows[i].row, NULL));
	}
	json_object_set_new(before.json, "disks", json_array());
	differences = pd_facts_diff(&before, &after);
	lines = lines_of(differences);
	CU_ASSERT_STRING_EQUAL(lines, "errors u new added\n"
		"listeners tcp :: 80 changed program x\n"
		"listeners tcp :: 81 added\n"
		"packages gone removed\n"
		"packages kernel changed version 1 3\n"
		"packages new i386 added\n"
		"packages up all changed version 1 2\n");
	none = pd_facts_diff(&after, &after);
	CU_ASSERT_EQUAL(json_array_size(none), 0);
}

static void indexes_packages(void)
{
	pd_auto(pd_facts) f = {0};
	const struct pd_installed *p = NULL;
	size_t n;

	for (unsigned i = 0; i < 1000; i++) {
		pd_auto_free char *row = pd_print("{\"name\":\"p%u\",\"version\":\"%u\","
			"\"arch\":\"amd64\",\"scheme\":\"deb\"}", i, i);

		CU_ASSERT(add(&f, "packages", row, NULL));
	}
	CU_ASSERT(add(&f, "packages", "{\"name\":\"p7\",\"version\":\"8\",\"arch\":\"i386\","
		      "\"scheme\":\"deb\",\"held\":true}", NULL));
	CU_ASSERT(add(&f, "packages", "{\"name\":\"gone\",\"version\":\"1\","
		      "\"status\":\"config-files\"}", NULL));
	CU_ASSERT(add(&f, "packages", "{\"name\":\"half\",\"version\":\"1\","
		      "\"scheme\":\"rpm\",\"status\":\"half-configured\"}", NULL));
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%u", i);
		n = pd_facts_packages(&f, name, &p);
		CU_ASSERT_EQUAL(n, i == 7 ? 2 : 1);
		CU_ASSERT_EQUAL(strtoul(p->version, NULL, 10), i);
	}
	CU_ASSERT_EQUAL(pd_facts_packages(&f, "p7", &p), 2);
	CU_ASSERT(p[1].held && strcmp(p[1].arch, "i386") == 0);
	CU_ASSERT_EQUAL(pd_facts_packages(&f, "gone", &p), 0);
	CU_ASSERT_EQUAL(pd_facts_packages(&f, "nothing", &p), 0);
	CU_ASSERT_EQUAL(pd_facts_packages(&f, "half", &p), 1);
	CU_ASSERT_EQUAL(p->scheme, PD_SCHEME_RPM);
	/* a row that comes later is seen */
	CU_ASSERT(add(&f, "packages", "{\"name\":\"late\",\"version\":\"1\"}", NULL));
	CU_ASSERT_EQUAL(pd_facts_packages(&f, "late", &p), 1);
}

static void reads_files(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "[]", "an object of kinds" }, { "{", ":1:" },
		{ "{\"os\":[]}", "os has to be one object" },
		{ "{\"packages\":{}}", "packages has to be a list of rows" },
		{ "{\"packagess\":[]}", "is \"packages\" meant?" },
		{ "{\"packages\":[{\"name\":\"a\"},{\"nme\":\"b\"}]}", "row 2: " },
	};
	char path[] = "/tmp/patchday-test-XXXXXX";
	int fd = mkstemp(path);
	pd_auto(pd_facts) f = {0};
	const char *good = "{\"os\":{\"id\":\"debian\"},\"printers\":[],"
			   "\"packages\":[{\"name\":\"a\",\"version\":\"1\"}]}";

	CU_ASSERT_FATAL(fd >= 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		pd_auto_error *err = NULL;
		pd_auto_free char *why = NULL;

		CU_ASSERT(pd_file_write(path, 0600, bad[i].text, strlen(bad[i].text), NULL));
		CU_ASSERT_FALSE(pd_facts_read(path, &f, &err));
		CU_ASSERT_PTR_NOT_NULL_FATAL(err);
		why = pd_error_text(err);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
		CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
	}
	CU_ASSERT(pd_file_write(path, 0600, good, strlen(good), NULL));
	CU_ASSERT(pd_facts_read(path, &f, NULL));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(f.json, "packages")), 1);
	/* none is not the same as not looked at */
	CU_ASSERT_PTR_NOT_NULL(json_object_get(f.json, "printers"));
	CU_ASSERT_PTR_NULL(json_object_get(f.json, "shares"));
	unlink(path);
	close(fd);
}

/* One file after the other: each is read as it is alone. */
static void reads_many(void)
{
	static const char *const texts[] = {
		"{\"packages\":[{\"name\":\"a\",\"version\":\"1\"},{\"name\":\"b\",\"held\":true}]}",
		"{\"os\":{\"id\":\"x\"}, \"packages\" : [ {\"name\":\"b\",\"held\":true} ,\n{\"name\":\"a\",\"version\":\"1\"}\n] }",
		"{\"packages\":[{\"name\":\"a\",\"status\":\"config-files\"},{\"name\":\"a\",\"version\":\"1\"}],\"printers\":[]}",
		"{\"os\":{\"name\":\"packages\",\"id\":\"\\\\\\\"[{\"},\"x-a\":[{\"packages\":\"1\"}],\"packages\":[{\"name\":\"}\\\"{\"}]}",
		"{\"printers\":[]}", "{\"packages\":[]}", "{\"packages\":{}}", "{\"packages\":[{\"name\":\"a\"},]}",
		"{\"packages\":[{\"name\":\"a\"}{\"name\":\"b\"}]}", "{\"packages\":[{\"name\":\"a\"},1]}",
		"{\"packages\":[{\"name\":\"a\"}]", "{\"packages\":[{\"name\":\"a\"", "{\"packages\":[{\"name\":\"a\"}]}x",
		"{\"packages\":[{\"name\":\"a\",\"name\":\"b\"}]}", "{\"packages\":[{\"name\":\"a\",\"held\":1}]}",
		"{\"packages\":[{\"name\":\"a\"}],\"packages\":[{\"name\":\"a\"}]}", "{\"packages\":[{\"name\":\"a\",\"arch\":[]}]}",
		"{\"packages\":[{\"name\":\"\xff\"}]}", "[{\"packages\":[{\"name\":\"a\"}]}]", "{\"packages\":[{\"name\":\"a",
	};
	char path[] = "/tmp/patchday-test-XXXXXX";
	int fd = mkstemp(path);
	pd_auto(pd_facts_rows) known = {0};

	CU_ASSERT_FATAL(fd >= 0);
	for (size_t i = 0; i < 2 * sizeof(texts) / sizeof(*texts); i++) {
		const char *text = texts[i % (sizeof(texts) / sizeof(*texts))];
		pd_auto(pd_facts) plain = {0}, f = {0};
		pd_auto_error *why = NULL, *err = NULL;
		const struct pd_installed *a, *b;
		size_t n = 0;

		CU_ASSERT(pd_file_write(path, 0600, text, strlen(text), NULL));
		CU_ASSERT_EQUAL(pd_facts_read(path, &plain, &why), pd_facts_read_known(&known, path, &f, &err));
		CU_ASSERT_EQUAL(why == NULL, err == NULL);
		CU_ASSERT(!why || !err || strcmp(why->message, err->message) == 0);
		CU_ASSERT(json_equal(plain.json, f.json) || (!plain.json && !f.json));
		if (why)
			continue;
		n = pd_facts_packages(&plain, "", &a);
		CU_ASSERT_EQUAL_FATAL(n, pd_facts_packages(&f, "", &b));
		for (size_t k = 0; k < n; k++)
			CU_ASSERT(strcmp(a[k].name, b[k].name) == 0 && strcmp(a[k].version, b[k].version) == 0 &&
				  a[k].held == b[k].held && json_equal(a[k].row, b[k].row));
	}
	/* each is there once: as it was written first */
	CU_ASSERT_EQUAL(known.texts.len, 5);
	unlink(path);
	close(fd);
}

/* doc/facts.md is where scanners' authors look. */
static void manual_agrees(void)
{
	pd_auto_free char *doc =
		pd_file_read(PD_TEST_SOURCE "/doc/facts.md", 1 << 20, NULL, NULL);
	size_t n = 0;
	const struct pd_fact_kind *kinds = pd_fact_kinds(&n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	for (size_t i = 0; i < n; i++) {
		pd_auto_free char *heading = pd_print("\n### %s\n", kinds[i].name);
		const char *section = strstr(doc, heading), *end;

		if (!section)
			printf("\n  doc/facts.md lacks %s\n", kinds[i].name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(section);
		end = strstr(section + 1, "\n###");
		for (const struct pd_fact_column *c = kinds[i].columns; c->key; c++) {
			pd_auto_free char *line = pd_print("\n| %s | %s |", c->key,
				c->type == PD_F_TEXT ? "text" : c->type == PD_F_NUMBER ?
				"number" : "flag");
			const char *found = strstr(section, line);

			if (!found || (end && found > end))
				printf("\n  doc/facts.md lacks %s.%s\n", kinds[i].name, c->key);
			CU_ASSERT(found && (!end || found < end));
		}
	}
}

/* Wherever in a text a character of several bytes, or half of one, stands. */
static void knows_utf8(void)
{
	static const struct { const char *bytes; bool valid; } t[] = {
		{ "\xc3\xa9", true }, { "\xe2\x82\xac", true }, { "\xf0\x9f\x98\x80", true },
		{ "\xff", false }, { "\x80", false }, { "\xc3", false }, { "\xe2\x82", false },
		{ "\xc0\xaf", false }, { "\xed\xa0\x80", false }, { "\xf4\x90\x80\x80", false } };

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		for (int at = 0; at < 20; at++)
			for (int rest = 0; rest < 20; rest++) {
				pd_auto_free char *text = pd_print("%.*s%s%.*s", at, "abcdefghijklmnopqrst",
								   t[i].bytes, rest, "ABCDEFGHIJKLMNOPQRST");

				CU_ASSERT_EQUAL(pd_utf8_valid(text, strlen(text)), t[i].valid);
			}
}

static CU_TestInfo tests[] = {
	{ "rows fit their kinds", checks_rows },
	{ "the list of kinds is whole and sorted", lists_kinds },
	{ "two scans are compared", compares },
	{ "packages are found by name", indexes_packages },
	{ "files are checked", reads_files },
	{ "many files are read as one is", reads_many },
	{ "doc/facts.md lists every field", manual_agrees },
	{ "texts are UTF-8 wherever it shows", knows_utf8 },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("facts", tests);
