# SPDX-License-Identifier: MIT
# The plugin service.
plugin_LTLIBRARIES += %reldir%/service.la
%canon_reldir%_service_la_SOURCES = %reldir%/service.c \
	%reldir%/stop.c %reldir%/start.c %reldir%/scan.c \
	%reldir%/cron.c %reldir%/owners.c %reldir%/schedule.h \
	%reldir%/units.c %reldir%/jobs.c %reldir%/hold.c %reldir%/service.h
%canon_reldir%_service_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_service_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_service_la_LIBADD = $(SYSTEMD_LIBS)
EXTRA_DIST += %reldir%/README.md
