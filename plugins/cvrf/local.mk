# SPDX-License-Identifier: MIT
# The plugin cvrf.
plugin_LTLIBRARIES += %reldir%/cvrf.la
%canon_reldir%_cvrf_la_SOURCES = %reldir%/cvrf.c %reldir%/cvrf.h %reldir%/products.c \
	%reldir%/platforms.c %reldir%/fixes.c $(TREE_SOURCES)
%canon_reldir%_cvrf_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_cvrf_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_cvrf_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/cvrf.check
