# SPDX-License-Identifier: MIT
# Everything but main(), so that tests link the same objects.
noinst_LTLIBRARIES += %reldir%/libcore.la
%canon_reldir%_libcore_la_SOURCES =
%canon_reldir%_libcore_la_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(XML_CFLAGS) $(XSLT_CFLAGS) \
	$(SQLITE_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_libcore_la_LIBADD = $(LTDL_LIBS) $(LUA_LIBS) $(XML_LIBS) $(XSLT_LIBS) \
	$(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
include %D%/base/local.mk
include %D%/xml/local.mk
include %D%/plugin/local.mk
include %D%/facts/local.mk
include %D%/catalog/local.mk
include %D%/workflow/local.mk
include %D%/run/local.mk
include %D%/report/local.mk
include %D%/cli/local.mk
pdincludedir = $(includedir)/patchday
pdinclude_HEADERS = %reldir%/include/patchday/plugin.h
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = %reldir%/patchday.pc
