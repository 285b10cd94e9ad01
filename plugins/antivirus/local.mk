# SPDX-License-Identifier: MIT
# The plugin antivirus.
plugin_LTLIBRARIES += %reldir%/antivirus.la
%canon_reldir%_antivirus_la_SOURCES = %reldir%/antivirus.c %reldir%/update.c %reldir%/definitions.c \
	%reldir%/antivirus.h $(HOLD_SOURCES) $(PROCESS_SOURCES)
%canon_reldir%_antivirus_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_antivirus_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_antivirus_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/antivirus.check
