# SPDX-License-Identifier: MIT
# The plugin host.
plugin_LTLIBRARIES += %reldir%/host.la
%canon_reldir%_host_la_SOURCES = %reldir%/host.c %reldir%/reboot.c %reldir%/machine.c \
	%reldir%/attached.c %reldir%/net.c %reldir%/host.h
%canon_reldir%_host_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_host_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_host_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/host.check
