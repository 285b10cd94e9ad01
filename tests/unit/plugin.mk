# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += %reldir%/test_plugin %reldir%/test_worker %reldir%/test_blot
TESTS += %reldir%/test_plugin %reldir%/test_worker %reldir%/test_blot
%canon_reldir%_test_plugin_SOURCES = %reldir%/test_plugin.c %reldir%/unit.h
%canon_reldir%_test_plugin_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CUNIT_CFLAGS)
%canon_reldir%_test_plugin_LDADD = core/libcore.la $(CUNIT_LIBS)
%canon_reldir%_test_worker_SOURCES = %reldir%/test_worker.c %reldir%/unit.h
%canon_reldir%_test_worker_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CUNIT_CFLAGS)
%canon_reldir%_test_worker_LDADD = core/libcore.la $(CUNIT_LIBS)
%canon_reldir%_test_blot_SOURCES = %reldir%/test_blot.c %reldir%/unit.h
%canon_reldir%_test_blot_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CUNIT_CFLAGS)
%canon_reldir%_test_blot_LDADD = core/libcore.la $(CUNIT_LIBS)
endif
