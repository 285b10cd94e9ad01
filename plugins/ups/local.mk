# SPDX-License-Identifier: MIT
# The plugin ups.
plugin_LTLIBRARIES += %reldir%/ups.la
%canon_reldir%_ups_la_SOURCES = %reldir%/ups.c $(HOLD_SOURCES) $(NUT_SOURCES)
%canon_reldir%_ups_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_ups_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_ups_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/ups.check
