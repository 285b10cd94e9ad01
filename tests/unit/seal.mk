# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += %reldir%/test_seal
TESTS += %reldir%/test_seal
%canon_reldir%_test_seal_SOURCES = %reldir%/test_seal.c %reldir%/unit.h
%canon_reldir%_test_seal_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) $(SQLITE_CFLAGS) $(CUNIT_CFLAGS)
%canon_reldir%_test_seal_LDADD = core/libcore.la $(SQLITE_LIBS) $(CUNIT_LIBS)
endif
