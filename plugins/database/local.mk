# SPDX-License-Identifier: MIT
# The plugin database.
plugin_LTLIBRARIES += %reldir%/database.la
%canon_reldir%_database_la_SOURCES = %reldir%/database.c %reldir%/cluster.c %reldir%/dump.c %reldir%/probe.c %reldir%/proof.c \
	%reldir%/quiesce.c %reldir%/restore.c %reldir%/rows.c %reldir%/saved.c %reldir%/database.h $(STORE_SOURCES)
%canon_reldir%_database_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_database_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/database.check
