# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_catalog tests/unit/test_native tests/unit/test_version
TESTS += tests/unit/test_catalog tests/unit/test_native tests/unit/test_version
CATALOG_TEST_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS) \
	-DPD_TEST_SOURCE='"$(abs_top_srcdir)"' \
	-DPD_TEST_NATIVE='"$(abs_top_builddir)/plugins/native/.libs"'
tests_unit_test_catalog_SOURCES = %reldir%/test_catalog.c %reldir%/unit.h
tests_unit_test_catalog_CFLAGS = $(CATALOG_TEST_CFLAGS)
tests_unit_test_catalog_LDADD = core/libcore.la $(CUNIT_LIBS)
tests_unit_test_native_SOURCES = %reldir%/test_native.c %reldir%/unit.h
tests_unit_test_native_CFLAGS = $(CATALOG_TEST_CFLAGS)
tests_unit_test_native_LDADD = core/libcore.la $(CUNIT_LIBS) $(XML_LIBS)
tests_unit_test_version_SOURCES = %reldir%/test_version.c %reldir%/unit.h
tests_unit_test_version_CFLAGS = $(CATALOG_TEST_CFLAGS)
tests_unit_test_version_LDADD = core/libcore.la $(CUNIT_LIBS)
endif
EXTRA_DIST += %reldir%/../data/catalogs/bad %reldir%/../data/catalogs/good
