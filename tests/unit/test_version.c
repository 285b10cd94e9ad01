/* SPDX-License-Identifier: MIT */
/* Comparing versions: own cases; tests/cli/vercmp.sh asks the tools that define it. */
#include "base/version.h"
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
		{ PD_SCHEME_RPM, "1.0", "1.0-5", -1 }, { PD_SCHEME_RPM, "1.0", "1.0-~5", -1 },
		{ PD_SCHEME_RPM, "1.0~beta-1", "1.0-1", -1 },
		{ PD_SCHEME_RPM, "1.0^git1-1", "1.0.1-1", -1 },
		{ PD_SCHEME_WINDOWS, "10.0.14393.0", "10.0.9200.0", 1 },
		{ PD_SCHEME_WINDOWS, "6.1", "6.1.0.0", 0 },
		{ PD_SCHEME_ALPINE, "1.2.3", "1.2.3-r0", -1 },
		{ PD_SCHEME_ALPINE, "1.2-r2", "1.2-r10", -1 },
		{ PD_SCHEME_ALPINE, "1.2_rc1", "1.2", -1 },
		{ PD_SCHEME_ALPINE, "1.2_alpha", "1.2_beta2", -1 },
		{ PD_SCHEME_ALPINE, "1.2_rc1_p1", "1.2_rc1", 1 },
		{ PD_SCHEME_ALPINE, "1.2", "1.2_p1", -1 },
		{ PD_SCHEME_ALPINE, "1.2_git20240101", "1.2_git20231231-r5", 1 },
		{ PD_SCHEME_ALPINE, "1.2", "1.2a", -1 },
		{ PD_SCHEME_ALPINE, "1.2b", "1.2.1", -1 },
		{ PD_SCHEME_ALPINE, "2.15.05", "2.15.1", -1 },
		{ PD_SCHEME_ALPINE, "2.15.005", "2.15.05", -1 },
		{ PD_SCHEME_ALPINE, "2.15.0", "2.15.0.1", -1 },
		{ PD_SCHEME_ALPINE, "0.8.21-r2", "0.8.21-r02", 0 },
		{ PD_SCHEME_FWUPD, "0x10", "15", 1 },
		{ PD_SCHEME_FWUPD, "10.9", "9.10", 1 },
		{ PD_SCHEME_TEXT, "1.10", "1.9", -1 },
		{ PD_SCHEME_TEXT, "65536", "0x7", 1 },
		{ PD_SCHEME_NUMBER, "65536", "7", 1 },
		{ PD_SCHEME_HEX, "0x0000000f", "0x10", -1 },
		{ PD_SCHEME_PAIR, "65538", "1.2", 0 },
		{ PD_SCHEME_TRIPLET, "0xff000100", "255.0.256", 0 },
		{ PD_SCHEME_QUAD, "4278190336", "255.0.1.0", 0 },
		{ PD_SCHEME_BCD, "0x10203412", "10.20.34.12", 0 },
		{ PD_SCHEME_INTEL_ME, "0x0b32057a", "11.11.50.1402", 0 },
		{ PD_SCHEME_INTEL_ME2, "0xb8320d84", "11.8.50.3460", 0 },
		{ PD_SCHEME_INTEL_CSME19, "0x00000741", "19.0.0.1857", 0 },
		{ PD_SCHEME_SURFACE_LEGACY, "0x226a4b00", "137.2706.768", 0 },
		{ PD_SCHEME_SURFACE, "0x6001988", "6.25.136", 0 },
		{ PD_SCHEME_DELL_BIOS, "0x00ff0001", "255.0.1", 0 },
		{ PD_SCHEME_DELL_BIOS_MSB, "0x010f0201", "1.15.2", 0 },
		{ PD_SCHEME_TRIPLET, "0x100000000", "0x100000001", -1 },
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
	static const struct { enum pd_scheme scheme; const char *version; } none[] = {
		{ PD_SCHEME_DEB, ":1" }, { PD_SCHEME_DEB, "a:1" }, { PD_SCHEME_DEB, "1:" },
		{ PD_SCHEME_DEB, "1-" }, { PD_SCHEME_DEB, "-1" }, { PD_SCHEME_DEB, "1:-1" },
		{ PD_SCHEME_DEB, "1\t2" }, { PD_SCHEME_WINDOWS, "1..2" }, { PD_SCHEME_WINDOWS, "1." },
		{ PD_SCHEME_WINDOWS, ".1" }, { PD_SCHEME_WINDOWS, "1.2.3.4.5" },
		{ PD_SCHEME_ALPINE, "a" }, { PD_SCHEME_ALPINE, "1." }, { PD_SCHEME_ALPINE, "1..2" },
		{ PD_SCHEME_ALPINE, "1_new" }, { PD_SCHEME_ALPINE, "1-r" }, { PD_SCHEME_ALPINE, "1-2" },
		{ PD_SCHEME_ALPINE, "1-r1_p1" }, { PD_SCHEME_ALPINE, "1.2_p1a" },
		{ PD_SCHEME_ALPINE, "1234567890123456789" }, { PD_SCHEME_FWUPD, "" },
		{ PD_SCHEME_HEX, "1 2" },
	};
	pd_auto_error *err = NULL;
	int out = 0;

	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_DEB, "", "1", &out, NULL));
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_RPM, "1 0", "1", &out, NULL));
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_NONE, "1", "1", &out, NULL));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CU_ASSERT_EQUAL(order(none[i].scheme, none[i].version, none[i].version), 99);
	CU_ASSERT_FALSE(pd_version_compare(PD_SCHEME_WINDOWS, "1.x", "1", &out, &err));
	CU_ASSERT_PTR_NOT_NULL_FATAL(err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err->message, "\"1.x\""));
	CU_ASSERT_STRING_EQUAL(err->id, "catalog-version");
}

/* What a plugin asks, which may be newer than the core. */
static bool asked(struct pd_ctx *ctx, uint32_t scheme, const char *a, const char *b, int *order)
{
	(void)ctx;
	return pd_version_compare((enum pd_scheme)scheme, a, b, order, NULL);
}

static void asks(void)
{
	struct pd_host host = { .size = sizeof(host), .compare_versions = asked };
	struct pd_ctx ctx = { .host = &host };
	int out = 7;

	CU_ASSERT(pd_compare_versions(&ctx, PD_SCHEME_RPM, "1.9-1", "1.10-1", &out));
	CU_ASSERT(out < 0);
	host.size = offsetof(struct pd_host, compare_versions);
	out = 7;
	CU_ASSERT_FALSE(pd_compare_versions(&ctx, PD_SCHEME_RPM, "1.9-1", "1.10-1", &out));
	CU_ASSERT_EQUAL(out, 7);
}

static CU_TestInfo tests[] = {
	{ "cases of our own", compares },
	{ "what is no version", refuses },
	{ "asked by a plugin", asks },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("version", tests);
