/* SPDX-License-Identifier: MIT */
/* The plugin native, as it is built, in its worker: the model that comes out, the message for each
 * broken file of tests/data/catalogs/bad, and agreement with the schema. */
#include <dirent.h>
#include <libxml/relaxng.h>
#include <unistd.h>

#include "catalog/model.h"
#include "unit.h"

#define DATA PD_TEST_SOURCE "/tests/data/catalogs/"
#define EXAMPLES PD_TEST_SOURCE "/catalogs/examples/"

static struct pd_catalog *read_one(const char *path, char **message)
{
	pd_auto(pd_registry) *reg = pd_registry_new();
	pd_auto_error *err = NULL;
	struct pd_catalog *c = NULL;

	CU_ASSERT_FATAL(pd_registry_add_folder(reg, PD_TEST_NATIVE, &err));
	c = pd_catalog_read(reg, path, NULL, &err);
	CU_ASSERT_EQUAL(c == NULL, err != NULL);
	if (err && message)
		*message = pd_error_text(err);
	return c;
}

static const struct pd_catalog_update *find(const struct pd_catalog *c, const char *id)
{
	int64_t i = pd_catalog_find(c, id);

	CU_ASSERT_FATAL(i >= 0);
	return &c->updates[i];
}

static void reads_packages(void)
{
	pd_auto(pd_catalog) *c = read_one(EXAMPLES "packages.xml", NULL);
	const struct pd_catalog_update *u;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->len, 5);
	CU_ASSERT_STRING_EQUAL(c->name, "packages.xml");
	CU_ASSERT_STRING_EQUAL(c->format, "native:native");
	CU_ASSERT_EQUAL(strlen(c->digest), 64);
	u = find(c, "EX-2026-014");
	CU_ASSERT_STRING_EQUAL(u->revision, "2");
	CU_ASSERT_STRING_EQUAL(u->title, "openssl: two holes closed");
	CU_ASSERT_STRING_EQUAL(u->url, "https://updates.example.com/EX-2026-014");
	CU_ASSERT_STRING_EQUAL(u->vendor, "Example");
	CU_ASSERT_STRING_EQUAL(u->severity_text, "9.8");
	CU_ASSERT_EQUAL(u->severity, PD_SEVERITY_CRITICAL);
	CU_ASSERT_EQUAL(u->kind, PD_CLASS_SECURITY);
	CU_ASSERT_EQUAL(u->restart, PD_RESTART_SERVICE);
	CU_ASSERT_EQUAL(u->status, PD_STATUS_FINAL);
	CU_ASSERT_EQUAL(u->issued, 1793664000);
	CU_ASSERT_EQUAL(u->updated, 1794297600);
	CU_ASSERT_EQUAL(u->disk_bytes, 24 << 20);
	CU_ASSERT_EQUAL(u->expected, 40);
	CU_ASSERT_EQUAL(u->n_relations, 4);
	CU_ASSERT_EQUAL(u->relations[0].kind, PD_REL_ALIAS);
	CU_ASSERT_STRING_EQUAL(u->relations[0].target, "CVE-2026-10001");
	CU_ASSERT_EQUAL(u->n_packages, 2);
	CU_ASSERT_EQUAL(u->n_payloads, 1);
	CU_ASSERT_EQUAL(u->packages[0].payload, 1);
	CU_ASSERT_EQUAL(u->packages[1].payload, 0);
	CU_ASSERT_STRING_EQUAL(u->payloads[0].name, "libssl3_3.0.17-1~deb12u2_amd64.deb");
	CU_ASSERT_EQUAL(u->payloads[0].bytes, 2022416);
	CU_ASSERT_EQUAL(find(c, "EX-2026-011")->status, PD_STATUS_RETIRED);
	u = find(c, "EX-2026-015");
	CU_ASSERT_STRING_EQUAL(u->packages[0].version, "5.14.0-503.11.1.el9_5");
	CU_ASSERT_EQUAL(u->disk_bytes, -1);
	/* the same text is there once */
	CU_ASSERT_PTR_EQUAL(find(c, "EX-2026-014")->packages[0].arch,
			    find(c, "EX-2026-009")->packages[0].arch);
}

