# SPDX-License-Identifier: MIT
# The plugin wsus.
plugin_LTLIBRARIES += %reldir%/wsus.la
%canon_reldir%_wsus_la_SOURCES = %reldir%/wsus.c %reldir%/wsus.h %reldir%/emit.c %reldir%/store.c plugins/shared/hash.h
%canon_reldir%_wsus_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_wsus_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_wsus_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/wsus.check
