# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_facts
TESTS += tests/unit/test_facts
tests_unit_test_facts_SOURCES = %reldir%/test_facts.c %reldir%/unit.h
tests_unit_test_facts_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS) \
	-DPD_TEST_SOURCE='"$(abs_top_srcdir)"'
tests_unit_test_facts_LDADD = core/libcore.la $(CUNIT_LIBS)
endif
