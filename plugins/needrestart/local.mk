# SPDX-License-Identifier: MIT
# The plugin needrestart.
plugin_LTLIBRARIES += %reldir%/needrestart.la
%canon_reldir%_needrestart_la_SOURCES = %reldir%/needrestart.c %reldir%/restart.c %reldir%/policy.c \
	%reldir%/stale.c %reldir%/kernel.c %reldir%/needrestart.h $(HOLD_SOURCES)
%canon_reldir%_needrestart_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_needrestart_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_needrestart_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/needrestart.check
