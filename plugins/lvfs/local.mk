# SPDX-License-Identifier: MIT
# The plugin lvfs.
plugin_LTLIBRARIES += %reldir%/lvfs.la
%canon_reldir%_lvfs_la_SOURCES = %reldir%/lvfs.c %reldir%/lvfs.h %reldir%/emit.c \
	%reldir%/rules.c plugins/shared/path.h
%canon_reldir%_lvfs_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_lvfs_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_lvfs_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/lvfs.check
