# SPDX-License-Identifier: MIT
# The plugin lenovo.
plugin_LTLIBRARIES += %reldir%/lenovo.la
%canon_reldir%_lenovo_la_SOURCES = %reldir%/lenovo.c %reldir%/lenovo.h %reldir%/list.c \
	%reldir%/package.c %reldir%/rules.c $(TREE_SOURCES)
%canon_reldir%_lenovo_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_lenovo_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_lenovo_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/lenovo.check
