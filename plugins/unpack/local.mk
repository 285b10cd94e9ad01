# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/unpack.la
%canon_reldir%_unpack_la_SOURCES = %reldir%/unpack.c
%canon_reldir%_unpack_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(ARCHIVE_CFLAGS) $(ZLIB_CFLAGS)
%canon_reldir%_unpack_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_unpack_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_unpack_la_LIBADD = $(ARCHIVE_LIBS) $(ZLIB_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/unpack.check
