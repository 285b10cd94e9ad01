# SPDX-License-Identifier: MIT
# The plugin native.
plugin_LTLIBRARIES += %reldir%/native.la
%canon_reldir%_native_la_SOURCES = %reldir%/native.c %reldir%/native.h %reldir%/elements.c
%canon_reldir%_native_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_native_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_native_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/native.check
