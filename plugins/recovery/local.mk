# SPDX-License-Identifier: MIT
# The plugin recovery.
plugin_LTLIBRARIES += %reldir%/recovery.la
%canon_reldir%_recovery_la_SOURCES = %reldir%/recovery.c %reldir%/recovery.h %reldir%/make.c %reldir%/proof.c \
	%reldir%/rear.c %reldir%/medium.c %reldir%/boot.c %reldir%/archive.c %reldir%/packed.c
%canon_reldir%_recovery_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS) $(ZLIB_CFLAGS)
%canon_reldir%_recovery_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_recovery_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_recovery_la_LIBADD = $(ARCHIVE_LIBS) $(SODIUM_LIBS) $(ZLIB_LIBS)
EXTRA_DIST += %reldir%/README.md %reldir%/recovery.check
