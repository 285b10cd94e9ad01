# SPDX-License-Identifier: MIT
# The plugin recovery.
plugin_LTLIBRARIES += %reldir%/recovery.la
%canon_reldir%_recovery_la_SOURCES = %reldir%/recovery.c %reldir%/recovery.h %reldir%/make.c %reldir%/proof.c \
	%reldir%/rear.c %reldir%/medium.c %reldir%/boot.c %reldir%/archive.c %reldir%/crypt.c %reldir%/space.c %reldir%/packed.c \
	%reldir%/room.c %reldir%/stick.c %reldir%/stick.h %reldir%/stick_find.c %reldir%/stick_efi.c %reldir%/fat.c %reldir%/fat.h %reldir%/stick_medium.c %reldir%/stick_read.c %reldir%/stick_undo.c $(DEVICE_SOURCES) $(VOLUME_SOURCES)
%canon_reldir%_recovery_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS) $(NETTLE_CFLAGS) $(ZLIB_CFLAGS)
%canon_reldir%_recovery_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_recovery_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_recovery_la_LIBADD = $(ARCHIVE_LIBS) $(SODIUM_LIBS) $(NETTLE_LIBS) $(ZLIB_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/recovery.check
