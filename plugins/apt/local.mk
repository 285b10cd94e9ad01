# SPDX-License-Identifier: MIT
# The plugin apt.
plugin_LTLIBRARIES += %reldir%/apt.la
%canon_reldir%_apt_la_SOURCES = %reldir%/apt.c %reldir%/apt.h %reldir%/lists.c \
	%reldir%/reader.c %reldir%/release.c %reldir%/status.c
%canon_reldir%_apt_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SODIUM_CFLAGS)
%canon_reldir%_apt_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_apt_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_apt_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
