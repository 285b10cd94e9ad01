# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_workflow
TESTS += tests/unit/test_workflow
tests_unit_test_workflow_SOURCES = %reldir%/test_workflow.c %reldir%/unit.h
tests_unit_test_workflow_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_workflow_LDADD = core/libcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)
endif
