# SPDX-License-Identifier: MIT
if HAVE_CUNIT
check_PROGRAMS += %reldir%/test_package
TESTS += %reldir%/test_package
%canon_reldir%_test_package_SOURCES = %reldir%/test_package.c %reldir%/unit.h
%canon_reldir%_test_package_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/package
%canon_reldir%_test_package_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) $(ARCHIVE_CFLAGS) $(CUNIT_CFLAGS)
%canon_reldir%_test_package_LDADD = package/libpackage.la $(CUNIT_LIBS)
endif