static void reads_drivers(void)
{
	pd_auto(pd_catalog) *c = read_one(EXAMPLES "driver.xml", NULL);
	const struct pd_catalog_update *u;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	u = find(c, "NIC-7.3.1");
	CU_ASSERT_STRING_EQUAL(u->vendor, "Example Networks");
	CU_ASSERT(u->permanent && !u->interactive);
	CU_ASSERT_EQUAL(u->n_installers, 2);
	CU_ASSERT_EQUAL(u->installers[1].kind, PD_UNINSTALL);
	CU_ASSERT_STRING_EQUAL(u->installers[0].arguments, "--silent --norestart");
	CU_ASSERT_EQUAL(u->n_exits, 4);
	CU_ASSERT_EQUAL(u->exits[3].status, -1);
	CU_ASSERT_EQUAL(u->exits[1].meaning, PD_EXIT_SUCCESS_REBOOT);
	CU_ASSERT_EQUAL(u->n_rules, 14);
	CU_ASSERT_EQUAL(u->rules[1].op, PD_RULE_ANY);
	CU_ASSERT_EQUAL(u->rules[11].negate, 1);
	CU_ASSERT_EQUAL(u->rules[12].tree, PD_RULES_INSTALLED);
	CU_ASSERT_EQUAL(find(c, "NIC-BASE")->rules[0].op, PD_RULE_CALL);
}

static void reads_odd_ones(void)
{
	pd_auto(pd_catalog) *wide = read_one(DATA "good/utf16.xml", NULL);
	pd_auto(pd_catalog) *bom = read_one(DATA "good/bom.xml", NULL);
	pd_auto(pd_catalog) *prefix = read_one(DATA "good/prefix.xml", NULL);
	pd_auto(pd_catalog) *repeated = read_one(DATA "good/repeated.xml", NULL);

	CU_ASSERT_FATAL(wide && bom && prefix && repeated);
	CU_ASSERT_STRING_EQUAL(find(wide, "Ü-1")->title, "Für Ämter");
	CU_ASSERT_STRING_EQUAL(find(bom, "Ü-1")->title, "Für Ämter");
	CU_ASSERT_STRING_EQUAL(find(prefix, "A")->title, "x & y < é <raw>");
	/* of one id the highest revision counts, and what was dropped is said */
	CU_ASSERT_EQUAL(repeated->len, 1);
	CU_ASSERT_STRING_EQUAL(repeated->updates[0].title, "revision 10");
	CU_ASSERT_EQUAL(repeated->ignored, 3);
	CU_ASSERT_STRING_EQUAL(repeated->notes.items[0], "repeated.xml:3: update A-1 is "
			       "there more than once; revision \"10\" counts, not \"2\"");
}

static void quiet(void *user, xmlErrorPtr e)
{
	(void)user, (void)e;
}

static int valid(xmlRelaxNG *schema, const char *path)
{
	xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
	xmlRelaxNGValidCtxt *v = xmlRelaxNGNewValidCtxt(schema);
	int result = doc ? xmlRelaxNGValidateDoc(v, doc) : -1;

	xmlRelaxNGFreeValidCtxt(v);
	xmlFreeDoc(doc);
	return result;
}

/* @bad: each file must be refused with the text in the file beside it; its
 * name tells whether the schema refuses it too. */
