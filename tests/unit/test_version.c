/* SPDX-License-Identifier: MIT */
/* Comparing versions: own cases, and tables of the tools that define it. */
#include "catalog/catalog.h"
#include "unit.h"

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int order(enum pd_scheme scheme, const char *a, const char *b)
{
	int out = 99;

	return pd_version_compare(scheme, a, b, &out, NULL) ? sign(out) : 99;
}

static void compares(void)
{
	static const struct { enum pd_scheme scheme; const char *a, *b; int want; } t[] = {
		{ PD_SCHEME_DEB, "1.0~rc1-1", "1.0-1", -1 },
		{ PD_SCHEME_DEB, "1:0.1", "2.0", 1 },
		{ PD_SCHEME_DEB, "3.0.15-1~deb12u1", "3.0.15-1", -1 },
		{ PD_SCHEME_DEB, "1.0-1+b1", "1.0-1", 1 },
		{ PD_SCHEME_DEB, "2.36-9+deb12u10", "2.36-9+deb12u9", 1 },
		{ PD_SCHEME_DEB, "1.2-a-1", "1.2-a-2", -1 },
		{ PD_SCHEME_DEB, "1.0", "1.0-0", 0 },
		{ PD_SCHEME_DEB, "1.0a", "1.0+", -1 },
		{ PD_SCHEME_DEB, "99999999999999999999999", "100000000000000000000000", -1 },
		{ PD_SCHEME_RPM, "0:1.0-1", "1.0-1", 0 },
		{ PD_SCHEME_RPM, "1:1.0-1", "2.0-1", 1 },
		{ PD_SCHEME_RPM, "1.0-2.el9", "1.0-10.el9", -1 },
		{ PD_SCHEME_RPM, "1.0-1.el9_2", "1.0-1.el9", 1 },
		{ PD_SCHEME_RPM, "1.0", "1.0-5", 0 },
		{ PD_SCHEME_RPM, "1.0~beta-1", "1.0-1", -1 },
		{ PD_SCHEME_RPM, "1.0^git1-1", "1.0.1-1", -1 },
		{ PD_SCHEME_WINDOWS, "10.0.14393.0", "10.0.9200.0", 1 },
		{ PD_SCHEME_WINDOWS, "6.1", "6.1.0.0", 0 },
		{ PD_SCHEME_PLAIN, "7.3.1", "7.3.10", -1 },
		{ PD_SCHEME_PLAIN, "A02", "A10", -1 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		CU_ASSERT_EQUAL(order(t[i].scheme, t[i].a, t[i].b), t[i].want);
		CU_ASSERT_EQUAL(order(t[i].scheme, t[i].b, t[i].a), -t[i].want);
		CU_ASSERT_EQUAL(order(t[i].scheme, t[i].a, t[i].a), 0);
	}
}

static void refuses(void)
{
	pd_auto_error *err = NULL;
	int out = 0;

	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_DEB, "", "1", &out, NULL));
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_RPM, "1 0", "1", &out, NULL));
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_NONE, "1", "1", &out, NULL));
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_WINDOWS, "1.x", "1", &out, &err));
	CU_ASSERT_PTR_NOT_NULL_FATAL(err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err->message, "\"1.x\""));
	CU_ASSERT_STRING_EQUAL(err->id, "catalog-version");
}

/* Tables of other projects, one pair per line, where PD_SHARED is set. */
static void table(const char *name, enum pd_scheme scheme, size_t least)
{
	const char *shared = getenv("PD_SHARED");
	pd_auto_free char *path = pd_print("%s/data/vercmp/%s", shared ? shared : "", name);
	char line[512], a[200], b[200];
	size_t pairs = 0;
	int want = 0;
	FILE *f;

	if (!shared) {
		printf(" SKIPPED: PD_SHARED is not set ");
		CU_ASSERT_PTR_NULL(shared);
		return;
	}
	f = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		if (*line == '#' || sscanf(line, "%199[^\t]\t%199[^\t]\t%d", a, b, &want) != 3 ||
		    strncmp(a, "0x", 2) == 0)
			continue;
		pairs++;
		if (order(scheme, a, b) != want)
			printf("\n  %s: %s and %s: %d, not %d\n", name, a, b,
			       order(scheme, a, b), want);
		CU_ASSERT_EQUAL(order(scheme, a, b), want);
	}
	fclose(f);
	printf(" %zu pairs ", pairs);
	CU_ASSERT(pairs >= least);
}

static void table_deb(void) { table("dpkg-Dpkg_Version.tsv", PD_SCHEME_DEB, 40); }
static void table_rpm(void) { table("rpm-rpmvercmp.tsv", PD_SCHEME_RPM, 80); }
static void table_windows(void) { table("wazuh-windows.tsv", PD_SCHEME_WINDOWS, 10); }
static void table_plain(void) { table("fwupd-version.tsv", PD_SCHEME_PLAIN, 15); }

static CU_TestInfo tests[] = {
	{ "cases of our own", compares },
	{ "what is no version", refuses },
	{ "dpkg's table", table_deb },
	{ "rpm's table", table_rpm },
	{ "a Windows table", table_windows },
	{ "fwupd's table", table_plain },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("version", tests);
