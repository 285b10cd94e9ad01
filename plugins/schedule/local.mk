# SPDX-License-Identifier: MIT
# The plugin schedule.
plugin_LTLIBRARIES += %reldir%/schedule.la
%canon_reldir%_schedule_la_SOURCES = %reldir%/schedule.c $(HOLD_SOURCES) $(PROCESS_SOURCES)
%canon_reldir%_schedule_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_schedule_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_schedule_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/schedule.check
