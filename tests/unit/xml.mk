# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_xml
TESTS += tests/unit/test_xml
tests_unit_test_xml_SOURCES = %reldir%/test_xml.c %reldir%/unit.h
tests_unit_test_xml_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_xml_LDADD = core/libcore.la $(CUNIT_LIBS)
endif
