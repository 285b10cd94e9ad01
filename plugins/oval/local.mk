# SPDX-License-Identifier: MIT
# The plugin oval.
plugin_LTLIBRARIES += %reldir%/oval.la
%canon_reldir%_oval_la_SOURCES = %reldir%/oval.c %reldir%/oval.h %reldir%/head.c %reldir%/store.c %reldir%/pattern.c \
	%reldir%/numbers.c %reldir%/kernel.c %reldir%/entity.c %reldir%/test.c %reldir%/tree.c %reldir%/modules.c plugins/shared/hash.h
%canon_reldir%_oval_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_oval_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_oval_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/oval.check
