# SPDX-License-Identifier: MIT
# The plugin guard.
plugin_LTLIBRARIES += %reldir%/guard.la
%canon_reldir%_guard_la_SOURCES = %reldir%/guard.c %reldir%/window.c %reldir%/calendar.c \
	%reldir%/users.c %reldir%/busy.c %reldir%/connected.c %reldir%/load.c %reldir%/power.c \
	%reldir%/guard.h %reldir%/calendar.h \
	$(PROCESS_SOURCES) $(NUT_SOURCES)
%canon_reldir%_guard_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_guard_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_guard_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/guard.check
