# SPDX-License-Identifier: MIT
# The plugin copy.
plugin_LTLIBRARIES += %reldir%/copy.la
%canon_reldir%_copy_la_SOURCES = %reldir%/copy.c %reldir%/files.c %reldir%/made.c %reldir%/folder.c %reldir%/far.c \
	%reldir%/ssh.c %reldir%/medium.c %reldir%/copy.h %reldir%/far.h plugins/shared/clone.h $(DEVICE_SOURCES) $(VOLUME_SOURCES)
%canon_reldir%_copy_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SODIUM_CFLAGS)
%canon_reldir%_copy_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_copy_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_copy_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/copy.check
