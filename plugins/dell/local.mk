# SPDX-License-Identifier: MIT
# The plugin dell.
plugin_LTLIBRARIES += %reldir%/dell.la
%canon_reldir%_dell_la_SOURCES = %reldir%/dell.c %reldir%/dell.h %reldir%/emit.c plugins/shared/path.h
%canon_reldir%_dell_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_dell_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_dell_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/dell.check
