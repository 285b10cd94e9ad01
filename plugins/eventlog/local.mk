# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/eventlog.la
%canon_reldir%_eventlog_la_SOURCES = %reldir%/eventlog.c %reldir%/eventlog.h \
	%reldir%/compare.c %reldir%/harmless.c %reldir%/journal.c \
	%reldir%/errors.c %reldir%/known.c %reldir%/messages.c %reldir%/textlog.c %reldir%/undo.c plugins/backup/bundle.c \
	plugins/backup/bundle.h plugins/backup/bundle_read.c $(STORE_SOURCES)
%canon_reldir%_eventlog_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS) \
	$(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_eventlog_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_eventlog_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_eventlog_la_LIBADD = $(SYSTEMD_LIBS) $(ARCHIVE_LIBS) $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/eventlog.check
