# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/backup.la
%canon_reldir%_backup_la_SOURCES = %reldir%/backup.c %reldir%/backup.h \
	%reldir%/bundle.c %reldir%/bundle.h %reldir%/bundle_read.c \
	%reldir%/attributes.c %reldir%/layout.c %reldir%/restore.c %reldir%/select.c %reldir%/state.c plugins/shared/rpmdb.h $(STORE_SOURCES)
%canon_reldir%_backup_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_backup_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_backup_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_backup_la_LIBADD = $(ARCHIVE_LIBS) $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/backup.check
