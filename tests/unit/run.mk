# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_estimate
TESTS += tests/unit/test_estimate
tests_unit_test_estimate_SOURCES = %reldir%/test_estimate.c %reldir%/unit.h
tests_unit_test_estimate_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_estimate_LDADD = core/libcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)
endif
