# SPDX-License-Identifier: MIT
# The plugin service.
plugin_LTLIBRARIES += %reldir%/service.la
%canon_reldir%_service_la_SOURCES = %reldir%/service.c \
	%reldir%/start.c %reldir%/scan.c %reldir%/cron.c %reldir%/owners.c \
	%reldir%/schedule.h %reldir%/service.h $(HOLD_SOURCES)
%canon_reldir%_service_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_service_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_service_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/service.check
