# SPDX-License-Identifier: MIT
# The plugin directory.
plugin_LTLIBRARIES += %reldir%/directory.la
%canon_reldir%_directory_la_SOURCES = %reldir%/directory.c %reldir%/directory.h %reldir%/backup.c %reldir%/client.c \
	%reldir%/dbcheck.c %reldir%/domain.c %reldir%/ldapi.c %reldir%/replication.c %reldir%/roles.c %reldir%/transfer.c \
	plugins/backup/bundle.c plugins/backup/bundle.h plugins/backup/bundle_read.c $(STORE_SOURCES) $(PROBE_SOURCES)
%canon_reldir%_directory_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_directory_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_directory_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_directory_la_LIBADD = $(ARCHIVE_LIBS) $(SODIUM_LIBS) $(JANSSON_LIBS) -lresolv
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/directory.check