static size_t folder(xmlRelaxNG *schema, const char *where, bool bad)
{
	DIR *dir = opendir(where);
	struct dirent *entry;
	size_t files = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((entry = readdir(dir))) {
		pd_auto_free char *path = pd_print("%s%s", where, entry->d_name);
		pd_auto_free char *said = NULL, *message = NULL, *want = NULL;
		const char *dot = strrchr(entry->d_name, '.');
		pd_auto(pd_catalog) *c = NULL;
		int schema_says;

		if (!dot || strcmp(dot, ".xml") != 0)
			continue;
		files++;
		c = read_one(path, &message);
		schema_says = valid(schema, path);
		if (!bad) {
			if (!c || schema_says)
				printf("\n  %s: %s, schema %d\n", path,
				       message ? message : "read", schema_says);
			CU_ASSERT(c && schema_says == 0);
			continue;
		}
		memcpy(strrchr(path, '.'), ".txt", 5);
		want = pd_file_read(path, 65536, NULL, NULL);
		said = pd_print("%s\n", !message ? "(nothing)" : strncmp(message, where,
				strlen(where)) ? message : message + strlen(where));
		if (!want || strcmp(said, want) != 0)
			printf("\n  %s: %s", entry->d_name, said);
		CU_ASSERT(want && strcmp(said, want) == 0);
		if (strncmp(entry->d_name, "xml-", 4) == 0)
			continue;
		if ((schema_says == 0) != (strncmp(entry->d_name, "meaning-", 8) == 0))
			printf("\n  %s: schema says %d\n", entry->d_name, schema_says);
		CU_ASSERT_EQUAL(schema_says == 0, strncmp(entry->d_name, "meaning-", 8) == 0);
	}
	closedir(dir);
	return files;
}

static void agrees_with_schema(void)
{
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(
		PD_TEST_SOURCE "/catalogs/patchday-catalog.rng");
	xmlRelaxNG *schema = xmlRelaxNGParse(parser);

	CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
	xmlSetStructuredErrorFunc(NULL, quiet);
	CU_ASSERT(folder(schema, EXAMPLES, false) >= 2);
	CU_ASSERT(folder(schema, DATA "good/", false) >= 6);
	CU_ASSERT(folder(schema, DATA "bad/", true) >= 50);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
}

static void tells_other_files(void)
{
	static const struct { const char *bytes, *want; } cases[] = {
		{ "BZh91AY&SY", "other: this seems to be a bzip2 file" },
		{ "\x1f\x8b\x08", "a gzip file" },
		{ "PK\x03\x04", "a zip archive" },
		{ "{\"a\": 1}", "JSON" },
		{ "<updates/>", "updateinfo.xml of an rpm repository" },
	};
	char path[] = "/tmp/patchday-test-XXXXXX";
	int fd = mkstemp(path);
	pd_auto_free char *folder_message = NULL, *missing = NULL;

	CU_ASSERT_FATAL(fd >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pd_auto_free char *message = NULL;

		CU_ASSERT(pd_file_write(path, 0600, cases[i].bytes,
					strlen(cases[i].bytes), NULL));
		CU_ASSERT_PTR_NULL(read_one(path, &message));
		CU_ASSERT_PTR_NOT_NULL_FATAL(message);
		CU_ASSERT_PTR_NOT_NULL(strstr(message, strchr(cases[i].want, ':') ?
			strchr(cases[i].want, ':') + 2 : cases[i].want));
	}
	unlink(path);
	close(fd);
	CU_ASSERT_PTR_NULL(read_one("/tmp", &folder_message));
	CU_ASSERT_PTR_NOT_NULL(strstr(folder_message, "/tmp"));
	CU_ASSERT_PTR_NULL(read_one("/nonexistent/x.xml", &missing));
	CU_ASSERT_PTR_NOT_NULL(strstr(missing, "No such file"));
}

static CU_TestInfo tests[] = {
	{ "all fields of packages' updates", reads_packages },
	{ "all fields of drivers", reads_drivers },
	{ "encodings, prefixes, repeated ids", reads_odd_ones },
	{ "reader and schema agree", agrees_with_schema },
	{ "files that are something else", tells_other_files },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("native catalog", tests);
