# SPDX-License-Identifier: MIT
# The plugin mssecure.
plugin_LTLIBRARIES += %reldir%/mssecure.la
%canon_reldir%_mssecure_la_SOURCES = %reldir%/mssecure.c %reldir%/mssecure.h %reldir%/rules.c $(TREE_SOURCES)
%canon_reldir%_mssecure_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_mssecure_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_mssecure_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/mssecure.check
