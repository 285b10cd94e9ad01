# SPDX-License-Identifier: MIT
# The plugin normalbackup.
plugin_LTLIBRARIES += %reldir%/normalbackup.la
%canon_reldir%_normalbackup_la_SOURCES = %reldir%/normalbackup.c %reldir%/normalbackup.h \
	%reldir%/restic.c %reldir%/borg.c %reldir%/bacula.c %reldir%/file.c %reldir%/archive.c \
	%reldir%/command.c plugins/command/program.c plugins/command/program.h
%canon_reldir%_normalbackup_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(JANSSON_CFLAGS) $(ARCHIVE_CFLAGS) $(ZLIB_CFLAGS)
%canon_reldir%_normalbackup_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_normalbackup_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_normalbackup_la_LIBADD = $(JANSSON_LIBS) $(ARCHIVE_LIBS) $(ZLIB_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/normalbackup.check
